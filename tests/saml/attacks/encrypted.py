"""Messages that were encrypted for this service (ENC): what comes out is judged like everything else, by itself.

Owns the cases as data. Never runs them; the ciphertexts come from `encryption`.
"""

from __future__ import annotations

from typing import Any

from cast import FABRIKAM_ISSUER, MALLORY
from encryption import CBC, GCM, MGF_SHA256, OAEP_11, encrypted, own_key
from lxml import etree
from responses import NS, Idp, Mutation, one, with_attribute
from saml.cases import Case
from saml.one_flaw import ANSWER, ASKED

from sp.saml import names

KEY, OTHER = own_key(), own_key("another")
HELD = {"decryption_keys": (KEY,)}
BOTH = (KEY, OTHER)
GIVEN = {"encrypted": encrypted(KEY)}
SHUT = ("decryption",)
WEAK = ("encryption_algorithms",)
XENC = {"xenc": names.XENC, "ds": names.DS, "m": names.XENC11}
VALUE = "xenc:CipherData/xenc:CipherValue"


def case(identifier: str, story: str, failed: tuple[str, ...], flaw: dict[str, Any], **more: Any) -> Case:
    """A flaw in a response whose signed assertion is encrypted for this service."""
    held = {**HELD, **more.pop("held", {})}
    return Case(identifier, story, failed, given={**GIVEN, **more.pop("given", {})}, flaw=flaw, held=held, **more)


def holding(plaintext: bytes) -> dict[str, Any]:
    return {"encrypted": encrypted(KEY, plaintext=plaintext)}


def rewritten(old: bytes, new: bytes) -> dict[str, Any]:
    """The assertion, signed, then written otherwise, then encrypted."""

    def mutate(root: etree._Element) -> None:
        content = etree.tostring(one(root, "saml:Assertion"), method="c14n", exclusive=True)
        if old not in content:
            raise LookupError(old)
        encrypted(KEY, plaintext=content.replace(old, new, 1))(root)

    return {"encrypted": mutate}


def part(path: str, change: Any) -> Mutation:
    """Change the base64 text at a path below EncryptedData."""

    def mutate(root: etree._Element) -> None:
        found = root.find(f".//xenc:EncryptedData/{path}", XENC)
        if found is None:
            raise LookupError(path)
        found.text = change(found.text or "")

    return mutate


