"""A message and its report with everything replaced that could tell who it is about, or whose it is.

Owns which place of a message holds which kind of value, and what stands for bytes that were signed or encrypted. Never
lets through what it does not know: an element, an attribute or a value stays only where it is listed as public or has
the shape of a time, a version or a small number.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from sp.diagnosis.pseudonyms import Kind, Pseudonyms
from sp.diagnosis.public_names import NAMESPACES, public_names
from sp.saml import names
from sp.saml.certificates import IdpCertificate, stored_certificate
from sp.saml.errors import CertificateError
from sp.saml.times import written
from sp.saml.xml import parse, text_of

_XML = "http://www.w3.org/XML/1998/namespace"
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"

_TIME = re.compile(
    r"[ \t\r\n]*\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?[ \t\r\n]*", re.ASCII
)
_SMALL = re.compile(r"true|false|\d{1,4}|\d\.\d", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2}(?:-[A-Z]{2})?", re.ASCII)
_TYPE = re.compile(r"([A-Za-z_][\w.-]*):(anyType|base64Binary|boolean|date|dateTime|integer|int|string)", re.ASCII)
_CODE = re.compile(r"AADSTS\d{4,9}", re.ASCII)
_SHOWN_FINGERPRINT = 8  # of its hexadecimal digits

_TIMES = frozenset(
    [
        "IssueInstant",
        "NotBefore",
        "NotOnOrAfter",
        "AuthnInstant",
        "SessionNotOnOrAfter",
        "AuthenticationInstant",
        "validUntil",
    ]
)
_SMALL_VALUES = frozenset(
    [
        "Version",
        "MajorVersion",
        "MinorVersion",
        "Count",
        "ForceAuthn",
        "IsPassive",
        "AllowCreate",
        "index",
        "isDefault",
        "isRequired",
        "nil",
        "AuthnRequestsSigned",
        "WantAssertionsSigned",
        "WantAuthnRequestsSigned",
    ]
)
_PLACES = [
    "Destination",
    "Recipient",
    "NameQualifier",
    "SPNameQualifier",
    "Issuer",
    "Location",
    "ResponseLocation",
    "AssertionConsumerServiceURL",
    "entityID",
    "Address",
    "IPAddress",
    "DNSName",
    "Format",
    "NameFormat",
    "Algorithm",
    "Method",
    "Value",
    "AuthenticationMethod",
    "AttributeNamespace",
    "Binding",
    "ProtocolBinding",
    "Encoding",
    "Type",
    "Consent",
    "Resource",
    "Target",
]
_KINDS_OF_ATTRIBUTES = {
    **dict.fromkeys(("ID", "Id", "AssertionID", "ResponseID", "InResponseTo", "SessionIndex"), Kind.ID),
    **dict.fromkeys(("Name", "FriendlyName", "AttributeName"), Kind.ATTRIBUTE),
    **dict.fromkeys(_PLACES, Kind.PLACE),
}
_KINDS_OF_TEXTS = {
    names.ISSUER: Kind.PLACE,
    names.AUDIENCE: Kind.PLACE,
    names.AUTHN_CONTEXT_CLASS_REF: Kind.PLACE,
    f"{{{names.SAML}}}AuthnContextDeclRef": Kind.PLACE,
    f"{{{names.SAML}}}AuthenticatingAuthority": Kind.PLACE,
    names.NAME_ID: Kind.USER,
    f"{{{names.SAMLP}}}SessionIndex": Kind.ID,
}
_BYTES = {
    names.SIGNATURE_VALUE: "signature",
    names.DIGEST_VALUE: "digest",
    f"{{{names.XENC}}}CipherValue": "encrypted",
    **{
        f"{{{names.DS}}}{name}": "part of a key"
        for name in ("Modulus", "Exponent", "P", "Q", "G", "Y", "J", "Seed", "PgenCounter")
    },
    **{
        f"{{{names.DS}}}{name}": "name of a key"
        for name in ("X509SKI", "X509SerialNumber", "X509CRL", "X509Digest", "PGPKeyID", "PGPKeyPacket", "SPKISexp")
    },
    "{http://www.w3.org/2009/xmldsig11#}PublicKey": "part of a key",
}


@dataclass(frozen=True, slots=True)
class Seals:
    """What is known about the signatures: which certificates are trusted, and the one that verified them, if any."""

    trusted: tuple[IdpCertificate, ...] = ()
    verified_by: IdpCertificate | None = None


def redacted_tree(root: etree._Element, pseudonyms: Pseudonyms, seals: Seals) -> etree._Element:
    """A tree of the same structure. What stands around the root is left out."""
    return parse(redacted_xml(root, pseudonyms, seals))


def redacted_xml(root: etree._Element, pseudonyms: Pseudonyms, seals: Seals) -> bytes:
    """The bytes of that tree, in UTF-8."""
    _first_the_names(root, pseudonyms)
    return "".join(_Writing(pseudonyms, seals).element(root)).encode("utf-8")


def _first_the_names(root: etree._Element, pseudonyms: Pseudonyms) -> None:
    """Whoever the message is about comes first, so that the same value elsewhere is called a user too."""
    for element in root.iter(names.NAME_ID):
        pseudonyms.of(text_of(element), Kind.USER)


@dataclass
class _Writing:
    """Writes an element and what is in it. No tree is built: a library would choose prefixes of its own."""

    pseudonyms: Pseudonyms
    seals: Seals
    prefixes: dict[str, str] = field(default_factory=dict)

    def element(self, element: etree._Element) -> Iterator[str]:
        if not isinstance(element.tag, str):
            yield "<!-- a comment, a processing instruction or an entity was here -->"
            return
        tag = self._tag(element)
        yield f"<{tag}"
        yield from self._declarations(element)
        yield from (f" {name}={quoteattr(value)}" for name, value in self._attributes(element))
        yield ">"
        yield self._text(element, element.text)
        for child in element:
            yield from self.element(child)
            yield escape(self._outside(child.tail))
        yield f"</{tag}>"

    # Names.

    def _tag(self, element: etree._Element) -> str:
        name = etree.QName(element)
        local = self._local(name, public_names().elements)
        return f"{self._prefix(element.prefix)}:{local}" if element.prefix else local

    def _local(self, name: etree.QName, public: frozenset[str]) -> str:
        if name.localname in public and (name.namespace in NAMESPACES or name.namespace is None):
            return name.localname
        return self.pseudonyms.of(name.localname, Kind.NAME)

    def _prefix(self, prefix: str) -> str:
        """A prefix may be a company's name. Those that libraries make up are numbered."""
        if prefix in public_names().prefixes or re.fullmatch(r"(?:ns|saml|p|q|n|d\dp)\d{1,3}", prefix, re.ASCII):
            return prefix
        return self.prefixes.setdefault(prefix, f"prefix-{len(self.prefixes) + 1}")

    def _declarations(self, element: etree._Element) -> Iterator[str]:
        parent = element.getparent()
        above = parent.nsmap if parent is not None else {}
        for prefix, uri in element.nsmap.items():
            if above.get(prefix) != uri:
                yield f" xmlns{':' + self._prefix(prefix) if prefix else ''}={quoteattr(self._namespace(uri or ''))}"

    def _namespace(self, uri: str) -> str:
        if uri in NAMESPACES or self.pseudonyms.public(uri):
            return uri
        # No parser takes what is no URI, so blank and unseen characters are not brought back here.
        return f"urn:{re.sub(r'[^A-Za-z0-9.-]', '', self.pseudonyms.of(uri, Kind.NAME))}" if uri else ""

    # Values.

    def _attributes(self, element: etree._Element) -> Iterator[tuple[str, str]]:
        prefixes = {uri: prefix for prefix, uri in element.nsmap.items() if prefix}
        for key, value in element.attrib.items():
            name = etree.QName(key)
            prefix = "xml" if name.namespace == _XML else prefixes.get(name.namespace or "")
            local = self._local(name, public_names().attributes)
            yield f"{self._prefix(prefix)}:{local}" if prefix else local, self._value(name, str(value))

    def _value(self, name: etree.QName, value: str) -> str:
        local = name.localname
        if name.text == _XSI_TYPE and (found := _TYPE.fullmatch(value)):
            return f"{self._prefix(found[1])}:{found[2]}"
        if _says_nothing(name, value):
            return value
        if local == "URI" and value.startswith("#"):
            return f"#{self.pseudonyms.of(value[1:], Kind.ID)}"
        if local == "PrefixList":
            return " ".join(part if part == "#default" else self._prefix(part) for part in value.split())
        return self._by_kind(value, _KINDS_OF_ATTRIBUTES.get(local, Kind.TEXT))

    def _by_kind(self, value: str, kind: Kind) -> str:
        if kind is Kind.ATTRIBUTE and public_names().is_word(value):
            return value
        return self.pseudonyms.of(value, kind)

    def _outside(self, text: str | None) -> str:
        """Text between elements: usually the white space of an indentation."""
        return self.pseudonyms.of(text, Kind.TEXT) if text else ""

    def _text(self, element: etree._Element, text: str | None) -> str:
        if not text:
            return ""
        if element.tag == names.X509_CERTIFICATE:
            return escape(self._certificate(text))
        if element.tag in _BYTES:
            return escape(self._bytes(element, text))
        if element.tag == names.STATUS_MESSAGE:
            return escape(status_message(text, self.pseudonyms))
        return escape(self.pseudonyms.of(text, _KINDS_OF_TEXTS.get(element.tag, Kind.TEXT)))

    # Bytes that nobody reads: what they are, and what became of them.

    def _bytes(self, element: etree._Element, text: str) -> str:
        what, data = _BYTES[element.tag], _decoded(text)
        size = f"{len(text)} characters that are not base64" if data is None else f"{len(data)} bytes"
        if element.tag != names.SIGNATURE_VALUE:
            return f"[{what}, {size}]"
        return f"[{what}, {size}, {'not verified' if self.seals.verified_by is None else 'verified'}]"

    def _certificate(self, text: str) -> str:
        data = _decoded(text)
        try:
            certificate = None if data is None else stored_certificate.__wrapped__(data)
        except CertificateError:
            certificate = None
        if certificate is None:
            return f"[certificate that cannot be read, {len(text)} characters]"
        return f"[certificate: {described_certificate(certificate, self.seals)}]"


