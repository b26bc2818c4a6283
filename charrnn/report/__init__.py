"""Output of runs and commands, for people and for programs."""
