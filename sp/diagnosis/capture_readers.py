"""Reading captures: which requests somebody's browser, file or clipboard holds, without looking into a message.

Owns the shapes of HAR files, SAML-tracer's exports, HTML forms, cURL lines and plain text, and the bounds of reading
them. Never keeps what is not asked for: of a request only the fields that may hold a message, RelayState, and the
address without its query; cookies, passwords and other fields are left behind.
"""

from __future__ import annotations

import codecs
import html
import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from sp.saml.bindings import FORM_TYPE
from sp.saml.messages import PostedForm
from sp.saml.unwrapping import MOST_PERCENT, looks_like_xml

MESSAGE_FIELDS = ("SAMLResponse", "SAMLRequest", "SAMLart", "wresult", "id_token")
_KEPT_FIELDS = frozenset((*MESSAGE_FIELDS, "RelayState"))
_MOST_FIELDS = 20  # of one form, as the assertion consumer service allows
_MOST_SEPARATORS = 1000  # of one form: what has more is no form
_MOST_REQUESTS = 20_000  # of one capture, the newest ones
_MOST_IN_TEXT = 1000  # of those in plain text, where each has to be looked for
_WHERE_CHARACTERS = 200
# What the JSON of the largest capture may cost: about 300 MB, of which real files stay far below.
_MOST_CONTAINERS = 600_000
_MOST_VALUES = 2_000_000

_DECODED = (
    "Its percent-encoding was taken off, as from the body of a form. The assertion consumer service would refuse this "
    "transport if the field's value itself came like this."
)
_TRACERS_COPY = (
    "The export hides the posted field, so SAML-tracer's own decoded copy is judged, which need not be the same bytes. "
    "Export without hiding values to judge what was sent."
)
_TOO_MANY_FIELDS = f"The assertion consumer service would refuse this transport: more than {_MOST_FIELDS} fields."


@dataclass(frozen=True, slots=True)
class Sent:
    """A request with a field that may hold a message, or XML as it stood there.

    `guessed`: nothing says that it is a field's value but its looks.
    """

    where: str
    source: PostedForm | bytes
    note: str = ""
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """What a capture was, a kind of `sp.diagnosis.captures.CAPTURES`, and what was found in it, oldest first.

    `requests` counts every request, also those without a message; `fault` says why nothing could be read.
    """

    kind: str
    sent: tuple[Sent, ...] = ()
    requests: int = 0
    fault: str = ""


def read_capture(data: bytes) -> Read:
    """The requests in a capture of any shape. Never raises."""
    data = _as_utf8(data)
    text = data.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith((b"{", b"[")):
        return _read_json(text)
    if _HTML.search(text[:_HTML_HEAD]):
        return _read_html(text.decode("utf-8", "replace"))
    if looks_like_xml(data) or _RESPONSE_TAG.search(text[:_LONGEST_LISTING]):
        return Read("xml", (Sent("the XML itself", data),))
    return _read_text(text.decode("utf-8", "replace").rstrip())


def _as_utf8(data: bytes) -> bytes:
    """Text that a Windows program wrote as UTF-16, in UTF-8; XML stays, since its encoding is part of the verdict."""
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data
    text = data.decode("utf-16", "replace")
    is_page = _HTML.search(text[:_HTML_HEAD].encode("utf-8", "replace"))
    return data if text.lstrip().startswith("<") and not is_page else text.encode("utf-8", "replace")


_HTML_HEAD = 2048
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|form|input)\b", re.IGNORECASE)
_RESPONSE_TAG = re.compile(rb"<(?:[A-Za-z_][\w.-]{0,30}:)?Response[\s>]")


# A form's fields.


def _form(method: str, fields: tuple[tuple[str, str], ...], content_type: str = FORM_TYPE) -> PostedForm | None:
    """What is kept of a request, None where no field of it may hold a message."""
    kept = tuple((name, _harmless(value)) for name, value in fields if name in _KEPT_FIELDS)
    held = any(name in MESSAGE_FIELDS for name, _ in kept)
    return PostedForm(method, _harmless(content_type)[:_WHERE_CHARACTERS], kept) if held else None


