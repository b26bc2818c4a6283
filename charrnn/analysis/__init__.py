"""Independent checks of the gradient, and how it flows through time."""
