"""The verdict on a logout message, computed again from what was kept of it.

Owns putting the inputs of then together. Never stores, claims, ends or answers anything.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from sp.flows.internal_errors import as_then
from sp.flows.service_keys import decryption_keys
from sp.models import SignOutMessage
from sp.saml.bindings import FORM_TYPE
from sp.saml.checks.logout import LOGOUT_CHECKS, Named
from sp.saml.logout import conclude_logout, open_logout, verify_logout
from sp.saml.logout_messages import (
    Arrival,
    Binding,
    ByForm,
    ByQuery,
    BySoap,
    Kind,
    LogoutExpectations,
    LogoutJudgement,
    OpenedLogout,
    PendingSignOut,
)
from sp.saml.messages import AccountTrust, Expectations, Limits, PostedForm
from sp.saml.soap import CONTENT_TYPE
from sp.saml.stored_findings import findings_in
from sp.store import accounts, sign_in_attempts


@dataclass(frozen=True, slots=True)
class LogoutEvidence:
    """A message of the log with all that is known about it."""

    message: SignOutMessage
    opened: OpenedLogout
    judgement: LogoutJudgement

    @property
    def kind(self) -> Kind:
        return self.opened.kind


def logout_evidence(session: Session, message: SignOutMessage) -> LogoutEvidence:
    """The verdict of then, row for row."""
    kept = message.expectations
    arrival = _arrival(message)
    opened = _unopened(arrival, kept) if message.message is None else open_logout(arrival, _limits(kept))
    verified = verify_logout(opened, _expectations(session, message))
    named = kept["named"] and Named(verified.id, **kept["named"])
    judgement = conclude_logout(verified, named)
    return LogoutEvidence(message, opened, replace(judgement, report=as_then(judgement.report, kept)))


def _limits(kept: Mapping[str, Any]) -> Limits:
    return Limits(message_bytes=kept["max_message_bytes"])


def _arrival(message: SignOutMessage) -> Arrival:
    content = sign_in_attempts.decompress(message.message) or b""
    kind = Kind(message.kind)
    match Binding(message.binding):
        case Binding.REDIRECT:
            return ByQuery(content, kind)
        case Binding.SOAP:
            return BySoap(CONTENT_TYPE, content)
    field = base64.b64encode(content).decode("ascii")
    return ByForm(PostedForm("POST", FORM_TYPE, ((kind.carried, field),)), kind)


def _unopened(arrival: Arrival, kept: Mapping[str, Any]) -> OpenedLogout:
    """What never became a message left its findings, which cannot be found again."""
    return OpenedLogout(arrival, _limits(kept), findings_in(kept["transport"], _PROBLEMS))


_PROBLEMS = {check.code: check.problems for check in LOGOUT_CHECKS}


def _expectations(session: Session, message: SignOutMessage) -> LogoutExpectations:
    kept = message.expectations
    trust, alias = _trust(session, message.settings_id)
    keys = decryption_keys(session, message.account_id if trust else None, message.received_at)
    common = Expectations(
        now=datetime.fromisoformat(kept["fixed_time"]) if kept.get("fixed_time") else message.received_at,
        entity_id=kept["entity_id"],
        acs_url="",
        account=trust,
        nearest_issuer=kept["nearest_issuer"],
        skew=timedelta(seconds=kept["skew_seconds"]),
        response_max_age=timedelta(seconds=kept["max_age_seconds"]),
        request_max_age=timedelta(seconds=kept["request_max_age_seconds"]),
        decryption_keys=keys.usable,
        former_keys=keys.former,
        metadata_url=kept.get("metadata_url", ""),
    )
    return LogoutExpectations(common, kept["location"], alias, _pending(kept["pending"]))


def _trust(session: Session, settings_id: int | None) -> tuple[AccountTrust | None, str]:
    if settings_id is None:
        return None, ""
    version = accounts.settings_version(session, settings_id)
    account = accounts.account_by_id(session, version.account_id)
    trust = accounts.trust_of(account, version, accounts.certificates_of(session, settings_id))
    return trust, version.sign_out_issuer


def _pending(kept: Mapping[str, Any] | None) -> PendingSignOut | None:
    return None if kept is None else PendingSignOut(**{**kept, "sent_at": datetime.fromisoformat(kept["sent_at"])})
