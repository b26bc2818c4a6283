"""docs/library.md: all of its code runs, and prints what the page shows."""

import re

from tests.library_page import PAGE, failures


def test_the_code_of_the_page_runs() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"```(\w+)\n(?!>>> )", page) == [], "a block that is not run"
    assert not failures(page)


def test_other_output_is_found() -> None:
    assert "Expected:\n    3\nGot:\n    2\n" in failures("```python\n>>> 1 + 1\n3\n\n```\n")
    assert "ZeroDivisionError" in failures("```python\n>>> 1 / 0\n\n```\n")
