"""The catalogue of checks of logout messages: every row of their reports, in order, and what judges each.

Owns the order, the codes and the rows that only logout messages have. Never judges a signature itself
(`sp.saml.enveloped`, `sp.saml.redirect_binding`), and grants nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Never, TypeVar

from lxml import etree

from sp.saml import bindings, names, soap, xml
from sp.saml.checks import document
from sp.saml.checks.assertion import no_name_id, value_problem
from sp.saml.checks.response import issue_instant, version
from sp.saml.checks.transport import size_of
from sp.saml.decryption import encryption_problem, opened
from sp.saml.former_keys import former_key_warning
from sp.saml.identity import name_id_of
from sp.saml.logout_messages import (
    Arrival,
    Binding,
    ByForm,
    ByQuery,
    Kind,
    LogoutExpectations,
    OpenedLogout,
    PendingSignOut,
)
from sp.saml.logout_signature import judge_signature
from sp.saml.messages import Limits, NameId
from sp.saml.problems import (
    ENCRYPTED_ID,
    END,
    ISSUED,
    AddressProblem,
    Base64Problem,
    CommentProblem,
    DecryptionProblem,
    DeflateProblem,
    DtdProblem,
    EncodingProblem,
    FormProblem,
    IdProblem,
    IssuerProblem,
    LimitProblem,
    Problem,
    QueryProblem,
    ReplayProblem,
    RequestProblem,
    RootProblem,
    SchemaProblem,
    SessionsProblem,
    SignatureAlgorithmProblem,
    SignaturePresentProblem,
    SignatureProblem,
    SignatureStructureProblem,
    SigningKeyProblem,
    SizeProblem,
    SoapTypeProblem,
    StatusProblem,
    SubjectProblem,
    SyntaxProblem,
    TimeProblem,
    VersionProblem,
)
from sp.saml.redirect_binding import RedirectMessage, UnreadQuery, read_query
from sp.saml.report import NOT_REACHED, PASSED, SKIPPED, Fault, Finding, failed, passed_unless, warning
from sp.saml.times import instant, reached
from sp.saml.values import Count, Duration, Event, Instant, Missing, Name, Several, Text, Unit, Uri
from sp.saml.xml import Document, child

STAGES = {
    1: "Transport",
    2: "Document",
    3: "Structure",
    4: "Account",
    5: "Signature",
    6: "Message",
    7: "Sessions",
}
_SOAP_TYPES = ("text/xml", "application/soap+xml")


# Stage 1: how it arrived.


@dataclass(frozen=True)
class Carrier:
    """What arrived, beside the limits it is held against."""

    arrival: Arrival
    limits: Limits

    @cached_property
    def query(self) -> RedirectMessage | UnreadQuery | None:
        if not isinstance(self.arrival, ByQuery):
            return None
        return read_query(self.arrival.query, self.arrival.kind.carried, self.limits)

    @cached_property
    def transport(self) -> bindings.Transport | None:
        if not isinstance(self.arrival, ByForm):
            return None
        return bindings.Transport(self.arrival.form, self.limits, self.arrival.kind.carried)

    @property
    def xml(self) -> bytes | None:
        """The message's bytes, or None where the transport does not give any."""
        match self.arrival:
            case ByForm():
                return self.transport.decoded if self.transport else None
            case ByQuery():
                return self.query.xml if isinstance(self.query, RedirectMessage) else None
        return self.arrival.body


def form(carrier: Carrier) -> Finding:
    match carrier.arrival:
        case ByForm(form=posted, kind=kind):
            fault = bindings.form_problem(posted, kind.carried)
        case ByQuery():
            return _of_query("form", carrier)
        case soap_body:
            fault = _soap_type_problem(soap_body.content_type)
    return passed_unless(fault)


def size(carrier: Carrier) -> Finding:
    if carrier.query is not None:
        return _of_query("size", carrier)
    count = carrier.transport.decoded_bytes if carrier.transport else len(carrier.xml or b"")
    return size_of(count, carrier.limits.message_bytes)


