"""What the address of the sign-in log says: the filter and the page.

Owns reading it and writing links that keep it. Never reads an attempt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query

from sp.clock import readable_time
from sp.models import SignInAttempt, SignInOutcome
from sp.saml.checks import BY_CODE
from sp.store.attempt_listing import Listing, Page, Position, position_of
from sp.store.users import folded
from sp.web.admin.attempt_scope import Scopes
from sp.web.admin.managed import AccountView
from sp.web.errors import PageError

Outcome = Literal["", "accepted", "refused"]
Period = Literal["", "hour", "day", "week"]
PERIODS = (("", "Any time"), ("hour", "Last hour"), ("day", "Last 24 hours"), ("week", "Last 7 days"))
_LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_POSITION = re.compile(r"(\d{1,17})-(\d{1,18})", re.ASCII)  # so long that every time and id fits, and none overflows
_POSITION_CHARACTERS = 36
_START_AGAIN = "Open the sign-in log again and go on from there."


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of the log somebody wants to see. Times are in UTC, as typed; the page begins behind a position."""

    q: str = ""
    outcome: Outcome = ""
    code: str = ""
    issuer: str = ""
    period: Period = ""
    since: str = ""
    until: str = ""
    before: Position | None = None
    after: Position | None = None

    def listing(self, scopes: Scopes, now: datetime) -> Listing:
        """Raises PageError (422) for a time that is none."""
        return Listing(
            scopes,
            SignInOutcome(self.outcome) if self.outcome else None,
            self.code,
            _folded(self.q),
            _folded(self.issuer),
            self.begin(now),
            time_of(self.until),
        )

    def begin(self, now: datetime) -> datetime | None:
        """The later one of the two ways to say from when on."""
        given = (time_of(self.since), now - _LENGTHS[self.period] if self.period else None)
        return max((moment for moment in given if moment is not None), default=None)

    @property
    def query(self) -> dict[str, str]:
        """The filter's parameters, without the page."""
        names = ("q", "outcome", "code", "issuer", "period", "since", "until")
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    @property
    def newest(self) -> bool:
        """Whether the page begins with the newest attempt, so that new ones may appear on it."""
        return self.before is None and self.after is None

    @property
    def suffix(self) -> str:
        return f"?{urlencode(self.query)}" if self.query else ""

    def newer_url(self, page: Page) -> str:
        """The address of the page above, or ""."""
        return self._page_url("after", page.attempts[0]) if page.newer and page.attempts else ""

    def older_url(self, page: Page) -> str:
        return self._page_url("before", page.attempts[-1]) if page.older and page.attempts else ""

    def events_url(self, account: AccountView, newest: int) -> str:
        """Where new attempts of this filter are told, from the id `newest` on."""
        return f"{address_of(account)}/events?{urlencode({**self.query, 'from': newest})}"

    def _page_url(self, side: str, attempt: SignInAttempt) -> str:
        return f"?{urlencode({**self.query, side: _written(position_of(attempt))})}"


def wanted(
    q: Annotated[str, Query(max_length=200)] = "",
    outcome: Outcome = "",
    code: Annotated[str, Query(max_length=40)] = "",
    issuer: Annotated[str, Query(max_length=200)] = "",
    period: Period = "",
    since: Annotated[str, Query(max_length=40)] = "",
    until: Annotated[str, Query(max_length=40)] = "",
    before: Annotated[str, Query(max_length=_POSITION_CHARACTERS)] = "",
    after: Annotated[str, Query(max_length=_POSITION_CHARACTERS)] = "",
) -> Wanted:
    """Raises PageError (422) for a check that there is none of, a time that is none, and a page that is none."""
    if code and code not in BY_CODE:
        raise PageError(422, "There is no such check", _START_AGAIN)
    _ = time_of(since), time_of(until)
    texts = (q.strip(), outcome, code, issuer.strip(), period, since.strip(), until.strip())
    return Wanted(*texts, before=_read(before), after=_read(after))


WantedDep = Annotated[Wanted, Depends(wanted)]


def address_of(account: AccountView) -> str:
    return f"/account-manager/{account.slug}/accounts/single-sign-on/sign-in-log"


def time_of(text: str) -> datetime | None:
    """The time that a field says, in UTC where it names no zone; None when it is empty.

    Raises PageError (422) for anything else.
    """
    if not text.strip():
        return None
    try:
        return readable_time(text)
    except ValueError:
        raise PageError(422, "That is not a time", "Write it like 2030-01-31T12:00, in UTC.") from None


def _written(position: Position) -> str:
    """A position for an address: the time in microseconds since 1970, and the id."""
    return f"{(position.received_at - _EPOCH) // _MICROSECOND}-{position.id}"


def _read(text: str) -> Position | None:
    """What `_written` wrote, None for "". Raises PageError (422) for anything else."""
    if not text:
        return None
    match = _POSITION.fullmatch(text)
    if match is None:
        raise PageError(422, "There is no such page of the log", _START_AGAIN)
    return Position(_EPOCH + int(match[1]) * _MICROSECOND, int(match[2]))


def _folded(text: str) -> str:
    """As the stored keys are. PostgreSQL takes no NUL or lone surrogate in a text, and no row has one."""
    plain = text.replace("\0", " ").encode("utf-8", "replace").decode()
    return folded(plain).strip()
