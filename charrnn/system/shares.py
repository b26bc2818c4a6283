"""Divides work among those that share it."""


def split(size: int, count: int) -> list[slice]:
    """Splits range(size) into `count` contiguous slices of nearly equal length."""
    return [slice(n * size // count, (n + 1) * size // count) for n in range(count)]
