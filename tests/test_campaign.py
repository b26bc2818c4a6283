"""A few disturbed runs of each kind; `python -m tests.campaign` makes many."""

from pathlib import Path

import pytest

from tests.campaign import DISTURBANCES, OPTIMIZERS, Trial, kill


@pytest.mark.parametrize("number", range(len(OPTIMIZERS)))
def test_a_killed_run_ends_like_an_undisturbed_one(tmp_path: Path, number: int) -> None:
    trial = Trial(tmp_path / "trial", OPTIMIZERS[number], number)
    while not trial.counts["SIGKILL"]:
        kill(trial, f"killed-{sum(trial.counts.values())}")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Trial(tmp_path_factory.mktemp("campaign") / "trial", "adamw", 7)


@pytest.mark.parametrize("disturb", [d for d in DISTURBANCES if d is not kill])
def test_a_run_that_loses_its_disk_ends_like_an_undisturbed_one(trial: Trial, disturb) -> None:
    disturb(trial, disturb.__name__)
