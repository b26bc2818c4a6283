"""Lists of texts that can be downloaded, each with its name, address and SHA-256."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from charrnn.config.faults import EXPECTED, shown
from charrnn.config.layers import MAX_REPORTED_FAULTS, read_mapping
from charrnn.errors import UsageError
from charrnn.system.escaping import CONTINUED
from charrnn.wording import nearest

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
MAX_BYTES = 10**9  # of a text whose entry gives no limit
EXAMPLE = "my-text:"
TEXT_SYNONYMS = {"address": "url", "hash": "sha256", "bytes": "max_bytes", "size": "max_bytes"}


def _web_address(value: str) -> str:
    try:
        address = urlsplit(value)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError
        _ = address.port  # raises for one that is no number
    except ValueError:
        raise ValueError("should be an address that starts with https:// or http://") from None
    if address.username is not None:
        raise ValueError("should have no user name or password")
    if not value.isprintable() or " " in value:
        raise ValueError("should have no spaces or control characters")
    return value


def _digest(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise ValueError("should be a SHA-256: 64 hexadecimal digits, as sha256sum prints")
    return value.lower()


Line = Annotated[str, Field(max_length=300, pattern=r"^[^\n\r]*$")]


class TextSource(BaseModel):
    """Where a text is, and what identifies it.

    Attributes:
        url: Its address, http or https.
        sha256: The SHA-256 of its file.
        max_bytes: No more than this is downloaded.
        description, licence, source: What to say about it, in a line each.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, Field(max_length=2000), AfterValidator(_web_address)]
    sha256: Annotated[str, AfterValidator(_digest)]
    max_bytes: Annotated[int, Field(ge=1, le=10**12)] = MAX_BYTES
    description: Line = ""
    licence: Line = ""
    source: Line = ""


def load_texts(path: Path, taken: Collection[str] = ()) -> dict[str, TextSource]:
    """Reads a list of texts: a YAML file with an entry per name.

    Args:
        path: The file.
        taken: Names that mean something else, and are refused.

    Raises:
        UsageError: It cannot be read, or entries are invalid; all faults are reported together.
    """
    found: dict[str, TextSource] = {}
    faults: list[str] = []
    # on some systems the files of names that differ only in case are the same
    used = {name.lower() for name in taken}
    for name, entry in read_mapping(path, EXAMPLE, None).items():
        if fault := _fault_of_name(name, used):
            faults.append(f"{path}: {fault}")
        used.add(name.lower())
        try:
            found[name] = TextSource.model_validate(entry)
        except ValidationError as error:
            details = error.errors(include_url=False)
            faults += [f"{path}: {_described(name, detail)}" for detail in details]
    if len(faults) > MAX_REPORTED_FAULTS:
        more = len(faults) - MAX_REPORTED_FAULTS
        faults[MAX_REPORTED_FAULTS:] = [f"and {more:,} more faults."]
    if faults:
        raise UsageError(CONTINUED.join(faults), "docs/texts.md describes such a list.")
    return found


def _fault_of_name(name: str, used: Collection[str]) -> str | None:
    if not NAME.fullmatch(name):
        return (
            f"{name!r} should consist of up to 64 letters, digits, hyphens and underscores, so "
            "that it does not look like a path."
        )
    if name.lower() in used:
        return f"{name!r} is already the name of another text or of a config."
    return None


def _described(name: str, detail: ErrorDetails) -> str:
    """A fault of an entry."""
    kind, value, known = detail["type"], detail["input"], list(TextSource.model_fields)
    key = ".".join(map(str, (name, *detail["loc"])))
    if kind == "model_type":
        return f"{key} = {shown(value)} should be a section with the keys {', '.join(known)}."
    if kind == "missing":
        return f"{key!r} is missing."
    if kind == "extra_forbidden":
        return f"unknown key {key!r}; {_meant(str(detail['loc'][-1]), known)}"
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if kind in EXPECTED:
        message = f"should be {EXPECTED[kind]}{'; quote it' * isinstance(value, int | float)}"
    elif kind == "string_pattern_mismatch":
        message = "should be a single line"
    return f"{key} = {shown(value)} {message}."


def _meant(unknown: str, known: list[str]) -> str:
    guess = TEXT_SYNONYMS.get(unknown.lower()) or nearest(unknown, known)
    return f"did you mean {guess}?" if guess else f"known: {', '.join(known)}."
