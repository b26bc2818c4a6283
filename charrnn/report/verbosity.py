"""How much is written to standard error beside errors."""

import logging
from enum import IntEnum

from charrnn.report.messages import say_message
from charrnn.system.escaping import shortened


class Verbosity(IntEnum):
    """Errors and warnings only; also progress and notes; also what was read and chosen."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


_level = Verbosity.NORMAL


def verbosity() -> Verbosity:
    """How much this program writes."""
    return _level


def set_verbosity(level: Verbosity) -> None:
    """Sets how much this program writes; at VERBOSE, the log of charrnn becomes visible."""
    global _level
    _level = level
    log = logging.getLogger("charrnn")
    log.handlers = [_Messages()] if level is Verbosity.VERBOSE else []
    log.setLevel(logging.INFO if level is Verbosity.VERBOSE else logging.NOTSET)
    log.propagate = level is not Verbosity.VERBOSE


class _Messages(logging.Handler):
    """Writes log records as messages."""

    def emit(self, record: logging.LogRecord) -> None:
        say_message("info", shortened(record.getMessage()))
