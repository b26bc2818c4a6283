"""Runs commands in this process, which saves the time to start one; every warning is an error."""

import contextlib
import io
import os
import traceback
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from charrnn.cli import main
from charrnn.commands import inspect
from charrnn.setup import planning
from tests.campaign.process import Finished, sane


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Works in a folder, with short trial steps, and warnings as errors."""
    before = os.getcwd()
    seconds = inspect.TRIAL_SECONDS, planning.TRIAL_SECONDS
    os.chdir(folder)
    inspect.TRIAL_SECONDS = planning.TRIAL_SECONDS = 0.001
    try:
        with warnings.catch_warnings(), np.errstate(divide="warn", over="warn", invalid="warn"):
            warnings.simplefilter("error")
            yield
    finally:
        os.chdir(before)
        inspect.TRIAL_SECONDS, planning.TRIAL_SECONDS = seconds


def call(arguments: Sequence[object]) -> Finished:
    """Runs a command in this process; nothing may escape from it."""
    words = [str(argument) for argument in arguments]
    command = ("charrnn", *words)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main.run(words)
        except BaseException:
            err.write(traceback.format_exc())
            code = -1
    written = (stream.getvalue().encode(errors="surrogateescape") for stream in (out, err))
    return sane(Finished(command, code, *written))
