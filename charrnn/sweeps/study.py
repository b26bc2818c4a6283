"""Opens a study, and makes sure that all who work on it mean the same one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from charrnn import __version__
from charrnn.config.faults import shown
from charrnn.config.layers import config_values, values_of
from charrnn.config.settings import Config
from charrnn.errors import UsageError
from charrnn.setup.run_files import JOURNAL
from charrnn.sweeps.samplers import Pruner, Sampler, make_pruner
from charrnn.sweeps.space import Space, plain_space
from charrnn.sweeps.storage import Storage
from charrnn.text.text import TextMark
from charrnn.wording import nearest, setting

FOLDER = Path("sweeps")
MAX_DIFFERENCES = 8  # that a message names
# settings that differ among machines: texts are compared by their content
OF_A_MACHINE = ("data.text", "data.validation", "data.test", "training.workers")

optuna.logging.set_verbosity(optuna.logging.ERROR)


@dataclass(frozen=True)
class Plan:
    """What a sweep does.

    Attributes:
        config: The config that its trials change.
        space: What they try.
        texts: What identifies each of its texts, by what messages call it.
        trials: Their number, without repeats.
        seeds: The number of seeds that the best is trained with.
        sampler: What chooses the values of a trial.
        pruner: What stops a trial early.
    """

    config: Config
    space: Space
    texts: dict[str, TextMark]
    trials: int
    seeds: int
    sampler: Sampler
    pruner: Pruner

    @property
    def attributes(self) -> dict[str, Any]:
        """What the study keeps of it."""
        return {
            "config": config_values(self.config),
            "space": plain_space(self.space),
            "text": self.config.data.text,
            "texts": {name: [mark.size, mark.digest] for name, mark in self.texts.items()},
            "sampler": self.sampler,
            "pruner": self.pruner,
            "charrnn": __version__,
        }


class Study:
    """A study that is open.

    Attributes:
        name: Its name.
        storage: Where it is stored.
        optuna: The study.
    """

    def __init__(self, name: str, storage: Storage, study: optuna.Study) -> None:
        self.name, self.storage, self.optuna = name, storage, study

    @contextmanager
    def exclusive(self) -> Iterator[list[FrozenTrial]]:
        """All trials, while no other process changes which there are."""
        with self.storage.failures(), self.storage.locked():
            yield self.optuna.get_trials(deepcopy=False)

    def trials(self) -> list[FrozenTrial]:
        """All trials, at this moment."""
        with self.storage.failures():
            return self.optuna.get_trials(deepcopy=False)


def folder_of(name: str) -> Path:
    """The folder of a sweep, for its runs and its journal. Raises: UsageError."""
    if not name or name in (".", "..") or {*name} & {"/", "\\", "\0"} or name.startswith("."):
        raise UsageError(
            f"{setting('study', name)} is not a name for a folder.", "choose a plain word."
        )
    return FOLDER / name


def storage_of(name: str, storage: str | None) -> str:
    """Where a study is stored; by default a journal in its folder."""
    return storage or str(folder_of(name) / JOURNAL)


def open_study(name: str, storage: str | None, plan: Plan) -> Study:
    """Opens a study to work on; it is created if it does not exist.

    Raises:
        UsageError: It has another plan.
        CharrnnError: It cannot be stored.
    """
    place = Storage(storage_of(name, storage))
    with place.failures(), place.locked():
        study = optuna.create_study(
            storage=place.optuna,
            study_name=name,
            direction="minimize",
            load_if_exists=True,
            pruner=make_pruner(plan.pruner, plan.config.evaluation.count),
        )
        own, wanted = study.user_attrs, plan.attributes
        if differences := _differences(own, wanted):
            raise UsageError(
                f"the study {name!r} in {place.name} has another plan: {'; '.join(differences)}.",
                "give the same to continue it, or choose another name: `study=NAME`",
            )
        for key in wanted.keys() - own.keys():  # of a new study, or one whose creator was killed
            study.set_user_attr(key, wanted[key])
    return Study(name, place, study)


def load_study(name: str, storage: str | None = None) -> optuna.Study:
    """Loads a study to look at.

    Raises:
        UsageError: There is none of that name.
        CharrnnError: It cannot be read.
    """
    path = storage_of(name, storage)
    file = path.removeprefix("sqlite:///")
    if "://" not in file and not Path(file).is_file():
        there = [one.parent.name for one in FOLDER.glob(f"*/{JOURNAL}")]
        guess = nearest(name, there)
        raise UsageError(
            f"there is no study {name!r}: {file} is missing.",
            f"did you mean {guess!r}?" if guess else "name one with `study=NAME`.",
        )
    place = Storage(path, create=False)
    with place.failures():
        names = optuna.get_all_study_names(place.optuna)
        if name not in names:
            guess = nearest(name, names)
            hint = f"did you mean {guess!r}?" if guess else f"it has: {', '.join(names) or 'none'}."
            raise UsageError(f"{place.name} has no study {name!r}.", hint)
        return optuna.load_study(study_name=name, storage=place.optuna)


def study_of_folder(path: str) -> optuna.Study:
    """Loads the study of the folder of a sweep, which may have been renamed.

    Raises:
        UsageError: Its journal has no study.
        CharrnnError: It cannot be read.
    """
    place = Storage(str(Path(path) / JOURNAL), create=False)
    with place.failures():
        names = optuna.get_all_study_names(place.optuna)
        if not names:
            raise UsageError(f"{place.name} has no study yet.", "look again when a trial runs.")
        name = Path(path).resolve().name
        return optuna.load_study(
            study_name=name if name in names else names[0], storage=place.optuna
        )


def is_repeat(trial: FrozenTrial) -> bool:
    """Whether a trial tries the settings of another with another seed."""
    return "repeats" in trial.user_attrs


def best_of(trials: list[FrozenTrial]) -> FrozenTrial | None:
    """The complete trial with the lowest loss, without repeats; None if none is complete."""
    complete = [
        trial
        for trial in trials
        if trial.state is TrialState.COMPLETE and not is_repeat(trial) and trial.value is not None
    ]
    return min(complete, key=lambda trial: (trial.value, trial.number), default=None)


def _differences(own: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """How a plan differs from that of a study, in words; nothing if the study has none yet."""
    found = []
    for what in ("config", "space", "texts", "sampler", "pruner"):
        if what not in own or own[what] == wanted[what]:
            continue
        if what == "texts":
            found += [
                f"the {name} is another one"
                for name in dict.fromkeys([*own[what], *wanted[what]])
                if own[what].get(name) != wanted[what].get(name)
            ]
        elif what == "config":
            values = [dict(values_of(one)) for one in (own[what], wanted[what])]
            found += [
                f"{key} was {shown(values[0].get(key))} and is now {shown(values[1].get(key))}"
                for key in dict.fromkeys([*values[0], *values[1]])
                if values[0].get(key) != values[1].get(key) and key not in OF_A_MACHINE
            ]
        elif what == "space":
            found += [
                f"the space of {key} was {own[what].get(key, 'none')} and is now "
                f"{wanted[what].get(key, 'none')}"
                for key in dict.fromkeys([*own[what], *wanted[what]])
                if own[what].get(key) != wanted[what].get(key)
            ]
        else:
            found.append(f"`{what}` was {own[what]} and is now {wanted[what]}")
    return found[:MAX_DIFFERENCES]
