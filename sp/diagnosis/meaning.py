"""What a message says, in terms that two messages can be compared in.

Owns which facts there are, and what of each is meaning: an order, a prefix, an ID or a time is none, a length of time
is one. Never believes a fact: each says whether a verified signature covers it.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from lxml import etree

from sp.diagnosis.explanations import span
from sp.saml import names
from sp.saml.certificates import IdpCertificate, stored_certificate
from sp.saml.errors import CertificateError
from sp.saml.identity import Attributes, read_name_id
from sp.saml.messages import AccountTrust, AttributeNames, Expectations
from sp.saml.report import Report
from sp.saml.response import assertions, child_text
from sp.saml.times import instant
from sp.saml.xml import child, text_of

RESPONSE, SIGNATURE, ASSERTION = "Response", "Signature", "Assertion"  # groups of facts
TIMES, ATTRIBUTES, OURS = "Lengths of time", "Attributes", "This service"

MOST_ATTRIBUTES = 200
MOST_VALUES = 50
_MOST_CERTIFICATES = 8
_LONGEST_CERTIFICATE = 90_000  # characters of base64

# Delivery takes seconds, and the patience of a person some more; a clock that is off is off by more than that.
_ARRIVAL = timedelta(seconds=10)
_ROUNDING = timedelta(seconds=1)


class Source(StrEnum):
    """How far a fact may be believed."""

    OURS = "ours"  # this service's own word
    VERIFIED = "verified"  # a signature by a trusted certificate covers it
    UNVERIFIED = "unverified"  # anybody may have written it


@dataclass(frozen=True, slots=True)
class Judged:
    """One message that was judged. `root` is its tree where it could be parsed, `certificate` the one that verified it.

    `settings_version` is of the account's settings in force then, None where no account trusts the issuer. `provider`
    is the name of the identity provider that was recognized, or "".
    """

    report: Report
    expectations: Expectations
    root: etree._Element | None = None
    certificate: IdpCertificate | None = None
    settings_version: int | None = None
    provider: str = ""
    opened_assertion: etree._Element | None = None

    @property
    def response(self) -> etree._Element | None:
        return self.root if self.root is not None and self.root.tag == names.RESPONSE else None

    @property
    def assertion(self) -> etree._Element | None:
        """The first plain Assertion where one belongs, or the one that was encrypted and could be opened."""
        if self.opened_assertion is not None:
            return self.opened_assertion
        found = assertions(self.response) if self.response is not None else []
        return next((element for element in found if element.tag == names.ASSERTION), None)

    @property
    def response_source(self) -> Source:
        """Where every signature holds, one in the Response covers all of it."""
        signed = self.response is not None and child(self.response, names.SIGNATURE) is not None
        return Source.VERIFIED if signed and self.certificate is not None else Source.UNVERIFIED

    @property
    def assertion_source(self) -> Source:
        return Source.UNVERIFIED if self.certificate is None else Source.VERIFIED


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. `values` are for people; none at all: it is not there. `meaning` is what is compared.

    A length of time is compared by `length`, with `tolerance`.
    """

    key: str
    group: str
    label: str
    values: tuple[str, ...]
    source: Source
    meaning: tuple[str, ...]
    length: timedelta | None = None
    tolerance: timedelta = _ROUNDING

    def same_meaning(self, other: Fact) -> bool:
        if self.length is None or other.length is None:
            return self.meaning == other.meaning
        return abs(self.length - other.length) <= max(self.tolerance, other.tolerance)


