"""Attacks on the way out and back of a sign-in that starts here, through the pages."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

import pytest
from attack import attack
from attacks.traces import Traces
from browser import Browser
from cast import MALLORY
from lxml import etree
from responses import Idp, post_field

from sp.saml.messages import Limits
from sp.saml.redirect_binding import Carried, RedirectMessage, read_query

LEADS_AWAY = (
    "//evil.example",
    "https://evil.example/",
    "/\\evil.example",
    "https:evil.example",
    "/%2f%2fevil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "\t//evil.example",
    "/@evil.example/..//evil.example",
)
INJECTED = (
    "?idp=https://evil.example/",
    "?ForceAuthn=true",
    "?RelayState=https://evil.example/",
    "?SAMLRequest=x&Signature=y",
    "?next=%22%3E%3Csamlp:Extensions/%3E",
    "?login_hint=%26SAMLRequest%3Dx",
)


def request_of(browser: Browser, address: str) -> tuple[etree._Element, dict[str, list[str]]]:
    """The request that goes out, and the whole query that carries it."""
    browser.client.follow_redirects = False
    page = browser.open(address)
    assert page.status_code == 303, page.text
    query = urlsplit(page.headers["location"]).query
    message = read_query(query.encode(), Carried.REQUEST, Limits())
    assert isinstance(message, RedirectMessage), message
    return etree.fromstring(message.xml), parse_qs(query)


def answer(browser: Browser, idp: Idp, request_id: str, relay_state: str = "") -> str:
    field = post_field(idp.response(in_response_to=request_id))
    page = browser.post("/saml2", data={"SAMLResponse": field, "RelayState": relay_state})
    assert page.status_code == 303, page.text
    return str(page.headers["location"])


@attack("WEB-01 next", "a place to return to that leads away")
@pytest.mark.parametrize("wanted", LEADS_AWAY)
def test_a_sign_in_never_returns_to_another_site(browser: Browser, connected: Idp, wanted: str) -> None:
    root, _ = request_of(browser, f"/sso/login/business?next={quote(wanted)}")
    assert answer(browser, connected, root.get("ID", "")) == "/"


@attack("WEB-01 signed in", "the same for somebody who is signed in already")
@pytest.mark.parametrize("wanted", LEADS_AWAY)
def test_whoever_is_signed_in_is_not_led_away_either(britta: Browser, wanted: str) -> None:
    britta.client.follow_redirects = False
    for address in ("/sso/login/business", "/sso/start/"):
        assert britta.open(f"{address}?next={quote(wanted)}").headers["location"] == "/"


@attack("WEB-04", "the RelayState of another sign-in, or an address, with the answer to Britta's", count=2)
def test_the_relay_state_of_an_answer_counts_for_nothing(browser: Browser, connected: Idp) -> None:
    first, _ = request_of(browser, "/sso/login/business?next=/my-profile")
    second, _ = request_of(browser, "/sso/login/business?next=/healthz")
    assert answer(browser, connected, first.get("ID", ""), second.get("ID", "")) == "/my-profile"
    assert answer(browser, connected, second.get("ID", ""), "https://evil.example/") == "/healthz"


@attack("WEB-24", "parameters that would change the request, the provider or the query")
@pytest.mark.parametrize("query", INJECTED)
@pytest.mark.usefixtures("connected")
def test_parameters_change_nothing_in_a_request(browser: Browser, query: str) -> None:
    plain, sent_plain = request_of(browser, "/sso/login/business")
    root, sent = request_of(browser, f"/sso/login/business{query}")
    own = {"ID", "IssueInstant"}
    assert {k: v for k, v in root.attrib.items() if k not in own} == {
        k: v for k, v in plain.attrib.items() if k not in own
    }
    assert [child.tag for child in root] == [child.tag for child in plain]
    assert set(sent) == set(sent_plain)
    assert browser.page.headers["location"].startswith("https://idp.contoso.example/sign-in?SAMLRequest=")


@attack("WEB-08 here", "Mallory's own answer, posted from her page into Britta's browser")
def test_mallory_cannot_sign_britta_in_as_herself(
    browser: Browser, app: object, connected: Idp, traces: Traces
) -> None:
    """Britta's browser has begun a sign-in of its own, so it has a cookie."""
    mallory = Browser(app)  # type: ignore[arg-type]
    root, _ = request_of(mallory, "/sso/login/business")
    request_of(browser, "/sso/login/business")
    field = post_field(connected.response(in_response_to=root.get("ID", ""), name_id=MALLORY.email))
    page = browser.post("/saml2", data={"SAMLResponse": field}, headers={"Origin": "https://evil.example"})
    assert page.status_code == 403
    assert "virtual_office_session" not in page.headers.get("set-cookie", "")
    assert traces._granted() == traces.before


@attack("WEB-10 bench", "an answer to the request bench opens no session, and makes no user")
def test_the_bench_signs_nobody_in(alice: Browser, connected: Idp, traces: Traces) -> None:
    page = "/account-manager/business/accounts/single-sign-on/requests/bench"
    alice.client.follow_redirects = False
    alice.open(page)
    xml = alice.value_of("xml").lstrip()
    sent = alice.submit(page, xml=xml)
    assert sent.status_code == 303
    field = post_field(
        connected.response(in_response_to=etree.fromstring(xml).get("ID"), name_id="new@contoso.example")
    )
    back = alice.post("/saml2", data={"SAMLResponse": field})
    assert "/sign-in-log/" in back.headers["location"]
    assert "virtual_office_session" not in back.headers.get("set-cookie", "")
    after = traces._granted()
    assert (after["User"], after["UserSession"]) == (traces.before["User"], traces.before["UserSession"])
