"""Numbers in sentences."""


def counted(number: int, noun: str) -> str:
    """So many of something: 1 character, 1,200 characters."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size_in_words(size: float) -> str:
    """Bytes as 12.3 MB or 4.5 GB."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"
