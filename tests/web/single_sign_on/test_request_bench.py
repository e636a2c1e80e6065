"""The request bench: any request goes out as it was written, and its answer is shown and signs nobody in."""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import xmlsec
from browser import Browser
from cast import ACS_URL, BRITTA, ENTITY_ID, NOW
from lxml import etree
from responses import Idp, post_field
from sqlalchemy import func, select

from sp.flows.request_oddities import ODDITIES
from sp.flows.service_keys import published
from sp.models import AuthnRequest, Realm, User, UserSession
from sp.saml import names
from sp.saml.certificates import pem, stored_certificate
from sp.saml.messages import Limits
from sp.saml.redirect_binding import Carried, RedirectMessage, read_query, verify_query
from sp.saml.report import Outcome
from sp.store import accounts, realms
from sp.store.rows import required
from sp.web.state import Service

PAGE = "/account-manager/business/accounts/single-sign-on/requests/bench"
SIGN_IN_URL = "https://idp.contoso.example/sign-in"

pytestmark = pytest.mark.usefixtures("connected")


def count(service: Service, table: Any) -> int:
    with service.database.reading() as session:
        return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def send(browser: Browser, oddity: str = "ordinary", **fields: Any) -> Any:
    browser.client.follow_redirects = False
    browser.open(f"{PAGE}?oddity={oddity}")
    return browser.submit(PAGE, **{"xml": shown(browser)} | fields)


def shown(browser: Browser) -> str:
    """The XML in the form. Browsers drop the line break at the beginning of a text area."""
    return browser.value_of("xml").removeprefix("\n")


def sent_by_redirect(browser: Browser, oddity: str = "ordinary", **fields: str) -> RedirectMessage:
    page = send(browser, oddity, **fields)
    assert page.status_code == 303, browser.text()
    location = page.headers["location"]
    assert location.startswith(f"{SIGN_IN_URL}?SAMLRequest=")
    message = read_query(urlsplit(location).query.encode(), Carried.REQUEST, Limits())
    assert isinstance(message, RedirectMessage), message
    return message


def sent_by_post(browser: Browser, oddity: str = "ordinary", **fields: str) -> bytes:
    send(browser, oddity, binding="post", **fields)
    return base64.b64decode(dict(browser.form(SIGN_IN_URL).form_values())["SAMLRequest"])


def answer(browser: Browser, idp: Idp, request_id: str, **changes: Any) -> Any:
    return browser.post("/saml2", data={"SAMLResponse": post_field(idp.response(in_response_to=request_id, **changes))})


def id_of(xml: bytes) -> str:
    return etree.fromstring(xml).get("ID", "")


@pytest.mark.parametrize("oddity", [oddity.key for oddity in ODDITIES])
def test_every_oddity_goes_out_as_the_bench_shows_it(alice: Browser, oddity: str) -> None:
    message = sent_by_redirect(alice, oddity)
    alice.open(f"{PAGE}?oddity={oddity}")
    again = shown(alice)
    assert message.xml.decode()[:16] == again[:16]
    assert len(message.xml) == len(again.encode())


def test_the_oddities_have_names_of_their_own() -> None:
    assert len({oddity.key for oddity in ODDITIES}) == len({oddity.label for oddity in ODDITIES}) == len(ODDITIES)


def test_an_unknown_oddity_is_the_ordinary_request(alice: Browser) -> None:
    assert alice.open(f"{PAGE}?oddity=nonsense").status_code == 200
    assert 'ProtocolBinding="urn:oasis' in alice.value_of("xml")


def test_what_was_typed_goes_out_to_the_byte(alice: Browser, service: Service) -> None:
    assert sent_by_redirect(alice, xml="no <XML at\r\n all ü").xml == "no <XML at\n all ü".encode()
    assert sent_by_post(alice, xml="<a/>") == b"<a/>"
    assert count(service, AuthnRequest) == 0


def test_a_signature_verifies_or_is_broken_as_chosen(alice: Browser, service: Service) -> None:
    with service.database.reading() as session:
        (der,) = published(session).signing
    certificate = stored_certificate(der)
    for signing, wanted in (("signed", Outcome.PASSED), ("broken", Outcome.FAILED), ("none", Outcome.FAILED)):
        message = sent_by_redirect(alice, signing=signing)
        assert (message.signature is None) is (signing == "none")
        assert verify_query(message, (certificate,)).finding.outcome is wanted, signing
    assert _verifies(sent_by_post(alice, signing="signed"), der)
    assert not _verifies(sent_by_post(alice, signing="broken"), der)
    assert b"Signature" not in sent_by_post(alice, signing="none")


