"""Keys that nobody trusts and signatures that arithmetic makes (SIG-16 to SIG-29, DSG-43 to DSG-46).

Owns the cases as data. Never runs them.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from typing import Any

from cast import ENTITY_ID, MALLORY, NOW
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from responses import Idp, Mutation, all_of, one, private_key, with_attribute, with_text
from saml.attacks.signatures import (
    DIGEST,
    IDP,
    MALLORY_IDP,
    SIGNATURE,
    VALUE,
    flip,
    foreign_key_info,
    genuine_key,
    resign,
    sealed,
)
from saml.cases import Case
from saml.one_flaw import NAME_ID

from sp.saml import names
from sp.saml.certificates import IdpCertificate, stored_certificate
from sp.saml.xml import canonical

# Certificates of one authority.


def certificate_of(key: rsa.RSAPrivateKey, signer: rsa.RSAPrivateKey, subject: str, *, ca: bool = False) -> bytes:
    """A certificate in DER that `signer`, an authority, issued."""
    names_of = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, "Shared CA")]
    builder = x509.CertificateBuilder().subject_name(names_of[0]).issuer_name(names_of[1]).serial_number(99)
    builder = builder.not_valid_before(NOW.replace(year=2029)).not_valid_after(NOW.replace(year=2040))
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.public_key(key.public_key()).sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def rsa_key(name: str) -> rsa.RSAPrivateKey:
    key = private_key(name)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("keys of this kind are RSA keys")
    return key


AUTHORITY = certificate_of(rsa_key("authority"), rsa_key("authority"), "Shared CA", ca=True)
GENUINE_LEAF = certificate_of(genuine_key(), rsa_key("authority"), "Contoso")
EVIL_LEAF = certificate_of(rsa_key("mallory"), rsa_key("authority"), "Contoso")


def chained(signer: Idp) -> Idp:
    return signer.with_key("mallory")


# Signatures by arithmetic: what a lax reader of PKCS#1 v1.5 takes for a signature (RFC 8017, 9.2).

SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
SHA512_INFO = bytes.fromhex("3051300d060960864801650304020305000440")


def digest_of_signed_info(signature: etree._Element) -> bytes:
    return hashlib.sha256(canonical(one(signature, "ds:SignedInfo"))).digest()


def padded(info: bytes, *, kind: bytes = b"\x00\x01", fill: bytes = b"\xff", garbage: int = 0) -> bytes:
    """An encoded message of 256 bytes that ends in `info` or in garbage behind it."""
    length = 256 - len(kind) - 1 - len(info) - garbage
    return kind + fill * length + b"\x00" + info + b"\xaa" * garbage


def raw(encoded: bytes, key: rsa.RSAPrivateKey) -> bytes:
    """What the holder of the key gets from these bytes, whatever they mean."""
    numbers = key.private_numbers()
    return pow(int.from_bytes(encoded), numbers.d, numbers.public_numbers.n).to_bytes(256)


def forged(encode: Callable[[bytes], bytes]) -> dict[str, Any]:
    """A value that the genuine key makes of what `encode` makes of the digest of SignedInfo."""

    def mutate(root: etree._Element) -> None:
        encoded = encode(digest_of_signed_info(one(root, SIGNATURE)))
        one(root, VALUE).text = base64.b64encode(raw(encoded, genuine_key())).decode()

    return sealed(mutate)


def cube_root(number: int) -> int:
    """The least number whose cube is at least `number`."""
    low, high = 0, 1 << (number.bit_length() // 3 + 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**3 < number else (low, middle)
    return low


def without_a_private_key(root: etree._Element) -> None:
    """Bleichenbacher's forgery of 2006: with the exponent 3 a cube root is a signature if garbage may follow."""
    one(root, NAME_ID).text = MALLORY.email
    signature = one(root, SIGNATURE)
    refresh_digest(root)
    info = SHA256_INFO + digest_of_signed_info(signature)
    head = b"\x00\x01" + b"\xff" * 8 + b"\x00" + info
    value = cube_root(int.from_bytes(head + bytes(256 - len(head))))
    if not (value**3).to_bytes(256).startswith(head):
        raise ArithmeticError("this is no forgery")
    one(root, VALUE).text = base64.b64encode(value.to_bytes(256)).decode()


