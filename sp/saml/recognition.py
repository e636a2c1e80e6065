"""What was posted or pasted where a SAML 2.0 Response in base64 was wanted: its kind, and the layers around it.

Never parses XML, never believes what it sees and never changes a verdict: it is asked only once something else has
refused. The words are in `sp.diagnosis.recognition`.
"""

from __future__ import annotations

import binascii
import codecs
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from sp.saml import names
from sp.saml.messages import PostedForm
from sp.saml.values import Content, Value

MOST_INFLATED = 256 * 1024  # bytes: what is compressed further is cut there, so that a bomb stays small
MOST_LOOKED_AT = 384 * 1024  # bytes: the base64 of the largest message that is accepted, and some more
LAYERS = 4  # address, percent-encoding, base64, compression: nothing real is wrapped more often

UNKNOWN = "unknown"
PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Recognized:
    """A kind of `sp.diagnosis.recognition.KINDS` or UNKNOWN, the layers from the outside in, and the bytes inside.

    `usual` are the layers that belong there. `content` is as little to be trusted as before.
    """

    kind: str
    layers: tuple[str, ...]
    content: bytes
    usual: tuple[str, ...] = ()

    @property
    def added_layers(self) -> tuple[str, ...]:
        """The layers beyond the usual ones; PLAIN where one of those is not there."""
        added = list(self.layers)
        for layer in self.usual:
            if layer not in added:
                return (PLAIN, *added)
            added.remove(layer)
        return tuple(added)


def recognize(value: bytes | str) -> Recognized:
    """What `value` is: text as a form field carries it, or bytes that base64 decoded to. Never raises."""
    if isinstance(value, str):
        return Recognized(*_look(value[:MOST_LOOKED_AT].encode("utf-8", "replace"), LAYERS), usual=("base64",))
    return Recognized(*_look(value[:MOST_LOOKED_AT], LAYERS))


def content_of(value: bytes | str, found: Value | None = None) -> Content:
    """What was recognized in `value`, beside what a check found there."""
    recognized = recognize(value)
    return Content(recognized.kind, recognized.added_layers, found)


def content_of_form(form: PostedForm, found: Value | None) -> Value | None:
    """What is in the field that came instead of, or as, SAMLResponse, beside `found`; `found` where none came."""
    fields = dict(reversed(form.fields))
    value = next((fields[name] for name in _FIELDS if fields.get(name)), None)
    return found if value is None else content_of(value, found)


_FIELDS = ("SAMLRequest", "SAMLart", "wresult", "id_token", "SAMLResponse")

_Found = tuple[str, tuple[str, ...], bytes]


def _look(data: bytes, deeper: int) -> _Found:
    """The kind of `data`, or of what is inside once a layer is taken off; at most `deeper` layers."""
    kind = _kind(data)
    if kind != UNKNOWN or not deeper:
        return kind, (), data
    for layer, unwrap in _UNWRAPPING:
        inside = unwrap(data)
        if inside is None:
            continue
        kind, layers, content = _look(inside, deeper - 1)
        if kind not in {UNKNOWN, "empty"}:
            return kind, (layer, *layers), content
    return UNKNOWN, (), data


# Layers.

_PARAMETER = re.compile(rb"(?:^|[?&#\s])(?:SAMLResponse|SAMLRequest|SAMLart|wresult|id_token)=([^&\s]+)")
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")
_URL_SAFE = re.compile(rb"[A-Za-z0-9_-]{16,}={0,2}")


def _address(data: bytes) -> bytes | None:
    found = _PARAMETER.search(data)
    return found[1] if found else None


def _percent(data: bytes) -> bytes | None:
    """Of text only: compressed bytes have a percent sign and two digits in them now and then, by chance."""
    return unquote_to_bytes(data) if data.isascii() and _PERCENT.search(data) else None


def _base64(data: bytes) -> bytes | None:
    text = b"".join(data.strip().replace(b" ", b"+").split())  # a "+" that was not percent-encoded comes as a space
    return _decoded(text) if _BASE64.fullmatch(text) else None


def _url_safe(data: bytes) -> bytes | None:
    text = b"".join(data.split())
    return _decoded(text.translate(bytes.maketrans(b"-_", b"+/"))) if _URL_SAFE.fullmatch(text) else None


def _decoded(text: bytes) -> bytes:
    """Base64 as far as it goes: one without padding, or cut, is told by what is left of it."""
    text = text.rstrip(b"=")
    whole = text[: len(text) - 1] if len(text) % 4 == 1 else text
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def _deflate(data: bytes) -> bytes | None:
    inflated = _inflated(data, -zlib.MAX_WBITS) or _inflated(data, zlib.MAX_WBITS)
    # Any bytes may inflate to something: without a tag at the start it was chance.
    return inflated if inflated is not None and inflated.lstrip().startswith(b"<") else None


def _gzip(data: bytes) -> bytes | None:
    return _inflated(data, 16 + zlib.MAX_WBITS) if data.startswith(b"\x1f\x8b") else None


def _inflated(data: bytes, window: int) -> bytes | None:
    try:
        return zlib.decompressobj(window).decompress(data, MOST_INFLATED)
    except zlib.error:
        return None


