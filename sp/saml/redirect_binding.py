"""The HTTP-Redirect binding: a message in the query of a URL, and its signature over the octets of that query.

Owns encoding, bounded reading and the query's signature (Bindings 3.4). Never parses a message, never re-encodes what
it verifies, and never inflates more than it was allowed to.

A query is read from the bytes as they were received. What is verified is put together from the very bytes of the
parameters that are read, so that no signature can cover one message while another is taken (CVE-2025-27773).
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote_plus

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from sp.saml import names
from sp.saml.certificates import IdpCertificate
from sp.saml.enveloped import SIGNATURE_METHODS, WEAK, fingerprint_of, value_made_by
from sp.saml.messages import Limits
from sp.saml.own_keys import OwnKey
from sp.saml.problems import (
    DeflateProblem,
    QueryProblem,
    SignatureAlgorithmProblem,
    SignaturePresentProblem,
    SignatureProblem,
    SigningKeyProblem,
    SizeProblem,
)
from sp.saml.report import PASSED, Fault, Finding, failed, warning
from sp.saml.values import Count, Missing, Name, Several, Text, Unit, Uri, names_of

DEFLATE = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
MAX_PARAMETERS = 20

_RAW_DEFLATE = -15  # RFC 1951 without the header of zlib
_QUERY_GROWTH = 4  # base64 in a query where every character is percent-encoded; "=" and "&" are in the rest
_ROOM_FOR_OTHER_PARAMETERS = 16 * 1024
_PLAIN_NAME = re.compile(rb"[A-Za-z0-9._~-]{1,128}\Z")
_NOT_IN_A_QUERY = re.compile(rb"[^!$%&'()*+,\-./0-9:=?@A-Z_a-z~]")  # RFC 3986, 3.4; ";" is a separator to some readers
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class Carried(StrEnum):
    """The parameter in which a message travels."""

    REQUEST = "SAMLRequest"
    RESPONSE = "SAMLResponse"


_SIGNED = (Carried.REQUEST, Carried.RESPONSE, "RelayState", "SigAlg")
_PROTOCOL = (*_SIGNED, "Signature", "SAMLEncoding")
_LOOKED_FOR = frozenset(name.lower() for name in (*_PROTOCOL, "SAMLart"))


@dataclass(frozen=True, slots=True)
class RedirectMessage:
    """A message that came in a query, of which nothing is believed yet.

    `signed_octets` are the bytes that a signature of this query must cover (Bindings 3.4.4.1); `signature` is None
    where the query is not signed.
    """

    carried: Carried
    xml: bytes
    relay_state: str | None = None
    algorithm: str = ""
    signature: bytes | None = None
    signed_octets: bytes = b""


@dataclass(frozen=True, slots=True)
class UnreadQuery:
    """A query that was turned away: which check of stage 1 says so, and why."""

    code: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class QueryVerdict:
    """What came of a query's signature. `certificate` is there only where it verifies."""

    finding: Finding
    certificate: IdpCertificate | None = None


# Writing.


def redirect_url(
    destination: str, carried: Carried, xml: bytes, *, relay_state: str = "", key: OwnKey | None = None
) -> str:
    """The URL that carries the message to `destination`, signed with RSA-SHA256 when there is a key."""
    parameters = [(str(carried), deflated(xml))]
    if relay_state:
        parameters.append(("RelayState", relay_state))
    if key is not None:
        parameters.append(("SigAlg", names.RSA_SHA256))
    query = _encoded(parameters)
    if key is not None:
        made = key.private_key.sign(query.encode("ascii"), padding.PKCS1v15(), hashes.SHA256())
        query += "&" + _encoded([("Signature", base64.b64encode(made).decode("ascii"))])
    joint = "&" if "?" in destination else "?"
    return f"{destination}{joint}{query}"


