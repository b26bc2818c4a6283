"""What each command does, from its arguments to its results; the command line calls it."""
