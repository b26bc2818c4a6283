"""The life of a run: its directory, its start, its training, what is saved and how it ends."""
