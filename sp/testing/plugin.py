"""The pytest plugin: fixtures `virtual_office` and `identity_provider`.

Owns the options and how long each thing lives: a service for the run, a workspace for each test. Never does anything
unless a test asks for one of its fixtures: until then it imports nothing but pytest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sp.testing.identity_provider import IdentityProvider, SigningProvider
    from sp.testing.office import OfficeUnderTest

_URL = "virtual_office_url"
_TOKEN = "virtual_office_token"  # noqa: S105  the name of an option
_LIFETIME_SECONDS = 3600


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("virtual_office", "Virtual Office, a SAML service provider for tests")
    group.addoption(
        "--virtual-office-url",
        dest=_URL,
        metavar="URL",
        help="Use the service that runs there, such as a container, and start none.",
    )
    group.addoption(
        "--virtual-office-token",
        dest=_TOKEN,
        metavar="TOKEN",
        help="The token with which that service makes workspaces, where it asks for one.",
    )
    parser.addini(_URL, "The same as --virtual-office-url.", default="")
    parser.addini(_TOKEN, "The same as --virtual-office-token.", default="")


@pytest.fixture(scope="session")
def virtual_office_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the service runs: the one that an option names, or one of our own for the length of the run."""
    if given := _given(request.config, _URL):
        yield given.rstrip("/")
        return
    from sp.testing.server import running_service  # noqa: PLC0415  only who needs one pays for it

    with running_service(tmp_path_factory.mktemp("virtual-office")) as url:
        yield url


@pytest.fixture
def virtual_office(request: pytest.FixtureRequest, virtual_office_url: str) -> Iterator[OfficeUnderTest]:
    """A workspace of the test's own: its entity ID, ACS, users and log are nobody else's."""
    import httpx  # noqa: PLC0415  only who needs it pays for it

    from sp.client import ProblemError, Workspaces  # noqa: PLC0415
    from sp.testing.office import OfficeUnderTest  # noqa: PLC0415

    # Nothing between a test and a service on this computer: a proxy in the environment would be asked for it.
    with httpx.Client(trust_env=bool(_given(request.config, _URL))) as client:
        workspaces = Workspaces(virtual_office_url, _given(request.config, _TOKEN), client)
        made = workspaces.create(lifetime_seconds=_LIFETIME_SECONDS)
        yield OfficeUnderTest(virtual_office_url, made, client)
        with suppress(ProblemError):  # the test deleted it, or it is over
            Workspaces(virtual_office_url, made.token, client).delete(made.name)


@pytest.fixture(scope="session")
def virtual_office_signing_provider(tmp_path_factory: pytest.TempPathFactory) -> SigningProvider:
    """The key of the identity provider that is played, made once in a run."""
    from sp.testing.identity_provider import signing_provider  # noqa: PLC0415  it imports pysaml2

    return signing_provider(tmp_path_factory.mktemp("identity-provider"))


@pytest.fixture
def identity_provider(
    virtual_office: OfficeUnderTest, virtual_office_signing_provider: SigningProvider
) -> IdentityProvider:
    """An identity provider that is played, connected with `virtual_office` by its metadata."""
    from sp.testing.identity_provider import IdentityProvider  # noqa: PLC0415  it imports pysaml2

    played = IdentityProvider(virtual_office_signing_provider, virtual_office)
    virtual_office.import_metadata(played.metadata())
    return played


def _given(config: pytest.Config, name: str) -> str:
    return str(config.getoption(name) or config.getini(name) or "")
