"""Which request of this browser a message says it answers, and using that request up.

Owns the link between a message and a pending request. Never judges: `sp.saml.checks` does, with what is found here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from sp.flows.sign_in_started_here import pending_request
from sp.models import AuthnRequest
from sp.saml import validation
from sp.saml.messages import Opened, PendingRequest, PostedForm, Verified
from sp.saml.report import Outcome
from sp.saml.xml import Document
from sp.settings import Settings
from sp.store import authn_requests
from sp.store.engine import Database
from sp.store.rows import Runner
from sp.store.sessions import hash_token


def answered_id(opened: Opened, settings: Settings) -> str:
    """The InResponseTo of a message, by its own word; "" where there is none to read.

    A refusal by the identity provider answers a request too, though stage 3 ends there: its document is safe to read
    once stage 2 has passed.
    """
    if opened.response is not None:
        return opened.response.in_response_to or ""
    limits = opened.findings.get("limits")
    if opened.xml is None or limits is None or limits.outcome is not Outcome.PASSED:
        return ""
    return Document(opened.xml, settings.limits).element.get("InResponseTo", "")


def answers_a_waiting_request(database: Database, settings: Settings, form: PostedForm) -> bool:
    """Whether the message names a request that some browser began and that nothing has answered yet."""
    identifier = answered_id(validation.open_form(form, settings.limits), settings)
    if not identifier:
        return False
    with database.reading() as session:
        return authn_requests.is_waiting(session, identifier)


def answered_request(session: Session, settings: Settings, opened: Opened, browser_token: str) -> AuthnRequest | None:
    """The request of this browser that the message says it answers, used or not."""
    identifier = answered_id(opened, settings) if browser_token else ""
    if not identifier:
        return None
    return authn_requests.of_browser(session, identifier, hash_token(browser_token), settings.acs_url)


def pending_of(session: Session, row: AuthnRequest | None, shift: timedelta) -> tuple[PendingRequest, ...]:
    """What the message is held against: the one request that it names. Others could not make it pass.

    `shift` is how far the clock by which it is judged is ahead of the real one.
    """
    return () if row is None else (pending_request(session, row, shift),)


def use_up(runner: Runner, opened: Opened, verified: Verified, row: AuthnRequest | None, now: datetime) -> Verified:
    """Use the request up for a sound answer; where another answer was faster, this one is judged once more as late.

    Two sound answers at once would otherwise both be "the" answer (a request is used once, Profiles 4.1.4.3).
    """
    if row is None or not verified.sound or authn_requests.use(runner, row.id, now):
        return verified
    pending = tuple(replace(request, used=True) for request in verified.expectations.pending)
    return validation.verify(opened, replace(verified.expectations, pending=pending))
