"""Real processes and a real browser.

Owns starting both sides as a user would, Chromium, and what a failed journey leaves behind in `test-results/`.
Never reaches into a page: the journeys do, by role and label.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from journeys.windows import Windows
from playwright.sync_api import Browser, expect
from processes.program import PASSWORD, ROOT, Installation, Program

RESULTS = ROOT / "test-results"
_failed = pytest.StashKey[bool]()
expect.set_options(timeout=10_000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


@pytest.fixture
def windows(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Windows]:
    """Opens browser windows for the cast, each with cookies of its own."""
    opened = Windows(chromium)
    yield opened
    leave_pictures_of_a_failure(opened, request)
    opened.close()


def leave_pictures_of_a_failure(windows: Windows, request: pytest.FixtureRequest) -> None:
    """What every window shows, if the test that ends with this fixture failed."""
    if request.node.stash.get(_failed, False):
        windows.leave_pictures(RESULTS, re.sub(r"\W+", "-", request.node.name))


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Installation]:
    """A function of settings: an installation with an empty data folder."""

    def make(**settings: str) -> Installation:
        return Installation(tmp_path, settings=settings)

    return make


@pytest.fixture(scope="session")
def connected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """`make demo`, for journeys that leave both sides as they find them."""
    place = Installation(tmp_path_factory.mktemp("connected"), settings={"ADMIN_PASSWORD": PASSWORD})
    with place.start("demo", "--connected") as program:
        yield program
