"""From a config to the objects it describes: text, windows, weights, models."""
