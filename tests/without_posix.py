"""Runs commands as where there is no POSIX: python -m tests.without_posix '[["sample", "run"]]'.

It does what Windows does, as far as another system can: POSIX modules cannot be imported, POSIX
names are missing, directories cannot be opened, open files cannot be replaced or deleted, and a
process is never asked whether it lives. With --stop-at-save N, Ctrl-C is pressed after N saves.
"""

import ctypes
import ctypes.wintypes
import errno
import importlib
import json
import os
import platform
import re
import shutil
import signal
import sys
import sysconfig
import warnings
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

# before their names are gone: what these libraries need of POSIX is not at issue
PRELOADED = (
    "concurrent.futures.thread", "importlib.resources", "shutil", "socket", "subprocess",
    "tempfile", "jinja2", "matplotlib.backends.backend_svg", "matplotlib.pyplot", "numpy.random",
    "plotext", "pydantic", "rich.console", "rich.file_proxy", "rich.progress", "rich.table",
    "safetensors.numpy", "threadpoolctl", "typer", "yaml",
)  # fmt: skip
MODULES = (
    "fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "readline", "curses", "syslog",
    "posix", "select",
)  # fmt: skip
OF_OS = re.compile(
    r"O_(?!RDONLY|WRONLY|RDWR|CREAT|EXCL|TRUNC|APPEND)\w+|sched_\w+|posix_\w+|spawn[lv]p\w*"
    r"|(?!getp?pid)[gs]et[persug]+(id|rp|roups|ority)\w*|f?statvfs|f?pathconf|f?chown|fork\w*|W[A-Z]+"
    r"|pread\w*|pwrite\w*|readv|writev|sysconf\w*|tc[gs]etpgrp|ttyname|uname|wait[34]?|waitid"
    r"|mkfifo|mknod|nice|openpty|pipe2|killpg|getloadavg|sync|fdatasync|sendfile|fchdir|environb"
)
OF_SIGNAL = re.compile(
    r"SIG(?!INT$|TERM$|ABRT$|FPE$|ILL$|SEGV$|_DFL$|_IGN$)\w+|[gs]etitimer|alarm|pause"
    r"|pthread_\w+|siginterrupt|sigpending|sigtimedwait|sigwait\w*"
)


def hide_posix() -> None:
    """Makes this process look like one on Windows to what is imported and called from now on."""
    for name in PRELOADED:
        importlib.import_module(name)
    sysconfig.get_config_vars()
    platform.uname()
    threadpoolctl = importlib.import_module("threadpoolctl")
    threadpoolctl.threadpool_info()
    vars(threadpoolctl)["sys"] = SimpleNamespace(**vars(sys))  # it asks at every call
    import fcntl

    sys.modules["msvcrt"] = _msvcrt(fcntl.flock, fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_UN)
    ctypes.windll = MagicMock()  # type: ignore[attr-defined]
    for function in ("GlobalMemoryStatusEx", "GetConsoleMode", "GetStdHandle"):
        getattr(ctypes.windll.kernel32, function).return_value = 0  # type: ignore[attr-defined]
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    usage = shutil.disk_usage(".")  # Windows has a function of its own for it
    shutil.disk_usage = lambda path: usage
    for module, pattern in ((os, OF_OS), (signal, OF_SIGNAL)):
        for name in [name for name in dir(module) if pattern.fullmatch(name)]:
            delattr(module, name)
    signal.SIGBREAK = signal.SIGTERM  # type: ignore[attr-defined]
    sys.platform = "win32"
    _restrict_files()


def _msvcrt(flock, exclusive: int, unlock: int) -> ModuleType:
    """A module whose locks belong to a handle, as those of Windows do."""
    module = ModuleType("msvcrt")
    module.LK_NBLCK, module.LK_UNLCK = 2, 0  # type: ignore[attr-defined]

    def locking(file: int, mode: int, _: int) -> None:
        try:
            flock(file, exclusive if mode else unlock)
        except BlockingIOError:
            raise PermissionError(errno.EACCES, "Permission denied") from None

    module.locking = locking  # type: ignore[attr-defined]
    return module


def _restrict_files() -> None:
    open_file = os.open

    def open_no_directory(path, *arguments, **options):
        if isinstance(path, str | Path) and os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return open_file(path, *arguments, **options)

    def no_signal(*_: object) -> None:
        raise AssertionError("on Windows this ends the process")

    os.open, os.kill = open_no_directory, no_signal
    for name in ("replace", "rename", "unlink", "remove"):
        setattr(os, name, _of_closed_files(getattr(os, name)))


def _of_closed_files(function):
    """A function on paths that refuses those of files that this process has open."""

    def call(*paths, **options):
        for path in filter(os.path.exists, paths):
            status = os.stat(path)
            for number in os.listdir("/proc/self/fd"):
                try:
                    used = os.path.samestat(os.fstat(int(number)), status)
                except OSError:
                    continue
                if used:
                    raise PermissionError(errno.EACCES, "it is open", str(path))
        return function(*paths, **options)

    return call


def _stop_at_save(count: int) -> None:
    replace, saves = os.replace, iter(range(1, 10**9))

    def save(source, target, **options) -> None:
        replace(source, target, **options)
        if Path(target).suffix == ".safetensors" and next(saves) == count:
            signal.raise_signal(signal.SIGINT)

    os.replace = save


def main() -> None:
    """Runs each command, and ends with the exit code of the first that fails."""
    hide_posix()
    # what charrnn opens as text has an encoding
    warnings.filterwarnings("error", category=EncodingWarning, module="charrnn")
    if sys.argv[1] == "--stop-at-save":
        _stop_at_save(int(sys.argv[2]))
        sys.argv[1:3] = []
    (*commands, last) = json.loads(sys.argv[1])
    from charrnn.__main__ import main as run_last
    from charrnn.cli.main import run
    from charrnn.system.streams import prepare_streams

    prepare_streams()
    for command in commands:
        if code := run(command):
            sys.exit(code)
    sys.argv[1:] = last
    run_last()


if __name__ == "__main__":
    main()
