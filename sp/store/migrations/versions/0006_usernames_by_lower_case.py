"""Usernames compared by lower case instead of case folding, and so are the values that are searched and sorted.

Merges no users and ends no sessions. The rule is written out here, since a migration must not change with the program.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy import RowMapping

revision = "0006"
down_revision = "0005"

_BATCH = 1000  # rows
_USER = sa.table(
    "user_profile",
    *(sa.column(name) for name in ("id", "realm_id", "username", "first_name", "last_name", "email", "federation_id")),
    *(
        sa.column(name)
        for name in ("username_key", "first_name_key", "last_name_key", "email_key", "federation_id_key")
    ),
    sa.column("search_text"),
)
_ADMINISTRATOR = sa.table("administrator", sa.column("id"), sa.column("username"), sa.column("username_key"))
_ATTEMPT = sa.table(
    "sign_in_attempt",
    *(sa.column(name) for name in ("id", "username", "unverified_username", "issuer", "user_key", "issuer_key")),
)
Row = RowMapping


def upgrade() -> None:
    """Recompute the keys. What is to be told of it goes into the `notes` of the configuration."""
    notes: list[str] = context.config.attributes.setdefault("notes", [])
    for row, keys in _changed(_ADMINISTRATOR, _keys_of_administrator):
        notes += _note(_ADMINISTRATOR, "administrator", row, keys)
        _update(_ADMINISTRATOR, row, keys)
    for row, keys in _changed(_USER, _keys_of_user):
        notes += _note(_USER, "user", row, keys)
        _update(_USER, row, keys)
    for row, keys in _changed(_ATTEMPT, _keys_of_attempt):
        _update(_ATTEMPT, row, keys)


def _changed(table: sa.TableClause, keys_of: Callable[[Row], dict[str, str]]) -> Iterator[tuple[Row, dict[str, str]]]:
    """The rows whose keys are others by the new rule, with those. Both rules agree on ASCII, so most rows stay."""
    last = 0
    while True:
        query = sa.select(table).where(table.c.id > last).order_by(table.c.id).limit(_BATCH)
        rows = op.get_bind().execute(query).mappings().all()
        for row in rows:
            if not all(value.isascii() for value in row.values() if isinstance(value, str)):
                keys = {name: key for name, key in keys_of(row).items() if key != row[name]}
                if keys:
                    yield row, keys
        if len(rows) < _BATCH:
            return
        last = rows[-1]["id"]


def _keys_of_user(row: Row) -> dict[str, str]:
    names = ("first_name", "last_name", "email", "federation_id")
    searched = dict.fromkeys(
        _key(row[name]) for name in ("username", "first_name", "last_name", "email", "federation_id") if row[name]
    )
    return {
        "username_key": _key(row["username"]),
        **{f"{name}_key": _key(row[name])[:128] for name in names},
        "search_text": "\n".join(searched)[:600],
    }


def _keys_of_administrator(row: Row) -> dict[str, str]:
    return {"username_key": _key(row["username"])}


def _keys_of_attempt(row: Row) -> dict[str, str]:
    user = row["username"] or row["unverified_username"]
    return {"user_key": _key(user)[:128], "issuer_key": _key(row["issuer"])[:256]}


def _note(table: sa.TableClause, kind: str, row: Row, keys: dict[str, str]) -> Iterator[str]:
    """A sentence where the key of the username is another one now; it stays where another row has the new one."""
    if "username_key" not in keys:
        return
    name, key = row["username"], keys["username_key"]
    same = [table.c.username_key == key]
    if "realm_id" in row:
        same.append(table.c.realm_id == row["realm_id"])
    if op.get_bind().execute(sa.select(table.c.id).where(*same)).first() is not None:
        del keys["username_key"]
        yield f"The {kind} {name!r} keeps its old key: another {kind} has the username {key!r}. Rename one of them."
    else:
        yield f"The {kind} {name!r} was found as {row['username_key']!r}, and is now found as {key!r} only."


def _update(table: sa.TableClause, row: Row, keys: dict[str, str]) -> None:
    if keys:
        op.get_bind().execute(sa.update(table).where(table.c.id == row["id"]).values(keys))


def _key(text: str) -> str:
    lowered = "".join(character.lower() for character in unicodedata.normalize("NFC", text))
    return unicodedata.normalize("NFC", lowered)
