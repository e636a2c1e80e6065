"""What a process remembers from one sign-in to the next, for each of its databases.

Owns that memory and its bounds. Never says that it still holds: whoever uses it reads again before anything is granted.
"""

from __future__ import annotations

from collections import OrderedDict
from weakref import WeakKeyDictionary

from sp.flows.provisioning import Quota
from sp.store.accounts import Trusting
from sp.store.engine import Database

_AT_MOST = 4096  # accounts; with their certificates a few kilobytes each


class SignInMemory:
    """What accounts trusted when a message of their issuer came last, and how many users may still be created.

    The shared realm is there for good, so its id is not asked for twice.
    """

    def __init__(self) -> None:
        self.quota = Quota()
        self.shared_realm_id: int | None = None
        self._trusting: OrderedDict[tuple[str, str], Trusting] = OrderedDict()

    def trusting(self, realm: str, issuer: str) -> Trusting | None:
        return self._trusting.get((realm, issuer))

    def remember(self, realm: str, trusting: Trusting) -> None:
        """The oldest goes when there is no room; it is read again when it is asked for."""
        self._trusting[realm, trusting.issuer] = trusting
        if len(self._trusting) > _AT_MOST:
            self._trusting.popitem(last=False)

    def forget(self, realm: str, issuer: str) -> None:
        self._trusting.pop((realm, issuer), None)


_MEMORIES: WeakKeyDictionary[Database, SignInMemory] = WeakKeyDictionary()


def memory_of(database: Database) -> SignInMemory:
    return _MEMORIES.setdefault(database, SignInMemory())
