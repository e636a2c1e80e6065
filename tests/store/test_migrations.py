"""The migrations and the models say the same, in both databases; old databases open, newer ones do not, and of several
processes that start at once one migrates.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from processes.program import Installation, command_line
from sqlalchemy import JSON, Column, Connection, DateTime, MetaData, Table, create_engine, select, text
from sqlmodel import SQLModel

from sp.flows.domains import users_outside
from sp.store.domains import every_domain
from sp.store.engine import WRITE, Database, DatabaseError, newest_revision
from sp.store.migrating import configuration

REVISIONS = [script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()][::-1]
BEFORE_DOMAINS = REVISIONS[REVISIONS.index("0007") - 1]
PROCESSES = 3
NUMBER = 1000  # of every row of an old database: far from those that are made next
NOW = datetime(2030, 1, 31, 12, 0, tzinfo=UTC)
ENDED_SECONDS = 60

Rows = dict[str, dict[str, Any]]


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new.db"
        return
    url: str = request.getfixturevalue("postgresql_url")
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE fresh"))
        yield url.replace("/postgres?", "/fresh?")
        connection.execute(text("DROP DATABASE fresh WITH (FORCE)"))
    server.dispose()


def test_models_and_migrations_agree(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    before = database.revision()
    database.upgrade()
    assert database.revision() == before != "none"


def test_a_newer_database_is_refused(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="newer release"):
        sqlite_database.upgrade()


# The database of every earlier version


def at_revision(url: str, revision: str) -> Rows:
    """Make the tables of that version with a row in each; the rows."""
    config = configuration()
    with opened(url) as database, database.engine.execution_options(**{WRITE: True}).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        tables = MetaData()
        tables.reflect(connection)
        rows = {table.name: row_of(table) for table in tables.sorted_tables if table.name != "alembic_version"}
        for name, row in rows.items():
            connection.execute(tables.tables[name].insert().values(row))
    return rows


def row_of(table: Table) -> dict[str, Any]:
    """Every reference is to the only row."""
    return {
        column.name: value_of(column)
        for column in table.columns
        if column.computed is None and (not column.nullable or column.foreign_keys)
    }


def value_of(column: Column[Any]) -> object:
    """Text that is never longer than its column, and a time as the database keeps it."""
    if isinstance(column.type, JSON):
        return {"made": True}
    if isinstance(column.type, DateTime):
        return NOW if column.type.timezone else NOW.replace(tzinfo=None)
    made: dict[type, object] = {
        int: NUMBER,
        bool: True,
        bytes: b"x",
        str: column.name[: getattr(column.type, "length", 64)],
    }
    return made[column.type.python_type]


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_the_database_of_an_earlier_version_opens_with_all_that_was_in_it(new_url: str, revision: str) -> None:
    before = at_revision(new_url, revision)
    with opened(new_url) as database:
        database.upgrade()
        assert database.revision() == newest_revision()
        with database.engine.connect() as connection:
            check_rows(connection, before)


def check_rows(connection: Connection, before: Rows) -> None:
    tables = MetaData()
    tables.reflect(connection)
    assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []
    assert connection.dialect.name != "sqlite" or connection.execute(text("PRAGMA foreign_key_check")).all() == []
    for name, row in before.items():
        (found,) = connection.execute(select(tables.tables[name])).mappings().all()
        assert {column: found[column] for column in row} == row, name


def test_a_version_that_is_not_there_any_more_cannot_be_forgotten() -> None:
    assert sorted(REVISIONS) == REVISIONS
    assert REVISIONS[-1] == newest_revision()


# Several processes at once


@pytest.fixture
def processes(new_url: str, tmp_path: Path) -> Callable[[], list[subprocess.CompletedProcess[str]]]:
    """A function that opens the database in several processes at once, each of which would migrate and seed it."""
    installation = Installation(tmp_path, settings={"DATABASE_URL": new_url, "ADMIN_PASSWORD": "Rehearse-8x8"})

    def start() -> list[subprocess.CompletedProcess[str]]:
        begun = [
            subprocess.Popen(
                command_line("db", "upgrade"),
                env=installation.environment,
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(PROCESSES)
        ]
        return [
            subprocess.CompletedProcess(process.args, process.returncode, told)
            for process in begun
            for told, _ in [process.communicate(timeout=ENDED_SECONDS)]
        ]

    return start


@pytest.mark.parametrize("revision", [None, REVISIONS[0]])
def test_processes_that_start_at_once_migrate_and_seed_once(
    new_url: str, revision: str | None, processes: Callable[[], list[subprocess.CompletedProcess[str]]]
) -> None:
    rows = at_revision(new_url, revision) if revision else {}
    done = processes()
    assert [process.returncode for process in done] == [0] * PROCESSES, [process.stdout for process in done]
    with opened(new_url) as database, database.reading() as session:
        assert database.revision() == newest_revision()
        for table, more in (("company", 1), ("administrator", 1), ("service_key", 1)):
            number = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
            assert number == more + (table in rows), table


# 0007: the domains of companies that exist


def companies_before_domains(url: str, users: dict[str, tuple[str, ...]]) -> None:
    """A database of the version before, with these companies and the usernames of each one's users."""
    config = configuration()
    with opened(url) as database, database.engine.execution_options(**{WRITE: True}).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE_DOMAINS)
        tables = MetaData()
        tables.reflect(connection)

        def add(kind: str, number: int, **values: Any) -> None:
            table = tables.tables[kind]
            connection.execute(table.insert().values(row_of(table) | {"id": number} | values))

        add("realm", 1, name="shared")
        for number, (company, usernames) in enumerate(users.items(), start=1):
            add("company", number, realm_id=1, name=company)
            add("account", number, realm_id=1, company_id=number, slug=f"a-{number}", issuer=None, settings_id=None)
            for position, username in enumerate(usernames):
                values = {"realm_id": 1, "account_id": number, "username": username, "username_key": username.lower()}
                add("user_profile", 100 * number + position, **values)


def domains_after(url: str) -> dict[str, str]:
    with opened(url) as database:
        database.upgrade()
        with database.reading() as session:
            return {found.name: company for found, company in every_domain(session)}


def test_a_company_that_is_alone_gets_the_domains_of_its_users(new_url: str) -> None:
    companies_before_domains(new_url, {"Contoso": ("britta", "A@Bücher.example", "b@evil.example", "c@evil.example")})
    assert domains_after(new_url) == dict.fromkeys(
        ("contoso.com", "contoso.example", "evil.example", "xn--bcher-kva.example"), "Contoso"
    )


def test_of_several_companies_none_gets_a_domain_that_another_may_own(new_url: str) -> None:
    users = {"Contoso": ("a@contoso.example",), "Fabrikam": ("x@fabrikam.example", "mole@contoso.com")}
    companies_before_domains(new_url, users)
    assert domains_after(new_url) == {"contoso.example": "Contoso"}
    with opened(new_url) as database, database.reading() as session:
        assert [user.username for user in users_outside(session)] == ["x@fabrikam.example", "mole@contoso.com"]
