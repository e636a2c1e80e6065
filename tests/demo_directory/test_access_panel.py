"""The Access Panel: Britta signs in and opens her application; nobody else gets an assertion."""

from datetime import timedelta

import pytest
from demo_directory.browser import ACS_URL, Browser, StillClock
from demo_directory.posted_message import posted_form, posted_message, text, verify_assertion
from fastapi import FastAPI
from lxml import etree

from sp.demo_directory.connect import Connected
from sp.demo_directory.desk import Desk
from sp.demo_directory.passwords import hash_password
from sp.demo_directory.sessions import SESSION_COOKIE, own_path
from sp.demo_directory.store import SESSION_LIFETIME, NewPerson


def add_charlie(desk: Desk, clock: StillClock) -> None:
    """Charlie is in the directory but assigned to nothing."""
    charlie = NewPerson("Charlie", "Charlie", "Day", "Charlie Day", "User", hash_password("Pa55word!"))
    assert desk.store.add_person(charlie, clock.now)


def sign_in(browser: Browser, user_name: str, password: str) -> None:
    browser.open("/access-panel/sign-in")
    browser.submit(user_name=user_name, password=password)


def test_the_tile_posts_a_signed_response_to_the_mapped_service(
    britta: Browser, desk: Desk, application_path: str
) -> None:
    assert application_path in britta.page.text
    britta.open(application_path)
    form = posted_form(britta.page.text)
    root = etree.fromstring(posted_message(britta.page.text))
    assert (form.action, form.method) == (ACS_URL, "POST")
    verify_assertion(root, desk.key.certificate_file)
    assert text(root, "saml:Assertion/saml:Subject/saml:NameID") == "BrittaSimon@contoso.example"
    assert root.get("InResponseTo") is None


def test_the_page_works_without_script_and_may_post_only_there(britta: Browser, application_path: str) -> None:
    page = britta.open(application_path)
    policy = page.headers["content-security-policy"]
    assert "form-action 'self' http://localhost:8000" in policy
    assert "Continue" in britta.text()
    assert page.headers["cache-control"] == "no-store"
    assert "<script>" not in page.text
    assert 'src="/static/demo_directory/submit.js"' in page.text


def test_a_relay_state_travels_along(britta: Browser, application_path: str) -> None:
    britta.open(f"{application_path}?RelayState=%2Fhome%22%3E")
    assert posted_form(britta.page.text).fields["RelayState"] == '/home">'


def test_the_whole_user_name_and_the_bare_one_both_sign_in(app: FastAPI, connected: Connected) -> None:
    for name in ("BrittaSimon@contoso.example", "brittasimon@CONTOSO.example", "BrittaSimon", " BrittaSimon "):
        browser = Browser(app)
        sign_in(browser, name, connected.password)
        assert str(browser.page.url.path) == "/access-panel", name


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("BrittaSimon", "wrong"),
        ("BrittaSimon", ""),
        ("", "wrong"),
        ("Mallory", "wrong"),
        ("BrittaSimon@fabrikam.example", "right"),
    ],
)
def test_anything_else_does_not(alice: Browser, connected: Connected, name: str, password: str) -> None:
    sign_in(alice, name, connected.password if password == "right" else password)
    assert alice.page.status_code == 422
    assert SESSION_COOKIE not in alice.client.cookies


def test_wrong_name_and_wrong_password_read_the_same(alice: Browser, connected: Connected) -> None:
    said = []
    for name in (connected.user_name, "Nobody"):
        sign_in(alice, name, "wrong")
        said.append((alice.page.status_code, alice.text()))
    assert said[0] == said[1]


def test_five_wrong_passwords_bring_a_pause_that_ends(alice: Browser, connected: Connected, clock: StillClock) -> None:
    for _ in range(5):
        sign_in(alice, connected.user_name, "wrong")
    sign_in(alice, connected.user_name, connected.password)
    assert alice.page.status_code == 429
    assert alice.page.headers["retry-after"] == "300"
    clock.advance(timedelta(minutes=5))
    sign_in(alice, connected.user_name, connected.password)
    assert alice.page.status_code == 200


