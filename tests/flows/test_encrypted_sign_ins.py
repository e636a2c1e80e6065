"""A message encrypted with the key in the account's metadata signs its subject in, and is judged alike again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
from sp.saml.own_keys import make_key
from sp.saml.report import Outcome
from sp.store import sign_in_attempts


def test_britta_signs_in_with_everything_encrypted(house: House) -> None:
    key = house.encryption_key()
    hidden = encrypted(key, ".//saml:NameID", wrapper=names.ENCRYPTED_ID)
    sign_in = house.post(house.idp.response(mutate=hidden, encrypted=encrypted(key)))
    assert sign_in.accepted
    assert sign_in.username == BRITTA.email
    assert sign_in.judgement.report.row("decryption").outcome is Outcome.PASSED
    with house.database.reading() as session:
        attempt = sign_in_attempts.attempt_by_reference(session, sign_in.reference)
        assert attempt is not None
        assert judge_attempt(session, attempt).report == sign_in.judgement.report


def test_the_old_key_opens_what_was_on_its_way_and_not_forever(house: House) -> None:
    old = house.encryption_key()
    account_id = house.account_id()
    with house.database.writing() as session:
        following = make_key("next", house.now)
        service_keys.begin_rollover(session, KeyPurpose.ENCRYPTION, following, house.now, account_id)
    assert house.encryption_key() != old
    opened = house.post(house.idp.response(encrypted=encrypted(house.encryption_key())))
    assert opened.accepted, "published, so it may be used"
    with house.database.writing() as session:
        service_keys.complete_rollover(session, KeyPurpose.ENCRYPTION, house.now, account_id)
    assert house.post(house.idp.response(encrypted=encrypted(old))).accepted
    house.now += service_keys.OPENS_AFTERWARDS - timedelta(seconds=1)
    assert house.post(house.idp.response(now=house.now, encrypted=encrypted(old))).accepted
    house.later(seconds=2)
    refused = house.post(house.idp.response(now=house.now, encrypted=encrypted(old)))
    assert refused.judgement.report.failed == ("decryption",)


def test_another_services_message_is_not_opened(house: House) -> None:
    house.encryption_key()
    refused = house.post(house.idp.response(encrypted=encrypted(own_key("another service"))))
    assert refused.judgement.report.failed == ("decryption",)
    assert refused.username == ""


@contextmanager
def statements(house: House) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(*given: object) -> None:
        seen.append(str(given[2]))

    event.listen(house.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(house.database.engine, "before_cursor_execute", note)


def test_keys_are_read_for_encrypted_messages_only(house: House) -> None:
    key = house.encryption_key()
    with statements(house) as seen:
        assert house.post(house.idp.response(mutate=all_of())).accepted
        assert not [statement for statement in seen if "service_key" in statement]
        assert house.post(house.idp.response(encrypted=encrypted(key))).accepted
        assert [statement for statement in seen if "service_key" in statement]
