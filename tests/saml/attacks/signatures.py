"""Missing, foreign, weak and misshapen signatures (SIG and DSG).

Owns the cases as data. Never runs them.
"""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Callable
from typing import Any

import xmlsec
from cast import CONTOSO_ISSUER, FABRIKAM_ISSUER, MALLORY, NOW
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree
from responses import (
    Idp,
    Mutation,
    add_key_info,
    all_of,
    one,
    private_key,
    with_attribute,
    with_child,
    with_text,
    without,
)
from saml.cases import Case
from saml.one_flaw import NAME_ID, bytes_before

from sp.saml import names
from sp.saml.messages import SignedPart
from sp.saml.xml import canonical

IDP = Idp.make()
MALLORY_IDP = IDP.with_key("mallory")

SIGNATURE = "saml:Assertion/ds:Signature"
VALUE = f"{SIGNATURE}/ds:SignatureValue"
DIGEST = f"{SIGNATURE}//ds:DigestValue"
REFERENCE = f"{SIGNATURE}//ds:Reference"
KEY_INFO = f"{SIGNATURE}/ds:KeyInfo"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XPATH2 = "http://www.w3.org/2002/06/xmldsig-filter2"


def sealed(mutation: Mutation) -> dict[str, Any]:
    return {"sealed": mutation}


def shape(mutation: Mutation) -> dict[str, Any]:
    return {"shape": mutation}


def method(uri: str) -> dict[str, Any]:
    """Signed with RSA-SHA256, and said to be signed otherwise."""
    return sealed(with_attribute(f"{SIGNATURE}//ds:SignatureMethod", "Algorithm", uri))


def hmac(secret: bytes, name: str = "hmac-sha256", length: int | None = None) -> dict[str, Any]:
    """Signed with a secret that everybody knows."""
    key = xmlsec.Key.from_binary_data(xmlsec.constants.KeyDataHmac, secret)
    flaw: dict[str, Any] = {"method": (names.DS if name == "hmac-sha1" else MORE) + name, "key": key}
    if length is not None:
        xml = f"<ds:HMACOutputLength>{length}</ds:HMACOutputLength>"
        flaw["sealed"] = with_child(f"{SIGNATURE}//ds:SignatureMethod", xml)
    return flaw


def resign(signature: etree._Element, key: rsa.RSAPrivateKey) -> None:
    """Sign SignedInfo as it stands, whatever the digest in it says."""
    value = key.sign(canonical(one(signature, "ds:SignedInfo")), padding.PKCS1v15(), hashes.SHA256())
    one(signature, "ds:SignatureValue").text = base64.b64encode(value).decode()


def genuine_key() -> rsa.RSAPrivateKey:
    key = private_key(CONTOSO_ISSUER)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the cast's provider signs with RSA")
    return key


def resign_with_genuine_key(root: etree._Element) -> None:
    resign(one(root, SIGNATURE), genuine_key())


def digest_of_nothing(root: etree._Element) -> None:
    """A genuine signature over the digest of nothing, around content that has no canonical form."""
    one(root, DIGEST).text = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    resign_with_genuine_key(root)


def relative_namespace(xml: bytes) -> bytes:
    return xml.replace(b"<saml:Subject>", b'<saml:Subject xmlns:z="relative">', 1)


def transforms(*algorithms: str) -> Mutation:
    def mutate(signature: etree._Element) -> None:
        parent = one(signature, ".//ds:Transforms")
        for child in list(parent):
            parent.remove(child)
        for algorithm in algorithms:
            etree.SubElement(parent, names.TRANSFORM).set("Algorithm", algorithm)

    return mutate


def transform_with(algorithm: str, xml: str) -> Mutation:
    """A third transform that would run code or choose what is signed."""
    path = f"{SIGNATURE}//ds:Transforms"
    return with_child(path, f'<ds:Transform Algorithm="{algorithm}">{xml}</ds:Transform>')


def prefix_list(text: str, path: str = ".//ds:Transform[2]") -> Mutation:
    xml = f'<ec:InclusiveNamespaces xmlns:ec="{names.EXC_C14N}" PrefixList="{text}"/>'
    return with_child(path, xml)


