"""Handing out the exact bytes of a stored message, which uses its assertions up.

The exact bytes of a message that was not used can be delivered by anybody who has them. So every assertion in a message
that is handed out is refused from then on. A message that was not handed out stays usable.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from sp.flows.evidence import Evidence
from sp.saml.assertion_keys import Contents, contents_of
from sp.settings import Settings
from sp.store import handed_out_assertions
from sp.store.engine import Database

MOST_ASSERTIONS = 64  # in one message
MOST_OF_ACCOUNT = 1_000  # assertions that are remembered for an account at a time
_REMEMBERED = timedelta(hours=24)  # as long as an assertion may be valid at most (CHECKS, validity_window)
_FURTHEST = timedelta(days=365)


class HandOutProblem(StrEnum):
    """Why a message is not handed out."""

    NO_MESSAGE = "no_message"
    TOO_MANY_ASSERTIONS = "too_many_assertions"
    QUOTA = "quota"


SENTENCES = {
    HandOutProblem.NO_MESSAGE: "This sign-in brought no message that could be decoded, or it was too large to keep.",
    HandOutProblem.TOO_MANY_ASSERTIONS: (
        f"This message has more than {MOST_ASSERTIONS} assertions, so it is not handed out."
    ),
    HandOutProblem.QUOTA: (
        f"This account has {MOST_OF_ACCOUNT:,} messages handed out, which is as many as it may. Wait for a day."
    ),
}


def hand_out(
    database: Database, settings: Settings, evidence: Evidence, *, to: str, now: datetime
) -> bytes | HandOutProblem:
    """The exact bytes of the attempt's message, once it is recorded that `to` was given them."""
    xml, attempt = evidence.xml, evidence.attempt
    if xml is None:
        return HandOutProblem.NO_MESSAGE
    contents = contents_of(xml, evidence.root, evidence.judgement.opened_assertion)
    if len(contents.keys) > MOST_ASSERTIONS:
        return HandOutProblem.TOO_MANY_ASSERTIONS
    owner = (attempt.realm_id, attempt.account_id)
    with database.writing() as session:
        others = handed_out_assertions.count_others(session, *owner, contents.keys)
        if others + len(contents.keys) > MOST_OF_ACCOUNT:
            return HandOutProblem.QUOTA
        handed_out_assertions.add(
            session, *owner, contents.keys, to=to, now=now, expires_at=_remembered_until(settings, contents, now)
        )
    return xml


def _remembered_until(settings: Settings, contents: Contents, now: datetime) -> datetime:
    """Later where the message's own times are later: a provider's clock that is days ahead makes it valid only then."""
    latest = min(max(contents.latest or now, now), now + _FURTHEST)
    return latest + _REMEMBERED + settings.skew
