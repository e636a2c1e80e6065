"""What the address of the sign-in log says: the filter and the page.

Owns reading it and writing links that keep it. Never reads an attempt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query

from sp.models import SignInOutcome
from sp.saml.checks import BY_CODE
from sp.store.attempt_listing import Listing, Page
from sp.store.rows import required
from sp.store.users import folded
from sp.web.admin.attempt_scope import Scopes
from sp.web.admin.managed import AccountView
from sp.web.errors import PageError

Outcome = Literal["", "accepted", "refused"]
Period = Literal["", "hour", "day", "week"]
PERIODS = (("", "Any time"), ("hour", "Last hour"), ("day", "Last 24 hours"), ("week", "Last 7 days"))
_LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
_MAX_ID = 2**63 - 1
_START_AGAIN = "Open the sign-in log again and go on from there."


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of the log somebody wants to see. Times are in UTC, as typed; an id is where the page begins."""

    q: str = ""
    outcome: Outcome = ""
    code: str = ""
    issuer: str = ""
    period: Period = ""
    since: str = ""
    until: str = ""
    before: int | None = None
    after: int | None = None

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
        return self._page_url(after=required(page.attempts[0].id)) if page.newer and page.attempts else ""

    def older_url(self, page: Page) -> str:
        return self._page_url(before=required(page.attempts[-1].id)) if page.older and page.attempts else ""

    def events_url(self, account: AccountView, newest: int) -> str:
        """Where new attempts of this filter are told, from the id `newest` on."""
        return f"{address_of(account)}/events?{urlencode({**self.query, 'after': newest})}"

    def _page_url(self, **position: int) -> str:
        return f"?{urlencode({**self.query, **position})}"


def wanted(
    q: Annotated[str, Query(max_length=200)] = "",
    outcome: Outcome = "",
    code: Annotated[str, Query(max_length=40)] = "",
    issuer: Annotated[str, Query(max_length=200)] = "",
    period: Period = "",
    since: Annotated[str, Query(max_length=40)] = "",
    until: Annotated[str, Query(max_length=40)] = "",
    before: Annotated[int | None, Query(ge=1, le=_MAX_ID)] = None,
    after: Annotated[int | None, Query(ge=0, le=_MAX_ID)] = None,
) -> Wanted:
    """Raises PageError (422) for a check that there is none of, and for a time that is none."""
    if code and code not in BY_CODE:
        raise PageError(422, "There is no such check", _START_AGAIN)
    _ = time_of(since), time_of(until)
    return Wanted(q.strip(), outcome, code, issuer.strip(), period, since.strip(), until.strip(), before, after)


WantedDep = Annotated[Wanted, Depends(wanted)]


def address_of(account: AccountView) -> str:
    return f"/account-manager/{account.slug}/accounts/single-sign-on/sign-in-log"


def without_page(asked: Wanted) -> Wanted:
    return replace(asked, before=None, after=None)


def time_of(text: str) -> datetime | None:
    """The time that a field says, in UTC where it names no zone; None when it is empty.

    Raises PageError (422) for anything else.
    """
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise PageError(422, "That is not a time", "Write it like 2030-01-31T12:00, in UTC.") from None


def _folded(text: str) -> str:
    """As the stored keys are. PostgreSQL takes no NUL or lone surrogate in a text, and no row has one."""
    plain = text.replace("\0", " ").encode("utf-8", "replace").decode()
    return folded(plain).strip()
