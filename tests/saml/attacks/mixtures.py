"""Encrypted assertions, beside plain ones and alone (ENC, RSP-33): refused for what can be seen from outside.

Owns the cases as data. Never runs them, and never encrypts anything: what opens is in `saml.attacks.encrypted`.
"""

from __future__ import annotations

from typing import Any

from cast import FABRIKAM_ISSUER
from lxml import etree
from responses import Mutation, all_of, element_of, one, with_child, with_text, without
from saml.attacks.content import ASSERTION_ISSUER
from saml.cases import Case
from saml.one_flaw import CBC, ENCRYPTED, GCM, OAEP, encrypted

from sp.saml import names

TWO = ("one_assertion",)
WEAK = ("encryption_algorithms",)
CLOSED = ("decryption",)


def beside(*places: int) -> Mutation:
    """An encrypted assertion at each of these places; the plain one stays."""

    def mutate(root: etree._Element) -> None:
        for place in places:
            root.insert(place, element_of(ENCRYPTED.format(data=GCM, key=OAEP)))

    return mutate


def another(root: etree._Element) -> None:
    """A second plain Assertion under an ID of its own."""
    evil = etree.fromstring(etree.tostring(one(root, "saml:Assertion")))
    evil.set("ID", "_second")
    root.append(evil)


def sealed(*mutations: Mutation) -> dict[str, Any]:
    return {"sealed": all_of(*mutations)}


def opened(mutation: Mutation) -> dict[str, Any]:
    """An encrypted assertion that `mutation` changes, in a signed Response."""
    whole = encrypted()
    return {**whole, "mutate": all_of(whole["mutate"], mutation)}


DATA = ".//xenc:EncryptedData"
XENC = {"xenc": names.XENC, "ds": names.DS}


def within(path: str, xml: str | None) -> Mutation:
    """Replace the element at a path, written with xenc and ds, by this one, or take it away."""

    def mutate(root: etree._Element) -> None:
        found = root.find(path, XENC)
        parent = None if found is None else found.getparent()
        if found is None or parent is None:
            raise LookupError(path)
        at = parent.index(found)
        parent.remove(found)
        if xml is not None:
            parent.insert(at, element_of(f"<w xmlns:xenc='{names.XENC}'>{xml}</w>")[0])

    return mutate


KEY = f"{DATA}/ds:KeyInfo/xenc:EncryptedKey"
REFERENCE = (
    "<xenc:CipherData><xenc:CipherReference URI='http://127.0.0.1:9/x'><xenc:Transforms>"
    "<ds:Transform Algorithm='http://www.w3.org/TR/1999/REC-xslt-19991116'/></xenc:Transforms>"
    "</xenc:CipherReference></xenc:CipherData>"
)


def nested(root: etree._Element) -> None:
    """An EncryptedData in the CipherData of another."""
    data = root.find(DATA, XENC)
    if data is None:
        raise LookupError(DATA)
    data[-1][0].append(etree.fromstring(etree.tostring(data)))


MIXED = (
    Case("RSP-33 1+1", "a plain and an encrypted assertion", TWO, flaw=sealed(beside(3))),
    Case("RSP-33 1+2", "a plain one and two encrypted ones", TWO, flaw=sealed(beside(3, 3))),
    Case("RSP-33 2+1", "two plain ones and an encrypted one", TWO, flaw=sealed(another, beside(2))),
    Case(
        "ENC-03",
        "an unsigned plain one before an encrypted one",
        TWO,
        flaw={"signed": None, **sealed(beside(3))},
    ),
    Case("ENC-04", "a signed plain one and several encrypted ones", TWO, flaw=sealed(beside(2, 3, 4))),
    Case(
        "ENC-05",
        "a plain one of another provider beside an encrypted one",
        TWO,
        flaw=sealed(with_text(ASSERTION_ISSUER, FABRIKAM_ISSUER), beside(3)),
    ),
)

ALONE = (
    Case("ENC-10", "a key by RSA 1.5", WEAK, flaw=encrypted(key=names.XENC + "rsa-1_5")),
    Case("ENC-11", "3DES", WEAK, flaw=encrypted(names.XENC + "tripledes-cbc")),
    Case("ENC-11 CBC", "AES-CBC", CLOSED, flaw=encrypted(CBC)),
    Case("ENC-14 nobody", "encrypted where there is no key at all", CLOSED, flaw=encrypted()),
    Case("ENC-16", "content at another address", WEAK, flaw=opened(within(f"{DATA}/xenc:CipherData", REFERENCE))),
    Case(
        "ENC-15",
        "a key at another address",
        WEAK,
        flaw=opened(within(KEY, "<ds:RetrievalMethod URI='http://127.0.0.1:9/x'/>")),
    ),
    Case("ENC-17", "encrypted content in encrypted content", ("schema",), flaw=opened(nested)),
    Case("ENC-18", "no method", WEAK, flaw=opened(within(f"{DATA}/xenc:EncryptionMethod", None))),
    Case("ENC-18 key", "no key", WEAK, flaw=opened(within(f"{DATA}/ds:KeyInfo", None))),
    Case("ENC-18 unknown", "an unknown method", WEAK, flaw=encrypted("urn:madeup")),
    Case(
        "ENC-23 method",
        "an encrypted name without any method, in a signed assertion",
        ("subject",),
        flaw={
            "mutate": all_of(
                without(".//saml:NameID"),
                with_child(
                    ".//saml:Subject",
                    f"<saml:EncryptedID><xenc:EncryptedData xmlns:xenc='{names.XENC}'><xenc:CipherData>"
                    "<xenc:CipherValue>AAAA</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedID>",
                    0,
                ),
            )
        },
    ),
)

CASES = (*MIXED, *ALONE)