def base64(carrier: Carrier) -> Finding:
    if carrier.query is not None:
        return _of_query("base64", carrier)
    if carrier.transport is None:
        return SKIPPED
    if carrier.transport.decoded is None:
        return failed(bindings.base64_problem(carrier.transport), Name("base64"))
    return PASSED


def _of_query(code: str, carrier: Carrier) -> Finding:
    found = carrier.query
    if isinstance(found, UnreadQuery) and found.code == code:
        return failed(*found.fault)
    return PASSED


def _soap_type_problem(content_type: str) -> Fault | None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind in _SOAP_TYPES:
        return None
    return Fault(SoapTypeProblem.CONTENT_TYPE, Name("text/xml"), Text(kind) if kind else Missing("content type"))


# Stages 2 and 3: the document, and the message in it.


def encoding(document: Document) -> Finding:
    return passed_unless(xml.encoding_problem(document.xml))


def no_dtd(document: Document) -> Finding:
    if xml.has_doctype(document.xml):
        return failed(DtdProblem.PRESENT, received=Name("DOCTYPE"))
    return PASSED


def well_formed(document: Document) -> Finding:
    error = document.syntax_error
    if error is None:
        return PASSED
    if xml.parser_gave_up(error):
        return NOT_REACHED  # how it would go on is not known; `limits` says why
    received = Text(error.msg or "")
    return failed(SyntaxProblem.NOT_WELL_FORMED, Name("XML"), received, place=f"line:{error.lineno or 1}")


@dataclass(frozen=True)
class Content:
    """A sound document beside what ought to be in it."""

    document: Document
    arrival: Arrival

    @cached_property
    def message(self) -> Document:
        """The message by itself. Ask once `root` has passed."""
        if self.arrival.binding is not Binding.SOAP:
            return self.document
        return Document(soap.message_in(self.document.element), self.document.limits)


def root(content: Content) -> Finding:
    element, tag = content.document.element, content.arrival.kind.tag
    if content.arrival.binding is Binding.SOAP:
        return passed_unless(soap.envelope_problem(element, tag))
    if element.tag != tag:
        problem = RootProblem.RESPONSE if element.tag == names.RESPONSE else RootProblem.DIFFERENT
        expected = Name(f"samlp:{etree.QName(tag).localname}")
        return failed(problem, expected, Name(etree.QName(element).localname))
    return PASSED


def unique_ids(content: Content) -> Finding:
    return document.unique_ids(content.message)


def schema(content: Content) -> Finding:
    return document.schema(content.message)


# Stages 4 and 5: whose it is.


@dataclass(frozen=True)
class Held:
    """An unverified message and what it is held against."""

    opened: OpenedLogout
    expectations: LogoutExpectations

    @property
    def message(self) -> etree._Element:
        if self.opened.document is None:
            raise ValueError("the message was not opened")
        return self.opened.document.element

    @cached_property
    def signature(self) -> tuple[dict[str, Finding], etree._Element | None]:
        """The rows of stage 5, and the message read afresh from what the signature covers."""
        return judge_signature(self.message, self.opened.query, self.expectations)


def issuer(held: Held) -> Finding:
    received, known = held.opened.unverified_issuer, held.expectations.issuers
    likely = known or tuple(filter(None, (held.expectations.common.nearest_issuer,)))
    expected = Several(tuple(map(Uri, likely))) if likely else None
    if not received:
        return failed(IssuerProblem.MISSING, expected, Missing("Issuer"))
    element = child(held.message, names.ISSUER)
    given = names.ENTITY_FORMAT if element is None else element.get("Format", names.ENTITY_FORMAT)
    if given != names.ENTITY_FORMAT:
        return failed(IssuerProblem.FORMAT, received=Uri(given))
    return PASSED if received in known else failed(IssuerProblem.UNKNOWN, expected, Uri(received))


