"""Step one: the authentication method."""

from __future__ import annotations

import pytest
from browser import Browser

PAGE = "/account-manager/business/accounts/single-sign-on"
SAVE = f"{PAGE}/authentication-method"


def ticked(browser: Browser) -> set[str]:
    return set(browser.html.xpath(f"//form[@action='{SAVE}']//input[@type='checkbox'][@checked]/@name"))


def has_step_two(browser: Browser) -> bool:
    return bool(browser.html.xpath("//h2[text()='SAML Single Sign on']"))


def test_at_first_people_sign_in_with_a_password(alice: Browser) -> None:
    alice.open(PAGE)
    assert ticked(alice) == {"password_sign_in"}
    assert not has_step_two(alice)


def test_the_labels_are_the_tutorials(alice: Browser) -> None:
    alice.open(PAGE)
    shown = {" ".join(label.text_content().split()) for label in alice.html.xpath("//main//label")}
    assert {"8x8 Username and Password", "Single Sign On", "SAML", "Google"} <= shown
    assert "Authentication method" in alice.text()


def test_saving_single_sign_on_shows_success_and_step_two(alice: Browser) -> None:
    alice.open(PAGE)
    alice.submit(SAVE, single_sign_on="on")
    window = alice.html.get_element_by_id("success-window")
    assert " ".join(window.text_content().split()) == "Success The authentication method has been saved. OK"
    assert ticked(alice) == {"password_sign_in", "single_sign_on"}
    assert has_step_two(alice)


def test_the_success_window_is_shown_once(alice: Browser) -> None:
    alice.open(PAGE)
    alice.submit(SAVE, single_sign_on="on")
    alice.open(PAGE)
    assert not alice.html.xpath("//*[@id='success-window']")


def test_saml_stays_off_until_its_form_is_complete(alice: Browser) -> None:
    alice.open(PAGE)
    alice.submit(SAVE, single_sign_on="on")
    assert "SAML is off: something is missing" in alice.text()
    assert "SAML needs the Issuer URL" in alice.text()
    assert "SAML needs the identity provider's certificate" in alice.text()


def test_at_least_one_method_is_needed(alice: Browser) -> None:
    alice.open(PAGE)
    page = alice.submit(SAVE, password_sign_in=None)
    assert page.status_code == 422
    assert alice.error_at("authentication_method") == "Choose at least one authentication method."
    assert ticked(alice) == set()
    assert alice.html.xpath("//*[@id='error-summary']//a/@href") == ["#field-authentication_method"]
    alice.open(PAGE)
    assert ticked(alice) == {"password_sign_in"}


def test_google_is_shown_and_cannot_be_chosen(alice: Browser) -> None:
    alice.open(PAGE)
    assert alice.html.xpath("//input[@value='google']/@disabled")
    page = alice.submit(SAVE, single_sign_on="on", provider="google")
    assert page.status_code == 422
    assert "Google is not part of this stand-in" in alice.error_at("authentication_method")


def test_a_warning_says_when_nobody_can_sign_in(alice: Browser) -> None:
    alice.open(PAGE)
    alice.submit(SAVE, single_sign_on="on", password_sign_in=None)
    assert "no user can sign in now" in alice.text()


@pytest.mark.usefixtures("connected")
def test_unticking_single_sign_on_switches_saml_off_and_keeps_its_settings(alice: Browser) -> None:
    alice.open(PAGE)
    assert "SAML is on" in alice.text()
    alice.submit(SAVE, single_sign_on=None)
    assert "SAML is off" in alice.text()
    assert not has_step_two(alice)
    alice.submit(SAVE, single_sign_on="on")
    assert "SAML is on" in alice.text()


def test_saving_what_is_there_already_makes_no_version_and_says_so(alice: Browser) -> None:
    alice.open(PAGE)
    alice.submit(SAVE)
    assert "Nothing was different" in alice.text()
    assert "Version 2" not in alice.text()


@pytest.mark.parametrize("path", [SAVE, f"{PAGE}/saml"])
def test_opening_the_address_of_a_refused_form_leads_to_the_page(alice: Browser, path: str) -> None:
    alice.open(path)
    assert alice.page.url.path == PAGE
