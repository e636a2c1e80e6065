"""Signing out here: what the browser is given to carry, and what the answer is told as."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser import Browser, StillClock
from cast import BRITTA, CONTOSO_ISSUER
from logouts import posted_form, query, response
from lxml import etree
from responses import EMAIL_FORMAT, NS, Idp, all_of, one, with_attribute
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
NAME_ID = "saml:Assertion/saml:Subject/saml:NameID"


def press_sign_out(browser: Browser) -> None:
    browser.open("/my-profile")
    browser.submit("/sign-out")


def message_of(browser: Browser) -> etree._Element:
    """The LogoutRequest in the address that the page goes on to."""
    return Document(_carried(browser).xml, Limits()).element


def _carried(browser: Browser) -> RedirectMessage:
    (address,) = browser.html.xpath("//meta[@http-equiv='refresh']/@content")
    message = read_query(urlsplit(address.removeprefix("0; url=")).query.encode(), Carried.REQUEST, Limits())
    assert isinstance(message, RedirectMessage)
    return message


def own_certificate(service: Service) -> Any:
    with service.database.reading() as session:
        return stored_certificate(signing_key(session).certificate)


def test_without_a_sign_out_url_it_ends_here(connect: Connect, sign_in: SignIn) -> None:
    browser = sign_in(connect(sign_out_url=""))
    press_sign_out(browser)
    assert "Sign In" in browser.html.findtext(".//h1")


def test_a_password_session_tells_no_identity_provider(connect: Connect, britta: Browser) -> None:
    connect(sign_out_binding="redirect")
    press_sign_out(britta)
    assert "Sign In" in britta.html.findtext(".//h1")


def test_a_plain_account_goes_to_the_sign_out_url_with_nothing_in_it(connect: Connect, sign_in: SignIn) -> None:
    browser = sign_in(connect())
    press_sign_out(browser)
    assert browser.html.xpath("//meta[@http-equiv='refresh']/@content") == [f"0; url={SIGN_OUT}"]
    assert browser.html.xpath("//main//a/@href") == [SIGN_OUT]


def test_by_redirect_the_request_is_signed_and_names_the_session(
    connect: Connect, sign_in: SignIn, service: Service
) -> None:
    browser = sign_in(connect(sign_out_binding="redirect"))
    press_sign_out(browser)
    root, carried = message_of(browser), _carried(browser)
    assert verify_query(carried, (own_certificate(service),)).finding.outcome is Outcome.PASSED
    assert schema_problem(Document(carried.xml, Limits())) is None
    assert root.get("Destination") == SIGN_OUT
    assert one(root, "saml:Issuer").text == service.settings.entity_id
    assert (one(root, "saml:NameID").text, one(root, "saml:NameID").get("Format")) == (BRITTA.email, EMAIL_FORMAT)
    assert one(root, "samlp:SessionIndex").text == "_one"
    assert root.find("ds:Signature", NS) is None


def test_the_name_goes_back_as_it_came(connect: Connect, sign_in: SignIn, service: Service) -> None:
    qualifiers = {"NameQualifier": CONTOSO_ISSUER, "SPNameQualifier": service.settings.entity_id}
    named = all_of(*(with_attribute(NAME_ID, *pair) for pair in qualifiers.items()))
    browser = sign_in(connect(sign_out_binding="redirect"), mutate=named)
    press_sign_out(browser)
    sent = one(message_of(browser), "saml:NameID").attrib.items()
    assert {str(name): str(value) for name, value in sent} == {"Format": EMAIL_FORMAT, **qualifiers}


def test_an_index_that_did_not_fit_is_left_out(connect: Connect, sign_in: SignIn) -> None:
    long = with_attribute("saml:Assertion/saml:AuthnStatement", "SessionIndex", "x" * 2000)
    browser = sign_in(connect(sign_out_binding="redirect"), mutate=long)
    press_sign_out(browser)
    assert message_of(browser).find("samlp:SessionIndex", NS) is None


def test_by_post_the_form_leads_to_the_identity_provider_alone(
    connect: Connect, sign_in: SignIn, service: Service
) -> None:
    browser = sign_in(connect(sign_out_binding="post"))
    press_sign_out(browser)
    fields = dict(browser.form(SIGN_OUT).form_values())
    assert list(fields) == ["SAMLRequest"]
    policy = browser.page.headers["content-security-policy"]
    assert "form-action 'self' https:;" in policy
    root = etree.fromstring(base64.b64decode(str(fields["SAMLRequest"])))
    trust = SigningTrust((own_certificate(service),), service.now())
    rows, signed = judge_enveloped(root, trust)
    assert signed is not None, rows
    assert [child.tag for child in root][:2] == [names.ISSUER, names.SIGNATURE]


@pytest.mark.parametrize(
    ("status", "heading", "words"),
    [
        ((names.SUCCESS,), "You are signed out", "confirmed that it signed you out too"),
        ((names.RESPONDER, names.PARTIAL_LOGOUT), "You are signed out", "every other application"),
        ((names.SUCCESS, names.PARTIAL_LOGOUT), "You are signed out", "every other application"),
        ((names.REQUESTER,), "You are signed out here only", "could not sign you out"),
    ],
    ids=["confirmed", "partial", "partial success", "failed"],
)
def test_the_page_says_plainly_what_the_answer_says(
    connect: Connect, sign_in: SignIn, clock: StillClock, status: tuple[str, ...], heading: str, words: str
) -> None:
    idp = connect(sign_out_binding="redirect")
    browser = sign_in(idp)
    press_sign_out(browser)
    answer = response(
        idp,
        now=clock.now,
        in_response_to=message_of(browser).get("ID"),
        status=status,
        said="What it says",
        signed=False,
    )
    browser.open(f"/saml2/slo?{query(idp, answer, Kind.RESPONSE).decode()}")
    assert (browser.page.status_code, browser.html.findtext(".//h1")) == (200, heading)
    assert words in browser.text()
    assert ("What it says" in browser.text()) is (status != (names.SUCCESS,))


def test_an_answer_from_the_other_host_counts_once_it_is_entered(
    connect: Connect, sign_in: SignIn, clock: StillClock
) -> None:
    """Entra ID signs people in as sts.windows.net and out as login.microsoftonline.com."""
    other = "https://login.contoso.example/"
    idp = connect(sign_out_binding="redirect", sign_out_issuer=other)
    browser = sign_in(idp)
    press_sign_out(browser)
    answer = response(idp, now=clock.now, issuer=other, in_response_to=message_of(browser).get("ID"), signed=False)
    browser.open(f"/saml2/slo?{query(idp, answer, Kind.RESPONSE).decode()}")
    assert "confirmed" in browser.text()


def test_a_posted_answer_is_posted_once_more_where_the_cookie_stayed_behind(
    connect: Connect, sign_in: SignIn, clock: StillClock
) -> None:
    """On plain http a browser keeps the cookie of our requests back from another site's form."""
    idp = connect(sign_out_binding="redirect")
    browser = sign_in(idp)
    press_sign_out(browser)
    answer = response(idp, now=clock.now, in_response_to=message_of(browser).get("ID"))
    kept = dict(browser.client.cookies)
    browser.client.cookies.clear()
    fields = dict(posted_form(answer, Kind.RESPONSE).fields)
    browser.post("/saml2/slo", data=fields, headers={"Origin": "https://idp.contoso.example"})
    form = browser.form("/saml2/slo")
    assert dict(form.form_values()) == {**fields, "again": "1"}
    browser.client.cookies.update(kept)
    browser.submit("/saml2/slo")
    assert "confirmed" in browser.text()


def test_the_page_tells_strangers_one_sentence_and_the_reference(make_app: Callable[..., Any]) -> None:
    browser = Browser(make_app(details_public=False))
    browser.open("/saml2/slo?SAMLResponse=x")
    assert browser.page.status_code == 400
    assert "Give them this reference" in browser.text()
    assert "base64" not in browser.text()


@pytest.mark.parametrize("path", ["/saml2/slo", "/saml2/slo?RelayState=x"])
def test_without_a_message_the_address_says_what_it_is_for(browser: Browser, path: str) -> None:
    browser.open(path)
    assert browser.page.status_code == 400
    assert "takes sign-out messages" in browser.text()
