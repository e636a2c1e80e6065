"""Both databases, each test with an empty one.

Owns starting PostgreSQL, once for all tests, and making tables. Never shares rows between tests.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgresql import running_postgresql
from sqlalchemy import text
from sqlmodel import SQLModel

from sp.store.engine import Database


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    with running_postgresql() as server:
        yield server.url


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
