"""Every hostile message is refused for its own reason, beside a control that is accepted."""

from __future__ import annotations

import pytest
from attack import attack
from cast import MALLORY
from saml.attacks.catalogue import MESSAGES
from saml.cases import Case, check

from sp.saml.messages import Identity

CASES = tuple(case for cases in MESSAGES.values() for case in cases)
PARAMETERS = [
    pytest.param(case, id=f"{case.id}: {case.story}", marks=attack(case.id, case.story, count=1 if case.failed else 0))
    for case in CASES
]


def _profile(identity: Identity | None) -> tuple[str, ...]:
    """What a user's profile would be filled with."""
    assert identity is not None
    return (identity.issuer, identity.username, identity.first_name, identity.last_name, identity.email)


@pytest.mark.parametrize("case", PARAMETERS)
def test_the_attack(case: Case) -> None:
    control, judgement = check(case)
    if not case.failed:
        assert _profile(judgement.identity) == _profile(control.identity)
    elif judgement.identity is not None:
        assert MALLORY.email not in {judgement.identity.username, judgement.identity.email}


def test_every_case_has_its_own_id() -> None:
    names = [case.id for case in CASES]
    assert sorted(set(names)) == sorted(names)
