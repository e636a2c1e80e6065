"""An account follows its identity provider's metadata: what it takes over by itself, and what it asks about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from attack import attack
from cast import CONTOSO_ISSUER, MALLORY_ISSUER, NOW
from house import House
from idp_metadata import SIGN_IN, aggregate, entity, key, role, sign_in_services, sign_out_services, signed
from metadata_server import MetadataServer, document, running_server, with_etag
from responses import Idp
from sqlmodel import Session

from sp.flows import metadata_refresh
from sp.flows.account_setup import Invalid, Saved, SsoDraft, draft_of
from sp.flows.metadata_fetching import fetch_metadata
from sp.flows.metadata_import import Source, proposal, save_import
from sp.flows.metadata_refresh import confirm_held, dismiss_held, held_digest, held_entity, refresh_account, refresh_due
from sp.models import Account, IdpMetadata
from sp.saml.certificates import IdpCertificate
from sp.saml.idp_metadata import IdpEntity, read_metadata
from sp.store import accounts, idp_metadata
from sp.store.rows import required

IDP = Idp.make(CONTOSO_ISSUER)
NEXT, THIRD = IDP.with_key("next"), IDP.with_key("third")
EVIL = IDP.with_key("mallory")
ELSEWHERE = "https://idp.mallory.example/sso"
DAY = {"days": 1}


def published(*signers: Idp, sign_in: str = SIGN_IN, entity_id: str = CONTOSO_ISSUER, attributes: str = "") -> bytes:
    keys = "".join(key(signer.certificate_der) for signer in signers)
    return entity(
        IDP, role(IDP, keys=keys, sign_in=sign_in_services(sign_in)), entity_id=entity_id, attributes=attributes
    )


@pytest.fixture(scope="module")
def server() -> Iterator[MetadataServer]:
    with running_server() as known:
        yield known


class Follower:
    """Contoso's Business account, which follows a URL of the server."""

    def __init__(self, house: House, server: MetadataServer) -> None:
        self.house, self.server = house, server

    def follow(self, metadata: bytes, pinned: IdpCertificate | None = None) -> None:
        url = self.server.says(document(metadata))
        self.import_entity(read(metadata), Source(url, pinned))

    def import_entity(self, found: IdpEntity, source: Source | None) -> Saved:
        house = self.house
        with house.database.writing() as session:
            account = self._account(session)
            based_on = accounts.settings_in_force(session, account).version
            saved = save_import(
                session,
                house.settings,
                account,
                found,
                based_on=based_on,
                saved_by="alice",
                now=house.now,
                source=source,
            )
        assert isinstance(saved, Saved), saved
        return saved

    def now_says(self, metadata: bytes) -> None:
        """A day later the server answers so, and the account asks."""
        self.server.says(document(metadata))
        self.asks_again()

    def asks_again(self, **later: float) -> None:
        self.house.later(**(later or DAY))
        assert refresh_due(self.house.database, self.house.settings, self.house.now)

    @property
    def row(self) -> IdpMetadata:
        with self.house.database.reading() as session:
            row = idp_metadata.of_account(session, required(self._account(session).id))
        assert row is not None
        return row

    @property
    def draft(self) -> SsoDraft:
        with self.house.database.reading() as session:
            return draft_of(session, self._account(session))

    @property
    def version(self) -> int:
        with self.house.database.reading() as session:
            return accounts.settings_in_force(session, self._account(session)).version

    def change(self, **changes: object) -> None:
        """Somebody saves something by hand."""
        draft = self.draft
        self.house.configure(**({field.name: getattr(draft, field.name) for field in fields(draft)} | changes))

    @staticmethod
    def _account(session: Session) -> Account:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        return account


def read(metadata: bytes) -> IdpEntity:
    found = read_metadata(metadata, NOW).entity
    assert found is not None
    return found


@pytest.fixture
def follower(house: House, server: MetadataServer) -> Follower:
    """It trusts one certificate, and has taken the metadata over just now."""
    made = Follower(house, server)
    made.follow(published(IDP))
    return made


def test_nothing_is_asked_before_the_time_has_come(follower: Follower, server: MetadataServer) -> None:
    server.asked.clear()
    follower.house.later(hours=23)
    assert not refresh_due(follower.house.database, follower.house.settings, follower.house.now)
    assert server.asked == []


def test_a_new_certificate_comes_by_itself_and_signs_in(follower: Follower) -> None:
    follower.now_says(published(IDP, NEXT))
    assert follower.draft.certificates == (IDP.certificate, NEXT.certificate)
    assert follower.row.fault == ""
    assert follower.house.post(NEXT.response(now=follower.house.now)).accepted
    assert follower.house.post(IDP.response(now=follower.house.now)).accepted


