"""User profiles as a file for spreadsheets.

Owns the format. Never writes a cell that a spreadsheet would run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

from sp.models import User, UserSource
from sp.web.admin.user_columns import COLUMNS
from sp.web.admin.user_view import SOURCES

_BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for an old code page
_ROWS_AT_ONCE = 500
# What begins a formula, the full-width forms that some spreadsheets take for the same included.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def csv_of(users: Iterable[User]) -> Iterator[bytes]:
    """The file in pieces: a head, then a line for each user. UTF-8 with a byte order mark, every cell quoted."""
    yield _lines([[column.label for column in COLUMNS]], start=_BYTE_ORDER_MARK)
    rows = (_row(user) for user in users)
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        yield _lines(batch)


def _lines(rows: Iterable[Iterable[str]], start: str = "") -> bytes:
    text = io.StringIO()
    text.write(start)
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([map(harmless, row) for row in rows])
    return text.getvalue().encode()


def harmless(cell: str) -> str:
    """The cell, with an apostrophe in front where a spreadsheet would read a formula (CSV injection)."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _row(user: User) -> tuple[str, ...]:
    return (
        user.first_name,
        user.last_name,
        user.email,
        user.username,
        user.federation_id,
        SOURCES[UserSource(user.source)],
        _time(user.created_at),
        _time(user.last_sign_in_at),
        user.status.capitalize(),
    )


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
