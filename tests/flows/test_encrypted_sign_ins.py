"""A message that was encrypted with the key in our metadata signs its subject in, and is judged again alike."""

from __future__ import annotations

from datetime import timedelta

from cast import BRITTA
from encryption import encrypted, own_key
from house import House
from responses import all_of
from sqlalchemy import event

from sp.flows import service_keys
from sp.flows.judging_again import judge_attempt
from sp.models import KeyPurpose
from sp.saml import names
from sp.saml.own_keys import OwnKey, make_key
from sp.store import sign_in_attempts


def _key(house: House) -> OwnKey:
    with house.database.reading() as session:
        return service_keys.decryption_keys(session, house.now)[-1]


def test_britta_signs_in_with_everything_encrypted(house: House) -> None:
    house.configure()
    key = _key(house)
    hidden = encrypted(key, ".//saml:NameID", wrapper=names.ENCRYPTED_ID)
    sign_in = house.post(house.idp.response(mutate=hidden, encrypted=encrypted(key)))
    assert sign_in.accepted
    assert sign_in.username == BRITTA.email
    with house.database.reading() as session:
        attempt = sign_in_attempts.attempt_by_reference(session, sign_in.reference)
        assert attempt is not None
        assert judge_attempt(session, attempt).report == sign_in.judgement.report


def test_the_old_key_opens_what_was_on_its_way_and_not_forever(house: House) -> None:
    house.configure()
    old = _key(house)
    with house.database.writing() as session:
        service_keys.begin_rollover(session, KeyPurpose.ENCRYPTION, make_key("next", house.now), house.now)
    assert house.post(house.idp.response(encrypted=encrypted(_key(house)))).accepted, "published, so it may be used"
    with house.database.writing() as session:
        service_keys.complete_rollover(session, KeyPurpose.ENCRYPTION, house.now)
    assert house.post(house.idp.response(encrypted=encrypted(old))).accepted
    house.now += service_keys.OPENS_AFTERWARDS - timedelta(seconds=1)
    assert house.post(house.idp.response(now=house.now, encrypted=encrypted(old))).accepted
    house.later(seconds=2)
    refused = house.post(house.idp.response(now=house.now, encrypted=encrypted(old)))
    assert refused.judgement.report.failed == ("decryption",)


def test_another_services_message_is_not_opened(house: House) -> None:
    house.configure()
    refused = house.post(house.idp.response(encrypted=encrypted(own_key("another service"))))
    assert refused.judgement.report.failed == ("decryption",)
    assert refused.username == ""


def test_keys_are_read_for_encrypted_messages_only(house: House) -> None:
    house.configure()
    seen: list[str] = []
    event.listen(house.database.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    assert house.post(house.idp.response(mutate=all_of())).accepted
    assert not [statement for statement in seen if "service_key" in statement]
    assert house.post(house.idp.response(encrypted=encrypted(_key(house)))).accepted
    assert [statement for statement in seen if "service_key" in statement]
