"""Our keys as the page shows them: each key's certificate and state, and the one step that a rollover can take next.

Owns the words. Never takes a step: `sp.flows.service_keys` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sp.flows.service_keys import opens_until, safe_from
from sp.models import KeyPurpose, KeyState, ServiceKey
from sp.saml.certificates import stored_certificate
from sp.web.admin.certificate_view import CertificateView, certificate_view
from sp.web.admin.timeline import Lane, Timeline, timeline_of
from sp.web.times import exact

BEGIN, COMPLETE = "begin-rollover", "complete-rollover"
TITLES = {KeyPurpose.SIGNING: "Signing key", KeyPurpose.ENCRYPTION: "Encryption key"}

_PUBLISHED = (KeyState.ACTIVE, KeyState.UPCOMING)
_BADGES = {
    KeyState.ACTIVE: ("accepted", "In use"),
    KeyState.UPCOMING: ("note", "Upcoming"),
    KeyState.RETIRED: ("skipped", "Retired"),
}
_USES = {
    KeyPurpose.SIGNING: "Signs sign-in requests, sign-out messages and signed metadata.",
    KeyPurpose.ENCRYPTION: "Your identity provider encrypts assertions for it. No other account can open them.",
}
_BEGIN_TEXTS = {
    KeyPurpose.SIGNING: "The next key is published in the metadata beside the one in use, and signs nothing yet.",
    KeyPurpose.ENCRYPTION: "The next key is published in the metadata. Messages for either key are opened.",
}
_COMPLETE_TEXTS = {
    KeyPurpose.SIGNING: "Messages are signed with the upcoming key from now on, and the old certificate is no longer "
    "published. Every identity provider that checks our signatures must know the new one.",
    KeyPurpose.ENCRYPTION: "The old certificate is no longer published. Its key opens what is still encrypted for it "
    "for 30 more days.",
}


@dataclass(frozen=True, slots=True)
class KeyView:
    """One key. `badge` is the kind and the word of its state; `history` says since when it has which part."""

    certificate: CertificateView
    state: KeyState
    badge: tuple[str, str]
    history: tuple[str, ...]
    file_name: str
    pem: str


@dataclass(frozen=True, slots=True)
class Step:
    """What a rollover can do next: the last part of its address, a label, and the question that is asked before."""

    name: str
    label: str
    title: str
    text: str
    early: bool = False


@dataclass(frozen=True, slots=True)
class PurposeView:
    """All keys of one purpose, the newest first. `advice` says when the next step is safe."""

    purpose: KeyPurpose
    title: str
    use: str
    keys: tuple[KeyView, ...]
    step: Step | None
    advice: str


@dataclass(frozen=True, slots=True)
class KeysView:
    purposes: tuple[PurposeView, ...]
    picture: Timeline

    @property
    def keys(self) -> tuple[KeyView, ...]:
        return tuple(key for purpose in self.purposes for key in purpose.keys)

    def step_of(self, purpose: KeyPurpose) -> Step | None:
        return next(view.step for view in self.purposes if view.purpose is purpose)


def keys_view(rows: Sequence[ServiceKey], now: datetime, *, operator: bool) -> KeysView:
    """Every key of the account with the next step. Signing keys so for an operator; for others what is published."""
    shown = [row for row in rows if _may_change(row.purpose, operator) or row.state in _PUBLISHED]
    of_purpose = {purpose: [row for row in shown if row.purpose == purpose] for purpose in KeyPurpose}
    return KeysView(
        purposes=tuple(
            _purpose_view(purpose, found, now, _may_change(purpose, operator)) for purpose, found in of_purpose.items()
        ),
        picture=timeline_of([_lane(row, now) for found in of_purpose.values() for row in reversed(found)], now),
    )


def _may_change(purpose: str, operator: bool) -> bool:
    return operator or purpose == KeyPurpose.ENCRYPTION


def _purpose_view(purpose: KeyPurpose, rows: Sequence[ServiceKey], now: datetime, may_change: bool) -> PurposeView:
    upcoming = next((row for row in rows if row.state == KeyState.UPCOMING), None)
    return PurposeView(
        purpose=purpose,
        title=TITLES[purpose],
        use=_USES[purpose],
        keys=tuple(_key_view(row, now) for row in reversed(rows)),
        step=_step(purpose, upcoming, now) if may_change else None,
        advice=_advice(upcoming, now) if upcoming and may_change else "",
    )


def _step(purpose: KeyPurpose, upcoming: ServiceKey | None, now: datetime) -> Step:
    title = TITLES[purpose].lower()
    if upcoming is None:
        return Step(BEGIN, "Begin rollover", f"Publish the next {title}?", _BEGIN_TEXTS[purpose])
    early = now < safe_from(upcoming)
    warning = f"{_advice(upcoming, now)} " if early else ""
    text = warning + _COMPLETE_TEXTS[purpose]
    return Step(COMPLETE, "Complete rollover", f"Put the upcoming {title} in use?", text, early)


def _advice(upcoming: ServiceKey, now: datetime) -> str:
    safe = safe_from(upcoming)
    if now < safe:
        return (
            f"Completing is not safe before {exact(safe)}: identity providers read our metadata once a day. Where you "
            "uploaded our certificate by hand, upload the upcoming one first."
        )
    if upcoming.purpose == KeyPurpose.ENCRYPTION:
        return "Completing is safe: an identity provider that still has the old certificate is understood all the same."
    return (
        "Completing is safe for identity providers that read our metadata. Where you uploaded our certificate by hand, "
        "upload the upcoming one first."
    )


def _key_view(row: ServiceKey, now: datetime) -> KeyView:
    certificate = stored_certificate(row.certificate)
    state = KeyState(row.state)
    return KeyView(
        certificate=certificate_view(certificate, now),
        state=state,
        badge=_BADGES[state],
        history=tuple(_history(row, now)),
        file_name=f"virtual-office-{row.purpose}-{certificate.sha256[:8]}.cer",
        pem=certificate.pem,
    )


def _history(row: ServiceKey, now: datetime) -> list[str]:
    lines = [f"Published {exact(row.created_at)}"]
    if row.activated_at:
        lines.append(f"In use since {exact(row.activated_at)}")
    if row.retired_at:
        lines.append(f"Retired {exact(row.retired_at)}")
    opens = opens_until(row)
    if opens:
        lines.append(f"{'Opens messages until' if now < opens else 'Opened messages until'} {exact(opens)}")
    return lines


def _lane(row: ServiceKey, now: datetime) -> Lane:
    certificate = stored_certificate(row.certificate)
    return Lane(
        label=f"{TITLES[KeyPurpose(row.purpose)]} {certificate.sha256[:8]}",
        state=row.state,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        used=(row.activated_at, row.retired_at or now) if row.activated_at else None,
    )
