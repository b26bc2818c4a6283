"""Tells binary files from texts, and what they are, by their first bytes."""

import codecs

KINDS = (
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive, as are .docx, .odt and .epub"),
    (b"\x1f\x8b\x08", "gzip data"),
    (b"\xfd7zXZ\x00", "xz data"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x7fELF", "a program or library"),
    (b"MZ\x90\x00", "a program or library"),
    (b"\xca\xfe\xba\xbe", "a Java class or a program"),
    (b"\xcf\xfa\xed\xfe", "a program or library"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"OggS\x00", "Ogg audio"),
    (b"\x00asm", "WebAssembly"),
)
MIN_PAIRS = 8
UTF16_SHARE = 0.3  # of the bytes at even or odd positions that are NUL, at least, in Latin text


def kind_of_binary(head: bytes) -> str | None:
    """What a file is that starts with these bytes, if it is binary; None if it is not known."""
    if head[1:4] == b"\r\r\n":
        return "compiled Python"
    if head[:4] == b"RIFF" and head[8:12] in (b"WAVE", b"WEBP", b"AVI "):
        return "audio, an image or a video"
    return next((kind for start, kind in KINDS if head.startswith(start)), None)


def utf16_order(head: bytes) -> str | None:
    """The byte order, "le" or "be", if this seems to be UTF-16: one byte of many pairs is NUL."""
    for order, high, low in (("le", head[1::2], head[::2]), ("be", head[::2], head[1::2])):
        if (
            len(high) >= MIN_PAIRS
            and high.count(0) >= UTF16_SHARE * len(high)
            and 10 * low.count(0) < len(low)
        ):
            return order
    return None


def is_binary(head: bytes, codec: str) -> bool:
    """Whether a file that starts with these bytes is no text in an encoding with NUL as a byte."""
    if b"\0" in head:
        return True
    if kind_of_binary(head) is None:
        return False
    try:  # a text may happen to start as such a file does
        codecs.getincrementaldecoder(codec)().decode(head)
    except UnicodeError:
        return True
    return False