def _harmless(text: str) -> str:
    """Without lone surrogates, which JSON can hold and no page can."""
    return text.encode("utf-8", "replace").decode()


def _parsed(body: str) -> tuple[tuple[str, str], ...]:
    """The fields as the assertion consumer service reads them, of something that has no more than a form may."""
    if body.count("&") > _MOST_SEPARATORS or body.count("%") > MOST_PERCENT:
        return ()
    text = body.encode("ascii", "replace").decode("ascii")
    return tuple(parse_qsl(text, keep_blank_values=True, errors="replace"))


def _sent(
    where: str, method: str, fields: tuple[tuple[str, str], ...], content_type: str = FORM_TYPE
) -> Iterator[Sent]:
    form = _form(method, fields, content_type)
    if form is not None:
        yield Sent(where, form, _TOO_MANY_FIELDS if len(fields) > _MOST_FIELDS else "")


def _place(method: str, url: str, moment: str = "") -> str:
    """Where a request went, without the query, the user's name and whatever else an address may tell."""
    address = _USER_INFO.sub("//", re.split(r"[?#;]", url[:2048], maxsplit=1)[0], count=1)
    when = f", at {moment[:40]}" if moment else ""
    return _harmless(f"{method} {address[:_WHERE_CHARACTERS]}{when}".strip())


_USER_INFO = re.compile(r"//[^/@]*@")


def _in_address(url: str, moment: str = "") -> Iterator[Sent]:
    """The message that a GET request brings in its query."""
    query = url.partition("?")[2].partition("#")[0]
    if _IN_TOKEN.search(query):
        yield from _sent(_place("GET", url, moment), "GET", _parsed(query), "")


# JSON: HAR files and SAML-tracer's exports.

_NO_CAPTURE = "This is JSON, but neither a HAR file nor an export of SAML-tracer."


def _read_json(data: bytes) -> Read:
    containers, commas = data.count(b"[") + data.count(b"{"), data.count(b",")
    if containers > _MOST_CONTAINERS or commas > _MOST_VALUES:
        return Read("nothing", fault="This JSON holds more values than the log of a browser does.")
    try:
        found = json.loads(data)
    except RecursionError:
        return Read("nothing", fault="This JSON is nested more deeply than the log of a browser is.")
    except ValueError as error:
        return _read_broken_json(data, error)
    log = found.get("log") if isinstance(found, dict) else None
    if isinstance(log, dict) and isinstance(log.get("entries"), list):
        return _read_har(log["entries"])
    if isinstance(found, dict) and isinstance(found.get("requests"), list):
        return _read_saml_tracer(found["requests"])
    return Read("nothing", fault=_NO_CAPTURE)


def _read_broken_json(data: bytes, error: ValueError) -> Read:
    """Text that only begins like JSON may still hold an address; a HAR file that was cut off does not count."""
    read = _read_text(data.decode("utf-8", "replace"))
    if read.sent and b'"entries"' not in data[: _HTML_HEAD * 4]:
        return read
    reason = str(error) if isinstance(error, json.JSONDecodeError) else "it is not UTF-8, or has a number too long"
    return Read("nothing", fault=f"This begins like JSON and cannot be read: {reason[:120]}.")


def _read_har(entries: list[Any]) -> Read:
    requests = [entry for entry in entries[-_MOST_REQUESTS:] if isinstance(entry, dict)]
    sent = (found for entry in _oldest_first(requests) for found in _of_har_entry(entry))
    return Read("har", tuple(sent), len(entries))


