"""Runs commands in processes of their own, and says what no command may ever do."""

import os
import re
import runpy
import shlex
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

PATIENCE = 120.0  # seconds that a process may take
ROOT = Path(__file__).parents[2]
# a file with a line number, as tracebacks and warnings of Python show it
SOURCE_LINE = re.compile(r"\.py:\d+: |\w+Warning: |Traceback|Exception ignored|Fatal Python error")
SENTENCE = re.compile(r"^(?:error|stopped): ", re.MULTILINE)
CODES = (0, 1, 2, 3, 130)  # all that a command may end with

Process = subprocess.Popen[bytes]

forking = False  # whether commands may be forked from this process, which has them imported


@dataclass(frozen=True)
class Finished:
    """A command that ended."""

    command: tuple[str, ...]
    code: int
    out: bytes
    err: bytes

    def __str__(self) -> str:
        said = self.err.decode(errors="backslashreplace")
        if len(said) > 6000:
            said = f"{said[:3000]}\n[…]\n{said[-3000:]}"
        command = shlex.join(self.command).encode(errors="backslashreplace").decode()
        return f"{command[:3000]}\nexit code {self.code}, stderr:\n{said}"


def environment(**changes: str | None) -> dict[str, str]:
    """The environment of a child: one thread per product; None removes a variable."""
    wanted: dict[str, str | None] = {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        **changes,
    }
    values = {key: value for key, value in os.environ.items() if key not in wanted}
    return values | {key: value for key, value in wanted.items() if value is not None}


def begin(
    arguments: Sequence[str | os.PathLike[str]],
    folder: Path,
    *,
    prefix: Sequence[str] = (),
    python: Sequence[str] = (),
    env: dict[str, str] | None = None,
    stdin: Any = subprocess.DEVNULL,
    stdout: Any = subprocess.PIPE,
    stderr: Any = subprocess.PIPE,
    prepare: Callable[[], object] | None = None,
) -> Process:
    """Starts a command in a folder.

    Args:
        arguments: Those of charrnn.
        folder: The working directory.
        prefix: A command that starts the command, such as prlimit.
        python: Options of Python.
        env: The environment, by default `environment()`.
        stdin: As in subprocess, like the other streams.
        stdout: Where results go.
        stderr: Where messages go.
        prepare: Called in the child before it starts.
    """
    words = [os.fspath(argument) for argument in arguments]
    command = [*prefix, sys.executable, *python, "-m", "charrnn", *words]
    env = environment() if env is None else env
    usual = "HOME" in env and "LD_PRELOAD" not in env and not (prefix or python or prepare)
    if forking and usual:
        prepare = partial(_become, words, env)
    return subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        preexec_fn=prepare,
    )


def _become(words: list[str], env: dict[str, str]) -> NoReturn:
    """Makes a process that was just forked the command, without the time to start Python."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # this tells Popen that the command has started
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN)  # as Python does
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # even if the campaign itself ignores them
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None
    sys.stdin, sys.stdout = os.fdopen(0, "r"), os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace")
    sys.argv = ["charrnn", *words]
    code: Any = 1
    try:
        runpy.run_module("charrnn", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as exiting:
        code = exiting.code or 0
    except BaseException:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # there may be more of them
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def end(child: Process, patience: float = PATIENCE) -> Finished:
    """Waits for a child to end; one that does not is killed, which is a failure."""
    command = tuple(map(os.fsdecode, child.args))  # type: ignore[arg-type]
    try:
        out, err = child.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGABRT)
        child.kill()
        out, err = child.communicate()
        found = Finished(command, -signal.SIGKILL, out or b"", err or b"")
        raise AssertionError(f"hangs for more than {patience} seconds: {found}") from None
    return Finished(command, child.returncode, out or b"", err or b"")


def run(arguments: Sequence[str | os.PathLike[str]], folder: Path, **how: Any) -> Finished:
    """Runs a command to its end, and checks that it behaved."""
    return sane(end(begin(arguments, folder, **how)))


def sane(found: Finished, *codes: int, silent: bool = False) -> Finished:
    """Checks the exit code, by default any of `CODES`, and what was said on standard error.

    A failure says why in a sentence, unless standard error is `silent`, or gradients differ.
    """
    assert found.code in (codes or CODES), f"exit code {found.code}: {found}"
    said = found.err.decode(errors="surrogateescape")
    assert not SOURCE_LINE.search(said), f"no message for a user: {found}"
    unsaid = found.code == 0 or (found.code == 1 and "charrnn" in found.command and _answers(found))
    if not (silent or unsaid or found.code < 0):
        assert SENTENCE.search(said), f"no reason given: {found}"
    return found


def _answers(found: Finished) -> bool:
    """Whether 1 is an answer: of a check of gradients, or about an unsound checkpoint."""
    return "gradcheck" in found.command or "inspect" in found.command
