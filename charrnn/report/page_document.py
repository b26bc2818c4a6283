"""What `--json` writes about a page."""

from typing import Any

from charrnn.report.advice import advice_document
from charrnn.report.flags import as_flags
from charrnn.report.page_facts import best_loss
from charrnn.results import PlayableModel, RunReport


def page_document(report: RunReport, path: str, page: str) -> dict[str, Any]:
    """What a program reads about a page: where it is, and how each run went."""
    return {
        "page": path,
        "bytes": len(page.encode()),
        "shown": report.run.path,
        "comparable": report.comparable,
        "playable": report.playable is not None,
        "missing": [as_flags(message) for message in report.missing],
        "runs": [
            {
                "run": run.path,
                "standing": run.assessment.standing,
                "reason": as_flags(run.assessment.reason),
                "notes": [as_flags(message) for message in run.assessment.notes],
                "advice": [advice_document(way) for way in run.assessment.advice],
                "nats_per_character": found[0] if (found := best_loss(run.log)) else None,
                "held_out": bool(found and found[1]),
            }
            for run in report.compared
        ],
    }


def player_document(model: PlayableModel, path: str, page: str) -> dict[str, Any]:
    """The same about a page of a model alone."""
    return {
        "page": path,
        "bytes": len(page.encode()),
        "model": model.name,
        "steps": model.steps,
        "weights": model.size,
    }