def deflated(xml: bytes) -> str:
    """Raw DEFLATE, then base64 (Bindings 3.4.4.1)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, _RAW_DEFLATE)
    return base64.b64encode(packer.compress(xml) + packer.flush()).decode("ascii")


def _encoded(parameters: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters)


# Reading.


def read_query(query: bytes, carried: Carried, limits: Limits) -> RedirectMessage | UnreadQuery:
    """The message in the query string, which is given as it was received, without the question mark.

    `carried` says what this address takes: a request where responses are answered would be the wrong endpoint's.
    """
    if len(query) > limits.message_bytes * _QUERY_GROWTH + _ROOM_FOR_OTHER_PARAMETERS:
        return UnreadQuery("size", Fault(SizeProblem.QUERY, received=Count(len(query), Unit.BYTES)))
    fault = next(_query_problems(query, carried), None)
    if fault is not None:
        return UnreadQuery("form", fault)
    values = dict(_pairs(query))
    packed = _base64(_text(values[_bytes(carried)]))
    if packed is None:
        return UnreadQuery("base64", Fault(_base64_guess(values[_bytes(carried)])))
    xml = _inflated(packed, limits.message_bytes)
    return xml if isinstance(xml, UnreadQuery) else _message(carried, xml, values)


def _message(carried: Carried, xml: bytes, values: dict[bytes, bytes]) -> RedirectMessage | UnreadQuery:
    relay_state, signature = values.get(b"RelayState"), values.get(b"Signature")
    made = None if signature is None else _base64(_text(signature))
    if signature is not None and not made:
        return UnreadQuery("form", Fault(QueryProblem.SIGNATURE_NOT_BASE64, received=Text(_text(signature))))
    return RedirectMessage(
        carried=carried,
        xml=xml,
        relay_state=None if relay_state is None else _text(relay_state),
        algorithm=_text(values.get(b"SigAlg", b"")),
        signature=made,
        signed_octets=b"&".join(
            _bytes(name) + b"=" + values[_bytes(name)] for name in _SIGNED if _bytes(name) in values
        ),
    )


def _query_problems(query: bytes, carried: Carried) -> Iterator[Fault]:
    """Everything by which two readers could find different parameters in one query, in the order of suspicion."""
    if strange := _NOT_IN_A_QUERY.search(query):
        yield Fault(QueryProblem.CHARACTER, received=Text(strange[0].decode("latin-1")))
    if _BROKEN_ESCAPE.search(query):
        yield Fault(QueryProblem.ESCAPE)
    pairs = list(_pairs(query))
    if len(pairs) > MAX_PARAMETERS:
        limit, count = Count(MAX_PARAMETERS, Unit.PARAMETERS), Count(len(pairs), Unit.PARAMETERS)
        yield Fault(QueryProblem.TOO_MANY_PARAMETERS, limit, count)
    yield from _name_problems([name for name, _ in pairs])
    yield from _protocol_problems(dict(pairs), carried)
    yield from _order_problems([name for name, _ in pairs])


def _name_problems(found: list[bytes]) -> Iterator[Fault]:
    known = {_bytes(name) for name in _PROTOCOL}
    for name in found:
        meant = unquote_plus(name.decode("latin-1")).strip().lower()
        if name not in known and (meant in _LOOKED_FOR or meant.partition("[")[0] in _LOOKED_FOR):
            yield Fault(QueryProblem.MISSPELLED_NAME, received=Text(name.decode("latin-1")))
        if name not in known and name and not _PLAIN_NAME.match(name):
            yield Fault(QueryProblem.UNUSUAL_NAME, received=Text(name.decode("latin-1")))
        if name in known and found.count(name) > 1:
            count = Count(found.count(name), Unit.PARAMETERS)
            yield Fault(QueryProblem.REPEATED, Name(name.decode("ascii")), count)


def _protocol_problems(values: dict[bytes, bytes], carried: Carried) -> Iterator[Fault]:
    messages = [str(name) for name in Carried if _bytes(name) in values]
    if messages != [carried]:
        yield Fault(QueryProblem.MESSAGE_COUNT, Name(carried), names_of(messages))
    if not values.get(_bytes(carried)):
        yield Fault(QueryProblem.EMPTY, Name(carried), Name(carried))
    encoding = values.get(b"SAMLEncoding")
    if encoding is not None and _text(encoding) != DEFLATE:
        yield Fault(QueryProblem.ENCODING, Uri(DEFLATE), Uri(_text(encoding)))
    if (b"SigAlg" in values) is not (b"Signature" in values):
        present, missing = ("SigAlg", "Signature") if b"SigAlg" in values else ("Signature", "SigAlg")
        yield Fault(QueryProblem.LONE_PARAMETER, Missing(missing), Name(present))
    for name in ("RelayState", "SigAlg", "Signature"):
        if _not_utf8(values.get(_bytes(name), b"")):
            yield Fault(QueryProblem.NOT_UTF8, Name(name))


def _order_problems(found: list[bytes]) -> Iterator[Fault]:
    """A reader that verifies "everything before Signature" would take what follows it for signed."""
    order = [_bytes(name) for name in (*_SIGNED, "Signature")]
    present = [name for name in found if name in order]
    if b"Signature" in present and present != sorted(present, key=order.index):
        yield Fault(QueryProblem.ORDER, received=names_of([name.decode("ascii") for name in present]))


def _pairs(query: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and values as they stand there, nothing decoded."""
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if part:
            yield name, value


