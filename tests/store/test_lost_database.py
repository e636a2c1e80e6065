"""A PostgreSQL database that was emptied, and one that never held an installation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from sp.flows.installation import Marker, NoInstallationError, open_existing
from sp.flows.opening import open_database
from sp.settings import Settings
from sp.store.engine import DatabaseError


@pytest.fixture
def settings(postgresql_url: str, tmp_path: Path) -> Iterator[Settings]:
    """Of a service with a data folder and an empty database of its own."""
    server = create_engine(postgresql_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE lost"))
    url = make_url(postgresql_url).set(database="lost").render_as_string(hide_password=False)
    yield Settings(data_dir=tmp_path, database_url=url, admin_password="Adm1n!pass")
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE lost WITH (FORCE)"))
    server.dispose()


def execute(settings: Settings, *statements: str) -> None:
    engine = create_engine(settings.database_url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_an_emptied_database_is_no_new_installation(settings: Settings) -> None:
    open_database(settings).close()
    open_database(settings).close()
    execute(settings, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    marker = Marker(settings).file
    for opened in (open_database, open_existing):
        with pytest.raises(DatabaseError, match="is gone or empty, but") as caught:
            opened(settings)
        assert str(caught.value).endswith(f"delete {marker}.")
    assert settings.data_dir == marker.parent
    marker.unlink()
    open_database(settings).close()


def test_rows_that_are_gone_are_noticed(settings: Settings) -> None:
    open_database(settings).close()
    execute(settings, "TRUNCATE realm CASCADE")
    with pytest.raises(DatabaseError, match="is gone or empty, but"):
        open_database(settings)


def test_reading_makes_no_tables_and_changes_nothing(settings: Settings) -> None:
    with pytest.raises(NoInstallationError, match="holds no installation"):
        open_existing(settings)
    open_database(settings).close()
    with (
        closing(open_existing(settings)) as database,
        pytest.raises(DatabaseError, match="read-only transaction"),
        database.errors_in_one_sentence(),
        database.writing() as session,
    ):
        session.execute(text("DELETE FROM account"))
