"""The SAML messages in what somebody captured: XML, a form's field, a log of a browser, a request copied as cURL.

Owns saying what a capture was, which messages are in it, and how each is judged. Never judges one and never weakens a
binding: what the assertion consumer service would have been sent goes to `open_form` as it is, and where only leniency
finds a message, a note says what the service would refuse.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

from sp.diagnosis.capture_readers import MESSAGE_FIELDS, Read, Sent, read_capture
from sp.diagnosis.recognition import KINDS, clause_about
from sp.diagnosis.sides import TEMPLATES
from sp.saml.bindings import Transport, base64_problem, form_problem, values
from sp.saml.messages import Limits, Opened, PostedForm
from sp.saml.recognition import recognize
from sp.saml.unwrapping import looks_like_xml, unwrap
from sp.saml.validation import DEFAULT_LIMITS, open_form, open_message

MAX_CAPTURE_BYTES = 16 * 1024 * 1024
MOST_MESSAGES = 100
RESPONSES = frozenset(("response", "cut_response"))

CAPTURES = {
    "nothing": "nothing that holds a message",
    "xml": "XML as it is",
    "value": "the value of a form's field",
    "form": "the fields of a form",
    "address": "an address with a message in it",
    "text": "text with addresses or forms in it",
    "html": "an HTML page with a form in it",
    "curl": "a request copied as cURL",
    "har": "a HAR file, a browser's log of requests",
    "saml_tracer": "an export of SAML-tracer",
}

_NOTHING = "No SAML message was found"
_GIVE = "Give a Response as XML or base64, a form's body, a redirect's URL, a HAR file or an export of SAML-tracer."
_WOULD_REFUSE = "The assertion consumer service would refuse this transport: {}."
_COMPRESSED = "it is compressed, and the service inflates nothing"
_BY_GET = "a message in the address of a GET request"


@dataclass(frozen=True, slots=True)
class CapturedMessage:
    """One message. `kind` is one of `sp.diagnosis.recognition.KINDS` or UNKNOWN, `where` the place in the capture.

    `source` is what is judged: the form that was posted, the XML that stood in the capture, or a text that turns into
    XML by being lenient only. `note` is one or more sentences, or "".
    """

    kind: str
    where: str
    source: PostedForm | bytes | str
    note: str = ""

    @property
    def name(self) -> str:
        """What it is, such as "a SAML 2.0 Response"."""
        return KINDS[self.kind][0] if self.kind in KINDS else "something that is not recognized"


@dataclass(frozen=True, slots=True)
class Capture:
    """What the capture was, a kind of CAPTURES, and its messages, oldest first. Without any, `fault` says why.

    `left_out` counts messages older than the newest MOST_MESSAGES.
    """

    kind: str
    messages: tuple[CapturedMessage, ...] = ()
    fault: str = ""
    left_out: int = 0

    @property
    def name(self) -> str:
        return CAPTURES[self.kind]

    @property
    def default(self) -> int:
        """The index of the message that is meant unless another one is named: the last Response, else the last."""
        responses = [index for index, message in enumerate(self.messages) if message.kind in RESPONSES]
        return (responses or [len(self.messages) - 1])[-1]


def find_messages(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Capture:
    """Every message in what was pasted or uploaded. Never raises."""
    if len(data) > MAX_CAPTURE_BYTES:
        return Capture("nothing", fault=f"This is larger than {MAX_CAPTURE_BYTES // 1024 // 1024} MiB. {_SMALLER}")
    if not data.strip():
        return Capture("nothing", fault=f"There is nothing in it. {_GIVE}")
    read = read_capture(data)
    kept = read.sent[-MOST_MESSAGES:]
    messages = tuple(message for sent in kept for message in _message(sent, limits))
    if not messages:
        return Capture("nothing" if read.kind == "value" else read.kind, fault=_fault(read, data))
    return Capture(read.kind, messages, left_out=len(read.sent) - len(kept))


def open_captured(message: CapturedMessage, limits: Limits = DEFAULT_LIMITS) -> Opened:
    """Stages 1 to 3 of a captured message, as the assertion consumer service would take its bytes."""
    if isinstance(message.source, PostedForm):
        return open_form(message.source, limits)
    return open_message(xml_of(message, limits), limits)


def xml_of(message: CapturedMessage, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The XML inside, to be shown, whether or not the service would have come that far; b"" where there is none."""
    source = message.source
    if isinstance(source, bytes):
        return source
    text = _value(source) if isinstance(source, PostedForm) else source
    unwrapped = unwrap(text, limits.message_bytes)
    return unwrapped.xml if unwrapped else b""


