"""POST /saml2 as browsers and programs see it: statuses, cookies, redirects, pages and JSON."""

from __future__ import annotations

import threading
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from browser import Browser
from cast import BRITTA, MALLORY
from fastapi import FastAPI
from httpx2 import Response
from responses import Idp, post_field, with_text
from sqlalchemy import func, select

from sp.flows import account_setup
from sp.models import SignInAttempt
from sp.store import accounts
from sp.web import sso
from sp.web.relay_state import safe_path
from sp.web.state import Service

JSON = {"Accept": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def post(browser: Browser, xml: bytes, headers: dict[str, str] | None = None, **fields: str) -> Response:
    browser.client.follow_redirects = False
    return browser.client.post("/saml2", data={"SAMLResponse": post_field(xml)} | fields, headers=headers or {})


def attempts(service: Service) -> int:
    with service.database.reading() as session:
        return int(session.execute(select(func.count()).select_from(SignInAttempt)).scalar_one())


def trusting_app(app: FastAPI, idp: Idp) -> Browser:
    service: Service = app.state.service
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        draft = account_setup.SsoDraft(single_sign_on=True, issuer=idp.entity_id, certificates=(idp.certificate,))
        account_setup.save_sso_settings(session, service.settings, account, draft, saved_by="alice", now=service.now())
    return Browser(app, base_url=service.settings.base_url)


class TestAccepted:
    def test_britta_is_led_to_the_application_panel_with_a_session(self, browser: Browser, connected: Idp) -> None:
        answer = post(browser, connected.response())
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        (cookie,) = answer.headers.get_list("set-cookie")
        assert cookie.startswith("virtual_office_session=")
        assert "HttpOnly" in cookie
        browser.client.follow_redirects = True
        page = browser.open("/")
        assert "Application Panel" in page.text
        assert BRITTA.first_name in page.text

    def test_relay_state_leads_to_a_path_here(self, browser: Browser, connected: Idp) -> None:
        answer = post(browser, connected.response(), RelayState="/my-profile")
        assert answer.headers["location"] == "/my-profile"

    def test_relay_state_never_leads_away(self, browser: Browser, connected: Idp) -> None:
        answer = post(browser, connected.response(), RelayState="https://evil.example/")
        assert answer.headers["location"] == "/"

    def test_a_program_reads_the_verdict(self, browser: Browser, connected: Idp) -> None:
        answer = post(browser, connected.response(name_id="new@contoso.example"), JSON)
        verdict = answer.json()
        assert answer.status_code == 200
        assert list(verdict) == [
            "outcome",
            "reference",
            "username",
            "provisioned",
            "failed",
            "warnings",
            "report",
            "message",
            "remedy",
        ]
        assert (verdict["outcome"], verdict["username"], verdict["provisioned"]) == (
            "accepted",
            "new@contoso.example",
            True,
        )
        assert (verdict["failed"], verdict["warnings"], verdict["remedy"]) == ([], [], "")
        assert set(verdict["report"][0]) == {
            "code",
            "outcome",
            "expected",
            "received",
            "problem",
            "expected_value",
            "received_value",
        }
        assert "virtual_office_session" in answer.headers["set-cookie"]

    def test_the_session_of_before_is_dead(self, browser: Browser, connected: Idp) -> None:
        post(browser, connected.response())
        old = browser.client.cookies["virtual_office_session"]
        post(browser, connected.response())
        assert browser.client.cookies["virtual_office_session"] != old
        thief = Browser(browser.client.app)  # type: ignore[arg-type]
        thief.client.cookies.set("virtual_office_session", old)
        assert "Application Panel" not in thief.open("/").text


class TestRefused:
    def test_a_changed_name_id_gets_no_cookie_and_the_report_in_place(
        self, browser: Browser, connected: Idp, service: Service
    ) -> None:
        answer = post(browser, connected.response(sealed=with_text(".//saml:NameID", MALLORY.email)))
        assert answer.status_code == 403
        assert "virtual_office_session" not in str(answer.headers)
        assert "We couldn&#39;t sign you in." in answer.text
        assert 'id="signature"' in answer.text
        assert attempts(service) == 1

    def test_the_reference_on_the_page_is_the_one_in_the_log(
        self, browser: Browser, connected: Idp, service: Service
    ) -> None:
        answer = post(browser, connected.response(audience="urn:another"))
        with service.database.reading() as session:
            reference = session.execute(select(SignInAttempt)).scalar_one().reference
        assert reference in answer.text

    def test_away_from_loopback_the_page_tells_one_sentence(self, make_app: Callable[..., FastAPI], idp: Idp) -> None:
        browser = trusting_app(make_app(base_url="https://virtual-office.example"), idp)
        answer = post(browser, idp.response(audience="urn:another"))
        assert answer.status_code == 403
        assert "We couldn&#39;t sign you in." in answer.text
        for told in ("audience", "Audience", "urn:another", idp.entity_id, BRITTA.email):
            assert told not in answer.text

    def test_away_from_loopback_the_json_tells_no_more_than_the_page(
        self, make_app: Callable[..., FastAPI], idp: Idp
    ) -> None:
        browser = trusting_app(make_app(base_url="https://virtual-office.example"), idp)
        verdict = post(browser, idp.response(audience="urn:another"), JSON).json()
        reference = verdict.pop("reference")
        assert len(reference) == 8
        assert verdict == {
            "outcome": "refused",
            "username": "",
            "provisioned": False,
            "failed": [],
            "warnings": [],
            "report": [],
            "message": "We couldn't sign you in.",
            "remedy": "",
        }

    def test_a_setting_makes_details_public_elsewhere(self, make_app: Callable[..., FastAPI], idp: Idp) -> None:
        app = make_app(base_url="https://virtual-office.example", details_public=True)
        verdict = post(trusting_app(app, idp), idp.response(), JSON).json()
        assert "destination" in verdict["failed"]
        assert len(verdict["report"]) > 40

    def test_an_allowed_host_and_forwarded_headers_change_nothing(
        self, make_app: Callable[..., FastAPI], idp: Idp
    ) -> None:
        connected, browser = idp, trusting_app(make_app(allowed_hosts="evil.example"), idp)
        headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
        evil = connected.response(recipient="https://evil.example/saml2", destination="https://evil.example/saml2")
        assert post(browser, evil, headers | JSON).json()["failed"] == ["destination", "recipient"]
        assert post(browser, connected.response(), headers).headers["location"] == "/"


@pytest.mark.parametrize(
    ("body", "headers", "code", "status"),
    [
        pytest.param(b"", FORM, "form", 400, id="empty"),
        pytest.param(b"RelayState=/", FORM, "form", 400, id="no-response"),
        pytest.param(b"SAMLResponse=", FORM, "form", 400, id="empty-response"),
        pytest.param(b"SAMLResponse=YQ==&SAMLResponse=Yg==", FORM, "form", 400, id="twice"),
        pytest.param(b"SAMLResponse=YQ==&SAMLRequest=Yg==", FORM, "form", 400, id="with-a-request"),
        pytest.param(b"SAMLart=abc", FORM, "form", 400, id="artifact"),
        pytest.param(b'{"SAMLResponse": "YQ=="}', {"Content-Type": "application/json"}, "form", 400, id="json"),
        pytest.param(b"SAMLResponse=YQ==", {"Content-Type": "text/xml"}, "form", 400, id="xml"),
        pytest.param(b"SAMLResponse=YQ==", FORM | {"Content-Encoding": "gzip"}, "form", 400, id="compressed"),
        pytest.param(b"&".join([b"a=1"] * 10_000), FORM, "form", 400, id="many-fields"),
        pytest.param(b"SAMLResponse=%3CResponse%2F%3E", FORM, "base64", 400, id="raw-xml"),
        pytest.param(b"SAMLResponse=\xff\xfe", FORM, "base64", 400, id="no-text"),
        pytest.param(b"SAMLResponse=" + b"QUJD" * 100_000, FORM, "size", 413, id="300-kib"),
        pytest.param(b"SAMLResponse=" + b"A" * 8_000_000, FORM, "size", 413, id="8-mb"),
    ],
)
def test_a_form_that_is_none_is_refused_and_leaves_an_attempt(
    browser: Browser, service: Service, body: bytes, headers: dict[str, str], code: str, status: int
) -> None:
    answer = browser.client.post("/saml2", content=body, headers=headers | JSON)
    assert answer.json()["failed"] == [code]
    assert answer.status_code == status
    assert attempts(service) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_for_this_address(browser: Browser, method: str) -> None:
    answer = browser.client.request(method, "/saml2")
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


def test_whoever_asks_for_the_head_only_brings_no_message(browser: Browser, service: Service, connected: Idp) -> None:
    answer = browser.client.head("/saml2", params={"SAMLResponse": post_field(connected.response())})
    assert answer.status_code == 405
    assert attempts(service) == 0


@pytest.mark.parametrize("name", ["SAMLResponse", "SAMLRequest", "SAMLart"])
def test_a_message_by_the_redirect_binding_is_refused_and_leaves_an_attempt(
    browser: Browser, service: Service, connected: Idp, name: str
) -> None:
    browser.client.follow_redirects = False
    answer = browser.client.get("/saml2", params={name: post_field(connected.response())}, headers=JSON)
    assert (answer.status_code, answer.json()["failed"]) == (400, ["form"])
    assert "set-cookie" not in answer.headers
    assert attempts(service) == 1


def test_a_query_with_too_many_fields_is_refused(browser: Browser) -> None:
    answer = browser.client.get("/saml2?SAMLResponse=x" + "&x=1" * 30, headers=JSON)
    assert (answer.status_code, answer.json()["failed"]) == (400, ["form"])


def test_no_answer_may_be_kept(browser: Browser, connected: Idp) -> None:
    for answer in (post(browser, connected.response()), post(browser, b"<x/>"), post(browser, b"<x/>", JSON)):
        assert answer.headers["cache-control"] == "no-store"


def test_an_acs_url_of_its_own_answers_too(make_app: Callable[..., FastAPI], idp: Idp) -> None:
    url = "http://localhost:8000/contoso/acs"
    browser = trusting_app(make_app(acs_url=url), idp)
    xml = idp.response(recipient=url, destination=url)
    answer = browser.client.post("/contoso/acs", data={"SAMLResponse": post_field(xml)}, headers=JSON)
    assert answer.json()["outcome"] == "accepted"


def test_an_acs_url_of_another_host_answers_under_that_name(make_app: Callable[..., FastAPI], idp: Idp) -> None:
    url = "https://sso.8x8.example/saml2"
    browser = trusting_app(make_app(acs_url=url), idp)
    xml = idp.response(recipient=url, destination=url)
    headers = JSON | {"Host": "sso.8x8.example"}
    answer = browser.client.post("/saml2", data={"SAMLResponse": post_field(xml)}, headers=headers)
    assert answer.json()["outcome"] == "accepted"
    origin = {"Host": "sso.8x8.example", "Origin": "https://sso.8x8.example"}
    assert browser.client.post("/sso/login/", data={}, headers=origin).status_code == 403


def test_a_hostile_issuer_and_relay_state_stay_text(browser: Browser) -> None:
    evil = '"><script>alert(1)</script>'
    mallory = Idp.make(f"https://{evil}.example/")
    answer = post(browser, mallory.response(), RelayState=evil)
    assert answer.status_code == 403
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    "relay_state",
    [
        "//evil.example",
        "///evil.example",
        "https://evil.example",
        "http:evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%2f%2fevil.example",
        "/%5cevil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "\t//evil.example",
        "/\t/evil.example",
        "/a\r\nSet-Cookie: x=y",
        "/%0d%0aSet-Cookie:x=y",
        "/../../etc/passwd",
        "user@evil.example",
        "/" + "a" * 1000,
        "",
        "http://localhost:8000.evil.example/",
    ],
)
def test_relay_states_that_lead_to_the_panel(relay_state: str) -> None:
    assert safe_path(relay_state, "http://localhost:8000") == "/"


