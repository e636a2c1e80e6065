"""The service connected by the address of SimpleSAMLphp's metadata and by nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cast import BOB, BRITTA
from processes.program import Installation
from simplesamlphp import office
from simplesamlphp.configuration import Behavior, Offer
from simplesamlphp.conftest import started
from simplesamlphp.server import SimpleSamlPhp
from simplesamlphp.visitor import Visitor, log_in, sign_in

from sp.flows.metadata_refresh import refresh_due
from sp.settings import Settings
from sp.store.engine import Database

DAY = timedelta(days=1)
SIGNS_OUT = Behavior(sign_logout=True, validate_logout=True)


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleSamlPhp]:
    """An identity provider of its own, beside the others' one, that wants signed requests."""
    with started(tmp_path_factory) as identity_provider:
        identity_provider.offer(Offer(wants_signed_requests=True))
        yield identity_provider


@pytest.fixture(scope="module")
def follower(tmp_path_factory: pytest.TempPathFactory, publisher: SimpleSamlPhp) -> Iterator[Installation]:
    """A running service that was told one address; SimpleSAMLphp read the metadata of its account."""
    place = Installation(tmp_path_factory.mktemp("follower"))
    with place.start("serve"):
        office.command(place, "import-metadata", publisher.metadata_url)
        publisher.trust(office.metadata(place, "business"), SIGNS_OUT)
        yield place


def day_passes(service: Installation, days: int) -> None:
    """What the service does by itself that many days after today."""
    database = Database(f"sqlite:///{service.data}/virtual-office.db")
    settings = Settings(base_url=service.base_url, data_dir=service.data)
    try:
        assert office.elsewhere(lambda: refresh_due(database, settings, datetime.now(UTC) + days * DAY))
    finally:
        database.close()


def start(visitor: Visitor, service: Installation) -> None:
    visitor.open(f"{service.base_url}/sso/login/business")


def expect_sign_in(service: Installation) -> None:
    with Visitor() as britta:
        start(britta, service)
        log_in(britta, BRITTA)
        assert britta.send_for_json(britta.form_with("SAMLResponse"))["outcome"] == "accepted"


def test_nothing_else_has_to_be_configured(follower: Installation, publisher: SimpleSamlPhp, visitor: Visitor) -> None:
    """Begun there or here, signed as it asks for, and signed out on both sides."""
    visitor.send(sign_in(visitor, publisher.idp_initiated_url(follower.acs_url), BOB))
    assert visitor.heading == "Application Panel"
    visitor.sign_out_of(follower)
    assert "your identity provider confirmed" in visitor.text
    start(visitor, follower)
    log_in(visitor, BOB)
    visitor.send(visitor.form_with("SAMLResponse"))
    assert visitor.heading == "Application Panel"


def test_new_certificates_come_by_themselves(follower: Installation, publisher: SimpleSamlPhp) -> None:
    publisher.announce_certificate()
    day_passes(follower, 1)
    with Visitor() as bob:
        kept = sign_in(bob, publisher.idp_initiated_url(follower.acs_url), BOB)
    publisher.roll_over()
    expect_sign_in(follower)
    day_passes(follower, 2)
    expect_sign_in(follower)
    with Visitor() as bob:
        late = bob.send_for_json(kept)
    assert (late["outcome"], late["failed"]) == ("refused", ["signing_key"])
    assert "a certificate that this account has retired" in late["message"]
