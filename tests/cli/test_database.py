"""The database by hand, and the health check, where no service runs."""

from __future__ import annotations

import os
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
    assert "There is no installation" in run("db", "backup", str(folder / "copy.db"), code=2).stderr
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


# A database that was there and is lost, empty, damaged or has broken keys

REASONS = {
    "gone": "is gone or empty, but",
    "empty file": "is gone or empty, but",
    "no tables": "is gone or empty, but",
    "no rows": "is gone or empty, but",
    "no database": "file is not a database",
    "cut off": "malformed",
}


def harm(file: Path, how: str) -> None:
    if how in {"gone", "no database"}:
        file.unlink()
    if how == "empty file":
        os.truncate(file, 0)
    elif how == "no database":
        file.write_bytes(b"no database" * 1000)
    elif how == "cut off":
        os.truncate(file, 8192)
    elif how != "gone":
        empty(file, tables=how == "no tables")


def empty(file: Path, *, tables: bool) -> None:
    """Drop every table, or delete every row but the version."""
    with closing(sqlite3.connect(file, isolation_level=None)) as opened:
        names = [name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            if tables:
                opened.execute(f'DROP TABLE "{name}"')
            elif name != "alembic_version":
                opened.execute(f'DELETE FROM "{name}"')  # noqa: S608  a name from the database itself


def keys_in(file: Path) -> list[bytes]:
    with closing(sqlite3.connect(file)) as opened:
        return [key for (key,) in opened.execute("SELECT private_key FROM service_key")]


@pytest.mark.parametrize("how", REASONS)
def test_a_lost_database_is_no_new_installation(folder: Path, how: str) -> None:
    run("db", "upgrade")
    file = folder / "data" / "virtual-office.db"
    harm(file, how)
    for command in [("db", "upgrade"), ("db", "check"), ("users",)]:
        said = run(*command, code=1).stderr
        assert REASONS[how] in said
        assert (said.count("\n"), "Traceback" in said) == (1, False)
    assert file.exists() is (how != "gone")


def test_the_marker_says_how_to_start_anew(folder: Path) -> None:
    run("db", "upgrade")
    file, marker = folder / "data" / "virtual-office.db", folder / "data" / "virtual-office.db.installation"
    before = keys_in(file)
    file.unlink()
    assert f"To start anew on purpose, with new keys and no record of used assertions, delete {marker}.\n" in (
        run("db", "upgrade", code=1).stderr
    )
    assert "delete this file" in marker.read_text()
    marker.unlink()
    run("db", "upgrade")
    assert not set(keys_in(file)) & set(before)
    assert marker.stat().st_mode & 0o777 == 0o600


def test_an_empty_file_in_the_place_of_the_database_is_not_filled(folder: Path) -> None:
    """Of a former release, which left no marker, or of a backup that failed."""
    file = folder / "data" / "virtual-office.db"
    file.parent.mkdir()
    file.touch()
    assert f"{file} is empty" in run("db", "upgrade", code=1).stderr
    assert file.stat().st_size == 0


def test_a_start_that_was_interrupted_is_no_lost_installation(folder: Path) -> None:
    """The marker is empty until the installation is complete."""
    (folder / "data").mkdir()
    (folder / "data" / "virtual-office.db.installation").touch()
    (folder / "data" / "virtual-office.db").touch()
    run("db", "upgrade")
    run("users")


def test_an_installation_of_a_former_release_gets_its_marker(folder: Path) -> None:
    run("db", "upgrade")
    marker = folder / "data" / "virtual-office.db.installation"
    marker.unlink()
    run("db", "upgrade")
    assert marker.stat().st_size > 0


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("private_key", b"rubbish", "the private key cannot be read"),
        ("private_key", b"", "the private key cannot be read"),
        ("private_key", None, "the private key cannot be read"),
        ("certificate", b"rubbish", "the certificate cannot be read"),
        ("certificate", "the other key's", "the certificate is of another private key"),
    ],
)
def test_a_broken_key_is_found(folder: Path, column: str, value: bytes | str | None, reason: str) -> None:
    run("db", "upgrade")
    with closing(sqlite3.connect(folder / "data" / "virtual-office.db")) as opened, opened:
        if isinstance(value, str):
            run("keys", "certificate", "--purpose", "encryption")
            found = opened.execute("SELECT certificate FROM service_key WHERE purpose = 'encryption'").fetchone()[0]
        elif value is None:  # one bit in the private exponent
            key = opened.execute("SELECT private_key FROM service_key WHERE purpose = 'signing'").fetchone()[0]
            found = key[:400] + bytes([key[400] ^ 1]) + key[401:]
        else:
            found = value
        opened.execute(f"UPDATE service_key SET {column} = ? WHERE purpose = 'signing'", [found])  # noqa: S608
    for command in ("check", "upgrade"):
        sentence = run("db", command, code=1).stderr
        assert sentence.startswith("The active signing key ")
        assert reason in sentence
        assert sentence.count("\n") == 1
    if column == "private_key" and value is not None:
        assert run("metadata", "--signed", code=1).stderr.count("\n") == 1


def test_a_retired_key_that_is_broken_stops_no_start(folder: Path) -> None:
    run("db", "upgrade")
    with closing(sqlite3.connect(folder / "data" / "virtual-office.db")) as opened, opened:
        opened.execute(
            "INSERT INTO service_key (purpose, state, certificate, private_key, created_at) "
            "VALUES ('signing', 'retired', x'00', x'00', '2026-01-01')"
        )
    assert "The retired signing key " in run("db", "check", code=1).stderr
    run("db", "upgrade")
