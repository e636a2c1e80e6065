"""A rig: the real service on a database of its own, connected to the benchmarks' identity provider.

Owns putting them together, and what both cost. Never sends anything: `bench.load` does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from responses import Idp
from sqlalchemy import text

from bench import disk, prepared
from bench.load import Load, send
from bench.processes import (
    PostgresqlServer,
    family,
    free_port,
    memory_mib,
    postgresql,
    started,
    tree_cpu_ms,
    wait_until_quiet,
)
from bench.results import Figure
from sp.flows import account_setup
from sp.flows.opening import open_database
from sp.settings import Settings
from sp.store import accounts
from sp.store.engine import Database

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
DATABASES = (SQLITE, POSTGRESQL)
# The log keeps whatever a benchmark puts into it, and creates whoever comes: neither limit is what is measured.
_ROOM = {"ATTEMPTS_KEPT": "100000000", "ATTEMPTS_KEPT_DAYS": "3650", "NEW_USERS_PER_HOUR": "1000000"}


@dataclass(frozen=True)
class Rig:
    """A running service. `file` is where prepared forms go, one file at a time."""

    database_name: str
    database: Database
    port: int
    service_pid: int
    database_pid: int | None  # of PostgreSQL; SQLite's work is the service's own
    idp: Idp
    file: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/saml2"

    def prepare(
        self, recipe: prepared.Recipe, names: Sequence[str], issuers: Callable[[int], str] | None = None
    ) -> Path:
        return prepared.write(self.file, self.idp, recipe, names, issuers)

    def measure(self, file: Path, *, connections: int = 8, rate: float = 0.0, as_json: bool = False) -> Measured:
        """Send the forms of a file and look at the processes' clocks before and after."""
        (service, database), logged = self._clocks(), disk.logged_bytes(self.database)
        load = send(self.port, file, connections=connections, rate=rate, as_json=as_json)
        service_after, database_after = self._clocks()
        written = disk.logged_bytes(self.database) - logged
        return Measured(load, service_after - service, database_after - database, written)

    def memory_mib(self) -> float:
        """The resident memory of all processes of the service."""
        return sum(memory_mib(pid) for pid in family(self.service_pid))

    def _clocks(self) -> tuple[float, float]:
        of_database = 0.0 if self.database_pid is None else tree_cpu_ms(self.database_pid)
        return tree_cpu_ms(self.service_pid), of_database


@dataclass(frozen=True)
class Measured:
    """What a load did, and the time that processors spent on it, in milliseconds."""

    load: Load
    service_ms: float
    database_ms: float
    logged_bytes: int

    def require(self, status: int) -> None:
        """Raises RuntimeError when anything but this came back: the figures would be of something else."""
        if self.load.statuses.keys() != {str(status)}:
            raise RuntimeError(f"the service answered {self.load.statuses}, not {status} each time")

    @property
    def cost_ms(self) -> float:
        return (self.service_ms + self.database_ms) / self.load.requests

    def figure(self, **what: object) -> Figure:
        """The cost of one request, among what is known of the load."""
        requests = self.load.requests
        return {
            **what,
            "requests": requests,
            "service_cpu_ms": self.service_ms / requests,
            "database_cpu_ms": self.database_ms / requests,
            **({"logged_bytes": self.logged_bytes // requests} if self.logged_bytes else {}),
            "requests_per_second": self.load.per_second,
            **{f"{name}_ms": value for name, value in self.load.latencies_ms.items()},
        }


def typical(rounds: Sequence[Measured]) -> Measured:
    """The round whose cost is the median: what else the machine did in one of them does not count."""
    return sorted(rounds, key=lambda measured: measured.cost_ms)[len(rounds) // 2]


@contextmanager
def rig(
    database_name: str, *, workers: int = 1, folder: Path | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Rig]:
    """A service with an empty database, ready and quiet.

    `folder` is where everything lies, the system's for temporary files if None; `settings` are more of the service's,
    without the prefix of their variables.
    """
    own = {**_ROOM, **({"WORKERS": str(workers)} if workers > 1 else {}), **(settings or {})}
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as place:
        if database_name == SQLITE:
            with _served(None, own, Path(place)) as ready:
                yield ready
            return
        with postgresql(folder) as server, _served(server, own, Path(place)) as ready:
            yield ready


@contextmanager
def _served(server: PostgresqlServer | None, own: Mapping[str, str], folder: Path) -> Iterator[Rig]:
    idp, port = prepared.make_idp(), free_port()
    settings = Settings(data_dir=folder / "data", database_url=server.url if server else "")
    _connect(settings, idp)
    given = {**own, "DATABASE_URL": settings.database_url}
    with started("serve", settings.data_dir, port, free_port(), given) as process:
        wait_until_quiet(process.pid)
        database = Database(settings.database_url)
        name, pid = (POSTGRESQL, server.pid) if server else (SQLITE, None)
        yield Rig(name, database, port, process.pid, pid, idp, folder / "forms")
        database.close()


def _connect(settings: Settings, idp: Idp) -> None:
    database = open_database(settings)
    with database.writing() as session:
        account = accounts.account_by_slug(session, account_setup.SEEDED_SLUG)
        if account is None:
            raise RuntimeError("the seeded account is missing")
        draft = account_setup.SsoDraft(single_sign_on=True, issuer=idp.entity_id, certificates=(idp.certificate,))
        account_setup.save_sso_settings(session, settings, account, draft, saved_by="bench", now=datetime.now(UTC))
    database.close()


def database_facts(database: Database) -> dict[str, str]:
    """What it is, and that what it says it has kept is on the disk."""
    if database.engine.dialect.name == "sqlite":
        names = {"journal_mode": "PRAGMA journal_mode", "synchronous": "PRAGMA synchronous"}
    else:
        names = {name: f"SHOW {name}" for name in ("server_version", "fsync", "synchronous_commit")}
    with database.reading() as session:
        return {name: str(session.execute(text(asked)).scalar_one()) for name, asked in names.items()}
