"""Loading modules quickly, and no more of them than are used.

Owns when the interpreter looks for garbage meanwhile, and what structlog finds installed.
"""

from __future__ import annotations

import gc
import sys
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
        _load_structlog_alone()
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


def _load_structlog_alone() -> None:
    """It would load rich and pygments for tracebacks in color: eight megabytes, and no line of ours has any color."""
    if "rich" in sys.modules or "structlog" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # as if it were not there
    try:
        import structlog  # noqa: F401, PLC0415
    finally:
        del sys.modules["rich"]