_UNWRAPPING: tuple[tuple[str, Callable[[bytes], bytes | None]], ...] = (
    ("address", _address),
    ("percent", _percent),
    ("base64", _base64),
    ("url_safe", _url_safe),
    ("gzip", _gzip),
    ("deflate", _deflate),
)


# Kinds.

_JWT = re.compile(rb"eyJ[\w-]+(?:\.[\w-]*){2}(?:(?:\.[\w-]*){2})?\s*")
_JSON = re.compile(rb"""[\[{]\s*["\[{\]}]""")
_ARTIFACT = re.compile(rb"AAQ[A-Za-z0-9+/]{56}=?=?")  # type code 4, 44 bytes (Bindings 3.6.4)
_PKCS7_MIME = re.compile(rb"(?:mime-version:[^\n]*\n)?content-type:\s*application/(?:x-)?pkcs7", re.IGNORECASE)
_PKCS7_OID = bytes.fromhex("06092a864886f70d0107")
_NAME_OID = bytes.fromhex("06035504")  # an attribute of a distinguished name


def _kind(data: bytes) -> str:
    text = data.removeprefix(codecs.BOM_UTF8).strip()
    if not text:
        return "empty"
    if text.startswith(b"<"):
        return _kind_of_xml(text)
    if text.startswith(b"-----BEGIN "):
        return _kind_of_pem(text[:64])
    if data.startswith(b"\x30"):
        return _kind_of_der(data)
    shapes = (("jwt", _JWT.fullmatch), ("artifact", _ARTIFACT.fullmatch), ("json", _JSON.match))
    found = next((kind for kind, matches in shapes if matches(text)), UNKNOWN)
    return "pkcs7" if _PKCS7_MIME.match(text) else found


def _kind_of_pem(first_line: bytes) -> str:
    if b"PRIVATE KEY" in first_line:
        return "private_key"
    if b"PKCS7" in first_line or b"CMS" in first_line:
        return "pkcs7"
    return "certificate" if b"CERTIFICATE-----" in first_line else UNKNOWN


def _kind_of_der(data: bytes) -> str:
    if _PKCS7_OID in data[:32]:
        return "pkcs7"
    return "certificate" if _NAME_OID in data[:256] else UNKNOWN


_HTML = re.compile(rb"<(?:!doctype\s+)?html\b", re.IGNORECASE)
_START_TAG = re.compile(rb"<(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)([^<>]*)")
_SAML_1 = b"urn:oasis:names:tc:SAML:1.0:"
_METADATA = b"urn:oasis:names:tc:SAML:2.0:metadata"
_SOAP = (b"http://schemas.xmlsoap.org/soap/envelope/", b"http://www.w3.org/2003/05/soap-envelope")
_TRUST = (b"http://schemas.xmlsoap.org/ws/2005/02/trust", b"http://docs.oasis-open.org/ws-sx/ws-trust/200512")

_SAML_2_PROTOCOL = {
    b"Response": "response",
    b"AuthnRequest": "authn_request",
    b"LogoutRequest": "logout_request",
    b"LogoutResponse": "logout_response",
    b"ArtifactResponse": "artifact_response",
}
_BY_NAMESPACE = {
    names.SAML.encode(): {b"Assertion": "assertion", b"EncryptedAssertion": "encrypted"},
    names.XENC.encode(): {b"EncryptedData": "encrypted"},
    _SAML_1 + b"protocol": {b"Response": "saml11_response"},
    _SAML_1 + b"assertion": {b"Assertion": "saml11_assertion"},
    **{uri: {b"Envelope": "soap"} for uri in _SOAP},
    **{
        uri: dict.fromkeys(
            (b"RequestSecurityTokenResponse", b"RequestSecurityTokenResponseCollection"), "ws_federation"
        )
        for uri in _TRUST
    },
}


def _kind_of_xml(text: bytes) -> str:
    """By the first start tag alone: it declares the namespace of its own name, and nothing has to be parsed."""
    if _HTML.search(text[:1024]):
        return "html_form" if b'"SAMLResponse"' in text else "html"
    tag = _START_TAG.search(text)
    if tag is None:
        return UNKNOWN
    prefix, name, attributes = tag.groups()
    namespace = _namespace(prefix or b"", attributes)
    if namespace == names.SAMLP.encode():
        kind = _SAML_2_PROTOCOL.get(name, "other_saml")
        return "cut_response" if kind == "response" and not _ends(tag, text) else kind
    if namespace == _METADATA:
        return "idp_metadata" if b"IDPSSODescriptor" in text else "sp_metadata"
    return _BY_NAMESPACE.get(namespace, {}).get(name, "other_xml")


def _ends(tag: re.Match[bytes], text: bytes) -> bool:
    name = tag[0][1 : tag.start(3) - tag.start()]
    return tag[3].endswith(b"/") or b"</" + name in text


def _namespace(prefix: bytes, attributes: bytes) -> bytes:
    declaration = rb"xmlns:" + re.escape(prefix) if prefix else rb"xmlns"
    found = re.search(rb"\s" + declaration + rb"""\s*=\s*["']([^"']*)["']""", attributes)
    return found[1] if found else b""
