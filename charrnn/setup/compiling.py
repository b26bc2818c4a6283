"""Loads what numba compiles, or compiles it, and checks it before it is used."""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Lock, Timer
from typing import Any

import numpy as np

from charrnn.setup.compiled_checks import Check
from charrnn.system.cache import cache_folder
from charrnn.system.turns import Turn

LOG = logging.getLogger(__name__)

# the modules with compiled functions, and those of them that are called from Python
MODULES = {
    "charrnn.model.kernels": (),
    "charrnn.model.loops": (
        "input_term",
        "forward",
        "backward",
        "output",
        "input_gradient",
        "step",
    ),
    "charrnn.optim.adam_kernel": ("adam",),
    "charrnn.sampling.choice_kernel": ("choose",),
}
TOLD_SECONDS = 2.0  # after which users are told what they wait for
COMPILING = "numba is being loaded or compiles, which takes some seconds"
KEPT, NOT_KEPT = "; later runs load the result.", "; later runs cannot load the result."
NOT_USED = "NumPy computes what numba would, the same but for rounding:"


class Loader:
    """Loads the compiled functions, once per process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._functions: list[Any] = []
        self._usable: dict[object, bool] = {}

    def load(self, check: Check, dtype: "np.dtype[Any]", tell: Callable[[str], object]) -> bool:
        """Whether the functions that `check` calls can be used.

        Args:
            check: Calls them, which compiles them or loads what was compiled, and compares them
                with NumPy.
            dtype: The precision.
            tell: Called with a note if compiling takes long, or they cannot be used.
        """
        with self._lock:
            if (usable := self._usable.get((check, dtype))) is not None:
                return usable
            timer = Timer(TOLD_SECONDS, tell, [COMPILING + (KEPT if can_keep() else NOT_KEPT)])
            timer.daemon = True
            timer.start()
            try:
                self._load(check, dtype)
                usable = True
            except Exception as error:  # a numba that does not fit its environment raises anything
                tell(f"{NOT_USED} {str(error).strip() or type(error).__name__}")
                usable = False
            finally:
                timer.cancel()
            self._usable[check, dtype] = usable
            return usable

    def _load(self, check: Check, dtype: "np.dtype[Any]") -> None:
        import numba

        if numba.config.DISABLE_JIT:
            raise ImportError("the environment variable NUMBA_DISABLE_JIT is set.")
        try:
            with _turn() as folder:
                self._functions = self._functions or _kept_in(folder)
                check(dtype)
        except Exception as error:  # what was kept is damaged, or cannot be kept: a full disk
            LOG.info(f"compiling again, to keep nothing: {type(error).__name__}: {error}")
            _forget()
            for function in self._functions:
                function._cache = numba.core.caching.NullCache()
            check(dtype)


LOADER = Loader()


def folder_of_all() -> Path:
    """Where what is compiled is kept, from any source."""
    return cache_folder() / "numba"


def folder_of_compiled() -> Path:
    """Where what is compiled is kept, by the source that it is compiled from."""
    digest = hashlib.sha256()
    for name in MODULES:
        digest.update(Path(str(import_module(name).__file__)).read_bytes())
    return folder_of_all() / digest.hexdigest()[:16]


def can_keep() -> bool:
    """Whether what is compiled can be kept for later processes."""
    folder = folder_of_all()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return os.access(folder, os.W_OK | os.X_OK)


@contextmanager
def _turn() -> Iterator[Path | None]:
    """The folder for what is compiled, in which one process at a time works; None without one.

    Two that keep functions at the same time could give them the same name.
    """
    folder, turn = folder_of_compiled(), None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        turn = Turn(folder / ".lock")
        turn.take()
    except OSError as error:
        LOG.info(f"what numba compiles is not kept: {error}")
        turn = None
    try:
        yield folder if turn else None
    finally:
        if turn:
            turn.end()


def _kept_in(folder: Path | None) -> list[Any]:
    """The functions, which numba keeps in this folder from now on."""
    import numba

    functions = [
        getattr(import_module(name), function) for name, own in MODULES.items() for function in own
    ]
    if folder is not None:
        chosen, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
        try:
            for function in functions:
                function.enable_caching()
        finally:
            numba.config.CACHE_DIR = chosen
    return functions


def _forget() -> None:
    """Removes what was kept."""
    for path in folder_of_compiled().glob("*/*.nb[ci]"):
        with suppress(OSError):
            path.unlink()
