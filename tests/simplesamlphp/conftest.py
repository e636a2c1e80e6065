"""SimpleSAMLphp as the identity provider of the service under test, both as real processes.

Owns starting them, connecting them, and saying so where SimpleSAMLphp is not installed. Never changes what either
does by itself.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest
from journeys.windows import Windows
from playwright.sync_api import Browser
from processes.program import PASSWORD, Installation
from simplesamlphp import office
from simplesamlphp.packages import missing_packages, why_not
from simplesamlphp.server import SimpleSamlPhp, running
from simplesamlphp.visitor import Visitor

_LOG_LINES = 30
_ICON = "/favicon.ico)"  # SimpleSAMLphp has none where Chromium looks


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows what the identity provider has to say."""
    report = yield
    identity_provider = getattr(item, "funcargs", {}).get("simplesamlphp")
    if report.failed and isinstance(identity_provider, SimpleSamlPhp):
        last = identity_provider.log.splitlines()[-_LOG_LINES:]
        report.sections.append(("SimpleSAMLphp", "\n".join(last)))
    return report


@pytest.fixture(scope="session")
def simplesamlphp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleSamlPhp]:
    """An identity provider that knows the cast. What it knows of service providers each test says anew."""
    with started(tmp_path_factory) as identity_provider:
        yield identity_provider


@contextmanager
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleSamlPhp]:
    """One more. Skips with the names of what is missing where it is not installed."""
    if missing := missing_packages():
        pytest.skip(why_not(missing))
    with running(tmp_path_factory.mktemp("simplesamlphp")) as identity_provider:
        yield identity_provider


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, simplesamlphp: SimpleSamlPhp) -> Iterator[Installation]:
    """A running service whose Business account trusts the identity provider, which in turn knows the service."""
    place = Installation(tmp_path_factory.mktemp("service"), settings={"ADMIN_PASSWORD": PASSWORD})
    with place.start("serve"):
        connect(place, simplesamlphp)
        yield place


def connect(place: Installation, identity_provider: SimpleSamlPhp) -> None:
    """What the two administrators do by hand."""
    office.command(
        place,
        *("configure", "--issuer", identity_provider.entity_id),
        *("--sign-in-url", identity_provider.sign_in_url, "--sign-out-url", identity_provider.sign_out_url),
        *office.certificate_options(place, identity_provider.certificate_pem),
    )
    identity_provider.configure_service_provider(entity_id=place.acs_url, acs_url=place.acs_url)


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    with Visitor() as somebody:
        yield somebody


@pytest.fixture
def windows(chromium: Browser) -> Iterator[Windows]:
    opened = Windows(chromium)
    yield opened
    opened.complaints[:] = [said for said in opened.complaints if not said.endswith(_ICON)]
    opened.close()