_UTC = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
_GUID = re.compile(r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b")
_DAYS = re.compile(r"\bin \d+ days\b")


def timeless(text: str, ids: Iterable[str] = ()) -> str:
    """`text` without the times and IDs in it, which differ from message to message and mean nothing by that."""
    for identifier in sorted(ids, key=len, reverse=True):
        text = text.replace(identifier, "(ID)")
    return _DAYS.sub("in (some) days", _GUID.sub("(ID)", _UTC.sub("(time)", text)))


def facts_of(judged: Judged) -> tuple[Fact, ...]:
    """Every fact, in the order in which people read them."""
    reading = _Reading(judged)
    return (*reading.of_the_response(), *reading.of_the_signatures(), *reading.of_the_assertion(), *_of_ours(judged))


@dataclass(frozen=True, slots=True)
class _Reading:
    judged: Judged

    # The Response.

    def of_the_response(self) -> Iterator[Fact]:
        root, source = self.judged.response, self.judged.response_source
        if root is None:
            return
        group = RESPONSE
        yield _fact("response.version", group, "Version", root.get("Version"), source)
        yield _fact("response.issuer", group, "Issuer of the Response", child_text(root, names.ISSUER), source)
        yield _fact("response.destination", group, "Destination", root.get("Destination"), source)
        yield _fact("response.in_response_to", group, "InResponseTo", self._answers(root.get("InResponseTo")), source)
        yield _texts("response.status", group, "Status", _status_codes(root), source)
        yield from _status_message(root, source)
        yield _texts("response.assertions", group, "Assertions", _counted(assertions(root)), source)
        yield _texts("response.encryption", group, "Encryption", _encryption(root), source)
        yield self._issued("response.issued", "Response issued", root, source)

    def _answers(self, identifier: str | None) -> str | None:
        """InResponseTo by its kind: which request it names means nothing, whether we know it does."""
        if not identifier:
            return None if identifier is None else "empty"
        request = next((one for one in self.judged.expectations.pending if one.id == identifier), None)
        if request is None:
            return "a request that is not known here"
        return "a request that was answered before" if request.used else "a request that was begun here"

    def _issued(self, key: str, label: str, element: etree._Element, source: Source) -> Fact:
        """How far IssueInstant lies from the moment of receipt: delivery, and the distance of two clocks."""
        text = element.get("IssueInstant")
        ahead = _distance(self.judged.expectations.now, text)
        return _length(key, label, text, ahead, _arrival, source, _ARRIVAL)

    # Signatures.

    def of_the_signatures(self) -> Iterator[Fact]:
        root = self.judged.response
        if root is None:
            return
        group, source = SIGNATURE, Source.UNVERIFIED if self.judged.certificate is None else Source.VERIFIED
        signed = [element for element in (root, *assertions(root)) if child(element, names.SIGNATURE) is not None]
        found = [signature for element in signed for signature in element.iterchildren(names.SIGNATURE)]
        yield _texts("signature.covers", group, "What is signed", [_local(element) for element in signed], source)
        for key, label, path in _ALGORITHMS:
            used = dict.fromkeys(element.get("Algorithm", "") for one in found for element in one.iterfind(path))
            yield _texts(f"signature.{key}", group, label, used, source)
        yield _texts("signature.elsewhere", group, "Signatures elsewhere", _elsewhere(root, found), Source.UNVERIFIED)
        sent = dict.fromkeys(_described(certificate) for certificate in sent_certificates(root))
        yield _texts("signature.certificates", group, "Certificate in the message", sent, Source.UNVERIFIED)
        verifying = [_named(self.judged.certificate)] if self.judged.certificate else []
        yield _texts("signature.verified_by", group, "Certificate that verified it", verifying, Source.OURS)

    # The assertion.

    def of_the_assertion(self) -> Iterator[Fact]:
        assertion, source = self.judged.assertion, self.judged.assertion_source
        if assertion is None:
            return
        yield _fact("assertion.version", ASSERTION, "Version of the assertion", assertion.get("Version"), source)
        yield _fact("assertion.issuer", ASSERTION, "Issuer", child_text(assertion, names.ISSUER), source)
        yield from _subject(assertion, source)
        yield from self._confirmations(assertion, source)
        yield from _conditions(assertion, source)
        yield from _authentication(assertion, source)
        yield from self._times(assertion, source)
        yield from _attributes(assertion, source)

    def _confirmations(self, assertion: etree._Element, source: Source) -> Iterator[Fact]:
        path = f"{names.SUBJECT}/{names.SUBJECT_CONFIRMATION}"
        methods = [found.get("Method", "") for found in assertion.iterfind(path)]
        yield _texts("confirmation.methods", ASSERTION, "Confirmation", sorted(methods), source)
        data = list(assertion.iterfind(f"{path}/{names.SUBJECT_CONFIRMATION_DATA}"))
        for key, label, name in (("recipient", "Recipient", "Recipient"), ("address", "Address", "Address")):
            sent = sorted(found.get(name, "") for found in data if name in found.attrib)
            yield _texts(f"confirmation.{key}", ASSERTION, label, sent, source)
        answers = [self._answers(found.get("InResponseTo")) for found in data]
        yield _texts(
            "confirmation.in_response_to", ASSERTION, "InResponseTo of the assertion", filter(None, answers), source
        )

    def _times(self, assertion: etree._Element, source: Source) -> Iterator[Fact]:
        issued = assertion.get("IssueInstant")
        conditions, statement = child(assertion, names.CONDITIONS), child(assertion, names.AUTHN_STATEMENT)
        data = child(assertion, names.SUBJECT, names.SUBJECT_CONFIRMATION, names.SUBJECT_CONFIRMATION_DATA)
        begin, end = (_of(conditions, name) for name in ("NotBefore", "NotOnOrAfter"))
        yield self._issued("times.issued", "Assertion issued", assertion, source)
        yield _length("times.begins", "Valid from", begin, _between(issued, begin), _after_issue, source)
        yield _length("times.validity", "Valid for", end, _between(begin or issued, end), _whole, source)
        delivery = _of(data, "NotOnOrAfter")
        yield _length("times.delivery", "To be delivered within", delivery, _between(issued, delivery), _whole, source)
        session = _of(statement, "SessionNotOnOrAfter")
        shown = _whole(_between(issued, session)) if session else ""
        yield _fact(
            "times.session", TIMES, "Session ends", shown or session, source, meaning="given" if session else ""
        )
        index = _of(statement, "SessionIndex")
        yield _fact("times.session_index", ASSERTION, "SessionIndex", index and "given", source)


_REFERENCE = f"{names.SIGNED_INFO}/{names.REFERENCE}"
_ALGORITHMS = (
    ("method", "Signature algorithm", f"{names.SIGNED_INFO}/{names.SIGNATURE_METHOD}"),
    ("digest", "Digest algorithm", f"{_REFERENCE}/{names.DIGEST_METHOD}"),
    ("canonicalization", "Canonicalization", f"{names.SIGNED_INFO}/{names.CANONICALIZATION_METHOD}"),
    ("transforms", "Transforms", f"{_REFERENCE}/{names.TRANSFORMS}/{names.TRANSFORM}"),
)


def _fact(key: str, group: str, label: str, value: str | None, source: Source, *, meaning: str | None = None) -> Fact:
    """A fact of at most one value. `meaning` "" stands for no value."""
    values = () if value is None else (value,)
    compared = values if meaning is None else tuple(filter(None, (meaning,)))
    return Fact(key, group, label, values, source, compared)


def _texts(key: str, group: str, label: str, values: Iterable[str], source: Source) -> Fact:
    kept = tuple(islice(values, MOST_VALUES))
    return Fact(key, group, label, kept, source, kept)


# The Response.


def _status_codes(root: etree._Element) -> Iterator[str]:
    return (code.get("Value", "") for code in root.iterfind(f"{names.STATUS}//{names.STATUS_CODE}"))


def _status_message(root: etree._Element, source: Source) -> Iterator[Fact]:
    """An identity provider puts the time and the number of the event into its sentence."""
    element = child(root, names.STATUS, names.STATUS_MESSAGE)
    text = None if element is None else text_of(element)
    yield _fact("response.status_message", RESPONSE, "Status message", text, source, meaning=text and timeless(text))


def _counted(found: list[etree._Element]) -> Iterator[str]:
    kinds = [_local(element) for element in found]
    return (f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))


