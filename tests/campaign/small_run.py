"""A small run that many trials copy instead of training their own."""

from pathlib import Path
from random import Random

from tests.campaign.process import run
from tests.campaign.texts import TEXTS

SMALL = (
    "--set", "model.hidden_size=5",
    "--set", "training.batch_size=2",
    "--set", "training.window=4",
    "--set", "training.workers=1",
    "--set", "evaluation.count=2",
    "--set", "evaluation.sample_length=5",
)  # fmt: skip

RASH = (  # settings with which a run diverges in its second step
    "optimizer.name=sgd",
    "optimizer.learning_rate=1e25",
    "training.clip.by=none",
    "model.activation=relu",
    "schedule.name=constant",
)


def small_run(folder: Path, random: Random) -> None:
    """Trains for six steps on `text.txt`, saving each of them; the directory is `run`."""
    (folder / "text.txt").write_text(TEXTS["rhyme"], "utf-8")
    often = ["--set", "checkpoints.every=1e-6", "--max-steps", "6"]
    found = run(["train", "text.txt", *SMALL, *often, "--out", "run"], folder)
    assert found.code == 0, found


def diverging_run(folder: Path, random: Random) -> None:
    """The same with a learning rate so high that the run diverges, and ends with diagnostics."""
    (folder / "text.txt").write_text(TEXTS["rhyme"], "utf-8")
    sets = [word for one in RASH for word in ("--set", one)]
    often = ["--set", "checkpoints.every=1e-6", "--max-steps", "9"]
    found = run(["train", "text.txt", *SMALL, *sets, *often, "--out", "run"], folder)
    assert found.code == 1, found
    assert any((folder / "run").glob("divergence-*")), found
