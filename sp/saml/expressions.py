"""Regular expressions that a user sends, on an engine whose time is linear in the value (RE2).

An expression describes a whole value; nothing is searched.
"""

from __future__ import annotations

from collections.abc import Iterable

try:
    import re2
except ImportError:  # no wheel for this platform, such as musl
    re2 = None

MAX_CHARACTERS = 200  # of an expression
MAX_VALUE = 1024  # characters of a value that is compared with one
# Without a DFA, RE2 needs (size of the program) x (characters of the value) steps; so many take about 0.2 s.
MAX_STEPS = 20_000_000
_MEMORY_BYTES = 128 * 1024  # of a compiled expression: `re2` keeps the last 128, so 16 MiB in all
_UNSUPPORTED = "This installation takes no expressions: the package google-re2 is missing on its platform."


def expression_fault(text: str) -> str | None:
    """Why this cannot be used as an expression, as one sentence, or None."""
    if re2 is None:
        return _UNSUPPORTED
    if len(text) > MAX_CHARACTERS:
        return f"An expression has at most {MAX_CHARACTERS} characters."
    try:
        _compiled(text)
    except re2.error as error:
        return f"This expression cannot be used: {_reason(error)}."
    except UnicodeError:
        return "This expression is no text: it holds half a surrogate pair."
    return None


def steps_for(expression: str, values: Iterable[str]) -> int:
    """How many steps it takes at most to compare all these values with an allowed expression."""
    characters = sum(len(value) for value in values if len(value) <= MAX_VALUE)
    return int(_compiled(expression).programsize) * characters


def matches_whole(expression: str, value: str) -> bool:
    """Whether the expression matches the whole value. A value that is too long matches nothing."""
    return len(value) <= MAX_VALUE and _compiled(expression).fullmatch(value) is not None


def _compiled(text: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False  # otherwise each faulty expression writes a line of its sender's to standard error
    options.max_mem = _MEMORY_BYTES
    return re2.compile(text, options)


def _reason(error: Exception) -> str:
    """The library's words, which repeat a part of the expression."""
    words = error.args[0] if error.args else b""
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
