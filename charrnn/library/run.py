"""A run that was trained: its model, what it logged and how it ended."""

from contextlib import closing
from os import fspath
from pathlib import Path as FilePath
from typing import Any

from charrnn.commands.curves import load_run
from charrnn.commands.export import READERS
from charrnn.commands.report import reported_run
from charrnn.commands.run_files import require_output
from charrnn.config.argument_types import checked
from charrnn.config.layers import dump_config
from charrnn.errors import UsageError
from charrnn.events import RunEnded
from charrnn.library.keywords import Path
from charrnn.library.metrics import Metrics, metrics_of
from charrnn.library.model import Model
from charrnn.library.notes import note_all
from charrnn.report.memory_log import MemoryLog
from charrnn.report.metrics import Metrics as MetricsFile
from charrnn.results import Assessment, Plan, RunHistory, RunLog, RunState, RunSummary
from charrnn.runs.directory import RunDirectory
from charrnn.runs.memory import InMemory
from charrnn.runs.start import Run as StartedRun
from charrnn.setup.loading import Model as LoadedModel
from charrnn.setup.loading import model_of
from charrnn.setup.run_files import SUFFIX
from charrnn.system.files import write_atomically
from charrnn.text.sources import String
from charrnn.wording import setting


class Run:
    """A run that was trained to its end, or until it was interrupted or diverged.

    Attributes:
        ended: Its losses and how it ended; None if it was interrupted or diverged.
        notes: What the user should know about the text and the start of the run.
    """

    def __init__(
        self,
        started: StartedRun,
        log: MetricsFile | MemoryLog,
        text: String | None,
        ended: RunEnded | None = None,
        diverged_at: int | None = None,
    ) -> None:
        self._started, self._log, self._text = started, log, text
        self._diverged_at = diverged_at
        self.ended, self.notes = ended, started.notes

    @property
    def path(self) -> FilePath | None:
        """Its directory; None if it is kept in memory."""
        directory = self._started.directory
        return directory.path if isinstance(directory, RunDirectory) else None

    @property
    def complete(self) -> bool:
        """Whether it was trained to its end."""
        return self.ended is not None

    @property
    def steps(self) -> int:
        """The training steps made."""
        return self._started.state.progress.step

    @property
    def config(self) -> dict[str, Any]:
        """Its resolved config, as plain values."""
        return self._started.config.model_dump(mode="json")

    @property
    def plan(self) -> Plan | None:
        """What was chosen for the text; None if the config had all settings, or it was resumed."""
        return self._started.plan

    @property
    def model(self) -> Model:
        """The best model, by the loss on the held-out text; the last one before any evaluation."""
        return self._load("best" if "best" in self._started.directory.names() else "last")

    @property
    def last(self) -> Model:
        """The model after the last step."""
        return self._load("last")

    @property
    def log(self) -> RunLog:
        """The events that it logged, by their kinds."""
        return self._log.log if isinstance(self._log, MemoryLog) else self._history().log

    @property
    def metrics(self) -> Metrics:
        """What it logged, as arrays."""
        return metrics_of(self.log)

    @property
    def assessment(self) -> Assessment:
        """How it went, judged by its log, and what to try next."""
        return reported_run(self._history()).assessment

    @checked
    def save(self, path: Path) -> FilePath:
        """Saves a run that is kept in memory.

        Args:
            path: A file that ends in .safetensors, for the best model; or a new directory, for a
                run like that of a command, which can be resumed, plotted and reported.

        Returns:
            The path.

        Raises:
            UsageError: The run has a directory already, or the path cannot be written.
            OSError: Writing fails later, such as on a full disk.
        """
        kept, file = self._started.directory, FilePath(fspath(path))
        if not isinstance(kept, InMemory) or not isinstance(self._log, MemoryLog):
            raise UsageError(f"the run is saved already, in {self.path}.", "copy that directory.")
        if file.suffix in READERS.keys() - {SUFFIX}:
            raise UsageError(
                f"a run is not saved as {file.suffix}.",
                f"write its model: `charrnn.export(run, {str(file)!r})`",
            )
        names = kept.names()
        if file.suffix == SUFFIX:
            require_output(setting("path", str(file)), str(file))
            write_atomically(file, kept.content("best" if "best" in names else "last"))
            return file
        directory = RunDirectory.create(str(file), "")
        try:
            with closing(MetricsFile(directory.metrics, 0, 1)) as log:
                for event in self._log.events:
                    log(event)
            write_atomically(directory.config, dump_config(self._started.config).encode())
            for name in sorted(names):  # `last` after the `best` that it refers to
                directory.write(name, kept.content(name))
        finally:
            directory.release()
        return file

    def _load(self, name: str) -> Model:
        directory = self._started.directory
        return Model(model_of(*directory.load(name), directory.locate(name)))

    def _history(self) -> RunHistory:
        if isinstance(self._log, MemoryLog):
            state = RunState.COMPLETE if self.complete else RunState.STOPPED
            state = RunState.DIVERGED if self._diverged_at else state
            summary = RunSummary("", "in memory", state, diverged_at=self._diverged_at)
            return RunHistory(summary.name, summary, self.config, self._log.log)
        return load_run(self._started.directory.name)

    def __repr__(self) -> str:
        state = ", diverged" if self._diverged_at else "" if self.complete else ", interrupted"
        return f"<Run {self._started.directory.name}: {self.steps:,} steps{state}>"

    def _repr_html_(self) -> str | None:
        return reported_run(self._history())._repr_html_()


@checked
def read_metrics(run: Run | Path) -> Metrics:
    """Reads what a run logged.

    Args:
        run: The directory of a run, or a run.

    Raises:
        UsageError: It is neither a run nor a path.
        InputError: It is not the directory of a run, or has logged no step.
    """
    if isinstance(run, Run):
        return run.metrics
    found = load_run(fspath(run))
    note_all(found.notes)
    return metrics_of(found.log)


def path_or_loaded(model: Run | Model | Path) -> str | LoadedModel:
    """A model as commands take it: loaded, of a run the best one; or the path of either."""
    if isinstance(model, Run):
        model = model.model
    return model._loaded if isinstance(model, Model) else fspath(model)