def _verifies(xml: bytes, certificate: bytes) -> bool:
    root = etree.fromstring(xml)
    signature = root.find(names.SIGNATURE)
    assert signature is not None
    context = xmlsec.SignatureContext()
    context.register_id(root, "ID")
    context.key = xmlsec.Key.from_memory(pem(certificate), xmlsec.constants.KeyDataFormatCertPem)
    try:
        context.verify(signature)
    except xmlsec.Error:
        return False
    return True


OTHERS = {
    "a LogoutRequest": ("AuthnRequest", "LogoutRequest"),
    "metadata": ("samlp:AuthnRequest", "md:EntityDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'"),
    "an answer that goes elsewhere": (
        f'AssertionConsumerServiceURL="{ACS_URL}"',
        'AssertionConsumerServiceURL="https://mallory.example/"',
    ),
    "another Issuer": (f">{ENTITY_ID}<", ">https://mallory.example/<"),
    "two Issuers": ("</saml:Issuer>", "</saml:Issuer><saml:Issuer>https://mallory.example/</saml:Issuer>"),
    "no Issuer": (f"<saml:Issuer>{ENTITY_ID}</saml:Issuer>", ""),
    "letters that others read otherwise": ("<samlp:", "<?xml version='1.0' encoding='utf-7'?><samlp:"),
    "no XML": ("<samlp:", "< samlp:"),
}


class TestTheKeyThatAllCompaniesShare:
    """Mallory is Fabrikam's administrator; Contoso's identity provider trusts the same signature."""

    @pytest.mark.parametrize("binding", ["redirect", "post"])
    @pytest.mark.parametrize("signing", ["signed", "broken"])
    @pytest.mark.parametrize("other", OTHERS)
    def test_it_signs_nothing_that_could_harm_others(
        self, alice: Browser, service: Service, other: str, signing: str, binding: str
    ) -> None:
        alice.open(PAGE)
        ordinary = shown(alice)
        xml = ordinary.replace(*OTHERS[other], 1).replace("</samlp:AuthnRequest>", _end_of(other))
        assert xml != ordinary
        assert send(alice, xml=xml, signing=signing, binding=binding).status_code == 422
        assert "cannot be signed" in alice.error_at("xml")
        assert count(service, AuthnRequest) == 0
        assert send(alice, xml=xml, signing="none", binding=binding).status_code != 422

    def test_the_only_company_signs_what_it_likes(self, alice: Browser, service: Service) -> None:
        alice.open(PAGE)
        xml = shown(alice).replace("AuthnRequest", "LogoutRequest")
        with service.database.writing() as session:
            fabrikam = accounts.company_named(session, "Fabrikam")
            assert fabrikam is not None
            fabrikam.realm_id = required(realms.add(session, Realm(name="elsewhere", expires_at=NOW)).id)
        assert sent_by_redirect(alice, xml=xml, signing="signed").signature


def _end_of(other: str) -> str:
    return {"a LogoutRequest": "</samlp:LogoutRequest>", "metadata": "</md:EntityDescriptor>"}.get(
        other, "</samlp:AuthnRequest>"
    )


class TestAnswers:
    def test_an_answer_is_shown_and_signs_nobody_in(self, alice: Browser, service: Service, connected: Idp) -> None:
        request_id = id_of(sent_by_redirect(alice).xml)
        page = answer(alice, connected, request_id, name_id="new@contoso.example")
        assert page.status_code == 303
        assert "set-cookie" not in page.headers
        assert (count(service, UserSession), count(service, User)) == (0, 1)
        alice.client.follow_redirects = True
        alice.open(page.headers["location"])
        assert "Answers the request that was sent" in alice.text()
        assert "nobody was signed in" in alice.text()
        assert "Accepted, nobody signed in" in alice.html.xpath("string(//figure[@class='sequence'])")
        assert "Signed in" not in alice.text()
        assert request_id in alice.text()
        assert alice.open("/account-manager").status_code == 200

    def test_a_refusal_of_the_identity_provider_is_shown_too(self, alice: Browser, connected: Idp) -> None:
        request_id = id_of(sent_by_redirect(alice, "is-passive").xml)

        def refuse(root: etree._Element) -> None:
            root.remove(root[-1])
            root[1][0].set("Value", f"{names.STATUS_URI}Responder")

        page = answer(alice, connected, request_id, mutate=refuse, signed=None)
        alice.client.follow_redirects = True
        alice.open(page.headers["location"])
        assert "Answers the request that was sent" in alice.text()
        assert 'IsPassive="true"' in alice.text()

    def test_an_answer_comes_once(self, alice: Browser, connected: Idp) -> None:
        request_id = id_of(sent_by_redirect(alice).xml)
        answer(alice, connected, request_id)
        second = answer(alice, connected, request_id)
        alice.client.follow_redirects = True
        alice.open(second.headers["location"])
        assert "Refused" in alice.text()

    def test_what_the_request_asked_is_what_the_answer_is_held_against(self, alice: Browser, connected: Idp) -> None:
        request_id = id_of(sent_by_redirect(alice, "context").xml)
        page = answer(alice, connected, request_id)
        alice.client.follow_redirects = True
        alice.open(page.headers["location"])
        assert "urn:example:telepathy" in alice.text()
        assert "Refused" in alice.text()

    def test_an_ordinary_answer_shows_its_request_too(self, alice: Browser, browser: Browser, connected: Idp) -> None:
        browser.client.follow_redirects = False
        location = browser.open("/sso/login/business").headers["location"]
        message = read_query(urlsplit(location).query.encode(), Carried.REQUEST, Limits())
        assert isinstance(message, RedirectMessage)
        answer(browser, connected, id_of(message.xml), name_id=BRITTA.email)
        alice.open("/account-manager/business/accounts/single-sign-on/sign-in-log")
        found = re.search(r"/account-manager/[a-z/-]+/sign-in-log/[2-9A-Z]{8}", alice.page.text)
        assert found is not None
        alice.open(found[0])
        assert "Answers the request that was sent" in alice.text()
        assert "nobody was signed in" not in alice.text()


