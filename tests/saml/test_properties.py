"""Whatever is sent, there is a verdict; and whatever changes what is signed, is refused."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from subprocess import run

import pytest
from cast import FABRIKAM_ISSUER, MALLORY
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from responses import NS, Idp, expectations, judged, one, posted, with_text
from saml.one_flaw import NAME_ID

from sp.diagnosis.sides import sides
from sp.saml import names
from sp.saml.messages import Limits
from sp.saml.report import Outcome
from sp.saml.validation import judge, open_form, open_message
from sp.saml.xml import canonical, parse

IDP = Idp.make()
SIGNED = IDP.response(attributes={"urn:x": ("one", "two")})
BOTH = IDP.response(signed="both")
HELD = expectations(IDP)

TAGS = [
    f"{{{namespace}}}{name}"
    for namespace, found in (
        (names.SAMLP, ("Response", "Status", "StatusCode", "Extensions")),
        (names.SAML, ("Assertion", "Issuer", "Subject", "NameID", "Conditions", "Advice", "AttributeStatement")),
        (names.DS, ("Signature", "SignedInfo", "Reference", "KeyInfo", "Object", "SignatureValue")),
    )
    for name in found
]


def _has_a_verdict(xml: bytes) -> None:
    for opened in (open_message(xml), open_form(posted(xml))):
        judgement = judge(opened, HELD)
        assert not judgement.report.accepts
        assert len(judgement.report.rows) == 48
        assert judgement.report.failed


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    _has_a_verdict(data)
    _has_a_verdict(b"<" + data)


@given(st.integers(0, len(SIGNED) - 1), st.integers(0, len(SIGNED) - 1))
def test_a_message_with_a_piece_cut_out(one_end: int, other_end: int) -> None:
    """Only what no signature covers may be missing: a certificate in KeyInfo, white space in a tag."""
    first, last = sorted((one_end, other_end))
    cut = SIGNED[:first] + SIGNED[last:]
    if judged(cut, HELD).report.accepts:
        assert _without_signature(one(parse(cut), "saml:Assertion")) == GENUINE
    else:
        _has_a_verdict(cut)


@st.composite
def _trees(draw: st.DrawFn) -> etree._Element:
    root = etree.Element(draw(st.sampled_from(TAGS)), nsmap=NS)
    for _ in range(draw(st.integers(0, 6))):
        parent = draw(st.sampled_from(list(root.iter())))
        child = etree.SubElement(parent, draw(st.sampled_from(TAGS)))
        child.text = draw(st.sampled_from(["", "x", IDP.entity_id]))
        child.set(
            draw(st.sampled_from(["ID", "Value", "Version", "URI", "Algorithm"])),
            draw(st.sampled_from(["_1", "2.0", "#_1"])),
        )
    return root


@given(_trees())
def test_any_tree(root: etree._Element) -> None:
    _has_a_verdict(etree.tostring(root))


@given(_trees(), st.integers(0, 200))
def test_any_tree_within_a_genuine_message(tree: etree._Element, at: int) -> None:
    """Whatever is put anywhere, Mallory is never read and Britta only when what is signed stays as it was."""
    root = etree.fromstring(SIGNED)
    places = list(root.iter("*"))
    places[at % len(places)].append(tree)
    judgement = judged(etree.tostring(root), HELD)
    if judgement.report.accepts:
        signed = one(root, "saml:Assertion")
        assert canonical(signed) == canonical(one(etree.fromstring(SIGNED), "saml:Assertion"))


@settings(max_examples=200)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["text", "attribute", "remove", "add", "tail"]),
    st.text("abc ", min_size=1, max_size=3),
)
@pytest.mark.parametrize("xml", [SIGNED, BOTH], ids=["assertion", "both"])
def test_a_change_of_what_is_signed_is_refused(xml: bytes, at: int, how: str, text: str) -> None:
    root = parse(xml)
    assertion = one(root, "saml:Assertion")
    before = _without_signature(assertion)
    elements = [element for element in assertion.iter() if not _in_signature(element)]
    _change(elements[at % len(elements)], how, text)
    changed = etree.tostring(root)
    after = _without_signature(one(parse(changed), "saml:Assertion"))
    assert judged(changed, HELD).report.accepts is (after == before)


def _change(element: etree._Element, how: str, text: str) -> None:
    parent = element.getparent()
    if how == "text":
        element.text = (element.text or "") + text
    elif how == "tail" and element.tag != names.ASSERTION:
        element.tail = (element.tail or "") + text
    elif how == "attribute":
        name = next(iter(element.attrib), "Consent")
        element.set(name, str(element.get(name, "")) + text.strip() + "x")
    elif how == "remove" and parent is not None and element.tag != names.ASSERTION:
        parent.remove(element)
    elif how == "add":
        etree.SubElement(element, f"{{{names.SAML}}}Issuer").text = text


def _in_signature(element: etree._Element) -> bool:
    return element.tag == names.SIGNATURE or next(element.iterancestors(names.SIGNATURE), None) is not None


def _without_signature(assertion: etree._Element) -> bytes:
    copied = parse(canonical(assertion))
    for signature in list(copied.iterchildren(names.SIGNATURE)):
        tail = signature.tail or ""
        previous = signature.getprevious()
        copied.remove(signature)
        if previous is not None:
            previous.tail = (previous.tail or "") + tail
    return canonical(copied)


GENUINE = _without_signature(one(parse(SIGNED), "saml:Assertion"))


def test_the_same_input_has_the_same_verdict() -> None:
    assert judged(SIGNED, HELD).report == judged(SIGNED, HELD).report


def test_many_at_once_keep_apart() -> None:
    """Forty sign-ins in parallel, half of them Mallory's: each has its own verdict and its own words."""
    fabrikam = Idp.make(FABRIKAM_ISSUER)
    genuine = [IDP.response(name_id=f"user{at}@contoso.example") for at in range(20)]
    evil = [
        fabrikam.response(mutate=with_text(NAME_ID, "x"), tamper=lambda xml: xml.replace(b"<saml:Subject>", b"<evil>"))
        for _ in range(10)
    ]
    invalid = [
        IDP.response(sealed=lambda root: one(root, ".//saml:Subject").append(etree.Element("invalid")))
        for _ in range(10)
    ]
    with ThreadPoolExecutor(16) as pool:
        judgements = list(pool.map(lambda xml: judged(xml, HELD), [*genuine, *evil, *invalid]))
    for at, judgement in enumerate(judgements[:20]):
        assert judgement.report.accepts
        assert judgement.identity is not None
        assert judgement.identity.username == f"user{at}@contoso.example"
    assert {judgement.report.failed for judgement in judgements[20:30]} == {("well_formed",)}
    assert {judgement.report.failed for judgement in judgements[30:]} == {("schema",)}
    assert all("invalid" in sides(judgement.report.row("schema")).received for judgement in judgements[30:])


