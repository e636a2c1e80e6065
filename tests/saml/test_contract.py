"""The expressions of a contract: whatever is taken runs for a moment at most."""

from __future__ import annotations

import time

import pytest

from sp.saml.patterns import MAX_VALUE, describes, pattern_fault

SLOW = [
    "(a+)+",
    "(a*)*b",
    "(a|a)*b",
    "(a|ab)*c",
    "(?:ab?)*c",
    "a*a*a*b",
    "(.*)(.*)(.*)b",
    "a?" * 30 + "b",
    "(a|b|ab)" * 20,
    "((a{0,50}){0,50}){0,50}",
    "(?:a{1,9}){1,9}b",
    "(?i).*.*(?:aaaaa){100}b",
    "(?:(?:(?:x{0}){1024}){1024}){1024}",
    "(?:(?:x{0}){1024}){1024}" * 4,
]
STRANGE = [
    "(?=a)",
    "(?<!a)b",
    r"(a)\1",
    "(a)(?(1)b|c)",
    "(?>a*)",
    "(",
    "a{99999999999}",
    "a{1025}",
    "a{0,1025}",
    "a{1025,}",
    "(?:(?:(?:x{0}){65535}){65535}){65535}",
    "a**",
    "[[a]",
    "[a--b]",
    "a" * 201,
]
PLAIN = [
    r"[a-z]+@contoso\.example",
    ".*admin.*",
    "staff|admins",
    "(?i:STAFF)",
    r"\d{4}-\d\d-\d\d",
    "^x$",
    "a{1024}",
    "[ab]*+",
]


@pytest.mark.parametrize("pattern", [*SLOW, *STRANGE])
def test_what_could_take_long_or_does_more_is_refused(pattern: str) -> None:
    fault = pattern_fault(pattern)
    assert fault is not None
    assert fault.endswith(".")


@pytest.mark.parametrize("pattern", PLAIN)
def test_plain_expressions_are_taken(pattern: str) -> None:
    assert pattern_fault(pattern) is None


@pytest.mark.parametrize(
    "pattern", [".*a.*b", "[ab]*[ac]*d", "(?:aa|aa)?" * 10 + "b", "(a|aa|aaa){0,12}b", "(?:(?:x{0}){1024}){1024}"]
)
@pytest.mark.parametrize("value", ["a" * MAX_VALUE, "ab" * (MAX_VALUE // 2)])
def test_the_worst_that_is_taken_is_quick(pattern: str, value: str) -> None:
    assert pattern_fault(pattern) is None
    began = time.process_time()
    describes(pattern, value)
    assert time.process_time() - began < 1


def test_an_expression_describes_the_whole_value() -> None:
    assert describes("staff", "staff")
    assert not describes("staff", "staff\n")
    assert not describes("staff", "staffing")
    assert not describes("a*", "a" * (MAX_VALUE + 1))
