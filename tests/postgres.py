"""A PostgreSQL server for tests; without its programs they are skipped, with the reason."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAMS = Path("/usr/lib/postgresql")  # where Debian has them


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a database of a server that was started for these tests."""
    found = sorted(PROGRAMS.glob("*/bin/initdb")) or [*map(Path, filter(None, [_on_path()]))]
    if not found:
        pytest.skip("PostgreSQL is not installed: Debian's package is postgresql")
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="charrnn-postgres-"))
    data = folder / "data"
    # it refuses to run as root
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(program: str, *arguments: object) -> None:
        command = [programs / program, *arguments]
        done = subprocess.run(
            command, user=user, cwd=folder, capture_output=program != "pg_ctl", text=True,
            stdout=subprocess.DEVNULL if program == "pg_ctl" else None,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    try:
        run("initdb", "-D", data, "-A", "trust", "-U", "charrnn", "--no-sync", "-E", "UTF8")
        options = f"-c listen_addresses='' -c fsync=off -k {folder}"
        run("pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
        yield f"postgresql://charrnn@/postgres?host={folder}"
    finally:
        if (data / "postmaster.pid").exists():
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _on_path() -> str | None:
    return shutil.which("initdb")
