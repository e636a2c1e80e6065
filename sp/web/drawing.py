"""What templates ask of the program to draw less often.

Owns keeping what a macro made, within bounds. Never changes it: a macro is a function of what it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache

from sp.web.report_view import outcome_counts


@lru_cache(maxsize=512)
def kept(macro: Callable[..., str], *values: Hashable) -> str:
    """What a macro makes of values, once: most rows of a report look as they did in the one before."""
    return macro(*values)


def keeping(macro: Callable[..., str]) -> Callable[..., str]:
    """The same macro, which draws what it drew before only once: an icon, a word."""
    return lru_cache(maxsize=256)(macro)


DRAWING: Mapping[str, object] = {"kept": kept, "keeping": keeping, "outcome_counts": outcome_counts}
