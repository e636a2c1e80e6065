"""From a fault that is switched on in the portal to the page that names it, and back to a sound sign-in."""

from __future__ import annotations

import pytest
from journeys import steps
from journeys.windows import Windows
from playwright.sync_api import expect
from processes.program import Program

pytestmark = pytest.mark.browser


def test_alice_sends_a_wrong_audience_and_reads_what_to_change(windows: Windows, connected: Program) -> None:
    place = connected.installation
    alice, britta = windows.open(), windows.open()
    steps.open_directory(alice, place)
    alice.get_by_role("navigation", name="Contoso").get_by_role("link", name="Applications").click()
    alice.get_by_role("link", name=steps.APPLICATION).click()
    alice.get_by_role("navigation", name=steps.APPLICATION).get_by_role("link", name="Faults").click()
    alice.get_by_role("checkbox", name="Britta Simon").check()
    alice.get_by_role("radio", name="audience").check()
    alice.get_by_role("button", name="Switch on").click()
    expect(alice.get_by_role("status")).to_contain_text("The fault is on")

    user_name, password = connected.printed("user name", 1), connected.printed("password", 1)
    steps.sign_in_to_access_panel(britta, place, user_name, password)
    expect(britta.get_by_role("link", name=steps.APPLICATION)).to_contain_text("Fault: audience")
    steps.click_tile(britta)
    expect(britta.get_by_role("main")).to_contain_text("they differ only in the slash at the end")
    expect(britta.get_by_role("main")).to_contain_text("Faults ends with Switch off")

    alice.get_by_role("checkbox", name="Britta Simon").check()
    alice.get_by_role("button", name="Switch off").click()
    britta.goto(f"{place.demo_url}/access-panel")
    steps.click_tile(britta)
    steps.expect_application_panel(britta, place, "Britta Simon")
