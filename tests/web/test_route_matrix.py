"""Every route and method of the pages and of the API, called by each kind of caller without the right to it.

Each cell has an expected status, and no answer holds data of another company. The routes are the application's own: a
new one is called too, and is expected to be closed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from api.conftest import Program, made_token
from api.test_every_operation import JUDGES, OPERATIONS
from browser import Browser, StillClock
from cast import ALICE, BASE_URL, BOB, BRITTA, CHARLIE, CONTOSO_ISSUER
from fastapi import FastAPI
from responses import Idp
from sqlalchemy import select
from sqlmodel import SQLModel
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from web.conftest import connect, signed_in
from web.test_confinement import CHOICE, PUBLIC, USERS_ONLY, address_parts
from workspaces import Workspace

from sp.app import create_app
from sp.flows.api_tokens import API
from sp.flows.service_keys import ensure_encryption_key
from sp.models import TokenScope
from sp.service import Service
from sp.settings import Settings
from sp.store import accounts
from sp.store.engine import Database
from sp.store.rows import required

TOKEN_NAME = "nightly-run"
OF_CONTOSO = (BRITTA.email, BRITTA.last_name, ALICE.email, BOB.email, CONTOSO_ISSUER, TOKEN_NAME)
OF_FABRIKAM = (CHARLIE.email, "Fabrikam")
# Sends everybody to Contoso's identity provider, by the slug of its account.
NAMES_THE_PROVIDER = "/sso/login/{slug}"
ENDS_THE_SESSION = "/sign-out"
NEW_WORKSPACE = ("POST", f"{API}/workspaces")  # on this machine everybody may make one
EVALUATES_AGAIN = (JUDGES[0], API + JUDGES[1])  # changes nothing, so a read token may
DESCRIPTION = f"{API}/openapi.json"
# Notes of use and requests that anybody may begin are no change of an account.
NOT_COMPARED = {"authn_request", "started_sign_in"}
COLUMNS_NOT_COMPARED = {"last_used_at", "last_seen_at"}
EXAMPLES = {(one.method, f"{API}{one.path}"): one.body for one in OPERATIONS}


@dataclass(frozen=True)
class Endpoint:
    """One method of one route. `path` is the route's own, with its parameters."""

    method: str
    path: str

    @property
    def name(self) -> tuple[str, str]:
        return self.method, self.path

    @property
    def is_api(self) -> bool:
        return self.path.startswith(f"{API}/")


@dataclass(frozen=True)
class Caller:
    """What a client sends to identify itself, and which status each endpoint owes it."""

    client: TestClient
    form_token: str
    expected: Callable[[Endpoint], set[int]]
    foreign: tuple[str, ...] = OF_CONTOSO


def endpoints(app: FastAPI) -> list[Endpoint]:
    """Every method of every route, signing out at the end."""
    found = [Endpoint(method, path) for path, method in pairs(app)]
    return sorted(found, key=lambda one: one.path == ENDS_THE_SESSION)


