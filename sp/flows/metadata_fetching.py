"""Fetching metadata from a URL: within bounds of time and size, from addresses that were checked and no others.

Owns following redirects, each of which is checked anew. Never connects by itself: `sp.flows.metadata_connection` does.
"""

from __future__ import annotations

import asyncio
import time

from sp.flows.metadata_addresses import Refused, check_target
from sp.flows.metadata_answers import SECONDS, Fetched, Redirect, Unchanged, seconds_left
from sp.settings import Settings

MAXIMUM_REDIRECTS = 3


def fetch_metadata(
    settings: Settings, url: str, *, etag: str = "", seconds: float = SECONDS
) -> Fetched | Unchanged | Refused:
    """What the URL answers. Blocks for `seconds` at most; must not be called where an event loop runs."""
    # Its library takes longer to load than most of this program, and a service that follows no metadata needs it never.
    from sp.flows.metadata_connection import ask  # noqa: PLC0415

    deadline = time.monotonic() + seconds
    for _ in range(MAXIMUM_REDIRECTS + 1):
        target = check_target(settings, url, seconds_left(deadline))
        if isinstance(target, Refused):
            return target
        answer = asyncio.run(ask(target, etag, deadline))
        if not isinstance(answer, Redirect):
            return answer
        url = answer.url
    return Refused(f"The address redirects more than {MAXIMUM_REDIRECTS} times.")


def fetch_anew(settings: Settings, url: str) -> Fetched | Refused:
    """The same for whoever has nothing yet."""
    answer = fetch_metadata(settings, url)
    if isinstance(answer, Unchanged):
        raise RuntimeError("nobody asked whether anything is new")  # noqa: TRY004  the value is right, the place is not
    return answer
