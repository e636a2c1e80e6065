"""The exact bytes of a message that somebody was given sign nobody in; a message that nobody was given still does."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cast import CONTOSO_ISSUER, NOW
from encryption import CBC, encrypted, own_key
from house import House
from lxml import etree
from responses import Idp, Mutation, one, with_attribute
from sqlalchemy import Engine, event, func, select

from sp.diagnosis.explanations import message
from sp.diagnosis.sides import sides
from sp.flows import housekeeping, service_keys
from sp.flows.assertion_consumer import SignIn
from sp.flows.evidence import Evidence, evidence_of
from sp.flows.handing_out import MOST_OF_ACCOUNT, HandOutProblem, hand_out
from sp.flows.judging_again import judge_attempt
from sp.flows.sharing import shared
from sp.models import ConsumedAssertion, HandedOutAssertion, KeyPurpose
from sp.saml import names
from sp.saml.assertion_keys import AssertionKey
from sp.saml.messages import HandedOut
from sp.store import handed_out_assertions, sign_in_attempts

TO = "API token nightly"


def evidence(house: House, sign_in: SignIn) -> Evidence:
    with house.database.reading() as session:
        attempt = sign_in_attempts.attempt_by_reference(session, sign_in.reference)
        assert attempt is not None
        return evidence_of(session, attempt)


def given(house: House, sign_in: SignIn, to: str = TO) -> bytes:
    """The exact message, handed out."""
    found = hand_out(house.database, house.settings, evidence(house, sign_in), to=to, now=house.now)
    assert isinstance(found, bytes), found
    return found


def refused(house: House, xml: bytes) -> SignIn:
    sign_in = house.post(xml)
    assert not sign_in.accepted
    return sign_in


def is_handed_out(sign_in: SignIn) -> bool:
    """Whether it was refused for having been handed out, and for nothing else."""
    report = sign_in.judgement.report
    return report.failed == ("replay",) and "handed out" in sides(report.row("replay")).received


def switched_off(house: House) -> Callable[[], None]:
    """Switch SAML off; what it returns switches it on again."""
    house.configure(single_sign_on=False)
    return house.configure


def test_a_message_that_was_handed_out_is_refused_with_when_and_to_whom(house: House) -> None:
    switch_on = switched_off(house)
    xml = house.idp.response()
    first = refused(house, xml)
    switch_on()
    assert given(house, first) == xml
    handed_out_at = house.now
    house.later(minutes=1)
    second = house.post(xml)
    assert is_handed_out(second)
    said = evidence(house, second)
    assert said.inputs.holder.handed_out == HandedOut(handed_out_at, TO)
    assert "handed out" in message(said.judgement.report)
    assert f"2030-01-31T12:00:00Z to {TO}" in message(said.judgement.report)
    with house.database.reading() as session:
        assert judge_attempt(session, said.attempt).report == second.judgement.report


def test_a_message_that_nobody_was_given_stays_usable(house: House) -> None:
    switch_on = switched_off(house)
    xml = house.idp.response()
    refused(house, xml)
    switch_on()
    assert house.post(xml).accepted


def test_a_message_of_a_clock_that_is_two_days_ahead_is_refused_when_its_time_comes(house: House) -> None:
    ahead = NOW + timedelta(days=2)
    xml = house.idp.response(now=ahead)
    given(house, refused(house, xml))
    house.now = ahead
    while housekeeping.tidy_up(house.database, house.settings, house.now):
        pass
    assert is_handed_out(house.post(xml))


def test_a_message_of_an_issuer_that_is_entered_later_is_refused(house: House) -> None:
    other = Idp.make("https://idp.contoso.example/new")
    xml = other.response()
    given(house, refused(house, xml))
    house.configure(issuer=other.entity_id, certificates=(other.certificate,))
    assert is_handed_out(house.post(xml))


def test_its_assertion_in_another_response_is_refused(house: House) -> None:
    """The signature covers the assertion alone, so whoever has it can put another response around it."""
    xml = given(house, refused(house, house.idp.response(destination="https://sp.example/other")))
    root = etree.fromstring(xml)
    root.set("Destination", house.settings.acs_url)
    root.set("ID", "_another")
    assert is_handed_out(house.post(etree.tostring(root)))


def test_its_assertion_behind_another_issuer_is_refused(house: House) -> None:
    def another_issuer(root: etree._Element) -> None:
        one(root, "saml:Issuer").text = "https://idp.another.example/"

    xml = given(house, refused(house, house.idp.response(encrypted=another_issuer)))
    root = etree.fromstring(xml)
    one(root, "saml:Issuer").text = CONTOSO_ISSUER
    assert is_handed_out(house.post(etree.tostring(root)))


def commented(root: etree._Element) -> None:
    issuer = one(root, "saml:Assertion/saml:Issuer")
    issuer.text, tail = CONTOSO_ISSUER[:9], CONTOSO_ISSUER[9:]
    issuer.append(etree.Comment("x"))
    issuer[0].tail = tail


def uncommented(xml: bytes) -> bytes:
    root = etree.fromstring(xml)
    etree.strip_tags(root, etree.Comment)
    return etree.tostring(root)


UNREADABLE: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "its end cut off": (lambda xml: xml[:-4], lambda xml: xml + b"nse>"),
    "a DOCTYPE": (lambda xml: b"<!DOCTYPE x>" + xml, lambda xml: xml.removeprefix(b"<!DOCTYPE x>")),
    "UTF-16": (lambda xml: xml.decode().encode("utf-16"), lambda xml: xml.decode("utf-16").encode()),
    "compressed": (gzip.compress, gzip.decompress),
}


@pytest.mark.parametrize("shape", UNREADABLE)
def test_a_message_that_could_not_be_parsed_is_refused_once_it_is_repaired(house: House, shape: str) -> None:
    spoil, repair = UNREADABLE[shape]
    xml = house.idp.response()
    got = given(house, refused(house, spoil(xml)))
    assert repair(got) == xml
    assert is_handed_out(house.post(xml))


def test_a_message_with_a_comment_is_refused_once_that_is_taken_out(house: House) -> None:
    """Its signature does not cover comments."""
    xml = given(house, refused(house, house.idp.response(mutate=commented)))
    assert is_handed_out(house.post(uncommented(xml)))


def test_an_encrypted_message_that_was_opened_is_refused_in_whatever_encryption(house: House) -> None:
    key = house.encryption_key()
    with_id = with_attribute("saml:Assertion", "ID", "_the-same")
    made: list[Mutation] = [encrypted(key), encrypted(key)]
    first, second = (house.idp.response(mutate=with_id, encrypted=hidden) for hidden in made)
    off = switched_off(house)
    given(house, refused(house, first))
    off()
    assert is_handed_out(house.post(second))


def changed_ciphertext(xml: bytes) -> bytes:
    """The same plaintext but for one character between two attributes: AES-CBC lets anybody change its first block."""
    root = etree.fromstring(xml)
    *_, data = root.iter(names.CIPHER_VALUE)
    octets = bytearray(base64.b64decode(data.text or ""))
    octets[len("<saml:Assertion")] ^= ord(" ") ^ ord("\n")  # of the initialization vector
    data.text = base64.b64encode(bytes(octets)).decode()
    return etree.tostring(root)


@pytest.mark.parametrize("changed", [bytes, changed_ciphertext])
def test_an_encrypted_message_that_could_not_be_opened_is_refused_when_its_key_comes(
    house: House, changed: Callable[[bytes], bytes]
) -> None:
    coming = own_key("coming")
    xml = house.idp.response(encrypted=encrypted(coming, data=CBC))
    given(house, refused(house, xml))
    with house.database.writing() as session:
        service_keys.begin_rollover(session, KeyPurpose.ENCRYPTION, coming, house.now, house.account_id())
    assert is_handed_out(house.post(changed(xml)))


def test_one_that_was_used_before_it_was_handed_out_is_an_ordinary_replay(house: House) -> None:
    xml = house.idp.response()
    signed_in = house.post(xml)
    assert signed_in.accepted
    given(house, signed_in)
    again = house.post(xml).judgement.report
    assert again.failed == ("replay",)
    assert "handed out" not in sides(again.row("replay")).received


def test_a_second_time_it_is_told_who_had_it_first(house: House) -> None:
    switch_on = switched_off(house)
    xml = house.idp.response()
    first = refused(house, xml)
    given(house, first)
    house.later(minutes=1)
    given(house, first, "administrator bob")
    switch_on()
    holder = evidence(house, house.post(xml)).inputs.holder
    assert holder.handed_out == HandedOut(NOW, TO)


def test_it_is_remembered_for_a_day_and_the_skew(house: House) -> None:
    switched_off(house)
    given(house, refused(house, house.idp.response(lifetime=timedelta(0))))
    house.later(hours=24, seconds=house.settings.clock_skew_seconds - 1)
    housekeeping.tidy_up(house.database, house.settings, house.now)
    assert count(house, HandedOutAssertion) == 1
    house.later(seconds=1)
    housekeeping.tidy_up(house.database, house.settings, house.now)
    assert count(house, HandedOutAssertion) == 0


def test_they_are_counted_for_each_account(house: House) -> None:
    switched_off(house)
    one_more, too_many = (refused(house, house.idp.response()) for _ in range(2))
    unknown = refused(house, Idp.make("https://idp.another.example/").response())
    attempt = evidence(house, one_more).attempt
    earlier = [AssertionKey(CONTOSO_ISSUER, f"_{number}") for number in range(MOST_OF_ACCOUNT - 1)]
    with house.database.writing() as session:
        handed_out_assertions.add(
            session, attempt.realm_id, attempt.account_id, earlier, to=TO, now=house.now, expires_at=house.now
        )
    given(house, one_more)
    found = hand_out(house.database, house.settings, evidence(house, too_many), to=TO, now=house.now)
    assert found is HandOutProblem.QUOTA
    given(house, one_more)
    given(house, unknown)
    assert count(house, HandedOutAssertion) == MOST_OF_ACCOUNT + 1


def test_a_crowd_of_assertions_is_not_handed_out(house: House) -> None:
    def crowd(root: etree._Element) -> None:
        for number in range(65):
            etree.SubElement(root, names.ASSERTION, ID=f"_{number}")

    sign_in = refused(house, house.idp.response(sealed=crowd))
    found = hand_out(house.database, house.settings, evidence(house, sign_in), to=TO, now=house.now)
    assert found is HandOutProblem.TOO_MANY_ASSERTIONS
    assert count(house, HandedOutAssertion) == 0


def test_a_shared_copy_does_not_tell_to_whom(house: House) -> None:
    switch_on = switched_off(house)
    xml = house.idp.response()
    given(house, refused(house, xml), "API token Contoso nightly")
    switch_on()
    copy = shared(evidence(house, house.post(xml)))
    assert copy.evidence.judgement.report.failed == ("replay",)
    assert "Contoso" not in str(copy.evidence.judgement.report)


def test_both_questions_are_one_statement(house: House) -> None:
    seen: list[str] = []
    xml = house.idp.response()

    def keep(*given: Any) -> None:
        seen.append(given[2])

    event.listen(Engine, "before_cursor_execute", keep)
    assert house.post(xml).accepted
    event.remove(Engine, "before_cursor_execute", keep)
    assert len([statement for statement in seen if "consumed_assertion" in statement]) == 1
    assert len([statement for statement in seen if "handed_out_assertion" in statement]) == 1


def test_a_refusal_claims_nothing(house: House) -> None:
    switch_on = switched_off(house)
    xml = house.idp.response()
    given(house, refused(house, xml))
    switch_on()
    house.post(xml)
    assert count(house, ConsumedAssertion) == 0


def count(house: House, table: type[HandedOutAssertion] | type[ConsumedAssertion]) -> int:
    with house.database.reading() as session:
        return int(session.execute(select(func.count()).select_from(table)).scalar_one())
