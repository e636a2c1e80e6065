"""Owns the ways to change a response: a tree before its assertion is signed, the bytes afterwards.

Never knows which flaw a change is for. Paths are written with the prefixes samlp, saml and ds.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from saml2 import saml, samlp, xmldsig

from sp.demo_directory.clock import instant
from sp.demo_directory.encryption import RSA_1_5, encrypted_for
from sp.demo_directory.keys import new_key, pem_of, self_signed

Change = Callable[[etree._Element, datetime], object]  # noqa: SLF001  it is the name of the type
Rewrite = Callable[[bytes, datetime], bytes]

_PREFIXES = {"samlp": samlp.NAMESPACE, "saml": saml.NAMESPACE, "ds": xmldsig.NAMESPACE}
_DECLARATIONS = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _PREFIXES.items())


def unchanged(_response: etree._Element, _now: datetime) -> None:
    """A change of nothing."""


def untouched(message: bytes, _now: datetime) -> bytes:
    """A rewriting of nothing."""
    return message


def one(response: etree._Element, path: str) -> etree._Element:
    """The first element at a path. Raises LookupError where there is none: a fault that changes nothing is wrong."""
    found = response.find(path, _PREFIXES)
    if found is None:
        raise LookupError(path)
    return found


def setting(path: str, name: str, value: str) -> Change:
    return lambda response, _now: one(response, path).set(name, value)


def moving(path: str, name: str, by: timedelta) -> Change:
    """Set a time to the present one and `by`."""
    return lambda response, now: one(response, path).set(name, instant(now + by))


def writing(path: str, text: Callable[[str], str]) -> Change:
    """Make an element's text a function of what it was."""

    def change(response: etree._Element, _now: datetime) -> None:
        element = one(response, path)
        element.text = text(element.text or "")

    return change


def without(path: str) -> Change:
    def change(response: etree._Element, _now: datetime) -> None:
        element = one(response, path)
        one(response, f"{path}/..").remove(element)

    return change


def adding(path: str, xml: str, at: int) -> Change:
    """Put an element in at an index among the children."""
    return lambda response, _now: one(response, path).insert(at, element_of(xml))


def each(*changes: Change) -> Change:
    def change(response: etree._Element, now: datetime) -> None:
        for single in changes:
            single(response, now)

    return change


def rewriting(rewrite: Callable[[bytes], bytes]) -> Rewrite:
    """A rewriting that does not depend on the time."""
    return lambda message, _now: rewrite(message)


def replacing(old: bytes, new: bytes) -> Rewrite:
    """Replace the first `old` in the signed message. Raises LookupError where there is none."""

    def rewrite(message: bytes, _now: datetime) -> bytes:
        if old not in message:
            raise LookupError(old)
        return message.replace(old, new, 1)

    return rewrite


def element_of(xml: str) -> etree._Element:
    return etree.fromstring(f"<w {_DECLARATIONS}>{xml}</w>")[0]


def signed_by_a_stranger(message: bytes, now: datetime) -> bytes:
    """Sign the assertion once more with a key that no service trusts; its certificate comes along."""
    response = etree.fromstring(message)
    assertion = one(response, "saml:Assertion")
    signature = one(assertion, "ds:Signature")
    key = _strangers_key()
    one(signature, ".//ds:X509Certificate").text = _base64(self_signed(key, now))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem_of(key), xmlsec.constants.KeyDataFormatPem)
    context.register_id(assertion, "ID")
    context.sign(signature)
    return etree.tostring(response)


def encrypted_for_a_stranger(message: bytes, now: datetime) -> bytes:
    """Encrypt the signed assertion for a key that the service does not have."""
    return encrypted_for(message, self_signed(_strangers_key(), now))


def encrypted_the_old_way(message: bytes, now: datetime) -> bytes:
    """Encrypt the signed assertion with a key that is carried by RSA 1.5."""
    return encrypted_for(message, self_signed(_strangers_key(), now), RSA_1_5)


@cache
def _strangers_key() -> rsa.RSAPrivateKey:
    """The same one for the life of the process: making a key takes a while."""
    return new_key()


def _base64(certificate: x509.Certificate) -> str:
    return "".join(certificate.public_bytes(Encoding.PEM).decode().splitlines()[1:-1])
