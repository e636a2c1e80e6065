"""Usernames that only case folding makes the same are two users'; what differs in case only is one user's."""

from __future__ import annotations

from typing import Any

import pytest
from house import House
from responses import CLAIMS
from sqlalchemy import select

from sp.diagnosis.sides import sides
from sp.flows.assertion_consumer import SignIn
from sp.flows.judging_again import judge_attempt
from sp.flows.passwords import hash_password
from sp.flows.sign_in import Credentials, Refusal, sign_in_with_password
from sp.flows.sign_in_started_here import find_company
from sp.models import User, UserSession
from sp.store import accounts, administrators, attempt_listing, sign_in_attempts
from sp.store.attempt_listing import Listing
from sp.store.rows import column
from sp.store.users import folded

WEISS, SHARP_S = "anna.weiss@contoso.com", "anna.weiß@contoso.com"
# What case folding makes one name of each pair.
PAIRS = [
    (WEISS, SHARP_S),
    ("αι@contoso.com", "ᾳ@contoso.com"),
    ("λόγοσ", "λόγος"),
    ("воля", "\u1c80\u1c82ля"),
    ("aι", "a\u0345"),
]


def users_of(house: House) -> list[User]:
    with house.database.reading() as session:
        return list(session.execute(select(User).order_by(column(User.id))).scalars())


def sign_in(house: House, name: str, **claims: str) -> SignIn:
    attributes = {getattr(CLAIMS, field): (value,) for field, value in claims.items()}
    changes: dict[str, Any] = {"attributes": attributes} if claims else {}
    return house.post(house.idp.response(name_id=name, **changes))


@pytest.mark.parametrize(("known", "other"), PAIRS)
def test_a_response_about_one_is_not_accepted_as_the_other(house: House, known: str, other: str) -> None:
    sign_in(house, known, first_name="Anna", last_name="Weiss", email="anna@contoso.com")
    second = sign_in(house, other, first_name="Mallory", last_name="Other", email="mallory@contoso.com")
    assert second.provisioned
    first, created = users_of(house)
    assert (first.username, first.first_name, first.email) == (known, "Anna", "anna@contoso.com")
    assert (created.username, created.first_name) == (other, "Mallory")
    with house.database.reading() as session:
        owners = session.execute(select(column(UserSession.user_id)).order_by(column(UserSession.id))).scalars().all()
    assert owners == [first.id, created.id]


@pytest.mark.parametrize(("known", "other"), PAIRS)
def test_without_provisioning_nobody_is_signed_in(house: House, known: str, other: str) -> None:
    sign_in(house, known)
    house.configure(provisioning=False)
    assert sign_in(house, other).judgement.report.failed == ("user_link",)


@pytest.mark.parametrize(
    ("stored", "received", "warned"),
    [
        ("Jürgen@contoso.com", "JÜRGEN@contoso.com", True),
        ("jürgen@contoso.com", "jürgen@CONTOSO.com", False),
        ("anna.groß@contoso.com", "ANNA.GROẞ@CONTOSO.COM", True),
        ("britta@contoso.com", "BRITTA@contoso.com", False),
    ],
)
def test_more_than_the_case_of_ascii_is_a_warning(house: House, stored: str, received: str, warned: bool) -> None:
    sign_in(house, stored)
    second = sign_in(house, received)
    assert second.accepted
    assert second.username == stored
    row = second.judgement.report.row("username")
    assert row.outcome == ("warning" if warned else "passed")
    if warned:
        assert stored in sides(row).expected
        assert sides(row).received == received
    with house.database.reading() as session:  # the same report, whenever it is read
        attempt = sign_in_attempts.attempt_by_reference(session, second.reference)
        assert attempt is not None
        assert judge_attempt(session, attempt).report == second.judgement.report
    assert len(users_of(house)) == 1


def test_a_federation_id_is_compared_as_it_is(house: House) -> None:
    house.configure(user_mapping="federation-id")
    sign_in(house, "Jürgen")
    assert sign_in(house, "Jürgen").judgement.report.row("username").outcome == "passed"
    assert sign_in(house, "JÜRGEN").judgement.report.failed == ("user_link",)


def test_a_password_opens_the_session_of_the_name_that_was_typed(house: House) -> None:
    """Administrators have the same rule: one folded to another's name would be asked for the other's password."""
    with house.database.writing() as session:
        company = accounts.company_named(session, "Contoso")
        assert company is not None
        for name, password in ((WEISS, "Weiss-1-pass"), (SHARP_S, "Sharp-s-1-pass")):
            administrators.add_administrator(session, company, name, hash_password(password), house.now)

    def typed(name: str, password: str) -> Refusal | None:
        credentials = Credentials(name, password, "127.0.0.1")
        return sign_in_with_password(house.database, house.settings, house.now, credentials, f"{name}-{password}")

    assert typed(SHARP_S.upper().replace("SS", "\u1e9e"), "Sharp-s-1-pass") is None
    assert typed(WEISS.upper(), "Weiss-1-pass") is None
    assert typed(SHARP_S, "Weiss-1-pass") is Refusal.WRONG


def test_the_log_is_searched_by_the_same_rule(house: House) -> None:
    references = [sign_in(house, name).reference for name in (WEISS, SHARP_S, SHARP_S.upper().replace("SS", "\u1e9e"))]
    with house.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None

        def found(name: str) -> list[str]:
            listing = Listing((account.id,), user=folded(name))
            return [attempt.reference for attempt in attempt_listing.everything(house.database, listing)]

        assert sorted(found(WEISS)) == sorted(references[:1])
        assert sorted(found(SHARP_S)) == sorted(references[1:])


def test_a_company_is_found_by_the_same_rule(house: House) -> None:
    house.configure(sign_in_url="https://idp.example/sso")
    with house.database.writing() as session:
        company = accounts.company_named(session, "Contoso")
        assert company is not None
        company.name = "Wei\u00df"
        session.add(company)
    with house.database.reading() as session:
        assert find_company(session, "WEI\u1e9e") == "business"
        assert find_company(session, "Weiss") is None