def flipped(text: str) -> str:
    at = next(at for at in range(len(text) // 2, len(text)) if text[at].isalnum())
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def cut(text: str) -> str:
    joined = "".join(text.split())
    return joined[: len(joined) // 2 // 4 * 4]


def oaep(child: str, algorithm: str) -> Mutation:
    """Another algorithm in the EncryptionMethod of a key by rsa-oaep."""

    def mutate(root: etree._Element) -> None:
        method = root.find(".//xenc:EncryptedKey/xenc:EncryptionMethod", XENC)
        found = None if method is None else method.find(child, XENC)
        if found is None:
            raise LookupError(child)
        found.set("Algorithm", algorithm)

    return mutate


def by_fabrikam(root: etree._Element) -> None:
    """The assertion of another provider, genuinely signed by it, in the Response of this one."""
    assertion = one(root, "saml:Assertion")
    assertion.remove(one(assertion, "ds:Signature"))
    one(assertion, "saml:Issuer").text = FABRIKAM_ISSUER
    Idp.make(FABRIKAM_ISSUER).sign(assertion)
    encrypted(KEY)(root)


def again(root: etree._Element) -> None:
    """Encrypt the EncryptedAssertion once more."""
    encrypted(KEY)(root)
    encrypted(KEY, "saml:EncryptedAssertion")(root)


def same_id(root: etree._Element) -> None:
    """The Response takes the ID of the assertion that is hidden in it."""
    root.set("ID", one(root, "saml:Assertion").get("ID", ""))
    encrypted(KEY)(root)


def crowded(root: etree._Element) -> None:
    """Five EncryptedKeys: each would cost a private operation."""
    encrypted(KEY)(root)
    info = root.find(".//xenc:EncryptedData/ds:KeyInfo", XENC)
    if info is None:
        raise LookupError("KeyInfo")
    info.extend([etree.fromstring(etree.tostring(info[0])) for _ in range(4)])


def relying_on_the_outside(root: etree._Element) -> None:
    """A plaintext that takes the prefix of its namespace from the message around it."""
    content = etree.tostring(one(root, "saml:Assertion"), method="c14n", exclusive=True)
    declaration = f' xmlns:saml="{NS["saml"]}"'.encode()
    encrypted(KEY, plaintext=content.replace(declaration, b"", 1))(root)


def bogus_signature(root: etree._Element) -> None:
    """A Signature of Mallory's around a ciphertext that could otherwise be probed block by block."""
    Idp.make(MALLORY.email).sign(root)


def encrypted_id(root: etree._Element) -> None:
    encrypted(KEY, ".//saml:NameID", wrapper=names.ENCRYPTED_ID)(root)


OAEP = {"encrypted": encrypted(KEY, transport=OAEP_11, digest=names.SHA256, mask=MGF_SHA256)}
WITH_ENCRYPTED_ID = {"mutate": encrypted_id, "encrypted": lambda _: None}

OPENED = (
    case("POS-04", "sign, encrypt, sign", (), {"signed": "both"}),
    case("ENC-01", "nothing is signed, inside or around", ("signature_present",), {"signed": None}),
    case("ENC-02", "nothing is signed inside, the Response is", (), {"signed": "response"}),
    case("ENC-06", "the assertion of another provider", ("signing_key",), {"encrypted": by_fabrikam}),
    case(
        "ENC-09 opened",
        "an unsolicited assertion, stolen, in a Response that answers my request",
        ("confirmation_in_response_to",),
        {"sealed": with_attribute(".", "InResponseTo", "_q1"), "in_response_to": None},
        given=ANSWER,
        held=ASKED,
    ),
    case(
        "ENC-24", "the older of two keys", (), {"encrypted": encrypted(OTHER)}, held={"decryption_keys": (KEY, OTHER)}
    ),
    case("ENC-14 both", "a key for somebody else, then ours", (), {"encrypted": encrypted(KEY, foreign=OTHER)}),
    case("ENC-23", "an encrypted name in a signed assertion", (), WITH_ENCRYPTED_ID),
    case(
        "ENC-23 Mallory",
        "a name encrypted anew after the assertion was signed",
        ("signature",),
        {
            **WITH_ENCRYPTED_ID,
            "sealed": part(VALUE, flipped),
        },
    ),
    case("ENC tampered", "a value changed before it was encrypted", ("signature",), rewritten(b"Britta", b"Mallory")),
)

UNOPENED = (
    case("ENC-08 key", "for another key", SHUT, {"encrypted": encrypted(OTHER)}),
    case("ENC-08 cut", "cut in half", SHUT, {"sealed": part(VALUE, cut)}),
    case("ENC-08 flip", "one bit of the content differs", SHUT, {"sealed": part(VALUE, flipped)}),
    case(
        "ENC-08 flipped key",
        "one bit of the key differs",
        SHUT,
        {"sealed": part(f"ds:KeyInfo/xenc:EncryptedKey/{VALUE}", flipped)},
    ),
    case("ENC-08 empty", "no content at all", SHUT, {"sealed": part(VALUE, lambda _: "")}),
    case("ENC-14", "for several others, not for us", SHUT, {"encrypted": encrypted(OTHER, foreign=own_key("third"))}),
    case("ENC-17 inside", "an encrypted assertion in an encrypted assertion", SHUT, {"encrypted": again}),
    case("ENC-20", "a document type inside", SHUT, rewritten(b"<saml:A", b"<!DOCTYPE a []><saml:A")),
    case("ENC-20 comment", "a comment inside", SHUT, rewritten(b"@contoso", b"<!---->@contoso")),
    case("ENC-20 text", "no XML inside", SHUT, holding(b"user=britta")),
    case("ENC-20 latin", "other characters inside", SHUT, holding("<é/>".encode("latin-1"))),
    case("ENC-20 response", "a whole Response inside", SHUT, holding(f'<R xmlns="{names.SAMLP}"/>'.encode())),
    case("ENC-20 schema", "an assertion without an Issuer inside", SHUT, rewritten(b"saml:Conditions", b"saml:Conds")),
    case("ENC-20 id", "the Response has the ID of what is hidden in it", SHUT, {"encrypted": same_id}),
    case("ENC-21", "a prefix that only the outside declares", SHUT, {"encrypted": relying_on_the_outside}),
    case("ENC-19", "five keys", WEAK, {"encrypted": crowded}),
    case(
        "ENC-18 digest", "OAEP with an unknown digest", WEAK, {**OAEP, "sealed": oaep("ds:DigestMethod", "urn:digest")}
    ),
    case("ENC-18 mask", "an unknown mask", WEAK, {**OAEP, "sealed": oaep("m:MGF", "urn:mask")}),
    case(
        "ENC-11 probe",
        "AES-CBC within a signature that does not hold is not opened",
        ("signing_key",),
        {"encrypted": encrypted(KEY, data=CBC), "sealed": bogus_signature},
    ),
    case(
        "ENC-11 strict",
        "AES-CBC without a signature around it, where the account refuses that",
        WEAK,
        {"encrypted": encrypted(KEY, data=CBC)},
        given={"encrypted": encrypted(KEY, data=GCM)},
        flaw_account={"refuse_unsigned_cbc": True},
    ),
)

CASES = (*OPENED, *UNOPENED)