def pairs(app: FastAPI, prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in app.routes:
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            yield from pairs(route.app, route.path)
        elif isinstance(route, Route):
            for method in sorted(route.methods or ()):
                yield prefix + route.path, method


@dataclass
class Installation:
    """Two companies, of which Contoso has one of everything, and a workspace."""

    app: FastAPI
    service: Service
    clock: StillClock
    parts: dict[str, str]
    job: Workspace

    def address(self, endpoint: Endpoint) -> str:
        """The endpoint's address, of a thing of Contoso's."""
        parts = self.parts | {"workspace": self.job.name, "name": self.job.name}
        if endpoint.path.startswith(f"{API}/expectations"):
            parts["reference"] = parts["expectation"]
        return endpoint.path.format(**parts)

    def rows_of_contoso(self) -> dict[str, Any]:
        """Everything that is stored for Contoso's account."""
        with self.service.database.reading() as session:
            account = accounts.account_by_slug(session, "business")
            assert account is not None
            return {
                table.name: session.execute(
                    select(*(one for one in table.columns if one.name not in COLUMNS_NOT_COMPARED))
                    .where(table.columns["account_id"] == account.id)
                    .order_by(*table.primary_key.columns)
                ).all()
                for table in SQLModel.metadata.sorted_tables
                if "account_id" in table.columns and table.name not in NOT_COMPARED
            }


@pytest.fixture(scope="module")
def installation(two_companies: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("matrix")
    file = shutil.copy(two_companies, folder / "virtual-office.db")
    settings = Settings(base_url=BASE_URL, data_dir=folder, admin_username=ALICE.email)
    clock = StillClock()
    app = create_app(settings, Database(f"sqlite:///{file}"), clock)
    app.state.stopping = True  # so that live events end
    yield furnished(app, clock)
    app.state.service.database.close()


def furnished(app: FastAPI, clock: StillClock) -> Installation:
    service: Service = app.state.service
    idp = Idp.make(CONTOSO_ISSUER)
    connect(service, idp)
    parts = address_parts(service, idp)
    program = Program(app, made_token(service, "business", TokenScope.WRITE, name=TOKEN_NAME))
    parts["expectation"] = program.send("POST", "/expectations", {"outcome": "accepted"}, status=201)["reference"]
    with service.database.reading() as session:
        account_id = required(required(accounts.account_by_slug(session, "business")).id)
    ensure_encryption_key(service.database, service.settings, account_id, service.now())
    return Installation(app, service, clock, parts, Workspace(app, "job-1"))


# The expected status of each kind of caller.

OPEN = {200, 303, 400, 403, 404, 405, 422}
SOAP_FAULT = 500  # SOAP 1.1, section 6.2


def by_place(endpoint: Endpoint, *, console: int, choice: set[int], users: int) -> set[int]:
    """The status of a page; a route that is neither public nor known to be of users belongs to the console."""
    if endpoint.path.endswith("/soap"):
        return {SOAP_FAULT}
    if endpoint.path in PUBLIC:
        return OPEN
    if endpoint.path == CHOICE:
        return choice
    return {users} if endpoint.path in USERS_ONLY else {console}


def without_credentials(endpoint: Endpoint) -> set[int]:
    if endpoint.name == NEW_WORKSPACE:
        return {201, 422}  # by the second caller the name is taken
    if endpoint.path == DESCRIPTION:
        return {200}
    return {401} if endpoint.is_api else by_place(endpoint, console=303, choice={303}, users=303)


def user(endpoint: Endpoint) -> set[int]:
    if endpoint.is_api:
        return without_credentials(endpoint)
    return by_place(endpoint, console=403, choice={403}, users=200)


def other_administrator(endpoint: Endpoint) -> set[int]:
    if endpoint.is_api:
        return without_credentials(endpoint)
    return by_place(endpoint, console=404, choice={200, 422}, users=403)


def other_token(endpoint: Endpoint) -> set[int]:
    """Its own account answers where the address names nothing; what is Contoso's does not exist."""
    if not endpoint.is_api:
        return without_credentials(endpoint)
    if "{" in endpoint.path:
        return {404}
    return {200, 201, 204, 409, 412, 422, 428}


def read_token(endpoint: Endpoint) -> set[int]:
    if not endpoint.is_api or endpoint.name == NEW_WORKSPACE:
        return without_credentials(endpoint)
    if "/workspaces/" in endpoint.path:
        return {404}
    if endpoint.method in {"GET", "HEAD"} or endpoint.name == EVALUATES_AGAIN:
        return {200, 422}
    return {403}


def nobody(made: Installation) -> Caller:
    browser = Browser(made.app)
    browser.open("/")
    return Caller(browser.client, browser.token, without_credentials)


def signed_in_as(username: str, expected: Callable[[Endpoint], set[int]]) -> Callable[[Installation], Caller]:
    def caller(made: Installation) -> Caller:
        browser = signed_in(made.app, username)
        return Caller(browser.client, browser.token, expected, OF_FABRIKAM if username == BRITTA.email else OF_CONTOSO)

    return caller


def expired(made: Installation) -> Caller:
    """Alice's session and a token of her account, both a moment too late."""
    now, lifetime = made.clock.now, made.service.settings.session_max
    made.clock.now = now - lifetime
    browser = signed_in(made.app, ALICE.email)
    token = made_token(made.service, "business", TokenScope.WRITE, name="short", lifetime=lifetime)
    made.clock.now = now
    browser.client.headers["authorization"] = f"Bearer {token}"
    return Caller(browser.client, browser.token, without_credentials)


def with_token(
    slug: str, *scopes: TokenScope, expected: Callable[[Endpoint], set[int]], foreign: tuple[str, ...] = OF_CONTOSO
) -> Callable[[Installation], Caller]:
    def caller(made: Installation) -> Caller:
        token = made_token(made.service, slug, *scopes, name=f"of {slug}")
        browser = Browser(made.app)
        browser.open("/")
        browser.client.headers["authorization"] = f"Bearer {token}"
        return Caller(browser.client, browser.token, expected, foreign)

    return caller


def other_workspace(made: Installation) -> Caller:
    workspace = Workspace(made.app, "job-2")
    browser = Browser(made.app)
    browser.open("/")
    browser.client.headers["authorization"] = f"Bearer {workspace.program.token}"
    return Caller(browser.client, browser.token, other_token)


CALLERS: dict[str, Callable[[Installation], Caller]] = {
    "nobody": nobody,
    "a user": signed_in_as(BRITTA.email, user),
    "an administrator of another company": signed_in_as(CHARLIE.email, other_administrator),
    "a token of another account": with_token("fabrikam", TokenScope.WRITE, TokenScope.MESSAGES, expected=other_token),
    "a read token": with_token("business", TokenScope.READ, expected=read_token, foreign=OF_FABRIKAM),
    "a token of another workspace": other_workspace,
    "an expired session and token": expired,  # the last one, since it moves the clock
}


def body_of(caller: Caller, endpoint: Endpoint) -> dict[str, Any]:
    """A body in which nothing is wrong."""
    if EXAMPLES.get(endpoint.name) is not None:
        return {"json": EXAMPLES[endpoint.name]}
    is_form = endpoint.method == "POST" and not endpoint.is_api
    return {"data": {"csrf_token": caller.form_token}} if is_form else {}


def disclosed(caller: Caller, endpoint: Endpoint, answer: httpx2.Response, sent: object) -> list[str]:
    """The data of another company in an answer, but for what the caller sent itself."""
    if endpoint.path == DESCRIPTION:
        return []
    headers = "" if endpoint.path == NAMES_THE_PROVIDER else str(answer.headers)
    return [word for word in caller.foreign if word in answer.text + headers and word not in str(sent)]


def faults(made: Installation, caller: Caller, called: list[Endpoint]) -> dict[tuple[str, str], Any]:
    """The endpoints whose status is not the expected one, or which tell something of another company."""
    found = {}
    for endpoint in called:
        sent = body_of(caller, endpoint)
        answer = caller.client.request(endpoint.method, made.address(endpoint), follow_redirects=False, **sent)
        told = disclosed(caller, endpoint, answer, sent)
        if answer.status_code not in caller.expected(endpoint) or told:
            found[endpoint.name] = answer.status_code, told
    return found


@pytest.mark.parametrize("name", CALLERS)
def test_every_route_answers_as_expected_and_tells_nothing_of_another_company(
    installation: Installation, name: str
) -> None:
    caller = CALLERS[name](installation)
    *others, sign_out = endpoints(installation.app)  # which ends the session that the others are called with
    before = installation.rows_of_contoso()
    assert faults(installation, caller, others) == {}
    assert installation.rows_of_contoso() == before
    assert faults(installation, caller, [sign_out]) == {}
    assert len(others) > 150
