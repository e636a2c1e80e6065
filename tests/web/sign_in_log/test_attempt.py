"""One attempt's page."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from browser import Browser, StillClock
from cast import ALICE, BRITTA, CONTOSO_ISSUER, MALLORY, NOW
from encryption import encrypted, own_key
from fastapi import FastAPI
from lxml import etree
from responses import Idp, all_of, form, with_attribute, with_child, with_text, without
from web.conftest import connect, signed_in
from web.sign_in_log.conftest import LOG, Door

from sp.flows.assertion_consumer import SignIn
from sp.saml import names
from sp.saml.messages import PendingRequest


def opened(browser: Browser, sign_in: SignIn) -> Browser:
    browser.open(f"{LOG}/{sign_in.reference}")
    assert browser.page.status_code == 200
    return browser


def section(browser: Browser, heading: str) -> str:
    (found,) = browser.html.xpath("//section[@aria-labelledby=$id]", id=heading)
    return " ".join(found.text_content().split())


def marked_lines(browser: Browser) -> dict[str, str]:
    """The text of the line that each finding points to, by its code."""
    lines = browser.html.xpath("//li[contains(@class, 'xml-marked')]")
    found: dict[str, str] = {}
    for line in lines:
        text = "".join(line.xpath("./code//text()"))
        found |= {link.removeprefix("#"): text for link in line.xpath(".//a/@href")}
    return found


def test_an_accepted_one_tells_who_signed_in_and_by_which_certificate(alice: Browser, door: Door) -> None:
    opened(alice, door.accepted(name_id="new@contoso.example"))
    verdict = section(alice, "verdict-title")
    assert "Signed in The response is accepted." in verdict
    assert "new@contoso.example created by this sign-in" in verdict
    assert "Version 2, still in force" in verdict
    assert f"Verified byCN={CONTOSO_ISSUER}" in verdict.replace(" CN", "CN")
    assert "3650 days left" in verdict
    assert "2030-01-31 12:00:00 UTC, from 192.0.2.7" in verdict


def test_a_refused_one_says_why_and_what_to_do(alice: Browser, door: Door) -> None:
    opened(alice, door.refused())
    verdict = section(alice, "verdict-title")
    assert "urn:another" in verdict
    assert "What to do" in verdict
    assert alice.html.xpath("//details[@id='audience'][@open]")


def test_settings_that_are_no_longer_in_force_are_said_to_be(alice: Browser, door: Door) -> None:
    made = door.refused()
    alice.open(LOG.removesuffix("/sign-in-log"))
    alice.submit(f"{LOG.removesuffix('/sign-in-log')}/saml", allow_sha1="on")
    assert "Version 2, no longer in force" in section(opened(alice, made), "verdict-title")


class TestAssertion:
    def test_its_facts(self, alice: Browser, door: Door) -> None:
        text = section(opened(alice, door.accepted(attributes={"urn:x": ("one", "two")})), "assertion-title")
        for said in (
            "Verified by a signature",
            f"Subject (NameID) {BRITTA.email}",
            "NameID format urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
            "Not on or after 2030-01-31T12:05:00Z",
            "Audience http://localhost:8000/saml2",
            "Authentication context urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
            "urn:x one two",
        ):
            assert said.replace(" ", "") in text.replace(" ", "")

    def test_what_nobody_signed_is_said_to_be_unverified(self, alice: Browser, door: Door) -> None:
        mallory = Idp(CONTOSO_ISSUER, "mallorys key")
        text = section(opened(alice, door.post(mallory.response(name_id=MALLORY.email))), "assertion-title")
        assert "Not verified" in text
        assert "Anybody could have written it" in text
        assert MALLORY.email in text

    @pytest.mark.parametrize("signed", [None, "response"])
    def test_a_signature_that_does_not_cover_is_none(self, alice: Browser, door: Door, signed: str | None) -> None:
        tampered = door.response(signed=signed, tamper=lambda xml: xml.replace(b"Britta", b"Brutta"))
        assert "Not verified" in section(opened(alice, door.post(tampered)), "assertion-title")

    def test_there_may_be_none(self, alice: Browser, door: Door) -> None:
        status = with_attribute(
            "samlp:Status/samlp:StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:Responder"
        )
        refused = door.post(door.response(signed=None, mutate=all_of(without("saml:Assertion"), status)))
        assert "no assertion that can be read" in section(opened(alice, refused), "assertion-title")


class TestFlow:
    def steps(self, browser: Browser) -> list[str]:
        return [" ".join(step.text_content().split()) for step in browser.html.xpath("//figure[@class='sequence']//li")]

    def test_an_unsolicited_one(self, alice: Browser, door: Door) -> None:
        steps = self.steps(opened(alice, door.accepted()))
        assert [step.split(": ")[1].split(",")[0] for step in steps] == [
            "Sign-in at the identity provider",
            "Response with an assertion",
            "POST of the response",
            "Signed in",
        ]
        assert not any("broke off" in step for step in steps)

    def test_a_solicited_one_begins_here(self, alice: Browser, door: Door) -> None:
        request = PendingRequest("_q1", CONTOSO_ISSUER, NOW - timedelta(seconds=31))
        made = door.post(door.response(in_response_to="_q1"), pending=(request,))
        steps = self.steps(opened(alice, made))
        assert steps[0] == "From the service to the browser: AuthnRequest, 11:59:29 UTC, 31 seconds earlier."
        assert len(steps) == 5

    def test_an_answer_to_a_request_that_is_not_known(self, alice: Browser, door: Door) -> None:
        steps = self.steps(opened(alice, door.refused(in_response_to="_other")))
        assert "AuthnRequest, not known here, time not known" in steps[0]

    def test_a_refusal_breaks_at_the_service(self, alice: Browser, door: Door) -> None:
        steps = self.steps(opened(alice, door.refused()))
        assert "Refused: Audience (here it broke off)" in steps[-1]

    def test_a_refusal_of_the_identity_provider_breaks_there(self, alice: Browser, door: Door) -> None:
        status = with_attribute(
            "samlp:Status/samlp:StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:Responder"
        )
        refused = door.post(door.response(signed=None, mutate=all_of(without("saml:Assertion"), status)))
        assert "Response: no sign-in (here it broke off)" in self.steps(opened(alice, refused))[1]

    def test_a_clock_that_is_off_shows(self, alice: Browser, door: Door) -> None:
        made = door.post(door.response(now=NOW - timedelta(minutes=47)))
        assert "11:13:00 UTC, 47 minutes earlier" in self.steps(opened(alice, made))[1]


class TestMessage:
    def test_the_download_is_byte_for_byte(self, alice: Browser, door: Door) -> None:
        xml = door.response(tamper=lambda xml: b'<?xml version="1.0"?>\r\n\t' + xml + b"\n ")
        made = door.post(xml)
        page = opened(alice, made).submit(f"{LOG}/{made.reference}/message")
        assert page.content == xml
        assert page.headers["content-type"] == "application/octet-stream"
        assert page.headers["content-disposition"] == f'attachment; filename="response-{made.reference}.xml"'
        assert page.headers["x-content-type-options"] == "nosniff"

    def test_without_a_message_there_is_no_download(self, lone_alice: Browser, lone_door: Door) -> None:
        made = lone_door.post(form=form(("SAMLResponse", "garbage!")))
        assert "Nothing was decoded" in opened(lone_alice, made).text()
        sent = {"csrf_token": lone_alice.token}
        assert lone_alice.post(f"{LOG}/{made.reference}/message", data=sent).status_code == 404

    def test_a_download_uses_the_assertion_up_and_a_look_does_not(self, alice: Browser, door: Door) -> None:
        ahead = NOW + timedelta(minutes=30)
        looked_at, downloaded = (door.response(now=ahead) for _ in range(2))
        opened(alice, door.post(looked_at))
        made = door.post(downloaded)
        opened(alice, made).submit(f"{LOG}/{made.reference}/message")
        door.clock.now = ahead
        assert door.post(looked_at).accepted
        refused = door.post(downloaded)
        assert refused.judgement.report.failed == ("replay",)
        assert f"to administrator {ALICE.email}" in section(opened(alice, refused), "verdict-title")

    def test_a_link_downloads_nothing(self, alice: Browser, door: Door) -> None:
        """Whoever makes an administrator follow one would use the message up."""
        made = door.refused()
        alice.open(f"{LOG}/{made.reference}/message")
        assert alice.page.headers["content-type"].startswith("text/html")
        assert alice.post(f"{LOG}/{made.reference}/message").status_code == 403

    @pytest.mark.parametrize("kind", ["rsa", "p256"])
    def test_the_page_shows_no_signature_value_and_no_ciphertext(self, alice: Browser, door: Door, kind: str) -> None:
        signer = Idp.make(CONTOSO_ISSUER, kind).with_key("another")
        xml = signer.response(now=NOW, signed="both", encrypted=encrypted(own_key("another")))
        page = opened(alice, door.post(xml)).page.text
        assert "[signature, " in page
        assert "[ciphertext, " in page
        for value in etree.fromstring(xml).iter(names.SIGNATURE_VALUE, names.CIPHER_VALUE):
            assert "".join((value.text or "").split())[:40] not in page

    def test_nor_does_it_where_the_message_cannot_be_parsed(self, lone_alice: Browser, lone_door: Door) -> None:
        xml = lone_door.response()
        page = opened(lone_alice, lone_door.post(xml.replace(b"><", b">\n<")[:-3])).page.text
        (value,) = etree.fromstring(xml).iter(names.SIGNATURE_VALUE)
        assert BRITTA.email in page
        assert (value.text or "")[:40] not in page

    @pytest.mark.parametrize(
        ("changes", "code", "line"),
        [
            ({"audience": "urn:x"}, "audience", "<saml:Audience>urn:x</saml:Audience>"),
            ({"recipient": "urn:x"}, "recipient", '<saml:SubjectConfirmationData NotOnOrAfter="2030'),
            ({"destination": "urn:x"}, "destination", "<samlp:Response "),
            (
                {"mutate": with_attribute(".//saml:Conditions", "NotOnOrAfter", "2029-01-01T00:00:00Z")},
                "not_on_or_after",
                "<saml:Conditions ",
            ),
            ({"mutate": without(".//saml:Audience/..")}, "audience", "<saml:Conditions "),
            ({"mutate": with_text(".//saml:NameID", " ")}, "subject", "<saml:NameID "),
            ({"method": names.RSA_SHA1}, "signature_algorithms", "<ds:SignatureMethod "),
            ({"tamper": lambda xml: xml.replace(b"Britta", b"Brutta")}, "signature", "<ds:SignatureValue>"),
            ({"signed": None}, "signature_present", "<saml:Assertion "),
        ],
    )
    def test_a_finding_points_to_its_line(
        self, alice: Browser, door: Door, changes: dict[str, Any], code: str, line: str
    ) -> None:
        made = door.post(door.response(**changes))
        assert code in made.judgement.report.failed
        assert marked_lines(opened(alice, made))[code].startswith(line)

    def test_each_check_of_the_table_points_somewhere_or_is_known_to_point_nowhere(self) -> None:
        from sp.diagnosis.places import FINDERS, NOWHERE  # noqa: PLC0415
        from sp.saml.checks import BY_CODE  # noqa: PLC0415

        nowhere = {"form", "size", "base64", "encoding", "no_dtd", "well_formed", "limits", "unique_ids", "schema"}
        assert set(NOWHERE) == nowhere
        assert set(FINDERS) == set(BY_CODE)

    def test_what_is_signed_is_marked(self, alice: Browser, door: Door) -> None:
        opened(alice, door.accepted(signed="assertion"))
        lines = alice.html.xpath("//li[contains(@class, 'xml-line')]")
        signed = ["".join(line.xpath("./code//text()")) for line in lines if "xml-signed" in line.get("class")]
        assert signed[0].startswith("<saml:Assertion ")
        assert signed[-1] == "</saml:Assertion>"
        assert 0 < len(signed) < len(lines)

    def test_nothing_is_marked_as_signed_when_the_signature_does_not_hold(self, alice: Browser, door: Door) -> None:
        opened(alice, door.post(door.response(tamper=lambda xml: xml.replace(b"Britta", b"Brutta"))))
        assert not alice.html.xpath("//li[contains(@class, 'xml-signed')]")

    def test_a_doctype_is_shown_and_never_parsed(self, lone_alice: Browser, lone_door: Door) -> None:
        bomb = b'<!DOCTYPE a [<!ENTITY b "boom">]>\n<samlp:Response>&b;&b;</samlp:Response>'
        opened(lone_alice, lone_door.post(bomb))
        assert "Shown as text" in lone_alice.text()
        assert marked_lines(lone_alice) == {"no_dtd": '<!DOCTYPE a [<!ENTITY b "boom">]>'}
        assert "&b;&b;" in lone_alice.text()

    def test_where_it_stops_being_xml(self, lone_alice: Browser, lone_door: Door) -> None:
        opened(lone_alice, lone_door.post(b"<a>\n<b>\n</c></a>"))
        assert marked_lines(lone_alice) == {"well_formed": "</c></a>"}


HOSTILE = "<img src=x onerror=alert(1)>\u202etxt.exe\u2066\u200b"


class TestHostile:
    def test_markup_and_turning_marks_in_every_place(self, alice: Browser, door: Door) -> None:
        attributes = {HOSTILE: (HOSTILE, "")}
        made = door.post(
            door.response(
                name_id=HOSTILE,
                attributes=attributes,
                audience=HOSTILE,
                mutate=all_of(
                    with_attribute(".//saml:AuthnStatement", "SessionIndex", HOSTILE),
                    with_text(".//saml:AuthnContextClassRef", HOSTILE),
                ),
            )
        )
        page = opened(alice, made).page.text
        assert "<img src=x" not in page
        self.no_turning_mark_in_plain_sight(alice)

    def test_bytes_that_are_no_text(self, lone_alice: Browser, lone_door: Door) -> None:
        opened(lone_alice, lone_door.post(b"\xff\xfe\x00\x1b[31m<script>alert(1)</script>\r\n\x07"))
        assert "<script>alert" not in lone_alice.page.text
        assert "\x1b" not in lone_alice.text()

    @pytest.mark.parametrize(
        "xml", [b"", b"<", b"<!--" + b"-" * 9999, b"\n" * 200_000, b"<a>" * 60_000, b"A" * 250_000]
    )
    def test_anything_gets_a_page(self, lone_alice: Browser, lone_door: Door, xml: bytes) -> None:
        made = lone_door.post(form=form(("SAMLResponse", base64.b64encode(xml or b" ").decode())))
        opened(lone_alice, made)
        assert len(lone_alice.page.content) < 1_500_000

    def test_a_long_value_is_cut(self, alice: Browser, door: Door) -> None:
        opened(alice, door.post(door.response(attributes={"urn:x": ("A." * 75_000,)})))
        assert "149,720 characters" in alice.text()
        assert len(alice.page.content) < 1_000_000

    def test_ten_thousand_elements_are_cut(self, alice: Browser, door: Door) -> None:
        attributes = {f"urn:{number}": ("v",) for number in range(2500)}
        opened(alice, door.post(door.response(attributes=attributes)))
        assert "Only the beginning is shown" in alice.text()
        assert "2300 more are in the message" in alice.text()

    def test_a_million_characters_where_messages_may_be_that_long(self, make_app: Any, clock: Any) -> None:
        """Nothing is configured here: the issuer is unknown, so the page is asked of the evidence itself."""
        from sp.diagnosis.places import places_of  # noqa: PLC0415
        from sp.flows.evidence import evidence_of  # noqa: PLC0415
        from sp.web.admin.attempt_message import pretty_message  # noqa: PLC0415

        service = make_app(max_message_bytes=8 * 1024 * 1024, unknown_message_kilobytes=8 * 1024).state.service
        door = Door(service, clock, Idp.make())
        made = door.post(door.response(name_id="A" * 1_000_000))
        with service.database.reading() as session:
            evidence = evidence_of(session, door.attempt(made))
        assert evidence.root is not None
        shown = pretty_message(evidence.root, places_of(evidence.judgement.report, evidence.root), frozenset())
        assert max(len(part.text) for line in shown.lines for part in line.parts) < 1000

    def no_turning_mark_in_plain_sight(self, browser: Browser) -> None:
        """Such a mark may stand in an attribute (to be copied or found), and in text only inside its visible sign."""
        for text in browser.html.xpath("//main//text()"):
            assert "\u202e" not in text
            assert "\u200b" not in text


class TestCertificates:
    def test_those_of_the_account_and_those_of_the_message(self, alice: Browser, door: Door) -> None:
        mallory = Idp(CONTOSO_ISSUER, "mallorys key")
        text = section(opened(alice, door.post(mallory.response())), "certificates-title")
        assert "Trusted by the account" in text
        assert "In the message only: not trusted" in text
        assert "Verified this message" not in text

    def test_the_one_that_verified(self, alice: Browser, door: Door) -> None:
        text = section(opened(alice, door.accepted()), "certificates-title")
        assert "Trusted by the accountVerified this messagealso in the message" in text

    def test_one_that_cannot_be_read(self, alice: Browser, door: Door) -> None:
        sealed = with_child(".//ds:X509Data", "<ds:X509Certificate>AAAA</ds:X509Certificate>")
        text = section(opened(alice, door.post(door.response(sealed=sealed))), "certificates-title")
        assert "1 in the message cannot be read as a certificate" in text


def test_a_value_of_a_megabyte_is_shown_by_its_beginning(make_app: Callable[..., FastAPI], clock: StillClock) -> None:
    """Each character of a text with an invisible one is looked at: whoever opens the page would wait for that."""
    app = make_app(max_message_bytes=8 * 1024 * 1024)
    idp = Idp.make(CONTOSO_ISSUER)
    connect(app.state.service, idp)
    door, alice = Door(app.state.service, clock, idp), signed_in(app, ALICE.email)
    sign_in = door.accepted(attributes={"urn:long": ("\u202e" + "x" * 1_000_000,)})
    page = alice.open(f"{LOG}/{sign_in.reference}")
    assert page.status_code == 200
    assert "1,000,001 characters in all" in alice.text()
    assert max(len(code) for code in alice.html.xpath("//code//text()")) <= 16_384
