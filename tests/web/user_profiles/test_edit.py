"""A profile's form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browser import Browser
from cast import BRITTA, MALLORY
from profiles import add_profile

from sp.models import Account, User, UserStatus
from sp.store.engine import Database

LIST = "/account-manager/business/accounts/user-profiles"
Stored = Callable[[User], User]


@pytest.fixture
def page(britta_row: User) -> str:
    return f"{LIST}/{britta_row.id}"


def test_the_form_has_the_products_labels_and_brittas_values(alice: Browser, page: str) -> None:
    alice.open(page)
    labels = alice.html.xpath("//form//label")
    assert [" ".join(label.text_content().split()) for label in labels] == [
        "First Name",
        "Last Name",
        "Email Address",
        "Username",
        "Federation ID",
    ]
    assert alice.value_of("first_name") == "Britta"
    assert alice.value_of("username") == BRITTA.email


def test_saving_shows_success_on_the_list(alice: Browser, page: str, britta_row: User, stored: Stored) -> None:
    alice.open(page)
    alice.submit(page, last_name="Simon-Adams", federation_id="8842")
    assert alice.page.url.path == LIST
    assert "Success The user profile has been saved. OK" in alice.text()
    saved = stored(britta_row)
    assert (saved.last_name, saved.federation_id) == ("Simon-Adams", "8842")


def test_success_is_shown_once(alice: Browser, page: str) -> None:
    alice.open(page)
    alice.submit(page)
    alice.open(LIST)
    assert "Success" not in alice.text()


def test_saving_leads_back_to_the_same_search(alice: Browser, page: str) -> None:
    alice.open(f"{page}?q=simon&status=active")
    alice.submit(f"{page}?q=simon&status=active", last_name="Simonsen")
    assert (alice.page.url.path, dict(alice.page.url.params)) == (LIST, {"q": "simon", "status": "active"})


@pytest.mark.parametrize("name", ["first_name", "last_name", "email", "username"])
def test_a_mandatory_field_says_so_in_place(
    alice: Browser, page: str, britta_row: User, stored: Stored, name: str
) -> None:
    alice.open(page)
    fields: dict[str, Any] = {name: "", "federation_id": "typed"}
    answer = alice.submit(page, **fields)
    assert answer.status_code == 422
    assert alice.error_at(name).startswith("Enter the ")
    assert alice.html.xpath("//*[@id='error-summary']//a/@href") == [f"#field-{name}"]
    assert alice.value_of("federation_id") == "typed"
    assert stored(britta_row).federation_id == ""


def test_a_provisioned_user_without_names_is_asked_for_them(
    alice: Browser, database: Database, contoso: Account
) -> None:
    user = add_profile(database, contoso, username="nameless", first_name="", last_name="", email="")
    address = f"{LIST}/{user.id}"
    alice.open(address)
    alice.submit(address, federation_id="8842")
    assert [bool(alice.error_at(name)) for name in ("first_name", "last_name", "email")] == [True, True, True]


def test_what_was_typed_stays_however_hostile_it_is(alice: Browser, page: str) -> None:
    typed = '"><script>alert(1)</script>\u202e'
    alice.open(page)
    answer = alice.submit(page, username=typed)
    assert alice.value_of("username") == typed
    assert "<script>alert" not in answer.text
    assert alice.error_at("username").startswith("This cannot be a Username:")


def test_a_name_that_belongs_to_another_company_is_taken_and_nothing_more(
    alice: Browser, page: str, database: Database, fabrikam: Account
) -> None:
    add_profile(database, fabrikam, MALLORY)
    alice.open(page)
    answer = alice.submit(page, username=MALLORY.email.upper())
    assert answer.status_code == 422
    assert alice.error_at("username").startswith("This username is not available:")
    assert "Fabrikam" not in answer.text


def test_bob_does_not_overwrite_what_alice_saved_meanwhile(
    alice: Browser, bob: Browser, page: str, britta_row: User, stored: Stored
) -> None:
    alice.open(page)
    bob.open(page)
    alice.submit(page, first_name="Bettina")
    answer = bob.submit(page, first_name="Birgit")
    assert answer.status_code == 409
    assert "This profile has changed meanwhile, so nothing was saved" in bob.text()
    assert bob.html.xpath("//*[@role='alert']//dd")[0].text_content().strip() == "Bettina"
    assert bob.value_of("first_name") == "Birgit"
    assert stored(britta_row).first_name == "Bettina"
    bob.submit(page)
    assert stored(britta_row).first_name == "Birgit"


def test_disable_and_delete_ask_first_on_a_page_of_their_own(
    alice: Browser, page: str, britta_row: User, stored: Stored
) -> None:
    for action in ("disable", "delete"):
        alice.open(f"{page}/{action}?q=simon")
        assert f"{action.capitalize()} Britta Simon?" in alice.text()
        assert alice.form(f"{page}/{action}?q=simon") is not None
        assert alice.html.xpath("//a[normalize-space()='Cancel']/@href") == [f"{LIST}?q=simon"]
    assert stored(britta_row).status == UserStatus.ACTIVE


def test_a_disabled_user_is_out_at_once_until_enabled_again(
    alice: Browser, britta: Browser, page: str, britta_row: User, stored: Stored
) -> None:
    assert "My profile" in britta.open("/my-profile").text
    alice.open(f"{page}/disable")
    alice.submit(f"{page}/disable")
    assert "The user has been disabled, and signed out everywhere." in alice.text()
    assert stored(britta_row).status == UserStatus.DISABLED
    assert "/my-profile" not in britta.open("/my-profile").url.path
    assert "is not right" in britta.sign_in(BRITTA.email).text
    alice.open(LIST)
    alice.submit(f"{page}/enable")
    assert "The user has been enabled." in alice.text()
    assert "Application Panel" in britta.sign_in(BRITTA.email).text


def test_a_deleted_user_is_out_and_gone_from_the_list(alice: Browser, britta: Browser, page: str) -> None:
    alice.open(f"{page}/delete")
    alice.submit(f"{page}/delete")
    assert "The user has been deleted, and signed out everywhere." in alice.text()
    assert "No users yet" in alice.text()
    assert "/my-profile" not in britta.open("/my-profile").url.path
    for path in (page, f"{page}/disable", f"{page}/delete"):
        assert alice.open(path).status_code == 404
    alice.open(LIST)
    for path in (page, f"{page}/enable", f"{page}/disable", f"{page}/delete"):
        assert alice.post(path, data={"csrf_token": alice.token}).status_code == 404
        alice.open(LIST)


@pytest.mark.parametrize("user_id", ["0", "-1", "1.0", "x", "٣", "999999999", "9" * 18, "9" * 19, "9" * 500, "columns"])
def test_an_id_that_nobody_has_is_not_found(alice: Browser, user_id: str) -> None:
    assert alice.open(f"{LIST}/{user_id}").status_code == 404


def test_a_user_of_another_account_is_not_found_under_the_own_one(
    alice: Browser, database: Database, fabrikam: Account, stored: Stored
) -> None:
    mallory = add_profile(database, fabrikam, MALLORY)
    for path in ("", "/disable", "/delete"):
        assert alice.open(f"{LIST}/{mallory.id}{path}").status_code == 404
    for path in ("", "/disable", "/enable", "/delete"):
        alice.open(LIST)
        assert alice.post(f"{LIST}/{mallory.id}{path}", data={"csrf_token": alice.token}).status_code == 404
    assert stored(mallory).status == UserStatus.ACTIVE
