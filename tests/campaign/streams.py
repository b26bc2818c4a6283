"""Standard streams that are closed, full, or read by no one."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.campaign.process import Finished, begin, end, sane
from tests.campaign.small_run import SMALL, small_run
from tests.campaign.trial import Shared, Trial

FAILING = ["--fast", "--entries", "2", "--tolerance", "1e-300"]
COMMANDS: list[list[str]] = [
    ["train", "text.txt", *SMALL, "--max-steps", "4", "--out", "new"],
    ["train", "text.txt", *SMALL, "--max-steps", "4", "--out", "new", "--json"],
    ["train", "--resume", "run", "--max-steps", "9"],
    ["train", "--resume", "run"],
    ["train", "none.txt", "--out", "new"],
    ["train", "--max-steps", "-1"],
    ["train", "--none"],
    ["sample", "run", "--length", "20"],
    ["sample", "run", "--length", "100", "--count", "200"],
    ["sample", "run", "--length", "20", "--json"],
    ["sample", "text.txt"],
    ["eval", "run", "text.txt"],
    ["eval", "run", "text.txt", "--json"],
    ["eval", "run", "none.txt"],
    ["inspect", "run"],
    ["inspect", "run", "--json"],
    ["explain"],
    ["explain", "terms", "run", "--text", "the"],
    ["explain", "slips", "--plot", "a.svg"],
    ["gradcheck", "run", *FAILING],
    ["gradcheck", "run", *FAILING, "--json"],
    ["gradcheck", "-c", "tiny", "--set", "model.hidden_size=3", *FAILING],
    ["gradcheck", "run", "--fast", "--entries", "2"],
    ["gradflow", "run", "--lags", "4"],
    ["gradflow", "run", "--lags", "4", "--json"],
    ["gradflow", "run", "--lags", "4", "--plot", "a.png"],
    ["--help"],
    ["train", "--help"],
    ["--version"],
    [],
]
STATES = ("closed", "broken", "full")


def try_streams(trial: Trial) -> None:
    """Runs a command with its output, its messages or both going nowhere."""
    random = trial.random
    which = random.randrange(len(COMMANDS))
    whole = _undisturbed(which, trial.shared)
    _copy(trial.shared, trial.folder)
    states = _states(random)
    found = _run(COMMANDS[which], trial.folder, states, random)
    what = ", ".join(f"{name} {state}" for name, state in states.items())
    try:
        _check(found, whole, states)
    except AssertionError as failure:
        raise AssertionError(f"{str(failure).partition(': ')[0]}, {what}: {failure}") from None
    for name, state in states.items():
        if state != "open":
            trial.counts[f"{name} {state}"] += 1


def _states(random: Random) -> dict[str, str]:
    """How each stream is; at least one of stdout and stderr goes nowhere."""
    both = random.random() < 0.3
    one = random.choice(["stdout", "stderr"])
    states = {"stdin": random.choice(["open", "open", "closed"])}
    for name in ("stdout", "stderr"):
        states[name] = random.choice(STATES) if both or name == one else "open"
    return states


def _run(arguments: list[str], folder: Path, states: dict[str, str], random: Random) -> Finished:
    """Runs a command with such streams."""
    given: dict[str, int] = {"stdin": subprocess.DEVNULL}
    opened = []
    for name in ("stdout", "stderr"):
        if states[name] == "broken":
            reading, writing = os.pipe()
            os.close(reading)
            given[name] = writing
            opened.append(writing)
        elif states[name] == "full":
            given[name] = os.open("/dev/full", os.O_WRONLY)
            opened.append(given[name])
    closed = [n for n, name in enumerate(("stdin", "stdout", "stderr")) if states[name] == "closed"]
    unbuffered = ["-u"] if random.random() < 0.2 else []
    child = begin(arguments, folder, prepare=_closing(closed), python=unbuffered, **given)
    for number in opened:
        os.close(number)
    return end(child)


def _closing(numbers: list[int]) -> Callable[[], None]:
    def close() -> None:
        for number in numbers:
            os.close(number)

    return close


def _check(found: Finished, whole: Finished, states: dict[str, str]) -> None:
    """Where a stream goes nowhere, the exit code is still true and the other one is whole."""
    sane(found, silent=states["stderr"] != "open")
    if states["stdout"] == "open":
        assert _shape(found.out) == _shape(whole.out), (
            f"the result is incomplete: {found.out.decode()}\ninstead of {whole.out.decode()}\n"
            f"{found}"
        )
    if whole.code or states["stdout"] in ("open", "closed"):
        assert found.code == whole.code, f"the exit code is not {whole.code}: {found}"
    else:
        assert found.code in (0, 1), f"the exit code is neither 0 nor 1: {found}"


def _shape(out: bytes) -> tuple[int, int]:
    """What is the same in each output of a command, whatever time it took."""
    return out.count(b"\n"), len(out.split())


def _copy(shared: Shared, folder: Path) -> None:
    """Puts a run and its text into a folder."""
    shutil.copytree(shared.made("small-run", small_run), folder, dirs_exist_ok=True)


def _undisturbed(which: int, shared: Shared) -> Finished:
    """What a command does with streams that work."""

    def make(folder: Path, random: Random) -> None:
        _copy(shared, folder)
        found = end(begin(COMMANDS[which], folder))
        sane(found)
        (folder / "out").write_bytes(found.out)
        (folder / "code").write_text(str(found.code), "utf-8")

    folder = shared.made(f"with-streams-{which}", make)
    code = int((folder / "code").read_text("utf-8"))
    return Finished(tuple(COMMANDS[which]), code, (folder / "out").read_bytes(), b"")
