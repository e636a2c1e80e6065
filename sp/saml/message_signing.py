"""Signing an XML message of ours: an enveloped signature, by libxmlsec1 in process.

Owns the one layout that we write (Core 5.4): RSA-SHA256, exclusive canonicalization, the certificate in KeyInfo.
Never verifies, and never signs anything but the root of a document.
"""

from __future__ import annotations

import base64
from xml.sax.saxutils import quoteattr

import xmlsec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree

from sp.saml import names
from sp.saml.errors import SamlError
from sp.saml.own_keys import OwnKey
from sp.saml.xml import parse

_SIGNATURE = """\
<ds:Signature xmlns:ds="{ds}"><ds:SignedInfo>\
<ds:CanonicalizationMethod Algorithm="{exc_c14n}"/>\
<ds:SignatureMethod Algorithm="{method}"/>\
<ds:Reference URI={reference}><ds:Transforms>\
<ds:Transform Algorithm="{enveloped}"/>\
<ds:Transform Algorithm="{exc_c14n}"/></ds:Transforms>\
<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>\
<ds:SignatureValue/>\
<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
</ds:Signature>"""


def signed_message(xml: bytes, key: OwnKey) -> bytes:
    """The document with a signature of its root, right after the Issuer, or as the first child where there is none.

    Raises SamlError for a root without an ID, which no Reference could name, and for bytes that are no XML.
    """
    try:
        root = parse(xml)
    except etree.XMLSyntaxError as error:
        raise SamlError(f"This cannot be signed: it is not well-formed XML ({error.msg}).") from None
    identifier = root.get("ID", "")
    if not identifier:
        raise SamlError("This cannot be signed: its root element has no ID.")
    signature = _empty_signature(identifier, key)
    issuer = root.find(names.ISSUER)
    root.insert(0 if issuer is None else root.index(issuer) + 1, signature)
    _sign(root, signature, key)
    return etree.tostring(root, encoding="UTF-8")


def _empty_signature(identifier: str, key: OwnKey) -> etree._Element:
    text = _SIGNATURE.format(
        ds=names.DS,
        exc_c14n=names.EXC_C14N,
        enveloped=names.ENVELOPED,
        method=names.RSA_SHA256,
        digest=names.SHA256,
        reference=quoteattr(f"#{identifier}"),
        certificate=base64.b64encode(key.certificate).decode("ascii"),
    )
    return etree.fromstring(text)


def _sign(root: etree._Element, signature: etree._Element, key: OwnKey) -> None:
    pem = key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)
    try:
        context.register_id(root, "ID")
        context.sign(signature)
    except xmlsec.Error as error:
        raise SamlError(f"This cannot be signed: {error}.") from None
