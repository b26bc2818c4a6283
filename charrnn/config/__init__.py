"""The settings of a run: types and bounds, sources, and descriptions of faults."""
