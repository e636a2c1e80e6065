"""What is left out of a message that is shown: everything with which it could be delivered."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable

import pytest
from encryption import CBC, encrypted, own_key
from lxml import etree
from responses import Idp, all_of, expectations, judged, with_child

from sp.diagnosis.sides import sides
from sp.saml import names
from sp.saml.withheld import masked, placeholder, redacted_text, redacted_xml

KINDS = ("rsa", "p256")


def secrets_of(xml: bytes) -> list[str]:
    """The values in a message that make it usable, without white space."""
    values = etree.fromstring(xml).iter(names.SIGNATURE_VALUE, names.CIPHER_VALUE)
    return ["".join((value.text or "").split()) for value in values]


def holds_any(shown: str, secrets: list[str]) -> bool:
    """Whether 40 characters on end of one of them are in what is shown, however that is broken into lines."""
    dense = re.sub(r"\s", "", shown)
    return any(secret[at : at + 40] in dense for secret in secrets for at in range(len(secret) - 40))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("data", ["", CBC])
def test_a_message_is_shown_without_signature_values_and_ciphertext(kind: str, data: str) -> None:
    hidden = encrypted(own_key(), data=data) if data else lambda _root: None
    xml = Idp.make(kind=kind).response(signed="both", encrypted=hidden)
    secrets = secrets_of(xml)
    assert holds_any(xml.decode(), secrets)
    shown = redacted_xml(etree.fromstring(xml)).decode()
    assert not holds_any(shown, secrets)
    assert "[signature, " in shown
    assert ("[ciphertext, " in shown) == bool(data)
    assert "<saml:Issuer>" in shown


def test_everything_else_is_shown_as_it_is() -> None:
    root = etree.fromstring(Idp.make().response(signed="both"))
    shown = redacted_xml(root)
    for value in root.iter(names.SIGNATURE_VALUE):
        value.text = "[signature, 256 bytes]"
    assert shown == etree.tostring(root, encoding="utf-8")


def test_a_message_that_is_quoted_in_another_value_is_left_out() -> None:
    signed = Idp.make(kind="p256").response()
    quoted = (
        f"<saml:Advice a='{base64.b64encode(signed).decode()}'>"
        f"{signed.decode().replace('<', '&lt;').replace('>', '&gt;')}</saml:Advice>"
    )
    root = etree.fromstring(Idp.make().response(signed=None, mutate=with_child(".", quoted)))
    shown = redacted_xml(root).decode()
    assert not holds_any(shown, secrets_of(signed))
    assert base64.b64encode(signed).decode()[:60] not in shown


def test_a_comment_inside_a_signature_value_shows_none_of_it() -> None:
    root = etree.fromstring(Idp.make().response())
    (value,) = root.iter(names.SIGNATURE_VALUE)
    text = value.text or ""
    value.text = text[:100]
    value.append(etree.Comment("x"))
    value[0].tail = text[100:]
    assert not holds_any(redacted_xml(root).decode(), [text])
    assert placeholder(value) == "[signature, 256 bytes]"


UNREADABLE: dict[str, Callable[[bytes], bytes]] = {
    "its end cut off": lambda xml: xml[:-3],
    "a DOCTYPE": lambda xml: b"<!DOCTYPE x>" + xml,
    "UTF-16": lambda xml: xml.decode().encode("utf-16"),
    "UTF-16 without a mark": lambda xml: xml.decode().encode("utf-16-be"),
    "base64 again": base64.b64encode,
    "base64 in lines": base64.encodebytes,
    "base64 for addresses": base64.urlsafe_b64encode,
    "compressed": zlib.compress,
    "in a CDATA section": lambda xml: xml.replace(b"SignatureValue>", b"SignatureValue><![CDATA[", 1)[:-3],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", UNREADABLE)
def test_what_cannot_be_parsed_is_shown_without_them_too(kind: str, shape: str) -> None:
    xml = Idp.make(kind=kind).response(signed="both", encrypted=lambda _root: None)
    sent = UNREADABLE[shape](xml)
    shown = redacted_text(sent)
    assert not holds_any(
        shown, [*secrets_of(xml), base64.b64encode(xml).decode(), base64.urlsafe_b64encode(xml).decode()]
    )
    assert zlib.compress(xml)[2:-4] not in shown.encode("latin-1", "ignore")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [b"-", b"!", b"&lt;"])
def test_the_report_on_a_signature_value_that_is_no_base64_does_not_quote_it(kind: str, first: bytes) -> None:
    """One in the alphabet for addresses is easily mended."""
    idp = Idp.make(kind=kind)
    xml = idp.response()
    begin = xml.index(b"SignatureValue>") + len(b"SignatureValue>")
    report = judged(xml[:begin] + first + xml[begin + 1 :], expectations(idp)).report
    assert report.failed == ("schema",)
    assert "SignatureValue" in sides(report.row("schema")).received
    (secret,) = secrets_of(xml)
    assert secret[1:11] not in str(report)
    assert secret[-12:] not in str(report)


def test_lines_keep_their_numbers() -> None:
    xml = Idp.make().response(mutate=all_of()).replace(b"SignatureValue>", b"SignatureValue>\n", 1)
    broken = base64.encodebytes(b"x" * 200).decode() + "<a>\n<b>"
    assert redacted_text(xml[:-3]).count("\n") == xml.count(b"\n")
    assert redacted_text(broken.encode()).count("\n") == broken.count("\n")


def test_names_addresses_and_prose_are_no_secrets() -> None:
    for text in (
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
        "_" + "0123456789abcdef" * 8,
        "The user could not be authenticated because the second factor was not there in time, so try it once more.",
    ):
        assert masked(text) == text


def test_a_hostile_text_takes_no_long_time() -> None:
    """Each of these would be read a hundred thousand times where an expression went back (250 KB in under a second)."""
    for piece in ("SignatureValue ", "CipherValue ", "A" * 59 + " ", "A" * 60 + " ", "&gt;", "=" * 61 + "\n"):
        text = piece * (256 * 1024 // len(piece))
        redacted_text(text.encode())
