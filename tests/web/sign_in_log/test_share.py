"""An attempt as a file for somebody else, and the page before it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from browser import Browser
from cast import BRITTA, CONTOSO_ISSUER
from lxml import html
from responses import Idp, form
from web.sign_in_log.conftest import FABRIKAMS_LOG, LOG, Door

from sp.flows.assertion_consumer import SignIn

HOSTILE = "<img src=x onerror=alert(1)>\u202etxt.exe\u2066\u200b"


def file_of(browser: Browser, sign_in: SignIn, more: str = "") -> str:
    page = browser.open(f"{LOG}/{sign_in.reference}/share/file{more}")
    assert page.status_code == 200
    return str(page.text)


def document(file: str) -> Any:
    return html.document_fromstring(file)


def seen(file: str) -> str:
    return " ".join(document(file).body.text_content().split())


def test_the_file_tells_what_happened_and_to_nobody_whom(alice: Browser, door: Door) -> None:
    made = door.post(door.response(audience="https://sp.contoso.example/saml2/"))
    file = file_of(alice, made)
    text = seen(file)
    assert "Refused" in text
    assert "host-2.invalid/saml2/" in text or "host-1.invalid/saml2/" in text
    assert made.reference in text
    for secret in ("britta", "simon", "contoso", "192.0.2.7"):
        assert secret not in file.lower()


def test_it_is_one_file_that_loads_and_runs_nothing(alice: Browser, door: Door) -> None:
    file = file_of(alice, door.accepted())
    page = document(file)
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert not page.xpath("//script | //link | //img | //iframe | //form | //@src | //@onclick | //@style")
    assert all(link.startswith("#") for link in page.xpath("//@href"))
    assert not re.search(r"@import|url\(", file)


def test_it_is_a_download_that_no_browser_opens_by_itself(alice: Browser, door: Door) -> None:
    made = door.accepted()
    file_of(alice, made)
    headers = alice.page.headers
    assert headers["content-disposition"] == f'attachment; filename="sign-in-{made.reference}.html"'
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


def test_the_page_before_it_counts_what_was_replaced_and_lists_what_stays(alice: Browser, door: Door) -> None:
    made = door.accepted()
    alice.open(f"{LOG}/{made.reference}")
    (link,) = alice.html.xpath("//a[normalize-space()='Share…']/@href")
    alice.open(link)
    text = alice.text()
    assert "1 user name" in text
    assert "2 IDs" in text
    assert "urn:oasis:names:tc:SAML:2.0:cm:bearer" in [item.text_content() for item in alice.html.xpath("//li")]
    assert BRITTA.email in alice.html.get_element_by_id("replacements").text_content()
    assert "user-1@example-1.invalid" in alice.html.get_element_by_id("replacements").text_content()


def test_host_names_stay_when_somebody_wants_it(alice: Browser, door: Door) -> None:
    made = door.accepted()
    assert CONTOSO_ISSUER not in file_of(alice, made)
    assert CONTOSO_ISSUER in file_of(alice, made, "?hosts=keep")
    assert "britta" not in file_of(alice, made, "?hosts=keep").lower()
    alice.open(f"{LOG}/{made.reference}/share?hosts=keep")
    assert alice.html.xpath("//a[contains(., 'Download')]/@href")[0].endswith("/file?hosts=keep")
    assert alice.html.xpath("//input[@name='hosts'][@checked]")


def test_another_companys_attempt_is_404(alice: Browser, charlie: Browser, door: Door) -> None:
    made = door.accepted()
    for end in ("share", "share/file"):
        assert alice.open(f"{LOG}/{made.reference}/{end}").status_code == 200
        assert charlie.open(f"{LOG}/{made.reference}/{end}").status_code == 404
        assert charlie.open(f"{FABRIKAMS_LOG}/{made.reference}/{end}").status_code == 404
        assert alice.open(f"{LOG}/AAAAAAAA/{end}").status_code == 404


@pytest.mark.parametrize(
    "xml",
    [
        b"<html><body>Britta Simon signs in at contoso</body></html>",
        b"<md:EntityDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata' entityID='https://idp.contoso.example/'/>",
        b"<britta>contoso</simon>",
        b"<!DOCTYPE britta [<!ENTITY simon 'contoso'>]><a>&simon;</a>",
        b"<?xml version='1.0' encoding='contoso-britta-simon'?><a/>",
        b"\xff\xfe\x00\x1b[31mbritta simon contoso",
        b"<samlp:Response britta='simon",
        b"{'britta': 'contoso'}",
    ],
)
def test_what_is_no_response_names_nobody_either(lone_alice: Browser, lone_door: Door, xml: bytes) -> None:
    file = file_of(lone_alice, lone_door.post(xml)).lower()
    for secret in ("britta", "simon", "contoso"):
        assert secret not in file


def test_without_a_message_it_says_so(lone_alice: Browser, lone_door: Door) -> None:
    made = lone_door.post(form=form(("SAMLResponse", "britta!"), content_type="text/contoso; charset=britta"))
    file = file_of(lone_alice, made)
    assert "there is no message" in seen(file)
    assert "britta" not in file
    assert "contoso" not in file


def test_hostile_values_are_harmless(alice: Browser, door: Door) -> None:
    made = door.post(door.response(name_id=HOSTILE, attributes={HOSTILE: (HOSTILE,)}, audience=HOSTILE))
    file = file_of(alice, made)
    assert "<img" not in file
    assert "onerror" not in file
    assert not any(mark in text for text in document(file).itertext() for mark in "\u202e\u200b")
    alice.open(f"{LOG}/{made.reference}/share")
    assert "<img src=x" not in alice.page.text
    assert not any(mark in text for text in alice.html.xpath("//main//text()") for mark in "\u202e\u200b")


def test_a_crowded_message_gets_its_file(alice: Browser, door: Door) -> None:
    crowd = {f"urn:x:{number}": (f"v{number}",) for number in range(2500)}
    made = door.post(door.response(attributes=crowd))
    assert len(file_of(alice, made)) < 1_500_000
    assert alice.open(f"{LOG}/{made.reference}/share").status_code == 200
    assert "more are not shown" in alice.text()


def test_one_certificate_is_told_from_another(alice: Browser, door: Door) -> None:
    file = file_of(alice, door.post(Idp(CONTOSO_ISSUER, "mallorys key").response()))
    text = seen(file)
    assert (
        f"[certificate: RSA 2048 bits, SHA-256 {door.idp.with_key('mallorys key').certificate.fingerprint[:11]}…"
        in text
    )
    assert f"SHA-256 {door.idp.certificate.fingerprint[:11]}…" in text
    assert door.idp.certificate.fingerprint[:17] not in file
    assert "not trusted, in the message" in text
