"""Who may open which address. Every route of the application is tried, so that a new one cannot be forgotten."""

from __future__ import annotations

import logouts
import pytest
from browser import Browser
from cast import BOB
from fastapi import FastAPI
from fastapi.routing import APIRoute
from responses import Idp, posted
from sqlalchemy import func, select

from sp.flows import service_keys
from sp.flows.api_tokens import MadeToken, make_token
from sp.flows.assertion_consumer import Delivery, consume
from sp.flows.logout_consumer import LogoutDelivery, receive
from sp.models import TokenScope, UserSession
from sp.saml.certificates import stored_certificate
from sp.store import accounts, users
from sp.store.engine import Database
from sp.web.cookies import new_token
from sp.web.state import Service

# For everybody; whoever adds one here says with it that nothing of a company stands there.
PUBLIC = {"/", "/sso/login/", "/sso/login", "/sign-out", "/healthz", "/saml2", "/static"}
PUBLIC |= {"/sso/start", "/sso/start/", "/sso/start/clear", "/sso/login/{slug}"}  # where a sign-in begins
PUBLIC |= {"/saml2/slo", "/saml2/slo/soap"}
PUBLIC |= {
    f"/w/{{workspace}}{path}" for path in ("/saml2", "/saml2/metadata", "/saml2/slo", "/saml2/slo/soap", "/sso/login")
}
PUBLIC |= {"/readyz", "/metrics"}  # who may read the numbers: tests/web/test_operations.py
PUBLIC |= {"/saml2/metadata", "/saml2/metadata/{slug}"}  # what every identity provider reads
PUBLIC |= {"/api/v1"}  # for programs with a token: see tests/api
USERS_ONLY = {"/my-profile"}
# They end the story for the next steps, are an operator's, or are about something that is not there in this one.
OTHER_STATE = (
    "/delete",
    "/disable",
    "/remove",
    "-rollover",
    "/bring-back",
    "/confirm",
    "/dismiss",
    "/revoke",
    "/sent",
    "/end",
    "/end-all",
)
# Parameters of an address that name a thing of one account; what the others name is the service's own, or a chapter.
THINGS = {"user_id", "sha256", "reference", "session_id", "message_reference", "token_id"}
CHOICE = "/account-manager"
CONSOLE = "/account-manager/{slug}"

Step = tuple[str, str]


def console_routes(app: FastAPI) -> list[APIRoute]:
    return [route for route in app.routes if isinstance(route, APIRoute) and route.path.startswith(CONSOLE)]


def steps_of(routes: list[APIRoute], parameters: dict[str, str]) -> list[Step]:
    return [(method, route.path.format(**parameters)) for route in routes for method in sorted(route.methods or ())]


def console_steps(app: FastAPI, parameters: dict[str, str]) -> list[Step]:
    """Method and address of everything inside the console, for one account."""
    return steps_of(console_routes(app), parameters)


def take(browser: Browser, step: Step) -> int:
    """One step with a form token that holds, so that nothing but the confinement can refuse it."""
    method, path = step
    data = None
    if method == "POST":
        browser.open("/")
        data = {"csrf_token": browser.token}
    return browser.client.request(method, path, data=data, follow_redirects=False).status_code


@pytest.fixture
def contoso(service: Service, connected: Idp) -> dict[str, str]:
    return address_parts(service, connected)


def address_parts(service: Service, connected: Idp) -> dict[str, str]:
    """What stands in the addresses of Contoso's pages: the account, Britta, the certificate, a sign-in attempt."""
    database = service.database
    delivery = Delivery(posted(connected.response()), service.now(), "127.0.0.1", new_token())
    attempt = consume(database, service.settings, delivery)
    for_bob = LogoutDelivery(
        logouts.posted(logouts.request(connected, now=service.now(), name_id=BOB.email)),
        logouts.SLO_URL,
        service.now(),
        "127.0.0.1",
    )
    sign_out = receive(database, service.settings, for_bob)
    with database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        britta = users.user_named(session, account.realm_id, "britta@contoso.example")
        assert britta is not None
        own = service_keys.published(session).signing[0]
        opened = session.execute(select(func.max(UserSession.id))).scalar_one()
        now = service.now()
    with database.writing() as session:
        made = make_token(session, account, "nightly", TokenScope.READ, lifetime=None, created_by="", now=now)
        assert isinstance(made, MadeToken)
    return {
        "slug": "business",
        "user_id": str(britta.id),
        "sha256": connected.certificate.sha256,
        "reference": attempt.reference,
        "own_sha256": stored_certificate(own).sha256,
        "purpose": "signing",
        "step": "begin-rollover",
        "session_id": str(opened),
        "message_reference": sign_out.reference,
        "token_id": str(made.row.id),
        "product": "keycloak",
        "number": "1",
    }


