"""The sign-in log as a list: filtered, counted, a page at a time, and what came since a moment ago.

Owns how rows are found quickly among hundreds of thousands. Never reads a message: a page of the list holds none.

One index has everything that can be filtered by, in the order of the list. So whatever the filter, the database walks a
range of that index once and reads the rows of one page; a page starts behind a position, the (time, id) of a row, and
never at a number of rows to skip.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Select, bindparam, case, func, literal, select, tuple_, union_all
from sqlalchemy.orm import defer
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session

from sp.models import SignInAttempt, SignInOutcome, SsoSettings
from sp.store.engine import Database
from sp.store.rows import column, required

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Listing:
    """Whose attempts, and which of them. A scope is an account, or None for the attempts of no account.

    `user` and `issuer` are parts of the folded values (see `sp.store.users.folded`), `code` is a failed or warning
    check; `since` is included, `until` is not.
    """

    scopes: tuple[int | None, ...]
    outcome: SignInOutcome | None = None
    code: str = ""
    user: str = ""
    issuer: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where an attempt stands in the list."""

    received_at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some attempts, newest first, without their messages. `total` counts every match."""

    attempts: tuple[SignInAttempt, ...]
    total: int
    newer: bool = False
    older: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """How many attempts fell into [begin, end)."""

    begin: datetime
    end: datetime
    accepted: int
    refused: int


def page(
    session: Session, listing: Listing, *, before: Position | None = None, after: Position | None = None, size: int
) -> Page:
    """At most `size` attempts older than `before`, or the oldest ones newer than `after`, or the newest."""
    attempts, more = some(session, listing, before=before, after=after, size=size)
    newer, older = (more, True) if after is not None else (before is not None, more)
    total = count(session, listing) if newer or older else len(attempts)
    return Page(attempts, total, newer, older)


def some(
    session: Session, listing: Listing, *, before: Position | None = None, after: Position | None = None, size: int
) -> tuple[tuple[SignInAttempt, ...], bool]:
    """The attempts of such a page, and whether there are more beyond it; nothing is counted."""
    ids = session.execute(_ids(listing, size + 1, before=before, after=after)).scalars().all()
    return _rows(session, ids[:size]), len(ids) > size


def count(session: Session, listing: Listing) -> int:
    """How many attempts match."""
    query = select(func.count()).select_from(SignInAttempt)
    return sum(int(session.execute(_matching(query, listing, scope)).scalar_one()) for scope in listing.scopes)


def newest_id(session: Session, scopes: Iterable[int | None]) -> int:
    """The id of the newest attempt of these scopes, 0 where there is none."""
    newest = select(func.max(column(SignInAttempt.id)))
    return max(session.execute(newest.where(_of(scope))).scalar_one() or 0 for scope in scopes)


def newest_ids(session: Session, *, limit: int) -> tuple[int, ...]:
    """The highest ids of all accounts: they change when an attempt is recorded, even one that commits late."""
    row_id = column(SignInAttempt.id)
    return tuple(session.execute(select(row_id).order_by(row_id.desc()).limit(limit)).scalars())


def reference_of(session: Session, attempt_id: int) -> str | None:
    """The reference of the attempt with this id."""
    query = select(column(SignInAttempt.reference)).where(column(SignInAttempt.id) == attempt_id)
    return session.execute(query).scalar_one_or_none()


def newer_than(session: Session, listing: Listing, after: int, *, limit: int) -> tuple[SignInAttempt, ...]:
    """At most `limit` matches with a higher id, the lowest first."""
    row_id = column(SignInAttempt.id)
    walks = [
        _matching(select(row_id), listing, scope).where(row_id > after).order_by(row_id).limit(limit)
        for scope in listing.scopes
    ]
    ids = sorted(found for walk in walks for found in session.execute(walk).scalars())[:limit]
    return tuple(sorted(_rows(session, ids), key=lambda attempt: required(attempt.id)))


def everything(database: Database, listing: Listing) -> Iterator[SignInAttempt]:
    """Every match, newest first, in batches that hold no connection while their reader takes its time."""
    before: Position | None = None
    while True:
        with database.reading() as session:
            batch = _rows(session, session.execute(_ids(listing, _BATCH, before=before)).scalars().all())
        yield from batch
        if len(batch) < _BATCH:
            return
        before = position_of(batch[-1])


def position_of(attempt: SignInAttempt) -> Position:
    return Position(attempt.received_at, required(attempt.id))


def version_numbers(session: Session, attempts: Iterable[SignInAttempt]) -> dict[int, int]:
    """The number of the settings' version by its id, for those that these attempts were held against."""
    wanted = {attempt.settings_id for attempt in attempts if attempt.settings_id is not None}
    query = select(column(SsoSettings.id), column(SsoSettings.version)).where(column(SsoSettings.id).in_(wanted))
    return {row[0]: row[1] for row in session.execute(query)}


