"""Gradient clipping, learning rate schedules and optimizers."""
