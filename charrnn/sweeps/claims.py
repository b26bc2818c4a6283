"""Who works on which trial: each trial has one worker, and the trial of a dead one gets another."""

import platform
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState

from charrnn.errors import CharrnnError
from charrnn.sweeps.samplers import grid_of, make_sampler
from charrnn.sweeps.space import settings_of
from charrnn.sweeps.study import Plan, Study, best_of, is_repeat
from charrnn.system.lock import Lock, is_held, is_left

BEAT_SECONDS = 15.0  # between two signs of life
LOST_SECONDS = 90.0  # without a sign of life, after which a trial is given to another worker


@dataclass(frozen=True)
class Claim:
    """A trial that a worker has taken.

    Attributes:
        trial: The trial.
        path: The directory of its run.
        settings: The values that it tries, by dotted key.
        seed: The seed of its run.
        repeats: The trial whose settings it tries with another seed.
        resumed: Whether it had another worker before.
    """

    trial: Trial
    path: Path
    settings: dict[str, Any]
    seed: int
    repeats: int | None
    resumed: bool


class Worker:
    """A process that works on a study; `close` has to be called.

    Another process of this machine knows by the lock of the worker whether it lives; one of
    another machine, by the signs of life that it leaves in its trial.
    """

    def __init__(self, study: Study, plan: Plan, folder: Path) -> None:
        self._study, self._plan = study, plan
        self._folder = folder
        self.id = secrets.token_hex(8)
        self._file = (folder / ".workers" / self.id).absolute()
        with study.exclusive():  # another worker may be about to remove files that nobody holds
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._lock = Lock(self._file)
        self._seen: dict[int, tuple[Any, float]] = {}

    def close(self) -> None:
        """Gives up the lock, and removes the files of workers that have ended, killed ones too.

        The file of one whose trial still names it stays: it lets the next worker of this machine
        take the trial over at once. So it does for this worker, if its last words were lost.
        """
        self._lock.release()
        with suppress(CharrnnError, OSError), self._study.exclusive() as trials:
            running = [trial for trial in trials if trial.state is TrialState.RUNNING]
            named = {(trial.user_attrs.get("worker") or {}).get("id") for trial in running}
            for file in self._file.parent.iterdir():
                if file.name not in named and (file == self._file or is_left(file)):
                    with suppress(OSError):  # the folder stays
                        file.unlink()

    def claim(self) -> Claim | None:
        """Takes a trial to work on; None if there is none at the moment."""
        with self._study.exclusive() as trials:
            lost = next((trial for trial in trials if self._is_lost(trial)), None)
            trial = self._again(lost, trials) if lost else self._new(trials)
            if trial is None:
                return None
            me = {"id": self.id, "host": platform.node(), "lock": str(self._file)}
            trial.set_user_attr("worker", me)
            for key, dimension in self._plan.space.items():
                dimension.suggest(key, trial)
            attributes = trial.user_attrs
            settings = settings_of(self._plan.space, trial.params)
            own = settings.get("training.seed", self._plan.config.training.seed)
            seed = attributes.get("seed", own)
            path = self._folder / f"trial-{trial.number}"
            trial.set_user_attr("seed", seed)
            trial.set_user_attr("run", str(path))
            return Claim(trial, path, settings, seed, attributes.get("repeats"), lost is not None)

    def _is_lost(self, trial: FrozenTrial) -> bool:
        if trial.state is not TrialState.RUNNING:
            return False
        worker = trial.user_attrs.get("worker")
        if not worker:  # given back, or its worker was killed before it could sign
            return True
        file = Path(worker["lock"])
        if worker["host"] == platform.node() and file.exists():
            return not is_held(file)
        sign = worker["id"], trial.user_attrs.get("beat")
        last, since = self._seen.get(trial.number, (None, 0.0))
        if sign != last:
            self._seen[trial.number] = sign, monotonic()
            return False
        return monotonic() - since > LOST_SECONDS

    def _again(self, lost: FrozenTrial, trials: list[FrozenTrial]) -> Trial:
        self._study.optuna.sampler = self._sampler(lost.number, trials)
        return Trial(self._study.optuna, lost._trial_id)

    def _sampler(self, number: int, trials: list[FrozenTrial]) -> optuna.samplers.BaseSampler:
        plan = self._plan
        others = [trial.params for trial in trials if trial.number != number]
        return make_sampler(plan.sampler, plan.space, plan.config.training.seed, number, others)

    def _new(self, trials: list[FrozenTrial]) -> Trial | None:
        study, plan = self._study.optuna, self._plan
        if not any(trial.state is TrialState.WAITING for trial in trials):
            began = sum(not is_repeat(trial) for trial in trials)
            if began < plan.trials:
                if plan.sampler == "grid":
                    study.enqueue_trial(grid_of(plan.space)[began])
            elif missing := _missing_repeat(trials, plan):
                study.enqueue_trial(*missing)
            else:
                return None
        study.sampler = self._sampler(len(trials), trials)
        return study.ask()

    @contextmanager
    def alive(self, trial: Trial) -> Iterator[Callable[[], bool]]:
        """Leaves signs of life in a trial meanwhile; a function says whether it was taken away.

        That happens to a worker that was suspended, or that the others could not reach.
        """
        ended, taken = Event(), Event()

        def beat() -> None:
            for number in count(1):
                if ended.wait(BEAT_SECONDS):
                    return
                with (
                    suppress(CharrnnError, UpdateFinishedTrialError),
                    self._study.storage.failures(),
                ):
                    if not self.owns(trial):
                        return taken.set()
                    trial.set_user_attr("beat", number)

        thread = Thread(target=beat, name="signs of life", daemon=True)
        thread.start()
        try:
            yield taken.is_set
        finally:
            ended.set()
            thread.join()

    def give_back(self, trial: Trial) -> None:
        """Lets another worker go on with a trial, if the study can be written."""
        with suppress(CharrnnError), self._study.exclusive():
            if self.owns(trial):
                trial.set_user_attr("worker", None)

    def owns(self, trial: Trial) -> bool:
        """Whether the trial is still this worker's."""
        frozen = trial.storage.get_trial(trial._trial_id)
        worker = frozen.user_attrs.get("worker") or {}
        return frozen.state is TrialState.RUNNING and worker.get("id") == self.id


def _missing_repeat(
    trials: list[FrozenTrial], plan: Plan
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The parameters and attributes of a repeat of the best trial that nobody has begun."""
    best = best_of(trials)
    if best is None or not is_over(trials, plan.trials):
        return None
    there = {
        trial.user_attrs["seed"]
        for trial in trials
        if trial.user_attrs.get("repeats") == best.number
    }
    for seed in range(best.user_attrs["seed"] + 1, best.user_attrs["seed"] + plan.seeds):
        if seed not in there:
            return best.params, {"repeats": best.number, "seed": seed}
    return None


def is_over(trials: list[FrozenTrial], wanted: int) -> bool:
    """Whether as many trials as wanted have ended, without repeats."""
    return sum(trial.state.is_finished() and not is_repeat(trial) for trial in trials) >= wanted


def is_done(trials: list[FrozenTrial], plan: Plan) -> bool:
    """Whether all trials and all repeats have ended."""
    return (
        is_over(trials, plan.trials)
        and all(trial.state.is_finished() for trial in trials)
        and _missing_repeat(trials, plan) is None
    )
