"""Regular expressions that somebody else wrote, bounded so that none of them runs for long.

Owns how many ways of matching an expression may have. Never searches: an expression describes a whole value.

Python's engine tries one way after the other, and (a+)+ has 2**n of them for n characters (ReDoS). So the ways are
counted before anything is matched: a repetition has one for each length, an alternative one for each branch, and one
inside another multiplies. What has too many is refused, however harmless it may be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants, _parser  # type: ignore[attr-defined]  # the tree that `re` itself compiles
from typing import Any

MAX_CHARACTERS = 200  # of an expression
MAX_VALUE = 1024  # characters of a value that is held against one
_RESERVED = ("[[", "--", "&&", "~~", "||")  # what `re` warns that it may read in another way one day
_MAX_WAYS = 2_000_000  # two stars; as many steps take some hundredths of a second
_SIMPLE = (
    _constants.LITERAL,
    _constants.NOT_LITERAL,
    _constants.ANY,
    _constants.IN,
    _constants.AT,
)
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)


def pattern_fault(text: str) -> str | None:
    """Why this cannot be used as an expression, as one sentence, or None."""
    if len(text) > MAX_CHARACTERS:
        return f"An expression has at most {MAX_CHARACTERS} characters."
    if any(mark in text for mark in _RESERVED):
        return f"None of {' '.join(_RESERVED)} may stand in an expression. Write a backslash between the two."
    try:
        ways = _ways(_parser.parse(text))
    except (re.error, OverflowError, RecursionError):
        return "This is no regular expression."
    except ValueError:
        return "Only plain expressions are taken: no look-around, no references to groups, no conditions."
    if ways > _MAX_WAYS:
        return "This could take too long: use at most two of * + {n,m}, none of them inside another."
    return None


def describes(pattern: str, value: str) -> bool:
    """Whether the expression matches the whole value. A value that is too long matches nothing."""
    return len(value) <= MAX_VALUE and re.fullmatch(pattern, value) is not None


def _ways(nodes: Iterable[tuple[Any, Any]]) -> int:
    """How many ways there are to match a sequence, at most a little more than what is allowed."""
    ways = 1
    for kind, argument in nodes:
        ways = min(ways * _ways_of(kind, argument), _MAX_WAYS + 1)
    return ways


def _ways_of(kind: Any, argument: Any) -> int:
    """Raises ValueError for what does more than describe characters."""
    if kind in _SIMPLE:
        return 1
    if kind is _constants.SUBPATTERN:
        return _ways(argument[3])
    if kind is _constants.BRANCH:
        return sum(_ways(branch) for branch in argument[1])
    if kind in _REPEATS:
        least, most, repeated = argument
        return _ways_of_repeat(int(least), min(int(most), MAX_VALUE), _ways(repeated))
    raise ValueError(str(kind))


def _ways_of_repeat(least: int, most: int, ways: int) -> int:
    if ways == 1:
        return max(most - least + 1, 1)
    total, power = 0, min(ways**least, _MAX_WAYS + 1) if least < MAX_VALUE else _MAX_WAYS + 1
    for _ in range(least, most + 1):
        total, power = total + power, power * ways
        if total > _MAX_WAYS:
            break
    return total
