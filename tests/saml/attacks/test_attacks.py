"""Every hostile message is refused for its own reason, beside a control that is accepted."""

from __future__ import annotations

import pytest
from saml.attacks import content, documents, signatures
from saml.cases import Case, check, ids

CASES = (*signatures.CASES, *documents.CASES, *content.CASES)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_the_attack(case: Case) -> None:
    check(case)


def test_every_case_has_its_own_id() -> None:
    names = [case.id for case in CASES]
    assert sorted(set(names)) == sorted(names)
