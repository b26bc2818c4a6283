"""Makes trials, several at a time, each in a process of its own; counts and reports."""

import collections
import faulthandler
import importlib
import itertools
import multiprocessing
import os
import re
import shutil
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

from tests.campaign import process
from tests.campaign.kinds import KINDS
from tests.campaign.trial import Shared, Skipped, Trial

LIMIT = 600  # seconds that a trial may take
PRELOADED = (
    *(f"charrnn.commands.{name}" for name in ("check_plan", "evaluate", "explain", "gradcheck")),
    *(f"charrnn.commands.{name}" for name in ("gradflow", "inspect", "sample", "train")),
    "charrnn.report.explanation_plots",
    "charrnn.report.flow_plots",
    "charrnn.report.gradient_table",
    "charrnn.report.inspection",
    "matplotlib.figure",
)
FORK = multiprocessing.get_context("fork")  # the program is imported once, not in every trial

RAISED = re.compile(r"\w[\w.]*(?:Error|Warning|Exception|Interrupt|Exit)\b")
PLACED = re.compile(r'File "[^"]*/((?:charrnn|tests)/[^"]*)", line (\d+)')
COMMAND = re.compile(r"\bcharrnn (train|sample|eval|inspect|explain|gradcheck|gradflow)\b")


@dataclass(frozen=True)
class Result:
    """What a trial led to: counts, or a failure, or the reason why it was skipped."""

    kind: str
    number: int
    counts: collections.Counter[str] = field(default_factory=collections.Counter)
    failure: str | None = None
    skipped: str | None = None

    @property
    def gist(self) -> str:
        """The failure in one line without details, the same for failures alike."""
        text = self.failure or ""
        lines = [line for line in text.splitlines() if line.strip()] or [""]
        raised = [line for line in lines if RAISED.match(line)]
        placed = PLACED.findall(text)
        command = COMMAND.search(text)
        what = raised[-1] if raised else lines[0].partition(": ")[0]
        gist = re.sub(r"0x\w+|\d{2,}", "N", what)[:200]
        place = " at {}:{}".format(*placed[-1]) if placed else ""
        return gist + place + (f", {command[1]}" if command else "")


def attempt(kind: str, number: int, shared: Shared) -> Result:
    """Makes one trial in this process, and removes its folder unless it failed."""
    trial = Trial.of(kind, number, shared)
    try:
        KINDS[kind](trial)
    except Skipped as reason:
        shutil.rmtree(trial.folder, ignore_errors=True)
        return Result(kind, number, skipped=str(reason))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        told = str(error) if type(error) is AssertionError and str(error) else ""
        return Result(kind, number, failure=told or traceback.format_exc())
    shutil.rmtree(trial.folder, ignore_errors=True)
    return Result(kind, number, trial.counts)


def _child(kind: str, number: int, shared: Shared, answer: Connection) -> None:
    process.forking = True
    with open(shared.folder / f"{kind.replace(' ', '-')}-{number}.stderr", "w+b") as said:
        os.dup2(said.fileno(), 2)
        faulthandler.enable(said)
        faulthandler.dump_traceback_later(LIMIT, exit=True, file=said)
        answer.send(attempt(kind, number, shared))
        faulthandler.cancel_dump_traceback_later()
    with suppress(OSError):
        os.unlink(said.name)


@dataclass
class Jobs:
    """Trials that run at the same time."""

    shared: Shared
    most: int
    running: dict[Connection, tuple[multiprocessing.process.BaseProcess, str, int]] = field(
        default_factory=dict
    )

    def start(self, kind: str, number: int) -> None:
        """Starts a trial in a process of its own."""
        ours, theirs = FORK.Pipe()
        child = FORK.Process(target=_child, args=(kind, number, self.shared, theirs))
        child.start()
        theirs.close()
        self.running[ours] = (child, kind, number)

    def results(self, *, all_of_them: bool = False) -> Iterator[Result]:
        """Results as trials end, until there is room for another one or none is left."""
        while self.running and (all_of_them or len(self.running) >= self.most):
            for ready in wait(list(self.running)):
                assert isinstance(ready, Connection)
                child, kind, number = self.running.pop(ready)
                try:
                    result = ready.recv()
                except EOFError:
                    said = self.shared.folder / f"{kind.replace(' ', '-')}-{number}.stderr"
                    text = said.read_text(errors="replace")[-3000:] if said.exists() else ""
                    result = Result(kind, number, failure=f"the trial itself died:\n{text}")
                child.join()
                yield result


@dataclass
class Campaign:
    """All results so far."""

    shared: Shared
    counts: collections.Counter[str] = field(default_factory=collections.Counter)
    trials: collections.Counter[str] = field(default_factory=collections.Counter)
    skipped: dict[str, str] = field(default_factory=dict)
    failures: list[Result] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Counts a result, and prints a failure or a reason to skip."""
        if result.skipped:
            if result.kind not in self.skipped:
                sys.stdout.write(f"skipped: {result.kind} ({result.skipped})\n")
            self.skipped[result.kind] = result.skipped
        elif result.failure:
            self.failures.append(result)
            again = f"--only '{result.kind}' --seed {self.shared.seed} --first {result.number}"
            folder = self.shared.folder / f"{result.kind.replace(' ', '-')}-{result.number}"
            text = f"FAILED: {again} --count 1\nfolder: {folder}\n{result.failure}\n\n"
            sys.stdout.write(text.encode(errors="backslashreplace").decode())
        else:
            self.trials[result.kind] += 1
            self.counts += result.counts
        sys.stdout.flush()

    def summary(self) -> str:
        """The counts, then the failures that differ, then the losses."""
        lines = [f"{self.trials[kind]:6,} {kind}" for kind in KINDS if self.trials[kind]]
        lines += [f"{count:6,}   {name}" for name, count in sorted(self.counts.items())]
        lines += [f"skipped: {kind} ({reason})" for kind, reason in self.skipped.items()]
        alike: dict[tuple[str, str], list[int]] = {}
        for failed in self.failures:
            alike.setdefault((failed.kind, failed.gist), []).append(failed.number)
        lines += [
            f"{len(numbers):6,} failures of {kind}, the first is number {min(numbers)}: {gist}"
            for (kind, gist), numbers in alike.items()
        ]
        return "\n".join([*lines, f"{len(self.failures):6,} losses"]) + "\n"


def conduct(
    kinds: list[str],
    folder: Path,
    *,
    seed: int,
    first: int = 0,
    count: int | None = None,
    minutes: float = 10.0,
    jobs: int = 1,
    keep_going: bool = False,
) -> Campaign:
    """Makes `count` trials of each kind, or cycles through the kinds until the time is up."""
    campaign, stop = Campaign(Shared(folder, seed)), time.monotonic() + 60 * minutes
    for module in PRELOADED:
        importlib.import_module(module)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)  # some trials are those of another user
    working = Jobs(campaign.shared, jobs)
    numbers = itertools.count(first) if count is None else range(first, first + count)
    for number, kind in ((number, kind) for number in numbers for kind in kinds):
        if len(campaign.skipped) == len(kinds):
            break
        if kind in campaign.skipped:
            continue
        working.start(kind, number)
        for result in working.results():
            campaign.add(result)
        if campaign.failures and not keep_going:
            break
        if count is None and time.monotonic() > stop:
            break
    for result in working.results(all_of_them=True):
        campaign.add(result)
    return campaign
