"""The list of an account's user profiles: searched, sorted, counted, a page at a time.

Owns how a page is found quickly among 100 000 profiles. Never lists a tombstone, and never another account's.

A page starts behind a position, the (sort value, id) of a row, and never at a number of rows to skip: page 2000 costs
what page 1 costs. For each status the database walks one index in the order asked for, and the short results are
merged. A search reads an index that holds the folded texts and nothing else. Few matches are sorted as they are. The
page of a frequent word is soon full of the next rows in order; only when it is not, all matches are found first.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, false, func, literal, select, true, tuple_, union_all
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session

from sp.models import User, UserStatus
from sp.store.engine import Database
from sp.store.rows import column, required
from sp.store.users import folded

LISTED = (UserStatus.ACTIVE, UserStatus.DISABLED)
_FEW = 1_000
_WINDOW = 2_000  # rows that a search tries before it finds all matches; reading them takes about 5 ms
_BATCH = 500

Value = str | datetime


class SortBy(StrEnum):
    """What the list can be sorted by."""

    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    EMAIL = "email"
    USERNAME = "username"
    FEDERATION_ID = "federation_id"
    SOURCE = "source"
    CREATED = "created"
    LAST_SIGN_IN = "last_sign_in"
    STATUS = "status"


_COLUMNS = {
    SortBy.FIRST_NAME: "first_name_key",
    SortBy.LAST_NAME: "last_name_key",
    SortBy.EMAIL: "email_key",
    SortBy.USERNAME: "username_key",
    SortBy.FEDERATION_ID: "federation_id_key",
    SortBy.SOURCE: "source",
    SortBy.CREATED: "created_at",
    SortBy.LAST_SIGN_IN: "last_sign_in_key",
    SortBy.STATUS: "status",
}
TIMES = frozenset((SortBy.CREATED, SortBy.LAST_SIGN_IN))  # the others have texts for values


@dataclass(frozen=True, slots=True)
class Listing:
    """Whose profiles, which of them, and in which order. All of `words` must occur somewhere in a profile."""

    account_id: int
    words: tuple[str, ...] = ()
    statuses: tuple[UserStatus, ...] = LISTED
    sort: SortBy = SortBy.CREATED
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Position:
    """Between two rows: behind the row with this sort value and id, or before it when going `back`."""

    value: Value
    id: int
    back: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some profiles in order. `total` counts every match; a position is None where there is no further page."""

    users: tuple[User, ...]
    total: int
    previous: Position | None = None
    next: Position | None = None


def page(session: Session, listing: Listing, start: Position | None = None, *, size: int) -> Page:
    """At most `size` profiles behind (or before) `start`."""
    few = _few_matches(session, listing)
    total = count(session, listing) if few is None else len(few)
    ids = _ids(session, listing, few, start, size + 1)
    users = _rows(session, ids[:size])
    back = start is not None and start.back
    if back:
        users.reverse()
    return _between(listing, users, total, more_behind=len(ids) > size or back, more_before=_before(start, ids, size))


def some(
    session: Session, listing: Listing, start: Position | None = None, *, size: int
) -> tuple[tuple[User, ...], bool]:
    """At most `size` profiles behind `start`, and whether there are more behind them; nothing is counted."""
    ids = _ids(session, listing, _few_matches(session, listing), start, size + 1)
    return tuple(_rows(session, ids[:size])), len(ids) > size


def with_federation_id(
    session: Session, account_id: int, federation_id: str, *, statuses: tuple[UserStatus, ...], after: int, limit: int
) -> Sequence[User]:
    """At most `limit` profiles with exactly this Federation ID and an id higher than `after`, the lowest first."""
    query = (
        select(User)
        .where(
            column(User.account_id) == account_id,
            column(User.federation_id) == federation_id,
            column(User.status).in_(statuses),
            column(User.id) > after,
        )
        .order_by(column(User.id))
        .limit(limit)
    )
    return session.execute(query).scalars().all()


def position_of(listing: Listing, user: User) -> Position:
    """Where a page begins that follows this profile."""
    return _position(listing, user, back=False)


def count(session: Session, listing: Listing) -> int:
    """How many profiles match."""
    return _counted(session, _matching(listing))


def everybody(database: Database, listing: Listing) -> Iterator[User]:
    """Every match in order, read in batches that hold no connection while their reader takes its time.

    The ids are read first, all at once (8 bytes each), so that nobody comes twice or is left out because a sort
    value changed on the way.
    """
    with database.reading() as session:
        ids = array("q", session.execute(_in_order(listing, None, None)).scalars())
    for first in range(0, len(ids), _BATCH):
        with database.reading() as session:
            batch = _rows(session, ids[first : first + _BATCH])
        yield from batch


def words_of(text: str) -> tuple[str, ...]:
    """The words of a search as they are compared, each once. PostgreSQL takes no NUL in a text, and nobody has one."""
    return tuple(dict.fromkeys(folded(text.replace("\0", " ")).split()))


def _before(start: Position | None, ids: Sequence[int], size: int) -> bool:
    """Whether there are rows before the page. Behind a row there is at least that row."""
    return start is not None and (not start.back or len(ids) > size)


def _between(listing: Listing, users: list[User], total: int, *, more_behind: bool, more_before: bool) -> Page:
    if not users:
        return Page((), total)
    first, last = users[0], users[-1]
    return Page(
        tuple(users),
        total,
        _position(listing, first, back=True) if more_before else None,
        _position(listing, last, back=False) if more_behind else None,
    )


def _position(listing: Listing, user: User, *, back: bool) -> Position:
    return Position(getattr(user, _COLUMNS[listing.sort]), required(user.id), back)


