"""A few trials of each kind; `python -m tests.campaign` makes many."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign.kinds import KINDS
from tests.campaign.process import Finished, sane
from tests.campaign.runner import conduct
from tests.campaign.trial import Shared, Skipped, Trial

SEED = 7
COUNTS = {"settings": 8, "names": 3, "links": 3, "streams": 3}


@pytest.fixture(scope="module")
def shared() -> Iterator[Shared]:
    """What the trials share, in a folder that other users may enter."""
    folder = Path(tempfile.mkdtemp(prefix="campaign-"))
    folder.chmod(0o755)
    yield Shared(folder, SEED)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("kind", "number"),
    [(kind, n) for kind in KINDS for n in range(COUNTS.get(kind, 1))],
)
def test_a_trial_ends_without_loss(shared: Shared, kind: str, number: int) -> None:
    try:
        KINDS[kind](Trial.of(kind, number, shared))
    except Skipped as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0, "Traceback (most recent call last):"),
        (0, "/x/y.py:12: RuntimeWarning: overflow"),
        (1, "OpenBLAS gives up"),
        (3, ""),
        (120, "error: something"),
        (-11, ""),
    ],
)
def test_bad_behaviour_is_noticed(code: int, said: str) -> None:
    with pytest.raises(AssertionError):
        sane(Finished(("charrnn", "train"), code, b"", said.encode()))


def test_a_campaign_counts_reports_and_repeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = []

    def count(trial: Trial) -> None:
        trial.counts["things"] += 2

    def fail(trial: Trial) -> None:
        raise AssertionError(f"lost: {trial.random.random()}")

    def skip(trial: Trial) -> None:
        raise Skipped("no such tool")

    for name, kind in {"count": count, "fail": fail, "skip": skip}.items():
        monkeypatch.setitem(KINDS, name, kind)
    kinds = ["count", "fail", "skip"]
    for folder in ("one", "two"):
        campaign = conduct(kinds, tmp_path / folder, seed=3, count=2, jobs=2, keep_going=True)
        drawn.append(sorted(str(failed.failure) for failed in campaign.failures))
        assert campaign.trials == {"count": 2}
        assert campaign.counts == {"things": 4}
        assert campaign.skipped == {"skip": "no such tool"}
        assert "     2 losses\n" in campaign.summary()
        assert (tmp_path / folder / "fail-0").is_dir()
        assert not (tmp_path / folder / "count-0").exists()
    assert drawn[0] == drawn[1]
    shown = capsys.readouterr().out
    assert "skipped: skip (no such tool)" in shown
    assert "--only 'fail' --seed 3 --first 1" in shown
