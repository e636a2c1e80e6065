"""Workspaces: who makes them, what is apart in them, and that nothing of one is left in the end."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import logouts
import pytest
from api.conftest import API, Program
from browser import Browser, StillClock
from cast import BASE_URL, BRITTA, NOW
from fastapi import FastAPI
from idp_metadata import entity
from lxml import etree
from responses import NS, Idp, instant, post_field
from sqlalchemy import func, select
from sqlmodel import SQLModel
from starlette.testclient import TestClient
from web.conftest import alice  # noqa: F401  (a fixture)
from workspaces import Workspace

from sp.flows import workspaces
from sp.flows.housekeeping import tidy_up
from sp.flows.realms import judging_time_of
from sp.models import Company, Realm
from sp.service import Service
from sp.store import accounts, realms
from sp.store.engine import Database
from sp.store.rows import column

SECRET = "the-workspace-token-of-the-operator"
REMOTE = {"base_url": "https://sp.example", "host": "0.0.0.0", "allowed_hosts": "localhost:8000"}  # noqa: S104  (never listened on)


@pytest.fixture
def job(app: FastAPI) -> Workspace:
    return Workspace(app, "job-1")


def test_a_test_suite_needs_few_lines(app: FastAPI, idp: Idp) -> None:
    """Only HTTP, and only what the page about the API says."""
    client = TestClient(app, base_url="http://localhost:8000")
    made = client.post("/api/v1/workspaces", json={"name": "job-4711"}).json()
    client.headers["authorization"] = f"Bearer {made['token']}"
    client.post("/api/v1/account/single-sign-on/metadata", json={"xml": entity(idp).decode()}).raise_for_status()
    acs_url, entity_id = made["acs_url"], made["entity_id"]
    response = idp.response(audience=entity_id, recipient=acs_url, destination=acs_url)
    client.post(acs_url, data={"SAMLResponse": post_field(response)})
    latest = client.get("/api/v1/sign-ins").json()["items"][0]["reference"]
    verdict = client.get(f"/api/v1/sign-ins/{latest}").json()
    assert (verdict["outcome"], verdict["failed"], verdict["username"]) == ("accepted", [], BRITTA.email)


def test_one_comes_with_everything_that_it_needs(app: FastAPI, job: Workspace) -> None:
    root = "http://localhost:8000/w/job-1"
    assert job.told | {"token": "", "administrator": {}} == {
        "name": "job-1",
        "created_at": instant(NOW),
        "expires_at": instant(NOW + timedelta(hours=1)),
        "fixed_time": None,
        "entity_id": f"{root}/saml2",
        "acs_url": f"{root}/saml2",
        "metadata_url": f"{root}/saml2/metadata",
        "sign_out_url": f"{root}/saml2/slo",
        "sign_in_url": f"{root}/sso/login",
        "token": "",
        "administrator": {},
    }
    metadata = Program(app).client.get(job.told["metadata_url"]).text
    assert f'entityID="{root}/saml2"' in metadata
    assert f'Location="{root}/saml2/slo"' in metadata
    account = job.program.get("/account")
    assert (account["slug"], account["acs_url"], account["metadata_url"]) == (
        "job-1",
        job.told["acs_url"],
        job.told["metadata_url"],
    )


def test_its_administrator_can_look_at_it(app: FastAPI, job: Workspace, idp: Idp) -> None:
    job.connect(idp)
    page = _signed_in(app, job).open("/account-manager/job-1/accounts/single-sign-on")
    assert job.told["acs_url"] in page.text
    assert "http://localhost:8000/saml2<" not in page.text


def test_the_same_message_can_be_used_once_in_each(app: FastAPI, job: Workspace, connected: Idp) -> None:
    """The same issuer, the same user and the same assertion ID, here, there and in the shared realm."""
    other = Workspace(app, "job-2")
    for workspace in (job, other):
        workspace.connect(connected)
        told = workspace.verdict(workspace.response(connected, assertion_id="_one"))
        assert (told["outcome"], told["provisioned"]) == ("accepted", True)
    shared = job.post(connected.response(assertion_id="_one"), "/saml2").json()
    assert shared["outcome"] == "accepted"
    assert job.verdict(job.response(connected, assertion_id="_one"))["failed"] == ["replay"]
    for workspace in (job, other):
        assert [user["username"] for user in workspace.program.get("/users")["items"]] == [BRITTA.email]


def test_the_shared_address_does_not_know_the_issuers_of_workspaces(job: Workspace, idp: Idp) -> None:
    job.connect(idp)
    assert job.post(idp.response(), "/saml2").json()["failed"] == ["issuer"]


def test_a_workspace_does_not_know_the_issuers_of_others(app: FastAPI, job: Workspace, connected: Idp) -> None:
    assert job.verdict(job.response(connected))["failed"] == ["issuer"]
    Workspace(app, "job-2").connect(connected)
    assert job.verdict(job.response(connected))["failed"] == ["issuer"]


def test_a_message_for_the_shared_service_is_for_no_workspace(job: Workspace, idp: Idp) -> None:
    job.connect(idp)
    assert set(job.verdict(idp.response())["failed"]) >= {"destination", "recipient", "audience"}


def test_whatever_reaches_it_is_in_its_log_alone(app: FastAPI, job: Workspace, alice: Browser, idp: Idp) -> None:  # noqa: F811
    """Also a message of an issuer that nobody trusts: whom else could it be meant for?"""
    reference = job.verdict(job.response(idp))["reference"]
    assert [entry["reference"] for entry in job.program.get("/sign-ins")["items"]] == [reference]
    assert job.program.get(f"/sign-ins/{reference}")["failed"] == ["issuer"]
    other = Workspace(app, "job-2").program
    assert other.refused("GET", f"/sign-ins/{reference}") == (404, [])
    page = alice.open(f"/account-manager/business/accounts/single-sign-on/sign-in-log/{reference}")
    assert page.status_code == 404


@pytest.mark.usefixtures("job")
def test_the_only_company_is_one_that_shares_the_service(service: Service) -> None:
    """Its administrators operate our keys, which belong to everybody: those of a workspace never do."""
    with service.database.writing() as session:
        companies = {row.name: row.id for row in session.execute(select(Company)).scalars()}
        assert not any(accounts.only_company(session, company_id) for company_id in companies.values())
        moved = session.execute(select(Company).where(column(Company.name) == "Fabrikam")).scalar_one()
        moved.realm_id = realms.add(session, Realm(name="elsewhere", expires_at=NOW)).id
        session.flush()
        assert accounts.only_company(session, companies["Contoso"])
        assert not accounts.only_company(session, companies["Workspace job-1"])


def test_a_sign_in_can_begin_there_and_ends_there(app: FastAPI, job: Workspace, idp: Idp) -> None:
    job.connect(idp, sign_in_url="https://idp.contoso.example/sign-in", unsolicited=False)
    browser = TestClient(app, base_url="http://localhost:8000", follow_redirects=False)
    begun = browser.get("/w/job-1/sso/login")
    assert begun.status_code == 303
    assert begun.headers["location"].startswith("https://idp.contoso.example/sign-in?SAMLRequest=")
    assert Program(app).client.get("/sso/login/job-1").status_code == 404


def test_whoever_is_signed_in_there_goes_straight_on_there_and_nowhere_else(
    app: FastAPI, job: Workspace, idp: Idp
) -> None:
    job.connect(idp, sign_in_url="https://idp.contoso.example/sign-in")
    britta = TestClient(app, base_url="http://localhost:8000", follow_redirects=False)
    message = {"SAMLResponse": post_field(job.response(idp))}
    assert britta.post("/w/job-1/saml2", data=message).headers["location"] == "/"
    assert britta.get("/w/job-1/sso/login?next=/my-profile").headers["location"] == "/my-profile"
    assert britta.get("/sso/login/job-1?next=/my-profile").status_code == 404


def test_its_administrator_signs_nothing_in_the_name_of_the_shared_service(
    app: FastAPI, job: Workspace, idp: Idp
) -> None:
    """One key signs for all of them, and Contoso's identity provider trusts it."""
    job.connect(idp, sign_in_url="https://idp.contoso.example/sign-in")
    mallory, bench = _signed_in(app, job), "/account-manager/job-1/accounts/single-sign-on/requests/bench"
    mallory.client.follow_redirects = False
    mallory.open(bench)
    own = mallory.value_of("xml")
    assert mallory.submit(bench, xml=own, signing="signed").status_code == 303
    mallory.open(bench)
    theirs = own.replace("/w/job-1/saml2</saml:Issuer>", "/saml2</saml:Issuer>")
    assert theirs != own
    assert mallory.submit(bench, xml=theirs, signing="signed").status_code == 422


