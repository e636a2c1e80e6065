"""LogoutRequests of the identity provider: how each binding is answered."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser import Browser, StillClock
from fastapi import FastAPI
from logouts import by_soap, posted_form, query, request, soap_body
from lxml import etree
from responses import Idp, one
from web.sign_out.conftest import SIGN_OUT

from sp.flows.service_keys import signing_key
from sp.saml import names
from sp.saml.certificates import stored_certificate
from sp.saml.enveloped import SigningTrust, judge_enveloped
from sp.saml.logout_messages import Kind
from sp.saml.messages import Limits
from sp.saml.redirect_binding import Carried, RedirectMessage, read_query, verify_query
from sp.saml.report import Outcome
from sp.saml.xml import Document, schema_problem
from sp.web.state import Service

Connect = Callable[..., Idp]
SignIn = Callable[..., Browser]
ELSEWHERE = "https://idp.contoso.example/sign-out-answers"
SOAP = {"Content-Type": "text/xml; charset=utf-8"}


@pytest.fixture
def stranger(app: FastAPI) -> Browser:
    """A browser that has never been here, as in the identity provider's frame."""
    browser = Browser(app)
    browser.client.follow_redirects = False
    return browser


def certificate(service: Service) -> Any:
    with service.database.reading() as session:
        return stored_certificate(signing_key(session).certificate)


def redirected(browser: Browser, service: Service) -> tuple[str, etree._Element]:
    """Where the answer goes, and the verified LogoutResponse."""
    parts = urlsplit(browser.page.headers["location"])
    message = read_query(parts.query.encode(), Carried.RESPONSE, Limits())
    assert isinstance(message, RedirectMessage)
    assert verify_query(message, (certificate(service),)).finding.outcome is Outcome.PASSED
    document = Document(message.xml, Limits())
    assert schema_problem(document) is None
    return parts._replace(query="").geturl(), document.element


@pytest.mark.parametrize("response_url", ["", ELSEWHERE])
def test_by_redirect(connect: Connect, sign_in: SignIn, stranger: Browser, service: Service, response_url: str) -> None:
    idp = connect(sign_out_binding="redirect", sign_out_response_url=response_url)
    sign_in(idp)
    octets = query(idp, request(idp, now=service.now(), identifier="_theirs", signed=False), relay_state="there")
    stranger.open(f"/saml2/slo?{octets.decode()}")
    where, root = redirected(stranger, service)
    assert where == (response_url or SIGN_OUT)
    assert (root.get("InResponseTo"), root.get("Destination")) == ("_theirs", where)
    assert one(root, "saml:Issuer").text == service.settings.entity_id
    assert one(root, "samlp:Status/samlp:StatusCode").get("Value") == names.SUCCESS
    assert "RelayState=there" in stranger.page.headers["location"]


def test_by_post_the_answer_may_stand_in_the_identity_providers_frame(
    connect: Connect, sign_in: SignIn, stranger: Browser, service: Service
) -> None:
    idp = connect(sign_out_binding="post")
    sign_in(idp)
    stranger.post("/saml2/slo", data=dict(posted_form(request(idp, now=service.now()), RelayState="there").fields))
    fields = dict(stranger.form(SIGN_OUT).form_values())
    assert fields["RelayState"] == "there"
    root = etree.fromstring(base64.b64decode(str(fields["SAMLResponse"])))
    assert judge_enveloped(root, SigningTrust((certificate(service),), service.now()))[1] is not None
    assert "frame-ancestors https://idp.contoso.example" in stranger.page.headers["content-security-policy"]


@pytest.mark.parametrize("host", ["österreich.example", "出口.example", "a;sandbox", "a,b.example", "[2001:db8::1]"])
def test_a_host_that_a_policy_cannot_name_frames_nothing(
    connect: Connect, sign_in: SignIn, stranger: Browser, service: Service, host: str
) -> None:
    """A header takes no such letters, and a semicolon would begin a directive of the identity provider's own."""
    idp = connect(sign_out_binding="post", sign_out_url=f"https://{host}/out")
    sign_in(idp)
    stranger.post("/saml2/slo", data=dict(posted_form(request(idp, now=service.now())).fields))
    assert stranger.page.status_code == 200
    assert stranger.form(f"https://{host}/out") is not None
    assert "frame-ancestors 'none'" in stranger.page.headers["content-security-policy"]


