"""A few disturbed runs of each kind; `python -m tests.campaign` makes many."""

from pathlib import Path

import pytest

from tests.campaign import DISTURBANCES, OPTIMIZERS, Trial, kill


@pytest.mark.parametrize("number", range(len(OPTIMIZERS)))
def test_a_run_that_is_killed_ends_as_one_that_is_not(tmp_path: Path, number: int) -> None:
    trial = Trial(tmp_path / "trial", OPTIMIZERS[number], number)
    while not trial.counts["SIGKILL"]:
        kill(trial, f"killed-{sum(trial.counts.values())}")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Trial(tmp_path_factory.mktemp("campaign") / "trial", "adamw", 7)


@pytest.mark.parametrize("disturb", [d for d in DISTURBANCES if d is not kill])
def test_a_run_without_a_disk_ends_as_one_with_it(trial: Trial, disturb) -> None:
    disturb(trial, disturb.__name__)
