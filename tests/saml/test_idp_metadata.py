"""What is read from the metadata of identity providers, alone and among thousands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cast import CONTOSO_ISSUER, FABRIKAM_ISSUER, NOW
from hypothesis import given
from hypothesis import strategies as st
from idp_metadata import (
    POST,
    SIGN_IN,
    SIGN_OUT,
    aggregate,
    entity,
    key,
    named,
    role,
    sign_in_services,
    sign_out_services,
)
from responses import Idp

from sp.flows.metadata_import import refresh_interval
from sp.saml.errors import MetadataError
from sp.saml.idp_metadata import Endpoint, IdpEntity, ListedProvider, duration_of, read_metadata, search_metadata
from sp.saml.metadata_document import check_bytes, walk
from sp.saml.portable_metadata import portable

IDP = Idp.make()
NEXT = IDP.with_key("next")
FABRIKAM = Idp.make(FABRIKAM_ISSUER)


def read(document: bytes, wanted: str = "") -> IdpEntity:
    found = read_metadata(document, NOW, wanted=wanted).entity
    assert found is not None
    return found


def test_everything_that_a_provider_says() -> None:
    inside = role(
        IDP,
        before=named("Contoso sign-in") + "<md:NameIDFormat>urn:a</md:NameIDFormat>",
        keys=key(IDP.certificate_der) + key(NEXT.certificate_der, None),
        sign_out=sign_out_services(SIGN_OUT, "https://idp.contoso.example/done"),
        attributes=' WantAuthnRequestsSigned="true"',
    )
    attributes = ' validUntil="2030-03-01T00:00:00Z" cacheDuration="PT6H"'
    assert read(entity(IDP, inside, attributes=attributes)) == IdpEntity(
        entity_id=CONTOSO_ISSUER,
        certificates=(IDP.certificate, NEXT.certificate),
        sign_in=(Endpoint("redirect", SIGN_IN), Endpoint("post", SIGN_IN)),
        sign_out=(
            Endpoint("redirect", SIGN_OUT, "https://idp.contoso.example/done"),
            Endpoint("post", SIGN_OUT, "https://idp.contoso.example/done"),
        ),
        wants_signed_requests=True,
        name_id_formats=("urn:a",),
        display_name="Contoso sign-in",
        valid_until=datetime(2030, 3, 1, tzinfo=UTC),
        cache_duration=timedelta(hours=6),
    )


def test_a_provider_that_says_the_least() -> None:
    found = read(entity(IDP, role(IDP, sign_in=sign_in_services(bindings=(POST,)), sign_out="")))
    assert (found.sign_in, found.sign_out) == ((Endpoint("post", SIGN_IN),), ())
    assert (found.wants_signed_requests, found.valid_until, found.cache_duration) == (False, None, None)
    assert (found.display_name, found.name_id_formats, found.notes) == ("", (), ())


def test_several_roles_add_up() -> None:
    found = read(entity(IDP, role(IDP) + role(IDP, keys=key(NEXT.certificate_der), sign_out="")))
    assert found.certificates == (IDP.certificate, NEXT.certificate)


def test_a_certificate_that_cannot_be_used_is_left_out_with_a_note() -> None:
    weak = Idp(CONTOSO_ISSUER, "weak", "rsa-1024")
    found = read(entity(IDP, role(IDP, keys=key(weak.certificate_der) + key(IDP.certificate_der))))
    assert found.certificates == (IDP.certificate,)
    assert "1024 bits" in found.notes[0]


def test_the_shortest_of_all_validities_holds() -> None:
    inside = role(IDP, attributes=' validUntil="2030-02-02T00:00:00Z" cacheDuration="P1D"')
    around = ' validUntil="2030-02-03T00:00:00Z" cacheDuration="PT1H"'
    found = read(aggregate(entity(IDP, inside, attributes=' validUntil="2030-02-04T00:00:00Z"'), attributes=around))
    assert found.valid_until == datetime(2030, 2, 2, tzinfo=UTC)
    assert found.cache_duration == timedelta(hours=1)


def test_of_a_federation_the_providers_are_listed_and_one_is_read_when_asked_for() -> None:
    service_only = entity(IDP, role(IDP, name="SPSSODescriptor"), entity_id="https://sp.example/")
    inner = aggregate(entity(FABRIKAM, role(FABRIKAM, before=named("Fabrik", "de"))))
    federation = aggregate(service_only, entity(IDP), inner)
    found = read_metadata(federation, NOW)
    assert found.entity is None
    assert found.providers == (ListedProvider(CONTOSO_ISSUER, ""), ListedProvider(FABRIKAM_ISSUER, "Fabrik"))
    assert read(federation, FABRIKAM_ISSUER).certificates == (FABRIKAM.certificate,)


def federation() -> bytes:
    some = [
        entity(IDP, role(IDP, before=named(f"University {at}")), entity_id=f"https://u{at}.example/") for at in range(9)
    ]
    broken = entity(FABRIKAM, role(FABRIKAM, keys=""), entity_id="https://u-broken.example/")
    return aggregate(*some, broken, entity(FABRIKAM), entity(NEXT, entity_id="https://u3.example/"))


@pytest.mark.parametrize(
    ("text", "found", "matching"),
    [("UNIVERSITY 8", ["https://u8.example/"], 1), ("U7.ex", ["https://u7.example/"], 1), ("nobody", [], 0)],
)
def test_a_search_goes_by_name_and_entity_id(text: str, found: list[str], matching: int) -> None:
    result = search_metadata(federation(), NOW, text, at_most=5)
    assert [entity.entity_id for entity in result.entities] == found
    assert (result.matching, result.total) == (matching, 12)


def test_a_search_shows_the_first_and_counts_the_rest() -> None:
    result = search_metadata(federation(), NOW, "", at_most=5)
    assert (len(result.entities) + len(result.unusable), result.matching) == (5, 12)


def test_what_cannot_be_taken_is_listed_with_the_reason() -> None:
    """An entity ID that stands there twice, even where only one of them matches, and one without a key."""
    twice, broken = (search_metadata(federation(), NOW, text, at_most=5) for text in ("university 3", "broken"))
    assert (twice.entities, broken.entities) == ((), ())
    assert "twice" in twice.unusable[0][1]
    assert "Nothing of this identity provider could be verified" in broken.unusable[0][1]


def test_a_federation_of_one_needs_no_choice() -> None:
    assert read(aggregate(entity(IDP))).entity_id == CONTOSO_ISSUER


def test_a_flaw_of_another_entity_is_nobodys_business() -> None:
    broken = entity(FABRIKAM, role(FABRIKAM, keys=""))
    assert read(aggregate(broken, entity(IDP)), CONTOSO_ISSUER).entity_id == CONTOSO_ISSUER
    with pytest.raises(MetadataError, match="Nothing of this identity provider could be verified"):
        read(aggregate(broken, entity(IDP)), FABRIKAM_ISSUER)


def test_a_large_federation_is_walked_once_and_each_entity_is_forgotten() -> None:
    """What keeps the import of 5 000 entities within its budget: see bench/metadata.py for the figures."""
    number = 400
    text = aggregate(*(entity(IDP, entity_id=f"https://idp{at}.example/") for at in range(number)))
    check_bytes(text)
    most = 0
    for walked in walk(text):
        parent = walked.element.getparent()
        assert parent is not None
        most = max(most, len(parent))
    assert 1 <= most < number // 4  # the parser reads ahead by a piece of the text
    assert len(read_metadata(text, NOW).providers) == number


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT1H", timedelta(hours=1)),
        ("P1D", timedelta(days=1)),
        ("P1Y2M3DT4H5M6.7S", timedelta(days=428, hours=4, minutes=5, seconds=6)),
        (" PT604800S\n", timedelta(days=7)),
        ("P999999999Y", timedelta(days=3650)),
        ("P", None),
        ("PT", None),
        ("-P1D", None),
        ("1 day", None),
        ("P1D2", None),
        ("P٣D", None),
    ],
)
def test_durations(text: str, length: timedelta | None) -> None:
    assert duration_of(text) == length


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "2030-02-01T00:00:60Z", "2030-02-01T24:00:00Z"])
def test_an_end_that_has_come_or_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(MetadataError):
        read(entity(IDP, attributes=f' validUntil="{text}"'))


def test_the_last_moment_of_all_is_an_end_and_the_metadata_is_refreshed_within_a_week() -> None:
    found = read(entity(IDP, attributes=' validUntil="9999-12-31T23:59:59.9999999Z" cacheDuration="P999999999Y"'))
    assert found.valid_until == datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)
    assert refresh_interval(found, NOW) == timedelta(days=7)


def test_a_duration_that_cannot_be_read_counts_as_missing() -> None:
    found = read(entity(IDP, attributes=' cacheDuration="-P1D"'))
    assert found.cache_duration is None
    assert "cacheDuration" in found.notes[0]


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn")), min_size=1).map(
    lambda text: f"x{text.strip()}y"
)
endpoints = st.builds(Endpoint, st.sampled_from(("redirect", "post")), texts, st.one_of(st.just(""), texts))


@given(texts, st.lists(endpoints, min_size=1, max_size=4), st.lists(endpoints, max_size=4), st.booleans(), texts)
def test_what_a_page_carries_is_read_back_the_same(
    entity_id: str, sign_in: list[Endpoint], sign_out: list[Endpoint], wants: bool, name_format: str
) -> None:
    order = {"redirect": 0, "post": 1}
    entity = IdpEntity(
        entity_id=entity_id,
        certificates=(IDP.certificate, NEXT.certificate),
        sign_in=tuple(sorted(sign_in, key=lambda endpoint: order[endpoint.binding])),
        sign_out=tuple(sorted(sign_out, key=lambda endpoint: order[endpoint.binding])),
        wants_signed_requests=wants,
        name_id_formats=(name_format,),
        display_name="Contoso",
        valid_until=NOW + timedelta(days=1),
        cache_duration=timedelta(hours=5),
    )
    assert read(portable(entity).encode()) == entity
