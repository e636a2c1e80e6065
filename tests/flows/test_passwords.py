"""Passwords: how many are computed at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sp.flows import passwords


class Counting:
    """A hasher that counts how many use it at once."""

    def __init__(self) -> None:
        self.now, self.most, self._lock = 0, 0, threading.Lock()

    def hash(self, password: str) -> str:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        threading.Event().wait(0.02)
        with self._lock:
            self.now -= 1
        return f"hash of {password}"


def test_a_crowd_of_new_passwords_takes_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each computation takes 64 MiB: sixteen at once would take a gigabyte."""
    hasher = Counting()
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(passwords.hash_password, "abcdefghijklmnop"))
    assert told == [f"hash of {one}" for one in "abcdefghijklmnop"]
    assert 1 < hasher.most <= 4
