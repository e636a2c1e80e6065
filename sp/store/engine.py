"""The database: opening it, its transactions, its migrations.

Owns connections and how a transaction begins and ends. Never holds a query about a noun.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool
from sqlmodel import Session

from sp.store.disk_probe import DiskProbe
from sp.store.process_queue import ProcessQueue, queue_file
from sp.store.read_only import read_only_engine
from sp.store.together import Done, Work, do_together

WRITE = "virtual_office_write"
_POOL = {"pool_size": 8, "max_overflow": 33}  # 40 threads of the server's, and the desk
_LOCK_MILLISECONDS = 300  # how long sign-ins that share a transaction wait for somebody's row
# When a PostgreSQL that is away is given up: the desk of a process waits for nobody else meanwhile. What the address in
# the settings says comes first.
_PATIENCE: dict[str, int] = {
    "connect_timeout": 5,  # seconds; whoever asks `/readyz` gives up soon after
    "tcp_user_timeout": 10_000,  # milliseconds until what was sent has to be acknowledged; else it is fifteen minutes
    "keepalives_idle": 5,  # seconds of silence until the other machine is asked whether it is there,
    "keepalives_interval": 2,  # and asked again
    "keepalives_count": 3,
}
_BEGIN_WRITING = "BEGIN IMMEDIATE"  # takes the lock now, so that no later statement finds its snapshot stale
_RESTS_SINCE = "rests_since"
_RESTS_SECONDS = 1.0
_PRAGMAS: tuple[str, ...] = (
    "synchronous=FULL",  # what was answered is on disk
    "foreign_keys=ON",
    "wal_autocheckpoint=4000",  # pages: most are written again soon, and go into the file once
)
_WAL_SECONDS = 10.0
_LOCK_SECONDS = 10.0
NO_DRIVER = (
    "VIRTUAL_OFFICE_DATABASE_URL is the address of a PostgreSQL database, and PostgreSQL's driver is not installed: "
    'run `pip install "virtual-office-sp[postgresql]"`.'
)
_START_LOCK = 0x38783853  # any number that no other program on the same database takes
_PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN")


class DatabaseError(Exception):
    """The database cannot be used. The text is one sentence for the operator."""


class DatabaseFileError(DatabaseError):
    """The file of a SQLite database, or its folder, cannot be made or written."""


@dataclass(frozen=True, slots=True)
class Connections:
    """Connections of this process: in use, kept for the next one who asks, and how many there may be."""

    in_use: int
    idle: int
    limit: int


class Database:
    """One database with its pool of connections. Safe to share between threads."""

    def __init__(self, url: str, *, read_only: bool = False, lock_seconds: float = _LOCK_SECONDS) -> None:
        """`url` as in the settings; `lock_seconds` is how long to wait for the lock of a SQLite file.

        Raises DatabaseError when its folder cannot be made or written. `read_only` makes no file and refuses every
        change.
        """
        self.url = url
        try:
            self.engine = read_only_engine(make_url(url)) if read_only else _engine(url, lock_seconds)
        except ImportError:
            raise DatabaseError(NO_DRIVER) from None
        self._writing = self.engine.execution_options(**{WRITE: True})
        self._one_writer = _OneWriter(url, lock_seconds)
        file = make_url(url).database or ""
        self._disk = DiskProbe(Path(file).parent) if self.engine.dialect.name == "sqlite" else None
        self.upgrade_notes: tuple[str, ...] = ()  # sentences about rows that `upgrade` has changed

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for queries: one consistent snapshot, nothing is kept."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits at the end of the block, or keeps nothing when the block raises.

        SQLite has one writer: the lock is taken when the transaction begins, so that no later statement finds
        the snapshot stale.
        """
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def write_together(self, works: Sequence[Work]) -> list[Done]:
        """What became of each piece of work, committed by then; in one transaction for all of them, if it can be."""
        if self.engine.dialect.name == "sqlite":
            return do_together(self._one_writer.turn, works)
        return do_together(self._impatient, works)

    @contextmanager
    def _impatient(self) -> Iterator[Connection]:
        """A writing transaction of PostgreSQL's in which a row that somebody locked is not waited for for long.

        Raises OperationalError where it would have to be.
        """
        with self._writing.begin() as connection:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}")
            yield connection

    def upgrade(self) -> None:
        """Bring the schema to the newest version. Raises DatabaseError when it is newer than this program."""
        with self.errors_in_one_sentence():
            if self.revision() == newest_revision():
                return
            # Loading alembic takes longer than every other part of a start, which mostly finds nothing to do.
            from sp.store.migrating import upgrade  # noqa: PLC0415

            with self._writing.connect() as connection, _tables_may_be_replaced(connection), connection.begin():
                take_start_lock(connection)
                self.upgrade_notes = upgrade(connection)

    def revision(self) -> str:
        """The version of the schema in the database, or "none"."""
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return "none"
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none())

    def faults(self) -> list[str]:
        """What the database itself finds wrong, one sentence each."""
        if self.engine.dialect.name != "sqlite":
            return []
        with self.engine.connect() as connection:
            pages = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check")) if row[0] != "ok"]
            orphans = connection.execute(text("PRAGMA foreign_key_check")).all()
        return pages + [f"A row of {row[0]} refers to a row of {row[2]} that is missing." for row in orphans]

    def disk_fault(self) -> str:
        """Why nothing can be written beside a SQLite database, or ""; PostgreSQL's disk is its server's concern."""
        return self._disk.fault() if self._disk else ""

    @contextmanager
    def errors_in_one_sentence(self) -> Iterator[None]:
        """Raise DatabaseError for what the driver raises in the block: a damaged file, a server that is away."""
        try:
            yield
        except DBAPIError as error:
            reason = " ".join(str(error.orig).split()).rstrip(".")  # psycopg's reasons have several lines
            raise DatabaseError(f"The database {self.shown_url} cannot be used: {reason}.") from None

    def connections(self) -> Connections:
        """What the pool has at this moment."""
        pool = self.engine.pool
        if not isinstance(pool, QueuePool):
            return Connections(0, 0, 0)
        return Connections(pool.checkedout(), pool.checkedin(), sum(_POOL.values()))

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return make_url(self.url).render_as_string(hide_password=True)

    def close(self) -> None:
        self._one_writer.close()
        self.engine.dispose()


