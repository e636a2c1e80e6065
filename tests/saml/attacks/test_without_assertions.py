"""`python -O` drops every assert statement: no rule may be one (WEB-22)."""

from __future__ import annotations

import sys
from subprocess import run

from attack import attack

PROGRAM = """
import sys
sys.path[:0] = [".", "tests"]
from saml.attacks.catalogue import MESSAGES
done = [(case, case.flawed().report) for cases in MESSAGES.values() for case in cases]
wrong = [case.id for case, report in done if report.failed != case.failed or report.accepts is bool(case.failed)]
print(sys.flags.optimize, len(done), wrong)
"""


@attack("WEB-22", "every message without assert statements")
def test_every_verdict_is_the_same_without_assertions() -> None:
    ran = run([sys.executable, "-O", "-c", PROGRAM], capture_output=True, text=True, check=True)
    optimized, count, wrong = ran.stdout.strip().split(" ", 2)
    assert (optimized, wrong) == ("1", "[]")
    assert int(count) > 500
