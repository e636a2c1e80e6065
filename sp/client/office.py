"""`VirtualOffice`: one account of a service, for programs.

Owns the connection. Never imports the service.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from sp.client.account_calls import AccountCalls
from sp.client.expectation_calls import ExpectationCalls
from sp.client.http import Api
from sp.client.people_calls import PeopleCalls
from sp.client.sign_in_calls import SignInCalls

if TYPE_CHECKING:
    from typing import Self

    import httpx


class VirtualOffice(AccountCalls, PeopleCalls, SignInCalls, ExpectationCalls):
    """The account that a token belongs to. Every call raises ProblemError where the service says no.

    `client` is an httpx client of your own, for a proxy or a certificate authority; who brings one closes it.
    """

    def __init__(self, base_url: str, token: str, client: httpx.Client | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        self._api = Api(base_url, token, client)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._api.close()