def _says_nothing(name: etree.QName, value: str) -> bool:
    """Whether this is a time, a version, a small number or a language, where one belongs."""
    if name.namespace == _XML:
        return _LANGUAGE.fullmatch(value) is not None
    shape = _TIME if name.localname in _TIMES else _SMALL if name.localname in _SMALL_VALUES else None
    return shape is not None and shape.fullmatch(value) is not None


def status_message(text: str, pseudonyms: Pseudonyms) -> str:
    """A sentence of the identity provider's may name anybody; of it only Microsoft's codes stay."""
    codes = dict.fromkeys(_CODE.findall(text))
    found = ": ".join((*codes, pseudonyms.of(text, Kind.TEXT).strip()))
    pseudonyms.let(text.strip(), found)
    return found


def described_certificate(certificate: IdpCertificate, seals: Seals) -> str:
    """Its key, the beginning of its fingerprint, how long it holds, and what it was to this message."""
    role = "trusted by the account" if certificate in seals.trusted else "not trusted"
    verified = ", verified this message" if certificate == seals.verified_by else ""
    validity = f"valid {written(certificate.not_before)} to {written(certificate.not_after)}"
    return f"{certificate.key}, SHA-256 {short_fingerprint(certificate)}, {validity}, {role}{verified}"


def short_fingerprint(certificate: IdpCertificate) -> str:
    """The first hexadecimal digits: enough to recognize a certificate that one has."""
    return f"{certificate.fingerprint[: _SHOWN_FINGERPRINT * 3 // 2 - 1]}…"


def _decoded(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64("".join(text.split()).encode("ascii"), strict_mode=True)
    except ValueError:
        return None


def possible_values(xml: bytes, among: str) -> tuple[str, ...]:
    """What could be a value in bytes that cannot be parsed, and stands in `among`: whatever is between marks."""
    text = xml.decode("utf-8", "replace")
    found = dict.fromkeys(piece.strip() for piece in re.split(r"[<>\"'=\s]", text))
    return tuple(piece for piece in found if len(piece) > 1 and piece in among)
