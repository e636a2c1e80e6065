"""User profiles by the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from api.conftest import Program
from cast import BOB as BOB_BROWN
from cast import BRITTA
from profiles import add_crowd, add_profile
from sqlmodel import Session

from sp.flows.passwords import hash_password, password_matches
from sp.service import Service
from sp.store import accounts, users

BOB = {"first_name": "Bob", "last_name": "Brown", "email": "bob@contoso.example"}


def britta(program: Program) -> dict[str, Any]:
    (found,) = program.get(f"/users?username={BRITTA.email}")["items"]
    return dict(found)


def crowd(service: Service, size: int, slug: str = "business") -> list[str]:
    with service.database.reading() as session:
        account = accounts.account_by_slug(session, slug)
        assert account is not None
    return [user.username for user in add_crowd(service.database, account, size)]


def test_everybody_is_listed_once_in_the_order_of_creation(program: Program, service: Service) -> None:
    everybody = [BRITTA.email, *crowd(service, 25)]
    page, seen = program.get("/users?limit=7"), []
    while True:
        seen += [item["username"] for item in page["items"]]
        if page["next"] is None:
            break
        assert len(page["items"]) == 7
        page = program.get(page["next"])
    assert sorted(seen) == sorted(everybody)
    assert seen[-1] == everybody[-1]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("search=bea", 4),
        ("search=user1%20contoso", 0),
        ("search=Dörte%20user3", 1),
        ("username=USER3@business.example", 1),
        ("username=nobody", 0),
        ("username=a%00b", 0),
        ("federation_id=f-1", 1),
        ("federation_id=F-1", 0),
        ("federation_id=f-3&status=disabled", 0),
        ("status=disabled", 2),
        ("search=%00", 11),
        ("username=user3@business.example&federation_id=f-3", 1),
        ("username=user3@business.example&federation_id=f-1", 0),
    ],
)
def test_users_are_found(program: Program, service: Service, query: str, count: int) -> None:
    crowd(service, 10)
    assert len(program.get(f"/users?{query}")["items"]) == count


def test_many_of_one_federation_id_are_read_a_page_at_a_time(program: Program, service: Service) -> None:
    crowd(service, 40)
    page, seen = program.get("/users?federation_id=f-3&limit=2"), []
    while page["next"]:
        seen += page["items"]
        page = program.get(page["next"])
    seen += page["items"]
    assert [item["username"] for item in seen] == [f"user{number}@business.example" for number in (3, 13, 23, 33)]


def test_a_user_is_added_as_support_does(program: Program, service: Service) -> None:
    added = program.send("POST", "/users", BOB | {"password": "Right-1-password"}, status=201)
    assert (added["username"], added["source"], added["status"]) == ("bob@contoso.example", "support", "active")
    assert program.get(program.told.headers["location"]) == added
    with service.database.reading() as session:
        user = users.user_of_account(session, 1, added["id"])
    assert user is not None
    assert password_matches(user.password_hash, "Right-1-password")


def test_a_password_is_hashed_before_anybody_has_to_wait(
    program: Program, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite nobody else writes in a transaction that writes, sign-ins neither."""
    writers, opens = [], service.database.writing

    @contextmanager
    def writing() -> Iterator[Session]:
        with opens() as session:
            writers.append(session)
            yield session
            writers.remove(session)

    def hashes(password: str) -> str:
        assert not writers
        return hash_password(password)

    monkeypatch.setattr(service.database, "writing", writing)
    monkeypatch.setattr("sp.api.users.hash_password", hashes)
    program.send("POST", "/users", BOB | {"password": "Right-1-password"}, status=201)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"email": "bob", "username": "bob@contoso.example"}, "email"),
        ({"email": BRITTA.email}, "username"),
        ({"username": BRITTA.email.upper()}, "username"),
        ({"username": "a b\u0000"}, "username"),
        ({"first_name": ""}, "first_name"),
        ({"first_name": "x" * 257}, "first_name"),
        ({"last_name": "a\nb"}, "last_name"),
        ({"last_name": None}, "last_name"),
        ({"federation_id": "x" * 257}, "federation_id"),
        ({"password": "short"}, "password"),
        ({"password": "Aa1-" * 300}, "password"),
        ({"status": "disabled"}, "status"),
    ],
    ids=str,
)
def test_a_wrong_value_is_named_and_nobody_is_added(program: Program, changes: dict[str, Any], named: str) -> None:
    assert program.refused("POST", "/users", BOB | changes) == (422, [named])
    assert len(program.get("/users")["items"]) == 1


