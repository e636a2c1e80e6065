"""The keys of usernames of earlier databases are recomputed: nobody is merged, and no session ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, func, insert, select, text
from store.test_migrations import at_revision, new_url, opened  # noqa: F401  the fixture
from typer.testing import CliRunner

from sp.cli import app
from sp.store.engine import WRITE, Database
from sp.store.users import folded

MANY = 1001  # more than are read at once
SHARP_S, WEISS = "Anna.Weiß@contoso.com", "anna.weiss@contoso.com"
NAMES = [SHARP_S, "Σίσυφος", "JÜRGEN", "ᾳ", "\u1c80оля", "Ꭰ", "İpek"]
CHANGED = {SHARP_S, "Σίσυφος", "ᾳ", "\u1c80оля", "Ꭰ"}


def old_key(name: str) -> str:
    return name.casefold()


def add_rows(database: Database, name: str, *rows: dict[str, Any]) -> None:
    """Copies of the only row of the table, with changes."""
    with database.engine.execution_options(**{WRITE: True}).begin() as connection:
        table = reflected(connection)[name]
        computed = {column.name for column in table.columns if column.computed is not None}
        like = {key: value for key, value in only_row(connection, name).items() if key not in computed}
        connection.execute(insert(table), [{**like, **row} for row in rows])


def reflected(connection: Connection) -> Any:
    tables = MetaData()
    tables.reflect(connection)
    return tables.tables


def only_row(connection: Connection, name: str) -> dict[str, Any]:
    return dict(connection.execute(select(reflected(connection)[name])).mappings().one())


def column_of(database: Database, table: str, name: str) -> dict[str, str]:
    """A column by username."""
    with database.engine.connect() as connection:
        found = reflected(connection)[table]
        return {row[0]: row[1] for row in connection.execute(select(found.c.username, found.c[name]))}


def number_of(database: Database, table: str) -> int:
    with database.engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(reflected(connection)[table])).scalar_one())


def fill(database: Database) -> None:
    people = [
        {
            "id": 5000 + at,
            "username": name,
            "username_key": old_key(name),
            "first_name": name,
            "first_name_key": old_key(name)[:128],
            "email": "",
            "email_key": "",
            "last_name": "",
            "last_name_key": "",
            "federation_id": "",
            "federation_id_key": "",
            "search_text": old_key(name),
        }
        for at, name in enumerate(NAMES)
    ]
    others = [{"id": 2000 + at, "username": f"u{at}", "username_key": f"u{at}"} for at in range(MANY)]
    add_rows(database, "user_profile", *others, *people)


@pytest.fixture
def old(new_url: str) -> str:  # noqa: F811
    """The URL of a database of the version before, with all kinds of names."""
    at_revision(new_url, "0005")
    with opened(new_url) as database:
        attempts = [
            {"id": 5000 + at, "reference": f"r{at}", "username": name, "user_key": old_key(name)[:128]}
            for at, name in enumerate(NAMES)
        ]
        add_rows(database, "sign_in_attempt", *attempts)
        administrator = {"id": 5000, "username": SHARP_S, "username_key": old_key(SHARP_S)}
        add_rows(database, "administrator", administrator)
        fill(database)
    return new_url


def test_every_row_has_the_key_by_which_it_is_looked_for_now(old: str) -> None:
    with opened(old) as database:
        before = {table: number_of(database, table) for table in ("user_profile", "user_session", "administrator")}
        database.upgrade()
        assert {table: number_of(database, table) for table in before} == before
        for table, key in (
            ("user_profile", "username_key"),
            ("user_profile", "first_name_key"),
            ("user_profile", "search_text"),
            ("sign_in_attempt", "user_key"),
        ):
            found = column_of(database, table, key)
            assert {name: found[name] for name in NAMES} == {name: folded(name) for name in NAMES}, (table, key)
        assert column_of(database, "administrator", "username_key")[SHARP_S] == folded(SHARP_S)
        assert column_of(database, "user_profile", "username_key")["u7"] == "u7"
        told = [note for note in database.upgrade_notes if note.startswith("The user")]
        assert {name for name in NAMES if any(repr(name) in note for note in told)} == CHANGED
        (note,) = [note for note in database.upgrade_notes if "administrator" in note]
        assert (
            note
            == f"The administrator {SHARP_S!r} was found as {WEISS!r}, and is now found as {folded(SHARP_S)!r} only."
        )


def test_who_would_get_the_key_of_another_keeps_the_old_one(old: str) -> None:
    with opened(old) as database:
        add_rows_of = {"id": 9000, "username": "other", "username_key": folded(SHARP_S)}
        with database.engine.execution_options(**{WRITE: True}).begin() as connection:
            table = reflected(connection)["user_profile"]
            like = dict(connection.execute(select(table).where(table.c.id == 5001)).mappings().one())
            connection.execute(insert(table), {**like, **add_rows_of})
        database.upgrade()
        assert column_of(database, "user_profile", "username_key")[SHARP_S] == WEISS
        (note,) = [note for note in database.upgrade_notes if "keeps its old key" in note]
        assert SHARP_S in note


def test_the_command_lists_the_names_whose_key_changed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/virtual-office.db"
    at_revision(url, "0005")
    with opened(url) as database:
        fill(database)
        with database.writing() as session:
            session.execute(text("DELETE FROM service_key"))  # of no meaning here, and a start checks every one
    environment = {"VIRTUAL_OFFICE_DATA_DIR": str(tmp_path), "VIRTUAL_OFFICE_ADMIN_PASSWORD": "Rehearse-8x8"}
    first = CliRunner().invoke(app, ["db", "upgrade"], env=environment)
    assert first.exit_code == 0, first.output
    assert SHARP_S in first.stderr
    assert "is at version" in first.stdout
    assert SHARP_S not in CliRunner().invoke(app, ["db", "upgrade"], env=environment).output
