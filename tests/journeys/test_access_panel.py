"""What a click on the tile comes to: signed in, not assigned, or refused with the cause named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from journeys import steps
from journeys.windows import Windows
from playwright.sync_api import Page, expect
from processes.program import PASSWORD, Installation, Program

pytestmark = pytest.mark.browser


def britta_at_the_access_panel(windows: Windows, program: Program) -> Page:
    """Britta's window, signed in with what `demo --connected` printed."""
    page = windows.open()
    page.goto(program.printed("Access Panel"))
    page.get_by_label("User name").fill(program.printed("user name", 1))
    page.get_by_label("Password").fill(program.printed("password", 1))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Applications")
    return page


def test_make_demo_signs_britta_in_with_the_printed_password(windows: Windows, connected: Program) -> None:
    britta = britta_at_the_access_panel(windows, connected)
    steps.click_tile(britta)
    steps.expect_application_panel(britta, connected.installation, "Britta Simon")
    britta.get_by_role("link", name="My profile").click()
    expect(britta.get_by_role("heading", level=1)).to_have_text("My profile")
    britta.get_by_role("main").get_by_role("button", name="Sign Out").click()
    expect(britta.get_by_role("heading", level=1)).to_have_text("You are signed out")


def test_a_signed_in_user_is_not_an_administrator(windows: Windows, connected: Program) -> None:
    britta = britta_at_the_access_panel(windows, connected)
    steps.click_tile(britta)
    steps.expect_application_panel(britta, connected.installation, "Britta Simon")
    expect(britta.get_by_role("link", name="Virtual Office Account Mgr")).to_have_count(0)
    answer = britta.goto(f"{connected.installation.base_url}/account-manager/business/accounts/user-profiles")
    assert answer is not None
    assert answer.status in {403, 404}
    expect(britta.get_by_role("table")).to_have_count(0)


def test_who_is_not_assigned_meets_aadsts50105(windows: Windows, connected: Program) -> None:
    place, portal, bob = connected.installation, windows.open(), windows.open()
    steps.open_directory(portal, place)
    password = steps.create_user(portal, "BobBrown", "Bob", "Brown")
    steps.sign_in_to_access_panel(bob, place, "BobBrown", password)
    expect(bob.get_by_role("heading", name="No applications are assigned to you")).to_be_visible()

    britta = britta_at_the_access_panel(windows, connected)
    tile = britta.get_by_role("link", name=steps.APPLICATION).get_attribute("href")
    bob.goto(f"{place.demo_url}{tile}")
    expect(bob.get_by_role("main")).to_contain_text("AADSTS50105")


def test_a_tile_while_saml_is_off_names_the_cause(windows: Windows, install: Callable[..., Installation]) -> None:
    place = install(ADMIN_PASSWORD=PASSWORD)
    with place.start("demo", "--connected") as program:
        administrator = windows.open()
        steps.sign_in_administrator(administrator, place, PASSWORD)
        steps.manage_business(administrator)
        steps.open_box(administrator, "Single Sign On")
        administrator.get_by_role("checkbox", name="Single Sign On", exact=True).uncheck()
        administrator.get_by_role("region", name="Authentication method").get_by_role("button", name="Save").click()
        steps.close_success(administrator)
        expect(administrator.get_by_text("SAML is off")).to_be_visible()

        britta = britta_at_the_access_panel(windows, program)
        steps.click_tile(britta)
        expect(britta.get_by_role("heading", name="We couldn't sign you in.")).to_be_visible()
        britta.get_by_role("link", name="Single Sign On enabled").first.click()
        failed = britta.get_by_role("group").filter(has_text="Single Sign On enabled")
        expect(failed.first).to_contain_text("Failed")
