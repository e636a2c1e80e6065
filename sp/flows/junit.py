"""An expectation as JUnit XML, which every CI service shows.

Owns that form. Never decides whether a contract is met.
"""

from __future__ import annotations

from lxml import etree

from sp.diagnosis.contract import Line, SignInFacts
from sp.flows.expectations import Answer, Status, lines_of

_WHY = {Status.WAITING: "No sign-in has come yet.", Status.EXPIRED: "No sign-in came in time."}


def junit_xml(answer: Answer, suite: str) -> bytes:
    """A test suite with one case for each thing that was asked, and one for whether a sign-in came at all."""
    lines = answer.lines or lines_of(answer.expectation, SignInFacts())
    why = _WHY.get(answer.status)
    asked = (_case(suite, line.field, why or _difference(line), line.problems) for line in lines)
    cases = [_case(suite, "sign_in", why), *asked]
    failures = str(sum(len(case) for case in cases))
    counts = {"tests": str(len(cases)), "failures": failures, "errors": "0"}
    root = etree.Element("testsuites", counts)
    element = etree.SubElement(root, "testsuite", {"name": suite} | counts)
    element.extend(cases)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _case(suite: str, name: str, failure: str | None, problems: tuple[str, ...] = ()) -> etree._Element:
    case = etree.Element("testcase", classname=suite, name=name)
    if failure:
        etree.SubElement(case, "failure", message=failure, type=" ".join(problems) or "difference")
    return case


def _difference(line: Line) -> str | None:
    return None if line.met else f"expected {line.expected}, received {line.received}"
