"""What all pages are made of: templates, files of the package, and a content policy."""

from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def templates() -> Environment:
    """The templates of pages, in which every value is escaped."""
    return Environment(
        loader=PackageLoader("charrnn", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def fragments() -> Any:
    """The macros of `result.html`, each of which gives a piece of HTML."""
    return templates().get_template("result.html").module


@cache
def page_source(name: str) -> str:
    """A script or a style sheet of the package."""
    return (files("charrnn") / "page" / name).read_text(encoding="utf-8")


def content_policy(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """A Content-Security-Policy that allows these inline scripts and styles, and nothing else."""
    allowed = {"script-src": scripts, "style-src": styles}
    rules = [f"{what} {' '.join(map(_hash, contents))}" for what, contents in allowed.items()]
    return "; ".join(["default-src 'none'", *rules, "base-uri 'none'", "form-action 'none'"])


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"