def _of_signature(code: str) -> Callable[[Held], Finding]:
    return lambda held: held.signature[0].get(code, NOT_REACHED)


# Stage 6: what the verified message says.


@dataclass(frozen=True)
class Statement:
    """The verified message, read afresh from what the signature covers, and what it is held against."""

    message: etree._Element
    binding: Binding
    expectations: LogoutExpectations

    @property
    def encrypted_id(self) -> etree._Element | None:
        return child(self.message, names.ENCRYPTED_ID)

    @cached_property
    def name_id(self) -> NameId | None:
        """The NameID, opened where it is encrypted; None where there is none to read."""
        encrypted = self.encrypted_id
        if encrypted is None:
            return name_id_of(child(self.message, names.NAME_ID))
        if encryption_problem(encrypted) is not None:
            return None
        return name_id_of(opened(encrypted, names.NAME_ID, self.expectations.common.decryption_keys))

    @property
    def status(self) -> tuple[str, ...]:
        """The status codes, from the top down."""
        found = self.message.iterfind(f"{names.STATUS}//{names.STATUS_CODE}")
        return tuple(code.get("Value", "") for code in found)


def logout_version(statement: Statement) -> Finding:
    return version(statement.message.get("Version", ""))


def logout_issue_instant(statement: Statement) -> Finding:
    return issue_instant(statement.message.get("IssueInstant", ""), statement.expectations.common)


def destination(statement: Statement) -> Finding:
    """A signed message names its destination (Bindings 3.4.5.2, 3.5.5.2); by SOAP nobody stands between."""
    received, expected = statement.message.get("Destination"), statement.expectations.location
    if received is None and statement.binding is Binding.SOAP:
        return SKIPPED
    if received is None:
        return failed(AddressProblem.MISSING, Uri(expected), Missing("Destination"))
    return PASSED if received == expected else failed(AddressProblem.DIFFERENT, Uri(expected), Uri(received))


def logout_not_on_or_after(statement: Statement) -> Finding:
    text, common = statement.message.get("NotOnOrAfter"), statement.expectations.common
    if text is None:
        return SKIPPED  # its age is limited all the same
    moment = instant(text)
    if moment is None:
        return failed(TimeProblem.NOT_A_TIME, received=Text(text))
    if reached(moment, common.now, common.skew):
        return failed(TimeProblem.EXPIRED, Instant(common.now), Instant(moment))
    return PASSED


def logout_subject(statement: Statement) -> Finding:
    name_id = statement.name_id
    if name_id is None:
        return no_name_id(statement.encrypted_id)
    if (fault := value_problem(name_id)) is not None:
        return failed(*fault)
    return _former_key_warning(statement) or PASSED


def _former_key_warning(statement: Statement) -> Finding | None:
    if statement.encrypted_id is None:
        return None
    return former_key_warning(statement.encrypted_id, names.NAME_ID, statement.expectations.common)


def logout_in_response_to(statement: Statement) -> Finding:
    received, pending = statement.message.get("InResponseTo"), statement.expectations.pending
    if pending is None or received != pending.id:
        found = Missing("InResponseTo") if received is None else Text(received)
        return failed(RequestProblem.UNKNOWN_SIGN_OUT, received=found)
    return passed_unless(_pending_problem(pending, statement.expectations))


def _pending_problem(pending: PendingSignOut, expectations: LogoutExpectations) -> Fault | None:
    common, account = expectations.common, expectations.account
    if pending.used:
        return Fault(RequestProblem.ANSWERED, received=Text(pending.id))
    if account is not None and pending.account != account.slug:
        return Fault(RequestProblem.OTHER_ACCOUNT, Name(pending.account), Name(account.slug))
    if reached(pending.sent_at, common.now, common.request_max_age + common.skew):
        return Fault(RequestProblem.TOO_LATE, Duration(common.request_max_age), Event(pending.id, pending.sent_at))
    return None


