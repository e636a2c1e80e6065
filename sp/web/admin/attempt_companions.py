"""The attempts that one is worth comparing with: the last good one of the same user, and the recent ones.

Owns the choice. Never leaves the scopes that it is given: another company's attempts are not proposed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session

from sp.models import SignInAttempt, SignInOutcome
from sp.store import attempt_listing
from sp.store.attempt_listing import Listing
from sp.web.admin.attempt_scope import Scopes
from sp.web.times import exact

_RECENT = 20
_SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Companions:
    """`proposed` is the newest accepted attempt of the same user, else of anybody, or None; `recent` are the others."""

    proposed: SignInAttempt | None
    same_user: bool
    recent: tuple[SignInAttempt, ...]


def companions_of(session: Session, scopes: Scopes, attempt: SignInAttempt) -> Companions:
    same = _of_the_same_user(session, scopes, attempt)
    accepted = _newest(session, Listing(scopes, SignInOutcome.ACCEPTED), attempt)
    proposed = next(iter((*same, *accepted)), None)
    recent = _newest(session, Listing(scopes), attempt)
    return Companions(proposed, bool(same), tuple(found for found in recent if found != proposed))


def _of_the_same_user(session: Session, scopes: Scopes, attempt: SignInAttempt) -> list[SignInAttempt]:
    if not attempt.user_key:
        return []
    found = _newest(session, Listing(scopes, SignInOutcome.ACCEPTED, user=attempt.user_key), attempt)
    return [other for other in found if other.user_key == attempt.user_key]


def _newest(session: Session, listing: Listing, besides: SignInAttempt) -> list[SignInAttempt]:
    found = attempt_listing.page(session, listing, size=_RECENT).attempts
    return [attempt for attempt in found if attempt.id != besides.id]


def companion_options(companions: Companions) -> list[tuple[str, str]]:
    """References with a line of text each, the proposed one first."""
    return list(_options(companions))


def _options(companions: Companions) -> Iterator[tuple[str, str]]:
    if companions.proposed is not None:
        whose = "of the same user" if companions.same_user else "of this account"
        yield companions.proposed.reference, f"The last accepted one {whose}: {_line(companions.proposed)}"
    for attempt in companions.recent:
        yield attempt.reference, f"{attempt.outcome.capitalize()}, {_line(attempt)}"


def _line(attempt: SignInAttempt) -> str:
    user = attempt.username or attempt.unverified_username or "no user name"
    plain = "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in user)
    cut = plain if len(plain) <= _SHOWN_CHARACTERS else f"{plain[:_SHOWN_CHARACTERS]}…"
    return f"{cut}, {exact(attempt.received_at)}, {attempt.reference}"
