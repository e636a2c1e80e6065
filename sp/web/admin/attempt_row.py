"""An attempt as a row of the sign-in log.

Owns the words for it. Never reads its message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sp.models import SignInAttempt, SignInOutcome
from sp.saml.checks import BY_CODE
from sp.store.rows import required
from sp.web.times import ShownTime, shown_time


@dataclass(frozen=True, slots=True)
class LogColumn:
    """A column as the `table` macro wants it."""

    key: str
    label: str
    short: bool = False


COLUMNS = (
    LogColumn("received", "Received", short=True),
    LogColumn("outcome", "Outcome", short=True),
    LogColumn("why", "Why"),
    LogColumn("user", "User"),
    LogColumn("issuer", "Issuer"),
    LogColumn("address", "From", short=True),
    LogColumn("reference", "Reference", short=True),
)


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """`why` is (code, title) of each failed check, or of each warning where nothing failed.

    `verified` tells whether a signature covers the user's name. `version` is of the settings in force then, None where
    the message named no issuer that an account trusts.
    """

    id: int
    reference: str
    received: ShownTime
    accepted: bool
    why: tuple[tuple[str, str], ...]
    user: str
    verified: bool
    provisioned: bool
    issuer: str
    address: str
    version: int | None


def attempt_row(attempt: SignInAttempt, versions: Mapping[int, int], now: datetime) -> AttemptRow:
    return AttemptRow(
        id=required(attempt.id),
        reference=attempt.reference,
        received=shown_time(attempt.received_at, now),
        accepted=attempt.outcome == SignInOutcome.ACCEPTED,
        why=tuple((code, title_of(code)) for code in attempt.failed or attempt.warnings),
        user=attempt.username or attempt.unverified_username,
        verified=bool(attempt.username),
        provisioned=attempt.provisioned,
        issuer=attempt.issuer,
        address=attempt.remote_address,
        version=versions.get(attempt.settings_id) if attempt.settings_id is not None else None,
    )


def title_of(code: str) -> str:
    """A check's title; the code itself where a later release has renamed it."""
    check = BY_CODE.get(code)
    return check.title if check else code
