"""Filling tables by the million with single statements, as years of use would.

Owns copies of one real row that differ where rows must. Never makes the first one: a sign-in does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Table, event, text
from sqlmodel import SQLModel

import sp.models  # noqa: F401  (it fills the metadata that is looked into below)
from sp.store.engine import Database

_STEP = 250_000
_WITHOUT_INDICES_FROM = 50_000
# As good as random, each once: multiplication by an odd number is a permutation of the numbers below 2^32.
_FACTOR, _NUMBERS = 2_654_435_761, 2**32
_DOMAIN = "contoso.example"
_DIALECTS = {
    "sqlite": {
        "connection": "PRAGMA cache_size=-1048576; PRAGMA foreign_keys=OFF",
        "numbers": "WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)",
        "from": "numbers",
        "code": f"printf('%08x', (n * {_FACTOR}) % {_NUMBERS})",
        "ago": "strftime('%Y-%m-%d %H:%M:%f000', {column}, '-' || (n % 80 + 2) || ' days')",
    },
    "postgresql": {
        "connection": "SET session_replication_role = replica; SET maintenance_work_mem = '512MB'",
        "numbers": "",
        "from": "generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS numbers(n)",
        "code": f"lpad(to_hex((n * {_FACTOR}) % {_NUMBERS}), 8, '0')",
        "ago": "{column} - interval '1 day' * (n % 80 + 2)",
    },
}
_USER = f"{{code}} || '@{_DOMAIN}'"
USERS = {
    "username": _USER,
    "username_key": _USER,
    "email": _USER,
    "email_key": _USER,
    "search_text": f"{_USER} || ' britta simon'",
    "created_at": "{ago}",
}
ATTEMPTS = {
    "reference": "'A' || {code}",
    "received_at": "{ago}",
    "username": _USER,
    "user_key": _USER,
    "message": "NULL",  # it lies beside the row, and twenty million of them would fill the disk
}
CONSUMED = {"assertion_id": "'_a' || {code} || 'c0ffee00c0ffee00c0ffee00'"}
_ISSUERS = "https://idp.example/"
_ACCOUNTS = {"slug": "'a' || {code}", "issuer": f"'{_ISSUERS}' || {{code}}", "settings_id": "NULL"}
_SETTINGS = {"account_id": "account.id", "issuer": "account.issuer"}
_CERTIFICATES = {"settings_id": "account.settings_id"}
_SETTINGS_OF_ACCOUNT = (
    "UPDATE account SET settings_id = (SELECT id FROM sso_settings WHERE account_id = account.id) "
    "WHERE settings_id IS NULL"
)


def user_name(number: int) -> str:
    """The name of the copy of that number in a crowd of users."""
    return f"{number * _FACTOR % _NUMBERS:08x}@{_DOMAIN}"


def account_issuer(number: int) -> str:
    """The issuer that the copy of that number in a crowd of accounts trusts, with the certificate of the first one."""
    return f"{_ISSUERS}{number * _FACTOR % _NUMBERS:08x}"


def grow(database: Database, table_name: str, changes: Mapping[str, str], first: int, last: int) -> None:
    """Add the copies of these numbers of the table's newest row, changed as `changes` says in SQL."""
    table = SQLModel.metadata.tables[table_name]
    filling = _filling(database)
    words = _DIALECTS[database.engine.dialect.name]
    with filling.writing() as session, _without_indices(session.connection(), table, last - first + 1):
        for begin in range(first, last + 1, _STEP):
            copied = text(f"{words['numbers']} {_copies(table, changes, words['from'], words)}")
            session.execute(copied, {"first": begin, "last": min(begin + _STEP - 1, last)})
    _settle(filling)


def grow_accounts(database: Database, first: int, last: int) -> None:
    """Add accounts, each with one version of its settings, an issuer of its own and a certificate."""
    grow(database, "account", _ACCOUNTS, first, last)
    filling = _filling(database)
    bare = "account WHERE account.settings_id IS NULL"
    uncertified = "account WHERE account.settings_id NOT IN (SELECT settings_id FROM idp_certificate)"
    tables = SQLModel.metadata.tables
    with filling.writing() as session:
        session.execute(text(_copies(tables["sso_settings"], _SETTINGS, bare, {})))
        session.execute(text(_SETTINGS_OF_ACCOUNT))
        session.execute(text(_copies(tables["idp_certificate"], _CERTIFICATES, uncertified, {})))
    _settle(filling)


def _copies(table: Table, changes: Mapping[str, str], source: str, words: Mapping[str, str]) -> str:
    """A statement that copies one row of the table for each row of the source."""
    names = [column.name for column in table.columns if column.name != "id"]
    values = [_value(name, changes.get(name), words) for name in names]
    newest = " ORDER BY id DESC" if "id" in table.columns else ""
    one = f"(SELECT * FROM {table.name}{newest} LIMIT 1) AS template"  # noqa: S608  (names of our own tables)
    return f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(values)} FROM {one}, {source}"  # noqa: S608


def _value(name: str, change: str | None, words: Mapping[str, str]) -> str:
    if change is None:
        return f"template.{name}"
    return change.replace("{code}", words.get("code", "")).replace(
        "{ago}", words.get("ago", "").format(column=f"template.{name}")
    )


@contextmanager
def _without_indices(connection: Connection, table: Table, number: int) -> Iterator[None]:
    """Indices are made anew at the end of many rows: that is much faster than adding to them row by row."""
    indices = sorted(table.indexes, key=lambda index: str(index.name)) if number >= _WITHOUT_INDICES_FROM else []
    for index in indices:
        index.drop(connection)
    yield
    for index in indices:
        index.create(connection)


def _filling(database: Database) -> Database:
    """Connections of its own, with large caches, which take copies of a good row for good rows."""
    filling = Database(database.url)
    words = _DIALECTS[filling.engine.dialect.name]["connection"]

    def prepare(raw: Any, _record: object) -> None:
        for command in words.split("; "):
            raw.execute(command)
        raw.commit()

    event.listen(filling.engine, "connect", prepare)
    return filling


def _settle(filling: Database) -> None:
    """What was filled in is on the disk and known to the planner, so that no sign-in pays for it."""
    on_sqlite = filling.engine.dialect.name == "sqlite"
    commands = ["PRAGMA wal_checkpoint(TRUNCATE)"] if on_sqlite else ["VACUUM ANALYZE", "CHECKPOINT"]
    with filling.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for command in commands:
            connection.execute(text(command))
    filling.close()
