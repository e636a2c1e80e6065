"""The database by hand, and the health check, where no service runs."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from processes.program import free_port
from typer.testing import CliRunner, Result

from sp.cli import app


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIRTUAL_OFFICE_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def run(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == code, done.output
    return done


def test_an_older_database_is_told_and_left_alone(folder: Path) -> None:
    run("db", "upgrade")
    assert " is sound, at version " in run("db", "check").stdout
    with closing(sqlite3.connect(folder / "data" / "virtual-office.db")) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = '0001'")
    assert "is at version 0001; this program needs version" in run("db", "check", code=1).stderr
    with closing(sqlite3.connect(folder / "data" / "virtual-office.db")) as opened:
        assert opened.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)


def test_a_backup_never_overwrites_and_names_what_it_cannot_write(folder: Path) -> None:
    run("db", "upgrade")
    precious = folder / "precious.db"
    precious.write_text("precious")
    run("db", "backup", str(precious), code=2)
    assert precious.read_text() == "precious"
    said = run("db", "backup", str(folder / "nowhere" / "copy.db"), code=1).stderr
    assert "nowhere/copy.db' cannot be written" in said


def test_before_the_first_start_there_is_nothing_to_copy(folder: Path) -> None:
    assert "There is no database" in run("db", "backup", str(folder / "copy.db"), code=1).stderr
    assert not (folder / "copy.db").exists()


def test_postgresql_is_left_to_its_own_tools(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_OFFICE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert "pg_dump" in run("db", "backup", str(folder / "copy.db"), code=2).stderr


@pytest.mark.parametrize("command", [("serve",), ("users",), ("db", "upgrade"), ("db", "check")])
def test_without_the_driver_of_postgresql_the_error_says_what_to_install(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_OFFICE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("VIRTUAL_OFFICE_PORT", str(free_port()))
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as where it is not installed
    done = run(*command, code=1)
    assert done.stderr.endswith('run `pip install "virtual-office-sp[postgresql]"`.\n')
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0", "::"])  # noqa: S104  asked for, not listened on
def test_a_service_that_does_not_run_is_not_healthy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_OFFICE_HOST", host)
    monkeypatch.setenv("VIRTUAL_OFFICE_PORT", str(free_port()))
    said = run("healthcheck", code=1).stderr
    assert (said.count("\n"), "does not answer" in said) == (1, True)
