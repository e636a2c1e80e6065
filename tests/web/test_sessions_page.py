"""Sessions: who is signed in, and ending that."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attacks.traces import configure
from browser import Browser, StillClock
from cast import BOB, BRITTA
from fastapi import FastAPI
from responses import Idp, post_field
from sqlalchemy import select

from sp.flows import user_profiles
from sp.models import User, UserSession
from sp.store.engine import Database
from sp.web.state import Service

PAGE = "/account-manager/business/accounts/sessions"


@pytest.fixture
def sign_in(app: FastAPI, service: Service) -> Callable[..., Browser]:
    idp = Idp.make()
    configure(service, "business", idp)

    def opened(name_id: str = BRITTA.email, index: str = "") -> Browser:
        browser = Browser(app)
        message = idp.response(now=service.now(), name_id=name_id, assertion_id=index or None)
        browser.post("/saml2", data={"SAMLResponse": post_field(message)})
        assert is_in(browser)
        return browser

    return opened


def is_in(browser: Browser) -> bool:
    return browser.client.get("/my-profile", follow_redirects=False).status_code == 200


def listed(browser: Browser) -> list[str]:
    rows = browser.html.xpath("//table[@id='sessions']/tbody/tr")
    return [" ".join(row.xpath("td[1]")[0].text_content().split()) for row in rows]


def session_ids(database: Database) -> list[int]:
    with database.reading() as session:
        return [row.id or 0 for row in session.execute(select(UserSession).order_by(UserSession.id)).scalars()]  # type: ignore[arg-type]


SignIn = Callable[..., Browser]


def test_nobody_is_signed_in_at_first(alice: Browser) -> None:
    assert "Nobody is signed in" in alice.open(PAGE).text


def test_alice_sees_who_since_when_and_by_which_assertion(alice: Browser, sign_in: SignIn, clock: StillClock) -> None:
    sign_in(index="_brittas")
    clock.advance(minutes=5)
    sign_in(BOB.email)
    alice.open(PAGE)
    assert listed(alice) == [BOB.email, BRITTA.email]
    assert "5 minutes ago" in alice.text()
    assert "_brittas" in alice.text()
    (link, *_) = alice.html.xpath("//table[@id='sessions']//a[starts-with(., 'SAML')]/@href")
    assert "/sign-in-log/" in link
    assert alice.open(link).status_code == 200


def test_a_session_that_idled_out_is_not_listed(alice: Browser, sign_in: SignIn, clock: StillClock) -> None:
    sign_in()
    clock.advance(minutes=59)
    alice.open("/")
    assert listed_after(alice) == [BRITTA.email]
    clock.advance(minutes=2)
    assert listed_after(alice) == []


def listed_after(browser: Browser) -> list[str]:
    browser.open(PAGE)
    return listed(browser)


def test_the_search_finds_a_person(alice: Browser, sign_in: SignIn) -> None:
    sign_in()
    sign_in(BOB.email)
    alice.open(f"{PAGE}?q=BOB@contoso")
    assert listed(alice) == [BOB.email]
    assert "No session matches" in alice.open(f"{PAGE}?q=mallory").text


def test_alice_ends_one_session(alice: Browser, sign_in: SignIn, database: Database) -> None:
    britta, at_home = sign_in(), sign_in()
    first, _ = session_ids(database)
    alice.open(f"{PAGE}/{first}/end")
    assert "Britta Simon" in alice.text()
    alice.submit(f"{PAGE}/{first}/end")
    assert "The session has ended." in alice.text()
    assert (is_in(britta), is_in(at_home)) == (False, True)
    assert alice.open(f"{PAGE}/{first}/end").status_code == 404


def test_alice_ends_all_of_a_person(alice: Browser, sign_in: SignIn, database: Database) -> None:
    britta, at_home, bob = sign_in(), sign_in(), sign_in(BOB.email)
    with database.reading() as session:
        user = session.execute(select(User).where(User.username == BRITTA.email)).scalar_one()  # type: ignore[arg-type]
    alice.open(f"{PAGE}/of-user/{user.id}/end")
    alice.submit(f"{PAGE}/of-user/{user.id}/end")
    assert [is_in(browser) for browser in (britta, at_home, bob)] == [False, False, True]


def test_alice_ends_all_and_stays_herself(alice: Browser, sign_in: SignIn) -> None:
    people = [sign_in(), sign_in(BOB.email)]
    alice.open(f"{PAGE}/end-all")
    alice.submit(f"{PAGE}/end-all")
    assert [is_in(browser) for browser in people] == [False, False]
    assert "Nobody is signed in" in alice.text()


@pytest.mark.parametrize("change", [user_profiles.disable, user_profiles.delete])
def test_who_is_disabled_or_deleted_is_signed_out_at_once(
    alice: Browser, sign_in: SignIn, database: Database, change: Callable[..., None]
) -> None:
    britta = sign_in()
    with database.writing() as session:
        change(session, session.execute(select(User).where(User.username == BRITTA.email)).scalar_one())  # type: ignore[arg-type]
    assert not is_in(britta)
    assert listed_after(alice) == []


def test_charlie_cannot_see_or_end_them(charlie: Browser, sign_in: SignIn, database: Database) -> None:
    britta = sign_in()
    (identifier,) = session_ids(database)
    for page in (PAGE, f"{PAGE}/{identifier}/end", f"{PAGE}/end-all"):
        assert charlie.open(page).status_code == 404
    theirs = PAGE.replace("/business/", "/fabrikam/")
    assert charlie.open(f"{theirs}/{identifier}/end").status_code == 404
    charlie.open(f"{theirs}/end-all")
    token = charlie.token
    assert charlie.post(f"{theirs}/{identifier}/end", data={"csrf_token": token}).status_code == 404
    assert charlie.post(f"{theirs}/end-all", data={"csrf_token": token}).status_code == 200
    assert is_in(britta)


@pytest.mark.parametrize("text", ["x", "-1", "9" * 19, "1%00", "١"])
def test_an_id_that_is_none(alice: Browser, text: str) -> None:
    assert alice.open(f"{PAGE}/{text}/end").status_code == 404
    assert alice.open(f"{PAGE}?before={text}").status_code == 422


def test_fifty_on_a_page(alice: Browser, sign_in: SignIn, database: Database) -> None:
    sign_in()
    with database.writing() as session:
        first = session.execute(select(UserSession)).scalar_one()
        for number in range(51):
            copied = first.model_dump(exclude={"id"}) | {"token_hash": f"{number:064}"}
            session.add(UserSession(**copied))
    assert len(listed_after(alice)) == 50
    (older,) = alice.html.xpath("//a[.='Older']/@href")
    alice.open(f"{PAGE}{older}")
    assert len(listed(alice)) == 2
    assert alice.html.xpath("//a[.='Newest']/@href") == ["?"]
