"""What to try after a run, in a terminal and as data."""

from dataclasses import asdict
from typing import Any

from charrnn.report.flags import as_flags
from charrnn.report.messages import say_message
from charrnn.results import Advice, Assessment
from charrnn.system.escaping import CONTINUED


def say_advice(found: Assessment) -> None:
    """Says on standard error how a run went and what to try next, with the command."""
    lines = [found.reason]
    for way in found.advice:
        lines.append(f"{way.words}:{CONTINUED}{way.command}" if way.command else f"{way.words}.")
        if way.command:
            break
    say_message("next", " ".join(lines))


def assessment_document(found: Assessment) -> dict[str, Any]:
    """The same for a program."""
    return {
        "standing": found.standing,
        "reason": as_flags(found.reason),
        "figures": asdict(found.figures) if found.figures else None,
        "ways": [advice_document(way) for way in found.advice],
    }


def advice_document(way: Advice) -> dict[str, Any]:
    """One change: what it is, the setting, and the command that makes it, if one does."""
    return {
        "kind": way.remedy,
        "words": way.words,
        "changes": way.changes,
        "command": as_flags(way.command) or None,
    }