def refresh_digest(root: etree._Element) -> None:
    """The digest of the Assertion as it now stands, so that only the value is forged."""
    bare = etree.fromstring(etree.tostring(one(root, "saml:Assertion")))
    bare.remove(one(bare, "ds:Signature"))
    one(root, DIGEST).text = base64.b64encode(hashlib.sha256(canonical(bare)).digest()).decode()


@lru_cache(maxsize=4)
def weak_certificate(exponent: int, bits: int) -> IdpCertificate:
    key = rsa.generate_private_key(exponent, bits)
    return stored_certificate(certificate_of(key, rsa_key("authority"), "weak"))


KEY = ("signing_key",)
VALUE_FAILS = ("signature",)

KEYS = (
    Case(
        "SIG-16",
        "another leaf of the same authority, with the chain in KeyInfo",
        KEY,
        account={"certificates": (stored_certificate(GENUINE_LEAF),)},
        flaw=sealed(foreign_key_info(EVIL_LEAF, AUTHORITY)),
        flaw_signer=chained,
    ),
    Case(
        "SIG-16 pinned",
        "a leaf of an authority whose own certificate is configured",
        KEY,
        flaw_account={"certificates": (stored_certificate(AUTHORITY),)},
        flaw=sealed(foreign_key_info(GENUINE_LEAF, AUTHORITY)),
    ),
    Case(
        "SIG-26",
        "the provider's own encryption key, which is not configured to sign",
        KEY,
        flaw_signer=lambda idp: idp.with_key("encryption"),
    ),
    Case(
        "SIG-29",
        "this service's own key and entity ID, in an account that trusts both",
        ("issuer",),
        flaw_signer=lambda _: Idp.make(ENTITY_ID),
        flaw_account={"issuer": ENTITY_ID, "certificates": (Idp.make(ENTITY_ID).certificate,)},
    ),
    Case(
        "DSG-43",
        "a configured RSA key of 1024 bits",
        KEY,
        flaw_signer=lambda idp: idp.with_key("weak", "rsa-1024"),
        flaw_account={"certificates": (IDP.with_key("weak", "rsa-1024").certificate,)},
    ),
    Case(
        "DSG-43 cube",
        "a cube root in place of a signature, with the exponent 3 configured",
        KEY,
        flaw=sealed(without_a_private_key),
        flaw_account={"certificates": (weak_certificate(3, 2048),)},
    ),
    Case(
        "DSG-43 cube other",
        "the same where the configured key has a safe exponent",
        VALUE_FAILS,
        flaw=sealed(without_a_private_key),
    ),
)

PADDING = (
    Case("DSG-44 genuine", "the padding as it must be", flaw=forged(lambda digest: padded(SHA256_INFO + digest))),
    Case(
        "DSG-44",
        "garbage behind the digest",
        VALUE_FAILS,
        flaw=forged(lambda digest: padded(SHA256_INFO + digest, garbage=100)),
    ),
    Case(
        "DSG-44 byte",
        "one byte of garbage",
        VALUE_FAILS,
        flaw=forged(lambda digest: padded(SHA256_INFO + digest, garbage=1)),
    ),
    Case(
        "DSG-44 kind",
        "the padding of an encryption",
        VALUE_FAILS,
        flaw=forged(lambda digest: padded(SHA256_INFO + digest, kind=b"\x00\x02")),
    ),
    Case(
        "DSG-44 fill",
        "a padding of other bytes",
        VALUE_FAILS,
        flaw=forged(lambda digest: padded(SHA256_INFO + digest, fill=b"\xfe")),
    ),
    Case(
        "DSG-44 other",
        "the name of another digest",
        VALUE_FAILS,
        flaw=forged(lambda digest: padded(SHA512_INFO + digest)),
    ),
    Case(
        "DSG-44 short",
        "half of the digest",
        VALUE_FAILS,
        flaw=forged(lambda digest: padded(SHA256_INFO + digest[:16])),
    ),
    Case("DSG-44 bare", "the digest alone", VALUE_FAILS, flaw=forged(padded)),
    Case(
        "DSG-44 parameters",
        "parameters in the name of the digest",
        VALUE_FAILS,
        flaw=forged(lambda digest: padded(bytes.fromhex("3033300f060960864801650304020105020101" + "0420") + digest)),
    ),
    Case("DSG-44 one", "a value of 1", VALUE_FAILS, flaw=forged(lambda _: (1).to_bytes(256))),
    Case("DSG-44 zero", "a value of 0", VALUE_FAILS, flaw=forged(lambda _: bytes(256))),
    Case(
        "DSG-44 larger",
        "a value larger than the modulus",
        VALUE_FAILS,
        flaw=sealed(with_text(VALUE, base64.b64encode(b"\xff" * 256).decode())),
    ),
    Case(
        "DSG-44 longer",
        "a zero in front of the value",
        VALUE_FAILS,
        flaw=sealed(lambda root: _in_front(root, b"\x00")),
    ),
)


