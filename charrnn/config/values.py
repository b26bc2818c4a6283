"""The types of single values: counts, fractions, durations, file names."""

import os
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

MAX_WORKERS = 1024
MAX_PATH_BYTES = 4096
MAX_PATTERNS = 100  # each is compared with every file of a directory
MAX_COUNT = 10**15 - 1  # the largest that a checkpoint holds


def _number(value: Any) -> Any:
    """Numbers as people write them: YAML 1.1 reads 2e3 as a string and 2.0e+3 as a float."""
    if isinstance(value, bool):
        raise ValueError("should be a number")
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _duration(value: Any) -> Any:
    """Seconds from a number or a string such as 90s, 1.5m or 1h30m; other values pass through."""
    value = _number(value)
    if not isinstance(value, str):
        return value
    parts = re.fullmatch(
        r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?",
        "".join(value.split()),
    )
    if not parts or not any(parts.groups()):
        raise ValueError("is not a duration such as 90s, 3m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    return hours * 3600 + minutes * 60 + seconds


def _workers(value: Any) -> Any:
    value = _number(value)
    if value == "auto" or (type(value) is int and 1 <= value <= MAX_WORKERS):
        return value
    raise ValueError(f"should be auto or a whole number from 1 to {MAX_WORKERS}")


def _one_or_more(value: Any) -> Any:
    """A list as it is, or of a single string."""
    if isinstance(value, int | float):
        raise ValueError("should be a string or a list of strings; quote a name that is a number")
    return [value] if isinstance(value, str) else value


def _file_name(value: str) -> str:
    try:
        encoded = os.fsencode(value)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded or len(encoded) > MAX_PATH_BYTES:
        raise ValueError("is not a valid file name")
    return value


Count = Annotated[int, BeforeValidator(_number), Field(ge=1, le=MAX_COUNT)]
CountOrZero = Annotated[int, BeforeValidator(_number), Field(ge=0, le=MAX_COUNT)]
Number = Annotated[float, BeforeValidator(_number)]
Positive = Annotated[Number, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[Number, Field(ge=0, lt=1)]
UnitInterval = Annotated[Number, Field(ge=0, le=1)]
FileName = Annotated[str, AfterValidator(_file_name)]

Pattern = Annotated[str, Field(max_length=255)]
Patterns = Annotated[list[Pattern], Field(max_length=MAX_PATTERNS)]

# what may be written in another form than the value has, in words that a JSON schema knows
DURATION = "a duration such as 90s, 3m or 1h30m"
_Duration = Annotated[
    str,
    Field(
        title=DURATION,
        pattern=r"^(?=.*[1-9])\s*(\d+(\.\d+)?\s*h)?\s*(\d+(\.\d+)?\s*m)?\s*(\d+(\.\d+)?\s*s?)?\s*$",
    ),
]
Seconds = Annotated[
    Positive, BeforeValidator(_duration, json_schema_input_type=Positive | _Duration)
]
_Workers = Annotated[int, Field(ge=1, le=MAX_WORKERS)] | Literal["auto"]
Workers = Annotated[
    int | Literal["auto"], BeforeValidator(_workers, json_schema_input_type=_Workers)
]
FileNames = Annotated[
    list[FileName],
    BeforeValidator(_one_or_more, json_schema_input_type=FileName | list[FileName]),
]
OneOrMorePatterns = Annotated[
    Patterns, BeforeValidator(_one_or_more, json_schema_input_type=Pattern | Patterns)
]