def test_a_plain_account_answers_as_it_was_asked(
    connect: Connect, sign_in: SignIn, stranger: Browser, service: Service
) -> None:
    idp = connect(sign_out_binding="plain")
    sign_in(idp)
    stranger.post("/saml2/slo", data=dict(posted_form(request(idp, now=service.now())).fields))
    assert stranger.form(SIGN_OUT) is not None


def test_without_an_address_the_page_says_so(
    connect: Connect, sign_in: SignIn, stranger: Browser, service: Service
) -> None:
    idp = connect(sign_out_url="")
    britta = sign_in(idp)
    octets = query(idp, request(idp, now=service.now(), signed=False))
    stranger.open(f"/saml2/slo?{octets.decode()}")
    assert (stranger.page.status_code, "no address here to be answered at" in stranger.text()) == (200, True)
    assert britta.client.get("/my-profile", follow_redirects=False).status_code == 303


def test_by_soap_the_answer_is_in_the_envelope(
    connect: Connect, sign_in: SignIn, stranger: Browser, service: Service
) -> None:
    idp = connect()
    sign_in(idp)
    body = soap_body(request(idp, now=service.now(), identifier="_theirs", destination=None))
    answer = stranger.post("/saml2/slo/soap", content=body, headers=SOAP)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/xml")
    root = Document(answer.content, Limits()).element[0][0]
    alone = etree.fromstring(etree.tostring(root))
    assert alone.get("InResponseTo") == "_theirs"
    assert judge_enveloped(alone, SigningTrust((certificate(service),), service.now()))[1] is not None


@pytest.mark.parametrize("details", [True, False])
def test_by_soap_a_refusal_is_a_fault(make_app: Callable[..., FastAPI], clock: StillClock, details: bool) -> None:
    browser = Browser(make_app(details_public=details))
    mallory = Idp.make("https://idp.mallory.example/")
    answer = browser.post("/saml2/slo/soap", content=soap_body(request(mallory, now=clock.now)), headers=SOAP)
    assert answer.status_code == 500
    assert "soap:Fault" in answer.text
    assert "Reference" in answer.text
    assert ("No account trusts the issuer" in answer.text) is details


@pytest.mark.parametrize("body", [b"", b"<", b"\x00", b"<a/>", soap_body(b""), by_soap(b"<a/>").body])
def test_by_soap_nothing_breaks(stranger: Browser, body: bytes) -> None:
    answer = stranger.post("/saml2/slo/soap", content=body, headers=SOAP)
    assert (answer.status_code, "soap:Fault" in answer.text) == (500, True)


@pytest.mark.parametrize(
    "query_string",
    [
        "SAMLRequest=",
        "SAMLRequest=%",
        "SAMLRequest=a&SAMLRequest=b",
        "SAMLRequest=a&SAMLResponse=b",
        "SAMLRequest=\xff",
    ],
)
def test_by_redirect_nothing_breaks(stranger: Browser, query_string: str) -> None:
    answer = stranger.open(f"/saml2/slo?{query_string}")
    assert answer.status_code == 400
    assert "We couldn't accept this sign-out message" in stranger.text()


def test_a_message_that_is_too_large_is_not_read(stranger: Browser) -> None:
    answer = stranger.post("/saml2/slo", data={"SAMLRequest": "A" * 300_000})
    assert answer.status_code == 413


def test_a_response_at_this_address_and_a_request_at_the_other(
    connect: Connect, stranger: Browser, service: Service
) -> None:
    idp = connect()
    sign_in_message = base64.b64encode(idp.response(now=service.now())).decode()
    stranger.post("/saml2/slo", data={"SAMLResponse": sign_in_message})
    assert "whose place is the assertion consumer service" in stranger.text()
    logout = base64.b64encode(request(idp, now=service.now())).decode()
    stranger.post("/saml2", data={"SAMLResponse": logout})
    assert "send it to /saml2/slo" in stranger.text()
    stranger.post("/saml2", data=dict(posted_form(request(idp), Kind.REQUEST).fields))
    assert stranger.page.status_code == 400
