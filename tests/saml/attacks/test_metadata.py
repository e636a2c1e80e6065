"""Hostile metadata is refused for its own reason, beside a document that is read as it was signed."""

from __future__ import annotations

import re

import pytest
from attack import attack
from cast import CONTOSO_ISSUER, NOW
from idp_metadata import entity, key, role, signed
from responses import Idp
from saml.attacks.forgeries import AUTHORITY
from saml.attacks.metadata import CASES, EVIL, IDP, MetadataCase

from sp.diagnosis.metadata import metadata_sentence
from sp.saml.errors import MetadataError
from sp.saml.idp_metadata import read_metadata


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{case.id}: {case.story}", marks=attack(case.id, case.story)) for case in CASES]
)
def test_it_is_refused(case: MetadataCase) -> None:
    asked = {name: value for name, value in case.asked.items() if name != "wanted"}
    control = read_metadata(case.control(), NOW, **asked)
    assert control.entity is not None
    assert control.entity.certificates == (IDP.certificate,)
    with pytest.raises(MetadataError) as refusal:
        read_metadata(case.document(), NOW, **case.asked)
    sentence = metadata_sentence(refusal.value)
    assert re.search(case.phrase, sentence)
    assert sentence.endswith(".")


@attack("SIG-26 beside", "a key for encryption beside the one that signs: it is not among those that verify", count=0)
def test_a_key_for_encryption_verifies_nothing() -> None:
    keys = key(EVIL.certificate_der, "encryption") + key(IDP.certificate_der, None)
    found = read_metadata(entity(IDP, role(IDP, keys=keys)), NOW).entity
    assert found is not None
    assert found.certificates == (IDP.certificate,)


@attack("MET-15 chain", "the certificate of an authority behind the one that signs: it is not trusted", count=0)
def test_an_authority_that_comes_along_is_not_trusted() -> None:
    text = key(IDP.certificate_der)
    both = text.replace("</ds:X509Data>", _x509(AUTHORITY) + "</ds:X509Data>")
    found = read_metadata(entity(IDP, role(IDP, keys=both)), NOW).entity
    assert found is not None
    assert found.certificates == (IDP.certificate,)


def _x509(der: bytes) -> str:
    return key(der).split("<ds:X509Data>")[1].split("</ds:X509Data>")[0]


@attack("MET-09 signed", "metadata that the pinned key did sign", count=0)
def test_signed_metadata_is_read_from_what_was_signed() -> None:
    found = read_metadata(signed(entity(IDP), IDP), NOW, pinned=IDP.certificate).entity
    assert found is not None
    assert found.entity_id == CONTOSO_ISSUER


@attack("MET-08 century", "metadata for 100 years: read, and said to be no limit", count=0)
def test_a_century_is_a_note() -> None:
    found = read_metadata(entity(IDP, attributes=' validUntil="2130-01-31T12:00:00Z"'), NOW).entity
    assert found is not None
    assert "no limit at all" in found.notes[0]


@attack("MET-04 comment", "a comment inside of a value: the whole text is read", count=0)
def test_a_comment_does_not_cut_a_value_short() -> None:
    before = "<md:NameIDFormat>urn:one<!-- --> of a kind</md:NameIDFormat>"
    found = read_metadata(entity(IDP, role(IDP, before=before)), NOW).entity
    assert found is not None
    assert found.name_id_formats == ("urn:one of a kind",)


def test_a_signature_that_nobody_asks_for_is_no_reason_to_refuse() -> None:
    assert read_metadata(signed(entity(IDP), Idp.make().with_key("somebody")), NOW).entity is not None


def test_every_case_has_its_own_id() -> None:
    names = [case.id for case in CASES]
    assert sorted(set(names)) == sorted(names)