class TestTheForm:
    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("xml", "  ", "Write a request"),
            ("xml", "x" * 70_000, "At most 64 KiB"),
            ("binding", "soap", "Choose one of the bindings"),
            ("signing", "maybe", "Choose what to do"),
            ("relay_state", "x" * 2000, "At most 1024"),
        ],
    )
    def test_what_cannot_be_sent_says_so(self, alice: Browser, field: str, value: str, sentence: str) -> None:
        assert send(alice, **{field: value}).status_code == 422
        assert sentence in alice.error_at(field)

    @pytest.mark.parametrize("xml", ["<a/>", "no XML", "<a", "<!DOCTYPE a><a ID='_1'"])
    def test_what_cannot_be_signed_says_so(self, alice: Browser, xml: str) -> None:
        assert send(alice, binding="post", signing="signed", xml=xml).status_code == 422
        assert "cannot be signed" in alice.error_at("xml")
        assert xml in alice.value_of("xml")

    def test_the_same_request_may_be_sent_again(self, alice: Browser, service: Service) -> None:
        for _ in range(2):
            assert send(alice, xml='<a ID="_again"/>').status_code == 303
        assert count(service, AuthnRequest) == 1

    def test_an_id_of_an_ordinary_request_is_taken(self, alice: Browser, service: Service) -> None:
        alice.client.cookies.delete("virtual_office_browser")
        other = Browser(alice.client.app)  # type: ignore[arg-type]
        other.client.follow_redirects = False
        location = other.open("/sso/login/business").headers["location"]
        message = read_query(urlsplit(location).query.encode(), Carried.REQUEST, Limits())
        assert isinstance(message, RedirectMessage)
        assert send(alice, xml=message.xml.decode()).status_code == 422
        assert "Another request had this ID" in alice.error_at("xml")
        with service.database.reading() as session:
            kept: AuthnRequest = session.execute(select(AuthnRequest)).scalar_one()
        assert not kept.bench

    def test_its_policy_lets_the_form_lead_to_the_identity_provider(self, alice: Browser) -> None:
        assert "form-action 'self' https:;" in alice.open(PAGE).headers["content-security-policy"]

    def test_what_was_sent_is_listed_and_shown(self, alice: Browser) -> None:
        message = sent_by_redirect(alice, "subject")
        alice.open(PAGE)
        (link,) = alice.html.xpath(f"//a[contains(., '{id_of(message.xml)}')]/@href")
        alice.open(link)
        assert "<saml:Subject>" in alice.text()
        assert "Waiting" in alice.text()

    def test_an_id_of_strange_characters_has_a_page_too(self, alice: Browser) -> None:
        send(alice, xml='<a ID="../a?b#c/%2e d"/>')
        alice.open(PAGE)
        (link,) = alice.html.xpath("//ul[@class='bench-latest']//a/@href")
        assert alice.open(link).status_code == 200
        assert "../a?b#c/%2e d" in alice.text()

    def test_it_is_nobody_elses(self, alice: Browser, charlie: Browser, britta: Browser) -> None:
        message = sent_by_redirect(alice)
        sent = PAGE.replace("bench", f"sent?id={id_of(message.xml)}")
        assert alice.open(sent).status_code == 200
        assert charlie.open(sent.replace("business", "fabrikam")).status_code == 404
        assert [charlie.open(path).status_code for path in (PAGE, sent)] == [404, 404]
        assert britta.open(PAGE).status_code == 403
        assert alice.post(PAGE, data={"xml": "<a/>"}).status_code == 403

    @pytest.mark.parametrize("path", ["_none", "x" * 100, "a%00b"])
    def test_a_request_that_is_not_there_is_a_page(self, alice: Browser, path: str) -> None:
        assert alice.open(PAGE.replace("bench", f"sent?id={path}")).status_code == 404