def history(session: Session, scopes: Sequence[int | None], edges: Sequence[datetime]) -> tuple[Span, ...]:
    """The attempts between each edge and the next, counted in an index by time."""
    return tuple(_span(session, scopes, begin, end) for begin, end in pairwise(edges))


_ACCEPTED = func.coalesce(func.sum(case((column(SignInAttempt.outcome) == SignInOutcome.ACCEPTED, 1), else_=0)), 0)
_IN_SPAN = select(func.count(), _ACCEPTED).where(
    column(SignInAttempt.received_at) >= bindparam("begin"), column(SignInAttempt.received_at) < bindparam("end")
)
_OF_ACCOUNT = _IN_SPAN.where(column(SignInAttempt.account_id) == bindparam("account_id"))
_OF_NO_ACCOUNT = _IN_SPAN.where(column(SignInAttempt.account_id).is_(None))


def _span(session: Session, scopes: Sequence[int | None], begin: datetime, end: datetime) -> Span:
    total = accepted = 0
    for scope in scopes:
        query = _OF_NO_ACCOUNT if scope is None else _OF_ACCOUNT
        row = session.execute(query, {"begin": begin, "end": end, "account_id": scope}).one()
        total, accepted = total + row[0], accepted + row[1]
    return Span(begin, end, accepted, total - accepted)


def _rows(session: Session, ids: Sequence[int]) -> tuple[SignInAttempt, ...]:
    """The rows of these ids, newest first, without what only one attempt's page needs."""
    without = (defer(column(SignInAttempt.message)), defer(column(SignInAttempt.expectations)))  # type: ignore[arg-type]
    query = select(SignInAttempt).where(column(SignInAttempt.id).in_(ids)).options(*without)
    newest_first = (column(SignInAttempt.received_at).desc(), column(SignInAttempt.id).desc())
    return tuple(session.execute(query.order_by(*newest_first)).scalars())


def _ids(
    listing: Listing, limit: int, *, before: Position | None = None, after: Position | None = None
) -> Select[tuple[int]]:
    """The ids of the matches: downwards from `before`, or upwards from `after`."""
    upwards = after is not None
    walks = [_walk(listing, scope, limit, before, after).subquery() for scope in listing.scopes]
    merged = union_all(*(select(walk.c.received_at, walk.c.id) for walk in walks)).subquery()
    return select(merged.c.id).order_by(*_ordered(merged.c.received_at, merged.c.id, upwards=upwards)).limit(limit)


def _walk(
    listing: Listing, scope: int | None, limit: int, before: Position | None, after: Position | None
) -> Select[Any]:
    received_at, row_id = column(SignInAttempt.received_at), column(SignInAttempt.id)
    query = _matching(select(received_at, row_id), listing, scope)
    there = tuple_(received_at, row_id)
    if before is not None:
        query = query.where(there < _literal(before))
    if after is not None:
        query = query.where(there > _literal(after))
    return query.order_by(*_ordered(received_at, row_id, upwards=after is not None)).limit(limit)


def _literal(position: Position) -> ColumnElement[Any]:
    return tuple_(
        literal(position.received_at, column(SignInAttempt.received_at).type),
        literal(position.id, column(SignInAttempt.id).type),
    )


def _ordered(
    received_at: ColumnElement[Any], row_id: ColumnElement[Any], *, upwards: bool
) -> tuple[ColumnElement[Any], ...]:
    return (received_at.asc(), row_id.asc()) if upwards else (received_at.desc(), row_id.desc())


def _matching(query: Select[Any], listing: Listing, scope: int | None) -> Select[Any]:
    return query.where(_of(scope), *_conditions(listing))


def _of(scope: int | None) -> ColumnElement[bool]:
    owner = column(SignInAttempt.account_id)
    return owner.is_(None) if scope is None else owner == literal(scope, owner.type)


def _conditions(listing: Listing) -> Iterator[ColumnElement[bool]]:
    if listing.outcome is not None:
        yield column(SignInAttempt.outcome) == listing.outcome.value
    if listing.code:
        yield column(SignInAttempt.codes).contains(f" {listing.code} ", autoescape=True)
    if listing.user:
        yield column(SignInAttempt.user_key).contains(listing.user, autoescape=True)
    if listing.issuer:
        yield column(SignInAttempt.issuer_key).contains(listing.issuer, autoescape=True)
    if listing.since is not None:
        yield column(SignInAttempt.received_at) >= listing.since
    if listing.until is not None:
        yield column(SignInAttempt.received_at) < listing.until
