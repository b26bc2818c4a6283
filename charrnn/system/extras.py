"""Libraries that are installed with an extra, and imported where they are used."""

from importlib import import_module
from types import ModuleType

from charrnn.errors import UsageError


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
        library = module.partition(".")[0]
        if error.name and error.name.partition(".")[0] != library:
            library = f"{library} with {error.name}"
        raise UsageError(
            f"{needed_by} needs {library}, which is not installed.",
            f"install it: pip install 'charrnn[{extra}]'",
        ) from None