def logout_status(statement: Statement) -> Finding:
    status = statement.status
    received = document.status_of(statement.message, list(status))
    if names.PARTIAL_LOGOUT in status:
        return warning(StatusProblem.PARTIAL, Uri(names.SUCCESS), received)
    if status[:1] == (names.SUCCESS,):
        return PASSED
    return failed(StatusProblem.NOT_SUCCESS, Uri(names.SUCCESS), received)


# Stage 7: the sessions, by the store's word.


@dataclass(frozen=True, slots=True)
class Named:
    """What the store says about the sessions that a LogoutRequest names. None where nobody asked it.

    `alike` are sessions of the same name and issuer under another Format, qualifier or SessionIndex.
    """

    request_id: str
    replayed: bool | None = None
    matched: int | None = None
    alike: int = 0


def logout_replay(named: Named) -> Finding:
    if named.replayed is None:
        return SKIPPED
    if named.replayed:
        return failed(ReplayProblem.REQUEST_REPEATED, received=Text(named.request_id))
    return PASSED


def logout_sessions(named: Named) -> Finding:
    if named.matched is None:
        return SKIPPED
    if named.matched:
        return PASSED
    if not named.alike:
        return warning(SessionsProblem.NONE)
    return warning(SessionsProblem.ALIKE, received=Count(named.alike, Unit.SESSIONS))


