"""What a path that the user gives is: a text, a checkpoint, a run, a sweep, a config, …"""

import os
from enum import Enum
from pathlib import Path

from charrnn.config.layers import YAML, load_config
from charrnn.config.text_lists import NAME
from charrnn.errors import InputError, UsageError
from charrnn.setup.named_texts import is_name, text_names
from charrnn.setup.run_files import JOURNAL, SUFFIX, RunFiles
from charrnn.setup.run_folders import best_run
from charrnn.system.resources import config_paths
from charrnn.text.sources import String, missing_file
from charrnn.wording import call, nearest, setting, word

HEAD_BYTES = 4096  # read of a file to tell what it is
GIVE_A_TEXT = "give a text file, a directory of texts, or - for standard input."
SIMILAR = 0.7  # as difflib measures it: a name of a text that a missing file may mean
NO_TRIAL = "none of its runs has been evaluated yet."
GIVE_A_CHECKPOINT = f"give a {SUFFIX} file or a run directory."


class Kind(Enum):
    """What a path is, as messages name it."""

    RUN = "a run directory"
    CHECKPOINT = "a checkpoint"
    RUNS = "a folder of runs"
    SWEEP = "the folder of a sweep"
    CHECKPOINTS = "a folder of checkpoints"
    CONFIG = "a config"
    TEXT = "a text"
    BINARY = "a binary file"
    MISSING = "missing"


def kind_of(path: str) -> Kind:
    """What a path is, judged by its name and its first bytes; damaged checkpoints count as such.

    An existing run, checkpoint or config takes precedence over a built-in config of the same name;
    a text does not.
    """
    file = Path(path)
    try:
        if not path:  # as a path it would be the current folder
            kind = Kind.MISSING
        elif file.is_dir():
            kind = _kind_of_directory(file)
        elif file.is_file():
            kind = _kind_of_file(file)
        elif file.exists():
            kind = Kind.TEXT  # a pipe or a device; reading it as a text reports what is wrong
        else:
            suffixes = dict.fromkeys(YAML, Kind.CONFIG) | {SUFFIX: Kind.CHECKPOINT}
            kind = suffixes.get(file.suffix, Kind.MISSING)
    except (OSError, ValueError):
        kind = Kind.TEXT
    return Kind.CONFIG if kind in (Kind.TEXT, Kind.MISSING) and path in config_paths() else kind


def _kind_of_directory(path: Path) -> Kind:
    if RunFiles(path).candidates():
        return Kind.RUN
    if (path / JOURNAL).is_file():
        return Kind.SWEEP
    if runs_in(path):
        return Kind.RUNS
    return Kind.CHECKPOINTS if any(path.glob(f"*{SUFFIX}")) else Kind.TEXT


def _kind_of_file(path: Path) -> Kind:
    if path.suffix == SUFFIX:
        return Kind.CHECKPOINT
    if path.suffix in YAML:
        return Kind.CONFIG
    if not path.stat().st_size:  # empty, or a file of /proc, whose reading may never end
        return Kind.TEXT
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    # the length of the header in eight bytes, and the header: no text has such NULs
    if head[5:8] == bytes(3) and head[8:9] == b"{":
        return Kind.CHECKPOINT
    return Kind.BINARY if b"\0" in head else Kind.TEXT


def runs_in(path: Path) -> list[Path]:
    """The run directories in a folder, sorted. Raises: OSError."""
    checkpoints = sorted(path.glob(f"*/checkpoints/*{SUFFIX}"))
    return list(dict.fromkeys(file.parent.parent for file in checkpoints))


def find_checkpoint(path: str) -> Path:
    """The checkpoint file that a path means: itself, or the best one of a run directory.

    Raises:
        InputError: It is something else.
    """
    kind = kind_of(path)
    _require_checkpoint(path, kind)
    if kind is Kind.CHECKPOINT:
        return Path(path)
    run = RunFiles(Path(path))
    best = run.checkpoint("best")
    return best if best.exists() else run.candidates()[0]


def _require_checkpoint(path: str, kind: Kind) -> None:
    """Raises InputError unless this is a run or a checkpoint that exists."""
    file = Path(path)
    try:
        if kind is Kind.RUN or (kind is Kind.CHECKPOINT and file.exists()):
            return
        if kind is Kind.TEXT and file.is_dir():
            list(file.iterdir())  # raises without permission, which glob and is_file do not
            if (checkpoints := RunFiles(file).checkpoints).is_dir():
                list(checkpoints.iterdir())
            raise InputError(
                f"{path} is a directory without checkpoints/best{SUFFIX}.",
                "give the directory of a run.",
            )
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    if kind in (Kind.MISSING, Kind.CHECKPOINT):
        raise InputError(f"there is no checkpoint {path!r}.", GIVE_A_CHECKPOINT)
    raise InputError(f"{path} is {kind.value}, not a checkpoint.", instead(path, kind))