@contextmanager
def _tables_may_be_replaced(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by making another one in its place, and would take the rows that refer to it for orphans.

    It hears the word outside of a transaction only (https://www.sqlite.org/lang_altertable.html, section 7).
    """
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def take_start_lock(connection: Connection) -> None:
    """One process at a time brings the database up to date, until its transaction ends; the next finds all done.

    SQLite's writer is alone anyway. In PostgreSQL nothing that may be missing yet can be locked, so a number is.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _START_LOCK})


class _OneWriter:
    """The connection of the transactions that are shared on SQLite. One thread at a time has it; others wait.

    It is the same one each time, since SQLite reads every page again on a connection after which another has written;
    and its engine has no events, which every statement would be asked about.
    """

    def __init__(self, url: str, lock_seconds: float) -> None:
        self._url = make_url(url)
        self._lock_seconds = lock_seconds
        self._queue = ProcessQueue(queue_file(Path(self._url.database or "")), lock_seconds)
        self._connection: Connection | None = None
        self._turn = threading.Lock()

    @cached_property
    def engine(self) -> Engine:
        return _sqlite_engine(self._url, self._lock_seconds, pool_size=1)

    @contextmanager
    def turn(self) -> Iterator[Connection]:
        """A transaction that has the lock, and commits at the end of the block unless that raises."""
        with self._turn:
            if self._connection is None:
                self._connection = self.engine.connect()
            try:
                with self._queue, self._connection.begin():
                    self._connection.exec_driver_sql(_BEGIN_WRITING)
                    yield self._connection
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """What comes next begins on a new connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self.engine.dispose()
            self._queue.close()


def is_passing(error: OperationalError) -> bool:
    """Whether waiting may help: a lock that is held, a full disk, a server that is away; not a missing table."""
    name = getattr(error.orig, "sqlite_errorname", None)
    return name is None or name.startswith(_PASSING)


def newest_revision() -> str:
    """The version that this program's migrations lead to: the highest number among their files."""
    scripts = (files("sp.store") / "migrations" / "versions").iterdir()
    return max(file.name.partition("_")[0] for file in scripts if file.name[0].isdigit())


def _engine(url: str, lock_seconds: float) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        patience = {name: value for name, value in _PATIENCE.items() if name not in parsed.query}
        engine = create_engine(parsed, connect_args=patience, **_POOL, hide_parameters=True)
        event.listen(engine, "checkin", _note_rest)
        event.listen(engine, "checkout", _wake)
        return engine
    _prepare_folder(Path(parsed.database or ""))
    engine = _sqlite_engine(parsed, lock_seconds, **_POOL)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _sqlite_engine(url: URL, lock_seconds: float, **pool: int) -> Engine:
    engine = create_engine(url, connect_args={"timeout": lock_seconds}, **pool, hide_parameters=True)
    event.listen(engine, "connect", _configure_sqlite)
    return engine


def _prepare_folder(file: Path) -> None:
    """Readable by the owner only: the database holds password hashes and what identity providers sent."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for needed in (file, queue_file(file)):  # while there is room on the disk
            needed.touch(mode=0o600, exist_ok=True)
        with file.open("ab"):
            pass
    except OSError as error:
        raise DatabaseFileError(f"{error.filename or file.parent} cannot be written ({error.strerror}).") from None


def _note_rest(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info[_RESTS_SINCE] = time.monotonic()


def _wake(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Ask a connection that rested whether it is still one, since servers are restarted; the pool makes a new one else.

    Not each time: under load that would be one question in nine.
    """
    rested = time.monotonic() - record.info.get(_RESTS_SINCE, time.monotonic())
    if rested < _RESTS_SECONDS:
        return
    try:
        connection.cursor().execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise DisconnectionError from error


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late; see `_begin_sqlite`
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    _change_to_wal(connection)


def _change_to_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait, as it would for any other lock, while another process makes the same change."""
    deadline = time.monotonic() + _WAL_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql(_BEGIN_WRITING if writes else "BEGIN")
