"""Sign-in started here, as browsers see it: the pages, the way there and back, the cookies and the policy."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import Browser
from cast import ALICE, BASE_URL, BRITTA, FABRIKAM_ISSUER
from fastapi import FastAPI
from lxml import etree
from responses import Idp, post_field, with_attribute
from web.conftest import connect

from sp.flows import account_setup
from sp.flows.account_setup import Saved
from sp.saml.messages import Limits
from sp.saml.redirect_binding import Carried, RedirectMessage, read_query
from sp.store import accounts
from sp.web.state import Service

SIGN_IN_URL = "https://idp.contoso.example/sign-in"
ELSEWHERE = {"Origin": "https://idp.contoso.example"}


def configure(service: Service, **changes: Any) -> None:
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        draft = replace(account_setup.draft_of(session, account), **changes)
        saved = account_setup.save_sso_settings(
            session, service.settings, account, draft, saved_by=ALICE.email, now=service.now()
        )
    assert isinstance(saved, Saved), saved


def add_fabrikam(service: Service) -> None:
    idp = Idp.make(FABRIKAM_ISSUER)
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, "fabrikam")
        assert account is not None
        draft = account_setup.SsoDraft(
            single_sign_on=True, issuer=idp.entity_id, certificates=(idp.certificate,), sign_in_url="https://f.example/"
        )
        account_setup.save_sso_settings(session, service.settings, account, draft, saved_by="c", now=service.now())


def sent_by(browser: Browser, address: str = "/sso/login/business") -> str:
    """Opens the address and returns the ID of the request that goes out by Redirect."""
    browser.client.follow_redirects = False
    page = browser.open(address)
    assert page.status_code == 303, page.text
    message = read_query(urlsplit(page.headers["location"]).query.encode(), Carried.REQUEST, Limits())
    assert isinstance(message, RedirectMessage)
    return etree.fromstring(message.xml).get("ID", "")


def answered(browser: Browser, idp: Idp, request_id: str, headers: dict[str, str] | None = None, **changes: Any) -> Any:
    field = post_field(idp.response(in_response_to=request_id, **changes))
    return browser.post("/saml2", data={"SAMLResponse": field, "RelayState": request_id}, headers=headers or {})


def headings(browser: Browser) -> list[str]:
    return [" ".join(found.text_content().split()) for found in browser.html.xpath("//h1")]


class TestTheWayThere:
    def test_the_labels_in_their_order(self, browser: Browser, connected: Idp) -> None:  # noqa: ARG002
        browser.open("/")
        browser.open(str(browser.html.xpath("//a[normalize-space()='Use Single Sign On']/@href")[0]))
        assert "8x8 Username or Email" in browser.text()
        assert "Continue" in browser.text()
        browser.submit("/sso/start/", username=BRITTA.email)
        for label in ("Log in using SAML", "Log in using Google", "Clear SSO Setting"):
            assert label in browser.text()
        link = browser.html.xpath("//a[normalize-space()='Log in using SAML']/@href")[0]
        browser.client.follow_redirects = False
        assert browser.open(link).headers["location"].startswith(SIGN_IN_URL)

    def test_google_is_shown_and_cannot_be_pressed(self, browser: Browser, connected: Idp) -> None:  # noqa: ARG002
        browser.open("/sso/start/")
        browser.submit("/sso/start/", username="anybody")
        (google,) = browser.html.xpath("//button[normalize-space()='Log in using Google']")
        assert google.get("disabled") is not None

    def test_the_choice_is_remembered_until_it_is_cleared(self, browser: Browser, connected: Idp) -> None:  # noqa: ARG002
        browser.open("/sso/start/")
        browser.submit("/sso/start/", username=BRITTA.email)
        assert "Log in using SAML" in browser.open("/").text
        assert BRITTA.email in browser.text()
        browser.submit("/sso/start/clear")
        assert "Password" in browser.text()
        assert "Log in using SAML" not in browser.open("/").text

    def test_a_deep_link_is_kept_all_the_way(self, browser: Browser, connected: Idp) -> None:
        browser.open("/my-profile?tab=1")
        browser.open(str(browser.html.xpath("//a[normalize-space()='Use Single Sign On']/@href")[0]))
        browser.submit("/sso/start/", username=BRITTA.email)
        link = browser.html.xpath("//a[normalize-space()='Log in using SAML']/@href")[0]
        assert link == "/sso/login/business?next=%2Fmy-profile%3Ftab%3D1"
        page = answered(browser, connected, sent_by(browser, link))
        assert (page.status_code, page.headers["location"]) == (303, "/my-profile?tab=1")

    def test_without_a_name_nothing_happens(self, browser: Browser, connected: Idp) -> None:  # noqa: ARG002
        browser.open("/sso/start/")
        assert browser.submit("/sso/start/", username="  ").status_code == 422
        assert browser.error_at("username") == "Enter your 8x8 username or email."

    def test_a_name_of_control_characters_is_no_name(self, browser: Browser, connected: Idp) -> None:  # noqa: ARG002
        browser.open("/sso/start/")
        assert browser.submit("/sso/start/", username="a\0b").status_code == 422

    def test_with_several_companies_the_company_is_asked_for(
        self,
        browser: Browser,
        service: Service,
        connected: Idp,  # noqa: ARG002
    ) -> None:
        add_fabrikam(service)
        browser.open("/sso/start/")
        assert browser.submit("/sso/start/", username="britta").status_code == 200
        assert "Which company is this for?" in browser.text()
        assert browser.submit("/sso/start/", company="Nobody").status_code == 422
        assert "No company of that name" in browser.error_at("company")
        browser.submit("/sso/start/", company="contoso")
        assert browser.html.xpath("//a[@href='/sso/login/business']")

    def test_the_first_page_needs_its_form_token(self, browser: Browser, connected: Idp) -> None:  # noqa: ARG002
        assert browser.post("/sso/start/", data={"username": BRITTA.email}).status_code == 403
        assert browser.post("/sso/start/clear").status_code == 403

    def test_a_bookmark_goes_straight_on(self, browser: Browser, connected: Idp) -> None:
        page = answered(browser, connected, sent_by(browser))
        assert (page.status_code, page.headers["location"]) == (303, "/")
        browser.client.follow_redirects = True
        assert "Application Panel" in browser.open("/").text

    def test_whoever_is_signed_in_already_goes_where_they_wanted(self, britta: Browser, connected: Idp) -> None:  # noqa: ARG002
        britta.client.follow_redirects = False
        assert britta.open("/sso/login/business?next=/my-profile").headers["location"] == "/my-profile"
        assert britta.open("/sso/start/").headers["location"] == "/"

    def test_whoever_is_signed_in_as_somebody_else_begins_a_request(
        self, alice: Browser, britta: Browser, service: Service, connected: Idp
    ) -> None:
        add_fabrikam(service)
        assert sent_by(britta, "/sso/login/fabrikam?next=/my-profile"), "she is a user of another account"
        page = answered(alice, connected, sent_by(alice, "/sso/login/business?next=/my-profile"))
        assert page.headers["location"] == "/my-profile", "she was an administrator"
        alice.client.follow_redirects = True
        assert BRITTA.email in alice.open("/my-profile").text

    @pytest.mark.parametrize("slug", ["nobody", "fabrikam", "A B", "x" * 300, "%00"])
    def test_an_account_that_cannot_start_here_is_a_page_like_any_unknown(
        self,
        browser: Browser,
        connected: Idp,  # noqa: ARG002
        slug: str,
    ) -> None:
        page = browser.open(f"/sso/login/{slug}")
        assert page.status_code == 404
        assert headings(browser) == ["Single Sign On cannot start at this address"]

    def test_a_remembered_cookie_that_is_not_ours_is_ignored(self, browser: Browser) -> None:
        strange = [
            b"x",
            b"[]",
            b'["../x","a"]',
            b'["business","a\\u0000"]',
            b'{"a":1}',
            b"[" * 500,
            b'["business","' + b"a" * 999,
        ]
        for value in ("%%%", "é".encode().hex(), *(base64.urlsafe_b64encode(text).decode() for text in strange)):
            browser.client.cookies.set("virtual_office_sso", value)
            assert "Use Single Sign On" in browser.open("/").text


class TestByPost:
    @pytest.fixture
    def posting(self, service: Service, connected: Idp) -> Idp:
        configure(service, sign_in_binding="post", sign_requests=True)
        return connected

    def test_the_page_carries_the_request_and_a_button(self, browser: Browser, posting: Idp) -> None:
        browser.open("/sso/login/business?next=/my-profile")
        form = browser.form(SIGN_IN_URL)
        fields = dict(form.form_values())
        root = etree.fromstring(base64.b64decode(fields["SAMLRequest"]))
        assert root.find("{http://www.w3.org/2000/09/xmldsig#}Signature") is not None
        assert form.xpath(".//button[normalize-space()='Continue']")
        assert not browser.html.xpath("//script[not(@src)]")
        browser.client.follow_redirects = False
        page = answered(browser, posting, root.get("ID", ""))
        assert page.headers["location"] == "/my-profile"

    def test_its_policy_lets_the_form_go_there_and_the_others_not(self, browser: Browser, posting: Idp) -> None:  # noqa: ARG002
        policy = browser.open("/sso/login/business").headers["content-security-policy"]
        assert "form-action 'self' https:;" in policy
        assert "script-src 'self'" in policy
        assert browser.page.headers["cache-control"] == "no-store"
        assert "form-action 'self';" in browser.open("/").headers["content-security-policy"]

    def test_only_a_provider_on_http_may_pass_the_browser_on_to_http(
        self,
        browser: Browser,
        service: Service,
        posting: Idp,  # noqa: ARG002
    ) -> None:
        configure(service, sign_in_url="http://127.0.0.1:8001/saml2")
        policy = browser.open("/sso/login/business").headers["content-security-policy"]
        assert "form-action 'self' http: https:;" in policy


class TestCookies:
    def test_the_cookie_survives_a_post_from_another_site(self, browser: Browser, connected: Idp) -> None:  # noqa: ARG002
        sent_by(browser)
        cookies = {cookie.partition("=")[0]: cookie for cookie in browser.page.headers.get_list("set-cookie")}
        assert set(cookies) == {"virtual_office_requests", "virtual_office_requests_here"}
        crossing = cookies["virtual_office_requests"]
        assert all(flag in crossing for flag in ("HttpOnly", "SameSite=none", "Secure", "Path=/"))
        assert "Domain" not in crossing
        assert "SameSite=lax" in cookies["virtual_office_requests_here"]

    def test_on_https_there_is_one_and_no_other_host_can_plant_it(
        self, make_app: Callable[..., FastAPI], idp: Idp
    ) -> None:
        app = make_app(base_url="https://virtual-office.example")
        connect(app.state.service, idp)
        browser = Browser(app, base_url="https://virtual-office.example")
        sent_by(browser)
        (cookie,) = browser.page.headers.get_list("set-cookie")
        assert cookie.startswith("__Host-virtual_office_requests=")
        assert "SameSite=none" in cookie
        assert "Secure" in cookie

    def test_a_second_request_of_the_browser_keeps_its_token(self, browser: Browser, connected: Idp) -> None:
        first = sent_by(browser)
        second = sent_by(browser)
        assert answered(browser, connected, first).status_code == 303
        assert answered(browser, connected, second).status_code == 303

    def test_where_the_cookie_stays_behind_a_page_of_ours_posts_once_more(
        self, browser: Browser, connected: Idp
    ) -> None:
        request_id = sent_by(browser)
        kept = str(browser.client.cookies.get("virtual_office_requests_here"))
        browser.client.cookies.clear()
        page = answered(browser, connected, request_id, ELSEWHERE)
        assert (page.status_code, headings(browser)) == (200, ["Signing you in"])
        assert page.headers["cache-control"] == "no-store"
        browser.client.cookies.set("virtual_office_requests_here", kept)
        page = browser.submit("/saml2")
        assert (page.status_code, page.headers["location"]) == (303, "/")

    def test_once_is_enough(self, browser: Browser, connected: Idp) -> None:
        request_id = sent_by(browser)
        browser.client.cookies.clear()
        answered(browser, connected, request_id, ELSEWHERE)
        browser.client.cookies.clear()
        assert browser.submit("/saml2").status_code == 403

    def test_programs_and_unknown_requests_get_the_verdict_at_once(self, browser: Browser, connected: Idp) -> None:
        request_id = sent_by(browser)
        browser.client.cookies.clear()
        assert answered(browser, connected, request_id).status_code == 403
        assert answered(browser, connected, "_unknown", ELSEWHERE).status_code == 403
        page = answered(browser, connected, request_id, ELSEWHERE | {"Accept": "application/json"})
        assert page.json()["failed"] == ["in_response_to"]


def test_a_refused_answer_leads_back_to_the_sign_in_page(browser: Browser, connected: Idp) -> None:
    request_id = sent_by(browser)
    denied = with_attribute("samlp:Status/samlp:StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
    page = answered(browser, connected, request_id, mutate=denied)
    assert page.status_code == 403
    assert headings(browser)[0].startswith("We couldn't sign you in.")
    assert answered(browser, connected, request_id).status_code == 303


def test_the_login_hint_is_the_name_that_was_typed(browser: Browser, service: Service, connected: Idp) -> None:  # noqa: ARG001
    configure(service, send_login_hint=True)
    browser.open("/sso/start/")
    browser.submit("/sso/start/", username=BRITTA.email)
    browser.client.follow_redirects = False
    location = browser.open("/sso/login/business").headers["location"]
    assert parse_qs(urlsplit(location).query)["login_hint"] == [BRITTA.email]
    assert location.startswith(SIGN_IN_URL)
    assert BASE_URL not in location
