"""What became of a logout message, for the eye of whoever's browser brought it.

Owns the sentences and how much is told to whom. Never decides what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sp.diagnosis.logout_explanations import logout_message, logout_remedy
from sp.diagnosis.sides import sides
from sp.flows.logout_consumer import Received
from sp.saml.logout_messages import Kind
from sp.web.report_view import ReportStage, logout_stages
from sp.web.state import Service

CONFIRMED, PARTIAL, FAILED, ENDED, REFUSED = "confirmed", "partial", "failed", "ended", "refused"
OUTCOMES = frozenset((CONFIRMED, PARTIAL, FAILED, ENDED))

# The heading and the sentence of each state.
_WORDS = {
    CONFIRMED: (
        "You are signed out",
        "You are signed out here, and your identity provider confirmed that it signed you out too.",
    ),
    PARTIAL: (
        "You are signed out",
        (
            "You are signed out here and at your identity provider. It could not sign you out of every other "
            "application: close your browser to be sure."
        ),
    ),
    FAILED: (
        "You are signed out here only",
        "You are signed out here. Your identity provider could not sign you out: close your browser to be sure.",
    ),
    ENDED: (
        "You are signed out",
        "Your identity provider asked for it. It has no address here to be answered at.",
    ),
    REFUSED: (
        "We couldn't accept this sign-out message.",
        "It changed nothing here.",
    ),
}


@dataclass(frozen=True, slots=True)
class ShownOutcome:
    """`sentence` is safe for everybody; `message`, `remedy` and `stages` only where `details` says so."""

    state: str
    heading: str
    sentence: str
    reference: str
    details: bool
    message: str
    remedy: str
    stages: tuple[ReportStage, ...]
    said: str  # the identity provider's own word on a sign-out that it did not carry out


def shown_outcome(service: Service, received: Received) -> ShownOutcome:
    report, kind = received.judgement.report, received.opened.kind
    state = _state(received)
    heading, sentence = _WORDS[state]
    details = service.settings.shows_details
    return ShownOutcome(
        state=state,
        heading=heading,
        sentence=sentence,
        reference=received.reference,
        details=details,
        message=logout_message(report, kind),
        remedy=logout_remedy(report) if details else "",
        stages=logout_stages(report, kind) if details else (),
        said=sides(report.row("logout_status")).received if state in {PARTIAL, FAILED} else "",
    )


def _state(received: Received) -> str:
    answer = received.judgement.answer
    if received.opened.kind is Kind.REQUEST:
        return ENDED if received.accepted else REFUSED
    if answer is None or not received.answered_here:
        return REFUSED
    if answer.partial:
        return PARTIAL
    return CONFIRMED if answer.successful else FAILED