def instead(path: str, kind: Kind) -> str:
    """What to give where a checkpoint is wanted, and the path is of another kind."""
    if kind is Kind.RUNS:
        return f"name one of them, such as {word(str(runs_in(Path(path))[0]))}"
    if kind is Kind.SWEEP:
        best = best_run(runs_in(Path(path)))
        return f"name one of its runs; the best is {word(str(best))}" if best else NO_TRIAL
    if kind is Kind.CHECKPOINTS:
        return f"name one of them, such as {word(str(min(Path(path).glob(f'*{SUFFIX}'))))}"
    if kind is Kind.CONFIG:
        return f"train it first: {call('train', config=path)}"
    if Path(path).suffix == ".npz":
        return f"if it is an export, start from it: {call('train', 'TEXT', init_from=path)}"
    return GIVE_A_CHECKPOINT


def is_model(path: object) -> bool:
    """Whether a path is a checkpoint or a run, rather than a config; a loaded model is.

    Raises:
        InputError: It is a text, a sweep or a folder of runs.
        UsageError: There is nothing of that name.
    """
    if not isinstance(path, str):
        return True
    kind = kind_of(path)
    if kind is Kind.MISSING:
        guess = nearest(path, config_paths())
        raise UsageError(
            f"{path!r} is neither a checkpoint nor a config.",
            f"did you mean {guess}?"
            if guess
            else f"give a run directory or a built-in config: {', '.join(config_paths())}.",
        )
    if kind is Kind.CONFIG:
        return False
    _require_checkpoint(path, kind)
    return True


def require_config(path: str) -> None:
    """Checks that a path is not a checkpoint or a directory, rather than a config.

    Raises:
        UsageError: It is.
    """
    if not path or path in config_paths():
        return
    kind = kind_of(path)
    if kind is Kind.CHECKPOINT and os.path.exists(path):
        raise UsageError(
            f"{path} is {kind.value}, not a config.",
            f"start from its weights: {setting('model.init_from', path)}; or examine it, without "
            "`config`.",
        )
    if kind is Kind.SWEEP:
        raise UsageError(
            f"{path} is {kind.value}, not a config.",
            f"write that of its best trial: {call('sweep', show=path, export='best.yaml')}",
        )
    if os.path.isdir(path):
        run = runs_in(Path(path))[0] if kind is Kind.RUNS else Path(path)
        config = RunFiles(run).config
        raise UsageError(
            f"{path} is {kind.value if kind is not Kind.TEXT else 'a directory'}, not a config.",
            f"such as {setting('config', str(config))}"
            if config.is_file()
            else "give a YAML file.",
        )


def require_texts(paths: list[str] | String, *, to_train_on: bool = False) -> None:
    """Checks that no path is something else that this program knows.

    Args:
        paths: What the user gave as texts; a string is one.
        to_train_on: Whether the hint may be to resume a run, or to start from a checkpoint.

    Raises:
        UsageError: One of them is a checkpoint, a run, a folder of these, a sweep or a config.
        InputError: One of them is empty.
    """
    for path in [] if isinstance(paths, String) else paths:
        if not path:  # as a path it would be the current folder
            raise missing_file(path)
        kind = kind_of(path)
        if kind is Kind.MISSING and not is_name(path):
            _suggest_name(path)
        if kind is Kind.CONFIG and _is_config(path):
            which = "a config" if Path(path).exists() else "a built-in config"
            raise UsageError(
                f"{path} is {which}, not a text.", f"use it as {setting('config', path)}"
            )
        start = f"start from its weights: {call('train', 'TEXT', init_from=path)}"
        folders = (Kind.RUNS, Kind.SWEEP, Kind.CHECKPOINTS)
        hints = dict.fromkeys((Kind.RUN, Kind.CHECKPOINT, *folders), GIVE_A_TEXT)
        if to_train_on:
            hints[Kind.RUN] = f"resume it: {call('train', resume=path)}; or {start}"
            hints[Kind.CHECKPOINT] = start
        if kind in hints and Path(path).exists():
            raise UsageError(f"{path} is {kind.value}, not a text.", hints[kind])


def _suggest_name(path: str) -> None:
    """Raises InputError if a path that leads nowhere may be a misspelt name of a text."""
    if NAME.fullmatch(Path(path).stem) and os.path.basename(path) == path:
        names = text_names()
        close = nearest(Path(path).stem.lower(), [name.lower() for name in names], SIMILAR)
        for name in names:
            if close == name.lower():
                raise InputError(
                    f"there is no file {path!r}, and no text of that name.",
                    f"did you mean {word(name)}? {call('texts')} lists texts by name.",
                )


def _is_config(path: str) -> bool:
    """Whether this is a built-in config, or a file that is one and not just some YAML."""
    if not Path(path).exists():
        return path in config_paths()
    try:
        load_config(path, [], {})
    except UsageError:
        return False
    return True
