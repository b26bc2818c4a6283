"""Trackers: sinks that pass what is logged on to other programs."""
