"""`virtual_office`: the client of a test's own workspace, and assertions on sign-ins.

Owns what a test wants to know beside the API: addresses, and the sign-in that comes next. Never judges a message.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sp.client import SignIn, VirtualOffice, Workspaces
from sp.testing.expectations import ExpectedSignIn

if TYPE_CHECKING:
    import httpx

    from sp.client import MadeWorkspace

_SOON = 10.0


class OfficeUnderTest(VirtualOffice):
    """Everything that the client can, and what tests say most often."""

    def __init__(self, base_url: str, workspace: MadeWorkspace, client: httpx.Client) -> None:
        super().__init__(base_url, workspace.token, client)
        self.workspace = workspace
        self._seen = self.latest_sign_in()
        self._fixed_time: datetime | None = None
        self._workspaces = Workspaces(base_url, workspace.token, client)

    @property
    def entity_id(self) -> str:
        """The Audience of every assertion."""
        return self.workspace.entity_id

    @property
    def acs_url(self) -> str:
        """Where responses are posted: Recipient and Destination."""
        return self.workspace.acs_url

    @property
    def metadata_url(self) -> str:
        return self.workspace.metadata_url

    @property
    def sign_in_url(self) -> str:
        """Where a sign-in that begins at the service begins."""
        return self.workspace.sign_in_url

    def now(self) -> datetime:
        """The time by which messages are judged."""
        return self._fixed_time or datetime.now(UTC)

    def stop_clock(self, at: datetime) -> None:
        """Judge every message of this test by that time."""
        self._fixed_time = self._workspaces.stop_clock(self.workspace.name, at).fixed_time

    def start_clock(self) -> None:
        """Judge by the real time again."""
        self._fixed_time = self._workspaces.start_clock(self.workspace.name).fixed_time

    def wait_for_sign_in(self, *, after: str | None = None, timeout: float = _SOON) -> SignIn:
        """The next sign-in that the test has not had from here yet, whether it came before the call or comes now.

        Raises TimeoutError after `timeout` seconds.
        """
        found = super().wait_for_sign_in(after=after or self._seen, timeout=timeout)
        self._had(found.reference)
        return found

    def expect(self, *, timeout: float = _SOON, **wanted: Any) -> ExpectedSignIn:
        """Assert that a `with` block makes somebody sign in, and that the sign-in looks as `wanted`.

        Waits up to `timeout` seconds after the block. What may be wanted is what the API takes as an expectation.
        Raises ProblemError for what it does not take, and AssertionError with every difference at once.
        """
        return ExpectedSignIn(self, wanted, timeout, self._had)

    def _had(self, reference: str) -> None:
        self._seen = reference
