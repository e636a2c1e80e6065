"""What keeps a large or hostile message cheap: it is refused before anything expensive happens (DOS).

The cost itself is measured in `bench/limits.py`; these tests hold what makes it so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from attack import attack
from lxml import etree
from responses import Idp, expectations, judged, posted
from saml.attacks.bounds import BOUNDS, many_signatures
from saml.one_flaw import DATA, NAME_ID

from sp.saml import enveloped, xml
from sp.saml.bindings import Transport
from sp.saml.times import instant
from sp.saml.validation import judge, open_form

IDS = {"one byte more": "DOS-08 byte", "10 001 elements": "DOS-02 one", "an entity bomb": "XML-07 bomb"}
IDS |= {"100 signatures": "DOS-06", "an endless style sheet": "DSG-18", "256 KiB": "DOS-08 most"}
IDS |= {"10 000 elements": "DOS-09", "50 namespaces, 60 levels": "DOS-05", "9 000 changes of namespace": "DOS-05 wide"}


@dataclass
class Work:
    """How often something expensive was asked for."""

    parsed: int = 0
    validated: int = 0
    verified: int = 0
    canonical: int = 0
    sizes: list[int] = field(default_factory=list)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Counts the parses, schema runs, verifications and canonical forms, all of which still happen."""
    counted = Work()

    def counting(name: str, original: object) -> object:
        def call(*arguments: object, **options: object) -> object:
            setattr(counted, name, getattr(counted, name) + 1)
            return original(*arguments, **options)  # type: ignore[operator]

        return call

    monkeypatch.setattr(xml, "parse", counting("parsed", xml.parse))
    monkeypatch.setattr(xml, "_schema", counting("validated", xml._schema))
    monkeypatch.setattr("sp.saml.enveloped.canonical", counting("canonical", xml.canonical))
    monkeypatch.setattr("sp.saml.enveloped.value_made_by", counting("verified", enveloped.value_made_by))
    return counted


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=attack(IDS[name], name, count=1 if failed else 0))
        for name, (_, failed) in BOUNDS.items()
    ],
)
def test_it_has_its_verdict(name: str) -> None:
    build, failed = BOUNDS[name]
    report = judge(open_form(posted(build())), expectations(Idp.make())).report
    assert report.failed == failed
    assert report.accepts is not bool(failed)


def judge_counted(name: str, work: Work) -> Work:
    """The work that judging costs, without what making the message did."""
    message, held = BOUNDS[name][0](), expectations(Idp.make())
    work.parsed = work.validated = work.verified = work.canonical = 0
    judge(open_form(posted(message)), held)
    return work


def test_one_byte_too_many_is_not_even_decoded(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(_: object) -> bytes:
        raise AssertionError("decoded")

    monkeypatch.setattr(Transport, "decoded", property(decoded))
    assert judge_counted("one byte more", work).parsed == 0


def test_an_entity_bomb_never_reaches_the_parser(work: Work) -> None:
    assert judge_counted("an entity bomb", work).parsed == 0


def test_too_many_elements_are_parsed_and_no_more(work: Work) -> None:
    done = judge_counted("10 001 elements", work)
    assert (done.parsed, done.validated, done.verified, done.canonical) == (1, 0, 0, 0)


@pytest.mark.parametrize("name", ["100 signatures", "an endless style sheet"])
def test_no_signature_is_computed_and_no_transform_runs(name: str, work: Work) -> None:
    done = judge_counted(name, work)
    assert (done.parsed, done.validated, done.verified, done.canonical) == (1, 1, 0, 0)


@attack("DOS-11", "a flood of unsigned and unknown messages")
def test_what_anybody_can_send_costs_no_cryptography(work: Work) -> None:
    """A message of an unknown issuer, or with no signature, is refused before a key is looked at."""
    stranger, unsigned = Idp.make("urn:nobody").response(), Idp.make().response(signed=None)
    work.verified = 0
    for message in (stranger, unsigned):
        assert judged(message, expectations(Idp.make())).report.failed
    assert work.verified == 0


def test_at_most_two_signatures_are_ever_computed(work: Work) -> None:
    message = Idp.make().response(signed="both")
    work.verified = 0
    assert judged(message, expectations(Idp.make())).report.accepts
    assert work.verified == 2


@attack("DOS-12", "times and names that make a pattern backtrack")
@pytest.mark.parametrize(
    "text", ["2030-01-31T12:00:00." + "0" * 100_000, "0" * 100_000, "2" * 50_000 + "Z", "-" * 100_000]
)
def test_no_pattern_backtracks(text: str) -> None:
    """Linear: a hundred thousand characters take a moment, in the pattern of times and in the whole pipeline."""

    def mutate(root: etree._Element) -> None:
        root.find(DATA, {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}).set("NotOnOrAfter", text)  # type: ignore[union-attr]
        root.find(NAME_ID, {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}).text = text  # type: ignore[union-attr]

    instant(text)
    assert judged(Idp.make().response(mutate=mutate), expectations(Idp.make())).report.failed


def test_the_hundred_signatures_are_a_hundred() -> None:
    assert many_signatures().count(b"<ds:SignatureValue>") == 100
