"""How many connections one process keeps open, in all and for each address.

An idle connection costs its sender nothing and this process a file descriptor. Without a limit, a thousand of them from
one machine keep everybody else out.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import structlog

from sp.senders import parsed_address, sender_key
from sp.settings import Network

_OTHER_DESCRIPTORS = 200  # the database's connections, log, libraries, and what is opened for a moment
_LOG_EVERY_SECONDS = 1.0
_log = structlog.get_logger("sp.web")


def raise_descriptor_limit(wanted: int) -> int:
    """Let the process open as many files as `wanted` connections need, as far as the system allows.

    Return how many connections that leaves room for.
    """
    try:
        import resource  # noqa: PLC0415  not on Windows, where there is no such limit
    except ImportError:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    needed = wanted + _OTHER_DESCRIPTORS
    if soft != unlimited and soft < needed:
        soft = needed if hard == unlimited else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == unlimited else max(1, min(wanted, soft - _OTHER_DESCRIPTORS))


class ConnectionLimits:
    """The connections of one process. Its event loop alone asks, so looking and taking is one step."""

    def __init__(self, in_all: int, per_address: int, unlimited: Sequence[Network] = ()) -> None:
        """`unlimited` are proxies, each of which has the connections of many people."""
        self._in_all = in_all
        self._per_address = per_address
        self._unlimited = unlimited
        self._open: Counter[str] = Counter()
        self._total = 0
        self._refused = 0
        self._logged_at = float("-inf")

    def take(self, address: str) -> bool:
        """Whether one more connection from the address may stay open."""
        sender = sender_key(address)
        if self._total >= self._in_all or self._has_enough(sender, address):
            self._log_refusal(sender)
            return False
        self._open[sender] += 1
        self._total += 1
        return True

    def give_back(self, address: str) -> None:
        """A connection that was taken has ended."""
        sender = sender_key(address)
        self._total -= 1
        self._open[sender] -= 1
        if not self._open[sender]:
            del self._open[sender]

    def _has_enough(self, sender: str, address: str) -> bool:
        return self._open[sender] >= self._per_address and not self._is_unlimited(address)

    def _is_unlimited(self, address: str) -> bool:
        parsed = parsed_address(address)
        return parsed is not None and any(parsed in network for network in self._unlimited)

    def _log_refusal(self, sender: str) -> None:
        """A line for each refusal would be a load of its own."""
        self._refused += 1
        now = time.monotonic()
        if now - self._logged_at >= _LOG_EVERY_SECONDS:
            _log.warning("connections_refused", refused=self._refused, open=self._total, last_address=sender)
            self._logged_at, self._refused = now, 0
