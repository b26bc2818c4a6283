"""Character-level language models with vanilla recurrent networks; see docs/library.md."""

import sys
from types import ModuleType

__version__ = "0.1.0"

TYPE_CHECKING = False  # as of `typing`, whose import takes longer than all of this
if TYPE_CHECKING:
    from charrnn.errors import CharrnnError as CharrnnError
    from charrnn.errors import InputError as InputError
    from charrnn.errors import UsageError as UsageError
    from charrnn.library.analyses import explain as explain
    from charrnn.library.analyses import gradcheck as gradcheck
    from charrnn.library.analyses import gradflow as gradflow
    from charrnn.library.exports import export as export
    from charrnn.library.inspection import inspect as inspect
    from charrnn.library.inspection import runs as runs
    from charrnn.library.inspection import texts as texts
    from charrnn.library.metrics import Metrics as Metrics
    from charrnn.library.model import Model as Model
    from charrnn.library.model import load as load
    from charrnn.library.pages import report as report
    from charrnn.library.run import Run as Run
    from charrnn.library.run import read_metrics as read_metrics
    from charrnn.library.sweep import Sweep as Sweep
    from charrnn.library.sweep import read_sweep as read_sweep
    from charrnn.library.sweeping import sweep as sweep
    from charrnn.library.training import train as train
    from charrnn.training.trainer import Divergence as Divergence

_HOMES = {
    "CharrnnError": "errors",
    "Divergence": "training.trainer",
    "InputError": "errors",
    "Metrics": "library.metrics",
    "Model": "library.model",
    "Run": "library.run",
    "Sweep": "library.sweep",
    "UsageError": "errors",
    "explain": "library.analyses",
    "export": "library.exports",
    "gradcheck": "library.analyses",
    "gradflow": "library.analyses",
    "inspect": "library.inspection",
    "load": "library.model",
    "read_metrics": "library.run",
    "read_sweep": "library.sweep",
    "report": "library.pages",
    "runs": "library.inspection",
    "sweep": "library.sweeping",
    "texts": "library.inspection",
    "train": "library.training",
}
__all__ = ["__version__", *_HOMES]


class _Library(ModuleType):
    """This module: what it exports is imported when it is first used.

    `report` and `runs` are functions here, although there are packages of these names.
    """

    def __getattr__(self, name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        setattr(self, name, value)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):  # a package that was imported
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_HOMES})


sys.modules[__name__].__class__ = _Library
