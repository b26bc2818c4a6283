"""A model and a prompt in, characters out."""
