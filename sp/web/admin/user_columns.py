"""The columns of "User Profiles", and which of them this browser shows.

Owns the choice, a cookie with the names of columns. Never keeps it on the server: it is no setting of the account.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fastapi import Request, Response

from sp.settings import Settings
from sp.store.user_listing import SortBy

COOKIE = "virtual_office_user_columns"
_A_YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Column:
    """One column as the table component takes it. A `fixed` one cannot be hidden, so that no table is empty."""

    key: SortBy
    label: str
    hidden: bool = False
    fixed: bool = False
    short: bool = False
    sortable: bool = True
    number: bool = False


COLUMNS = (
    Column(SortBy.FIRST_NAME, "First Name", fixed=True),
    Column(SortBy.LAST_NAME, "Last Name"),
    Column(SortBy.EMAIL, "Email Address"),
    Column(SortBy.USERNAME, "Username", hidden=True),
    Column(SortBy.FEDERATION_ID, "Federation ID"),
    Column(SortBy.SOURCE, "Source", short=True),
    Column(SortBy.CREATED, "Created", short=True),
    Column(SortBy.LAST_SIGN_IN, "Last sign-in", short=True),
    Column(SortBy.STATUS, "Status", short=True),
)


def columns_of(request: Request) -> tuple[Column, ...]:
    """All columns; those that this browser does not show are `hidden`. Names that are no column's are ignored."""
    kept = request.cookies.get(COOKIE)
    if kept is None:
        return COLUMNS
    shown = frozenset(kept.split("."))
    return tuple(replace(column, hidden=not column.fixed and column.key not in shown) for column in COLUMNS)


def keep_columns(response: Response, names: Iterable[str], settings: Settings) -> None:
    """Remember the known ones of these names."""
    chosen = frozenset(names)
    response.set_cookie(
        COOKIE,
        ".".join(column.key for column in COLUMNS if column.key in chosen) or "none",
        max_age=_A_YEAR,
        path="/account-manager",
        httponly=True,
        samesite="lax",
        secure=settings.secure_cookies,
    )
