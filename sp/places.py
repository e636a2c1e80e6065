"""Places that the senders and accounts of one process share, such as those of requests that wait.

One event loop takes and frees them, so looking and taking is one step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum


class Bound(StrEnum):
    """The limit that was reached."""

    ALL = "all"
    ACCOUNT = "account"
    SENDER = "sender"


class NoPlaceError(Exception):
    """All places are taken that this request could have."""

    def __init__(self, bound: Bound) -> None:
        super().__init__(bound)
        self.bound = bound


@dataclass(slots=True)
class SharedPlaces:
    """At most `in_all` places, of which one account has `of_account` and one sender `of_sender`.

    Where `guaranteed`, each account has one more place that no other account can take, and that counts for nobody else.
    """

    in_all: int
    of_account: int
    of_sender: int
    guaranteed: bool = False
    _by_account: Counter[int] = field(default_factory=Counter)  # the guaranteed ones included
    _by_sender: Counter[str] = field(default_factory=Counter)
    _in_guaranteed: set[int] = field(default_factory=set)  # accounts

    @property
    def taken(self) -> int:
        """How many there are, the guaranteed ones included."""
        return self._by_account.total()

    @contextmanager
    def place(self, account_id: int, sender: str) -> Iterator[None]:
        """Have a place for as long as the context lasts. Raises NoPlaceError."""
        if self.guaranteed and account_id not in self._in_guaranteed:
            with self._guaranteed_place(account_id):
                yield
            return
        if (bound := self._bound(account_id, sender)) is not None:
            raise NoPlaceError(bound)
        self._by_account[account_id] += 1
        self._by_sender[sender] += 1
        try:
            yield
        finally:
            self._by_account -= Counter({account_id: 1})  # what is at zero is kept no longer
            self._by_sender -= Counter({sender: 1})

    @contextmanager
    def _guaranteed_place(self, account_id: int) -> Iterator[None]:
        self._in_guaranteed.add(account_id)
        self._by_account[account_id] += 1
        try:
            yield
        finally:
            self._in_guaranteed.discard(account_id)
            self._by_account -= Counter({account_id: 1})

    def _bound(self, account_id: int, sender: str) -> Bound | None:
        if self._by_account[account_id] >= self.of_account:
            return Bound.ACCOUNT
        if self._by_sender[sender] >= self.of_sender:
            return Bound.SENDER
        return Bound.ALL if self._by_sender.total() >= self.in_all else None
