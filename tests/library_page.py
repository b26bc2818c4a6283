"""Runs the code of docs/library.md as a doctest."""

import doctest
import re
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "library.md"
BLOCK = re.compile(r"^```python\n(>>> .*?)^```$", re.DOTALL | re.MULTILINE)


def failures(page: str) -> str:
    """What of the code of a page fails, or prints something else than it shows."""
    found: list[str] = []
    code = "\n".join(block[1] for block in BLOCK.finditer(page))
    test = doctest.DocTestParser().get_doctest(code, {}, "library.md", None, None)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    doctest.DocTestRunner(optionflags=flags).run(test, out=found.append)
    return "".join(found)


if __name__ == "__main__":
    print(failures(PAGE.read_text(encoding="utf-8")))  # noqa: T201
