"""What a server answers that is asked for metadata, and in which time.

Owns the kinds of answer beside Refused. Never asks anybody.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

SECONDS = 10.0  # for everything together: looking up, connecting, redirects, the last byte


@dataclass(frozen=True, slots=True)
class Fetched:
    """The bytes, and the ETag by which to ask whether they have changed, or ""."""

    data: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The server says that it has nothing newer than the ETag that was sent."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """The server says where it is instead."""

    url: str


def seconds_left(deadline: float) -> float:
    """Until this time of the monotonic clock; 0 after it."""
    return max(deadline - time.monotonic(), 0.0)
