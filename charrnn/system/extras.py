"""Libraries that are installed with an extra, and imported where they are used."""

import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from charrnn.errors import UsageError
from charrnn.system.quoting import quote


def import_extra(module: str, extra: str, needed_by: str) -> ModuleType:
    """Imports a module of an extra.

    Args:
        module: The name of the module.
        extra: The extra of this package that installs it.
        needed_by: What needs it, as a message names it, such as a setting in backquotes.

    Raises:
        UsageError: It is not installed; the hint has the command that installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        library = top = module.partition(".")[0]
        if error.name and error.name.partition(".")[0] != top:
            library = f"{top} with {error.name}"
        raise UsageError(
            f"{needed_by} needs {library}, which is not installed.",
            f"install it: {how_to_install(extra, top)}",
        ) from None


def how_to_install(extra: str, library: str) -> str:
    """The command that installs the libraries of an extra, or this one where they are not known."""
    return f"{_command()} {' '.join(_requirements(extra) or [library])}"


def _command() -> str:
    """What installs libraries for this program; its own name is that of another one on PyPI."""
    if Path(sys.prefix, "pipx_metadata.json").exists():
        return "pipx inject charrnn"
    if find_spec("pip") is None:  # as in the environments of uv
        return f"uv pip install -p {quote(sys.prefix)}"
    return "pip install"


def _requirements(extra: str) -> list[str]:
    try:
        listed = [line.partition(";") for line in requires("charrnn") or ()]
    except PackageNotFoundError:  # it runs from its source
        return []
    wanted = f"extra == '{extra}'"
    return [f'"{what.strip()}"' for what, _, marker in listed if wanted in marker]
