"""A second opinion: python3-saml judges the same messages, and wherever it disagrees, the table says so."""

from __future__ import annotations

import pytest
from cast import BRITTA, MALLORY, NOW
from lxml import etree
from onelogin.saml2.utils import OneLogin_Saml2_Utils
from responses import Idp, expectations
from saml.attacks.catalogue import MESSAGES
from saml.attacks.wrapping import SHAPES, sweep
from saml.opinion import ACCEPTED_THERE, REFUSED_THERE, Opinion, ask

IDP = Idp.make()
CASES = tuple(case for cases in MESSAGES.values() for case in cases)


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OneLogin_Saml2_Utils, "now", staticmethod(lambda: int(NOW.timestamp())))


def test_it_accepts_what_it_should() -> None:
    """Otherwise its refusals would mean nothing."""
    for signed in ("assertion", "response", "both"):
        assert ask(IDP.response(signed=signed), expectations(IDP)) == Opinion(BRITTA.email)
    assert not ask(IDP.with_key("mallory").response(), expectations(IDP)).accepts


def test_every_disagreement_about_a_case_is_in_the_table() -> None:
    accepted_there, refused_there = {}, {}
    for case in CASES:
        opinion = ask(case.message, case.expectations)
        assert opinion.name_id != MALLORY.email, case.id
        if opinion.accepts and case.failed:
            accepted_there[case.id] = case.failed[0]
        elif case.failed == () and not opinion.accepts:
            refused_there[case.id] = opinion.reason
    shapes = {name for name in SHAPES if _of_shape(name).accepts}
    documented = {case: code for code, found in ACCEPTED_THERE.items() for case in found.cases}
    assert accepted_there | {name: SHAPES[name][2][0] for name in shapes} == documented
    assert set(refused_there) == {case for found in REFUSED_THERE.values() for case in found.cases}


def _of_shape(name: str) -> Opinion:
    shape, signed, _ = SHAPES[name]
    opinion = ask(IDP.response(signed=signed, sealed=shape), expectations(IDP))
    assert opinion.name_id in {None, BRITTA.email}
    return opinion


def test_no_wrapping_of_the_sweep_is_accepted_there_either() -> None:
    genuine = {level: IDP.response(signed=level) for level in ("assertion", "response")}
    for hidden in sweep():
        evil = hidden.apply(etree.fromstring(genuine[hidden.level]))
        assert not ask(etree.tostring(evil), expectations(IDP)).accepts, str(hidden)
