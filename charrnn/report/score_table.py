"""Prints a score, and those of the baselines beside it, as a table."""

from rich.console import RenderableType

from charrnn.report.terminal import first_that_fits, print_line, table_console, table_of
from charrnn.results import TextScore
from charrnn.units import BITS_PER_NAT
from charrnn.wording import decimal, pluralize

LEFT = ("per character", "")


def print_score(score: TextScore) -> None:
    """Prints the score of a model, of dynamic evaluation and of the baselines."""
    console = table_console()
    print_line(console, f"{pluralize(score.characters, 'character')} predicted {_scoring(score)}")
    rows = _rows(score)
    tables = (table_of("", rows, LEFT, omitted) for omitted in ((), ("",)))
    console.print(first_that_fits(console, tables))
    whole = {"bits per byte": score.bits_per_byte, "perplexity": score.perplexity}
    print_line(console, "  ".join(f"{name} {decimal(value)}" for name, value in whole.items()))


def _scoring(score: TextScore) -> str:
    if score.block:
        return f"in blocks of {score.block:,}, each from the zero state"
    if score.scoring == "stream":
        return "in one stream, whose state is carried along"
    return f"in {score.scoring}, each from the zero state"


def _rows(score: TextScore) -> list[dict[str, RenderableType]]:
    rows = [_row("this network", score.nats_per_character, "")]
    if dynamic := score.dynamic:
        step = f"a step of rate {dynamic.rate:g} on each"
        words = f"{step} {pluralize(dynamic.segment, 'character')}"
        name = "dynamic, in one stream" if score.block else "dynamic evaluation"
        rows.append(_row(name, dynamic.nats_per_character, words))
    if found := score.baselines:
        after = f"after {pluralize(found.context, 'character')}"
        if found.ngram is not None:
            rows.append(_row("n-gram", found.ngram, f"Witten-Bell counts {after}"))
        if found.unigram is not None:
            rows.append(_row("unigram", found.unigram, "how often each character occurs"))
        rows.append(_row("xz", found.xz, "the text compressed by itself"))
        rows.append(_row("uniform", found.uniform, "all characters equally likely"))
    return rows


def _row(name: str, nats: float, words: str) -> dict[str, RenderableType]:
    bits = nats * BITS_PER_NAT
    return {"per character": name, "nats": decimal(nats), "bits": decimal(bits), "": words}
