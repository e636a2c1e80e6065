"""By what an assertion is known again."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from encryption import encrypted, own_key
from lxml import etree
from responses import Idp, one, with_attribute

from sp.saml import names
from sp.saml.assertion_keys import AssertionKey, contents_of, encrypted_key_ids


def test_leading_zeros_of_an_encrypted_key_make_no_difference() -> None:
    """RSA ignores them."""
    xml = Idp.make().response(encrypted=encrypted(own_key()))
    root = etree.fromstring(xml)
    (value,) = root.iterfind(f".//{{{names.XENC}}}EncryptedKey//{{{names.XENC}}}CipherValue")
    before = encrypted_key_ids(root)
    value.text = base64.b64encode(bytes(1) + base64.b64decode(value.text or "")).decode()
    assert encrypted_key_ids(root) == before != ()


def test_the_latest_time_is_that_of_the_message_and_not_of_the_session() -> None:
    session = with_attribute("saml:Assertion/saml:AuthnStatement", "SessionNotOnOrAfter", "2040-01-01T00:00:00Z")
    issued = with_attribute("saml:Assertion", "IssueInstant", "2031-01-01T00:00:00Z")
    for change, latest in (
        (session, datetime(2030, 1, 31, 12, 10, tzinfo=UTC)),
        (issued, datetime(2031, 1, 1, tzinfo=UTC)),
    ):
        xml = Idp.make().response(mutate=change)
        root = etree.fromstring(xml)
        for tree in (root, None):
            found = contents_of(xml, tree, None)
            assert found.latest is not None
            assert found.latest.year == latest.year
        key = AssertionKey(Idp.make().entity_id, one(root, "saml:Assertion").get("ID", ""))
        assert key in contents_of(xml, root, None).keys
