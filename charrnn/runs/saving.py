"""Saves a run: what cannot be written is kept and tried again."""

import contextlib
import shutil
import tempfile
from pathlib import Path

from charrnn.config.layers import dump_config
from charrnn.errors import CharrnnError
from charrnn.events import Noted
from charrnn.runs.directory import RunDirectory
from charrnn.runs.emitter import Emitter
from charrnn.runs.observations import start_of
from charrnn.runs.start import Run
from charrnn.system.files import write_atomically
from charrnn.training.checkpoint import Checkpoint, encode
from charrnn.wording import call


class Saver:
    """Writes checkpoints of a run, by name: last, best, step-N.

    A checkpoint that cannot be written is kept in memory and tried again at the next call;
    training continues meanwhile, and the existing files stay as they are.
    """

    def __init__(self, run: Run, emit: Emitter) -> None:
        self._run, self._emit = run, emit
        self._waiting: dict[str, bytes] = {}
        self._failure = ""
        self._tried_at = run.state.progress.seconds

    def begin(self) -> None:
        """Saves before the first step, so that the run can be resumed whatever happens.

        Raises:
            CharrnnError: Nothing can be written.
        """
        config, step = self._run.config, self._run.state.progress.step
        rolls_back = config.training.on_divergence == "rollback" and not step
        try:
            # a run that is resumed before its first evaluation can still go back to its start
            self._write(*(["step-0"] if rolls_back else []), "last")
            if isinstance(directory := self._run.directory, RunDirectory):
                directory.require_in_place()
                write_atomically(directory.config, dump_config(self._run.config).encode())
        except OSError as error:
            raise CharrnnError(
                f"{self._run.directory.name} cannot be saved: {error.strerror}.",
                "free some space, repair the directory, or choose another one with `out`.",
            ) from None

    def __call__(self, *names: str) -> None:
        """Saves the state under these names, of which `last` has to come last.

        So `last` never refers to a `best` that is not yet written.
        """
        step = self._run.state.progress.step
        try:
            self._write(*names)
        except OSError as error:
            before, self._failure = self._failure, str(error.strerror)
            if self._failure != before or "best" in names:
                what = f"could not be saved: {self._failure}; training continues, and tries again."
                self._emit(Noted(step, f"step {step:,} {what}"))
            return
        if self._failure:
            self._failure = ""
            self._emit(Noted(step, f"step {step:,} was saved: writing works again."))

    def rolled_back(self) -> None:
        """Deletes the checkpoints of undone steps and saves the state, which counts rollbacks."""
        with contextlib.suppress(
            OSError
        ):  # then the state cannot be saved either, which reports it
            self._run.directory.discard_after(self._run.state.progress.step)
        self("last")

    @property
    def due(self) -> bool:
        """Whether it is time to save."""
        since = self._run.state.progress.seconds - self._tried_at
        return since >= self._run.config.checkpoints.every

    def end(self) -> None:
        """Writes what is still waiting to a temporary directory.

        Raises:
            CharrnnError: Something was waiting; the message says where it is.
        """
        if not self._waiting:
            return
        run, names = self._run.directory.name, " and ".join(self._waiting)
        try:
            elsewhere = self._write_elsewhere()
        except OSError as error:
            raise CharrnnError(
                f"{run} could not be saved: {self._failure}; nor elsewhere: {error.strerror}.",
                f"earlier checkpoints are kept; free some space, then: {call('train', resume=run)}",
            ) from None
        raise CharrnnError(
            f"{run} could not be saved: {self._failure}; {names} went to {elsewhere} instead.",
            "move it to a safe place: it is a run directory without a log.",
        )

    def _write_elsewhere(self) -> Path:
        elsewhere = RunDirectory(Path(tempfile.mkdtemp(prefix="charrnn-")))
        try:
            elsewhere.checkpoints.mkdir()
            write_atomically(elsewhere.config, dump_config(self._run.config).encode())
            for name, content in self._waiting.items():
                elsewhere.write(name, content)
        except OSError:
            shutil.rmtree(elsewhere.path, ignore_errors=True)
            raise
        return elsewhere.path

    def _write(self, *names: str) -> None:
        run = self._run
        self._emit.flush()  # the log is on the disk before the checkpoint of its last step
        content = encode(
            Checkpoint(
                run.state,
                run.corpus.vocabulary,
                run.config.model_dump(mode="json"),
                run.corpus.size,
                run.corpus.digest,
                start_of(run),
                run.held_out,
            )
        )
        self._tried_at = run.state.progress.seconds
        kept = {name: old for name, old in self._waiting.items() if name == "best"}
        self._waiting = kept | dict.fromkeys(names, content)
        for name in list(self._waiting):
            run.directory.write(name, self._waiting[name])
            del self._waiting[name]
        run.directory.retain(run.config.checkpoints.keep)
