"""What the preflight of an account knows around its settings: people, other accounts, own keys, and past messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cast import FABRIKAM_ISSUER
from house import House
from profiles import profile

from sp.diagnosis.preflight.finding import Row
from sp.flows import account_setup
from sp.flows.account_setup import SsoDraft
from sp.flows.preflight import Typed, preflight_of
from sp.models import UserStatus
from sp.saml.certificates import stored_certificate
from sp.saml.report import Outcome
from sp.store import accounts, users
from sp.store.rows import required


def rows_of(house: House, change: Callable[[SsoDraft], SsoDraft] = lambda draft: draft) -> dict[str, Row]:
    with house.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        draft = change(account_setup.draft_of(session, account))
        return {row.code: row for row in preflight_of(session, house.settings, account, draft, house.now)}


def test_nothing_stands_in_the_way_of_a_connected_account(house: House) -> None:
    grave = {Outcome.FAILED, Outcome.WARNING}
    assert [row for row in rows_of(house).values() if row.outcome in grave] == []


def test_what_the_form_would_refuse_is_told_with_its_labels(house: House) -> None:
    row = rows_of(house, lambda draft: replace(draft, sign_in_url="https://u:p@idp.example/#x", certificates=()))[
        "savable"
    ]
    assert row.outcome is Outcome.FAILED
    assert "Sign In URL: Leave the user name and password out" in row.received
    assert "Identity Provider Certificate: SAML needs" in row.received


def test_what_could_not_even_be_read_is_told(house: House) -> None:
    with house.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        draft = account_setup.draft_of(session, account)
        typed = Typed({"certificates": "This is a private key."}, house.now + timedelta(hours=1))
        rows = {row.code: row for row in preflight_of(session, house.settings, account, draft, house.now, typed)}
    assert rows["savable"].received == "Identity Provider Certificate: This is a private key."
    assert rows["browser_clock"].received == "60 minutes ahead"


@pytest.mark.parametrize(("status", "outcome"), [(UserStatus.ACTIVE, "passed"), (UserStatus.DISABLED, "failed")])
def test_without_provisioning_somebody_must_be_there(house: House, status: UserStatus, outcome: str) -> None:
    house.configure(provisioning=False)
    add_user(house, status)
    assert rows_of(house)["somebody_signs_in"].outcome == outcome


@pytest.mark.parametrize(("federation_id", "outcome"), [("fed-7", "passed"), ("", "failed")])
def test_a_federation_id_must_be_there_to_be_found(house: House, federation_id: str, outcome: str) -> None:
    house.configure(provisioning=False, user_mapping="federation-id")
    add_user(house, UserStatus.ACTIVE, federation_id)
    row = rows_of(house)["somebody_signs_in"]
    assert row.outcome == outcome
    assert outcome == "passed" or "with a Federation ID" in row.expected


def add_user(house: House, status: UserStatus, federation_id: str = "") -> None:
    with house.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        user = profile(account, federation_id=federation_id)
        user.status = status
        users.store_user(session, user)


def test_this_services_own_certificate_is_known(house: House) -> None:
    own = house.encryption_key().certificate
    row = rows_of(house, lambda draft: replace(draft, certificates=(stored_certificate(own),)))["certificate_own"]
    assert row.outcome is Outcome.FAILED


def test_a_certificate_of_another_account_of_the_company_is_known(house: House) -> None:
    add_second_account(house, of_company="Contoso")
    row = rows_of(house)["certificate_elsewhere"]
    assert (row.outcome, row.received) == (Outcome.WARNING, f"one of {FABRIKAM_ISSUER}")


def test_what_another_company_trusts_is_not_told(house: House) -> None:
    """Else anybody who administers an account could ask which identity providers the others have."""
    add_second_account(house, of_company="Fabrikam")
    assert rows_of(house)["certificate_elsewhere"].outcome is Outcome.PASSED


def add_second_account(house: House, of_company: str) -> None:
    house.add_account("Fabrikam", "fabrikam")
    with house.database.writing() as session:
        company, account = accounts.company_named(session, of_company), accounts.account_by_slug(session, "fabrikam")
        assert company is not None
        assert account is not None
        account.company_id = required(company.id)
        session.add(account)
    house.configure("fabrikam", issuer=FABRIKAM_ISSUER)


@pytest.mark.parametrize(
    ("ahead", "outcome", "received"),
    [
        (timedelta(seconds=2), "passed", "2 seconds ahead in the last message"),
        (timedelta(seconds=100), "warning", "100 seconds ahead in the last message"),
        (timedelta(minutes=4), "failed", "4 minutes ahead in the last message"),
        (timedelta(minutes=-30), "failed", "30 minutes behind in the last message"),
    ],
)
def test_the_clock_is_read_from_the_last_messages(house: House, ahead: timedelta, outcome: str, received: str) -> None:
    house.post(house.idp.response(now=house.now + ahead))
    row = rows_of(house)["clock"]
    assert (row.outcome.value, row.received) == (outcome, received)


def test_a_message_that_nobody_signed_says_nothing_about_a_clock(house: House) -> None:
    """Else Mallory could make an administrator set a good clock wrong."""
    house.post(house.idp.response(now=house.now + timedelta(hours=2), signed=None))
    assert rows_of(house)["clock"].outcome is Outcome.SKIPPED


def test_a_message_that_was_sent_again_says_nothing_about_a_clock(house: House) -> None:
    xml = house.idp.response()
    house.post(xml)
    house.later(minutes=4)
    house.post(xml)
    house.post(xml)
    assert rows_of(house)["clock"].outcome is Outcome.PASSED


def test_where_a_clock_stands_messages_say_nothing_about_another(house: House) -> None:
    house.post(house.idp.response(now=house.now - timedelta(minutes=30)))
    assert rows_of(house)["clock"].outcome is Outcome.FAILED
    with house.database.writing() as session:
        accounts.shared_realm(session).fixed_time = house.now
    assert rows_of(house)["clock"].outcome is Outcome.SKIPPED