def twice(path: str) -> Mutation:
    def mutate(root: etree._Element) -> None:
        element = one(root, path)
        element.addnext(copy.deepcopy(element))

    return mutate


def cloned_certificate() -> bytes:
    """Mallory's key under the names and number of the genuine certificate."""
    genuine = IDP.x509_certificate
    key = private_key("mallory")
    builder = x509.CertificateBuilder().subject_name(genuine.subject).issuer_name(genuine.issuer)
    builder = builder.serial_number(genuine.serial_number).not_valid_before(NOW).not_valid_after(NOW.replace(year=2040))
    clone = builder.public_key(key.public_key()).sign(key, hashes.SHA256())
    return clone.public_bytes(serialization.Encoding.DER)


def public_pem() -> bytes:
    return (
        genuine_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def ecdsa_value(change: Callable[[bytes], bytes]) -> Mutation:
    def mutate(root: etree._Element) -> None:
        value = one(root, VALUE)
        value.text = base64.b64encode(change(base64.b64decode(value.text or ""))).decode()

    return mutate


def in_der(value: bytes) -> bytes:
    half = len(value) // 2
    r, s = int.from_bytes(value[:half]), int.from_bytes(value[half:])
    return encode_dss_signature(r, s)


def flipped(text: str | None) -> str:
    value = bytearray(base64.b64decode(text or ""))
    value[5] ^= 1
    return base64.b64encode(value).decode()


def flip(path: str) -> Mutation:
    def mutate(root: etree._Element) -> None:
        one(root, path).text = flipped(one(root, path).text)

    return mutate


def foreign_key_info(*certificates: bytes) -> Mutation:
    def mutate(root: etree._Element) -> None:
        signature = one(root, SIGNATURE)
        signature.remove(one(signature, "ds:KeyInfo"))
        add_key_info(signature, certificates)

    return mutate


def three_signatures(root: etree._Element) -> None:
    signature = copy.deepcopy(one(root, SIGNATURE))
    advice = "<saml:Advice><saml:AssertionIDRef>_x</saml:AssertionIDRef></saml:Advice>"
    with_child("saml:Assertion", advice, 4)(root)
    with_child(".", "<samlp:Extensions><x xmlns='u:x'/></samlp:Extensions>", 1)(root)
    one(root, "samlp:Extensions")[0].append(signature)


def wrapped_signed_info(root: etree._Element) -> None:
    signature = one(root, SIGNATURE)
    inner = one(signature, "ds:SignedInfo")
    wrapper = etree.Element("{u:x}wrapper")
    signature.replace(inner, wrapper)
    wrapper.append(inner)


STRUCTURE = ("signature_structure",)
ALGORITHMS = ("signature_algorithms",)

PRESENCE = (
    Case("SIG-01", "nothing is signed", ("signature_present",), flaw={"signed": None}),
    Case("SIG-02", "the Assertion's signature is stripped", ("signature_present",), flaw=sealed(without(SIGNATURE))),
    Case(
        "SIG-03",
        "the Response's signature is stripped where it is asked for",
        ("signature_present",),
        given={"signed": "both"},
        account={"signed_part": SignedPart.RESPONSE},
        flaw=sealed(without("ds:Signature")),
    ),
    Case(
        "SIG-04",
        "only the Response is signed where the Assertion is asked for",
        ("signature_present",),
        account={"signed_part": SignedPart.ASSERTION},
        flaw={"signed": "response"},
    ),
    Case("SIG-07", "no SignatureValue", ("schema",), flaw=sealed(without(VALUE))),
    Case("SIG-08 flipped", "one bit of the value differs", ("signature",), flaw=sealed(flip(VALUE))),
    Case("SIG-08 cut", "the value is cut short", ("signature",), flaw=sealed(with_text(VALUE, "AAAA"))),
    Case("SIG-08 empty", "the value is empty", ("signature",), flaw=sealed(with_text(VALUE, ""))),
    Case("SIG-08 text", "the value is no base64", ("signature",), flaw=sealed(with_text(VALUE, "!"))),
    Case("SIG-09", "an empty Signature", ("schema",), flaw=sealed(all_of(*[without(f"{SIGNATURE}/*")] * 3))),
    Case(
        "SIG-10",
        "a Signature of no namespace",
        ("schema",),
        flaw=bytes_before(b'xmlns:ds="' + names.DS.encode(), b'xmlns:ds="u:x'),
    ),
    Case("SIG-11", "the NameID is changed", ("signature",), flaw=sealed(with_text(NAME_ID, MALLORY.email))),
    Case(
        "SIG-11 both",
        "changed under two signatures",
        ("signature",),
        flaw={"signed": "both", **sealed(with_text(NAME_ID, MALLORY.email))},
    ),
    Case(
        "SIG-11 response",
        "changed under the Response's signature",
        ("signature",),
        flaw={"signed": "response", **sealed(with_text(NAME_ID, MALLORY.email))},
    ),
    Case(
        "M9",
        "the Response's signature is broken and the Assertion's holds",
        ("signature",),
        given={"signed": "both"},
        flaw=sealed(flip("ds:Signature/ds:SignatureValue")),
    ),
    Case(
        "M9 content",
        "the Response is changed around a genuine Assertion",
        ("signature",),
        given={"signed": "both"},
        flaw=sealed(with_attribute(".", "Consent", "urn:x")),
    ),
)

KEYS = (
    Case(
        "SIG-13",
        "Mallory's key and Mallory's certificate",
        ("signing_key",),
        flaw_signer=lambda idp: idp.with_key("mallory"),
    ),
    Case(
        "SIG-14",
        "Mallory's key and the genuine certificate",
        ("signature",),
        flaw={"key_info": (IDP.certificate_der,)},
        flaw_signer=lambda idp: idp.with_key("mallory"),
    ),
    Case(
        "SIG-13 both",
        "Mallory's key and both certificates",
        ("signing_key",),
        flaw={"key_info": (IDP.certificate_der, MALLORY_IDP.certificate_der)},
        flaw_signer=lambda idp: idp.with_key("mallory"),
    ),
    Case(
        "SIG-13 none",
        "Mallory's key and no certificate",
        ("signing_key",),
        flaw={"key_info": ()},
        flaw_signer=lambda idp: idp.with_key("mallory"),
    ),
    Case("SIG-13 EC", "Mallory's EC key", ("signing_key",), flaw_signer=lambda idp: idp.with_key("mallory", "p256")),
    Case(
        "SIG-15",
        "a clone of the certificate with Mallory's key",
        ("signing_key",),
        flaw={"key_info": (cloned_certificate(),)},
        flaw_signer=lambda idp: idp.with_key("mallory"),
    ),
    Case("SIG-17", "KeyInfo is left out", flaw={"key_info": ()}),
    Case("SIG-17 foreign", "KeyInfo says something else", flaw=sealed(foreign_key_info(MALLORY_IDP.certificate_der))),
    Case(
        "SIG-20", "KeyInfo with a thousand damaged certificates", flaw=sealed(foreign_key_info(*[b"\x30\x80"] * 1000))
    ),
    Case(
        "SIG-20 failing",
        "the same, and Mallory's key",
        ("signing_key",),
        flaw=sealed(foreign_key_info(*[b"\x30\x80"] * 1000)),
        flaw_signer=lambda idp: idp.with_key("mallory"),
    ),
    Case("SIG-25", "an unknown Issuer", ("issuer",), flaw_signer=lambda _: Idp.make(FABRIKAM_ISSUER)),
    Case("SIG-27", "a retired key", ("signing_key",), flaw_account={"certificates": (MALLORY_IDP.certificate,)}),
    Case("SIG-28", "a second configured key", account={"certificates": (MALLORY_IDP.certificate, IDP.certificate)}),
    Case(
        "M9 two keys",
        "the Response is signed by Mallory around a genuine Assertion",
        ("signing_key",),
        flaw=sealed(MALLORY_IDP.sign),
    ),
)

ALGORITHM = (
    Case("SIG-21 PEM", "HMAC keyed with the public key", ALGORITHMS, flaw=hmac(public_pem())),
    Case("SIG-21 certificate", "HMAC keyed with the certificate", ALGORITHMS, flaw=hmac(IDP.certificate_pem)),
    Case("SIG-21 DER", "HMAC keyed with the certificate's bytes", ALGORITHMS, flaw=hmac(IDP.certificate_der)),
    Case(
        "SIG-21 SHA-1",
        "HMAC-SHA1 where SHA-1 is allowed",
        ALGORITHMS,
        account={"allow_sha1": True},
        flaw=hmac(public_pem(), "hmac-sha1"),
    ),
    Case("SIG-22", "HMAC of no bits", ALGORITHMS, flaw=hmac(b"x", length=0)),
    Case("SIG-22 8", "HMAC of eight bits", ALGORITHMS, flaw=hmac(b"x", length=8)),
    Case("SIG-23", "HMAC keyed with a known word", ALGORITHMS, flaw=hmac(b"secret")),
    Case("DSG-34", "RSA-SHA1", ALGORITHMS, flaw={"method": names.RSA_SHA1, "digest": names.SHA1}),
    Case(
        "DSG-34 allowed",
        "RSA-SHA1 with the account's leave",
        account={"allow_sha1": True},
        flaw={"method": names.RSA_SHA1, "digest": names.SHA1},
        warnings=("signature_algorithms",),
    ),
    Case("DSG-35", "RSA-MD5", ALGORITHMS, account={"allow_sha1": True}, flaw=method(MORE + "rsa-md5")),
    Case("DSG-36", "RIPEMD-160", ALGORITHMS, account={"allow_sha1": True}, flaw=method(MORE + "rsa-ripemd160")),
    Case("DSG-37", "RSA-SHA256 over a SHA-1 digest", ALGORITHMS, flaw={"digest": names.SHA1}),
    Case("DSG-38", "DSA", ALGORITHMS, account={"allow_sha1": True}, flaw=method(names.DS + "dsa-sha1")),
    Case("DSG-38 ECDSA", "ECDSA-SHA1", ALGORITHMS, kind="p256", flaw={"method": names.ECDSA_SHA1}),
    Case("DSG-39", "ECDSA with P-256", kind="p256"),
    Case("DSG-39 384", "ECDSA with P-384", kind="p384", flaw={"method": names.ECDSA_SHA384, "digest": names.SHA384}),
    Case("DSG-39 521", "ECDSA with P-521", kind="p521", flaw={"method": names.ECDSA_SHA512, "digest": names.SHA512}),
    Case("DSG-40 DER", "an ECDSA value in DER", ("signature",), kind="p256", flaw=sealed(ecdsa_value(in_der))),
    Case(
        "DSG-40 zero",
        "an ECDSA value of zeros",
        ("signature",),
        kind="p256",
        flaw=sealed(ecdsa_value(lambda value: bytes(len(value)))),
    ),
    Case(
        "DSG-40 odd",
        "an ECDSA value of odd length",
        ("signature",),
        kind="p256",
        flaw=sealed(ecdsa_value(lambda value: value + b"x")),
    ),
    Case(
        "DSG-40 empty",
        "an ECDSA value of nothing",
        ("signature",),
        kind="p256",
        flaw=sealed(ecdsa_value(lambda _: b"")),
    ),
    Case("DSG-41", "RSA-PSS", flaw={"method": names.PSS_SHA256}),
    Case(
        "DSG-41 changed",
        "RSA-PSS over changed content",
        ("signature",),
        flaw={"method": names.PSS_SHA256, **sealed(with_text(NAME_ID, MALLORY.email))},
    ),
    Case("DSG-42 space", "an algorithm with a space", ALGORITHMS, flaw=method(names.RSA_SHA256 + " ")),
    Case("DSG-42 case", "an algorithm in capitals", ALGORITHMS, flaw=method(names.RSA_SHA256.upper())),
    Case("DSG-42 unknown", "an algorithm that does not exist", ALGORITHMS, flaw=method("urn:madeup")),
    Case("DSG-42 empty", "no algorithm", ALGORITHMS, flaw=method("")),
    Case("POS-05 384", "RSA-SHA384", flaw={"method": names.RSA_SHA384, "digest": names.SHA384}),
    Case("POS-05 512", "RSA-SHA512", flaw={"method": names.RSA_SHA512, "digest": names.SHA512}),
    Case("POS-05 mixed", "an EC key said to be RSA", ("signature",), kind="p256", flaw=method(names.RSA_SHA256)),
)

LAYOUT = (
    Case("DSG-01", "no Reference", ("schema",), flaw=sealed(without(REFERENCE))),
    Case("DSG-02", "two References", STRUCTURE, flaw=sealed(twice(REFERENCE))),
    Case("DSG-04", "no URI", STRUCTURE, flaw=sealed(with_attribute(REFERENCE, "URI", None))),
    Case("DSG-04 empty", "the whole document", STRUCTURE, flaw=sealed(with_attribute(REFERENCE, "URI", ""))),
    Case("DSG-05", "an XPointer", STRUCTURE, flaw=sealed(with_attribute(REFERENCE, "URI", "#xpointer(/)"))),
    Case(
        "DSG-05 id",
        "an XPointer to the ID",
        STRUCTURE,
        given={"assertion_id": "_x"},
        flaw={"assertion_id": "_x", **sealed(with_attribute(REFERENCE, "URI", "#xpointer(id('_x'))"))},
    ),
    Case("DSG-06 file", "a file", STRUCTURE, flaw=sealed(with_attribute(REFERENCE, "URI", "file:///etc/hostname"))),
    Case(
        "DSG-06 http", "a web address", STRUCTURE, flaw=sealed(with_attribute(REFERENCE, "URI", "http://127.0.0.1:9/"))
    ),
    Case(
        "DSG-07",
        "the ID in capitals",
        STRUCTURE,
        given={"assertion_id": "_a1"},
        flaw={"assertion_id": "_a1", **sealed(with_attribute(REFERENCE, "URI", "#_A1"))},
    ),
    Case(
        "DSG-07 percent",
        "the ID percent-encoded",
        STRUCTURE,
        given={"assertion_id": "_a1"},
        flaw=sealed(with_attribute(REFERENCE, "URI", "#%5Fa1")),
    ),
    Case(
        "DSG-08", "the signed element has no ID", ("schema",), flaw=sealed(with_attribute("saml:Assertion", "ID", None))
    ),
    Case("DSG-10", "no canonicalization transform", STRUCTURE, flaw=shape(transforms(names.ENVELOPED))),
    Case("DSG-11", "not enveloped", STRUCTURE, flaw=sealed(without(f"{REFERENCE}//ds:Transform"))),
    Case(
        "DSG-12", "three transforms", STRUCTURE, flaw=shape(transforms(names.ENVELOPED, names.EXC_C14N, names.EXC_C14N))
    ),
    Case(
        "DSG-12 many",
        "a thousand transforms",
        STRUCTURE,
        flaw=sealed(transforms(*[names.ENVELOPED] * 1000)),
    ),
    Case("DSG-13", "enveloped twice", STRUCTURE, flaw=shape(transforms(names.ENVELOPED, names.ENVELOPED))),
    Case("DSG-14", "XSLT", STRUCTURE, flaw=sealed(transform_with(XSLT, "<x xmlns='u:x'/>"))),
    Case(
        "DSG-15",
        "something in the enveloped transform",
        STRUCTURE,
        flaw=sealed(with_child(f"{REFERENCE}//ds:Transform", "<x xmlns='u:x'/>")),
    ),
    Case("DSG-16", "XPath", STRUCTURE, flaw=sealed(transform_with(XPATH, "<ds:XPath>not(self::*)</ds:XPath>"))),
    Case("DSG-16 filter", "XPath Filter 2", STRUCTURE, flaw=sealed(transform_with(XPATH2, "<x xmlns='u:x'/>"))),
    Case("DSG-17", "a base64 transform", STRUCTURE, flaw=sealed(transforms(names.ENVELOPED, names.DS + "base64"))),
    Case(
        "DSG-19", "with comments", STRUCTURE, flaw=shape(transforms(names.ENVELOPED, names.EXC_C14N + "WithComments"))
    ),
    Case(
        "DSG-19 method",
        "SignedInfo with comments",
        STRUCTURE,
        flaw=shape(with_attribute(".//ds:CanonicalizationMethod", "Algorithm", names.EXC_C14N + "WithComments")),
    ),
    Case("DSG-20", "inclusive canonicalization", STRUCTURE, flaw=shape(transforms(names.ENVELOPED, C14N))),
    Case(
        "DSG-20 1.1",
        "inclusive canonicalization 1.1",
        STRUCTURE,
        flaw=shape(transforms(names.ENVELOPED, "http://www.w3.org/2006/12/xml-c14n11")),
    ),
    Case(
        "DSG-22",
        "another canonicalization for SignedInfo than for the content",
        STRUCTURE,
        flaw=shape(with_attribute(".//ds:CanonicalizationMethod", "Algorithm", C14N)),
    ),
    Case("DSG-23", "a short PrefixList", flaw=shape(prefix_list("saml ds xs xsi"))),
    Case("DSG-23 default", "a PrefixList with #default", flaw=shape(prefix_list("#default saml"))),
    Case(
        "DSG-23 method", "a PrefixList for SignedInfo", flaw=shape(prefix_list("saml", ".//ds:CanonicalizationMethod"))
    ),
    Case(
        "DSG-23 long", "a PrefixList of 65", STRUCTURE, flaw=shape(prefix_list(" ".join(f"p{at}" for at in range(65))))
    ),
    Case(
        "DSG-23 two",
        "two PrefixLists",
        STRUCTURE,
        flaw=sealed(all_of(*[prefix_list("saml", f"{SIGNATURE}//ds:Transform[2]")] * 2)),
    ),
    Case("DSG-24", "a relative namespace in the signed element", ("signature",), flaw={"tamper": relative_namespace}),
    Case("DSG-25", "the digest of nothing", ("signature",), flaw=sealed(digest_of_nothing)),
    Case(
        "DSG-24 and 25",
        "the digest of nothing over no canonical form",
        ("signature",),
        flaw={**sealed(digest_of_nothing), "tamper": relative_namespace},
    ),
    Case(
        "DSG-26",
        "a comment in DigestValue",
        ("no_comments",),
        flaw=bytes_before(b"<ds:DigestValue>", b"<ds:DigestValue><!-- -->"),
    ),
    Case("DSG-28", "two SignedInfo", ("schema",), flaw=sealed(twice(f"{SIGNATURE}/ds:SignedInfo"))),
    Case("DSG-29", "SignedInfo in something else", ("schema",), flaw=sealed(wrapped_signed_info)),
    Case("DSG-30 value", "two DigestValue", ("schema",), flaw=sealed(twice(DIGEST))),
    Case("DSG-30 digest", "two DigestMethod", ("schema",), flaw=sealed(twice(f"{SIGNATURE}//ds:DigestMethod"))),
    Case("DSG-30 method", "two SignatureMethod", ("schema",), flaw=sealed(twice(f"{SIGNATURE}//ds:SignatureMethod"))),
    Case("DSG-31", "two SignatureValue", ("schema",), flaw=sealed(twice(VALUE))),
    Case("DSG-32", "an Object", STRUCTURE, flaw=sealed(with_child(SIGNATURE, "<ds:Object/>"))),
    Case(
        "DSG-32 full",
        "an Object with a manifest",
        STRUCTURE,
        flaw=sealed(with_child(SIGNATURE, "<ds:Object><x xmlns='u:x'/></ds:Object>")),
    ),
    Case("DSG-50", "a Signature in Extensions", STRUCTURE, flaw=sealed(three_signatures)),
    Case(
        "DSG-51",
        "a DigestMethod with content",
        STRUCTURE,
        flaw=sealed(with_child(f"{SIGNATURE}//ds:DigestMethod", "<x xmlns='u:x'/>")),
    ),
    Case(
        "DSG-52",
        "the digest of other content, genuinely signed",
        ("signature",),
        flaw=sealed(all_of(flip(DIGEST), resign_with_genuine_key)),
    ),
)

CASES = (*PRESENCE, *KEYS, *ALGORITHM, *LAYOUT)