def _message(sent: Sent, limits: Limits) -> Iterator[CapturedMessage]:
    source = sent.source
    if isinstance(source, bytes):
        yield CapturedMessage(recognize(source).kind, sent.where, source, sent.note)
        return
    if _taken_as_it_is(source, limits):
        yield CapturedMessage(_kind(source, limits), sent.where, source, sent.note)
        return
    found = unwrap(_value(source), limits.message_bytes)
    if found is not None:
        refused = list(_refused(source, limits, found.layers)) if values(source, "SAMLResponse") else []
        refusal = _WOULD_REFUSE.format(", and ".join(refused).rstrip("?")) if refused else ""
        note = " ".join(sentence for sentence in (sent.note, refusal) if sentence)
        yield CapturedMessage(recognize(found.xml).kind, sent.where, _value(source), note)
    elif not sent.guessed:
        yield CapturedMessage(_kind(source, limits), sent.where, source, sent.note)


def _taken_as_it_is(form: PostedForm, limits: Limits) -> bool:
    """Whether the form's own verdict tells more than the message without its form would."""
    if form.method == "GET":
        return False
    if form_problem(form) is not None:
        return True
    transport = Transport(form, limits)
    if transport.decoded_bytes > limits.message_bytes:
        return unwrap(transport.text[:_HEAD], _HEAD) is not None
    return transport.decoded is not None and looks_like_xml(transport.decoded)


_HEAD = 4096  # characters: enough to see whether there is XML inside


def _refused(form: PostedForm, limits: Limits, layers: tuple[str, ...]) -> Iterator[str]:
    """Why the service would not have found this message."""
    if form.method == "GET":
        yield _BY_GET
    elif Transport(form, limits).decoded is None:
        yield TEMPLATES[base64_problem(Transport(form, limits))].received
    elif layers.count("base64") > 1:
        yield "it is base64-encoded twice"
    if {"gzip", "deflate"} & set(layers):
        yield _COMPRESSED


def _kind(form: PostedForm, limits: Limits) -> str:
    value = _value(form)
    found = unwrap(value, limits.message_bytes)
    return recognize(found.xml if found else value).kind


def _value(form: PostedForm) -> str:
    """The field that holds the message, or one that came instead."""
    return next((found[0] for name in MESSAGE_FIELDS if (found := values(form, name))), "")


_SMALLER = "Clear the browser's log, sign in once more and save it again, or paste the SAMLResponse alone."
_RECORD_AGAIN = 'Switch "Preserve log" on, sign in once more from the very beginning, and save it again.'
_FAULTS = {
    "har": f"{_NOTHING} in this HAR file of {{}}. {_RECORD_AGAIN}",
    "saml_tracer": f"{_NOTHING} in this export of SAML-tracer, of {{}}. {_RECORD_AGAIN}",
    "curl": f"{_NOTHING} in this request. Copy the one that posts to the assertion consumer service.",
    "html": f"{_NOTHING}: this HTML page has no form with a SAMLResponse, so it may be a sign-in or error page.",
}


def _fault(read: Read, data: bytes) -> str:
    if read.fault:
        return f"{read.fault} {_GIVE}"
    if read.kind in _FAULTS:
        return _FAULTS[read.kind].format("1 request" if read.requests == 1 else f"{read.requests:,} requests")
    text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace").strip()
    sentence = clause_about(recognize(data)) or clause_about(recognize(text))
    return f"{_NOTHING}: {sentence}." if sentence else f"{_NOTHING}. {_GIVE}"
