"""Decoding the long forms that anybody may send: SAML messages in which nearly every character is escaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Request

T = TypeVar("T")

_MANY_ESCAPES = 20_000  # percent signs; base64 of the largest message has twelve thousand, and they cost 4 ms


def takes_long(body: bytes) -> bool:
    """Whether decoding it keeps a thread busy for long: a megabyte of `%41` takes a third of a second."""
    return body.count(b"%") > _MANY_ESCAPES


async def decode_alone(request: Request, decode: Callable[[], T]) -> T:
    """What `decode` returns, in a thread, one form of the process at a time.

    The event loop takes turns with each thread that runs Python code, so forty of them would hold it up forty times.
    """
    state = request.app.state
    if not hasattr(state, "form_decoding"):
        state.form_decoding = CapacityLimiter(1)
    return await to_thread.run_sync(decode, limiter=state.form_decoding)