def _in_front(root: etree._Element, prefix: bytes) -> None:
    value = one(root, VALUE)
    value.text = base64.b64encode(prefix + base64.b64decode(value.text or "")).decode()


# Vectors of our own: every accepted algorithm, with each of the damages that the public collections show.


def reformat_signed_info(root: etree._Element) -> None:
    """White space in SignedInfo is signed too."""
    one(root, f"{SIGNATURE}/ds:SignedInfo").text = "\n"


def other_digest(root: etree._Element) -> None:
    """The digest that the content would have with another algorithm."""
    digest = one(root, f"{SIGNATURE}//ds:DigestMethod")
    digest.set("Algorithm", names.SHA512 if digest.get("Algorithm") == names.SHA256 else names.SHA256)


DAMAGES: dict[str, Mutation] = {
    "a digest with one bit changed": flip(DIGEST),
    "a value with one bit changed": flip(VALUE),
    "another user": with_text(NAME_ID, MALLORY.email),
    "an attribute more": with_attribute("saml:Assertion/saml:Issuer", "SPProvidedID", "x"),
    "white space in SignedInfo": reformat_signed_info,
    "the name of another digest": other_digest,
    "no value": with_text(VALUE, ""),
    "no digest": with_text(DIGEST, ""),
}
ALGORITHMS = {
    "rsa": ((names.RSA_SHA256, names.SHA256), (names.RSA_SHA384, names.SHA384), (names.RSA_SHA512, names.SHA512)),
    "pss": ((names.PSS_SHA256, names.SHA256), (names.PSS_SHA384, names.SHA384), (names.PSS_SHA512, names.SHA512)),
    "p256": ((names.ECDSA_SHA256, names.SHA256), (names.ECDSA_SHA384, names.SHA384)),
    "p521": ((names.ECDSA_SHA512, names.SHA512),),
}


def vectors() -> Iterator[Case]:
    """One case for each algorithm and damage; the control is signed in the same way."""
    for kind, pairs in ALGORITHMS.items():
        for (method, digest), (number, story) in product(pairs, enumerate(DAMAGES, 1)):
            name = method.rpartition("#")[2]
            yield Case(
                f"DSG-46 {name} {number}",
                f"{name} with {story}",
                VALUE_FAILS,
                kind="rsa" if kind == "pss" else kind,
                given={"method": method, "digest": digest},
                flaw=sealed(DAMAGES[story]),
            )


# Mallory's own signature beside what the honest provider signed.


def resigned_by_mallory(root: etree._Element) -> None:
    """Mallory's value under a KeyInfo that still holds the genuine certificate."""
    one(root, NAME_ID).text = MALLORY.email
    refresh_digest(root)
    resign(one(root, SIGNATURE), rsa_key("mallory"))


MIXED = (
    Case(
        "SIG-14 whole",
        "everything is Mallory's but the certificate in KeyInfo",
        VALUE_FAILS,
        flaw=sealed(resigned_by_mallory),
    ),
    Case(
        "SIG-14 both",
        "the same with both certificates in KeyInfo",
        KEY,
        flaw=sealed(all_of(resigned_by_mallory, foreign_key_info(MALLORY_IDP.certificate_der, IDP.certificate_der))),
    ),
)

CASES = (*KEYS, *PADDING, *vectors(), *MIXED)
