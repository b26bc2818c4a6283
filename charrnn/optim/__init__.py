"""From a gradient to new weights: clipping, schedules, optimizers."""