# Who may.


def test_on_this_machine_everybody_may_make_one(app: FastAPI) -> None:
    assert Workspace(app).name.startswith("w-")


def test_a_page_of_another_site_makes_none(nobody: Program) -> None:
    elsewhere = {"origin": "https://evil.example"}
    assert nobody.refused("POST", "/workspaces", {}, headers=elsewhere) == (403, [])


def test_elsewhere_only_the_operator_may(make_app: Callable[..., FastAPI]) -> None:
    app = make_app(**REMOTE, workspace_token=SECRET)
    assert Program(app).refused("POST", "/workspaces", {}) == (401, [])
    assert Program(app, SECRET + "x").refused("POST", "/workspaces", {}) == (401, [])
    Program(app, SECRET).send("POST", "/workspaces", {"name": "job-1"}, status=201)
    Program(app, SECRET).send("DELETE", "/workspaces/job-1", status=204)


def test_elsewhere_and_without_a_token_nobody_may(make_app: Callable[..., FastAPI]) -> None:
    assert Program(make_app(**REMOTE)).refused("POST", "/workspaces", {}) == (401, [])


def test_nobody_may_where_they_are_switched_off(make_app: Callable[..., FastAPI]) -> None:
    app = make_app(workspaces="off", workspace_token=SECRET)
    assert Program(app, SECRET).refused("POST", "/workspaces", {}) == (403, [])


