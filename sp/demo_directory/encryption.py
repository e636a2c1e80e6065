"""Owns the encryption of an assertion for the service it goes to, with the algorithms that Azure AD uses.

Never decides whom an assertion is for, and never opens one.
"""

import base64
import binascii

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree
from saml2 import saml, xmldsig, xmlenc

CONTENT = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
RSA_OAEP = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
RSA_1_5 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"
_MAXIMUM = 64 * 1024
_KEY_BITS = 256

_TEMPLATE = f"""\
<xenc:EncryptedData xmlns:xenc="{xmlenc.NAMESPACE}" xmlns:ds="{xmldsig.NAMESPACE}" Type="{xmlenc.NAMESPACE}Element">\
<xenc:EncryptionMethod Algorithm="{CONTENT}"/><ds:KeyInfo><xenc:EncryptedKey>\
<xenc:EncryptionMethod Algorithm="{{transport}}"/>\
<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{{certificate}}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>\
<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>"""


class UnusableCertificateError(ValueError):
    """What was given is no certificate that a key can be encrypted for; the text is one sentence."""


def read_certificate(content: bytes) -> x509.Certificate:
    """A certificate with an RSA key, as PEM, DER or bare base64. Raises UnusableCertificateError."""
    if not content.strip() or len(content) > _MAXIMUM:
        raise UnusableCertificateError("Choose the service's encryption certificate first: a file of at most 64 KiB.")
    try:
        certificate = _parsed(content)
    except ValueError:
        raise UnusableCertificateError("This is not a certificate: choose a .cer, .crt or .pem file.") from None
    if not isinstance(certificate.public_key(), rsa.RSAPublicKey):
        raise UnusableCertificateError("The certificate has no RSA key, and tokens are encrypted for RSA keys only.")
    return certificate


def encrypted_for(message: bytes, certificate: x509.Certificate, transport: str = RSA_OAEP) -> bytes:
    """The response with its signed assertion encrypted for the key of `certificate` (Core 2.3.4, 6.2)."""
    response = etree.fromstring(message)
    assertion = response.find(f"{{{saml.NAMESPACE}}}Assertion")
    if assertion is None:
        return message  # a status alone, as for somebody who is not assigned
    text = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    data = etree.fromstring(_TEMPLATE.format(transport=transport, certificate=text))
    _context(certificate).encrypt_binary(data, etree.tostring(assertion, method="c14n", exclusive=True))
    sealed = etree.Element(f"{{{saml.NAMESPACE}}}EncryptedAssertion", nsmap={"saml": saml.NAMESPACE})
    sealed.append(data)
    response.replace(assertion, sealed)
    return etree.tostring(response)


def _context(certificate: x509.Certificate) -> xmlsec.EncryptionContext:
    """A fresh content key for each message, to be carried by the certificate's key."""
    pem = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem))
    context = xmlsec.EncryptionContext(manager)
    context.key = xmlsec.Key.generate(xmlsec.constants.KeyDataAes, _KEY_BITS, xmlsec.constants.KeyDataTypeSession)
    return context


def _parsed(content: bytes) -> x509.Certificate:
    if b"-----BEGIN" in content:
        return x509.load_pem_x509_certificate(content)
    try:
        return x509.load_der_x509_certificate(binascii.a2b_base64(b"".join(content.split()), strict_mode=True))
    except ValueError:
        return x509.load_der_x509_certificate(content)