def test_what_is_received_is_one_short_line() -> None:
    nasty = "a\n\u202eb\u2028" + "x" * 100_000
    report = judged(IDP.response(mutate=with_text("saml:Issuer", nasty)), HELD).report
    row = report.row("issuer")
    assert row.outcome is Outcome.FAILED
    assert sides(row).received.isprintable()
    assert len(sides(row).received) < 400


def test_limits_are_settings() -> None:
    strict = Limits(message_bytes=10_000, depth=5, elements=10, attributes=5)
    assert judge(open_message(SIGNED, strict), HELD).report.failed == ("limits",)


def test_optimised_python_changes_nothing() -> None:
    """`python -O` drops assertions: no rule may be one."""
    program = (
        "import sys; sys.path[:0] = ['.', 'tests']\n"
        "from responses import Idp, expectations, judged, with_text\n"
        "idp = Idp.make()\n"
        "good = judged(idp.response(), expectations(idp)).report\n"
        "bad = judged(idp.response(sealed=with_text('.//saml:NameID', 'x')), expectations(idp)).report\n"
        "none = judged(idp.response(signed=None), expectations(idp)).report\n"
        "print(good.accepts, bad.failed, none.failed)\n"
    )
    ran = run([sys.executable, "-O", "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "True ('signature',) ('signature_present',)"


def test_mallory_cannot_use_a_certificate_of_the_message() -> None:
    judgement = judged(IDP.with_key("mallory").response(name_id=MALLORY.email), HELD)
    assert judgement.report.failed == ("signing_key",)
    assert judgement.identity is None
    assert judgement.certificate is None
