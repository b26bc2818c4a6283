"""What computes the recurrence of a run: NumPy, or code that numba compiles."""

import logging
import os
from collections.abc import Callable
from importlib.util import find_spec
from math import ceil, inf

import numpy as np
from numpy.typing import DTypeLike

from charrnn.config.settings import Config, ResolvedConfig
from charrnn.model.backend import NUMPY, Backend
from charrnn.model.compiled import DTYPES, compiled_backend, pays
from charrnn.model.params import Params
from charrnn.sampling.single import Single, compiled_single
from charrnn.setup.compiled_checks import Check, check_sampling, check_training
from charrnn.setup.compiling import LOADER, NOT_USED, can_keep, folder_of_all
from charrnn.setup.sharing import lanes_per_rank
from charrnn.system.extras import how_to_install

LOG = logging.getLogger(__name__)

Tell = Callable[[str], object]

VARIABLE = "CHARRNN_BACKEND"
# loading numba takes some 0.6 s, and a time step of a layer then takes some 2.5 µs less
MIN_TIME_STEPS = 400_000
MIN_SECONDS = 30.0  # of a run that only time limits
MIN_CHARACTERS = 200_000  # of a text, each of which then takes 6 to 20 µs less


def why_not_numba() -> str | None:
    """Why there is no numba that may be used; None if there is one."""
    if os.environ.get(VARIABLE) == "numpy":
        return f"{VARIABLE}=numpy turns it off."
    if find_spec("numba") is None:
        return f"it is not installed. To install it: {how_to_install('fast', 'numba')}"
    return None


def with_backend(
    config: ResolvedConfig, max_steps: int | None, largest: tuple[int, int]
) -> tuple[ResolvedConfig, tuple[str, ...]]:
    """The config with the backend that computes this run.

    Args:
        config: The config of a new run.
        max_steps: The number of its steps at most; None if only time limits it.
        largest: T and B of the largest window.

    Returns:
        The config, and notes on why it is not numba although the user wants that, or it would save
        time.
    """
    wanted = config.training.backend
    if wanted == "numpy":
        return config, ()
    if wanted == "auto":
        if not _pays(config, max_steps, largest) or why_not_numba():
            return _computed_by("numpy", config), ()
        if can_keep():
            return _computed_by("numba", config), ()
        reason = f"what it compiles cannot be kept in {folder_of_all()}."
    else:
        missing = why_not_numba()
        if missing is None:
            return config, ()
        reason = missing
    return _computed_by("numpy", config), (f"{NOT_USED} {reason}",)


def _pays(config: ResolvedConfig, max_steps: int | None, largest: tuple[int, int]) -> bool:
    """Whether numba saves time in a run."""
    training, model = config.training, config.model
    T, B = largest
    lanes, dtype = ceil(lanes_per_rank(B) / training.workers), np.dtype(training.precision)
    time_steps = inf if max_steps is None else max_steps * T * model.layers
    long = time_steps >= MIN_TIME_STEPS and (training.max_time or inf) >= MIN_SECONDS
    return long and pays(model.hidden_size, lanes, dtype)


def _computed_by(backend: str, config: ResolvedConfig) -> ResolvedConfig:
    LOG.info(f"{backend} computes the recurrence")
    chosen = config.training.model_copy(update={"backend": backend})
    return config.model_copy(update={"training": chosen})


def backend_of(config: Config, tell: Tell = lambda note: None) -> Backend:
    """What computes the gradient of a run: NumPy, unless its backend is numba and can be used.

    Args:
        config: Its config.
        tell: Called with a note if compiling takes long, or numba cannot be used.
    """
    return compiled_backend() if _compiles(config, tell) else NUMPY


def compiled_adam(config: Config) -> Callable[..., bool] | None:
    """Adam's update for a run that numba computes; None for NumPy."""
    if not _compiles(config):
        return None
    from charrnn.optim.adam_kernel import adam

    update: Callable[..., bool] = adam
    return update


def _compiles(config: Config, tell: Tell = lambda note: None) -> bool:
    if config.training.backend != "numba":
        return False
    return _usable(check_training, config.training.precision, tell)


def single_text(params: Params, temperature: float, length: int, tell: Tell) -> Single | None:
    """What generates a text of this length alone; None for NumPy.

    Args:
        params: The weights of the model.
        temperature: That of `chooser`, which has no restrictions.
        length: The number of characters.
        tell: Called with a note if compiling takes long, or numba cannot be used.
    """
    if length < MIN_CHARACTERS or params.dtype not in DTYPES or why_not_numba() or not can_keep():
        return None
    return compiled_single(temperature) if _usable(check_sampling, params.dtype, tell) else None


def _usable(check: Check, dtype: DTypeLike, tell: Tell) -> bool:
    if reason := why_not_numba():
        tell(f"{NOT_USED} {reason}")
        return False
    return LOADER.load(check, np.dtype(dtype), tell)
