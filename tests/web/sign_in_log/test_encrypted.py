"""An attempt whose assertion was encrypted: the administrator reads what was opened."""

from __future__ import annotations

from browser import Browser
from cast import BRITTA
from encryption import encrypted, own_key
from web.sign_in_log.conftest import Door
from web.sign_in_log.test_attempt import opened, section

from sp.flows.service_keys import decryption_keys, ensure_encryption_key
from sp.saml.own_keys import OwnKey
from sp.store import accounts
from sp.store.rows import required


def _key(door: Door) -> OwnKey:
    database = door.service.database
    with database.reading() as session:
        account = accounts.account_by_slug(session, "business")
    account_id = required(account.id if account else None)
    ensure_encryption_key(database, door.service.settings, account_id, door.clock.now)
    with database.reading() as session:
        return decryption_keys(session, account_id, door.clock.now).own[0]


def test_the_opened_assertion_is_read_beside_the_message(alice: Browser, door: Door) -> None:
    opened(alice, door.accepted(encrypted=encrypted(_key(door))))
    assertion = section(alice, "assertion-title")
    assert "Assertion Verified" in assertion
    assert BRITTA.email in assertion
    message, inside = alice.html.xpath("//div[@class='xml']")
    assert "EncryptedAssertion" in message.text_content()
    assert BRITTA.email not in message.text_content()
    assert BRITTA.email in inside.text_content()
    assert inside.xpath(".//li[contains(@class, 'xml-signed')]")
    ids = alice.html.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_what_was_opened_and_nobody_signed_is_marked(alice: Browser, door: Door) -> None:
    opened(alice, door.refused(audience="urn:another", signed=None, encrypted=encrypted(_key(door))))
    assert "Assertion Not verified" in section(alice, "assertion-title")
    assert not alice.html.xpath("//li[contains(@class, 'xml-signed')]")


def test_what_could_not_be_opened_is_not_shown(alice: Browser, door: Door) -> None:
    opened(alice, door.refused(encrypted=encrypted(own_key("another"))))
    assert "There is no assertion that can be read" in section(alice, "assertion-title")
    assert len(alice.html.xpath("//div[@class='xml']")) == 1
