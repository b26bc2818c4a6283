"""Checkpoints, configs and texts that are damaged at random, or forged with a matching digest."""

from tests.campaign.in_process import inside
from tests.campaign.small_run import small_run
from tests.campaign.trial import Trial
from tests.hostile import CHECKS

FILES = 60  # mutated and read per trial


def read_damaged_files(trial: Trial) -> None:
    """Reads mutated files, which are refused or sound."""
    good = trial.shared.made("small-run", small_run) / "run/checkpoints/best.safetensors"
    with inside(trial.folder):
        for _ in range(FILES):
            trial.random.choice(CHECKS)(good, trial.folder / "file", trial.random)
            (trial.folder / "file").unlink()
            trial.counts["mutated files refused or sound"] += 1
