"""The verdict on a message that never came through the assertion consumer service.

Owns holding it against an account's settings as they are, or with changes, and asking the store what it would say.
Never stores, claims or grants anything: no attempt is recorded and the record of replays stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lxml import etree
from sqlmodel import Session

from sp.diagnosis.captures import CapturedMessage, open_captured, xml_of
from sp.diagnosis.remedies import provider_of
from sp.flows.assertion_consumer import expectations_for, keys_for
from sp.flows.judging_again import Changes, ask_store, changed_expectations, trust_of_version
from sp.flows.realms import judging_time_of, settings_of
from sp.saml import validation
from sp.saml.certificates import IdpCertificate
from sp.saml.messages import AccountHolder, Expectations, Judgement, Limits, Opened, PendingRequest
from sp.saml.report import Outcome
from sp.saml.xml import Document
from sp.settings import Settings
from sp.store import accounts


@dataclass(frozen=True, slots=True)
class CapturedEvidence:
    """A captured message, what it was held against, and the verdict.

    `shown` are the stages 1 to 3 of the XML inside, which the form's own verdict may never have reached; `root` is its
    tree where it may be parsed. Nothing in it is believed for being there.
    """

    opened: Opened
    shown: Opened
    expectations: Expectations
    judgement: Judgement
    provider: str

    @property
    def xml(self) -> bytes | None:
        return self.shown.xml

    @property
    def root(self) -> etree._Element | None:
        if self.shown.response is not None:
            return self.shown.response.tree
        finding = self.shown.findings.get("well_formed")
        if self.shown.xml is None or finding is None or finding.outcome is not Outcome.PASSED:
            return None
        return Document(self.shown.xml, validation.DEFAULT_LIMITS).root

    @property
    def signature_holds(self) -> bool:
        """Whether a trusted certificate verified the assertion, so that what it says may be told as true."""
        return self.judgement.certificate is not None

    @property
    def trusted(self) -> tuple[IdpCertificate, ...]:
        """The certificates that the message was held against."""
        account = self.expectations.account
        return account.certificates if account else ()


def judge_captured(
    session: Session,
    settings: Settings,
    message: CapturedMessage,
    settings_id: int,
    changes: Changes,
    now: datetime,
    pending: tuple[PendingRequest, ...] = (),
) -> CapturedEvidence:
    """What the service would say now, with this version of an account's settings and `changes`.

    Only keys of this account open it. `changes.now` is the time that the message is judged at, and so decides which of
    them do; without it those of `now` do, also where the clock of a workspace stands at another time.
    """
    opened = open_captured(message, settings.limits)
    account = accounts.account_by_id(session, accounts.settings_version(session, settings_id).account_id)
    settings = settings_of(session, settings, account)
    judged_at = judging_time_of(session, settings, account, now)
    trust = trust_of_version(session, settings_id)
    keys = keys_for(session, opened, account.id, changes.now or now, asked_at=now)
    expectations = changed_expectations(session, expectations_for(settings, trust, judged_at, pending, keys), changes)
    verified = validation.verify(opened, expectations)
    holder = AccountHolder()
    if verified.identity is not None:
        version = changes.settings_id or settings_id
        holder = ask_store(session, holder, version, expectations.account, verified.identity)
    return CapturedEvidence(
        opened=opened,
        shown=_shown(opened, message, settings.limits),
        expectations=expectations,
        judgement=validation.conclude(verified, holder),
        provider=provider_of(opened, accounts.settings_version(session, settings_id).sign_in_url),
    )


def _shown(opened: Opened, message: CapturedMessage, limits: Limits) -> Opened:
    if opened.xml is not None:
        return opened
    xml = xml_of(message, limits)
    return validation.open_message(xml, limits) if xml else opened
