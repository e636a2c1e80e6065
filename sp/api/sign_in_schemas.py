"""What the API tells about sign-ins: entries of the list, verdicts, comparisons.

Owns the keys, and turning rows and judgements into them. Never decides who may see one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field

from sp.api.pem import Certificate
from sp.api.schemas import Answer, Body, Flag, GivenTime, Number, Text, Time, examples
from sp.diagnosis.comparison import Line, Side
from sp.diagnosis.rows import finding_json
from sp.flows.evidence import Evidence
from sp.flows.judging_again import fixed_time
from sp.flows.verdict import verdict
from sp.models import SignInAttempt, SignInOutcome
from sp.saml.messages import Identity, Judgement, SignedPart
from sp.saml.report import Outcome, Row

ROW = {
    "code": "audience",
    "outcome": "failed",
    "expected": "http://localhost:8000/saml2",
    "received": "http://localhost:8000/saml",
    "problem": "different",
    "expected_value": {"type": "uri", "value": "http://localhost:8000/saml2"},
    "received_value": {"type": "uri", "value": "http://localhost:8000/saml"},
}
EXAMPLE = {
    "reference": "7F3KXMPQ",
    "received_at": "2030-01-31T12:00:00Z",
    "outcome": "refused",
    "failed": ["audience"],
    "warnings": [],
    "issuer": "https://idp.contoso.example/",
    "username": "britta@contoso.example",
    "unverified_username": "",
    "provisioned": False,
    "remote_address": "127.0.0.1",
}


class SignInEntry(Answer):
    """A sign-in as lists have it."""

    model_config = ConfigDict(json_schema_extra=examples(EXAMPLE))

    reference: str
    received_at: Time
    outcome: SignInOutcome
    failed: list[str] = Field(description="The checks that failed.")
    warnings: list[str]
    issuer: str
    username: str = Field(description="Whom a verified signature names.")
    unverified_username: str = Field(description="Whom a message names that nothing verified.")
    provisioned: bool = Field(description="Whether it created the user.")
    remote_address: str


PROBLEM = "What was wrong, one of the problems of this check; null where nothing was."
VALUE = "The value for programs, such as {type: uri, value: …}; null where there is none."


class RowAnswer(Answer):
    """One check: what was expected and what was received."""

    model_config = ConfigDict(json_schema_extra=examples(ROW))

    code: str
    outcome: Outcome
    expected: str
    received: str
    problem: str | None = Field(None, description=PROBLEM)
    expected_value: dict[str, Any] | None = Field(None, description=VALUE)
    received_value: dict[str, Any] | None = Field(None, description=VALUE)


class Verdict(Answer):
    """The verdict, with a row for every check in the order of the table."""

    outcome: SignInOutcome
    reference: str
    username: str
    provisioned: bool
    failed: list[str]
    warnings: list[str]
    report: list[RowAnswer]
    message: str = Field(description="The cause, in one sentence.")
    remedy: str = Field(description="What to change, in the words of the identity provider where it was recognized.")


class NameIdAnswer(Answer):
    """The NameID, verbatim."""

    value: str
    format: str | None
    name_qualifier: str | None
    sp_name_qualifier: str | None


class IdentityAnswer(Answer):
    """What the assertion says, all of it covered by a trusted signature."""

    name_id: NameIdAnswer
    first_name: str
    last_name: str
    email: str
    attributes: dict[str, list[str]]
    session_index: str | None
    session_not_on_or_after: Time | None
    authn_instant: Time | None
    authn_context: str | None


class SignInAnswer(Verdict):
    """A sign-in with all that is known about it."""

    received_at: Time
    remote_address: str
    issuer: str
    unverified_username: str
    settings_version: int | None = Field(description="The settings that it was held against.")
    provider: str = Field(description="The identity provider that was recognized, such as entra, else general.")
    entity_id: str
    acs_url: str
    fixed_time: Time | None = Field(description="Where the clock of the workspace stood; null where it went.")
    certificate: str | None = Field(description="The SHA-256 of the certificate that verified it.")
    identity: IdentityAnswer | None = Field(description="Null unless a trusted certificate signed it.")


class Circumstances(Body):
    """What is different this time; what is left out is as it was then."""

    model_config = ConfigDict(json_schema_extra=examples({"entity_id": "http://localhost:8000/saml"}))

    settings_version: Number | None = Field(None, description="The number of a version of the account's settings.")
    certificates: list[Certificate] | None = Field(None, min_length=1, max_length=8)
    issuer: Text | None = None
    entity_id: Text | None = None
    acs_url: Text | None = None
    at: GivenTime | None = Field(None, description="The time at which it is judged.")
    allow_sha1: Flag | None = None
    signed_part: SignedPart | None = None


class Told(Answer):
    """What a row said."""

    outcome: Outcome
    expected: str
    received: str
    problem: str | None = Field(None, description=PROBLEM)
    expected_value: dict[str, Any] | None = Field(None, description=VALUE)
    received_value: dict[str, Any] | None = Field(None, description=VALUE)


class Difference(Answer):
    """A check that says something else now."""

    code: str
    then: Told
    now: Told


class JudgedAgain(Answer):
    """The verdict of then beside the one of now."""

    then: Verdict
    now: Verdict
    differences: list[Difference]


class SideAnswer(Answer):
    """One side of a line; no values: it is not there."""

    values: list[str]
    unverified: bool


class LineAnswer(Answer):
    """One fact of both messages."""

    key: str = Field(description="Its name for programs, such as `name_id.format` or `check:audience`.")
    group: str
    label: str
    a: SideAnswer
    b: SideAnswer
    differs: bool


class Comparison(Answer):
    """What differs in meaning: not IDs, times, prefixes or the order."""

    items: list[LineAnswer]


def entry_of(attempt: SignInAttempt) -> SignInEntry:
    return SignInEntry(
        reference=attempt.reference,
        received_at=attempt.received_at,
        outcome=SignInOutcome(attempt.outcome),
        failed=attempt.failed,
        warnings=attempt.warnings,
        issuer=attempt.issuer,
        username=attempt.username,
        unverified_username=attempt.unverified_username,
        provisioned=attempt.provisioned,
        remote_address=attempt.remote_address,
    )


def verdict_of(evidence: Evidence, judgement: Judgement) -> Verdict:
    return Verdict.model_validate(_verdict(evidence, judgement))


def sign_in_of(evidence: Evidence) -> SignInAnswer:
    attempt, judgement = evidence.attempt, evidence.judgement
    identity, certificate = judgement.identity, judgement.certificate
    return SignInAnswer(
        **_verdict(evidence, judgement),
        received_at=attempt.received_at,
        remote_address=attempt.remote_address,
        issuer=attempt.issuer,
        unverified_username=attempt.unverified_username,
        settings_version=evidence.settings.version if evidence.settings else None,
        provider=evidence.provider,
        entity_id=evidence.inputs.expectations.entity_id,
        acs_url=evidence.inputs.expectations.acs_url,
        fixed_time=fixed_time(attempt),
        certificate=certificate.sha256 if certificate else None,
        identity=_identity(identity) if identity else None,
    )


def _verdict(evidence: Evidence, judgement: Judgement) -> Mapping[str, Any]:
    return verdict(
        judgement.report,
        reference=evidence.attempt.reference,
        username=judgement.identity.username if judgement.identity else "",
        provisioned=evidence.attempt.provisioned,
        provider=evidence.provider,
    )


def _identity(identity: Identity) -> IdentityAnswer:
    name_id = identity.name_id
    return IdentityAnswer(
        name_id=NameIdAnswer(
            value=name_id.value,
            format=name_id.format,
            name_qualifier=name_id.name_qualifier,
            sp_name_qualifier=name_id.sp_name_qualifier,
        ),
        first_name=identity.first_name,
        last_name=identity.last_name,
        email=identity.email,
        attributes={name: list(values) for name, values in identity.attributes.items()},
        session_index=identity.session_index,
        session_not_on_or_after=identity.session_not_on_or_after,
        authn_instant=identity.authn_instant,
        authn_context=identity.authn_context,
    )


def difference_of(then: Row, now: Row) -> Difference:
    return Difference(code=then.code, then=_told(then), now=_told(now))


def _told(row: Row) -> Told:
    return Told.model_validate(finding_json(row))


def line_of(line: Line) -> LineAnswer:
    return LineAnswer(
        key=line.key, group=line.group, label=line.label, a=_side(line.a), b=_side(line.b), differs=line.differs
    )


def _side(side: Side) -> SideAnswer:
    return SideAnswer(values=list(side.values), unverified=side.unverified)