def test_the_old_one_is_retired_when_it_vanishes(follower: Follower) -> None:
    follower.now_says(published(IDP, NEXT))
    follower.now_says(published(NEXT))
    assert follower.draft.certificates == (NEXT.certificate,)
    assert follower.draft.retired_certificates == (IDP.certificate,)
    assert not follower.house.post(IDP.response(now=follower.house.now)).accepted


def test_who_changed_it_is_written_down(follower: Follower) -> None:
    follower.now_says(published(IDP, NEXT))
    with follower.house.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        version = accounts.settings_in_force(session, account)
    assert version.saved_by == "metadata refresh"
    assert [change["field"] for change in version.changes] == ["certificates"]


def test_the_same_again_makes_no_version(follower: Follower) -> None:
    version = follower.version
    follower.now_says(published(IDP))
    follower.asks_again()
    assert follower.version == version
    assert follower.row.fetched_at == follower.house.now


def test_a_certificate_that_was_added_by_hand_stays(follower: Follower) -> None:
    follower.change(certificates=(IDP.certificate, THIRD.certificate))
    follower.now_says(published(IDP, NEXT))
    assert set(follower.draft.certificates) == {IDP.certificate, THIRD.certificate, NEXT.certificate}


def test_a_certificate_that_was_retired_by_hand_does_not_come_back(follower: Follower) -> None:
    """Its key may be in the wrong hands, whatever the metadata still says or says again."""
    follower.now_says(published(IDP, NEXT))
    follower.change(certificates=(NEXT.certificate,), retired_certificates=(IDP.certificate,))
    for metadata in (published(IDP, NEXT), published(NEXT), published(IDP, NEXT)):
        follower.now_says(metadata)
        assert follower.draft.certificates == (NEXT.certificate,)
        assert follower.draft.retired_certificates == (IDP.certificate,)


def test_a_certificate_that_was_gone_for_a_day_comes_back(follower: Follower) -> None:
    follower.now_says(published(NEXT))
    follower.now_says(published(IDP, NEXT))
    assert set(follower.draft.certificates) == {IDP.certificate, NEXT.certificate}
    assert follower.draft.retired_certificates == ()


@attack("MET-10 none", "metadata whose only certificate cannot verify anything: the trust stays")
def test_it_never_comes_to_no_certificate_at_all(follower: Follower) -> None:
    weak = Idp(CONTOSO_ISSUER, "weak", "rsa-1024")
    follower.now_says(published(weak))
    assert follower.draft.certificates == (IDP.certificate,)
    assert "1024 bits" in follower.row.fault


@attack("MET-10 retired", "metadata that names only what was retired here: the trust stays")
def test_what_was_retired_by_hand_is_no_reason_to_trust_nobody(follower: Follower) -> None:
    follower.now_says(published(IDP, NEXT))
    follower.change(certificates=(NEXT.certificate,), retired_certificates=(IDP.certificate,))
    follower.now_says(published(IDP))
    assert follower.draft.certificates == (NEXT.certificate,)
    assert "retired here" in follower.row.fault


def test_more_certificates_than_an_account_takes_are_a_fault(follower: Follower) -> None:
    many = [IDP.with_key(f"key {at}", "p256") for at in range(9)]
    follower.now_says(published(*many))
    assert "at most 8 certificates" in follower.row.fault
    assert follower.draft.certificates == (IDP.certificate,)


@attack("MET-10", "metadata with another sign-in address: held until an administrator says so", count=1)
def test_another_endpoint_waits(follower: Follower) -> None:
    before = follower.draft
    follower.now_says(published(IDP, sign_in=ELSEWHERE))
    assert follower.draft == before
    assert follower.row.held is not None
    waiting = held_entity(follower.row, follower.house.now)
    assert waiting is not None
    assert waiting.sign_in[0].location == ELSEWHERE


@attack("MET-10 entity", "metadata of another entity, with its own key: held as a whole", count=1)
def test_another_entity_id_waits_with_its_certificates(follower: Follower) -> None:
    before = follower.draft
    follower.now_says(published(EVIL, entity_id=MALLORY_ISSUER))
    assert follower.draft == before
    assert follower.row.held is not None
    assert follower.row.fault == ""


