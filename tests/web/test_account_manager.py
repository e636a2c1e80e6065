"""From the Application Panel to the account's console, by the tutorial's labels."""

from __future__ import annotations

from html import escape

import pytest
from browser import Browser
from cast import ALICE, CONTOSO_ISSUER

CONSOLE = "/account-manager/business"


def labels(browser: Browser, where: str) -> list[str]:
    return [" ".join(" ".join(link.itertext()).split()) for link in browser.html.xpath(f"{where}//a")]


def test_the_tutorials_way_to_single_sign_on(alice: Browser) -> None:
    alice.open("/")
    assert labels(alice, "//ul[@class='tiles']") == [
        "Virtual Office Account Mgr Accounts, user profiles and Single Sign On of your company."
    ]
    alice.open("/account-manager")
    assert alice.html.xpath("//label[@for='field-account-business']/text()") == ["Business"]
    assert alice.html.xpath("//main//button")[0].text_content() == "Sign In"
    alice.submit("/account-manager", account="business")
    assert alice.page.url.path == CONSOLE
    assert labels(alice, "//nav[@class='tabs']") == ["Home", "Accounts", "Phone System", "Billing", "Orders"]
    alice.open(f"{CONSOLE}/accounts")
    boxes = ["View User Profiles", "View Privileges", "View Single Sign On", "View API Tokens"]
    assert labels(alice, "//ul[@class='boxes']") == boxes
    assert labels(alice, "//nav[@class='menu']") == [
        "User Profiles",
        "Sessions",
        "Privileges",
        "Single Sign On",
        "Metadata",
        "Certificates",
        "Sign-in requests",
        "Sign-in log",
        "Sign-out",
        "Our keys",
        "API Tokens",
    ]


@pytest.mark.parametrize("chosen", ["", "nobodys", "fabrikam"])
def test_an_account_must_be_selected(alice: Browser, chosen: str) -> None:
    alice.open("/account-manager")
    page = alice.submit("/account-manager", account=chosen)
    assert page.status_code == 422
    assert alice.error_at("account") == "Select the account to manage."


@pytest.mark.parametrize("path", ["phone-system", "billing", "orders", "accounts/privileges"])
def test_what_is_not_built_says_so(alice: Browser, path: str) -> None:
    title = path.rpartition("/")[2].replace("-", " ").title()
    assert alice.open(f"{CONSOLE}/{path}").status_code == 200
    assert f"{title} is not part of this stand-in" in alice.text()


def test_home_says_what_is_missing_at_first(alice: Browser) -> None:
    alice.open(CONSOLE)
    assert "SAML is off" in alice.text()
    assert alice.html.xpath("//main//a[@href='/account-manager/business/accounts/single-sign-on']")


@pytest.mark.usefixtures("connected")
def test_home_says_when_all_is_done(alice: Browser) -> None:
    page = alice.open(CONSOLE)
    assert "SAML is on" in alice.text()
    assert escape(CONTOSO_ISSUER) in page.text
    assert alice.html.xpath("string(//dt[text()='User Profiles']/following-sibling::dd)") == "1"


def test_every_page_says_who_is_signed_in_and_where(alice: Browser) -> None:
    alice.open(CONSOLE)
    bar = " ".join(alice.html.xpath("string(//header)").split())
    assert "Contoso" in bar
    assert "Business" in bar
    assert ALICE.email in bar
    assert "Sign Out" in bar
