"""Mallory wraps a genuine response of Britta's so that she is read in Britta's place. She never is."""

from __future__ import annotations

import pytest
from attack import attack
from cast import BRITTA, MALLORY
from lxml import etree
from responses import Idp, expectations, judged
from saml.attacks.wrapping import SHAPES, SLOTS, Hidden, summary_of, sweep

IDP = Idp.make()
SWEEP = tuple(sweep())


@pytest.mark.parametrize("identifier", [pytest.param(name, marks=attack(name, summary_of(name))) for name in SHAPES])
def test_a_classic_shape(identifier: str) -> None:
    shape, signed, failed = SHAPES[identifier]
    assert judged(IDP.response(signed=signed), expectations(IDP)).report.accepts
    judgement = judged(IDP.response(signed=signed, sealed=shape), expectations(IDP))
    assert judgement.report.failed == failed
    assert judgement.identity is None


@attack("XSW-39", "the genuine element hidden in every place, order, ID and signature", count=18)
@pytest.mark.parametrize("level", ["assertion", "response"])
@pytest.mark.parametrize("slot", SLOTS)
def test_every_place_to_hide_in(slot: str, level: str) -> None:
    for hidden in SWEEP:
        if (hidden.slot, hidden.level) == (slot, level):
            _refused(hidden)


def _refused(hidden: Hidden) -> None:
    root = etree.fromstring(IDP.response(signed=hidden.level))
    evil = etree.tostring(hidden.apply(root))
    assert MALLORY.email.encode() in evil, str(hidden)
    assert BRITTA.email.encode() in evil, str(hidden)
    judgement = judged(evil, expectations(IDP))
    assert not judgement.report.accepts, str(hidden)
    assert judgement.identity is None, str(hidden)


def test_the_sweep_is_complete() -> None:
    assert len(SWEEP) == 360
    assert len(set(SWEEP)) == 360