@attack("MET-10 both", "a new certificate beside another endpoint: the one is taken, the other held", count=1)
def test_a_certificate_does_not_carry_an_endpoint_along(follower: Follower) -> None:
    follower.now_says(published(IDP, NEXT, sign_in=ELSEWHERE))
    assert follower.draft.certificates == (IDP.certificate, NEXT.certificate)
    assert follower.draft.sign_in_url == SIGN_IN
    assert follower.row.held is not None


def confirm(follower: Follower, shown: str | None = None) -> object:
    """The change that waits, or the one that was `shown`."""
    house = follower.house
    with house.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        digest = held_digest(idp_metadata.of_account(session, required(account.id))) if shown is None else shown
        return confirm_held(session, house.settings, account, digest, saved_by="alice", now=house.now)


def test_a_confirmed_endpoint_is_saved_and_nothing_else(follower: Follower) -> None:
    follower.change(provisioning=False, certificates=(IDP.certificate, THIRD.certificate))
    follower.now_says(published(IDP, sign_in=ELSEWHERE))
    assert isinstance(confirm(follower), Saved)
    assert follower.draft.sign_in_url == ELSEWHERE
    assert follower.draft.certificates == (IDP.certificate, THIRD.certificate)
    assert not follower.draft.provisioning
    assert follower.row.held is None
    assert confirm(follower) is None


def test_a_confirmed_entity_takes_the_place_of_the_old_one(follower: Follower) -> None:
    follower.now_says(published(NEXT, entity_id="https://new.contoso.example/"))
    assert isinstance(confirm(follower), Saved)
    assert follower.draft.issuer == "https://new.contoso.example/"
    assert follower.draft.certificates == (NEXT.certificate,)
    assert follower.draft.retired_certificates == (IDP.certificate,)
    follower.asks_again()
    assert (follower.row.fault, follower.row.held) == ("", None)
    assert follower.row.entity_id == "https://new.contoso.example/"


def test_a_dismissed_change_is_not_asked_about_again_until_it_is_another(follower: Follower) -> None:
    follower.now_says(published(IDP, sign_in=ELSEWHERE))
    with follower.house.database.writing() as session:
        account = accounts.account_by_id(session, follower.row.account_id)
        assert dismiss_held(session, account, held_digest(follower.row))
    follower.now_says(published(IDP, NEXT, sign_in=ELSEWHERE))
    assert follower.row.held is None
    assert follower.draft.sign_in_url == SIGN_IN
    follower.now_says(published(IDP, sign_in=ELSEWHERE + "/2"))
    assert follower.row.held is not None


@attack("MET-10 shown", "the document changes between the page and the button: nobody confirms what they never saw")
def test_only_the_change_that_was_shown_is_answered(follower: Follower) -> None:
    follower.now_says(published(IDP, sign_in="https://idp.contoso.example/moved"))
    shown = held_digest(follower.row)
    follower.now_says(published(IDP, sign_in=ELSEWHERE))
    assert confirm(follower, shown) is None
    assert confirm(follower, "") is None
    with follower.house.database.writing() as session:
        assert not dismiss_held(session, accounts.account_by_id(session, follower.row.account_id), shown)
    assert follower.draft.sign_in_url == SIGN_IN
    assert follower.row.held is not None


def test_a_change_that_was_taken_back_waits_no_longer(follower: Follower) -> None:
    follower.now_says(published(IDP, sign_in=ELSEWHERE))
    follower.now_says(published(IDP))
    assert follower.row.held is None


def test_what_somebody_typed_here_is_no_change_of_the_metadata(follower: Follower) -> None:
    follower.change(sign_in_url="https://idp.contoso.example/by-hand")
    follower.now_says(published(IDP, NEXT))
    assert follower.row.held is None
    assert follower.draft.sign_in_url == "https://idp.contoso.example/by-hand"


@attack("MET-10 issuer", "metadata of an identity provider that the account left: its keys do not come along", count=1)
def test_an_issuer_that_was_changed_by_hand_ends_it(follower: Follower) -> None:
    follower.change(issuer="https://other.contoso.example/")
    follower.now_says(published(IDP, EVIL))
    assert follower.draft.certificates == (IDP.certificate,)
    assert "changed by hand" in follower.row.fault
    assert not follower.row.refreshing


@attack("MET-08 refresh", "metadata that has expired: a fault, and the trust stays", count=2)
def test_expired_metadata_is_a_fault_and_the_trust_stays(follower: Follower) -> None:
    until = f' validUntil="{(NOW + timedelta(days=2)).isoformat().replace("+00:00", "Z")}"'
    follower.now_says(published(IDP, attributes=until))
    assert follower.row.fault == ""
    follower.asks_again(days=1, hours=13)  # the very same bytes
    assert follower.row.fault == "The metadata expired at 2030-02-02T12:00:00Z."
    follower.now_says(published(IDP, NEXT, attributes=until))
    assert "expired" in follower.row.fault
    assert follower.draft.certificates == (IDP.certificate,)


