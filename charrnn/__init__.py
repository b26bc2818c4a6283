"""Character-level language models with vanilla recurrent networks."""

__version__ = "0.1.0"
