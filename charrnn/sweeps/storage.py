"""Where a study is stored: a journal file that several machines may share, or a database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

import optuna
import sqlalchemy
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from sqlalchemy import NullPool

from charrnn.errors import CharrnnError, UsageError
from charrnn.system.extras import import_extra
from charrnn.system.turns import Turn
from charrnn.wording import nearest

# each kind of database, its driver as SQLAlchemy names it, and the module of the driver
DRIVERS = {
    "sqlite": ("sqlite", "sqlite3"),
    "postgresql": ("postgresql+psycopg", "psycopg"),
    "mysql": ("mysql+pymysql", "pymysql"),
}
ALIASES = {"postgres": "postgresql", "mariadb": "mysql"}
LOCK_SECONDS = 300  # that a database waits for its lock
JOURNAL_START = b'{"op_code":'  # of each line that Optuna writes


class _JournalLock(JournalFileOpenLock):
    """The lock of a journal, which also repairs it.

    The last line may be a torn one, of a machine without power or a full disk. The next line would
    be appended to it, and nobody could read on from there. Optuna's own locks outlive a process
    that is killed for 30 seconds, after which two others may both take them.
    """

    def __init__(self, journal: Path) -> None:
        super().__init__(str(journal))
        self._turn = Turn(journal)

    def acquire(self) -> bool:
        """Waits for the lock."""
        file = self._turn.take()
        if end := os.lseek(file, 0, os.SEEK_END):
            os.lseek(file, end - 1, os.SEEK_SET)
            if os.read(file, 1) != b"\n":
                os.lseek(file, 0, os.SEEK_SET)
                os.ftruncate(file, os.read(file, end).rfind(b"\n") + 1)
        return True

    def release(self) -> None:
        """Releases the lock."""
        self._turn.end()


class Storage:
    """A storage of Optuna, and a lock that one process at a time holds.

    With the lock, a study has as many trials as were asked for, however many processes ask.

    Attributes:
        name: What messages call it, without a password.
        optuna: The storage.

    Args:
        place: A file, or the URL of a database.
        create: Whether the file, or the tables, may be created; else nobody is waited for.
    """

    def __init__(self, place: str, *, create: bool = True) -> None:
        self.name = place
        self._path = file_of(place)
        self._engine: sqlalchemy.Engine | None = None
        if "://" in place:
            url = _url(place)
            shown = url.render_as_string(hide_password=True)
            self.name = f"{place.partition('://')[0]}://{shown.partition('://')[2]}"
            self._engine = _engine(url)
        with self.failures():
            if self._path and self._engine is None:
                _require_journal(self._path)
            if self._path and create:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            with self.locked() if create else nullcontext():
                self.optuna = self._opened(create)

    def _opened(self, create: bool) -> BaseStorage:
        if self._engine is not None:
            # this table is the last that is created; two who create tables disturb each other
            if not create and not sqlalchemy.inspect(self._engine).has_table("alembic_version"):
                raise UsageError(f"{self.name} has no study.", "name another place: `storage`")
            url = self._engine.url.render_as_string(hide_password=False)
            # who only looks leaves no connection open
            pool = {"pool_pre_ping": True} if create else {"poolclass": NullPool}
            return RDBStorage(url, pool, skip_table_creation=not create)
        assert self._path
        try:
            return JournalStorage(JournalFileBackend(str(self._path), _JournalLock(self._path)))
        except (ValueError, LookupError, TypeError):
            raise _no_journal(self._path) from None

    def close(self) -> None:
        """Closes the connections to a database."""
        if isinstance(self.optuna, RDBStorage):
            self.optuna.remove_session()
            self.optuna.engine.dispose()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """A context that one process at a time is in; one that is killed leaves it soon."""
        if self._path:
            turn = Turn(self._path.with_name(f".{self._path.name}.turn"))
            turn.take()
            try:
                yield
            finally:
                turn.end()
            return
        assert self._engine is not None
        limit, take, give, key = _LOCKS[self._engine.dialect.name]
        with self._engine.connect() as connection:
            connection.execute(sqlalchemy.text(limit))
            if connection.scalar(sqlalchemy.text(take), {"key": key}) == 0:
                self._fail("another process holds its lock for too long")
            try:
                yield
            finally:
                connection.execute(sqlalchemy.text(give), {"key": key})

    @contextmanager
    def failures(self) -> Iterator[None]:
        """A context whose failures to read or write the storage are raised as CharrnnError."""
        try:
            yield
        except sqlalchemy.exc.SQLAlchemyError as error:
            self._fail(str(getattr(error, "orig", None) or error))
        except optuna.exceptions.StorageInternalError as error:
            self._fail(str(error.__cause__ or error))
        except OSError as error:
            self._fail(error.strerror or str(error))

    def _fail(self, what: str) -> NoReturn:
        *_, first = reversed([line.strip() for line in what.splitlines() if line.strip()] or ["?"])
        raise CharrnnError(
            f"the study in {self.name} cannot be used: {first.rstrip('.')}.",
            "runs are kept; when it works again, the same command continues the sweep.",
        ) from None


# how a database limits the time to wait for a lock, takes and releases it, and the lock's key; the
# lock is released with the connection too
_KEY = "sweep of charrnn"
_LOCKS: dict[str, tuple[str, str, str, int | str]] = {
    "postgresql": (
        f"SET lock_timeout = '{LOCK_SECONDS}s'",
        "SELECT pg_advisory_lock(:key)",
        "SELECT pg_advisory_unlock(:key)",
        int.from_bytes(sha256(_KEY.encode()).digest()[:7], "big"),
    ),
    "mysql": (
        "SELECT 1",
        f"SELECT COALESCE(GET_LOCK(:key, {LOCK_SECONDS}), 0)",
        "SELECT RELEASE_LOCK(:key)",
        _KEY,
    ),
}


def file_of(place: str) -> Path | None:
    """The file of a storage; None if a server has it. Raises: UsageError."""
    if "://" not in place:
        return Path(place)
    url = _url(place)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def _require_journal(path: Path) -> None:
    """Raises UsageError if a file is of another kind: what repairs a journal would destroy it."""
    if not path.exists() or path.is_dir():
        return
    if not path.is_file():
        raise _no_journal(path)
    with path.open("rb") as file:
        start = file.read(len(JOURNAL_START))
    if not JOURNAL_START.startswith(start):
        raise _no_journal(path)


def _no_journal(path: Path) -> UsageError:
    return UsageError(f"{path} is not the journal of a study.", "name another file: `storage`")


def _url(place: str) -> sqlalchemy.URL:
    kind = place.partition("://")[0].partition("+")[0]
    kind = ALIASES.get(kind, kind)
    if kind not in DRIVERS:
        guess = nearest(kind, DRIVERS)
        known = ", ".join(f"{one}://" for one in DRIVERS)
        raise UsageError(
            f"`storage`: {kind}:// is not a database that a study can be in.",
            f"did you mean {guess}://?" if guess else f"known: {known}; or name a file.",
        )
    driver, module = DRIVERS[kind]
    import_extra(module, "sweep", f"a study in {kind}://")
    try:
        url = sqlalchemy.engine.make_url(place)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise UsageError(
            "`storage` is not a valid URL.",
            f"write it as {kind}://USER:PASSWORD@HOST/DATABASE; special characters of a password "
            "as %40 and the like.",
        ) from None
    if kind == "sqlite" and not url.database:
        raise UsageError(
            "`storage=sqlite://` would be in memory, where no other process can see it.",
            "name a file: `storage=sqlite:///study.db`",
        )
    return url if "+" in url.drivername else url.set(drivername=driver)


def _engine(url: sqlalchemy.URL) -> sqlalchemy.Engine:
    return sqlalchemy.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