@attack("MET-09 refresh", "unsigned metadata where a certificate was pinned", count=2)
def test_the_pinned_certificate_holds_for_every_refresh(house: House, server: MetadataServer) -> None:
    follower = Follower(house, server)
    follower.follow(signed(published(IDP), THIRD), pinned=THIRD.certificate)
    follower.now_says(signed(published(IDP, NEXT), THIRD))
    assert follower.draft.certificates == (IDP.certificate, NEXT.certificate)
    for forged in (published(IDP, EVIL), signed(published(IDP, EVIL), EVIL)):
        follower.now_says(forged)
        assert follower.draft.certificates == (IDP.certificate, NEXT.certificate)
        assert "sign" in follower.row.fault


def test_failures_are_tried_again_later_and_later(follower: Follower, server: MetadataServer) -> None:
    server.says(document(b"", 503))
    follower.house.later(days=1)
    waits = []
    for _ in range(12):
        assert refresh_due(follower.house.database, follower.house.settings, follower.house.now)
        assert follower.row.next_refresh_at is not None
        waits.append(follower.row.next_refresh_at - follower.house.now)
        follower.house.now = follower.row.next_refresh_at
    minutes = [wait.total_seconds() / 60 for wait in waits]
    assert minutes == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440]
    assert "HTTP status 503" in follower.row.fault
    server.says(document(published(IDP)))
    assert refresh_due(follower.house.database, follower.house.settings, follower.house.now)
    assert (follower.row.fault, follower.row.failures) == ("", 0)


@pytest.mark.parametrize(
    ("asked", "hours"), [("PT1S", 1), ("PT6H", 6), ("P1Y", 7 * 24)], ids=["a second", "six hours", "a year"]
)
def test_it_asks_as_often_as_the_metadata_wants_within_reason(follower: Follower, asked: str, hours: int) -> None:
    follower.now_says(published(IDP, attributes=f' cacheDuration="{asked}"'))
    assert follower.row.next_refresh_at == follower.house.now + timedelta(hours=hours)
    follower.asks_again(hours=hours)  # the same bytes: nothing else is known
    assert follower.row.next_refresh_at == follower.house.now + timedelta(hours=hours)


def test_what_has_not_changed_is_not_sent_again(follower: Follower, server: MetadataServer) -> None:
    server.says(with_etag(published(IDP), '"1"'))
    follower.asks_again()
    server.asked.clear()
    follower.asks_again()
    assert server.asked[0][1]["If-None-Match"] == '"1"'
    assert follower.row.fault == ""


def test_an_entity_of_a_federation_is_followed(house: House, server: MetadataServer) -> None:
    follower = Follower(house, server)
    other = entity(EVIL, entity_id=MALLORY_ISSUER)
    url = server.says(document(aggregate(other, published(IDP))))
    follower.import_entity(read(published(IDP)), Source(url))
    follower.now_says(aggregate(other, published(IDP, NEXT)))
    assert follower.draft.certificates == (IDP.certificate, NEXT.certificate)
    follower.now_says(aggregate(other, other))
    assert "does not describe" in follower.row.fault


def test_somebody_may_ask_at_once(follower: Follower, server: MetadataServer) -> None:
    server.says(document(published(IDP, NEXT)))
    refresh_account(follower.house.database, follower.house.settings, follower.row.account_id, follower.house.now)
    assert follower.draft.certificates == (IDP.certificate, NEXT.certificate)


def test_an_import_of_a_file_ends_it(follower: Follower) -> None:
    account_id = follower.row.account_id
    follower.import_entity(read(published(NEXT)), None)
    with follower.house.database.reading() as session:
        assert idp_metadata.of_account(session, account_id) is None


