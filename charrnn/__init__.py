"""Character-level language models with the classic recurrent network, exactly."""

__version__ = "0.1.0"
