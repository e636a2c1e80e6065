"""The plugin in somebody else's suite: it stays out of the way, and says clearly what went wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from testing.suites import run

from sp.testing.identity_provider import IdentityProvider
from sp.testing.office import OfficeUnderTest
from sp.testing.server import StartError, running_service

UNTOUCHED = """
import sys

def test_nothing_was_imported():
    ours = [name for name in sys.modules if name.startswith("sp.") and not name.startswith("sp.testing")]
    assert (ours, "httpx" in sys.modules, "saml2" in sys.modules) == ([], False, False)
    assert "sp.testing.plugin" in sys.modules
"""

SEPARATE = """
names = set()

def test_one(virtual_office, identity_provider):
    names.add(virtual_office.workspace.name)
    assert identity_provider.sign_in("britta@contoso.com").provisioned

def test_two(virtual_office, identity_provider):
    names.add(virtual_office.workspace.name)
    assert len(names) == 2
    assert list(virtual_office.users()) == []
    assert identity_provider.sign_in("britta@contoso.com").provisioned
"""

WRONG = """
def test_wrong(virtual_office, identity_provider):
    with virtual_office.expect(outcome="accepted", failed=[], username="britta@contoso.com"):
        identity_provider.sign_in("britta@contoso.com", fault="audience")

def test_nobody_came(virtual_office):
    with virtual_office.expect(outcome="accepted", timeout=1):
        pass

def test_broken(virtual_office):
    with virtual_office.expect(outcome="accepted", timeout=30):
        raise KeyError("the test's own")

def test_misspelt(virtual_office):
    with virtual_office.expect(outcom="accepted"):
        pass

def test_no_such_fault(identity_provider):
    identity_provider.sign_in("britta@contoso.com", fault="audienc")
"""


def test_a_suite_that_asks_for_nothing_pays_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, UNTOUCHED)
    assert (done.code, done.passed) == (0, 1), done.output


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_it(virtual_office): pass", "-p", "no:virtual_office")
    assert done.code == 1
    assert "fixture 'virtual_office' not found" in done.output


def test_each_test_has_a_workspace_of_its_own(tmp_path: Path, virtual_office_url: str) -> None:
    done = run(tmp_path, SEPARATE, "--virtual-office-url", virtual_office_url)
    assert (done.code, done.passed) == (0, 2), done.output


def test_the_workspace_ends_with_its_test(tmp_path: Path, virtual_office_url: str) -> None:
    suite = """
from pathlib import Path

def test_it(virtual_office):
    Path("acs").write_text(virtual_office.acs_url)

def test_it_is_gone():
    import httpx
    assert httpx.post(Path("acs").read_text(), data={"SAMLResponse": "AA=="}, trust_env=False).status_code == 404
"""
    done = run(tmp_path, suite, "-o", f"virtual_office_url={virtual_office_url}")
    assert (done.code, done.passed) == (0, 2), done.output


def test_what_is_not_as_expected_is_told_with_both_sides_and_the_remedy(
    tmp_path: Path, virtual_office_url: str
) -> None:
    done = run(tmp_path, WRONG, "--virtual-office-url", virtual_office_url)
    assert done.passed == 0
    told = [
        "outcome\nE           expected: accepted\nE           received: refused",
        "failed\nE           expected: (none)\nE           received: audience",
        "It was refused: The audience is",
        "AssertionError: No sign-in came within 1 seconds.",
        'KeyError: "the test\'s own"',
        "ProblemError: POST /api/v1/expectations: 422 Something in the request is not right.",
        "outcom: There is no such field.",
        "ValueError: There is no fault 'audienc'; did you mean 'audience'?",
    ]
    assert [sentence for sentence in told if sentence not in done.output] == [], done.output
    assert "username\nE" not in done.output  # it was as expected


def test_a_sign_in_that_came_before_the_wait_is_not_missed(
    virtual_office: OfficeUnderTest, identity_provider: IdentityProvider
) -> None:
    sign_in = identity_provider.sign_in
    came = [sign_in("britta@contoso.com").reference, sign_in("britta@contoso.com", fault="audience").reference]
    assert [virtual_office.wait_for_sign_in(timeout=5).reference for _ in came] == came
    with pytest.raises(TimeoutError, match="No sign-in came"):
        virtual_office.wait_for_sign_in(timeout=0.2)


def test_what_was_expected_is_there_after_the_block(
    virtual_office: OfficeUnderTest, identity_provider: IdentityProvider
) -> None:
    with virtual_office.expect(outcome="refused", failed=["audience"], in_response_to="absent") as expected:
        came = identity_provider.sign_in("britta@contoso.com", fault="audience")
        with pytest.raises(AssertionError, match="after the block"):
            _ = expected.sign_in
    assert expected.sign_in == came


def test_a_service_that_does_not_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(StartError, match="VIRTUAL_OFFICE_SESSION_MAX_HOURS: should be"),
        running_service(tmp_path, {"SESSION_MAX_HOURS": "0"}),
    ):
        pass
