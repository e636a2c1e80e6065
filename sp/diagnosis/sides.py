"""Both sides of a row as text: what was expected, and what was received.

A value is in quotation marks, so that it cannot be taken for our words. Alone in a side, one without blanks and
punctuation is left bare, to be copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from sp.diagnosis.recognition import clause
from sp.saml.checks.holder import EXISTING_USER, NEW_USER
from sp.saml.problems import (
    AddressProblem,
    AssertionIssuerProblem,
    AttributeProblem,
    AudienceProblem,
    AuthnContextProblem,
    AuthnStatementProblem,
    Base64Problem,
    BearerProblem,
    CommentProblem,
    ConditionsProblem,
    ConfirmationNotBeforeProblem,
    DecryptionProblem,
    DeflateProblem,
    DtdProblem,
    EncodingProblem,
    EncryptionProblem,
    FormProblem,
    IdProblem,
    InternalProblem,
    IssuerProblem,
    LimitProblem,
    OneAssertionProblem,
    Problem,
    QueryProblem,
    RecordedProblem,
    ReplayProblem,
    RequestProblem,
    RootProblem,
    SameRequestProblem,
    SchemaProblem,
    SessionsProblem,
    SignatureAlgorithmProblem,
    SignaturePresentProblem,
    SignatureProblem,
    SignatureStructureProblem,
    SigningKeyProblem,
    SizeProblem,
    SoapTypeProblem,
    SsoProblem,
    StatusProblem,
    SubjectProblem,
    SyntaxProblem,
    TimeProblem,
    UserActiveProblem,
    UserLinkProblem,
    UsernameProblem,
    VersionProblem,
    WindowProblem,
)
from sp.saml.report import Fault, Finding, Outcome, Row, shown
from sp.saml.times import UTC_FORM, written
from sp.saml.values import (
    Content,
    Count,
    Duration,
    Event,
    Fingerprint,
    Instant,
    Missing,
    Name,
    Several,
    Status,
    Text,
    Unit,
    Uri,
    Value,
)


class Sides(NamedTuple):
    """What was expected and what was received, as text; both are "" for a row that passed."""

    expected: str = ""
    received: str = ""


class _Template(NamedTuple):
    """Both sides, with {expected} and {received} for the values; see `_Fields` for what may follow the name.

    `unknown` stands for the expected side where no value is known.
    """

    expected: str
    received: str
    unknown: str = ""


def sides(row: Row) -> Sides:
    """Both sides of a row, for a table or a program."""
    return _sides(row, row.code, quotes_all=False)


def sides_in_sentence(row: Row) -> Sides:
    """The same with every value of a message in quotation marks."""
    return _sides(row, row.code, quotes_all=True)


def sides_of_finding(finding: Finding) -> Sides:
    """Both sides of a finding without a row, in sentences."""
    return _sides(finding, "", quotes_all=True)


def _sides(row: Row | Finding, code: str, *, quotes_all: bool) -> Sides:
    if row.problem is None:
        skipped = SKIPPED.get(code, "") if row.outcome is Outcome.SKIPPED else ""
        return Sides(received=skipped or _PASSED.get(row.received, ""))
    template = TEMPLATES[row.problem]
    expected = template.unknown if template.unknown and row.expected is None else template.expected
    received = _filled(template.received, row, quotes_all)
    if isinstance(row.received, Content) and (recognized := clause(row.received)):
        received = f"{received}: {recognized}"
    return Sides(_filled(expected, row, quotes_all), received)


def _filled(template: str, row: Row | Finding, quotes_all: bool) -> str:
    return template.format_map(_Fields(row, quotes_all or template not in _ALONE))


_ALONE = ("{expected}", "{expected_or}", "{received}")  # a value without a word of ours beside it


@dataclass(frozen=True, slots=True)
class _Fields(Mapping[str, str]):
    """What a template may name: a side, and a part of its value after "_".

    `expected`, `expected_or` (several, the last joined by "or"), `expected_and`, `expected_n` (the number alone, or
    "no"), `expected_0` (the first of several), `expected_v` (the first of several, or the only one), `expected_q`
    (always in quotation marks), `expected_bare` (only where it needs them: the real service writes it so),
    `expected_words` (of ours, as they were stored), `expected_name` (of what is missing), `expected_at` and
    `expected_to` (of an event), the same of `received`; `place` and `line`.
    """

    row: Row | Finding
    quotes_all: bool

    def __getitem__(self, key: str) -> str:
        if key in {"place", "line"}:
            return shown(self.row.place.removeprefix("line:"))
        side, _, part = key.partition("_")
        value = self.row.expected if side == "expected" else self.row.received
        found = value.found if isinstance(value, Content) else value
        return "" if found is None else _part(found, part, self.quotes_all)

    def __iter__(self) -> Iterator[str]:  # a Mapping must have these; `format_map` never calls them
        return iter(())

    def __len__(self) -> int:
        return 0


def _part(value: Value, part: str, quotes_all: bool) -> str:
    """The part of a value that a template names."""
    match value, part:
        case Several(values), _:
            return _part_of_several(values, part, quotes_all)
        case Count(number, _), "n":
            return str(number or "no")
        case Text(text), "words":
            return shown(text)
        case Missing(text), "name":
            return text
        case Event(_, at, party), "at" | "to":
            return written(at) if part == "at" else shown(party)
    return in_words(value, quotes_all=part in {"q", "v"} or (quotes_all and part != "bare"))


def _part_of_several(values: tuple[Value, ...], part: str, quotes_all: bool) -> str:
    if part in {"or", "and"}:
        return f" {part} ".join(in_words(one, quotes_all=quotes_all) for one in values)
    if part in {"v", "0", "1"}:
        return in_words(values[0 if part == "v" else int(part)], quotes_all=True)
    return in_words(Several(values), quotes_all=quotes_all)


def in_words(value: Value, *, quotes_all: bool = False) -> str:
    """A value as text. What came in a message is in quotation marks where `quotes_all`, or where it needs them."""
    return _WRITERS[type(value)](value, quotes_all)


def _given(text: str, quotes_all: bool) -> str:
    return quoted(text) if quotes_all or _needs_quotes(text) else text


def _certificate(value: Fingerprint, _quotes_all: bool) -> str:
    if not value.subject:
        return f"the certificate SHA-256 {value.value}"
    return f"{quoted(value.subject)}, SHA-256 {value.value}"


def _several(value: Several, quotes_all: bool) -> str:
    joint = "; " if any(isinstance(one, Fingerprint) for one in value.value) else ", "
    return joint.join(in_words(one, quotes_all=quotes_all) for one in value.value) or "nothing"


def _status(value: Status, quotes_all: bool) -> str:
    codes = " / ".join(_given(code, quotes_all) for code in value.value)
    return f"{codes}: {quoted(value.message)}" if value.message else codes


_WRITERS: Mapping[type, Callable[[Any, bool], str]] = {
    Text: lambda text, quotes_all: _given(text.value, quotes_all),
    Uri: lambda uri, quotes_all: _given(uri.value, quotes_all),
    Name: lambda name, _: shown(name.value),
    Missing: lambda missing, _: f"no {missing.value}",
    Instant: lambda instant, _: written(instant.value),
    Duration: lambda duration, _: length_of(duration.value),
    Count: lambda count, _: _counted(count),
    Fingerprint: _certificate,
    Status: _status,
    Event: lambda event, quotes_all: _given(event.value, quotes_all),
    Content: lambda content, quotes_all: (
        "" if content.found is None else in_words(content.found, quotes_all=quotes_all)
    ),
    Several: _several,
}


def username_reason(fault: Fault) -> str:
    """Why a username is not acceptable, as a clause: "it contains white space (U+0020)"."""
    finding = Finding(Outcome.FAILED, *fault)
    return USERNAME_REASONS[fault.problem].format_map(_Fields(finding, quotes_all=True))


def quoted(text: str) -> str:
    """`text` in quotation marks, those in it escaped, shortened and with nothing invisible."""
    return '"' + shown(text).replace('"', '\\"') + '"'


def _needs_quotes(text: str) -> bool:
    return not text or any(mark.isspace() or mark in '",;' for mark in text) or not text.isprintable()


def _counted(count: Count) -> str:
    if count.unit is Unit.POSITION:
        return f"position {count.value}"
    unit = count.unit.removesuffix("s") if count.value == 1 else count.unit.value
    return f"{count.value or 'no'} {unit}"


def length_of(length: timedelta) -> str:
    """An exact length of time: "10 minutes", "1 hour 30 minutes", "25 hours"."""
    seconds = length.total_seconds()
    whole = int(seconds)
    days = whole // 86400 if whole >= 2 * 86400 else 0
    whole -= days * 86400
    parts = ((days, "day"), (whole // 3600, "hour"), (whole // 60 % 60, "minute"), (whole % 60, "second"))
    words = [f"{number} {unit}{'s' if number != 1 else ''}" for number, unit in parts if number]
    return " ".join(words) or f"{seconds:g} seconds"


# The one row that says something when it passes.
_PASSED = {NEW_USER.received: "a new user", EXISTING_USER.received: "an existing user", None: ""}

# Why a check had nothing to say about a message.
SKIPPED = {
    "form": "the message came without a form",
    "base64": "the message came as plain XML",
    "destination": "no Destination, and the message itself is not signed, or came by SOAP",
    "encryption_algorithms": "the assertion is not encrypted",
    "decryption": "the assertion is not encrypted",
    "bearer": "one bearer confirmation, whose faults are in the next rows",
    "not_before": "no NotBefore",
    "session_expiry": "no SessionNotOnOrAfter",
    "authn_context": "nothing was requested",
    "replay": "no record of earlier sign-ins was asked",
    "user_link": "no user profiles were asked, or the username is not acceptable",
    "user_active": "there is no user yet",
    "logout_not_on_or_after": "no NotOnOrAfter; its age is limited all the same",
    "logout_replay": "no record of earlier requests was asked",
    "logout_sessions": "no sessions were asked for",
}

_FORM_TYPE = "the content type {expected}"
_ENCRYPTION = "AES-GCM or AES-CBC, with the key by RSA-OAEP"
_ALGORITHMS = "RSA, RSA-PSS or ECDSA with SHA-256, SHA-384 or SHA-512"
_ENTITY_ID = "an Issuer that is an entity ID and nothing else"
_ENVELOPE = "a SOAP Envelope with one {expected} in its Body"
_IN_FORCE = "a certificate in force"
_ONE_SIGNATURE = "one Signature in each signed element"

USERNAME_REASONS: Mapping[Problem, str] = {
    UsernameProblem.EMPTY: "it is empty",
    UsernameProblem.TOO_LONG: "it has {received_1}, more than {expected_n}",
    UsernameProblem.OUTER_WHITE_SPACE: "it has white space at the start or the end",
    UsernameProblem.WHITE_SPACE: "it contains white space ({received_1})",
    UsernameProblem.INVISIBLE: "it contains a character that cannot be seen ({received_1})",
    UsernameProblem.NOT_COMPOSED: "it is not in the composed form (NFC)",
    UsernameProblem.COMPATIBILITY: "it contains a compatibility character",
    UsernameProblem.COMPATIBILITY_CHARACTER: "it contains a compatibility character ({received_1})",
    UsernameProblem.DISALLOWED: "it contains a character that no username may have ({received_1})",
    UsernameProblem.MIXED_DIRECTIONS: "it mixes writing directions",
}

TEMPLATES: Mapping[Problem, _Template] = {
    InternalProblem.EXCEPTION: _Template(
        "a message that can be evaluated", "an internal error ({received}); the log has it under this reference"
    ),
    RecordedProblem.IN_WORDS: _Template("{expected_words}", "{received_words}"),
    FormProblem.METHOD: _Template("the method {expected}", "{received}"),
    FormProblem.CONTENT_TYPE: _Template(_FORM_TYPE, "{received}"),
    FormProblem.CHARACTER_SET: _Template(_FORM_TYPE, "the character set {received_q}"),
    FormProblem.CONTENT_ENCODING: _Template("a form without Content-Encoding", "Content-Encoding {received_q}"),
    FormProblem.TOO_MANY_FIELDS: _Template("at most {expected}", "more than that"),
    FormProblem.OTHER_MESSAGE: _Template("a {expected} field", "a {received} field"),
    FormProblem.MESSAGE_COUNT: _Template("exactly one {expected} field", "{received_n} {expected} fields"),
    FormProblem.RELAY_STATE_COUNT: _Template("at most one RelayState field", "{received_n} RelayState fields"),
    FormProblem.EMPTY: _Template("a {expected} field with a message in it", "an empty {received} field"),
    QueryProblem.CHARACTER: _Template("a query in which everything else is percent-encoded", "{received_q}"),
    QueryProblem.ESCAPE: _Template("two hexadecimal digits after each %", "a % without them"),
    QueryProblem.TOO_MANY_PARAMETERS: _Template("at most {expected}", "{received}"),
    QueryProblem.MISSPELLED_NAME: _Template("parameter names as the standard writes them", "{received_q}"),
    QueryProblem.UNUSUAL_NAME: _Template("plain parameter names", "{received_q}"),
    QueryProblem.REPEATED: _Template("one {expected}", "{received_n} of them"),
    QueryProblem.MESSAGE_COUNT: _Template("one {expected} and no other message", "{received_and}"),
    QueryProblem.EMPTY: _Template("a {expected} with a message in it", "an empty {received}"),
    QueryProblem.ENCODING: _Template("the encoding {expected}", "{received}"),
    QueryProblem.LONE_PARAMETER: _Template("SigAlg and Signature together", "{received} and {expected}"),
    QueryProblem.NOT_UTF8: _Template("a {expected} in UTF-8", "other bytes"),
    QueryProblem.ORDER: _Template("the message, RelayState, SigAlg, Signature in this order", "{received}"),
    QueryProblem.SIGNATURE_NOT_BASE64: _Template("a Signature in base64", "{received_q}"),
    SoapTypeProblem.CONTENT_TYPE: _Template(_FORM_TYPE, "{received}"),
    SizeProblem.MESSAGE: _Template("at most {expected}", "{received}"),
    SizeProblem.FORM: _Template("a form of at most {expected}", "more than that; the rest was not read"),
    SizeProblem.QUERY: _Template("a shorter query", "{received}"),
    SizeProblem.INFLATED: _Template("a message of at most {expected}", "more than that; the rest was not inflated"),
    Base64Problem.PLAIN_XML: _Template("base64", "plain XML that was not encoded"),
    Base64Problem.PERCENT_ENCODED: _Template("base64", "text that is percent-encoded twice"),
    Base64Problem.URL_SAFE: _Template("base64", "the URL-safe alphabet"),
    Base64Problem.SPACES: _Template("base64", 'text with spaces: was "+" sent without percent-encoding?'),
    Base64Problem.OTHER: _Template("base64", "text with other characters or wrong padding"),
    DeflateProblem.PLUS: _Template(
        "strict base64, percent-encoded", 'a "+" that was not percent-encoded, which reads as a space'
    ),
    DeflateProblem.WHITE_SPACE: _Template("strict base64, percent-encoded", "text with line breaks or spaces"),
    DeflateProblem.NOT_BASE64: _Template(
        "strict base64, percent-encoded", "text with other characters or wrong padding"
    ),
    DeflateProblem.ZLIB_HEADER: _Template("a message in raw DEFLATE", "a zlib header before it"),
    DeflateProblem.NOT_DEFLATED: _Template("a message in raw DEFLATE", "other bytes"),
    DeflateProblem.TRAILING_BYTES: _Template("one whole DEFLATE stream", "bytes after its end"),
    DeflateProblem.TRUNCATED: _Template("one whole DEFLATE stream", "a part of one"),
    EncodingProblem.OTHER: _Template("UTF-8 and XML 1.0", "{received}"),
    EncodingProblem.XML_VERSION: _Template("UTF-8 and XML 1.0", "XML version {received_q}"),
    EncodingProblem.DECLARED: _Template("UTF-8 and XML 1.0", "a declaration of {received_q}"),
    EncodingProblem.NOT_UTF8: _Template("UTF-8 and XML 1.0", "bytes that are not UTF-8, the first at {received}"),
    DtdProblem.PRESENT: _Template("no document type declaration", "a {received}"),
    SyntaxProblem.NOT_WELL_FORMED: _Template("well-formed XML", "{received}"),
    CommentProblem.PRESENT: _Template("neither a comment nor a processing instruction", "a {received}"),
    LimitProblem.EXCEEDED: _Template("at most {expected}", "{received_n} or more"),
    LimitProblem.PARSER_GAVE_UP: _Template("at most {expected}", "more than the parser reads"),
    RootProblem.DIFFERENT: _Template("{expected}", "{received}"),
    RootProblem.RESPONSE: _Template("{expected}", "a Response, whose place is the assertion consumer service"),
    RootProblem.ENVELOPE: _Template(_ENVELOPE, "{received}"),
    RootProblem.EMPTY_ENVELOPE: _Template(_ENVELOPE, "an empty Envelope"),
    RootProblem.EMPTY_BODY: _Template(_ENVELOPE, "an empty Body"),
    RootProblem.MUST_UNDERSTAND: _Template("no header that must be understood", "{received}"),
    IdProblem.REPEATED: _Template("every ID once", "several times: {received}"),
    SchemaProblem.VIOLATED: _Template("the SAML 2.0 protocol schema", "line {line}: {received}"),
    StatusProblem.NOT_SUCCESS: _Template("{expected}", "{received}"),
    StatusProblem.PARTIAL: _Template("{expected}", "{received}"),
    OneAssertionProblem.COUNT: _Template("exactly one Assertion in the Response", "{received}"),
    OneAssertionProblem.MISPLACED: _Template("exactly one Assertion in the Response", "another {received} in {place}"),
    VersionProblem.DIFFERENT: _Template("{expected}", "{received}"),
    TimeProblem.MISSING: _Template("a {received_name}", "{received}"),
    TimeProblem.NOT_A_TIME: _Template(UTC_FORM, "{received}"),
    TimeProblem.IN_FUTURE: _Template("not after {expected}", "{received}"),
    TimeProblem.TOO_OLD: _Template("not older than {expected_0} at {expected_1}", "{received}"),
    TimeProblem.EXPIRED: _Template("later than {expected}", "{received}"),
    AddressProblem.MISSING: _Template("{expected}", "{received}"),
    AddressProblem.DIFFERENT: _Template("{expected}", "{received}"),
    AddressProblem.ENTITY_ID: _Template("{expected}", "{received}"),
    RequestProblem.UNSOLICITED: _Template("an answer to a sign-in begun here", "{received}"),
    RequestProblem.UNKNOWN: _Template(
        "no InResponseTo, or the ID of a sign-in that this browser has begun", "{received}"
    ),
    RequestProblem.UNKNOWN_SIGN_OUT: _Template("the ID of a sign-out that this browser has begun", "{received}"),
    RequestProblem.ANSWERED: _Template("a request that nothing has answered yet", "{received}, answered before"),
    RequestProblem.OTHER_PROVIDER: _Template("an answer from {expected_q}", "one from {received_q}"),
    RequestProblem.OTHER_ACCOUNT: _Template("an answer for the account {expected}", "one for {received}"),
    RequestProblem.TOO_LATE: _Template("an answer within {expected}", "{received}, sent {received_at}"),
    IssuerProblem.MISSING: _Template("{expected_or}", "{received}", unknown="an Issuer"),
    IssuerProblem.UNKNOWN: _Template("{expected_or}", "{received}", unknown="the Issuer URL of an account"),
    IssuerProblem.OWN: _Template("an identity provider", "this service's own entity ID, {received_q}"),
    IssuerProblem.FORMAT: _Template(_ENTITY_ID, "the Format {received_q}"),
    SsoProblem.NOT_ACTIVE: _Template("an active account", "{received} is not active"),
    SsoProblem.SWITCHED_OFF: _Template("Single Sign On with SAML", "it is switched off for {received}"),
    SsoProblem.NO_CERTIFICATE: _Template(
        "Single Sign On with SAML",
        "it is switched off for {received}, which has no Identity Provider Certificate",
    ),
    EncryptionProblem.NO_DATA: _Template("an EncryptedData", "{received}"),
    EncryptionProblem.NO_DATA_METHOD: _Template(_ENCRYPTION, "{received} of the data"),
    EncryptionProblem.DATA_ALGORITHM: _Template(_ENCRYPTION, "{received}"),
    EncryptionProblem.CIPHER_REFERENCE: _Template("a CipherValue", "a CipherReference, which is never followed"),
    EncryptionProblem.NO_KEY: _Template("one to {expected}", "none beside the data or in its KeyInfo"),
    EncryptionProblem.TOO_MANY_KEYS: _Template("one to {expected}", "more than {expected_n}"),
    EncryptionProblem.NO_KEY_METHOD: _Template(_ENCRYPTION, "{received} of the key"),
    EncryptionProblem.KEY_ALGORITHM: _Template(_ENCRYPTION, "{received}"),
    EncryptionProblem.DIGEST: _Template("RSA-OAEP with SHA-1 or SHA-256", "the digest {received_q}"),
    EncryptionProblem.MASK: _Template(
        "RSA-OAEP with MGF1 over SHA-1 or SHA-256", "the mask generation function {received_q}"
    ),
    EncryptionProblem.UNSIGNED_CBC: _Template("AES-GCM, or a signed Response around AES-CBC", "{received}"),
    DecryptionProblem.NO_KEY_HERE: _Template(
        "an EncryptedAssertion for the encryption key in {expected}",
        "one that no key here opens",
        unknown="a plain Assertion",
    ),
    DecryptionProblem.NOT_OPENED: _Template(
        "an EncryptedAssertion for the key of {expected_or}",
        "one that does not open with it, or not into one valid Assertion",
    ),
    DecryptionProblem.OTHER_RECIPIENT: _Template(
        "an EncryptedAssertion for the key of {expected_or}",
        "one that does not open with it, or not into one valid Assertion; it says it is for {received}",
    ),
    DecryptionProblem.FORMER_KEY: _Template(
        "a message for the encryption key in {expected}", "a message for the former key of all accounts"
    ),
    SignaturePresentProblem.MISSING: _Template(
        "a signature of the {expected_or}", "no signature", unknown="a signature"
    ),
    SignaturePresentProblem.PART_MISSING: _Template("a signature of the {expected_and}", "of the {received_and}"),
    SignaturePresentProblem.NOT_IN_QUERY: _Template("a signature of the query", "no Signature parameter"),
    SignatureStructureProblem.PLACE: _Template(
        "a Signature as a child of the {expected_or} only", "{received}, not all of them there"
    ),
    SignatureStructureProblem.SEVERAL: _Template(_ONE_SIGNATURE, "several in one element"),
    SignatureStructureProblem.MESSAGE_INSIDE: _Template(
        "a Signature with nothing of the message in it", "{received} in the Signature"
    ),
    SignatureStructureProblem.LAYOUT: _Template("{expected} in {place}", "{received}"),
    SignatureStructureProblem.REFERENCE: _Template("a Reference to {expected}", "{received}"),
    SignatureStructureProblem.ALGORITHM: _Template("{expected}", "{received}"),
    SignatureStructureProblem.TRANSFORM_CONTENT: _Template(
        "nothing inside the enveloped-signature transform", "{received}"
    ),
    SignatureStructureProblem.CANONICALIZATION_CONTENT: _Template("at most one {expected} in {place}", "{received}"),
    SignatureStructureProblem.TOO_MANY_PREFIXES: _Template("at most {expected} in a PrefixList", "{received}"),
    SignatureStructureProblem.BESIDE_QUERY: _Template(
        "a signature of the query and none in the message", "a ds:Signature in it"
    ),
    SignatureAlgorithmProblem.PARAMETERS: _Template("a SignatureMethod without parameters", "{received}"),
    SignatureAlgorithmProblem.NOT_ACCEPTED: _Template(_ALGORITHMS, "{received}"),
    SignatureAlgorithmProblem.WEAK: _Template("SHA-256 or better", "{received}"),
    SigningKeyProblem.NONE_CONFIGURED: _Template(
        "a certificate in the account's settings", "no certificate is configured"
    ),
    SigningKeyProblem.ONLY_WEAK: _Template(
        "RSA of at least 2048 bits or EC of at least P-256", "only weak keys are configured"
    ),
    SigningKeyProblem.UNKNOWN: _Template("{expected}", "{received}"),
    SigningKeyProblem.NOT_NAMED: _Template("{expected}", "another key, and no certificate in KeyInfo"),
    SigningKeyProblem.RETIRED: _Template("{expected}", "a retired certificate: {received}"),
    SigningKeyProblem.EXPIRED: _Template(_IN_FORCE, "expired {received_0}: {received_1}"),
    SigningKeyProblem.NOT_YET_VALID: _Template(_IN_FORCE, "not valid before {received_0}: {received_1}"),
    SigningKeyProblem.EXPIRES_SOON: _Template(_IN_FORCE, "expires in {received_0}: {received_1}"),
    SignatureProblem.VALUE: _Template(
        "a value made by {expected}",
        "a SignatureValue that does not verify: what it covers was changed after it was signed, or another key made it",
    ),
    SignatureProblem.DIGEST: _Template(
        "the {expected} as it was signed",
        "a DigestValue that differs from its content: it was changed after it was signed",
    ),
    SignatureProblem.QUERY: _Template(
        "a signature by {expected}",
        "a signature that does not verify: the query was changed after it was signed, or another key made it",
    ),
    AssertionIssuerProblem.DIFFERENT: _Template("{expected}", "{received}"),
    AssertionIssuerProblem.NOT_IN_RESPONSE: _Template("an Issuer in a signed Response", "{received}"),
    AssertionIssuerProblem.RESPONSE_DIFFERS: _Template("{expected_q} in the Response too", "{received}"),
    AssertionIssuerProblem.QUALIFIER: _Template(_ENTITY_ID, "a {received}"),
    AssertionIssuerProblem.FORMAT: _Template(_ENTITY_ID, "the Format {received_q}"),
    SubjectProblem.MISSING: _Template("a NameID", "{received}"),
    SubjectProblem.NOT_OPENED: _Template(
        "an EncryptedID that a key of this account opens", "one that does not open, or not into a NameID"
    ),
    SubjectProblem.EMPTY: _Template("a NameID with a value", "{received_q}"),
    SubjectProblem.TOO_LONG: _Template("at most {expected}", "{received}"),
    SubjectProblem.SP_NAME_QUALIFIER: _Template("the SPNameQualifier {expected}", "{received}"),
    SubjectProblem.NAME_QUALIFIER: _Template("the NameQualifier {expected}", "{received}"),
    SubjectProblem.TRANSIENT: _Template("a NameID that stays the same", "the Format {received}"),
    BearerProblem.MISSING: _Template("a bearer SubjectConfirmation with data", "{received}"),
    BearerProblem.NO_DATA: _Template(
        "a bearer SubjectConfirmation with data", "a bearer SubjectConfirmation with {received}"
    ),
    BearerProblem.OTHER_METHOD: _Template("a bearer SubjectConfirmation with data", "{received}"),
    BearerProblem.ALL_FAULTY: _Template("one confirmation that holds", "{received_n} with a fault each"),
    ConfirmationNotBeforeProblem.PRESENT: _Template("{expected}", "{received}"),
    SameRequestProblem.DIFFERENT: _Template("{expected}", "{received}"),
    ConditionsProblem.COUNT: _Template("one Conditions element", "{received_n} Conditions"),
    ConditionsProblem.UNKNOWN: _Template("conditions that are understood", "{received}"),
    AudienceProblem.NO_RESTRICTION: _Template("{expected}", "{received}"),
    AudienceProblem.NO_AUDIENCE: _Template("{expected}", "{received}"),
    AudienceProblem.DIFFERENT: _Template("{expected}", "{received}"),
    AudienceProblem.ACS_URL: _Template("{expected}", "{received}"),
    WindowProblem.REVERSED: _Template("NotBefore earlier than NotOnOrAfter", "{received_0} to {received_1}"),
    WindowProblem.TOO_LONG: _Template("at most {expected}", "{received}"),
    WindowProblem.LONG: _Template("at most {expected}", "{received}"),
    AuthnStatementProblem.COUNT: _Template("exactly one AuthnStatement", "{received_n} AuthnStatements"),
    AuthnStatementProblem.NO_CONTEXT: _Template("an AuthnContext", "{received}"),
    AuthnContextProblem.BEFORE_REQUEST: _Template("a sign-in after {expected}, as ForceAuthn asked", "{received}"),
    AuthnContextProblem.NOT_FRESH: _Template(
        "a sign-in within the last {expected_0} at {expected_1}, since this account asks for ForceAuthn", "{received}"
    ),
    AuthnContextProblem.MISSING: _Template("{expected}", "{received}"),
    AuthnContextProblem.DIFFERENT: _Template("{expected}", "{received}"),
    AuthnContextProblem.NOT_SATISFIED: _Template("{expected_0}: {expected_1}", "{received}"),
    AuthnContextProblem.UNDECIDED: _Template("{expected_0}: {expected_1}, which cannot be told", "{received}"),
    AttributeProblem.ENCRYPTED: _Template("plain attributes", "an {received}, which this service does not open"),
    AttributeProblem.SEVERAL_VALUES: _Template("one value of {expected}", "{received}"),
    AttributeProblem.TOO_LONG: _Template("a value of {expected} of at most 256 characters", "{received_q}"),
    AttributeProblem.CONTROL_CHARACTER: _Template("a usable value of {expected}", "a control character: {received_q}"),
    AttributeProblem.MISSING: _Template("{expected}", "{received}"),
    ReplayProblem.REPEATED: _Template("an assertion used for the first time", "{received} again"),
    ReplayProblem.REQUEST_REPEATED: _Template("a request used for the first time", "{received} again"),
    ReplayProblem.HANDED_OUT: _Template(
        "an assertion whose message was not handed out", "{received}, handed out at {received_at} to {received_to}"
    ),
    **{
        problem: _Template("a username without hidden or unusual characters", f"{{received_v}}: {reason}")
        for problem, reason in USERNAME_REASONS.items()
    },
    UsernameProblem.STORED_DIFFERENTLY: _Template("{expected_q}, as this user is stored", "{received}"),
    UserLinkProblem.NONE: _Template("a user {received_q}", "The SAML user does not link to any user."),
    UserLinkProblem.MANY: _Template(
        "one profile with this Federation ID", "No unique user found for the SAML authenticated user {received_bare}."
    ),
    UserLinkProblem.UNAVAILABLE: _Template(
        "a username that is available to this account", "The username {received_q} is not available to this account."
    ),
    UserLinkProblem.FULL: _Template(
        "room for a new user",
        "Within the last hour sign-ins have created as many users in this account as they may.",
    ),
    UserActiveProblem.NOT_ACTIVE: _Template("{expected}", "{received}"),
    SessionsProblem.NONE: _Template("a session of this NameID", "none: it has ended already, or never began here"),
    SessionsProblem.ALIKE: _Template(
        "a session of this NameID",
        "none, and {received_n} of the same name under another Format, qualifier or SessionIndex",
    ),
}