def test_an_import_while_it_was_asking_wins(follower: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    real = fetch_metadata

    def meanwhile(*given: Any, **named: Any) -> Any:
        follower.import_entity(read(published(THIRD)), None)
        return real(*given, **named)

    monkeypatch.setattr(metadata_refresh, "fetch_metadata", meanwhile)
    follower.now_says(published(IDP, NEXT))
    assert follower.draft.certificates == (THIRD.certificate,)


@pytest.mark.parametrize("changed", ["pinned_certificate", "entity_id"])
@attack("MET-09 meanwhile", "another signer or entity was asked for while unsigned metadata was on its way", count=2)
def test_what_was_read_by_other_rules_is_dropped(
    follower: Follower, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    """The same address, imported anew with a pinned certificate or for another entity."""
    real = fetch_metadata
    values = {"pinned_certificate": THIRD.certificate_der, "entity_id": "https://new.contoso.example/"}

    def meanwhile(*given: Any, **named: Any) -> Any:
        with follower.house.database.writing() as session:
            row = idp_metadata.of_account(session, follower.row.account_id)
            setattr(row, changed, values[changed])
        return real(*given, **named)

    monkeypatch.setattr(metadata_refresh, "fetch_metadata", meanwhile)
    follower.now_says(published(IDP, EVIL))
    assert follower.draft.certificates == (IDP.certificate,)
    assert follower.row.fault == ""


def test_what_nobody_foresaw_is_a_fault_and_waits_longer_each_time(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(metadata_refresh, "fetch_metadata", broken)
    follower.asks_again()
    assert "nobody foresaw" in follower.row.fault
    assert follower.row.next_refresh_at == follower.house.now + timedelta(minutes=5)
    follower.asks_again(minutes=5)
    assert follower.row.next_refresh_at == follower.house.now + timedelta(minutes=10)
    assert follower.draft.certificates == (IDP.certificate,)


# What a proposal says before anything is saved.


def test_a_proposal_says_everything_and_saves_nothing(house: House) -> None:
    inside = role(
        IDP,
        keys=key(NEXT.certificate_der),
        sign_out=sign_out_services("https://idp.contoso.example/slo", "https://idp.contoso.example/done"),
        attributes=' WantAuthnRequestsSigned="1"',
    )
    with house.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        found = proposal(session, house.settings, account, read(entity(IDP, inside)))
        assert accounts.settings_in_force(session, account).version == 2
    assert found.faults == {}
    assert (found.added, found.retired, found.kept) == ((NEXT.certificate,), (IDP.certificate,), ())
    changed = {change["field"]: change["after"] for change in found.changes}
    assert changed.pop("certificates") == NEXT.certificate.sha256
    assert changed.pop("retired_certificates") == IDP.certificate.sha256
    assert changed == {
        "sign_in_url": SIGN_IN,
        "sign_out_url": "https://idp.contoso.example/slo",
        "sign_requests": "on",
        "sign_out_binding": "redirect",
        "sign_out_response_url": "https://idp.contoso.example/done",
    }


def test_without_sign_out_it_is_a_plain_visit_of_what_was_typed(house: House) -> None:
    house.configure(sign_out_url="https://idp.contoso.example/bye", sign_out_binding="redirect", sign_requests=True)
    with house.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        same = proposal(session, house.settings, account, read(entity(IDP, role(IDP, sign_out="")))).after
        other = read(entity(IDP, role(IDP, sign_out=""), entity_id="https://other.example/"))
        another = proposal(session, house.settings, account, other).after
    assert (same.sign_out_url, same.sign_out_binding) == ("https://idp.contoso.example/bye", "plain")
    assert (another.sign_out_url, another.sign_out_binding) == ("", "plain")
    assert same.sign_requests


BAD_ADDRESSES = {
    "credentials": "https://user:secret@idp.example/",
    "line break": "https://idp.example/&#13;&#10;Set-Cookie: x",
    "fragment": "https://idp.example/#x",
    "script": "javascript:alert(1)",
}


@pytest.mark.parametrize("address", BAD_ADDRESSES.values(), ids=BAD_ADDRESSES)
@attack("MET-12 import", "an endpoint with credentials, a line break, a fragment or a script", count=4)
def test_a_bad_endpoint_is_a_fault(house: House, address: str) -> None:
    text = role(IDP, sign_in=sign_in_services("ADDRESS")).replace("ADDRESS", address)
    with house.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        found = read(entity(IDP, text))
        assert "sign_in_url" in proposal(session, house.settings, account, found).faults
        saved = save_import(session, house.settings, account, found, based_on=2, saved_by="alice", now=NOW)
    assert isinstance(saved, Invalid)


@attack("MET-13 import", "metadata with the entity ID of another account's identity provider")
def test_another_accounts_entity_id_is_a_fault(house: House) -> None:
    house.add_account("Fabrikam", "fabrikam")
    with house.database.reading() as session:
        account = accounts.account_by_slug(session, "fabrikam")
        assert account is not None
        found = proposal(session, house.settings, account, read(entity(EVIL)))
    assert "Ask the operator" in found.faults["issuer"]