def _encryption(root: etree._Element) -> Iterator[str]:
    """What is encrypted, and with which algorithms."""
    for element in root.iter(names.ENCRYPTED_ASSERTION, names.ENCRYPTED_ID, names.ENCRYPTED_ATTRIBUTE):
        yield _local(element)
        yield from (method.get("Algorithm", "") for method in element.iter(names.ENCRYPTION_METHOD))


# Signatures.


def _elsewhere(root: etree._Element, found: list[etree._Element]) -> Iterator[str]:
    """Where signatures stand that cannot count."""
    counting = set(found)
    for signature in root.iter(names.SIGNATURE):
        parent = signature.getparent()
        if signature not in counting and parent is not None:
            yield f"in {_local(parent)}"


def sent_certificates(root: etree._Element) -> Iterator[IdpCertificate | None]:
    """The first few certificates in the message's KeyInfo elements, None for what is none."""
    for element in islice(root.iter(names.X509_CERTIFICATE), _MOST_CERTIFICATES):
        yield _read_certificate("".join(text_of(element)[:_LONGEST_CERTIFICATE].split()))


def _read_certificate(text: str) -> IdpCertificate | None:
    try:
        return stored_certificate.__wrapped__(binascii.a2b_base64(text.encode("ascii"), strict_mode=True))
    except (CertificateError, ValueError):
        return None


