"""The contract of a sign-in: what the next one must look like, and how it differs from that.

Owns what can be asked and how it is compared. Never judges a message: it reads a verdict, and of the message only what
the verdict says may be believed. What must be said by the assertion counts only where a trusted signature covers it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Literal

from lxml import etree
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    model_validator,
)

from sp.saml import names
from sp.saml.checks import BY_CODE
from sp.saml.expressions import MAX_STEPS, expression_fault, matches_whole, steps_for
from sp.saml.messages import Identity
from sp.saml.report import shown
from sp.saml.times import instant
from sp.saml.unknown_names import with_few_unknown_names
from sp.saml.xml import child

MAX_ATTRIBUTES = 50
_ABSENT = "(absent)"
_UNSIGNED = "(nothing that a trusted signature covers)"
_TOO_LONG = "(too many long values to hold them all against expressions)"


def _a_code(code: str) -> str:
    if code not in BY_CODE:
        raise ValueError(f"there is no check {code[:40]!r}")
    return code


def _a_pattern(text: str) -> str:
    if fault := expression_fault(text):
        raise ValueError(fault)
    return text


class Part(BaseModel):
    """A part of a contract. A name that nobody knows is a typing error, and refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _limit_unknown_names(cls, given: object) -> object:
        return with_few_unknown_names(cls, given)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("no name and no value holds a NUL")
    return text


Text = Annotated[str, Field(max_length=1024), AfterValidator(_without_nul)]
Code = Annotated[str, Field(max_length=64), AfterValidator(_a_code)]
Codes = Annotated[list[Code], Field(max_length=64)]
Pattern = Annotated[str, Field(max_length=1024), AfterValidator(_a_pattern)]
Seconds = Annotated[StrictInt, Field(ge=-(10**9), le=10**9)]


class Includes(Part):
    """These codes, and perhaps others."""

    includes: Codes


class WantedName(Part):
    value: Text | None = None
    format: Text | None = Field(None, description="Its URI; an empty text for a NameID without Format.")


class WantedAttribute(Part):
    """Exactly one of the three."""

    equals: Annotated[list[Text], Field(max_length=50)] | None = Field(None, description="All values, in any order.")
    matches: Pattern | None = Field(None, description="An expression that describes each whole value.")
    absent: Literal[True] | None = None

    @model_validator(mode="after")
    def _one(self) -> WantedAttribute:
        if sum(wish is not None for wish in (self.equals, self.matches, self.absent)) != 1:
            raise ValueError("give one of equals, matches and absent")
        return self


def _few_attributes(given: object) -> object:
    """Count before any expression is compiled: pydantic validates every item, and only then looks at `max_length`."""
    if isinstance(given, dict) and len(given) > MAX_ATTRIBUTES:
        raise ValueError(f"name at most {MAX_ATTRIBUTES} attributes")
    return given


class WantedSignature(Part):
    assertion: StrictBool | None = None
    response: StrictBool | None = None
    algorithm: Text | None = Field(None, description="The URI of every signature's algorithm.")
    digest: Text | None = Field(None, description="The URI of every digest's algorithm.")


class WantedLength(Part):
    min_seconds: Seconds | None = None
    max_seconds: Seconds | None = None


class WantedCertificate(Part):
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="In lower-case hexadecimal.")]


class Contract(Part):
    """What a sign-in must look like. What is left out may be anything."""

    outcome: Literal["accepted", "refused"] | None = None
    failed: Codes | Includes | None = Field(None, description="All codes that failed, or some of them.")
    warnings: Codes | Includes | None = None
    name_id: WantedName | None = None
    username: Text | None = None
    attributes: (
        Annotated[dict[Text, WantedAttribute], BeforeValidator(_few_attributes), Field(max_length=MAX_ATTRIBUTES)]
        | None
    ) = Field(None, description="By the Name of the attribute.")
    signed: WantedSignature | None = None
    encrypted: StrictBool | None = None
    authn_context: Text | None = None
    lifetime: WantedLength | None = Field(None, description="From NotBefore, or IssueInstant, to NotOnOrAfter.")
    session_lifetime: WantedLength | Literal["absent"] | None = Field(
        None, description="From IssueInstant to SessionNotOnOrAfter."
    )
    certificate: WantedCertificate | None = Field(None, description="The one that verified the signature.")
    issuer: Text | None = None
    in_response_to: Literal["present", "absent"] | None = None
    provisioned: StrictBool | None = None


