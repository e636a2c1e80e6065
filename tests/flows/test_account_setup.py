"""The first start, more companies, and the rules that settings keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cast import CONTOSO_ISSUER, NOW
from house import House

from sp.flows import account_setup
from sp.flows.account_setup import Invalid, Overtaken, Saved, Seeded, SsoDraft
from sp.flows.passwords import password_fault, password_matches
from sp.models import Account
from sp.settings import Settings
from sp.store import accounts, administrators
from sp.store.engine import Database


@pytest.fixture
def empty(make_house: Callable[..., House]) -> House:
    return make_house()


def seed(house: House, **changes: Any) -> Seeded:
    settings = house.settings.model_copy(update=changes)
    with house.database.writing() as session:
        return account_setup.seed(session, settings, NOW)


def draft(house: House, slug: str = "business") -> SsoDraft:
    with house.database.reading() as session:
        return account_setup.draft_of(session, account(house, slug))


def account(house: House, slug: str = "business") -> Account:
    with house.database.reading() as session:
        found = accounts.account_by_slug(session, slug)
    assert found is not None
    return found


def save(house: House, changed: SsoDraft, slug: str = "business") -> Saved | Invalid:
    with house.database.writing() as session:
        stored = accounts.account_by_slug(session, slug)
        assert stored is not None
        return account_setup.save_sso_settings(session, house.settings, stored, changed, saved_by="alice", now=NOW)


def change(house: House, *, based_on: int, **changes: Any) -> Saved | Invalid | Overtaken:
    with house.database.writing() as session:
        stored = accounts.account_by_slug(session, "business")
        assert stored is not None
        return account_setup.change_sso_settings(
            session, house.settings, stored, changes, based_on=based_on, saved_by="bob", now=NOW
        )


def test_the_first_start_generates_a_password_that_keeps_the_rule(tmp_path: Any) -> None:
    settings = Settings(data_dir=tmp_path)
    database = Database(settings.database_url)
    database.upgrade()
    with database.writing() as session:
        seeded = account_setup.seed(session, settings, NOW)
        stored = administrators.administrator_named(session, seeded.username)
    database.close()
    assert stored is not None
    assert seeded.password is not None
    assert password_fault(seeded.password) is None
    assert password_matches(stored.password_hash, seeded.password)


def test_a_later_start_generates_nothing(empty: House) -> None:
    assert seed(empty, admin_password=None) == Seeded("admin@contoso.com", None)


def test_a_password_in_the_settings_wins_over_the_stored_one(empty: House) -> None:
    secret = Settings(admin_password="Another-1-password").admin_password
    seed(empty, admin_password=secret)
    with empty.database.reading() as session:
        stored = administrators.administrator_named(session, "admin@contoso.com")
    assert stored is not None
    assert password_matches(stored.password_hash, "Another-1-password")


def test_starting_again_keeps_one_company_and_one_account(empty: House) -> None:
    seed(empty)
    with empty.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        assert accounts.only_company(session, account.company_id)


def test_a_company_comes_with_its_business_account(empty: House) -> None:
    added = empty.add_account("Fabrikam", "fabrikam")
    assert (added.name, added.slug) == ("Business", "fabrikam")
    assert draft(empty, "fabrikam") == SsoDraft()


@pytest.mark.parametrize(
    ("company", "slug", "wrong"),
    [
        ("", "fabrikam", "company"),
        (" ", "fabrikam", "company"),
        ("F" * 257, "fabrikam", "company"),
        ("Contoso", "fabrikam", "company"),
        ("Fabrikam", "business", "slug"),
        ("Fabrikam", "", "slug"),
        ("Fabrikam", "Fabrikam", "slug"),
        ("Fabrikam", "-fabrikam", "slug"),
        ("Fabrikam", "fabri/kam", "slug"),
        ("Fabrikam", "fabrikam\n", "slug"),
        ("Fabrikam", "f" * 65, "slug"),
    ],
)
def test_a_company_needs_a_name_and_a_slug_of_its_own(empty: House, company: str, slug: str, wrong: str) -> None:
    with empty.database.writing() as session:
        added = account_setup.add_company_account(session, company, slug, NOW)
    assert isinstance(added, Invalid)
    assert set(added.errors) == {wrong}


def test_saml_cannot_be_switched_on_without_issuer_and_certificate(empty: House) -> None:
    refused = save(empty, SsoDraft(single_sign_on=True))
    assert isinstance(refused, Invalid)
    assert list(refused.errors) == ["issuer", "certificates"]


def test_white_space_is_no_issuer(empty: House) -> None:
    refused = save(empty, SsoDraft(single_sign_on=True, issuer=" ", certificates=(empty.idp.certificate,)))
    assert isinstance(refused, Invalid)
    assert list(refused.errors) == ["issuer"]


def test_saml_may_be_ticked_first_and_stays_off_until_it_is_complete(empty: House) -> None:
    with empty.database.writing() as session:
        stored = accounts.account_by_slug(session, "business")
        assert stored is not None
        ticked = SsoDraft(single_sign_on=True)
        account_setup.save_sso_settings(
            session, empty.settings, stored, ticked, saved_by="alice", now=NOW, choosing_method=True
        )
        trust = accounts.trust_of(stored, accounts.settings_in_force(session, stored), accounts.Certificates())
    assert not trust.saml_enabled


def test_an_account_takes_eight_certificates(empty: House) -> None:
    many = tuple(empty.idp.with_key(f"key {number}", "p256").certificate for number in range(9))
    assert isinstance(save(empty, SsoDraft(certificates=many[:8])), Saved)
    refused = save(empty, SsoDraft(certificates=many))
    assert isinstance(refused, Invalid)
    assert "at most 8 certificates" in refused.errors["certificates"]


def test_a_version_says_what_changed_and_keeps_the_one_before(house: House) -> None:
    before = draft(house)
    assert save(house, replace(before, provisioning=False)) == Saved(3, changed=True)
    with house.database.reading() as session:
        newest, previous, _first = accounts.versions(session, account(house).id or 0)
    assert newest.changes == [{"field": "provisioning", "before": "on", "after": "off"}]
    assert (newest.saved_by, newest.saved_at, newest.provisioning) == ("alice", NOW, False)
    assert (previous.version, previous.provisioning) == (2, True)


def test_saving_the_same_makes_no_version(house: House) -> None:
    assert save(house, draft(house)) == Saved(2, changed=False)


def test_a_change_over_a_version_that_is_no_longer_in_force_names_the_later_ones(house: House) -> None:
    save(house, replace(draft(house), issuer="urn:a"))
    save(house, replace(draft(house), issuer="urn:b"))
    overtaken = change(house, based_on=2, issuer="urn:c")
    assert isinstance(overtaken, Overtaken)
    assert [version.version for version in overtaken.versions] == [4, 3]
    assert draft(house).issuer == "urn:b"


def test_a_change_keeps_what_others_saved_into_other_fields(house: House) -> None:
    save(house, replace(draft(house), sign_out_url="https://idp.contoso.example/out"))
    assert change(house, based_on=2, allow_sha1=True) == Saved(4, changed=True)
    assert draft(house).sign_out_url == "https://idp.contoso.example/out"
    assert draft(house).issuer == CONTOSO_ISSUER


def test_an_issuer_that_another_account_gave_up_is_free_again(house: House) -> None:
    house.add_account("Fabrikam", "fabrikam")
    assert isinstance(save(house, SsoDraft(issuer=CONTOSO_ISSUER), "fabrikam"), Invalid)
    save(house, replace(draft(house), issuer="urn:contoso"))
    assert isinstance(save(house, SsoDraft(issuer=CONTOSO_ISSUER), "fabrikam"), Saved)


def test_issuers_that_differ_in_case_or_a_slash_are_two(house: House) -> None:
    house.add_account("Fabrikam", "fabrikam")
    for issuer in (CONTOSO_ISSUER.upper(), CONTOSO_ISSUER.rstrip("/")):
        assert isinstance(save(house, SsoDraft(issuer=issuer), "fabrikam"), Saved), issuer
