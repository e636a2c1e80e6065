"""Who is signed in, and ending that, by the API."""

from __future__ import annotations

import pytest
from api.conftest import Program
from browser import Browser, StillClock
from cast import ALICE, BOB, BRITTA
from fastapi import FastAPI
from web.conftest import signed_in
from web.sign_in_log.conftest import Door


def test_a_session_tells_which_sign_in_opened_it(program: Program, door: Door) -> None:
    reference = door.accepted().reference
    (session,) = program.get("/sessions")["items"]
    assert (session["sign_in"], session["user"]["username"], session["method"]) == (reference, BRITTA.email, "saml")
    assert session["name_id"] == BRITTA.email


def test_sessions_are_listed_newest_first(program: Program, door: Door) -> None:
    references = [door.accepted().reference for _ in range(5)]
    page, seen = program.get("/sessions?limit=2"), []
    while page["next"]:
        seen += page["items"]
        page = program.get(page["next"])
    assert [item["sign_in"] for item in seen + page["items"]] == references[::-1]


def test_sessions_of_one_person(program: Program, door: Door) -> None:
    door.accepted()
    door.accepted(name_id=BOB.email)
    user_id = program.get(f"/users?username={BOB.email}")["items"][0]["id"]
    assert len(program.get(f"/sessions?user={user_id}")["items"]) == 1
    assert len(program.get("/sessions?search=bob")["items"]) == 1
    assert len(program.get("/sessions?search=nobody")["items"]) == 0


def test_an_ended_session_opens_nothing(program: Program, app: FastAPI) -> None:
    browser = signed_in(app, BRITTA.email)
    (session,) = program.get("/sessions")["items"]
    program.send("DELETE", f"/sessions/{session['id']}", status=204)
    assert "Use Single Sign On" in browser.open("/").text
    assert program.refused("DELETE", f"/sessions/{session['id']}") == (404, [])


def test_every_session_of_a_user_or_of_the_account_is_ended(program: Program, door: Door) -> None:
    for person in (BRITTA, BRITTA, BOB):
        door.accepted(name_id=person.email)
    user_id = program.get(f"/users?username={BRITTA.email}")["items"][0]["id"]
    assert program.send("DELETE", f"/users/{user_id}/sessions") == {"ended": 2}
    assert program.send("DELETE", "/sessions") == {"ended": 1}
    assert program.get("/sessions")["items"] == []


def test_a_session_that_is_idle_is_not_listed(program: Program, app: FastAPI, clock: StillClock) -> None:
    signed_in(app, BRITTA.email)
    clock.advance(hours=2)
    assert program.get("/sessions")["items"] == []


def test_administrators_are_none_of_a_programs_business(program: Program, app: FastAPI) -> None:
    signed_in(app, ALICE.email)
    assert program.get("/sessions")["items"] == []


def test_fabrikams_program_ends_nobodys_session(program: Program, fabrikams: Program, app: FastAPI) -> None:
    browser: Browser = signed_in(app, BRITTA.email)
    (session,) = program.get("/sessions")["items"]
    assert fabrikams.get("/sessions")["items"] == []
    assert fabrikams.get(f"/sessions?user={session['user']['id']}")["items"] == []
    assert fabrikams.refused("DELETE", f"/sessions/{session['id']}") == (404, [])
    assert fabrikams.send("DELETE", "/sessions") == {"ended": 0}
    assert "Application Panel" in browser.open("/").text


def test_a_reader_ends_nothing(reader: Program, app: FastAPI) -> None:
    signed_in(app, BRITTA.email)
    (session,) = reader.get("/sessions")["items"]
    assert reader.refused("DELETE", f"/sessions/{session['id']}")[0] == 403
    assert reader.refused("DELETE", "/sessions")[0] == 403
    assert len(reader.get("/sessions")["items"]) == 1


@pytest.mark.parametrize("query", ["user=0", "user=x", "limit=0", "after=x", "usr=1"])
def test_a_wrong_parameter_is_named(program: Program, query: str) -> None:
    assert program.refused("GET", f"/sessions?{query}") == (422, [query.partition("=")[0]])
