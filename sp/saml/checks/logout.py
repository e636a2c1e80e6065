"""The catalogue of checks of logout messages: every row of their reports, in order, and what judges each.

Owns the order, the codes and the rows that only logout messages have. Never judges a signature itself
(`sp.saml.enveloped`, `sp.saml.redirect_binding`), and grants nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lxml import etree

from sp.saml import bindings, names, soap, xml
from sp.saml.checks import document
from sp.saml.checks.logout_catalogue import TEXTS
from sp.saml.checks.response import issue_instant, version
from sp.saml.checks.transport import size_of
from sp.saml.decryption import encryption_problem, opened
from sp.saml.former_keys import former_key_warning
from sp.saml.identity import VALUE_CHARACTERS, name_id_of
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
from sp.saml.redirect_binding import RedirectMessage, UnreadQuery, read_query
from sp.saml.report import NOT_REACHED, Finding, failed, passed, quoted, skipped, warning
from sp.saml.response import child_text
from sp.saml.times import UTC_FORM, instant, reached, written
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
            problem = bindings.form_problem(posted, kind.carried)
        case ByQuery():
            return _of_query("form", carrier)
        case soap_body:
            problem = _soap_type_problem(soap_body.content_type)
    return passed(carrier.arrival.binding) if problem is None else failed(expected=problem[0], received=problem[1])


def size(carrier: Carrier) -> Finding:
    if carrier.query is not None:
        return _of_query("size", carrier)
    count = carrier.transport.decoded_bytes if carrier.transport else len(carrier.xml or b"")
    return size_of(count, carrier.limits.message_bytes)


def base64(carrier: Carrier) -> Finding:
    if carrier.query is not None:
        return _of_query("base64", carrier)
    if carrier.transport is None:
        return skipped("a SOAP envelope is plain XML")
    if carrier.transport.decoded is None:
        return failed(expected="base64", received=bindings.base64_problem(carrier.transport))
    return passed()


def _of_query(code: str, carrier: Carrier) -> Finding:
    found = carrier.query
    if isinstance(found, UnreadQuery) and found.code == code:
        return failed(expected=found.expected, received=found.received)
    return passed()


def _soap_type_problem(content_type: str) -> tuple[str, str] | None:
    kind = content_type.partition(";")[0].strip().lower()
    return None if kind in _SOAP_TYPES else ("the content type text/xml", quoted(kind) if kind else "no content type")


# Stages 2 and 3: the document, and the message in it.


def encoding(document: Document) -> Finding:
    problem = xml.encoding_problem(document.xml)
    return passed("UTF-8") if problem is None else failed(expected="UTF-8 and XML 1.0", received=problem)


def no_dtd(document: Document) -> Finding:
    if xml.has_doctype(document.xml):
        return failed(expected="no document type declaration", received="a DOCTYPE")
    return passed()


def well_formed(document: Document) -> Finding:
    error = document.syntax_error
    if error is None:
        return passed()
    if xml.parser_gave_up(error):
        return NOT_REACHED  # how it would go on is not known; `limits` says why
    return failed(expected="well-formed XML", received=error.msg or "no XML")


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


_ELSEWHERE = {names.RESPONSE: "a Response, whose place is the assertion consumer service"}


def root(content: Content) -> Finding:
    element, tag = content.document.element, content.arrival.kind.tag
    if content.arrival.binding is Binding.SOAP:
        problem = soap.envelope_problem(element, tag)
        return passed() if problem is None else failed(expected=problem[0], received=problem[1])
    if element.tag != tag:
        received = _ELSEWHERE.get(str(element.tag), etree.QName(element).localname)
        return failed(expected=f"samlp:{etree.QName(tag).localname}", received=received)
    return passed()


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
    expected = " or ".join(known) or held.expectations.common.nearest_issuer or "the Issuer URL of an account"
    if not received:
        return failed(expected=expected, received="no Issuer")
    element = child(held.message, names.ISSUER)
    given = names.ENTITY_FORMAT if element is None else element.get("Format", names.ENTITY_FORMAT)
    if given != names.ENTITY_FORMAT:
        return failed(expected="an Issuer that is an entity ID", received=f"the Format {given}")
    return passed(received) if received in known else failed(expected=expected, received=quoted(received))


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
        return skipped("no Destination, which SOAP does not ask for")
    if received is None:
        return failed(expected=expected, received="no Destination in a signed message")
    return passed(received) if received == expected else failed(expected=expected, received=quoted(received))


def logout_not_on_or_after(statement: Statement) -> Finding:
    text, common = statement.message.get("NotOnOrAfter"), statement.expectations.common
    if text is None:
        return skipped("no NotOnOrAfter; its age is limited all the same")
    moment = instant(text)
    if moment is None:
        return failed(expected=UTC_FORM, received=quoted(text))
    if reached(moment, common.now, common.skew):
        return failed(expected=f"later than {written(common.now)}", received=text)
    return passed(text)


def logout_subject(statement: Statement) -> Finding:
    name_id = statement.name_id
    if name_id is None:
        return _no_name_id(statement.encrypted_id)
    if not name_id.value.strip():
        return failed(expected="a NameID with a value", received=quoted(name_id.value))
    if len(name_id.value) > VALUE_CHARACTERS:
        return failed(expected=f"at most {VALUE_CHARACTERS} characters", received=f"{len(name_id.value)} characters")
    return _former_key_warning(statement) or passed(name_id.value)


def _former_key_warning(statement: Statement) -> Finding | None:
    if statement.encrypted_id is None:
        return None
    return former_key_warning(statement.encrypted_id, names.NAME_ID, statement.expectations.common)


def _no_name_id(encrypted: etree._Element | None) -> Finding:
    """Everything that takes a key has one failure: a difference that a sender can see is an oracle."""
    if encrypted is None:
        return failed(expected="a NameID", received="no NameID")
    expected, received = encryption_problem(encrypted) or (
        "an EncryptedID that a key of this account opens",
        "one that does not open, or not into a NameID",
    )
    return failed(expected=expected, received=received)


def logout_in_response_to(statement: Statement) -> Finding:
    received, pending = statement.message.get("InResponseTo"), statement.expectations.pending
    if pending is None or received != pending.id:
        expected = "the ID of a sign-out that this browser has begun"
        return failed(expected=expected, received="no InResponseTo" if received is None else quoted(received))
    problem = _pending_problem(pending, statement.expectations)
    return passed(pending.id) if problem is None else failed(expected=problem[0], received=problem[1])


def _pending_problem(pending: PendingSignOut, expectations: LogoutExpectations) -> tuple[str, str] | None:
    common, account = expectations.common, expectations.account
    if pending.used:
        return "a sign-out that nothing has answered yet", f"{pending.id}, answered before"
    if account is not None and pending.account != account.slug:
        return f"an answer for the account {pending.account}", f"one for {account.slug}"
    if reached(pending.sent_at, common.now, common.request_max_age + common.skew):
        minutes = int(common.request_max_age.total_seconds() // 60)
        return f"an answer within {minutes} minutes", f"{pending.id}, sent {written(pending.sent_at)}"
    return None


def logout_status(statement: Statement) -> Finding:
    status = statement.status
    element = child(statement.message, names.STATUS)
    said = (None if element is None else child_text(element, names.STATUS_MESSAGE)) or ""
    described = " / ".join(quoted(code) for code in status[:3]) + (f": {said.strip()}" if said.strip() else "")
    if names.PARTIAL_LOGOUT in status:
        return warning(expected=names.SUCCESS, received=described)
    if status[:1] == (names.SUCCESS,):
        return passed(described)
    return failed(expected=names.SUCCESS, received=described)


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
        return skipped("no record of earlier requests was asked")
    if named.replayed:
        return failed(expected="a request used for the first time", received=f"{named.request_id} again")
    return passed(named.request_id)


def logout_sessions(named: Named) -> Finding:
    if named.matched is None:
        return skipped("no sessions were asked for")
    if named.matched:
        return passed(f"{named.matched} session{'s' if named.matched > 1 else ''}")
    if not named.alike:
        return warning(expected="a session of this NameID", received="none: it has ended already, or never began here")
    alike = f"{named.alike} of the same name under another Format, qualifier or SessionIndex"
    return warning(expected="a session of this NameID", received=f"none, and {alike}")


@dataclass(frozen=True, slots=True)
class LogoutCheck:
    """One row: what it is called, which clause it comes from, why it matters, what to change, what judges it.

    `judge` takes the subject of its stage: Carrier, Document, Content, Held (4 and 5), Statement, Named. `kinds` are
    the messages that have this row.
    """

    code: str
    stage: int
    title: str
    clause: str
    why: str
    remedy: str
    judge: Callable[[Any], Finding]
    kinds: tuple[Kind, ...]


def _check(
    stage: int, code: str, title: str, clause: str, judge: Callable[[Any], Finding], *kinds: Kind
) -> LogoutCheck:
    why, remedy = TEXTS[code]
    return LogoutCheck(code, stage, title, clause, why, remedy, judge, kinds or tuple(Kind))


LOGOUT_CHECKS = (
    _check(1, "form", "Form", "Bindings 3.2, 3.4, 3.5", form),
    _check(1, "size", "Size", "–", size),
    _check(1, "base64", "Base64", "Bindings 3.4.4.1, 3.5.4", base64),
    _check(2, "encoding", "Encoding", "XML 1.0 4.3.3", encoding),
    _check(2, "no_dtd", "No document type", "SAML2int G03", no_dtd),
    _check(2, "well_formed", "Well-formed", "XML 1.0 2.1", well_formed),
    _check(2, "no_comments", "No comments", "CVE-2018-0489", document.no_comments),
    _check(2, "limits", "Limits", "–", document.limits),
    _check(3, "root", "Root element", "Core 3.7", root),
    _check(3, "unique_ids", "Unique IDs", "Core 1.3.4", unique_ids),
    _check(3, "schema", "Schema", "Core 1.2", schema),
    _check(4, "issuer", "Issuer", "Profiles 4.4.4.1", issuer),
    _check(5, "signature_present", "Signature present", "Profiles 4.4.4.1", _of_signature("signature_present")),
    _check(5, "signature_structure", "Signature structure", "Core 5.4", _of_signature("signature_structure")),
    _check(5, "signature_algorithms", "Signature algorithms", "SAML2int ALG01", _of_signature("signature_algorithms")),
    _check(5, "signing_key", "Signing key", "SAML2int MD06", _of_signature("signing_key")),
    _check(5, "signature", "Signature", "Bindings 3.4.4.1", _of_signature("signature")),
    _check(6, "logout_version", "Version", "Core 3.2", logout_version),
    _check(6, "logout_issue_instant", "Time", "Core 3.2", logout_issue_instant),
    _check(6, "destination", "Destination", "Bindings 3.4.5.2", destination),
    _check(6, "logout_not_on_or_after", "Not on or after", "Core 3.7.1", logout_not_on_or_after, Kind.REQUEST),
    _check(6, "logout_subject", "Subject", "Core 3.7.1", logout_subject, Kind.REQUEST),
    _check(6, "logout_in_response_to", "In response to", "Core 3.2.2", logout_in_response_to, Kind.RESPONSE),
    _check(6, "logout_status", "Status", "Core 3.7.3.2", logout_status, Kind.RESPONSE),
    _check(7, "logout_replay", "Replay", "–", logout_replay, Kind.REQUEST),
    _check(7, "logout_sessions", "Sessions", "Core 3.7.3.1", logout_sessions, Kind.REQUEST),
)

_BY_KIND = {kind: tuple(check for check in LOGOUT_CHECKS if kind in check.kinds) for kind in Kind}


def of_kind(kind: Kind) -> tuple[LogoutCheck, ...]:
    """The rows of a report on this kind of message, in order."""
    return _BY_KIND[kind]