def test_somebody_who_is_not_assigned_gets_aadsts50105(
    alice: Browser, desk: Desk, clock: StillClock, application_path: str
) -> None:
    add_charlie(desk, clock)
    sign_in(alice, "Charlie", "Pa55word!")
    assert "No applications are assigned to you" in alice.text()
    assert alice.open(application_path).status_code == 403
    application = application_path.rpartition("/")[2]
    assert (
        "AADSTS50105: The signed in user 'Charlie@contoso.example' is not assigned to a role for the "
        f"application '{application}'(8x8 Virtual Office)."
    ) in alice.text()
    assert "SAMLResponse" not in alice.page.text


def test_a_removed_assignment_counts_at_once(britta: Browser, desk: Desk, application_path: str) -> None:
    (application,) = desk.store.applications()
    desk.store.unassign(application, [person.object_id for person in desk.store.people()])
    assert britta.open(application_path).status_code == 403


def test_a_tile_address_asks_to_sign_in_first_and_then_goes_on(
    alice: Browser, connected: Connected, application_path: str
) -> None:
    alice.open(f"{application_path}?RelayState=/reports")
    assert str(alice.page.url.path) == "/access-panel/sign-in"
    alice.submit(user_name=connected.user_name, password=connected.password)
    assert posted_form(alice.page.text).fields["RelayState"] == "/reports"


def test_an_application_that_is_not_configured_says_so(britta: Browser, desk: Desk, application_path: str) -> None:
    (application,) = desk.store.applications()
    desk.store.change_application(application, configured_at=None)
    assert britta.open(application_path).status_code == 409
    assert "Single sign-on is not configured for 8x8 Virtual Office." in britta.text()
    assert "SAMLResponse" not in britta.page.text


@pytest.mark.parametrize("planted", ["https://evil.example/acs", "http://localhost@evil.example/", ""])
def test_no_assertion_goes_to_another_computer_even_if_the_database_says_so(
    britta: Browser, desk: Desk, application_path: str, planted: str
) -> None:
    (application,) = desk.store.applications()
    desk.store.change_application(application, reply_url=planted)
    assert britta.open(application_path).status_code == 409
    assert "SAMLResponse" not in britta.page.text


def test_each_sign_in_gets_a_new_session_id_and_ends_the_old_one(
    app: FastAPI, britta: Browser, connected: Connected
) -> None:
    before = britta.client.cookies[SESSION_COOKIE]
    sign_in(britta, connected.user_name, connected.password)
    assert britta.client.cookies[SESSION_COOKIE] != before
    mallory = Browser(app)
    mallory.client.cookies.set(SESSION_COOKIE, before, domain="127.0.0.1")
    assert str(mallory.open("/access-panel").url.path) == "/access-panel/sign-in"


def test_the_session_cookie_is_closed_to_scripts_and_other_sites(app: FastAPI, connected: Connected) -> None:
    browser = Browser(app)
    browser.open("/access-panel/sign-in")
    browser.client.follow_redirects = False
    answer = browser.submit(user_name=connected.user_name, password=connected.password)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{SESSION_COOKIE}=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_a_session_ends_after_eight_hours(britta: Browser, clock: StillClock) -> None:
    clock.advance(SESSION_LIFETIME - timedelta(seconds=1))
    assert str(britta.open("/access-panel").url.path) == "/access-panel"
    clock.advance(timedelta(seconds=1))
    assert str(britta.open("/access-panel").url.path) == "/access-panel/sign-in"


def test_signing_out_ends_the_session(britta: Browser) -> None:
    britta.open("/access-panel")
    britta.submit("/access-panel/sign-out")
    assert "You signed out of your account" in britta.text()
    assert str(britta.open("/access-panel").url.path) == "/access-panel/sign-in"


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/\tevil", "javascript:alert(1)", "", "/a b"],
)
def test_signing_in_never_leads_elsewhere(elsewhere: str) -> None:
    assert own_path(elsewhere) == "/access-panel"


def test_signing_in_leads_back_to_an_own_path() -> None:
    path = "/access-panel/applications/3f-1?RelayState=%2Fhome"
    assert own_path(path) == path
