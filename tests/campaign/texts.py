"""Small and degenerate texts."""

from random import Random

from tests.conftest import RHYME

TEXTS: dict[str, str] = {
    "rhyme": RHYME * 3,
    "short rhyme": RHYME,
    "nothing": "",
    "one character": "a",
    "one character twice": "aa",
    "one kind of character": "a" * 300,
    "two characters": "ab",
    "two kinds of characters": "ab" * 150,
    "three characters": "abc",
    "only newlines": "\n" * 120,
    "one newline": "\n",
    "blank lines": "a line\n\n\n   \n\t\n\nanother\n\n" * 9,
    "CRLF": "one\r\ntwo\r\n\r\nthree\r\n" * 9,
    "CR": "one\rtwo\r\rthree\r" * 9,
    "CR and LF": "one\r\ntwo\nthree\r\r\n" * 9,
    "long line": "what a long line it is " * 40,
    "no newline at the end": "first\nsecond\nlast",
    "emoji": "😀😁🤖👩‍🚀🇦🇹" * 30,
    "combining marks": "e\u0301a\u0308\u0323o\u030a\u0304" * 30,
    "only combining marks": "\u0301\u0308\u0323" * 40,
    "U+0003": "a\x03b\x03\x03\n" * 30,
    "controls": "\x01\x02\x1b[31mred\x1b[0m\x07\x08\x7f\x85\u2028\n" * 20,
    "right to left": "שלום עולם\n\u202eabc\u202c מה שלומך\n" * 15,
    "replacement": "a\ufffdb\ufffd\n" * 30,
    "markup": "[bold]x[/bold] [/] [link=x]y\n" * 15,
    "every character once": "".join(map(chr, range(0x4E00, 0x4E00 + 200))),
    "rare characters": "abab" * 60 + "xyz" + "cdcd" * 9,
    "NUL": "a\x00b" * 20,
    "spaces": " " * 200,
    "separator": "a\n-----\nb\n-----\n" * 10,
    "byte order mark": "\ufeffabc\n" * 20,
    "noncharacters": "\uffff\ufffe\U0010ffff" * 30,
}
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-16", "latin-1", "cp1252", "shift_jis", "utf-32-be")


def some_text(random: Random) -> str:
    """One of the texts, or two of them joined, or a part of one."""
    text = TEXTS[random.choice(sorted(TEXTS))]
    kind = random.randrange(6)
    if kind == 0:
        text += TEXTS[random.choice(sorted(TEXTS))]
    elif kind == 1:
        text = text[: random.randrange(40)]
    return text
