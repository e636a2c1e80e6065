"""Every problem is declared by its check, has its words, and is found by a case."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cast import NOW
from lxml import etree
from responses import CLAIMS, Idp, expectations, form, judged, posted, trust
from saml.attacks.catalogue import MESSAGES
from saml.attacks.logouts import CASES as LOGOUT_CASES
from saml.one_flaw import ONE_FLAW

from sp.diagnosis.explanations import sentence
from sp.diagnosis.logout_catalogue import TEXTS as LOGOUT_TEXTS
from sp.diagnosis.places import places_of
from sp.diagnosis.remedies import remedy_for
from sp.diagnosis.sides import SKIPPED, TEMPLATES
from sp.saml.checks import CHECKS
from sp.saml.checks.logout import LOGOUT_CHECKS, Named, logout_sessions
from sp.saml.messages import AccountHolder, HandedOut, Limits, UserLink
from sp.saml.problems import (
    AudienceProblem,
    AuthnStatementProblem,
    DecryptionProblem,
    DeflateProblem,
    EncryptionProblem,
    FormProblem,
    InternalProblem,
    Problem,
    QueryProblem,
    RecordedProblem,
    RootProblem,
    SignatureStructureProblem,
    SizeProblem,
    StatusProblem,
    SubjectProblem,
    UsernameProblem,
)
from sp.saml.report import Outcome, Report, Row
from sp.saml.validation import judge, open_form

IDP = Idp.make()
EVERY = [problem for kind in Problem.__subclasses__() for problem in kind]
DECLARED = {(check.code, problem) for check in CHECKS for problem in check.problems}
DECLARED_OF_LOGOUT = {(check.code, problem) for check in LOGOUT_CHECKS for problem in check.problems}
OF_ANY_CHECK = {*InternalProblem, *RecordedProblem}

# Found by tests of their own module, on other ways in.
ELSEWHERE: dict[Problem, str] = {
    FormProblem.CONTENT_ENCODING: "tests/web",
    FormProblem.TOO_MANY_FIELDS: "tests/web",
    SizeProblem.FORM: "tests/web",
    SizeProblem.QUERY: "tests/saml/test_redirect_binding.py",
    **dict.fromkeys(QueryProblem, "tests/saml/test_redirect_binding.py"),
    **dict.fromkeys(DeflateProblem, "tests/saml/test_redirect_binding.py"),
    RootProblem.EMPTY_ENVELOPE: "tests/saml/test_soap.py",
    RootProblem.EMPTY_BODY: "tests/saml/test_soap.py",
    StatusProblem.PARTIAL: "tests/saml/attacks/test_logouts.py",
    DecryptionProblem.OTHER_RECIPIENT: "tests/saml/test_decryption.py",
    DecryptionProblem.FORMER_KEY: "tests/flows/test_keys_of_accounts.py",
    SubjectProblem.NOT_OPENED: "tests/saml/test_decryption.py",
    UsernameProblem.EMPTY: "tests/saml/test_identity.py",  # a sign-in fails at `subject` first
    UsernameProblem.TOO_LONG: "tests/saml/test_identity.py",
    EncryptionProblem.NO_KEY_METHOD: "tests/saml/test_decryption.py",
}
# The schema refuses them first. The rule stays, so that it does not rest on the schema.
BEHIND_THE_SCHEMA: set[Problem] = {
    AudienceProblem.NO_AUDIENCE,
    AuthnStatementProblem.NO_CONTEXT,
    EncryptionProblem.NO_DATA,
    SignatureStructureProblem.SEVERAL,
    SignatureStructureProblem.MESSAGE_INSIDE,
}


@pytest.mark.parametrize("problem", EVERY, ids=str)
def test_it_has_both_sides_and_a_check(problem: Problem) -> None:
    assert TEMPLATES[problem].expected
    assert TEMPLATES[problem].received
    assert problem in OF_ANY_CHECK or problem in {declared for _, declared in DECLARED | DECLARED_OF_LOGOUT}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_every_problem_of_a_check_has_a_name_of_its_own(check: Any) -> None:
    named = [problem.value for problem in (*check.problems, *OF_ANY_CHECK)]
    assert len(set(named)) == len(named)


@pytest.mark.parametrize("check", LOGOUT_CHECKS, ids=lambda check: check.code)
def test_every_problem_of_a_logout_check_has_a_name_of_its_own(check: Any) -> None:
    named = [problem.value for problem in (*check.problems, *OF_ANY_CHECK)]
    assert len(set(named)) == len(named)
    assert check.code in LOGOUT_TEXTS


def reports() -> Iterator[Report]:
    for case in (*(case for cases in MESSAGES.values() for case in cases), *ONE_FLAW):
        yield case.flawed().report
    field = base64.b64encode(IDP.response()).decode()
    for posted_form in (
        form(("SAMLResponse", field), method="PUT"),
        replace(form(("SAMLResponse", field)), content_type="text/plain"),
        replace(form(("SAMLResponse", field)), content_type="application/x-www-form-urlencoded; charset=utf-16"),
        form(("SAMLResponse", "")),
        form(("SAMLResponse", field), ("RelayState", "a"), ("RelayState", "b")),
        form(("SAMLResponse", "PHNhbWw%2B")),
        form(("SAMLResponse", "PHNhbWw_")),
        form(("SAMLResponse", "PHNhbWw6 A" + field)),
        form(("SAMLResponse", "garbage!")),
    ):
        yield judge(open_form(posted_form), expectations(IDP)).report
    yield judge(open_form(posted(IDP.response()), Limits(message_bytes=9)), expectations(IDP)).report
    yield judged(IDP.response(recipient="urn:own"), expectations(IDP, entity_id="urn:own")).report
    yield judged(IDP.response(audience="urn:acs"), expectations(IDP, acs_url="urn:acs")).report
    off = trust(IDP, saml_enabled=False, certificates=())
    yield judged(IDP.response(), expectations(IDP, account=off)).report
    for begins, ends in ((-10, 20), (-10, -1), (1, 400)):
        dated = Idp(
            IDP.entity_id, IDP.key_name, not_before=NOW + timedelta(days=begins), not_after=NOW + timedelta(days=ends)
        )
        yield judged(dated.response(), expectations(dated)).report
    yield judged(IDP.response(lifetime=timedelta(hours=3)), expectations(IDP)).report
    yield judged(IDP.response(attributes={CLAIMS.email: ("x" * 257,)}), expectations(IDP)).report
    given = AccountHolder(replayed=False, handed_out=HandedOut(NOW, "ops"))
    yield judged(IDP.response(), expectations(IDP), given).report
    renewed = IDP.with_key("renewed")
    retired = trust(IDP, certificates=(renewed.certificate,), retired_certificates=(IDP.certificate,))
    yield judged(IDP.response(), expectations(IDP, account=retired)).report
    holder = AccountHolder(replayed=False, link=UserLink.ONE, status="active", stored_username="anna.groß")
    yield judged(IDP.response(name_id="ANNA.GROẞ"), expectations(IDP), holder).report
    for name in ("b\u0375", "דוד@contoso.example", "b" * 256 + "é", "e\u0301", "\uff42", "\u017fimon"):
        yield judged(IDP.response(name_id=name), expectations(IDP)).report


@pytest.fixture(scope="module")
def every_row() -> list[Row]:
    return [row for report in reports() for row in report.rows]


@pytest.fixture(scope="module")
def found(every_row: list[Row]) -> list[Row]:
    return [row for row in every_row if row.problem is not None]


def test_a_row_that_failed_or_warns_has_a_problem_of_its_check(every_row: list[Row], found: list[Row]) -> None:
    undeclared = {(row.code, row.problem) for row in found} - DECLARED
    assert {(code, problem) for code, problem in undeclared if problem not in OF_ANY_CHECK} == set()
    for row in every_row:
        assert (row.problem is not None) is (row.outcome in {Outcome.FAILED, Outcome.WARNING}), row


def test_every_problem_is_found_by_a_case(found: list[Row]) -> None:
    seen = {row.problem for row in found}
    for case in LOGOUT_CASES:
        rows = case.flawed().report.rows
        seen |= {row.problem for row in rows}
        assert {(row.code, row.problem) for row in rows if row.problem} <= DECLARED_OF_LOGOUT
    seen |= {logout_sessions(Named("_1", matched=0, alike=alike)).problem for alike in (0, 1)}
    missing = set(EVERY) - seen - set(ELSEWHERE) - BEHIND_THE_SCHEMA - OF_ANY_CHECK
    assert missing == set()


def test_every_problem_has_a_sentence_and_a_remedy(found: list[Row]) -> None:
    for row in found:
        if row.outcome is Outcome.FAILED:
            assert sentence(row).endswith((".", "!", "?"))
            assert "{expected" not in sentence(row)
            assert "{received" not in sentence(row)
        assert remedy_for(row).endswith(".")


def test_every_check_points_to_an_element_or_to_none() -> None:
    root = etree.fromstring(IDP.response())
    for check in CHECKS:
        places = places_of(Report((Row(check.code, Outcome.FAILED),)), root)
        assert set(places.values()) <= {(check.code,)}


def test_what_was_skipped_says_why() -> None:
    codes = {check.code for check in CHECKS} | {check.code for check in LOGOUT_CHECKS}
    assert set(SKIPPED) <= codes
