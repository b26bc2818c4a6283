"""Signals in bursts at any moment of every command, and runs that are stopped for a while."""

import re
import shutil
import signal
import time
from pathlib import Path
from random import Random

from tests.campaign.original import ENDED, Original
from tests.campaign.process import Finished, Process, begin, end, sane
from tests.campaign.small_run import SMALL, small_run
from tests.campaign.texts import TEXTS
from tests.campaign.trial import Trial

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOPPED = (130, *(-number for number in SIGNALS))
OTHERS = (
    ["gradcheck", "run"],
    ["gradflow", "run", "--truncation"],
    ["gradflow", "--compare", "--lags", "20", "-c", "tiny", "--plot", "a.png"],
    ["sample", "run", "--length", "30000"],
    ["sample", "run", "--length", "2000", "--count", "40", "--json"],
    ["eval", "run", "long.txt"],
    ["explain", "terms", "--plot", "a.svg"],
    ["explain", "slips"],
    ["inspect", "long.txt"],
    ["inspect", "run"],
)
PHASES = ("import", "reading", "training", "evaluation", "rollback", "resume", "other command")
# Python itself was interrupted, before it had run the first line of the program's function `main`
BEFORE_THE_PROGRAM = re.compile(
    r'(?s)^(?:(?!File "[^<]*/charrnn/(?!__(?:init|main)__\.py", line \d+, in <module>)).)*'
    r"KeyboardInterrupt\s*$"
)


def send_bursts(trial: Trial) -> None:
    """Sends several signals in quick succession in one phase; the run then ends as if unharmed."""
    phase = trial.random.choice(PHASES)
    if phase in ("reading", "other command"):
        _interrupt_command(trial, phase)
    else:
        _interrupt_run(trial, phase)
    trial.counts[f"bursts: {phase}"] += 1


def _interrupt_command(trial: Trial, phase: str) -> None:
    """Interrupts a command that leaves no run behind."""
    random, folder = trial.random, trial.folder
    shutil.copytree(trial.shared.made("small-run", small_run), folder, dirs_exist_ok=True)
    shutil.copyfile(trial.shared.made("long-text", _long_text) / "long.txt", folder / "long.txt")
    reading = ["train", "long.txt", *SMALL, "--max-steps", "9", "--out", "new"]
    child = begin(reading if phase == "reading" else random.choice(OTHERS), folder)
    time.sleep(random.uniform(0.0, 0.9))
    _burst(child, random)
    _stopped(end(child))


def _long_text(folder: Path, random: Random) -> None:
    (folder / "long.txt").write_text(TEXTS["rhyme"] * 6000, "utf-8")


def _interrupt_run(trial: Trial, phase: str) -> None:
    """Interrupts a run in one phase, perhaps several times, until it completes."""
    random, out = trial.random, trial.folder / "run"
    kind = {"rollback": "rollbacks", "evaluation": "evaluations"}.get(phase, "plain")
    original = Original.of(trial, 200, kind)
    for _ in range(random.choice([1, 1, 2, 3])):
        child = original.begin(out)
        if phase == "import":
            time.sleep(random.uniform(0.0, 0.1))
        elif phase == "resume" and out.exists():
            time.sleep(random.uniform(0.0, 0.8))
        else:
            _wait_for_start(child, out)
            time.sleep(random.uniform(0.0, 0.4) * original.seconds)
        _burst(child, random)
        found = end(child)
        if found.code == 2:
            assert any(why in found.err.decode() for why in ENDED), f"refused: {found}"
        else:
            _stopped(found)
        if found.code in (0, 2):
            break
    if found.code not in (0, 2):
        original.complete(found, out)
    original.compare(out)


def _wait_for_start(child: Process, out: Path) -> None:
    """Waits until a run has its directory and has begun to train in it."""
    start = time.monotonic()
    while child.poll() is None and time.monotonic() < start + 20:
        if (out / "checkpoints/last.safetensors").exists() or (out / "metrics.jsonl").exists():
            return
        time.sleep(0.005)


def _burst(child: Process, random: Random) -> None:
    """Sends two to five signals within hundredths of a second."""
    for _ in range(random.choice([2, 2, 3, 5])):
        if child.poll() is None:
            child.send_signal(random.choice(SIGNALS))
        time.sleep(random.choice([0.0, 0.0, 0.001, 0.01, 0.03]))


def _stopped(found: Finished) -> None:
    """Checks how an interrupted command ended.

    Until Python runs the program, which takes some hundredths of a second, its own handler of
    SIGINT shows a traceback, at some moments with exit code 1: nothing can be done about that.
    """
    said = found.err.decode(errors="replace")
    if "Traceback" in said and BEFORE_THE_PROGRAM.match(said):
        assert found.code in (*STOPPED, 1), f"exit code {found.code} before the program: {found}"
        return
    sane(found, 0, *STOPPED, *([1] if "gradcheck" in found.command else []))


def pause_run(trial: Trial) -> None:
    """Stops a run for a moment with SIGSTOP, several times, which must not matter."""
    random, out = trial.random, trial.folder / "run"
    original = Original.of(trial, 200)
    child = original.begin(out)
    for _ in range(random.choice([1, 2, 4])):
        time.sleep(random.uniform(0.0, 0.5) * original.seconds)
        if child.poll() is None:
            child.send_signal(signal.SIGSTOP)
            time.sleep(random.choice([0.001, 0.01, 0.1]))
            child.send_signal(signal.SIGCONT)
    sane(end(child), 0)
    original.compare(out)
    trial.counts["SIGSTOP and SIGCONT"] += 1
