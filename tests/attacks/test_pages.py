"""The pages and the log under attack: planted addresses, markup, forged lines, other people's pages (WEB, ATT-14)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from attack import attack
from attacks.traces import Traces, accepted, configure, refused, send
from browser import Browser, StillClock
from fastapi import FastAPI
from log_settings import logging_as_before
from pydantic import ValidationError
from responses import CLAIMS, Idp, post_field, with_attribute, with_child
from saml.attacks.content import CODE, STATUS, both_issuers

from sp.logs import configure_logging
from sp.settings import Settings
from sp.web.cookies import BROWSER, SESSION
from sp.web.state import Service

SAML_FORM = "/account-manager/business/accounts/single-sign-on/saml"
USERS = "/account-manager/business/accounts/user-profiles"
XSS = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}${7*7}'

AWAY_URL = "https://virtual-office.example"
AWAY = {
    "slashes": "//evil.example/",
    "three": "///evil.example/",
    "whole": "https://evil.example/",
    "bare": "https:evil.example",
    "backslash": "/\\evil.example",
    "backslashes": "\\\\evil.example",
    "encoded": "/%2f%2fevil.example",
    "encoded back": "/%5cevil.example",
    "script": "javascript:alert(1)",
    "data": "data:text/html,<script>alert(1)</script>",
    "tab": "/\t/evil.example",
    "break": "/\r\nSet-Cookie: evil=1",
    "encoded break": "/%0d%0aSet-Cookie:evil=1",
    "user": "http://localhost:8000@evil.example/",
    "suffix": "http://localhost:8000.evil.example/",
    "dots": "/../../etc/passwd",
    "markup": XSS,
    "long": "/" + "a" * 5000,
}


class TestRelayState:
    @pytest.mark.parametrize(
        "state",
        [
            pytest.param(state, id=name, marks=attack(f"WEB-01 {name}", "a planted RelayState"))
            for name, state in AWAY.items()
        ],
    )
    def test_it_leads_nowhere_else(self, state: str, browser: Browser, connected: Idp) -> None:
        browser.client.follow_redirects = False
        answer = browser.client.post(
            "/saml2", data={"SAMLResponse": post_field(connected.response()), "RelayState": state}
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "evil" not in str(answer.headers)

    @attack("WEB-02", "markup in RelayState on an error page")
    @attack("WEB-05", "a line break in RelayState of a refused response")
    def test_it_is_not_shown(self, browser: Browser, connected: Idp, traces: Traces) -> None:
        fields = {
            "SAMLResponse": post_field(connected.response(audience="urn:x")),
            "RelayState": f"{XSS}\r\nSet-Cookie: a=b",
        }
        answer = browser.client.post("/saml2", data=fields)
        assert answer.status_code == 403
        assert "alert(1)" not in answer.text
        assert "a=b" not in str(answer.headers)
        traces.of_one_refusal("audience")


class TestSessions:
    @attack("WEB-06", "a session id that Mallory planted")
    def test_a_planted_session_is_not_taken_over(self, app: FastAPI, browser: Browser, connected: Idp) -> None:
        browser.client.cookies.set(SESSION, "planted", domain="localhost.local", path="/")
        accepted(send(browser, connected.response()))
        assert browser.client.cookies.get(SESSION, domain="localhost.local") != "planted"
        thief = Browser(app)
        thief.client.cookies.set(SESSION, "planted", domain="localhost.local", path="/")
        assert "Application Panel" not in thief.open("/").text

    @attack("WEB-07", "a cookie within reach of scripts and other sites")
    def test_the_cookies_flags(self, make_app: Callable[..., FastAPI], browser: Browser, connected: Idp) -> None:
        cookie = send(browser, connected.response()).headers["set-cookie"].lower()
        assert {"httponly", "samesite=lax", "path=/"} <= {part.strip() for part in cookie.split(";")}
        assert "domain" not in cookie
        secure = Browser(make_app(base_url="https://virtual-office.example"), base_url="https://virtual-office.example")
        planted = secure.open("/").headers["set-cookie"]
        assert planted.startswith(f"__Host-{BROWSER}=")
        assert "Secure" in planted

    @attack("WEB-08", "Mallory's response in Britta's browser, where only answers are accepted")
    def test_nobody_is_signed_in_unasked(
        self, browser: Browser, alice: Browser, connected: Idp, traces: Traces
    ) -> None:
        alice.open(SAML_FORM.removesuffix("/saml"))
        alice.submit(SAML_FORM, unsolicited=None)
        answer = send(browser, connected.response(name_id="mallory@contoso.example"))
        refused(answer, "in_response_to")
        traces.of_one_refusal("in_response_to")

    @attack("SLO-14", "the cookie of before the sign-out")
    def test_a_stolen_cookie_ends_with_the_sign_out(self, app: FastAPI, britta: Browser) -> None:
        stolen = britta.client.cookies[SESSION]
        britta.open("/my-profile")
        britta.submit("/sign-out")
        thief = Browser(app)
        thief.client.cookies.set(SESSION, stolen, domain="localhost.local", path="/")
        assert "Application Panel" not in thief.open("/").text

    @attack("WEB-26", "a session that is used for too long")
    def test_a_session_ends(self, britta: Browser, service: Service, clock: StillClock) -> None:
        idle, longest = service.settings.session_idle_minutes, service.settings.session_max_hours * 60
        asked = [_status_after(britta, clock, idle - 1) for _ in range(longest // (idle - 1) + 1)]
        assert (asked[0], asked[-1]) == (200, 303)

    @attack("WEB-26 idle", "a session that nobody used for too long")
    def test_an_idle_session_ends(self, britta: Browser, service: Service, clock: StillClock) -> None:
        assert _status_after(britta, clock, service.settings.session_idle_minutes) == 303

    @attack("WEB-20", "the users of another company", 2)
    def test_other_peoples_pages(self, charlie: Browser, browser: Browser, britta: Browser) -> None:
        assert charlie.client.get(USERS).status_code == 404
        assert britta.client.get(USERS).status_code == 403
        assert browser.client.get(USERS, follow_redirects=False).status_code == 303


class TestMarkup:
    """Whatever the identity provider sends is text on every page that shows it."""

    @attack("ATT-14", "markup in every attribute, on every page that shows one", 4)
    def test_attributes_are_text(self, browser: Browser, alice: Browser, connected: Idp) -> None:
        evil = dict.fromkeys((CLAIMS.first_name, CLAIMS.last_name, "urn:x"), (XSS,)) | {
            CLAIMS.email: ("m@evil.example",)
        }
        accepted(
            send(browser, connected.response(name_id="<script>alert(1)</script>@contoso.example", attributes=evil))
        )
        browser.client.follow_redirects = True
        for viewer, path in ((browser, "/"), (browser, "/my-profile"), (alice, USERS), (alice, f"{USERS}?q=script")):
            page = viewer.open(path)
            assert page.status_code == 200
            assert "<script>alert" not in page.text
            assert "<img src=x" not in page.text
            assert "onerror=alert(2)&gt;{{7*7}}${7*7}" in page.text
            assert "onerror=alert(2)&gt;49" not in page.text

    @attack("CRT-15", "markup in a certificate's subject")
    def test_a_subject_is_text(self, alice: Browser, connected: Idp) -> None:
        evil = replace(connected, entity_id=XSS)
        alice.open(SAML_FORM.removesuffix("/saml"))
        alice.submit(SAML_FORM, files={"certificate": ("idp.cer", evil.certificate_der)})
        page = alice.open(SAML_FORM.removesuffix("/saml"))
        assert evil.certificate.fingerprint in alice.text()
        assert "<script>alert" not in page.text

    @attack("ISS-12", "markup in the issuer and the status, on the page that refuses", 2)
    def test_a_refusal_shows_text(self, browser: Browser, connected: Idp) -> None:
        failing = with_attribute(CODE, "Value", STATUS + "Responder")
        told = with_child(
            "samlp:Status", "<samlp:StatusMessage>&lt;script&gt;alert(1)&lt;/script&gt;</samlp:StatusMessage>"
        )
        browser.client.follow_redirects = False
        for mutation in (both_issuers(XSS), lambda root: (failing(root), told(root))):
            answer = browser.client.post(
                "/saml2", data={"SAMLResponse": post_field(connected.response(mutate=mutation))}
            )
            assert answer.status_code == 403
            assert "<script>alert" not in answer.text
            assert "<img src=x" not in answer.text


def _status_after(browser: Browser, clock: StillClock, minutes: int) -> int:
    clock.advance(minutes=minutes)
    return int(browser.client.get("/my-profile", follow_redirects=False).status_code)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[str]]]:
    """The lines that the service writes, as JSON, and afterwards as before."""
    with logging_as_before():
        configure_logging(Settings(log_format="json"))
        yield lambda: str(capsys.readouterr().out).splitlines()


class TestLog:
    FORGED = 'x\r\n{"outcome": "accepted"}\n\x1b[2J\u2028\u202egnol'

    @attack("WEB-14", "line breaks and terminal sequences in the user name", 1)
    def test_one_sign_in_is_one_line(self, browser: Browser, connected: Idp, lines: Callable[[], list[str]]) -> None:
        name = self.FORGED.replace("\x1b", "")
        refused(send(browser, connected.response(name_id=name)), "username")
        (line,) = [line for line in lines() if "sign_in" in line]
        assert json.loads(line)["outcome"] == "refused"
        assert "\u202e" not in line

    @attack("WEB-16", "a name of 100 000 characters")
    def test_a_line_is_short(self, browser: Browser, connected: Idp, lines: Callable[[], list[str]]) -> None:
        refused(send(browser, connected.response(name_id="x" * 100_000)), "subject")
        (line,) = [line for line in lines() if "sign_in" in line]
        assert len(line) < 2000


class TestLeaks:
    @attack("WEB-12", "which check failed, told to a stranger")
    def test_away_from_loopback_every_refusal_looks_alike(self, make_app: Callable[..., FastAPI], idp: Idp) -> None:
        app = make_app(base_url=AWAY_URL)
        configure(app.state.service, "business", idp)
        browser = Browser(app, base_url=AWAY_URL)
        genuine = idp.response(
            audience=f"{AWAY_URL}/saml2", destination=f"{AWAY_URL}/saml2", recipient=f"{AWAY_URL}/saml2"
        )
        others = (b"<x/>", idp.response(), idp.response(signed=None), Idp.make("urn:nobody").response(), genuine)
        accepted(send(browser, genuine))
        answers = [send(browser, xml).json() for xml in others]
        for answer in answers:
            assert len(answer.pop("reference")) == 8
        assert all(answer == answers[0] for answer in answers)
        assert (answers[0]["failed"], answers[0]["report"], answers[0]["username"]) == ([], [], "")

    @attack("WEB-17", "an answer that a cache keeps")
    @attack("WEB-18", "a page without its headers")
    @attack("WEB-19", "the settings in another site's frame")
    def test_every_answer_carries_its_headers(self, alice: Browser, browser: Browser, connected: Idp) -> None:
        pages = [
            alice.open(SAML_FORM.removesuffix("/saml")),
            send(browser, connected.response()),
            send(browser, b"<x/>"),
        ]
        for answer in pages:
            assert answer.headers["cache-control"] == "no-store"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"


class TestSettings:
    @pytest.mark.parametrize(
        "url",
        [
            pytest.param(url, marks=attack(f"WEB-25 {name}", "a Sign In URL that is no web address"))
            for name, url in {
                "script": "javascript:alert(1)",
                "data": "data:text/html,x",
                "file": "file:///etc/passwd",
                "user": "https://a:b@idp.example/",
                "break": "https://idp.example/\r\nX: y",
                "space": "https://idp.example/ x",
            }.items()
        ],
    )
    @pytest.mark.usefixtures("connected")
    def test_a_sign_in_url_is_a_web_address(self, url: str, alice: Browser) -> None:
        alice.open(SAML_FORM.removesuffix("/saml"))
        assert alice.submit(SAML_FORM, sign_in_url=url).status_code == 422
        assert alice.error_at("sign_in_url")

    @attack("CND-19", "a clock skew of a day")
    def test_the_skew_has_a_bound(self) -> None:
        with pytest.raises(ValidationError, match="clock_skew_seconds"):
            Settings(clock_skew_seconds=86_400)

    @attack("WEB-28", "a switch that skips the signature")
    def test_there_is_no_switch_to_skip_a_check(self) -> None:
        assert not [
            field for field in Settings.model_fields if "skip" in field or "insecure" in field or "verify" in field
        ]