def _described(certificate: IdpCertificate | None) -> str:
    return "one that cannot be read" if certificate is None else _named(certificate)


def _named(certificate: IdpCertificate) -> str:
    return f"{certificate.subject}, {certificate.key}, SHA-256 {certificate.fingerprint}"


# The assertion.


def _subject(assertion: etree._Element, source: Source) -> Iterator[Fact]:
    name_id = read_name_id(assertion)
    if name_id is None:
        kinds = [_local(found) for found in assertion.iterfind(f"{names.SUBJECT}/*")]
        yield _texts("name_id.value", ASSERTION, "NameID", [f"none, but {kind}" for kind in kinds[:1]], source)
        return
    yield _fact("name_id.value", ASSERTION, "NameID", name_id.value, source)
    yield _fact("name_id.format", ASSERTION, "NameID format", name_id.format, source)
    yield _fact("name_id.name_qualifier", ASSERTION, "NameQualifier", name_id.name_qualifier, source)
    yield _fact("name_id.sp_name_qualifier", ASSERTION, "SPNameQualifier", name_id.sp_name_qualifier, source)


def _conditions(assertion: etree._Element, source: Source) -> Iterator[Fact]:
    conditions = child(assertion, names.CONDITIONS)
    inside = [] if conditions is None else list(conditions.iterchildren("*"))
    audiences = [text_of(found) for one in inside for found in one.iterchildren(names.AUDIENCE)]
    others = [_local(found) for found in inside if found.tag != names.AUDIENCE_RESTRICTION]
    yield _texts("conditions.audience", ASSERTION, "Audience", sorted(audiences), source)
    yield _texts("conditions.others", ASSERTION, "Other conditions", sorted(others), source)


def _authentication(assertion: etree._Element, source: Source) -> Iterator[Fact]:
    contexts = assertion.iterfind(f"{names.AUTHN_STATEMENT}/{names.AUTHN_CONTEXT}/*")
    texts = [text_of(found).strip() for found in contexts]
    yield _texts("authn.context", ASSERTION, "Authentication context", sorted(texts), source)


def _attributes(assertion: etree._Element, source: Source) -> Iterator[Fact]:
    sent = Attributes(assertion, AttributeNames()).values
    for name, values in islice(sent.items(), MOST_ATTRIBUTES):
        kept = values[:MOST_VALUES]
        yield Fact(f"attribute:{name}", ATTRIBUTES, name, kept or ("no value",), source, ("sent", *sorted(values)))


