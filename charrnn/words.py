"""Numbers in sentences."""


def counted(number: int, noun: str) -> str:
    """So many of something: 1 character, 1,200 characters."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
