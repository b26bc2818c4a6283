"""The n-gram baseline, compared with a count in dictionaries."""

from pathlib import Path

import numpy as np
import pytest

from charrnn.config.layers import load_config
from charrnn.runs.observations import baselines
from charrnn.runs.start import new_run
from tests.conftest import RHYME, TINY_SETTINGS

ORDER = 4
Pairs = list[tuple[str, str]]  # the context of a character, and the character


def witten_bell(counted: Pairs, scored: Pairs, alphabet: int) -> float:
    """Mean nats of the characters scored, after counts of those counted."""
    counts: dict[str, dict[str, int]] = {}
    for before, character in counted:
        for length in range(min(ORDER, len(before)) + 1):
            after = counts.setdefault(before[len(before) - length :], {})
            after[character] = after.get(character, 0) + 1
    nats = []
    for before, character in scored:
        p = 1 / alphabet
        for length in range(min(ORDER, len(before)) + 1):
            if after := counts.get(before[len(before) - length :]):
                n, d = sum(after.values()), len(after)
                p = (after.get(character, 0) + d * p) / (n + d)
        nats.append(-np.log(p))
    return float(np.mean(nats))


def pairs(text: str) -> Pairs:
    return [(text[:place], text[place]) for place in range(1, len(text))]


def within(part: str, end: str) -> Pairs:
    """Each of the texts that `end` ends follows it, and nothing else."""
    texts = part.removesuffix(end).split(end)
    return [pair for text in texts for pair in pairs(end + text + end)]


@pytest.mark.parametrize("sequences", ["stream", "lines", "documents"])
def test_the_baseline_is_a_literal_count(tmp_path: Path, sequences: str) -> None:
    """The first character of each part of a stream is not predicted."""
    for number, rhyme in enumerate([RHYME, "q" + RHYME[9:], "A bell. " + RHYME[40:]]):
        (tmp_path / f"{number}.txt").write_text(rhyme)
    texts = [str(path) for path in sorted(tmp_path.glob("*.txt"))]
    own = [f"data.sequences={sequences}", "data.validation_fraction=0.3"]
    run = new_run(load_config(None, [*TINY_SETTINGS, *own], {"data": {"text": texts}}), "run")
    run.directory.release()
    known = run.corpus.vocabulary
    training, held_out = map(known.decode, (run.corpus.training, run.corpus.validation))
    if sequences == "stream":
        counted, scored = pairs(training), pairs(held_out)
    else:
        end = {"lines": "\n", "documents": "\x03"}[sequences]
        counted, scored = within(training, end), within(held_out, end)
        assert len(scored) == len(held_out)
    found = baselines(run)
    assert found.ngram_nats_per_character == pytest.approx(
        witten_bell(counted, scored, len(known)), rel=1e-12
    )
    assert found.uniform_nats_per_character == pytest.approx(np.log(len(known)))
    assert found.context == ORDER
