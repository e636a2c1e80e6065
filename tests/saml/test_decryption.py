"""What was encrypted for this service opens, whatever of the accepted algorithms it was encrypted with; and what does
not open says no more than that."""

from __future__ import annotations

import random

import pytest
from attack import attack
from cast import BRITTA
from encryption import CBC, GCM, MGF_SHA256, OAEP, OAEP_11, ciphertext, encrypted, own_key
from lxml import etree
from responses import Idp, element_of, expectations, judged, one, trust

from sp.diagnosis.sides import sides
from sp.saml import names
from sp.saml.checks import CHECKS
from sp.saml.checks.response import Held
from sp.saml.decryption import opened
from sp.saml.messages import SignedPart
from sp.saml.report import Outcome, Report
from sp.saml.validation import open_message

IDP = Idp.make()
KEY = own_key()
PADDINGS = (
    (OAEP, "", ""),
    (OAEP, names.SHA1, ""),
    (OAEP, names.SHA256, ""),
    (OAEP_11, "", ""),
    (OAEP_11, names.SHA256, MGF_SHA256),
    (OAEP_11, names.SHA256, ""),
    (OAEP_11, names.SHA1, MGF_SHA256),
)
CIPHERS = tuple(sorted(names.AES_GCM | names.AES_CBC))


def report(xml: bytes, **account: object) -> Report:
    return judged(xml, expectations(IDP, account=trust(IDP, **account), decryption_keys=(KEY,))).report


@pytest.mark.parametrize("data", CIPHERS)
@pytest.mark.parametrize(("transport", "digest", "mask"), PADDINGS)
def test_an_assertion_opens_by_every_accepted_algorithm(data: str, transport: str, digest: str, mask: str) -> None:
    changed = encrypted(KEY, data=data, transport=transport, digest=digest, mask=mask)
    held = expectations(IDP, decryption_keys=(KEY,))
    judgement = judged(IDP.response(signed="both", encrypted=changed), held)
    assert judgement.report.accepts, judgement.report.failed
    assert judgement.identity is not None
    assert judgement.identity.username == BRITTA.email


@pytest.mark.parametrize("data", CIPHERS)
def test_an_encrypted_name_opens(data: str) -> None:
    changed = encrypted(KEY, ".//saml:NameID", wrapper=names.ENCRYPTED_ID, data=data)
    held = expectations(IDP, decryption_keys=(own_key("older"), KEY))
    judgement = judged(IDP.response(mutate=changed), held)
    assert judgement.identity is not None
    assert judgement.identity.username == BRITTA.email


def test_a_key_beside_the_data_opens_it_too() -> None:
    assert report(IDP.response(encrypted=encrypted(KEY, beside=True))).accepts


def test_cbc_outside_a_signed_response_is_worth_a_word() -> None:
    outside = report(IDP.response(encrypted=encrypted(KEY, data=CBC)))
    assert outside.accepts
    assert "encryption_algorithms" in outside.warnings
    within = report(IDP.response(signed="both", encrypted=encrypted(KEY, data=CBC)))
    assert "encryption_algorithms" not in within.warnings


@pytest.mark.parametrize("part", [SignedPart.ASSERTION, SignedPart.BOTH])
def test_the_account_may_ask_for_the_signature_inside(part: SignedPart) -> None:
    xml = IDP.response(signed="response", encrypted=encrypted(KEY))
    assert report(xml).accepts
    assert report(xml, signed_part=part).failed == ("signature_present",)


def test_nothing_is_opened_before_the_signature_around_it_holds() -> None:
    xml = IDP.response(
        encrypted=encrypted(KEY, data=CBC), sealed=lambda root: Idp.make("https://mallory.example").sign(root)
    )
    rows = {row.code: row.outcome for row in report(xml, signed_part=SignedPart.BOTH).rows}
    assert rows["decryption"] is Outcome.NOT_REACHED
    assert rows["signing_key"] is Outcome.FAILED
    assert rows["signature_present"] is Outcome.PASSED


def test_the_certificate_that_it_says_it_is_for_is_named() -> None:
    other = own_key("another")
    row = report(IDP.response(encrypted=encrypted(other, named=other.certificate))).row("decryption")
    assert "it says it is for the certificate" in sides(row).received
    mine = report(IDP.response(encrypted=encrypted(other, named=KEY.certificate))).row("decryption")
    assert "says" not in sides(mine).received


def test_the_verified_bytes_are_opened_and_no_others() -> None:
    """With a signed Response alone, identity is read from a second opening: of what the signature covered."""
    held = expectations(IDP, decryption_keys=(KEY,))
    response = open_message(IDP.response(signed="response", encrypted=encrypted(KEY))).response
    assert response is not None
    subject = Held(response, held)
    assert subject.opened_assertion is not None
    one(subject.opened_assertion, ".//saml:NameID").text = "mallory@evil.example"
    judgement = judged(response.xml, held)
    assert judgement.identity is not None
    assert judgement.identity.username == BRITTA.email


@attack("ENC-12", "300 mutations of a ciphertext, to learn what is inside", count=300)
@pytest.mark.parametrize("data", [GCM, CBC])
def test_mutations_cannot_be_told_apart(data: str) -> None:
    """Every mutation that does not open gets the same rows, whichever part of it was at fault."""
    source = random.Random(4711)  # noqa: S311  the same mutations each time
    root = etree.fromstring(IDP.response(signed=None, encrypted=encrypted(KEY, data=data)))
    values = list(root.iter(names.CIPHER_VALUE))
    original = [element.text or "" for element in values]
    seen = set()
    for _ in range(300):
        at = source.randrange(len(values))
        text = "".join(original[at].split())
        where = source.randrange(len(text) - 4)
        values[at].text = text[:where] + source.choice("ABCDEFGHabcdefgh0123") + text[where + 1 :]
        found = report(etree.tostring(root))
        assert not found.accepts
        if "decryption" in found.failed:
            seen.add(tuple(found.row(check.code) for check in CHECKS if check.stage > 1))
        values[at].text = original[at]
    assert len(seen) == 1


@pytest.mark.parametrize("data", [GCM, CBC])
@pytest.mark.parametrize("length", [0, 1, 11, 12, 15, 16, 27, 28, 31, 32, 33])
def test_contents_of_any_length_are_refused_quietly(data: str, length: int) -> None:
    made = element_of("<saml:EncryptedAssertion/>")
    made.append(ciphertext(b"<a/>", KEY, data=data))
    made[0][-1][0].text = "QUJD" * (length // 3) + {0: "", 1: "QQ==", 2: "QUI="}[length % 3]
    assert opened(made, names.ASSERTION, (KEY,)) is None


def test_without_keys_nothing_opens() -> None:
    found = judged(IDP.response(encrypted=encrypted(KEY)), expectations(IDP)).report
    assert found.failed == ("decryption",)
    assert "no key" in sides(found.row("decryption")).received


def test_a_private_key_is_never_shown() -> None:
    assert "private" not in repr(expectations(IDP, decryption_keys=(KEY,)))
    assert "private_key" not in repr(KEY)
