"""User profiles as a file for spreadsheets.

Owns which cells a profile has. Never writes one itself: `sp.web.spreadsheet` keeps them harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sp.models import User, UserSource
from sp.web.admin.user_columns import COLUMNS
from sp.web.admin.user_view import SOURCES
from sp.web.spreadsheet import csv_file, time_cell


def csv_of(users: Iterable[User]) -> Iterator[bytes]:
    """The file in pieces: a head, then a line for each user."""
    return csv_file((column.label for column in COLUMNS), (_row(user) for user in users))


def _row(user: User) -> tuple[str, ...]:
    return (
        user.first_name,
        user.last_name,
        user.email,
        user.username,
        user.federation_id,
        SOURCES[UserSource(user.source)],
        time_cell(user.created_at),
        time_cell(user.last_sign_in_at),
        user.status.capitalize(),
    )
