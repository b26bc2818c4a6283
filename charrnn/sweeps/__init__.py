"""Searches for settings: many runs of one config, of which some settings vary."""