def _rows(session: Session, ids: Iterable[int]) -> list[User]:
    """The rows of these ids, in their order."""
    wanted = list(ids)
    found = session.execute(select(User).where(column(User.id).in_(wanted))).scalars()
    by_id = {user.id: user for user in found}
    return [by_id[user_id] for user_id in wanted if user_id in by_id]


def _counted(session: Session, conditions: tuple[ColumnElement[bool], ...]) -> int:
    number: int = session.execute(select(func.count()).select_from(User).where(*conditions)).scalar_one()
    return number


def _scope(listing: Listing) -> tuple[ColumnElement[bool], ...]:
    return column(User.account_id) == listing.account_id, column(User.status).in_(listing.statuses)


def _matching(listing: Listing) -> tuple[ColumnElement[bool], ...]:
    return *_scope(listing), *_has_words(listing)


def _has_words(listing: Listing) -> tuple[ColumnElement[bool], ...]:
    return tuple(column(User.search_text).contains(word, autoescape=True) for word in listing.words)


def _few_matches(session: Session, listing: Listing) -> Sequence[int] | None:
    """The ids of all matches, in no order, when a search has only a few."""
    if not listing.words:
        return None
    query = select(column(User.id)).where(*_matching(listing)).limit(_FEW + 1)
    found = session.execute(query).scalars().all()
    return found if len(found) <= _FEW else None


def _ids(
    session: Session, listing: Listing, few: Sequence[int] | None, start: Position | None, limit: int
) -> Sequence[int]:
    """The ids of the matches in order, or in reverse when going back."""
    if few is not None:
        return session.execute(_among(few, listing, start, limit)).scalars().all()
    if listing.words:
        near = session.execute(_in_window(listing, start, limit)).scalars().all()
        if len(near) == limit:
            return near
    return session.execute(_in_order(listing, start, limit)).scalars().all()


def _among(few: Sequence[int], listing: Listing, start: Position | None, limit: int) -> Select[tuple[int]]:
    key, row_id = column(getattr(User, _COLUMNS[listing.sort])), column(User.id)
    downwards = _downwards(listing, start)
    query = select(row_id).where(row_id.in_(few))
    if start is not None:
        query = query.where(_past(key, row_id, start, downwards))
    return query.order_by(*_order(key, row_id, downwards)).limit(limit)


def _in_window(listing: Listing, start: Position | None, limit: int) -> Select[tuple[int]]:
    """The matches among the next rows. A full page of them is the page; fewer say nothing about what comes later."""
    window = _merged(replace(listing, words=()), start, _WINDOW).subquery()
    return (
        select(window.c.id)
        .join(User, column(User.id) == window.c.id)
        .where(*_has_words(listing))
        .order_by(*_order(window.c.key, window.c.id, _downwards(listing, start)))
        .limit(limit)
    )


def _in_order(listing: Listing, start: Position | None, limit: int | None) -> Select[tuple[int]]:
    merged = _merged(listing, start, limit)
    return merged.with_only_columns(merged.selected_columns.id)


def _merged(listing: Listing, start: Position | None, limit: int | None) -> Select[Any]:
    """(key, id) of every status together, each walked for itself."""
    walks = [_walk(listing, status, start, limit) for status in listing.statuses]
    merged = (walks[0] if len(walks) == 1 else union_all(*(select(walk.subquery()) for walk in walks))).subquery()
    order = _order(merged.c.key, merged.c.id, _downwards(listing, start))
    return select(merged.c.key, merged.c.id).order_by(*order).limit(limit)


def _downwards(listing: Listing, start: Position | None) -> bool:
    return listing.descending != (start is not None and start.back)


def _walk(listing: Listing, status: UserStatus, start: Position | None, limit: int | None) -> Select[Any]:
    """One status: a range of the index (account_id, status, key, id)."""
    key, row_id = column(getattr(User, _COLUMNS[listing.sort])), column(User.id)
    downwards = _downwards(listing, start)
    conditions = [column(User.account_id) == listing.account_id, column(User.status) == status]
    query = select(key.label("key"), row_id.label("id")).where(*conditions)
    if listing.words:
        query = query.where(row_id.in_(_matches(listing, status)))
    if start is not None:
        query = query.where(_beyond(listing.sort, status, start, downwards))
    by_id = listing.sort is SortBy.STATUS  # which is the same all the way
    return query.order_by(*_order(key, row_id, downwards)[by_id:]).limit(limit)


def _matches(listing: Listing, status: UserStatus) -> Select[tuple[int]]:
    """All of one status that match. PostgreSQL would else look at every row on the way instead."""
    found = select(column(User.id).label("id")).where(*_matching(replace(listing, statuses=(status,))))
    return select(found.cte(f"{status}_matches").prefix_with("MATERIALIZED", dialect="postgresql").c.id)


def _beyond(sort: SortBy, status: UserStatus, start: Position, downwards: bool) -> ColumnElement[bool]:
    """What lies on the far side of the position."""
    key, row_id = column(getattr(User, _COLUMNS[sort])), column(User.id)
    if sort is SortBy.STATUS and status != start.value:
        return true() if (status < str(start.value)) == downwards else false()
    if sort is SortBy.STATUS:
        return row_id < start.id if downwards else row_id > start.id
    return _past(key, row_id, start, downwards)


def _past(key: ColumnElement[Any], row_id: ColumnElement[Any], start: Position, downwards: bool) -> ColumnElement[bool]:
    here = tuple_(literal(start.value, key.type), literal(start.id, row_id.type))
    there = tuple_(key, row_id)
    return there < here if downwards else there > here


def _order(key: ColumnElement[Any], row_id: ColumnElement[Any], downwards: bool) -> tuple[ColumnElement[Any], ...]:
    return (key.desc(), row_id.desc()) if downwards else (key.asc(), row_id.asc())
