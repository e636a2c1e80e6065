"""Encrypting for this service with libxmlsec1, as an identity provider does.

Owns the ciphertexts of the tests, made with another library than the one that opens them. Never opens any.
"""

from __future__ import annotations

import base64
from functools import lru_cache

import xmlsec
from cast import NOW
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree
from quick_start import new_keys
from responses import NS, Mutation, one

from sp.saml import names
from sp.saml.own_keys import OwnKey, make_key

GCM = names.XENC11 + "aes256-gcm"
CBC = names.XENC + "aes256-cbc"
OAEP = names.XENC + "rsa-oaep-mgf1p"
OAEP_11 = names.XENC11 + "rsa-oaep"
MGF_SHA256 = names.XENC11 + "mgf1sha256"

_KEY = """\
<xenc:EncryptedKey xmlns:xenc="{xenc}" xmlns:ds="{ds}"><xenc:EncryptionMethod Algorithm="{transport}">{padding}\
</xenc:EncryptionMethod>{info}<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey>"""
_DATA = """\
<xenc:EncryptedData xmlns:xenc="{xenc}" xmlns:ds="{ds}" Type="{xenc}Element">\
<xenc:EncryptionMethod Algorithm="{data}"/><ds:KeyInfo>{keys}</ds:KeyInfo>\
<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>"""


@lru_cache(maxsize=8)
def own_key(name: str = "ours") -> OwnKey:
    """A key of this service that is the same one for the same name throughout a run."""
    with new_keys():
        return make_key(name, NOW)


def ciphertext(
    plaintext: bytes,
    key: OwnKey,
    *,
    data: str = GCM,
    transport: str = OAEP,
    digest: str = "",
    mask: str = "",
    named: bytes = b"",
    foreign: OwnKey | None = None,
) -> etree._Element:
    """An EncryptedData that holds `plaintext` for `key`.

    `digest` and `mask` go into the EncryptionMethod of the key, `named` is the certificate in its KeyInfo. With
    `foreign` the EncryptedKey of somebody else stands before ours.
    """
    padding = f'<ds:DigestMethod Algorithm="{digest}"/>' if digest else ""
    padding += f'<m:MGF xmlns:m="{names.XENC11}" Algorithm="{mask}"/>' if mask else ""
    x509 = f"<ds:X509Data><ds:X509Certificate>{base64.b64encode(named).decode()}</ds:X509Certificate></ds:X509Data>"
    info = f"<ds:KeyInfo>{x509}</ds:KeyInfo>" if named else ""
    template = _KEY.format(xenc=names.XENC, ds=names.DS, transport=transport, padding=padding, info=info)
    root = etree.fromstring(_DATA.format(xenc=names.XENC, ds=names.DS, data=data, keys=template))
    manager = xmlsec.KeysManager()
    manager.add_key(_public(key))
    context = xmlsec.EncryptionContext(manager)
    bits = int(data.rpartition("#aes")[2][:3])
    context.key = xmlsec.Key.generate(xmlsec.constants.KeyDataAes, bits, xmlsec.constants.KeyDataTypeSession)
    context.encrypt_binary(root, plaintext)
    if foreign is not None:
        other = ciphertext(plaintext, foreign, data=data, transport=transport)
        root[1].insert(0, other[1][0])
    return root


def encrypted(
    key: OwnKey,
    path: str = "saml:Assertion",
    *,
    wrapper: str = names.ENCRYPTED_ASSERTION,
    plaintext: bytes | None = None,
    beside: bool = False,
    data: str = GCM,
    transport: str = OAEP,
    digest: str = "",
    mask: str = "",
    named: bytes = b"",
    foreign: OwnKey | None = None,
) -> Mutation:
    """Replace the element at `path` by its ciphertext; `beside` puts the EncryptedKey beside the data."""

    def mutate(root: etree._Element) -> None:
        element = one(root, path)
        parent = element.getparent()
        if parent is None:
            raise LookupError(path)
        content = etree.tostring(element, method="c14n", exclusive=True) if plaintext is None else plaintext
        made = ciphertext(
            content, key, data=data, transport=transport, digest=digest, mask=mask, named=named, foreign=foreign
        )
        enclosing = etree.Element(wrapper, nsmap={"saml": NS["saml"]})
        enclosing.append(made)
        if beside:
            enclosing.extend(list(made[1]))
            made.remove(made[1])
        parent.replace(element, enclosing)

    return mutate


def _public(key: OwnKey) -> xmlsec.Key:
    pem = key.private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)
