"""The generated administrator's password: kept by whichever command is the first, and forgotten once it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sp.cli import app
from sp.flows.opening import open_database, password_file
from sp.flows.passwords import password_matches
from sp.settings import Settings
from sp.store import administrators
from sp.store.engine import Database, DatabaseError


def first_start(folder: Path, **changes: Any) -> Settings:
    settings = Settings(data_dir=folder, **changes)
    open_database(settings).close()
    return settings


def test_the_password_is_kept_and_opens_the_door(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    database = open_database(settings)
    file = password_file(settings)
    with database.reading() as session:
        administrator = administrators.administrator_named(session, settings.admin_username)
    database.close()
    assert administrator is not None
    assert password_matches(administrator.password_hash, file.read_text().strip())
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    """As with PostgreSQL, whose database needs no folder here."""
    settings = first_start(tmp_path / "data", database_url=f"sqlite:///{tmp_path / 'elsewhere.db'}")
    assert password_file(settings).exists()


def test_a_password_that_cannot_be_kept_seeds_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, no folder")
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    with pytest.raises(DatabaseError, match="VIRTUAL_OFFICE_DATA_DIR"):
        first_start(tmp_path / "data", database_url=elsewhere)
    assert password_file(first_start(tmp_path / "other", database_url=elsewhere)).exists()


def test_a_database_that_cannot_be_prepared_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").write_text("a file, no folder")
    closed: list[Database] = []
    real = Database.close

    def close(database: Database) -> None:
        closed.append(database)
        real(database)

    monkeypatch.setattr(Database, "close", close)
    with pytest.raises(DatabaseError):
        open_database(Settings(data_dir=tmp_path / "data", database_url=f"sqlite:///{tmp_path / 'elsewhere.db'}"))
    assert len(closed) == 1


def test_a_chosen_password_ends_the_file(tmp_path: Path) -> None:
    first_start(tmp_path)
    assert not password_file(first_start(tmp_path, admin_password="Chosen-1-password")).exists()


def test_a_reset_password_ends_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = first_start(tmp_path)
    monkeypatch.setenv("VIRTUAL_OFFICE_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(app, ["administrator", "reset-password", "--username", settings.admin_username])
    assert done.exit_code == 0, done.output
    assert not password_file(settings).exists()
