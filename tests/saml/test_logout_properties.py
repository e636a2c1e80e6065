"""Whatever is sent to the logout addresses, there is a verdict; and whatever changes a signed message is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logouts import expected, posted, query, request
from responses import Idp
from saml.attacks.logouts import judged

from sp.saml.logout_messages import Arrival, ByQuery, BySoap, Kind
from sp.saml.messages import NameId
from sp.saml.name_matching import NameContext, same_name

IDP = Idp.make()
HELD = expected(IDP)
SIGNED = request(IDP, session_indexes=("_one", "_two"))
QUERY = query(IDP, request(IDP, signed=False), relay_state="token")
CONTEXT = NameContext("https://idp.contoso.example/", "http://localhost:8000/saml2")


def refused(arrival: Arrival) -> None:
    report = judged(arrival, HELD).report
    assert not report.accepts
    assert report.failed


@given(st.binary(max_size=300), st.sampled_from(list(Kind)))
def test_any_bytes(data: bytes, kind: Kind) -> None:
    refused(posted(data, kind))
    refused(ByQuery(data, kind))
    refused(ByQuery(kind.carried.encode() + b"=" + data, kind))
    refused(BySoap("text/xml", data))


@given(st.integers(0, len(QUERY) - 1), st.integers(0, 255))
def test_a_query_with_another_byte(position: int, byte: int) -> None:
    """Whatever the byte, the message is refused, or is the one that was signed."""
    changed = QUERY[:position] + bytes([byte]) + QUERY[position + 1 :]
    judgement = judged(ByQuery(changed, Kind.REQUEST), HELD)
    if changed == QUERY:
        assert judgement.report.accepts
    elif judgement.report.accepts:
        assert judgement.order == judged(ByQuery(QUERY, Kind.REQUEST), HELD).order


@given(st.integers(0, len(SIGNED) - 1), st.integers(0, len(SIGNED) - 1))
def test_a_message_with_a_piece_cut_out(one_end: int, other_end: int) -> None:
    first, last = sorted((one_end, other_end))
    judgement = judged(posted(SIGNED[:first] + SIGNED[last:]), HELD)
    if judgement.report.accepts:
        assert judgement.order == judged(posted(SIGNED), HELD).order


NAMES = st.builds(
    NameId,
    st.sampled_from(["britta", "Britta", "britta "]),
    st.sampled_from([None, "", "urn:a", "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"]),
    st.sampled_from([None, "", CONTEXT.issuer, "https://idp.other.example/"]),
    st.sampled_from([None, "", CONTEXT.entity_id, "https://sp.other.example/"]),
)


@given(NAMES, NAMES, NAMES)
def test_being_the_same_name_is_an_equivalence(one: NameId, other: NameId, third: NameId) -> None:
    assert same_name(one, one, CONTEXT)
    assert same_name(one, other, CONTEXT) == same_name(other, one, CONTEXT)
    if same_name(one, other, CONTEXT) and same_name(other, third, CONTEXT):
        assert same_name(one, third, CONTEXT)
    if same_name(one, other, CONTEXT):
        assert one.value == other.value


@pytest.mark.parametrize("part", ["value", "format", "name_qualifier", "sp_name_qualifier"])
def test_a_name_that_differs_in_one_part_is_another(part: str) -> None:
    whole = {"value": "britta", "format": "urn:a", "name_qualifier": "urn:i", "sp_name_qualifier": "urn:s"}
    assert not same_name(NameId(**whole), NameId(**whole | {part: "urn:other"}), CONTEXT)
