"""Memory that this process has freed and its allocator keeps.

Owns giving it back to the system. Never frees anything that is in use.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any


def give_back() -> None:
    """Let go of free pages: glibc keeps them, scattered among used ones, and a busy service would seem to grow.

    Takes a millisecond or two and lets other threads run. Does nothing where the C library has no such call.
    """
    trim: Any = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
