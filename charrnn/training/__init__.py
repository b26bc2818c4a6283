"""The workshop: the training loop and what it needs."""
