"""The engine verifies on lxml and cryptography; libxmlsec1 is asked about every signature in every test.

Owns that this asking works, and the questions that no other test asks: signatures that verify with nobody's key here.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from attack import attack
from lxml import etree
from responses import Idp, expectations, judged, one, trust, with_text
from saml.attacks.catalogue import MESSAGES
from saml.cases import Case
from saml.one_flaw import ONE_FLAW
from second_opinion import DisagreementError, compared, verifies

from sp.saml import enveloped, names
from sp.saml.enveloped import Enveloped, Signed, Verdict, algorithm_problem, structure_problem
from sp.saml.signature import Signatures
from sp.saml.validation import open_message

CASES = (*ONE_FLAW, *(case for cases in MESSAGES.values() for case in cases))


def signed_in(case: Case) -> Signed | None:
    """What carries signatures in a case's message, where the layout and the algorithms let anybody verify one."""
    held = case.expectations
    response = open_message(case.message).response
    if response is None or held.account is None:
        return None
    signed = Signatures(response, held.account, held).signed
    return None if structure_problem(signed) or algorithm_problem(signed) else signed


@attack("SIG second opinion", "every signature of the corpus, with every key of the cast", count=0)
@pytest.mark.parametrize("case", CASES, ids=[f"{case.id}: {case.story}" for case in CASES])
def test_both_say_the_same_of_every_key(case: Case) -> None:
    signed = signed_in(case)
    if signed is None:
        return
    keys = (case.idp.certificate, Idp.make("https://mallory.example").certificate, Idp.make(kind="p256").certificate)
    for found, key in product(signed.found, keys):
        ours = holds_for(found, key, signed)
        assert ours is verifies(found, key), case.story


def holds_for(found: Enveloped, key: object, signed: Signed) -> bool:
    trusted = Signed(signed.elements, enveloped.SigningTrust((key,), signed.trust.now))  # type: ignore[arg-type]
    (verdict,) = (verdict for verdict in trusted.verdicts if verdict.enveloped.signature is found.signature)
    return verdict.content is not None


@pytest.mark.parametrize("method", sorted(enveloped.SIGNATURE_METHODS))
@pytest.mark.parametrize("digest", sorted(enveloped.DIGESTS))
def test_every_algorithm(method: str, digest: str) -> None:
    idp = Idp.make(kind="p256" if "ecdsa" in method else "rsa")
    held = expectations(idp, account=trust(idp, allow_sha1=True))
    assert judged(idp.response(method=method, digest=digest), held).report.accepts
    changed = idp.response(method=method, digest=digest, sealed=with_text(".//saml:NameID", "mallory@evil.example"))
    assert judged(changed, held).report.failed == ("signature",)


Judge = Callable[..., Verdict]


def _blind(judge: Judge) -> Judge:
    """A judge that forgets to compare the digest."""

    def covered(found: Enveloped, certificate: object, signed: Signed) -> Verdict:
        verdict = judge(found, certificate, signed)
        return Verdict(found, verdict.signing_key, verdict.signature, verdict.certificate, b"<anything/>")

    return covered


def test_a_disagreement_fails_the_test_it_happens_in(monkeypatch: pytest.MonkeyPatch) -> None:
    idp = Idp.make()
    monkeypatch.setattr(enveloped, "_covered", compared(_blind(enveloped._covered)))
    xml = idp.response(sealed=with_text(".//saml:NameID", "mallory@evil.example"))
    with pytest.raises(DisagreementError, match="libxmlsec1 says False"):
        judged(xml, expectations(idp))


def test_the_other_opinion_needs_the_right_key() -> None:
    idp = Idp.make()
    root = etree.fromstring(idp.response())
    assertion = one(root, "saml:Assertion")
    found = Enveloped(one(assertion, names.SIGNATURE), assertion)
    assert verifies(found, idp.certificate)
    assert not verifies(found, idp.with_key("mallory").certificate)
