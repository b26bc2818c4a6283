"""The laboratory: independent proofs of the gradient."""
