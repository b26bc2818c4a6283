"""Locks that a crash does not leave behind."""

import errno
import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from charrnn.system import lock as lock_module
from charrnn.system.lock import Held, Lock

DYING = """
import os, signal, subprocess, sys
from pathlib import Path
from charrnn.system.lock import Lock
lock = Lock(Path(sys.argv[1]))
subprocess.Popen(["sleep", sys.argv[2]], pass_fds=[lock._file])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_lock_names_its_holder_whatever_it_held_before(tmp_path) -> None:
    path = tmp_path / ".lock"
    path.write_text(f"process 1 on {'x' * 64}\n")
    lock = Lock(path)
    assert path.read_text().startswith(f"process {os.getpid()} on ")
    assert "x" * 64 not in path.read_text()
    lock.release()


def test_a_lock_that_cannot_be_written_is_not_left_behind(tmp_path, monkeypatch) -> None:
    def full(path: Path, content: bytes) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="full"):
        Lock(tmp_path / ".lock")
    assert not list(tmp_path.iterdir())


def test_a_lock_is_created_without_hard_links_too(tmp_path, monkeypatch) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    Lock(tmp_path / ".lock").release()
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
@pytest.mark.parametrize(("seconds", "patience"), [(0.5, 10.0), (3, 0.1)])
def test_a_lock_waits_a_moment_for_a_dying_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, patience: float
) -> None:
    """A killed process may keep its locks for a moment, here through a child."""
    path = tmp_path / ".lock"
    done = subprocess.run([sys.executable, "-c", DYING, str(path), str(seconds)])
    assert done.returncode == -signal.SIGKILL
    monkeypatch.setattr(lock_module, "DYING_SECONDS", patience)
    with nullcontext() if seconds < patience else pytest.raises(Held, match="process"):
        Lock(path).release()
