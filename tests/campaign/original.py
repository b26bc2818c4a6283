"""An undisturbed run, shared by many trials, and what a disturbed one has to agree with."""

import json
import time
from pathlib import Path
from random import Random
from typing import Any

import yaml

from charrnn.training.checkpoint import load
from tests.campaign.process import Finished, Process, begin, end, environment, sane
from tests.campaign.small_run import RASH
from tests.campaign.trial import Trial
from tests.conftest import RHYME

OPTIMIZERS = ("sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw")
CLOCK = {"seconds", "step_seconds", "evaluated", "evaluation_seconds", "characters_per_second"}
ENDED = ("all of its budget", "its patience is used up")  # why a complete run is not resumed


class Original:
    """A run in a folder of its own, with the text; trials repeat it elsewhere, disturbed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.options = json.loads((folder / "options.json").read_text("utf-8"))
        self.seconds = float((folder / "seconds").read_text("utf-8"))

    @classmethod
    def of(cls, trial: Trial, steps: int, kind: str = "plain") -> "Original":
        """One of six such runs, each with another optimizer, made when first asked for.

        Args:
            trial: Its random numbers choose which.
            steps: How many the run makes: 600 take about a second.
            kind: "plain"; "rollbacks" for a run that returns from divergences; or "evaluations"
                for one which evaluates most of the time.
        """
        which = trial.random.randrange(6)

        def make(folder: Path, random: Random) -> None:
            settings = _settings(OPTIMIZERS[which], steps, random)
            if kind == "rollbacks":
                settings |= dict(setting.split("=") for setting in RASH)
                settings |= {"training.on_divergence": "rollback", "training.max_rollbacks": 500}
                settings["checkpoints.every"] = "1e-6"  # it returns to what is saved by the clock
            if kind == "evaluations":
                settings |= {"evaluation.count": steps, "training.patience": "null"}
            _make(folder, settings)

        return cls(trial.shared.made(f"{kind}-{steps}-{which}", make))

    def begin(self, out: Path, **how: Any) -> Process:
        """Starts the run in another directory, or resumes it there if it has a checkpoint."""
        left = any(out.glob("checkpoints/*.safetensors"))
        start = ["--resume", str(out)] if left else [*self.options, "--out", str(out)]
        how.setdefault("env", environment(TMPDIR=str(out.parent)))
        return begin(["train", *start], self.folder, **how)

    def complete(self, found: Finished, out: Path) -> None:
        """Resumes a run that failed, undisturbed, to its end."""
        if found.code:
            again = end(self.begin(out))
            if again.code == 2 and any(why in again.err.decode() for why in ENDED):
                return  # its last checkpoint had been saved before it failed
            sane(again, 0)

    def compare(self, out: Path, *, log: bool = True) -> None:
        """Asserts that the run in `out` left the same results, and by default the same log."""
        ours, theirs = facts(out), facts(self.folder / "whole")
        if not log:
            ours.pop("metrics"), theirs.pop("metrics")
        for name, expected in theirs.items():
            assert ours[name] == expected, f"the run ends with another {name}: {out}"


def _settings(optimizer: str, steps: int, random: Random) -> dict[str, Any]:
    return {
        "model.hidden_size": 16,
        "training.batch_size": 4,
        "training.window": 8,
        "training.workers": random.choice([1, 1, 2]),
        "training.seed": random.randrange(1000),
        "training.max_steps": steps,
        "training.patience": random.choice(["null", 9]),
        "optimizer.name": optimizer,
        "data.sequences": random.choice(["stream", "stream", "lines"]),
        "evaluation.count": random.choice([2, 10]),
        "logging.every_steps": random.choice([1, 10]),
        "checkpoints.every": random.choice(["1e-6", "0.03"]),
    }


def _make(folder: Path, settings: dict[str, Any]) -> None:
    """Writes the text, trains on it, and notes how, and how long it took."""
    text = folder / "text.txt"
    text.write_text(RHYME * 12, encoding="utf-8")
    options = [str(text)]
    options += [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    (folder / "options.json").write_text(json.dumps(options), "utf-8")
    start = time.monotonic()
    sane(end(begin(["train", *options, "--out", str(folder / "whole")], folder)), 0)
    (folder / "seconds").write_text(str(time.monotonic() - start), "utf-8")


def checkpoint_of(out: Path, name: str) -> Path:
    """The path of a checkpoint file."""
    return out / f"checkpoints/{name}.safetensors"


def facts(out: Path) -> dict[str, Any]:
    """The results of a run, except for times."""
    found: dict[str, Any] = {}
    for name in ("best", "last"):
        checkpoint = load(checkpoint_of(out, name))
        state = checkpoint.state
        arrays = {slot: values.flat for slot, values in state.optimizer.slots.items()}
        arrays |= {"weights": state.params.flat, "h": state.h}
        found |= {f"{key} of {name}": array.tobytes() for key, array in arrays.items()}
        found |= {
            f"optimizer count of {name}": state.optimizer.count,
            f"progress of {name}": {
                k: v for k, v in vars(state.progress).items() if k not in CLOCK
            },
            f"config of {name}": checkpoint.config,
            f"vocabulary of {name}": checkpoint.vocabulary.characters,
        }
    found["metrics"] = [
        {key: value for key, value in line.items() if key not in CLOCK} for line in log_of(out)
    ]
    return found


def log_of(out: Path) -> list[dict[str, Any]]:
    """The lines of the log."""
    lines = (out / "metrics.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def require_whole_files(out: Path) -> None:
    """Asserts that every checkpoint that is left is sound, and that the config can be read."""
    for path in out.glob("checkpoints/*.safetensors"):
        load(path)
    if (out / "config.yaml").exists():
        config = yaml.safe_load((out / "config.yaml").read_text("utf-8"))
        assert isinstance(config, dict), f"config.yaml is torn: {out}"
