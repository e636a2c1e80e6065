"""What a thread may read before it should end, since lxml remembers for as long as the thread lives.

Owns counting what a thread has read, and threads for one piece of work. Never parses.

Before version 7, lxml keeps every name, namespace, ID and run of white space that it met in a thread, whoever sent it:
two IDs of every sign-in, and whatever a stranger makes up to fill the memory of a service. With lxml 7 each parser has
a memory of its own, and this module can go: see docs/decisions/0024-recycle-threads-that-parse-xml.md.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

ENOUGH = 4 * 1024 * 1024  # bytes; what is kept of them is about as much again at worst


class _Here(threading.local):
    octets = 0


_here = _Here()


def count(octets: int) -> None:
    """That this thread is about to read so many bytes more."""
    _here.octets += octets


def has_read_enough() -> bool:
    """Whether this thread should read nothing any more: its owner puts another in its place, or reads on errands."""
    return _here.octets > ENOUGH


def on_an_errand(work: Callable[P, T]) -> Callable[P, T]:
    """The same work, each time in a thread that ends with it. It costs one or two tenths of a millisecond."""

    @wraps(work)
    def errand(*args: P.args, **kwargs: P.kwargs) -> T:
        with ThreadPoolExecutor(1, thread_name_prefix="errand") as thread:
            return thread.submit(work, *args, **kwargs).result()

    return errand