def test_another_workspaces_token_finds_nothing(app: FastAPI, job: Workspace, nobody: Program) -> None:
    other = Workspace(app, "job-2").program
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/reset"), ("DELETE", "/clock")):
        assert other.refused(method, job.address + path) == (404, [])
        assert nobody.refused(method, job.address + path) == (401, [])
    assert job.program.get(job.address)["name"] == "job-1"


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"name": "Job"}, ["name"]),
        ({"name": "shared"}, ["name"]),
        ({"name": "business"}, ["name"]),
        ({"name": "job-1"}, ["name"]),
        ({"name": "../x"}, ["name"]),
        ({"lifetime_seconds": 59}, ["lifetime_seconds"]),
        ({"lifetime_seconds": 86_401}, ["lifetime_seconds"]),
        ({"lifetime_seconds": -(10**30)}, ["lifetime_seconds"]),
        ({"lifetime": 60}, ["lifetime"]),
    ],
)
def test_what_cannot_be_made_is_said_by_field(nobody: Program, body: dict[str, object], fields: list[str]) -> None:
    assert nobody.refused("POST", "/workspaces", body) == (422, fields)


@pytest.mark.usefixtures("job")
def test_there_are_only_so_many(nobody: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspaces, "MAX_WORKSPACES", 1)
    assert nobody.refused("POST", "/workspaces", {"name": "job-2"}) == (409, [])


# How many one address may make where everybody may.

OPEN = {"base_url": "https://rehearse.example", "workspaces": "open"}


def from_address(app: FastAPI, address: str) -> TestClient:
    return TestClient(app, base_url=OPEN["base_url"], client=(address, 50000))


def test_one_address_leaves_workspaces_for_others(make_app: Callable[..., FastAPI], clock: StillClock) -> None:
    """An IPv6 address counts as its network. The end of one makes room."""
    app = make_app(**OPEN, workspaces_per_address=1)
    first, same_network, other = (from_address(app, one) for one in ("2001:db8::1", "2001:db8::2", "192.0.2.1"))
    made = first.post(f"{API}/workspaces", json={"lifetime_seconds": 60})
    refused = same_network.post(f"{API}/workspaces")
    assert (made.status_code, refused.status_code) == (201, 409)
    assert refused.json()["detail"].startswith("Your address has 1 workspaces already.")
    assert other.post(f"{API}/workspaces").status_code == 201
    clock.advance(minutes=2)
    assert same_network.post(f"{API}/workspaces").status_code == 201


def test_one_address_makes_so_many_a_minute(make_app: Callable[..., FastAPI], clock: StillClock) -> None:
    app = make_app(**OPEN, workspaces_per_minute=1)
    first, other = from_address(app, "192.0.2.1"), from_address(app, "192.0.2.2")
    assert first.post(f"{API}/workspaces").status_code == 201
    refused = first.post(f"{API}/workspaces")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert other.post(f"{API}/workspaces").status_code == 201
    clock.advance(minutes=1)
    assert first.post(f"{API}/workspaces").status_code == 201


def test_workspaces_that_are_deleted_at_once_count_for_the_minute(
    make_app: Callable[..., FastAPI], clock: StillClock
) -> None:
    """Each costs a password hash of 64 MiB."""
    client = from_address(make_app(**OPEN, workspaces_per_minute=2), "192.0.2.1")
    for _ in range(2):
        made = client.post(f"{API}/workspaces").json()
        headers = {"authorization": f"Bearer {made['token']}"}
        assert client.delete(f"{API}/workspaces/{made['name']}", headers=headers).status_code == 204
    refused = client.post(f"{API}/workspaces")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert refused.json()["detail"].startswith("Your address made 2 workspaces within a minute.")
    clock.advance(minutes=1)
    assert client.post(f"{API}/workspaces").status_code == 201


def test_a_name_that_is_taken_counts_for_the_minute(make_app: Callable[..., FastAPI]) -> None:
    client = from_address(make_app(**OPEN, workspaces_per_minute=2), "192.0.2.1")
    answers = [client.post(f"{API}/workspaces", json={"name": "job-1"}).status_code for _ in range(3)]
    assert answers == [201, 422, 429]


def test_the_limit_per_address_is_not_for_the_operator_nor_for_a_service_on_loopback(
    make_app: Callable[..., FastAPI],
) -> None:
    token = "workspaces-of-the-operator"
    limits = {"workspaces_per_address": 1, "workspaces_per_minute": 1}
    app = make_app(**OPEN, **limits, workspace_token=token)
    operator = from_address(app, "192.0.2.1")
    headers = {"authorization": f"Bearer {token}"}
    assert [operator.post(f"{API}/workspaces", headers=headers).status_code for _ in range(2)] == [201, 201]
    local = TestClient(make_app(**limits), base_url=BASE_URL, client=("127.0.0.1", 50000))
    assert [local.post(f"{API}/workspaces").status_code for _ in range(2)] == [201, 201]


# Beginning anew, and the end.


def test_a_reset_takes_away_what_happened(job: Workspace, idp: Idp) -> None:
    job.connect(idp)
    message = job.response(idp)
    assert job.verdict(message)["outcome"] == "accepted"
    job.program.send("PUT", f"{job.address}/clock", {"time": "2020-01-01T00:00:00Z"})
    job.program.send("POST", f"{job.address}/reset")
    for path in ("/users", "/sessions", "/sign-ins"):
        assert job.program.get(path)["items"] == []
    assert job.program.get("/account")["settings_version"] == 1
    assert job.program.get("/account/single-sign-on")["issuer"] == ""
    assert job.program.get(job.address)["fixed_time"] is None
    job.connect(idp)
    assert job.verdict(message)["outcome"] == "accepted"  # the record of replays is empty too


def test_one_that_is_over_is_not_there(app: FastAPI, job: Workspace, clock: StillClock, idp: Idp) -> None:
    browser = _signed_in(app, job)
    assert _can_sign_in(app, job)
    clock.advance(hours=1)
    assert job.post(job.response(idp)).status_code == 404
    for path in ("/saml2/metadata", "/saml2/slo", "/sso/login"):
        assert Program(app).client.get(f"/w/job-1{path}").status_code == 404
    assert job.program.refused("GET", job.address) == (404, [])
    assert job.program.refused("GET", "/account") == (401, [])
    assert "Sign Out" not in browser.open("/").text
    assert not _can_sign_in(app, job)


def test_nothing_of_one_is_left(app: FastAPI, service: Service, idp: Idp, clock: StillClock) -> None:
    """Whatever table there is: one that somebody adds must be emptied too."""
    Workspace(app, "job-0").program.send("DELETE", "/workspaces/job-0", status=204)
    before = _rows(service.database)
    _use(app, Workspace(app, "job-1"), idp)
    assert _rows(service.database) != before
    clock.advance(hours=1)
    while tidy_up(service.database, service.settings, service.now()):
        pass
    assert _rows(service.database) == before


def test_a_deleted_one_leaves_nothing_and_its_name_can_be_used_again(app: FastAPI, service: Service, idp: Idp) -> None:
    before = _rows(service.database)
    for _ in range(2):
        job = Workspace(app, "job-1")
        _use(app, job, idp)
        job.program.send("DELETE", job.address, status=204)
        assert job.program.refused("GET", job.address) == (404, [])
    assert _rows(service.database) == before


def test_the_name_of_one_that_is_over_can_be_used_at_once(app: FastAPI, job: Workspace, clock: StillClock) -> None:
    clock.advance(hours=1)
    assert Workspace(app, "job-1").told["token"] != job.told["token"]


def test_the_shared_realm_is_no_workspace(service: Service) -> None:
    assert not workspaces.delete_workspace(service.database, "shared", NOW)
    assert not workspaces.reset_workspace(service.database, "shared", NOW)
    with service.database.reading() as session:
        assert session.execute(select(func.count()).select_from(Realm)).scalar_one() == 1


# The clock.


def test_messages_are_judged_by_a_clock_that_stands(job: Workspace, idp: Idp) -> None:
    past = NOW - timedelta(days=300)
    job.connect(idp)
    job.program.send("PUT", f"{job.address}/clock", {"time": instant(past)})
    message = job.response(idp, now=past)
    told = job.verdict(message)
    assert (told["outcome"], told["fixed_time"]) == ("accepted", instant(past))
    entry = job.program.get(f"/sign-ins/{told['reference']}")
    assert (entry["fixed_time"], entry["received_at"]) == (instant(past), instant(NOW))
    again = job.program.send("POST", f"/sign-ins/{told['reference']}/judge-again", {})
    assert again["differences"] == []
    assert job.verdict(job.response(idp))["failed"] == [
        "response_issue_instant",
        "assertion_issue_instant",
        "not_before",
        "authn_statement",
    ]


def test_sessions_and_replays_go_by_the_real_clock(
    job: Workspace, idp: Idp, service: Service, clock: StillClock
) -> None:
    past = NOW - timedelta(days=300)
    job.connect(idp)
    job.program.send("PUT", f"{job.address}/clock", {"time": instant(past)})
    message = job.response(idp, now=past)
    assert job.verdict(message)["outcome"] == "accepted"
    session = job.program.get("/sessions")["items"][0]
    assert (session["created_at"], session["expires_at"]) == (instant(NOW), job.told["expires_at"])
    clock.advance(minutes=30)
    while tidy_up(service.database, service.settings, service.now()):
        pass
    assert job.verdict(message)["failed"] == ["replay"]


def test_a_clock_goes_on_when_it_is_let_go(job: Workspace, idp: Idp) -> None:
    job.connect(idp)
    job.program.send("PUT", f"{job.address}/clock", {"time": "2020-01-01T00:00:00Z"})
    assert job.program.send("DELETE", f"{job.address}/clock")["fixed_time"] is None
    assert "fixed_time" not in job.verdict(job.response(idp))


def test_every_page_says_that_the_clock_stands(app: FastAPI, job: Workspace, alice: Browser) -> None:  # noqa: F811
    job.program.send("PUT", f"{job.address}/clock", {"time": "2020-01-01T00:00:00Z"})
    browser = _signed_in(app, job)
    for path in ("/", "/account-manager/job-1/accounts/single-sign-on", "/nowhere"):
        assert "clock of this workspace stands" in browser.client.get(path).text
    assert "clock of this workspace stands" not in alice.open("/").text


def test_no_clock_stands_where_that_is_not_allowed(make_app: Callable[..., FastAPI]) -> None:
    app = make_app(fixed_clock=False)
    job = Workspace(app, "job-1")
    assert job.program.refused("PUT", f"{job.address}/clock", {"time": "2020-01-01T00:00:00Z"}) == (403, [])


def test_a_clock_goes_again_where_it_was_allowed_to_stand_before(app: FastAPI, job: Workspace) -> None:
    """The operator took it back: nothing is told or shown by the time of then, as nothing is judged by it."""
    job.program.send("PUT", f"{job.address}/clock", {"time": "2020-01-01T00:00:00Z"})
    service: Service = app.state.service
    settings = service.settings.model_copy(update={"fixed_clock": False})
    browser = _signed_in(app, job)
    app.state.service = replace(service, settings=settings)
    assert "clock of this workspace stands" not in browser.client.get("/").text
    with service.database.reading() as session:
        account = accounts.account_by_slug(session, "job-1")
        assert account is not None
        assert judging_time_of(session, service.settings, account, NOW).year == 2020
        assert judging_time_of(session, settings, account, NOW) == NOW


