"""Reports on a sweep, while it runs too, and gives the config of its best trial."""

from pathlib import Path

from charrnn.commands.config import described
from charrnn.commands.curves import is_sweep
from charrnn.config.dotted import Layer, keys_of, nested
from charrnn.config.layers import changed, check_config, config_values
from charrnn.config.settings import Config
from charrnn.errors import InputError, UsageError
from charrnn.results import DescribedConfig, SweepReport, SweepTrial
from charrnn.setup.run_files import JOURNAL
from charrnn.sweeps.study import FOLDER, load_study, study_of_folder
from charrnn.sweeps.summary import summarize_study
from charrnn.wording import nearest, word

NAME_ONE = "name its folder; of a study in a database, its name, and `storage`."
TEXT_KEY = "data.text"  # is given beside a config, and not in it


def one_study(paths: list[str], study: str | None) -> str | None:
    """The study that is meant by paths or by its name. Raises UsageError if there are two."""
    given = [*paths, *([study] if study is not None else ())]
    if len(given) > 1:
        raise UsageError(f"{given[0]} and {given[1]} are both given.", "name one sweep.")
    return given[0] if given else None


def report_sweep(study: str | None = None, storage: str | None = None) -> SweepReport:
    """Reports on a sweep as far as it has come; nothing of it is changed.

    Args:
        study: The folder of a sweep, or the name of its study; None for the only one in sweeps/.
        storage: Where it is stored, as for `sweep`; by default in its folder.

    Raises:
        UsageError: There is no such study, or there are several to choose from.
        CharrnnError: It cannot be read.
    """
    if storage is not None and study is not None:
        return summarize_study(load_study(study, storage), study)
    there = sorted(str(path.parent) for path in FOLDER.glob(f"*/{JOURNAL}"))
    if study is None:
        if len(there) != 1:
            raise UsageError(
                f"{len(there) or 'no'} sweeps are in {FOLDER}/.",
                f"name one, such as {word(there[0])}" if there else NAME_ONE,
            )
        study = there[0]
    for folder in (study, str(FOLDER / study)):
        if is_sweep(folder):
            return summarize_study(study_of_folder(folder), folder)
    guess = nearest(Path(study).name, [Path(path).name for path in there])
    raise UsageError(
        f"{study} is not the folder of a sweep.",
        f"did you mean {guess}?" if guess else NAME_ONE,
    )


def best_config(report: SweepReport) -> DescribedConfig:
    """The config of the best trial: what was searched, and what differs from the default config.

    Args:
        report: The sweep. Its text is left out, since a config is for any text.

    Raises:
        InputError: No trial is complete.
    """
    config = _best(report)
    origins = dict.fromkeys(keys_of(config.model_dump()), "as in every trial")
    origins |= dict.fromkeys(report.keys, "searched")
    return described(config, origins, changed=True, kept=report.keys)


def best_values(report: SweepReport) -> Layer:
    """The config of the best trial, as plain values.

    Raises: As `best_config`.
    """
    return config_values(_best(report))


def best_trial(report: SweepReport) -> SweepTrial:
    """The best trial. Raises InputError if none is complete."""
    if not report.best:
        raise InputError(
            f"no trial of {report.name} is complete.", "wait for one, or continue the sweep."
        )
    return report.trial(report.best[0])


def _best(report: SweepReport) -> Config:
    """The config of the best trial, without its text. Raises: As `best_config`."""
    config = config_of_trial(report, best_trial(report).number)
    return changed(config, nested({TEXT_KEY: []}))


def config_of_trial(report: SweepReport, number: int) -> Config:
    """The config that the run of a trial has, before it is resolved on a machine.

    Raises:
        UsageError: This version of the program cannot read it.
    """
    trial = report.trial(number)
    seed = {} if trial.seed is None else {"training.seed": trial.seed}
    return changed(check_config(report.config), nested(trial.settings | seed), report.name)