@pytest.mark.parametrize(
    ("relay_state", "path"),
    [
        ("/", "/"),
        ("/my-profile", "/my-profile"),
        ("/a/b?c=d&e=%20f", "/a/b?c=d&e=%20f"),
        ("http://localhost:8000/my-profile", "/my-profile"),
    ],
)
def test_relay_states_that_are_followed(relay_state: str, path: str) -> None:
    assert safe_path(relay_state, "http://localhost:8000") == path


def test_a_form_as_browsers_encode_it(browser: Browser, connected: Idp) -> None:
    field = post_field(connected.response())
    lines = "\r\n".join(field[start : start + 76] for start in range(0, len(field), 76))
    answer = browser.client.post("/saml2", content=urlencode({"SAMLResponse": lines}), headers=FORM | JSON)
    assert answer.json()["outcome"] == "accepted"


@pytest.mark.parametrize(("escapes", "at_the_desk"), [(100, True), (30_000, False)])
def test_a_form_that_takes_long_to_read_is_not_read_where_messages_are_judged(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, escapes: int, at_the_desk: bool
) -> None:
    threads: list[str] = []

    def noting(body: bytes) -> tuple[tuple[str, str], ...]:
        threads.append(threading.current_thread().name)
        return read(body)

    read = sso._parse
    monkeypatch.setattr(sso, "_parse", noting)
    answer = browser.client.post("/saml2", content=b"SAMLResponse=" + b"%" * escapes, headers=FORM | JSON)
    assert answer.json()["failed"] == ["base64"]
    assert [name.startswith("sign-in-desk") for name in threads] == [at_the_desk]
