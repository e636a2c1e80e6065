"""Signing out at either side ends the session at the other, in that browser and in no other."""

from __future__ import annotations

import pytest
from journeys import steps
from journeys.windows import Windows
from playwright.sync_api import Page, expect
from processes.program import PASSWORD, Installation, Program

pytestmark = pytest.mark.browser
SCRIPTS = pytest.mark.parametrize("script", [True, False], ids=["script", "without-script"])


def britta_signed_in(windows: Windows, program: Program, *, script: bool) -> Page:
    """Britta's window, signed in at the directory and, by the tile, at the service."""
    page, place = windows.open(java_script_enabled=script), program.installation
    name, password = program.printed("user name", 1), program.printed("password", 1)
    steps.sign_in_to_access_panel(page, place, name, password)
    steps.click_tile(page)
    if not script:
        page.get_by_role("button", name="Continue").click()
    steps.expect_application_panel(page, place, "Britta Simon")
    return page


def expect_signed_out(page: Page, place: Installation) -> None:
    """At both sides, whoever opens a page is asked to sign in."""
    page.goto(f"{place.base_url}/my-profile")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign In")
    page.goto(f"{place.demo_url}/access-panel")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def expect_signed_in(page: Page, place: Installation) -> None:
    page.goto(f"{place.base_url}/my-profile")
    expect(page.get_by_role("heading", level=1)).to_have_text("My profile")
    page.goto(f"{place.demo_url}/access-panel")
    expect(page.get_by_role("heading", level=1)).to_have_text("Applications")


@SCRIPTS
def test_signing_out_here_ends_the_session_there(windows: Windows, connected: Program, script: bool) -> None:
    place = connected.installation
    britta, at_home = (britta_signed_in(windows, connected, script=script) for _ in range(2))
    britta.goto(f"{place.base_url}/my-profile")
    britta.get_by_role("main").get_by_role("button", name="Sign Out").click()
    expect(britta.get_by_role("heading", level=1)).to_have_text("You are signed out")
    expect(britta.get_by_text("your identity provider confirmed")).to_be_visible()
    expect_signed_out(britta, place)
    expect_signed_in(at_home, place)


@SCRIPTS
def test_signing_out_there_ends_the_session_here(windows: Windows, connected: Program, script: bool) -> None:
    place = connected.installation
    britta, at_home = (britta_signed_in(windows, connected, script=script) for _ in range(2))
    britta.goto(f"{place.demo_url}/access-panel")
    britta.get_by_role("button", name="Sign out").click()
    expect(britta.get_by_role("heading", level=1)).to_have_text("You signed out of your account")
    expect(britta.get_by_text("and of the application that you opened")).to_be_visible()
    expect_signed_out(britta, place)
    expect_signed_in(at_home, place)


def test_the_administrator_ends_brittas_session(windows: Windows, connected: Program) -> None:
    place = connected.installation
    britta = britta_signed_in(windows, connected, script=True)
    administrator = windows.open()
    steps.sign_in_administrator(administrator, place, PASSWORD)
    sessions = f"{place.base_url}/account-manager/business/accounts/sessions"
    administrator.goto(f"{sessions}?q=BrittaSimon")
    administrator.get_by_role("link", name="End the session of Britta Simon").first.click()
    administrator.get_by_role("dialog").get_by_role("button", name="End session").click()
    steps.close_success(administrator)
    britta.goto(f"{place.base_url}/my-profile")
    expect(britta.get_by_role("heading", level=1)).to_have_text("Sign In")