def _inflated(packed: bytes, limit: int) -> bytes | UnreadQuery:
    """At most `limit` bytes: a bomb is told by the first byte that is too many (CVE-2025-25293)."""
    unpacker = zlib.decompressobj(_RAW_DEFLATE)
    try:
        xml = unpacker.decompress(packed, limit + 1)
    except zlib.error:
        problem = DeflateProblem.ZLIB_HEADER if packed[:1] == b"\x78" else DeflateProblem.NOT_DEFLATED
        return UnreadQuery("base64", Fault(problem))
    if len(xml) > limit:
        return UnreadQuery("size", Fault(SizeProblem.INFLATED, Count(limit, Unit.BYTES)))
    if not unpacker.eof or unpacker.unused_data:
        problem = DeflateProblem.TRAILING_BYTES if unpacker.eof else DeflateProblem.TRUNCATED
        return UnreadQuery("base64", Fault(problem))
    return xml


def _base64(text: str) -> bytes | None:
    if len(text) % 4 or text.endswith("==="):  # the decoder forgives padding at the very end
        return None
    try:
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:
        return None


def _base64_guess(value: bytes) -> DeflateProblem:
    if b"+" in value:
        return DeflateProblem.PLUS
    if re.search(rb"%0[ad]|%20", value, re.IGNORECASE):
        return DeflateProblem.WHITE_SPACE
    return DeflateProblem.NOT_BASE64


def _text(value: bytes) -> str:
    return unquote_plus(value.decode("latin-1"), encoding="utf-8", errors="replace")


def _not_utf8(value: bytes) -> bool:
    return "\ufffd" in _text(value)


def _bytes(name: str) -> bytes:
    return name.encode("ascii")


# Verifying.


def verify_query(
    message: RedirectMessage, certificates: Sequence[IdpCertificate], *, allow_sha1: bool = False
) -> QueryVerdict:
    """Whether one of the certificates' keys made the signature over the octets as received (Bindings 3.4.4.1).

    Nothing to check is a failure: a message without a signature, and an account without a usable certificate.
    """
    problem = _signature_problem(message, certificates, allow_sha1=allow_sha1)
    if problem is not None:
        return QueryVerdict(failed(*problem))
    signer = next((known for known in _usable(certificates) if _made_by(message, known)), None)
    if signer is None:
        expected = Several(tuple(map(fingerprint_of, _usable(certificates)[:2])))
        return QueryVerdict(failed(SignatureProblem.QUERY, expected))
    if message.algorithm in WEAK:
        weak = warning(SignatureAlgorithmProblem.WEAK, received=Uri(message.algorithm))
        return QueryVerdict(weak, signer)
    return QueryVerdict(PASSED, signer)


def _signature_problem(
    message: RedirectMessage, certificates: Sequence[IdpCertificate], *, allow_sha1: bool
) -> Fault | None:
    if message.signature is None:
        return Fault(SignaturePresentProblem.NOT_IN_QUERY, received=Missing("Signature"))
    known = message.algorithm in SIGNATURE_METHODS
    if not known or (message.algorithm in WEAK and not allow_sha1):
        return Fault(SignatureAlgorithmProblem.NOT_ACCEPTED, received=Uri(message.algorithm))
    if not _usable(certificates):
        return Fault(SigningKeyProblem.ONLY_WEAK if certificates else SigningKeyProblem.NONE_CONFIGURED)
    return None


def _usable(certificates: Sequence[IdpCertificate]) -> list[IdpCertificate]:
    return [certificate for certificate in certificates if not certificate.weakness]


def _made_by(message: RedirectMessage, certificate: IdpCertificate) -> bool:
    values = _spellings(message.signature or b"", certificate)
    return any(value_made_by(certificate, message.algorithm, value, message.signed_octets) for value in values)


def _spellings(value: bytes, certificate: IdpCertificate) -> Iterator[bytes]:
    """As it is, and, for an elliptic curve, r and s side by side: many libraries sign a query in DER."""
    yield value
    key = certificate.public_key
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return
    size = (key.curve.key_size + 7) // 8
    try:
        r, s = decode_dss_signature(value)
        yield r.to_bytes(size, "big") + s.to_bytes(size, "big")
    except (ValueError, OverflowError):
        return
