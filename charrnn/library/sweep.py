"""What a sweep found: its trials, the best, and the importance of settings."""

from os import fspath
from pathlib import Path as FilePath
from typing import Any

from charrnn.commands.run_files import require_output
from charrnn.config.argument_types import checked
from charrnn.library.keywords import Path
from charrnn.library.model import Model, load
from charrnn.report.sweep_config import best_config_text
from charrnn.results import SweepReport, SweepTrial, TrialState
from charrnn.system.files import write_atomically
from charrnn.wording import pluralize, setting

OPEN = (TrialState.RUNNING, TrialState.WAITING)


class Sweep:
    """A sweep, as far as it had come when this was read.

    Attributes:
        report: All that is known of it.
        complete: Whether all of its trials are over.
    """

    def __init__(self, report: SweepReport, complete: bool) -> None:
        self.report, self.complete = report, complete

    @property
    def name(self) -> str:
        """Its folder, or the name of its study."""
        return self.report.name

    @property
    def trials(self) -> tuple[SweepTrial, ...]:
        """All trials, by number: the settings, the loss and the directory of the run of each."""
        return self.report.trials

    @property
    def best(self) -> SweepTrial | None:
        """The best trial; None if none is complete."""
        return self.report.trial(self.report.best[0]) if self.report.best else None

    @property
    def importances(self) -> dict[str, float]:
        """How much the best trials agree on each setting, by its dotted key, as shares of 1.

        The most important one is first. Empty if there are too few trials to tell.
        """
        return {
            one.key: one.importance for one in self.report.settings if one.importance is not None
        }

    @property
    def config(self) -> dict[str, Any]:
        """The config of the best trial, without its text, as `train` takes it.

        Raises:
            InputError: No trial is complete.
            UsageError: This version of the program cannot read it.
        """
        from charrnn.commands.sweep_report import best_values

        return best_values(self.report)

    @property
    def model(self) -> Model:
        """The model of the best trial. Raises InputError if there is none, or not here."""
        from charrnn.commands.sweep_report import best_trial

        return load(best_trial(self.report).run or "")

    @checked
    def export(self, path: Path) -> FilePath:
        """Writes the config of the best trial as YAML, for `config` and the option -c.

        Returns:
            The path.

        Raises:
            InputError: No trial is complete.
            UsageError: The file cannot be written, or this version cannot read the config.
        """
        from charrnn.commands.sweep_report import best_config

        require_output(setting("path", fspath(path)), fspath(path))
        content = best_config_text(self.report, best_config(self.report))
        write_atomically(FilePath(path), content.encode())
        return FilePath(path)

    def __repr__(self) -> str:
        best = self.best
        loss = "" if best is None or best.value is None else f", best {best.value:.3f}"
        state = "" if self.complete else ", interrupted"
        return f"<Sweep {self.name}: {pluralize(len(self.trials), 'trial')}{loss}{state}>"

    def _repr_html_(self) -> str | None:
        return self.report._repr_html_()


@checked
def read_sweep(sweep: Path | None = None, *, storage: Path | None = None) -> Sweep:
    """Reads what a sweep has found so far, while it runs too; nothing of it is changed.

    Args:
        sweep: The folder of a sweep, or the name of its study; None for the only one in sweeps/.
        storage: Where it is stored, as of `sweep`; by default in its folder.

    Raises:
        UsageError: There is no such study, there are several to choose from, or Optuna is not
            installed.
        CharrnnError: It cannot be read.
    """
    from charrnn.commands.sweep_report import report_sweep

    named = None if sweep is None else fspath(sweep)
    report = report_sweep(named, None if storage is None else fspath(storage))
    return Sweep(report, not any(trial.state in OPEN for trial in report.trials))
