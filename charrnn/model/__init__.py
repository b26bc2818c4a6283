"""The mathematics: arrays in, arrays out; no text, no files, no clock."""