def _oldest_first(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By their times, as far as every entry tells one in full; else as the file has them."""
    try:
        return sorted(entries, key=lambda entry: datetime.fromisoformat(entry["startedDateTime"]))
    except (KeyError, TypeError, ValueError):
        return entries


def _of_har_entry(entry: dict[str, Any]) -> Iterator[Sent]:
    request = _mapping(entry.get("request"))
    method, url = _text(request.get("method"))[:20].upper(), _text(request.get("url"))
    moment = _text(entry.get("startedDateTime"))
    if method == "POST":
        posted = _mapping(request.get("postData"))
        content_type = _text(posted.get("mimeType")) or FORM_TYPE
        yield from _sent(_place(method, url, moment), method, _posted_fields(posted), content_type)
    else:
        yield from _in_address(url, moment)


def _posted_fields(posted: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The body as it was sent, where the file has it; else the parameters, which some browsers leave encoded."""
    body = _text(posted.get("text"))
    if _IN_TOKEN.search(body):
        return _parsed(body)
    pairs = [_mapping(pair) for pair in _sequence(posted.get("params"))[:_MOST_SEPARATORS]]
    return tuple((_text(pair.get("name")), _once_decoded(_text(pair.get("value")))) for pair in pairs)


def _once_decoded(value: str) -> str:
    encoded = _PERCENT.search(value) and value.count("%") <= MOST_PERCENT
    return unquote(value, errors="replace") if encoded else value


_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")


def _read_saml_tracer(requests: list[Any]) -> Read:
    """`{"requests": [{"method", "url", "post": [[name, value]], "saml", …}]}`, as SAML-tracer 1.x exports it."""
    traced = [request for request in requests[-_MOST_REQUESTS:] if isinstance(request, dict)]
    sent = (found for request in traced for found in _of_traced(request))
    return Read("saml_tracer", tuple(sent), len(requests))


def _of_traced(request: dict[str, Any]) -> Iterator[Sent]:
    method, url = _text(request.get("method"))[:20].upper(), _text(request.get("url"))
    pairs = [_sequence(pair) for pair in _sequence(request.get("post"))[:_MOST_SEPARATORS]]
    fields = tuple((_text(pair[0]), _text(pair[1])) for pair in pairs if len(pair) == 2)
    hidden = any(name in MESSAGE_FIELDS and value.startswith(_HIDDEN) for name, value in fields)
    if method != "POST":
        yield from _in_address(url)
    elif not hidden:
        yield from _sent(_place(method, url), method, fields)
    elif copy := _text(request.get("saml")):
        yield Sent(_place(method, url), _harmless(copy).encode(), _TRACERS_COPY)


_HIDDEN = ("{hash:", "{obf:", "{overwritten")  # what its export filters write over a value


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _sequence(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


# HTML: the page of an identity provider that posts itself. Read by its tags alone, as a browser never would: what is
# found is judged, not believed.

_TAG = re.compile(r"<(form|input|/form)\b([^<>]*+)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(?<![\w-])([\w-]++)\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'>]++))""")


def _read_html(page: str) -> Read:
    sent: list[Sent] = []
    fields: list[tuple[str, str]] = []
    action, forms = "", 0
    for tag in _TAG.finditer(page):
        if tag[1].lower() == "input":
            fields += _input(tag[2]) if len(fields) < _MOST_SEPARATORS else []
            continue
        sent += _sent(_place("a form to", action), "POST", tuple(fields))
        action, fields, forms = _attributes(tag[2]).get("action", ""), [], forms + 1
        if forms > _MOST_REQUESTS:
            break
    sent += _sent(_place("a form to", action), "POST", tuple(fields))
    return Read("html", tuple(sent), forms)


def _input(text: str) -> list[tuple[str, str]]:
    attributes = _attributes(text)
    return [(attributes["name"], attributes.get("value", ""))] if "name" in attributes else []


def _attributes(text: str) -> dict[str, str]:
    return {found[1].lower(): _unescaped(found[2] or found[3] or found[4] or "") for found in _ATTRIBUTE.finditer(text)}


def _unescaped(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # a character reference with more digits than a number may have
        return text


# Plain text: a field's value, a form's body, an address, or lines with such things in them.

_NAMES = "|".join((*MESSAGE_FIELDS, "RelayState"))
_BODY = re.compile(rf"(?:{_NAMES})=")
_LISTED = re.compile(rf"^[ \t]*({_NAMES})[ \t]*:[ \t]*(\S.*)$", re.MULTILINE)
_TOKEN = re.compile(r"""[^\s"'`<>\\]++""")
_BOUNDARY = re.compile(r"""[\s"'`<>\\]""")
_IN_TOKEN = re.compile(rf"(?:{'|'.join(MESSAGE_FIELDS)})=")
_LONGEST_HEAD = 4096  # characters of an address before its message
_LONGEST_LISTING = 512 * 1024  # characters: the base64 of the largest message that is accepted, and some more
_SPACE = re.compile(r"\s")
_VALUE = re.compile(r"[A-Za-z0-9+/=_%\s-]++")


def _read_text(text: str) -> Read:
    if text.startswith(("curl ", "curl.exe ")):
        return _read_curl(text)
    if _BODY.match(text) and not _lists_several(text):
        return Read("form", tuple(_sent("the form's body", "POST", _parsed(text))), 1)
    if _VALUE.fullmatch(text):
        return Read("value", (_of_value(text),))
    listed = tuple(_LISTED.findall(text)) if len(text) <= _LONGEST_LISTING else ()
    if listed_form := tuple(_sent("the fields as they are listed", "POST", listed)):
        return Read("form", listed_form, 1)
    return _read_lines(text)


def _read_lines(text: str) -> Read:
    sent = _in_text(text, "")
    if not sent or _SPACE.search(text):
        return Read("text" if sent else "value", sent, len(sent))
    return Read("address" if sent[0].where.startswith("GET ") else "form", sent, 1)


def _lists_several(text: str) -> bool:
    """Whether a form's body begins on another line too; a value that is merely wrapped goes on to the end."""
    return len(re.findall(rf"^(?:{_NAMES})=", text, re.MULTILINE)) > 1


def _of_value(text: str) -> Sent:
    """Text that may be a field's value. Percent-encoding comes off once, as a form's body is decoded."""
    decoded = _once_decoded(text)
    field = ("SAMLResponse", decoded)
    return Sent("the value itself", PostedForm("POST", FORM_TYPE, (field,)), _DECODED if decoded != text else "", True)


def _in_text(text: str, posted_to: str) -> tuple[Sent, ...]:
    found = (sent for token in _tokens(text) for sent in _of_token(token, posted_to))
    return tuple(deque(found, maxlen=_MOST_IN_TEXT))


def _tokens(text: str) -> Iterator[str]:
    """The newest pieces without spaces and quotes that hold a message's field."""
    end = 0
    for hit in deque(_IN_TOKEN.finditer(text), maxlen=_MOST_IN_TEXT):
        if hit.start() < end:
            continue
        head = _BOUNDARY.split(text[max(end, hit.start() - _LONGEST_HEAD) : hit.start()])[-1]
        whole = _TOKEN.match(text, hit.start() - len(head))
        if whole:
            end = whole.end()
            yield whole[0]


def _of_token(token: str, posted_to: str) -> Iterator[Sent]:
    """An address with a message in its query, or the body of a form."""
    if not _IN_TOKEN.search(token.partition("?")[0]):
        yield from _in_address(token)
    else:
        where = _place("POST", posted_to) if posted_to else "a form's body"
        yield from _sent(where, "POST", _parsed(token))


def _read_curl(text: str) -> Read:
    """`curl 'URL' -H … --data-raw 'SAMLResponse=…'`, as browsers copy it for a shell or for Windows."""
    if '^"' in text:  # of what cmd escapes nothing remains in a form's body, which is percent-encoded
        text = text.replace("^", "")
    address = _ADDRESS.search(text)
    return Read("curl", _in_text(text, address[0] if address else ""), 1)


_ADDRESS = re.compile(r"""https?://[^\s"'`<>\\]++""")
