"""The expressions of an expectation: a linear-time engine, bounded in size."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from sp.diagnosis.contract import MAX_ATTRIBUTES, Contract, SignInFacts, compare
from sp.saml.expressions import MAX_CHARACTERS, MAX_STEPS, MAX_VALUE, expression_fault, matches_whole, steps_for
from sp.saml.messages import Identity, NameId

# What takes exponential or cubic time where an engine tries one way after the other.
SLOW_ELSEWHERE = [
    "a*" * 100,
    "(a+)+b",
    "(a*)*b",
    "(a|a)*b",
    "(?:ab?)*c",
    "(.*)(.*)(.*)b",
    "a?" * 30 + "b",
    "(?:a{1,9}){1,9}b",
]
REFUSED = [
    "(?=a)",
    "(?<!a)b",
    r"(a)\1",
    "(a)(?(1)b|c)",
    "(",
    "a{1001}",
    "(?:(?:x{0}){1000}){1000}",
    r"\pL{900}",
    "a**" + "*" * MAX_CHARACTERS,
    "\ud800",
]
PLAIN = [
    r"[a-z]+@contoso\.example",
    ".*admin.*",
    "staff|admins",
    "(?i:STAFF)",
    r"\d{4}-\d\d-\d\d",
    "^x$",
    "a{1000}",
    "[A-Za-z0-9]{1,1000}",
    "[[a]",
    "",
]


@pytest.mark.parametrize("expression", REFUSED)
def test_what_the_engine_cannot_do_or_is_too_large_is_refused_in_one_sentence(expression: str) -> None:
    fault = expression_fault(expression)
    assert fault is not None
    assert fault.endswith(".")
    assert "\n" not in fault


@pytest.mark.parametrize("expression", PLAIN)
def test_plain_expressions_are_taken(expression: str) -> None:
    assert expression_fault(expression) is None


@pytest.mark.parametrize("expression", SLOW_ELSEWHERE)
def test_what_is_slow_on_other_engines_is_checked_and_compared_in_milliseconds(expression: str) -> None:
    began = time.process_time()
    assert expression_fault(expression) is None
    for value in ("a" * MAX_VALUE, "ab" * (MAX_VALUE // 2)):
        matches_whole(expression, value)
    assert time.process_time() - began < 0.1


def test_an_expression_describes_the_whole_value() -> None:
    assert matches_whole("staff", "staff")
    assert not matches_whole("staff", "staff\n")
    assert not matches_whole("staff", "staffing")
    assert not matches_whole("a*", "a" * (MAX_VALUE + 1))


def test_a_faulty_expression_writes_nothing_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    expression_fault("(a")
    assert capfd.readouterr().err == ""


def test_attributes_are_counted_before_an_expression_is_compiled() -> None:
    many = {f"a{number}": {"matches": "("} for number in range(MAX_ATTRIBUTES + 1)}
    with pytest.raises(ValidationError) as raised:
        Contract.model_validate({"attributes": many})
    assert [error["msg"] for error in raised.value.errors()] == [
        f"Value error, name at most {MAX_ATTRIBUTES} attributes"
    ]


def test_the_values_of_a_message_share_one_limit_of_steps() -> None:
    """The sender of the message chooses how many values there are, and the sender of the expression how long it is."""
    expression = "[a-z]{1,1000}"
    value = "x" * MAX_VALUE
    count = MAX_STEPS // steps_for(expression, [value]) + 1
    name_id, groups, end = NameId("britta", ""), {"groups": (value,) * count}, datetime(2030, 1, 1, tzinfo=UTC)
    identity = Identity("https://idp.example", "_1", name_id, "", "", "", groups, end)
    contract = Contract.model_validate({"attributes": {"groups": {"matches": expression}}})
    (line,) = compare(contract, SignInFacts(identity=identity))
    assert not line.met
    assert "too many" in line.received


def test_without_the_package_expressions_are_refused_in_one_sentence() -> None:
    """As on musl, for which google-re2 has no wheel."""
    program = (
        "import sys; sys.modules['re2'] = None\n"
        "from sp.saml.expressions import expression_fault\n"
        "print(expression_fault('a'))"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert told == "This installation takes no expressions: the package google-re2 is missing on its platform.\n"
