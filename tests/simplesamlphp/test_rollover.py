"""New keys on either side while people go on signing in: nobody is refused on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cast import BRITTA
from processes.program import Installation
from simplesamlphp import office
from simplesamlphp.configuration import Behavior
from simplesamlphp.conftest import connect
from simplesamlphp.server import SimpleSamlPhp
from simplesamlphp.visitor import Form, Visitor, sign_in

ENCRYPTING = Behavior(encrypt_assertion=True)


def answer(service: Installation, identity_provider: SimpleSamlPhp) -> Form:
    """What SimpleSAMLphp sends for Britta, who was nowhere signed in."""
    with Visitor() as britta:
        return sign_in(britta, identity_provider.idp_initiated_url(service.acs_url), BRITTA)


def refusals(form: Form) -> list[str]:
    with Visitor() as britta:
        failed: list[str] = britta.send_for_json(form)["failed"]
    return failed


def expect_sign_in(service: Installation, identity_provider: SimpleSamlPhp) -> None:
    assert refusals(answer(service, identity_provider)) == []


@contextmanager
def connected_afterwards(service: Installation, identity_provider: SimpleSamlPhp) -> Iterator[None]:
    """Other tests find the account with the certificate that signs then."""
    try:
        yield
    finally:
        connect(service, identity_provider)


def test_its_certificate_changes(service: Installation, simplesamlphp: SimpleSamlPhp) -> None:
    """Both certificates are trusted while it changes over, and afterwards the new one alone."""
    simplesamlphp.trust(office.metadata(service))
    with connected_afterwards(service, simplesamlphp):
        old, new = simplesamlphp.certificate_pem, simplesamlphp.announce_certificate()
        expect_sign_in(service, simplesamlphp)
        office.command(service, "configure", *office.certificate_options(service, old, new))
        expect_sign_in(service, simplesamlphp)
        kept = answer(service, simplesamlphp)
        assert simplesamlphp.roll_over() == new
        expect_sign_in(service, simplesamlphp)
    expect_sign_in(service, simplesamlphp)
    assert refusals(kept) == ["signing_key"]


def test_a_certificate_that_nobody_announced_is_refused(service: Installation, simplesamlphp: SimpleSamlPhp) -> None:
    simplesamlphp.trust(office.metadata(service))
    with connected_afterwards(service, simplesamlphp):
        simplesamlphp.roll_over()
        assert refusals(answer(service, simplesamlphp)) == ["signing_key"]


def test_our_encryption_key_changes(service: Installation, simplesamlphp: SimpleSamlPhp) -> None:
    """SimpleSAMLphp reads our metadata whenever it likes: before, while and after the next key is published."""
    before = office.metadata(service)
    office.command(service, "keys", "begin-rollover", "--purpose", "encryption")
    between = office.metadata(service)
    for known in (before, between):
        simplesamlphp.trust(known, ENCRYPTING)
        expect_sign_in(service, simplesamlphp)
    office.command(service, "keys", "complete-rollover", "--purpose", "encryption")
    after = office.metadata(service)
    for known in (before, between, after):
        simplesamlphp.trust(known, ENCRYPTING)
        expect_sign_in(service, simplesamlphp)
    first, both, new = (office.published_certificates(known, "encryption") for known in (before, between, after))
    assert both == [*new, *first]  # it encrypts for the first one
    assert new != first