# Lengths of time.


def _of(element: etree._Element | None, name: str) -> str | None:
    return None if element is None else element.get(name)


def _distance(now: datetime, text: str | None) -> timedelta | None:
    moment = instant(text)
    return None if moment is None else moment - now


def _between(first: str | None, second: str | None) -> timedelta | None:
    begin, end = instant(first), instant(second)
    return None if begin is None or end is None else end - begin


def _length(
    key: str,
    label: str,
    text: str | None,
    length: timedelta | None,
    told: Words,
    source: Source,
    tolerance: timedelta = _ROUNDING,
) -> Fact:
    """A length that begins or ends with the time in `text`; where that is none, the text is all there is to tell."""
    if text is None:
        return Fact(key, TIMES, label, (), source, ())
    if length is None:
        return Fact(key, TIMES, label, (f"cannot be told: {text}",), source, ("cannot be told",))
    return Fact(key, TIMES, label, (told(length),), source, ("given",), length, tolerance)


class Words:
    """How a length of time is told."""

    def __init__(self, before: str, at: str, after: str) -> None:
        self.before, self.at, self.after = before, at, after

    def __call__(self, length: timedelta | None) -> str:
        if length is None:
            return ""
        if abs(length) < _ROUNDING:
            return self.at
        return (self.before if length < timedelta() else self.after).format(span(abs(length)))


_arrival = Words("{} before it arrived", "when it arrived", "{} after it arrived: a clock is off")
_after_issue = Words("{} before it was issued", "when it was issued", "{} after it was issued")
_whole = Words("{} less than nothing", "no time at all", "{}")


# This service.


def _of_ours(judged: Judged) -> Iterator[Fact]:
    """What the message was held against."""
    group, held = OURS, judged.expectations
    version = None if judged.settings_version is None else f"version {judged.settings_version}"
    yield _fact("ours.provider", group, "Recognized identity provider", judged.provider or None, Source.UNVERIFIED)
    yield _fact("ours.settings", group, "Settings in force", version, Source.OURS)
    yield _fact("ours.entity_id", group, "Entity ID", held.entity_id, Source.OURS)
    yield _fact("ours.acs_url", group, "Assertion consumer service", held.acs_url, Source.OURS)
    yield _fact("ours.skew", group, "Allowed difference of clocks", span(held.skew), Source.OURS)
    if held.account is not None:
        yield from _of_account(held.account, group)


def _of_account(account: AccountTrust, group: str) -> Iterator[Fact]:
    yield _fact("ours.account", group, "Account", account.slug, Source.OURS)
    yield _fact("ours.issuer", group, "Issuer URL", account.issuer, Source.OURS)
    trusted = sorted(_named(certificate) for certificate in account.certificates)
    yield _texts("ours.certificates", group, "Trusted certificates", trusted, Source.OURS)
    yield _fact("ours.signed_part", group, "What must be signed", account.signed_part.value, Source.OURS)
    yield _fact("ours.user_mapping", group, "User Mapping Field", account.user_mapping.value, Source.OURS)
    for key, label in _SWITCHES:
        yield _fact(f"ours.{key}", group, label, "yes" if getattr(account, key) else "no", Source.OURS)
    wanted = account.attribute_names
    yield _texts(
        "ours.attribute_names",
        group,
        "Mapped attributes",
        (wanted.first_name, wanted.last_name, wanted.email),
        Source.OURS,
    )


_SWITCHES = (
    ("active", "Account is active"),
    ("saml_enabled", "Single Sign On with SAML"),
    ("provisioning", "Just-in-time provisioning"),
    ("unsolicited", "Unsolicited responses"),
    ("allow_sha1", "SHA-1 signatures"),
    ("accept_transient", "Transient NameIDs"),
)


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname
