"""What every request must satisfy and what every answer carries."""

import pytest
from demo_directory.browser import BASE_URL, Browser
from fastapi import FastAPI
from fastapi.routing import APIRoute

from sp.demo_directory import access_panel, applications, portal, sign_on, users, wizard
from sp.demo_directory.connect import Connected
from sp.demo_directory.desk import Desk

ROUTES = [
    route
    for page in (portal, users, wizard, applications, access_panel, sign_on)
    for route in page.router.routes
    if isinstance(route, APIRoute)
]
FORMS = [route.path for route in ROUTES if "POST" in (route.methods or ()) and route.path != "/{tenant_id}/saml2"]


def test_there_are_forms_to_guard() -> None:
    assert len(FORMS) >= 15


@pytest.mark.parametrize("path", FORMS)
def test_mallory_cannot_send_a_form_from_another_site(
    app: FastAPI, connected: Connected, desk: Desk, path: str
) -> None:
    assert connected.user_name
    victim = Browser(app)
    before = [person.password_hash for person in desk.store.people()]
    (application,) = desk.store.applications()
    address = path.replace("{object_id}", application.object_id)
    person = desk.store.people()[0].object_id
    fields = {"person": person, "application": application.object_id, "form_token": "0" * 64}
    assert victim.client.post(address, data=fields).status_code == 403
    assert [person.password_hash for person in desk.store.people()] == before
    assert desk.store.applications()


def test_one_browsers_token_is_worth_nothing_in_another(app: FastAPI, alice: Browser) -> None:
    alice.open("/portal/directory/users/add")
    stolen = alice.page.text.partition('name="form_token" value="')[2].partition('"')[0]
    mallory = Browser(app)
    answer = mallory.client.post(
        "/portal/directory/users/add/profile", data={"form_token": stolen, "user_name": "Mallory"}
    )
    assert len(stolen) == 64
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8001", "127.0.0.1.evil.example:8001", ""])
def test_another_host_name_is_not_answered(alice: Browser, host: str) -> None:
    for method in ("GET", "POST"):
        answer = alice.client.request(method, "/portal", headers={"host": host})
        assert answer.status_code == 421
        assert f"only answers at {BASE_URL}" in answer.text


def test_another_name_of_this_computer_leads_to_the_right_one(alice: Browser) -> None:
    alice.client.follow_redirects = False
    answer = alice.client.get("/portal?a=b", headers={"host": "localhost:8001"})
    assert answer.headers["location"] == f"{BASE_URL}/portal?a=b"


@pytest.mark.parametrize(
    "path", ["/", "/portal", "/access-panel/sign-in", "/nowhere", "/static/demo_directory/demo.css"]
)
def test_every_answer_carries_the_headers(alice: Browser, path: str) -> None:
    headers = alice.open(path).headers
    policy = headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] in {"no-store", "no-cache"}


def test_a_page_that_does_not_exist_is_a_page(alice: Browser) -> None:
    for path in ("/nowhere", "/portal/directory/applications/nothing", "/access-panel/nothing"):
        assert alice.open(path).status_code in {404, 405}
        assert alice.page.headers["content-type"].startswith("text/html")
        assert "There is no page at this address" in alice.text()


def test_a_parameter_that_does_not_fit_is_a_page(alice: Browser) -> None:
    assert alice.open("/portal/directory/certificate?format=jks").status_code == 422
    assert alice.page.headers["content-type"].startswith("text/html")


def test_a_wrong_method_is_a_page(alice: Browser) -> None:
    answer = alice.client.put("/portal", content=b"")
    assert answer.status_code == 405
    assert answer.headers["content-type"].startswith("text/html")


def test_a_form_of_a_megabyte_is_refused(alice: Browser) -> None:
    answer = alice.client.post("/access-panel/sign-in", data={"user_name": "a" * 1_000_000})
    assert answer.status_code == 413


def test_a_surprise_shows_no_stack_trace(alice: Browser, desk: Desk) -> None:
    desk.store.close()
    desk.settings.database_file.rename(desk.settings.data_dir / "gone.db")
    answer = alice.open("/portal/directory/users")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert "sqlite" not in answer.text.lower()
    assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_every_page_says_that_it_is_not_microsofts(alice: Browser) -> None:
    for path in ("/", "/portal", "/access-panel/sign-in", "/nowhere"):
        alice.open(path)
        assert "A stand-in for testing. Not affiliated with Microsoft." in alice.text()
