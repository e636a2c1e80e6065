"""Tidying up what time has ended: sessions, requests, assertions that every clock refuses by now, old messages,
workspaces.

Owns when that is, and how much goes at once. Never removes a user or a version of settings.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sp.flows.retention import keep_quotas
from sp.flows.workspaces import remove_part_of_one
from sp.settings import Settings
from sp.store import (
    authn_requests,
    consumed_assertions,
    handed_out_assertions,
    sessions,
    sign_in_attempts,
    sign_in_expectations,
    sign_out_messages,
    sign_outs,
)
from sp.store.engine import Database

_TOLD_AFTERWARDS = timedelta(hours=1)  # how long an answer that comes too late is told so, and not "unknown"
_ASKED_AFTERWARDS = timedelta(days=1)  # how long an expectation can be asked about when it is over
STEP = 50  # rows of a kind in one transaction, so that no sign-in waits long for the one writer of SQLite


def tidy_up(database: Database, settings: Settings, now: datetime) -> bool:
    """One round, at most STEP rows of each kind; whether there may be more.

    Whoever calls it again rests in between: transactions back to back would keep everybody else from their turn.
    """
    oldest = now - timedelta(days=settings.attempts_kept_days)
    with database.reading() as session:
        attempts = sign_in_attempts.old_ones(session, oldest, at_most=STEP)
    with database.writing() as session:
        sign_in_attempts.remove(session, attempts)
    with database.writing() as session:
        ended = sessions.remove_expired(session, now, at_most=STEP)
    with database.writing() as session:
        forgotten = consumed_assertions.remove_expired(session, now, at_most=STEP)
    with database.writing() as session:
        no_longer_refused = handed_out_assertions.remove_expired(session, now, at_most=STEP)
    with database.writing() as session:
        waiting = now - _TOLD_AFTERWARDS
        unanswered = authn_requests.remove_old(session, waiting_before=waiting, answered_before=oldest, at_most=STEP)
    signed_out = _tidy_up_sign_outs(database, now, oldest)
    with database.writing() as session:
        asked = sign_in_expectations.remove_old(session, now - _ASKED_AFTERWARDS, at_most=STEP)
    over = remove_part_of_one(database, now, at_most=STEP)
    too_many = trim_logs(database, settings, now)
    return (
        over
        or too_many
        or max(len(attempts), ended, forgotten, no_longer_refused, unanswered, signed_out, asked) >= STEP
    )


def trim_logs(database: Database, settings: Settings, _now: datetime) -> bool:
    """Keep the logs within their quotas; whether there may be more to remove.

    Cheap where nothing came since, so that it can be done every few seconds: anybody may send large messages.
    """
    return keep_quotas(database, settings, at_most=STEP)


def _tidy_up_sign_outs(database: Database, now: datetime, oldest: datetime) -> int:
    """The log of logout messages is kept as that of the attempts is; how many rows of a kind went."""
    with database.reading() as session:
        messages = sign_out_messages.old_ones(session, oldest, at_most=STEP)
    with database.writing() as session:
        sign_out_messages.remove(session, messages)
        ended = sign_outs.remove_expired(session, now - _TOLD_AFTERWARDS, at_most=STEP)
    return max(len(messages), ended)
