"""The mathematics of the network: arrays in, arrays out; no text, files or clock."""