def test_every_route_is_public_a_users_or_inside_the_console(app: FastAPI) -> None:
    known = PUBLIC | USERS_ONLY | {CHOICE}
    strangers = {getattr(route, "path") for route in app.routes} - known  # noqa: B009  every kind of route has one
    assert {path for path in strangers if not path.startswith(CONSOLE)} == set()


def test_the_steps_of_these_stories_are_those_of_the_console(app: FastAPI, contoso: dict[str, str]) -> None:
    steps = console_steps(app, contoso)
    assert len(steps) > 10
    assert ("POST", "/account-manager/business/accounts/single-sign-on/saml") in steps


def test_alice_may_do_everything_in_contosos_console(app: FastAPI, alice: Browser, contoso: dict[str, str]) -> None:
    """Otherwise the refusals of the next stories would prove nothing."""
    sent = request_of_the_bench(alice)
    for step in console_steps(app, contoso):
        if step[0] == "GET" and step[1].endswith("/requests/sent"):
            assert take(alice, (step[0], f"{step[1]}?id={sent}")) == 200, step
        elif step[0] == "GET":
            assert take(alice, step) in ({200, 303, 404} if step[1].endswith(OTHER_STATE) else {200, 303}), step
        elif not step[1].endswith(OTHER_STATE):
            assert take(alice, step) in {200, 303, 409, 422}, step


def request_of_the_bench(alice: Browser) -> str:
    """The ID of a request that Alice sent, by which its page is asked for."""
    page = f"{CONSOLE.format(slug='business')}/accounts/single-sign-on/requests/bench"
    alice.open(page)
    alice.client.follow_redirects = False
    assert alice.submit(page, xml='<a ID="_sent"/>').status_code == 303
    alice.client.follow_redirects = True
    return "_sent"


def test_charlie_finds_nothing_of_contosos(app: FastAPI, charlie: Browser, contoso: dict[str, str]) -> None:
    for step in console_steps(app, contoso):
        assert take(charlie, step) == 404, step


def test_alice_finds_nothing_of_fabrikams(app: FastAPI, alice: Browser, contoso: dict[str, str]) -> None:
    for step in console_steps(app, contoso | {"slug": "fabrikam"}):
        assert take(alice, step) == 404, step


def test_charlie_cannot_reach_contosos_things_through_an_own_account(
    app: FastAPI, charlie: Browser, contoso: dict[str, str]
) -> None:
    of_things = [route for route in console_routes(app) if THINGS & set(route.param_convertors)]
    assert {name for route in of_things for name in route.param_convertors} == THINGS | {"slug"}
    for step in steps_of(of_things, contoso | {"slug": "fabrikam"}):
        assert take(charlie, step) == 404, step


def test_an_account_of_another_company_looks_like_one_that_is_not_there(charlie: Browser) -> None:
    others = charlie.open("/account-manager/business")
    nobodys = charlie.open("/account-manager/nobodys")
    assert without_address(others.text) == without_address(nobodys.text)


def without_address(page: str) -> str:
    return page.replace("business", "").replace("nobodys", "")


def test_a_user_is_told_that_the_console_is_for_administrators(
    app: FastAPI, britta: Browser, contoso: dict[str, str]
) -> None:
    for step in [("GET", CHOICE), ("POST", CHOICE), *console_steps(app, contoso)]:
        assert take(britta, step) == 403, step


def test_an_administrator_has_no_users_pages(alice: Browser) -> None:
    for path in USERS_ONLY:
        assert take(alice, ("GET", path)) == 403, path


def test_whoever_is_signed_out_is_led_to_the_sign_in_page(
    app: FastAPI, browser: Browser, contoso: dict[str, str]
) -> None:
    steps = [("GET", CHOICE), ("POST", CHOICE), *console_steps(app, contoso), *(("GET", path) for path in USERS_ONLY)]
    for method, path in steps:
        assert take(browser, (method, path)) == 303, (method, path)
        answer = browser.client.request(
            method, path, data={"csrf_token": browser.token} if method == "POST" else None, follow_redirects=False
        )
        assert answer.headers["location"] == (f"/?next={path}" if method == "GET" else "/")


def test_nothing_happens_to_contosos_settings_meanwhile(
    app: FastAPI, charlie: Browser, contoso: dict[str, str], database: Database
) -> None:
    for step in console_steps(app, contoso):
        take(charlie, step)
    with database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        assert accounts.settings_in_force(session, account).version == 2
        assert users.user_of_account(session, account.id or 0, int(contoso["user_id"])) is not None


def test_charlie_chooses_among_fabrikams_accounts_only(charlie: Browser) -> None:
    charlie.open(CHOICE)
    assert charlie.html.xpath("//input[@type='radio']/@value") == ["fabrikam"]
    page = charlie.post(CHOICE, data={"csrf_token": charlie.token, "account": "business"})
    assert page.status_code == 422
    assert charlie.error_at("account") == "Select the account to manage."