@pytest.mark.parametrize("time", ["yesterday", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z", 5, None])
def test_a_clock_stands_at_a_time(job: Workspace, time: object) -> None:
    assert job.program.refused("PUT", f"{job.address}/clock", {"time": time}) == (422, ["time"])


def _use(app: FastAPI, job: Workspace, idp: Idp) -> None:
    """Leave rows wherever a workspace can."""
    job.connect(idp, sign_in_url="https://idp.contoso.example/sign-in")
    assert job.verdict(job.response(idp))["outcome"] == "accepted"
    job.verdict(b"<x/>")
    _signed_in(app, job)
    TestClient(app, base_url="http://localhost:8000").get("/w/job-1/sso/login", follow_redirects=False)


def _rows(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return {
            table.name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in SQLModel.metadata.sorted_tables
            if table.name != "password_throttle"
        }


def _signed_in(app: FastAPI, job: Workspace) -> Browser:
    """By the form, with the password that was told."""
    browser = Browser(app)
    browser.open("/")
    browser.submit("/sso/login/", **job.told["administrator"])
    assert "Sign Out" in browser.open("/").text
    return browser


def _can_sign_in(app: FastAPI, job: Workspace) -> bool:
    browser = Browser(app)
    browser.open("/")
    sent = {**job.told["administrator"], "csrf_token": browser.token}
    answer = browser.client.post("/sso/login/", data=sent, follow_redirects=False)
    return answer.status_code == 303


# What begins here, and signing out.


def test_a_sign_in_that_began_there_is_answered_there_by_the_clock_that_stands(
    app: FastAPI, job: Workspace, idp: Idp, clock: StillClock
) -> None:
    """The request's age is the real one: an answer is late when the person took too long, whatever the clock says."""
    past = NOW - timedelta(days=300)
    job.connect(idp, sign_in_url="https://idp.contoso.example/sign-in", unsolicited=False)
    job.program.send("PUT", f"{job.address}/clock", {"time": instant(past)})
    for minutes, failed in ((5, []), (15, ["in_response_to"])):
        browser = TestClient(app, base_url="http://localhost:8000", follow_redirects=False)
        request = _request_in(browser.get("/w/job-1/sso/login").headers["location"])
        assert (request.get("IssueInstant"), request.findtext("saml:Issuer", namespaces=NS)) == (
            instant(past),
            job.told["entity_id"],
        )
        assert request.get("AssertionConsumerServiceURL") == job.told["acs_url"]
        clock.advance(minutes=minutes)
        answer = post_field(job.response(idp, now=past, in_response_to=request.get("ID")))
        told = browser.post("/w/job-1/saml2", data={"SAMLResponse": answer}, headers={"accept": "application/json"})
        assert told.json()["failed"] == failed


def test_an_answer_belongs_to_the_workspace_that_asked(app: FastAPI, job: Workspace, idp: Idp) -> None:
    other = Workspace(app, "job-2")
    for workspace in (job, other):
        workspace.connect(idp, sign_in_url="https://idp.contoso.example/sign-in", unsolicited=False)
    browser = TestClient(app, base_url="http://localhost:8000", follow_redirects=False)
    request = _request_in(browser.get("/w/job-1/sso/login").headers["location"])
    answer = post_field(other.response(idp, in_response_to=request.get("ID")))
    told = browser.post("/w/job-2/saml2", data={"SAMLResponse": answer}, headers={"accept": "application/json"})
    assert told.json()["failed"] == ["in_response_to"]


def test_a_sign_out_ends_sessions_of_its_workspace_alone(app: FastAPI, job: Workspace, idp: Idp) -> None:
    other = Workspace(app, "job-2")
    for workspace in (job, other):
        workspace.connect(idp, sign_out_url="https://idp.contoso.example/slo")
        workspace.verdict(workspace.response(idp))
    sent = logouts.request(idp, destination=job.told["sign_out_url"])
    elsewhere = Program(app).client.post("/w/job-2/saml2/slo", data={"SAMLRequest": post_field(sent)})
    assert elsewhere.status_code == 200  # the refusal is carried to the identity provider
    assert len(other.program.get("/sessions")["items"]) == 1
    Program(app).client.post("/w/job-1/saml2/slo", data={"SAMLRequest": post_field(sent)})
    assert job.program.get("/sessions")["items"] == []
    assert len(other.program.get("/sessions")["items"]) == 1


def _request_in(url: str) -> etree._Element:
    query = parse_qs(urlsplit(url).query)
    return etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15))
