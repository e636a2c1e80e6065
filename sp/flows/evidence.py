"""Everything there is to know about one attempt, read once for whoever shows, compares or shares it.

Owns putting it together: the attempt, what it was held against, the verdict of then. Never judges: the core does.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree
from sqlmodel import Session

from sp.diagnosis.meaning import Judged
from sp.diagnosis.remedies import GENERAL, name_of, provider_of
from sp.flows.judging_again import Inputs, inputs_of, judgement_of
from sp.models import SignInAttempt, SsoSettings
from sp.saml import validation
from sp.saml.certificates import IdpCertificate
from sp.saml.messages import Judgement
from sp.saml.report import Outcome
from sp.saml.xml import Document
from sp.store import accounts


@dataclass(frozen=True, slots=True)
class Evidence:
    """`root` is the message's tree, where it could be parsed; nothing in it is believed for being there.

    `settings` is the version in force then, None where the message named no issuer that an account trusts.
    """

    attempt: SignInAttempt
    inputs: Inputs
    judgement: Judgement
    settings: SsoSettings | None
    provider: str
    root: etree._Element | None

    @property
    def xml(self) -> bytes | None:
        return self.inputs.opened.xml

    @property
    def signature_holds(self) -> bool:
        """Whether a trusted certificate verified the assertion, so that what it says may be told as true."""
        return self.judgement.certificate is not None

    @property
    def judged(self) -> Judged:
        """As `sp.diagnosis.comparison` wants it."""
        return Judged(
            report=self.judgement.report,
            expectations=self.inputs.expectations,
            root=self.root,
            certificate=self.judgement.certificate,
            settings_version=self.settings.version if self.settings else None,
            provider=name_of(self.provider) if self.provider != GENERAL else "",
            opened_assertion=self.judgement.opened_assertion,
        )

    @property
    def trusted(self) -> tuple[IdpCertificate, ...]:
        """The certificates that the message was held against."""
        account = self.inputs.expectations.account
        return account.certificates if account else ()


def evidence_of(session: Session, attempt: SignInAttempt) -> Evidence:
    inputs = inputs_of(session, attempt)
    settings = None if attempt.settings_id is None else accounts.settings_version(session, attempt.settings_id)
    return Evidence(
        attempt=attempt,
        inputs=inputs,
        judgement=judgement_of(inputs, attempt),
        settings=settings,
        provider=provider_of(inputs.opened, settings.sign_in_url if settings else ""),
        root=_root(inputs),
    )


def _root(inputs: Inputs) -> etree._Element | None:
    """The tree, parsed only where the report says that it is safe and possible to parse."""
    if inputs.opened.response is not None:
        return inputs.opened.response.tree
    finding = inputs.opened.findings.get("well_formed")
    if inputs.opened.xml is None or finding is None or finding.outcome is not Outcome.PASSED:
        return None
    return Document(inputs.opened.xml, validation.DEFAULT_LIMITS).root
