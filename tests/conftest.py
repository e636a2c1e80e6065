"""What every run of the tests has in common: libxmlsec1 is asked too, and how many attacks there were is said.

Owns that sentence, the hypothesis profile and the browser. Holds no other fixture: each folder has its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import quick_start
from attack import MARKER, attacks_of, summary
from hypothesis import settings
from second_opinion import compared

from sp.saml import enveloped

if TYPE_CHECKING:
    from playwright.sync_api import Browser


# The same examples in every run, so that red means that something was changed; `--hypothesis-profile=default` tries new
# ones. A busy machine is no fault of the code: what is slow is seen in `bench/`.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


def pytest_configure(config: pytest.Config) -> None:
    quick_start.install()
    enveloped._covered = compared(enveloped._covered)  # type: ignore[assignment]
    config.addinivalue_line("markers", f"{MARKER}(attack): a case of the catalogue, counted in the summary")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A worker process tells the main one through the properties of its reports."""
    for item in items:
        item.user_properties += [(MARKER, found.count) for found in attacks_of(item)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    outcomes = ("passed", "failed", "error")
    reports = [report for outcome in outcomes for report in terminalreporter.stats.get(outcome, ())]
    if sentence := summary(reports):
        terminalreporter.section("attacks")
        terminalreporter.line(sentence)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser, for one file: while it is there, no event loop can run beside it in this thread."""
    from journeys.windows import launch  # noqa: PLC0415  most runs of a few tests need no browser
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()
