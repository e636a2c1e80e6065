"""Regular expressions that somebody else wrote, bounded so that none of them runs for long.

Owns how many steps matching an expression may take. Never searches: an expression describes a whole value.

Python's engine tries one way after the other, and (a+)+ has 2**n of them for n characters (ReDoS). So the ways are
counted before anything is matched, and the steps of each: a repetition has one way for each length, an alternative one
for each branch, and what follows is tried again for every way of what stands before it. What may take too many steps is
refused, however harmless it may be.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from re import _constants, _parser  # the tree that `re` itself compiles
from typing import Any, NamedTuple

MAX_CHARACTERS = 200  # of an expression
MAX_VALUE = 1024  # characters of a value that is held against one
_RESERVED = ("[[", "--", "&&", "~~", "||")  # what `re` warns that it may read in another way one day
MAX_COUNT = 1024  # in a repetition such as a{1,1024}
_ROUND_STEPS = 16  # what a round of a repeated group costs besides: the engine keeps each in a record of its own
MAX_STEPS = 32_000_000  # two stars and some 28 characters behind them; so many take some tenths of a second
_PLAIN_ONLY = "Only plain expressions are taken: no look-around, no references to groups, no conditions."
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
        effort = _effort(_parser.parse(text), MAX_VALUE)
    except (re.error, OverflowError, RecursionError):
        return "This is no regular expression."
    except ValueError as error:
        return str(error) if isinstance(error, _CountError) else _PLAIN_ONLY
    if effort.steps > MAX_STEPS:
        return "This could take too long: use at most two of * + {n,m}, none of them inside another."
    return None


def steps_for(pattern: str, values: Iterable[str]) -> int:
    """How many steps it may take at most to hold all these values against an allowed expression."""
    tree = _parser.parse(pattern)
    return sum(
        number * _effort(tree, length).steps
        for length, number in Counter(map(len, values)).items()
        if length <= MAX_VALUE
    )


def describes(pattern: str, value: str) -> bool:
    """Whether the expression matches the whole value. A value that is too long matches nothing."""
    return len(value) <= MAX_VALUE and re.fullmatch(pattern, value) is not None


class _CountError(ValueError):
    """A repetition counts too far."""


class _Effort(NamedTuple):
    """In how many ways something can be matched from one place on, and the steps that trying all of them takes.

    Neither is told beyond a little more than what is allowed, so that the numbers stay small.
    """

    ways: int
    steps: int


def _effort(nodes: Iterable[tuple[Any, Any]], length: int) -> _Effort:
    """Of a sequence, for a value of that length: each way of what stands before tries again what follows."""
    ways, steps = 1, 0
    for kind, argument in nodes:
        one = _effort_of(kind, argument, length)
        steps = _capped(steps + ways * one.steps)
        ways = _capped(ways * one.ways)
    return _Effort(ways, max(steps, 1))  # even nothing is a step, when it is repeated


def _effort_of(kind: Any, argument: Any, length: int) -> _Effort:
    """Raises ValueError for what does more than describe characters."""
    if kind in _SIMPLE:
        return _Effort(1, 1)
    if kind is _constants.SUBPATTERN:
        return _effort(argument[3], length)
    if kind is _constants.BRANCH:
        branches = [_effort(branch, length) for branch in argument[1]]
        return _Effort(_capped(sum(one.ways for one in branches)), _capped(sum(one.steps for one in branches)))
    if kind in _REPEATS:
        least, most, repeated = argument
        body = _effort(repeated, length)
        if any(kind not in _SIMPLE for kind, _ in repeated) or len(repeated) > 1:
            body = body._replace(steps=body.steps + _ROUND_STEPS)
        return _effort_of_repeat(int(least), most, body, length)
    raise ValueError(str(kind))


def _effort_of_repeat(least: int, most: Any, body: _Effort, length: int) -> _Effort:
    """Raises _CountError. Without an end there are at most as many rounds as characters: one of nothing is the last."""
    rounds = max(least, length) if most is _constants.MAXREPEAT else int(most)
    if max(least, 0 if most is _constants.MAXREPEAT else rounds) > MAX_COUNT:
        raise _CountError(f"A repetition counts to at most {MAX_COUNT}.")
    ways, steps, paths = 0, 1, 1
    for done in range(rounds + 1):
        ways = _capped(ways + paths) if done >= least else ways
        steps = _capped(steps + paths * body.steps) if done < rounds else steps
        paths = _capped(paths * body.ways)
    return _Effort(ways, steps)


def _capped(number: int) -> int:
    return min(number, MAX_STEPS + 1)