Subject_contra = TypeVar("Subject_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class LogoutCheck(Generic[Subject_contra]):
    """One row: as `sp.saml.checks.Check`, and the kinds of message that have it."""

    stage: int
    code: str
    title: str
    clause: str
    judge: Callable[[Subject_contra], Finding]
    problems: tuple[Problem, ...]
    kinds: tuple[Kind, ...]


_SUBJECT = (
    SubjectProblem.MISSING,
    SubjectProblem.NOT_OPENED,
    SubjectProblem.EMPTY,
    SubjectProblem.TOO_LONG,
    DecryptionProblem.FORMER_KEY,
    *ENCRYPTED_ID,
)
_ANSWER = (
    RequestProblem.UNKNOWN_SIGN_OUT,
    RequestProblem.ANSWERED,
    RequestProblem.OTHER_ACCOUNT,
    RequestProblem.TOO_LATE,
)
_BOTH = (Kind.REQUEST, Kind.RESPONSE)
_REQUEST = (Kind.REQUEST,)
_RESPONSE = (Kind.RESPONSE,)

TRANSPORT: tuple[LogoutCheck[Carrier], ...] = (
    LogoutCheck(
        1, "form", "Form", "Bindings 3.2, 3.4, 3.5", form, (*FormProblem, *QueryProblem, *SoapTypeProblem), _BOTH
    ),
    LogoutCheck(1, "size", "Size", "–", size, (SizeProblem.MESSAGE, SizeProblem.QUERY, SizeProblem.INFLATED), _BOTH),
    LogoutCheck(1, "base64", "Base64", "Bindings 3.4.4.1, 3.5.4", base64, (*Base64Problem, *DeflateProblem), _BOTH),
)
DOCUMENT: tuple[LogoutCheck[Document], ...] = (
    LogoutCheck(2, "encoding", "Encoding", "XML 1.0 4.3.3", encoding, (*EncodingProblem,), _BOTH),
    LogoutCheck(2, "no_dtd", "No document type", "SAML2int G03", no_dtd, (*DtdProblem,), _BOTH),
    LogoutCheck(2, "well_formed", "Well-formed", "XML 1.0 2.1", well_formed, (*SyntaxProblem,), _BOTH),
    LogoutCheck(2, "no_comments", "No comments", "CVE-2018-0489", document.no_comments, (*CommentProblem,), _BOTH),
    LogoutCheck(2, "limits", "Limits", "–", document.limits, (*LimitProblem,), _BOTH),
)
STRUCTURE: tuple[LogoutCheck[Content], ...] = (
    LogoutCheck(3, "root", "Root element", "Core 3.7", root, (*RootProblem,), _BOTH),
    LogoutCheck(3, "unique_ids", "Unique IDs", "Core 1.3.4", unique_ids, (*IdProblem,), _BOTH),
    LogoutCheck(3, "schema", "Schema", "Core 1.2", schema, (*SchemaProblem,), _BOTH),
)
ACCOUNT: tuple[LogoutCheck[Held], ...] = (
    LogoutCheck(
        4,
        "issuer",
        "Issuer",
        "Profiles 4.4.4.1",
        issuer,
        (IssuerProblem.MISSING, IssuerProblem.UNKNOWN, IssuerProblem.FORMAT),
        _BOTH,
    ),
)
SIGNATURE: tuple[LogoutCheck[Held], ...] = (
    LogoutCheck(
        5,
        "signature_present",
        "Signature present",
        "Profiles 4.4.4.1",
        _of_signature("signature_present"),
        (SignaturePresentProblem.MISSING, SignaturePresentProblem.NOT_IN_QUERY),
        _BOTH,
    ),
    LogoutCheck(
        5,
        "signature_structure",
        "Signature structure",
        "Core 5.4",
        _of_signature("signature_structure"),
        (*SignatureStructureProblem,),
        _BOTH,
    ),
    LogoutCheck(
        5,
        "signature_algorithms",
        "Signature algorithms",
        "SAML2int ALG01",
        _of_signature("signature_algorithms"),
        (*SignatureAlgorithmProblem,),
        _BOTH,
    ),
    LogoutCheck(
        5, "signing_key", "Signing key", "SAML2int MD06", _of_signature("signing_key"), (*SigningKeyProblem,), _BOTH
    ),
    LogoutCheck(
        5, "signature", "Signature", "Bindings 3.4.4.1", _of_signature("signature"), (*SignatureProblem,), _BOTH
    ),
)
MESSAGE: tuple[LogoutCheck[Statement], ...] = (
    LogoutCheck(6, "logout_version", "Version", "Core 3.2", logout_version, (*VersionProblem,), _BOTH),
    LogoutCheck(6, "logout_issue_instant", "Time", "Core 3.2", logout_issue_instant, (*ISSUED,), _BOTH),
    LogoutCheck(
        6,
        "destination",
        "Destination",
        "Bindings 3.4.5.2",
        destination,
        (AddressProblem.MISSING, AddressProblem.DIFFERENT),
        _BOTH,
    ),
    LogoutCheck(
        6, "logout_not_on_or_after", "Not on or after", "Core 3.7.1", logout_not_on_or_after, (*END,), _REQUEST
    ),
    LogoutCheck(6, "logout_subject", "Subject", "Core 3.7.1", logout_subject, (*_SUBJECT,), _REQUEST),
    LogoutCheck(
        6, "logout_in_response_to", "In response to", "Core 3.2.2", logout_in_response_to, (*_ANSWER,), _RESPONSE
    ),
    LogoutCheck(6, "logout_status", "Status", "Core 3.7.3.2", logout_status, (*StatusProblem,), _RESPONSE),
)
SESSIONS: tuple[LogoutCheck[Named], ...] = (
    LogoutCheck(7, "logout_replay", "Replay", "–", logout_replay, (ReplayProblem.REQUEST_REPEATED,), _REQUEST),
    LogoutCheck(7, "logout_sessions", "Sessions", "Core 3.7.3.1", logout_sessions, (*SessionsProblem,), _REQUEST),
)

LOGOUT_CHECKS: tuple[LogoutCheck[Never], ...] = (
    *TRANSPORT,
    *DOCUMENT,
    *STRUCTURE,
    *ACCOUNT,
    *SIGNATURE,
    *MESSAGE,
    *SESSIONS,
)

_BY_KIND = {kind: tuple(check for check in LOGOUT_CHECKS if kind in check.kinds) for kind in Kind}


def of_kind(kind: Kind) -> tuple[LogoutCheck[Never], ...]:
    """The rows of a report on this kind of message, in order."""
    return _BY_KIND[kind]