@dataclass(frozen=True, slots=True)
class SignInFacts:
    """A sign-in that was judged. `identity` and `certificate` are there when a trusted signature covers the assertion.

    `response` and `assertion` are elements of the message, of which nothing but their form is looked at.
    """

    outcome: str = ""
    failed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()  # "audience.different", of the failed rows and the warnings
    username: str = ""
    provisioned: bool = False
    issuer: str = ""
    identity: Identity | None = None
    certificate: str = ""
    response: etree._Element | None = field(default=None, repr=False)
    assertion: etree._Element | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was asked: its field, both sides, whether it is met, and the problems behind another outcome."""

    field: str
    expected: str
    received: str
    met: bool
    problems: tuple[str, ...] = ()


def compare(contract: Contract, facts: SignInFacts) -> tuple[Line, ...]:
    """A line for each thing that the contract asks."""
    return tuple(
        Line(shown(line.field), shown(line.expected), shown(line.received), line.met, line.problems)
        for part in (_of_verdict, _of_identity, _of_attributes, _of_signature, _of_times)
        for line in part(contract, facts)
    )


def _of_verdict(contract: Contract, facts: SignInFacts) -> Iterator[Line]:
    for name in ("outcome", "username", "issuer"):
        if (wanted := getattr(contract, name)) is not None:
            line = _same(name, wanted, getattr(facts, name))
            yield replace(line, problems=facts.problems if name == "outcome" and not line.met else ())
    for name in ("failed", "warnings"):
        if (wanted := getattr(contract, name)) is not None:
            line = _codes(name, wanted, getattr(facts, name))
            yield replace(line, problems=() if line.met else facts.problems)
    if contract.provisioned is not None:
        yield _same("provisioned", _yes(contract.provisioned), _yes(facts.provisioned))
    if contract.certificate is not None:
        yield _same("certificate.sha256", contract.certificate.sha256, facts.certificate or _UNSIGNED)
    if contract.in_response_to is not None:
        sent = facts.response is not None and bool(facts.response.get("InResponseTo"))
        yield _same("in_response_to", contract.in_response_to, "present" if sent else "absent")


def _codes(name: str, wanted: list[str] | Includes, received: tuple[str, ...]) -> Line:
    if isinstance(wanted, Includes):
        met, words = set(wanted.includes) <= set(received), f"at least {_listed(wanted.includes)}"
    else:
        met, words = set(wanted) == set(received), _listed(wanted)
    return Line(name, words, _listed(received), met)


def _of_identity(contract: Contract, facts: SignInFacts) -> Iterator[Line]:
    name_id = facts.identity.name_id if facts.identity else None
    wanted = contract.name_id or WantedName()
    if wanted.value is not None:
        yield _same("name_id.value", wanted.value, name_id.value if name_id else _UNSIGNED)
    if wanted.format is not None:
        yield _same("name_id.format", wanted.format or _ABSENT, _or_absent(name_id.format) if name_id else _UNSIGNED)
    if contract.authn_context is not None:
        received = _or_absent(facts.identity.authn_context) if facts.identity else _UNSIGNED
        yield _same("authn_context", contract.authn_context or _ABSENT, received)


def _of_attributes(contract: Contract, facts: SignInFacts) -> Iterator[Line]:
    """Whoever sends chooses how many values there are: the expressions of a contract share one bound of steps."""
    left = MAX_STEPS
    for name, wanted in (contract.attributes or {}).items():
        sent = facts.identity.attributes.get(name) if facts.identity else None
        if wanted.matches is not None:
            left -= steps_for(wanted.matches, sent or ())
            if left < 0:
                yield Line(f"attributes.{name}", f"each value like {wanted.matches}", _TOO_LONG, met=False)
                continue
        received = _UNSIGNED if facts.identity is None else _ABSENT if sent is None else _listed(sent)
        met, words = _attribute(wanted, sent, signed=facts.identity is not None)
        yield Line(f"attributes.{name}", words, received, met)


def _attribute(wanted: WantedAttribute, sent: tuple[str, ...] | None, *, signed: bool) -> tuple[bool, str]:
    if wanted.equals is not None:
        return sent is not None and sorted(wanted.equals) == sorted(sent), _listed(wanted.equals)
    if wanted.matches is not None:
        met = bool(sent) and all(matches_whole(wanted.matches, value) for value in sent or ())
        return met, f"each value like {wanted.matches}"
    return signed and sent is None, _ABSENT


def _of_signature(contract: Contract, facts: SignInFacts) -> Iterator[Line]:
    wanted = contract.signed or WantedSignature()
    elements = {"assertion": facts.assertion, "response": facts.response}
    signatures = [one for element in elements.values() if (one := _signature(element)) is not None]
    for name, element in elements.items():
        if (wish := getattr(wanted, name)) is not None:
            yield _same(f"signed.{name}", _yes(wish), _yes(_signature(element) is not None))
    for name, tag in (("algorithm", names.SIGNATURE_METHOD), ("digest", names.DIGEST_METHOD)):
        if (wish := getattr(wanted, name)) is not None:
            used = {found.get("Algorithm", "") for one in signatures for found in one.iter(tag)}
            yield Line(f"signed.{name}", wish, _listed(sorted(used)), used == {wish})
    if contract.encrypted is not None:
        sealed = facts.response is not None and child(facts.response, names.ENCRYPTED_ASSERTION) is not None
        yield _same("encrypted", _yes(contract.encrypted), _yes(sealed))


def _signature(element: etree._Element | None) -> etree._Element | None:
    return None if element is None else child(element, names.SIGNATURE)


def _of_times(contract: Contract, facts: SignInFacts) -> Iterator[Line]:
    told = facts.assertion if facts.identity is not None else None
    conditions = None if told is None else child(told, names.CONDITIONS)
    statement = None if told is None else child(told, names.AUTHN_STATEMENT)
    issued = _time(told, "IssueInstant")
    if contract.lifetime is not None:
        begin = _time(conditions, "NotBefore") or issued
        yield from _length("lifetime", contract.lifetime, begin, _time(conditions, "NotOnOrAfter"))
    end = _time(statement, "SessionNotOnOrAfter")
    if isinstance(contract.session_lifetime, WantedLength):
        yield from _length("session_lifetime", contract.session_lifetime, issued, end)
    elif contract.session_lifetime is not None:
        received = _UNSIGNED if told is None else "present" if end else "absent"
        yield _same("session_lifetime", "absent", received)


def _time(element: etree._Element | None, name: str) -> datetime | None:
    return None if element is None else instant(element.get(name))


def _length(name: str, wanted: WantedLength, begin: datetime | None, end: datetime | None) -> Iterator[Line]:
    seconds = None if begin is None or end is None else (end - begin).total_seconds()
    received = _ABSENT if seconds is None else f"{seconds:g} seconds"
    if wanted.min_seconds is not None:
        met = seconds is not None and seconds >= wanted.min_seconds
        yield Line(f"{name}.min_seconds", f"at least {wanted.min_seconds} seconds", received, met)
    if wanted.max_seconds is not None:
        met = seconds is not None and seconds <= wanted.max_seconds
        yield Line(f"{name}.max_seconds", f"at most {wanted.max_seconds} seconds", received, met)


def _same(name: str, expected: str, received: str) -> Line:
    return Line(name, expected, received, expected == received)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _or_absent(value: str | None) -> str:
    return value or _ABSENT


def _listed(values: Iterable[str]) -> str:
    return ", ".join(values) or "(none)"
