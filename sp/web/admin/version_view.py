"""Versions of the settings as the page lists them.

Owns the words of a change. Never compares two versions: `sp.flows.account_setup` did when it saved.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sp.flows.account_setup import LABELS
from sp.models import SsoSettings
from sp.saml.messages import SignedPart, UserMapping
from sp.web.times import ShownTime, shown_time

USER_MAPPINGS = ((UserMapping.USERNAME.value, "8x8 Username"), (UserMapping.FEDERATION_ID.value, "Federation ID"))
SIGNED_PARTS = (
    (SignedPart.EITHER.value, "The assertion or the response"),
    (SignedPart.ASSERTION.value, "The assertion"),
    (SignedPart.RESPONSE.value, "The response"),
    (SignedPart.BOTH.value, "Both"),
)
_WORDS = {"user_mapping": dict(USER_MAPPINGS), "signed_part": dict(SIGNED_PARTS)}


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One field: its label, and the values before and after; certificates are one fingerprint each."""

    label: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VersionView:
    number: int
    saved_by: str
    saved_at: ShownTime
    in_force: bool
    changes: tuple[ChangeView, ...]


def version_view(version: SsoSettings, *, current: int, now: datetime) -> VersionView:
    return VersionView(
        number=version.version,
        saved_by=version.saved_by,
        saved_at=shown_time(version.saved_at, now),
        in_force=version.version == current,
        changes=tuple(_change(change) for change in version.changes),
    )


def _change(change: dict[str, str]) -> ChangeView:
    name = change["field"]
    return ChangeView(LABELS.get(name, name), _values(name, change["before"]), _values(name, change["after"]))


def _values(name: str, text: str) -> tuple[str, ...]:
    if name == "certificates":
        return tuple(text.split(", ")) if text else ()
    return (_WORDS.get(name, {}).get(text, text),) if text else ()
