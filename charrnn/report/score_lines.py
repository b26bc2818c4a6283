"""A score as lines of text."""

from charrnn.report.event_lines import in_both_units
from charrnn.results import TextBaselines, TextScore

WIDTH = 22  # of the labels


def score_lines(score: TextScore) -> list[str]:
    """The score, and the baselines beside it, a line each."""
    values = {
        "characters predicted": f"{score.characters:,}",
        "nats per character": f"{score.nats_per_character:.4f}",
        "bits per character": f"{score.bits_per_character:.4f}",
        "bits per byte": f"{score.bits_per_byte:.4f}",
        "perplexity": f"{score.perplexity:.4f}",
        "scored as": _scoring(score),
    }
    lines = [f"{name:{WIDTH}} {value}" for name, value in values.items()]
    if score.dynamic:
        found = score.dynamic
        lines += [
            "",
            f"dynamic evaluation, a step on each {found.segment} characters after scoring them:",
            f"  rate {found.rate:<7g} {in_both_units(found.nats_per_character)} per character",
        ]
    if score.baselines:
        lines += ["", "the same characters without a network, per character:"]
        lines += _baselines(score.baselines)
    return lines


def _scoring(score: TextScore) -> str:
    if score.block:
        return f"blocks of {score.block:,}, each from the zero state"
    alone = "one stream, its state carried along"
    return alone if score.scoring == "stream" else f"{score.scoring}, each from the zero state"


def _baselines(found: TextBaselines) -> list[str]:
    rows = {
        "n-gram": (found.ngram, f"Witten-Bell counts after {found.context} characters"),
        "unigram": (found.unigram, "how often each character occurs"),
        "xz": (found.xz, "the text compressed by itself"),
        "uniform": (found.uniform, "all characters equally likely"),
    }
    return [
        f"  {name:<12} {in_both_units(nats)}: {words}"
        for name, (nats, words) in rows.items()
        if nats is not None
    ]