def test_what_is_missing_is_named(program: Program) -> None:
    assert program.refused("POST", "/users", {}) == (422, ["first_name", "last_name", "email"])


def test_a_user_name_of_another_account_is_taken(program: Program, service: Service) -> None:
    with service.database.reading() as session:
        fabrikam = accounts.account_by_slug(session, "fabrikam")
    assert fabrikam is not None
    add_profile(service.database, fabrikam, BOB_BROWN)
    assert program.refused("POST", "/users", BOB) == (422, ["username"])


def test_a_profile_is_changed_in_part(program: Program) -> None:
    before = britta(program)
    tag = program.call("GET", f"/users/{before['id']}").headers["etag"]
    after = program.send("PATCH", f"/users/{before['id']}", {"federation_id": "bsimon"}, headers={"if-match": tag})
    assert after == before | {"federation_id": "bsimon"}
    stale = {"if-match": tag}
    assert program.refused("PATCH", f"/users/{before['id']}", {"last_name": "X"}, headers=stale) == (412, [])
    assert program.refused("PATCH", f"/users/{before['id']}", {"email": ""}) == (422, ["email"])
    assert britta(program) == after


def test_a_user_is_disabled_enabled_and_deleted(program: Program) -> None:
    one = f"/users/{britta(program)['id']}"
    assert program.send("POST", f"{one}/disable")["status"] == "disabled"
    assert program.send("POST", f"{one}/enable")["status"] == "active"
    program.send("DELETE", one, status=204)
    for method, path in (("GET", one), ("PATCH", one), ("DELETE", one), ("POST", f"{one}/enable")):
        assert program.refused(method, path, {} if method == "PATCH" else None) == (404, []), (method, path)
    assert program.get("/users")["items"] == []


def test_a_deleted_user_comes_back_by_being_added(program: Program) -> None:
    program.send("DELETE", f"/users/{britta(program)['id']}", status=204)
    again = program.send("POST", "/users", BOB | {"email": BRITTA.email}, status=201)
    assert (again["first_name"], again["username"]) == ("Bob", BRITTA.email)


def test_fabrikams_program_finds_nobody_of_contoso(fabrikams: Program, program: Program) -> None:
    before = britta(program)
    one = f"/users/{before['id']}"
    steps = [("GET", one), ("PATCH", one), ("DELETE", one), ("DELETE", f"{one}/sessions")]
    for method, path in [*steps, ("POST", f"{one}/disable"), ("POST", f"{one}/enable")]:
        assert fabrikams.refused(method, path, {} if method == "PATCH" else None) == (404, []), (method, path)
    assert fabrikams.get(f"/users?username={BRITTA.email}")["items"] == []
    assert fabrikams.get("/users")["items"] == []
    assert fabrikams.refused("GET", f"/users?after={before['id']}") == (422, ["after"])
    assert britta(program) == before


def test_a_reader_changes_nobody(reader: Program) -> None:
    one = f"/users/{britta(reader)['id']}"
    for method, path in [
        ("POST", "/users"),
        ("PATCH", one),
        ("DELETE", one),
        ("POST", f"{one}/disable"),
        ("POST", f"{one}/enable"),
        ("DELETE", f"{one}/sessions"),
    ]:
        assert reader.refused(method, path, BOB if path == "/users" else None)[0] == 403, (method, path)
    assert britta(reader)["status"] == "active"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("after=x", "after"),
        ("after=-1", "after"),
        ("after=99999999999999999999", "after"),
        ("after=4711", "after"),
        ("status=deleted", "status"),
        ("search=" + "x" * 201, "search"),
        ("serach=x", "serach"),
    ],
)
def test_a_wrong_parameter_is_named(program: Program, query: str, named: str) -> None:
    assert program.refused("GET", f"/users?{query}") == (422, [named])


@pytest.mark.parametrize("user_id", ["0", "-1", "x", "99999999999999999999", "1.5"])
def test_an_id_that_is_none(program: Program, user_id: str) -> None:
    assert program.refused("GET", f"/users/{user_id}") == (422, ["user_id"])
