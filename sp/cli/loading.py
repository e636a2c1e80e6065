"""Loading modules quickly.

Owns when the interpreter looks for garbage meanwhile. Never loads anything itself.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """While the block imports, nobody looks for garbage, and what was loaded is not looked through later either.

    Modules stay until the end. Looking through them takes a seventh of the time of a start, and would hold up a
    request for some hundredths of a second each time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
