"""One customer's message never opens in another's account; the former shared key opens for a while, with a warning."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cast import BRITTA, CONTOSO_ISSUER, FABRIKAM_ISSUER, NOW
from encryption import encrypted, own_key
from house import House
from logouts import SLO_URL, posted, request
from responses import Mutation

from sp.diagnosis.captures import CapturedMessage
from sp.diagnosis.sides import sides
from sp.flows import account_setup
from sp.flows.account_setup import Saved, SsoDraft
from sp.flows.assertion_consumer import SignIn, consume
from sp.flows.judging_again import Changes, judge_again, judge_attempt
from sp.flows.judging_captured import CapturedEvidence, judge_captured
from sp.flows.judging_logouts import logout_evidence
from sp.flows.logout_consumer import LogoutDelivery, Received, receive
from sp.flows.workspaces import live_workspace, make_workspace
from sp.models import KeyPurpose, KeyState, SignInAttempt
from sp.saml import names
from sp.saml.own_keys import OwnKey
from sp.saml.report import Outcome, Report, Row
from sp.store import accounts, sign_in_attempts, sign_out_messages
from sp.store import service_keys as rows
from sp.store.rows import required

FORMER, FOREIGN = own_key("former"), own_key("another service")
THIRTY_DAYS = timedelta(days=30)
METADATA = "http://localhost:8000/saml2/metadata/business"


def hidden_name(key: OwnKey, path: str = ".//saml:NameID") -> Mutation:
    return encrypted(key, path, wrapper=names.ENCRYPTED_ID)


def attempt_of(house: House, sign_in: SignIn) -> SignInAttempt:
    with house.database.reading() as session:
        attempt = sign_in_attempts.attempt_by_reference(session, sign_in.reference)
    assert attempt is not None
    return attempt


def reported_again(house: House, sign_in: SignIn) -> Report:
    with house.database.reading() as session:
        return judge_attempt(session, attempt_of(house, sign_in)).report


def sign_out(house: House, xml: bytes) -> Received:
    delivery = LogoutDelivery(posted(xml), SLO_URL, house.now, "127.0.0.1")
    received = receive(house.database, house.settings, delivery)
    with house.database.reading() as session:
        kept = sign_out_messages.newest(session, limit=1)[0]
        assert logout_evidence(session, kept).judgement.report == received.judgement.report
    return received


# Keys of one account


@pytest.fixture
def fabrikam(house: House) -> str:
    """Another company's account, with its own key. It trusts Contoso's public certificate under its own issuer."""
    house.add_account("Fabrikam", "fabrikam")
    house.configure("fabrikam", issuer=FABRIKAM_ISSUER)
    house.encryption_key("fabrikam")
    return "fabrikam"


def test_each_account_opens_its_own_messages_and_no_other(house: House, fabrikam: str) -> None:
    issuers = {"business": house.idp, fabrikam: replace(house.idp, entity_id=FABRIKAM_ISSUER)}
    for account, idp in issuers.items():
        for key_of in issuers:
            judgement = house.post(idp.response(encrypted=encrypted(house.encryption_key(key_of)))).judgement
            if account == key_of:
                assert judgement.report.row("decryption").outcome is Outcome.PASSED
                assert judgement.opened_assertion is not None
            else:
                assert judgement.report.failed == ("decryption",)
                assert judgement.opened_assertion is None


def test_a_refusal_does_not_tell_whose_key_it_was(house: House, fabrikam: str) -> None:
    """The same row for another account's key as for a key that nobody here has."""
    found = [
        house.post(house.idp.response(encrypted=encrypted(key))).judgement.report.row("decryption")
        for key in (house.encryption_key(fabrikam), FOREIGN)
    ]
    house.encryption_key()
    assert found[0] == found[1]
    found = [
        house.post(house.idp.response(encrypted=encrypted(key))).judgement.report.row("decryption")
        for key in (house.encryption_key(fabrikam), FOREIGN)
    ]
    assert found[0] == found[1]
    assert found[0].outcome is Outcome.FAILED


def test_an_encrypted_name_opens_with_the_accounts_own_key_only(house: House, fabrikam: str) -> None:
    accepted = house.post(house.idp.response(mutate=hidden_name(house.encryption_key())))
    assert accepted.username == BRITTA.email
    refused = house.post(house.idp.response(mutate=hidden_name(house.encryption_key(fabrikam))))
    assert refused.judgement.report.failed == ("subject",)


def test_a_sign_out_opens_with_the_accounts_own_key_only(house: House, fabrikam: str) -> None:
    house.post(house.idp.response())
    refused = sign_out(house, request(house.idp, mutate=hidden_name(house.encryption_key(fabrikam), "saml:NameID")))
    assert (refused.judgement.report.failed, refused.ended) == (("logout_subject",), 0)
    accepted = sign_out(house, request(house.idp, mutate=hidden_name(house.encryption_key(), "saml:NameID")))
    assert (accepted.judgement.report.warnings, accepted.ended) == ((), 1)


def test_a_workspace_that_names_contosos_issuer_and_certificate_opens_nothing_of_contosos(house: House) -> None:
    for_contoso = house.encryption_key()
    make_workspace(house.database, NOW, "mallory", timedelta(hours=1), made_by="mallory")
    draft = SsoDraft(single_sign_on=True, issuer=CONTOSO_ISSUER, certificates=(house.idp.certificate,))
    with house.database.writing() as session:
        account = accounts.account_by_slug(session, "mallory")
        assert account is not None
        saved = account_setup.save_sso_settings(
            session, house.settings, account, draft, saved_by="mallory", now=house.now
        )
    assert isinstance(saved, Saved)
    own = house.encryption_key("mallory")
    assert in_workspace(house, "mallory", own).accepted
    refused = in_workspace(house, "mallory", for_contoso)
    assert refused.judgement.report.failed == ("decryption",)
    assert refused.judgement.opened_assertion is None
    assert reported_again(house, refused) == refused.judgement.report
    assert house.post(house.idp.response(encrypted=encrypted(own))).judgement.report.failed == ("decryption",)


def in_workspace(house: House, name: str, key: OwnKey) -> SignIn:
    settings = house.settings.in_realm(name)
    with house.database.reading() as session:
        workspace = live_workspace(session, name, house.now)
    xml = house.idp.response(
        audience=settings.entity_id,
        recipient=settings.acs_url,
        destination=settings.acs_url,
        encrypted=encrypted(key),
    )
    delivery = house.delivery(xml, workspace=workspace)
    return consume(house.database, settings, delivery)


def captured(house: House, slug: str, xml: bytes, changes: Changes) -> CapturedEvidence:
    """As "Judge a message" and `inspect --account` do."""
    message = CapturedMessage("response", "XML", xml)
    with house.database.reading() as session:
        account = accounts.account_by_slug(session, slug)
        assert account is not None
        return judge_captured(session, house.settings, message, required(account.settings_id), changes, house.now)


def test_another_companys_administrator_cannot_judge_a_message_open(house: House, fabrikam: str) -> None:
    xml = house.idp.response(encrypted=encrypted(house.encryption_key()))
    opened = captured(house, "business", xml, Changes())
    assert opened.judgement.opened_assertion is not None
    closed = captured(house, fabrikam, xml, Changes(issuer=CONTOSO_ISSUER))
    assert closed.judgement.report.failed == ("decryption",)
    assert closed.judgement.opened_assertion is None


def test_with_another_accounts_settings_that_accounts_keys_count(house: House, fabrikam: str) -> None:
    """The operator judges an attempt again, by the settings of the account that it was meant for."""
    refused = house.post(house.idp.response(encrypted=encrypted(house.encryption_key(fabrikam))))
    with house.database.reading() as session:
        account = accounts.account_by_slug(session, fabrikam)
        assert account is not None
        changes = Changes(settings_id=account.settings_id, issuer=CONTOSO_ISSUER)
        again = judge_again(session, attempt_of(house, refused), changes)
    assert again.report.row("decryption").outcome is Outcome.PASSED


def test_no_key_opens_a_message_of_an_unknown_issuer(house: House) -> None:
    stranger = replace(house.idp, entity_id="https://idp.unknown.example/")
    refused = house.post(stranger.response(encrypted=encrypted(house.encryption_key())))
    assert refused.judgement.report.failed == ("issuer",)
    assert refused.judgement.opened_assertion is None


# The former shared key


@pytest.fixture
def upgraded(house: House) -> House:
    """As after the upgrade of an installation whose accounts shared the key FORMER."""
    with house.database.writing() as session:
        row = rows.add(session, KeyPurpose.ENCRYPTION, KeyState.RETIRED, FORMER, NOW - timedelta(days=100))
        row.retired_at = NOW
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        account.former_key_until = NOW + THIRTY_DAYS
        session.add(account)
    house.encryption_key()
    return house


def warned_row(report: Report, code: str = "decryption") -> Row:
    assert report.accepts
    row = report.row(code)
    assert row.outcome is Outcome.WARNING
    return row


def test_the_former_key_opens_for_30_days_with_a_warning_that_names_the_metadata(upgraded: House) -> None:
    sign_in = upgraded.post(upgraded.idp.response(encrypted=encrypted(FORMER)))
    row = warned_row(sign_in.judgement.report)
    assert METADATA in sides(row).expected
    assert "former key" in sides(row).received
    assert reported_again(upgraded, sign_in) == sign_in.judgement.report
    upgraded.now = NOW + THIRTY_DAYS - timedelta(seconds=1)
    last = upgraded.post(upgraded.idp.response(now=upgraded.now, encrypted=encrypted(FORMER)))
    assert "decryption" in last.judgement.report.warnings
    upgraded.later(seconds=1)
    refused = upgraded.post(upgraded.idp.response(now=upgraded.now, encrypted=encrypted(FORMER)))
    assert refused.judgement.report.failed == ("decryption",)
    assert reported_again(upgraded, last) == last.judgement.report, "evaluated with the keys of then"


def test_judging_a_message_at_a_time_of_then_does_not_bring_the_former_key_back(upgraded: House) -> None:
    """Every account of then has it, so another company's administrator could choose the time."""
    xml = upgraded.idp.response(encrypted=encrypted(FORMER))
    then = Changes(now=NOW)
    assert captured(upgraded, "business", xml, then).judgement.opened_assertion is not None
    upgraded.now = NOW + THIRTY_DAYS
    for changes in (then, Changes(now=NOW - timedelta(days=1))):
        closed = captured(upgraded, "business", xml, changes).judgement
        assert closed.opened_assertion is None
        assert "decryption" in closed.report.failed or closed.report.row("decryption").outcome is Outcome.NOT_REACHED


def test_the_former_key_opens_no_longer_than_the_account_says(upgraded: House) -> None:
    """Even if the key itself was retired later."""
    with upgraded.database.writing() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        account.former_key_until = NOW
        session.add(account)
    refused = upgraded.post(upgraded.idp.response(encrypted=encrypted(FORMER)))
    assert refused.judgement.report.failed == ("decryption",)


def test_the_accounts_own_key_opens_without_a_warning(upgraded: House) -> None:
    sign_in = upgraded.post(upgraded.idp.response(encrypted=encrypted(upgraded.encryption_key())))
    assert sign_in.judgement.report.row("decryption").outcome is Outcome.PASSED


def test_the_former_key_opens_before_the_account_has_one_of_its_own(house: House) -> None:
    """Nobody has asked for its metadata yet."""
    with house.database.writing() as session:
        rows.add(session, KeyPurpose.ENCRYPTION, KeyState.RETIRED, FORMER, NOW).retired_at = NOW
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        account.former_key_until = NOW + THIRTY_DAYS
        session.add(account)
    warned_row(house.post(house.idp.response(encrypted=encrypted(FORMER))).judgement.report)


def test_an_encrypted_name_for_the_former_key_is_warned_about_in_the_same_row(upgraded: House) -> None:
    sign_in = upgraded.post(upgraded.idp.response(mutate=hidden_name(FORMER)))
    assert sign_in.username == BRITTA.email
    assert METADATA in sides(warned_row(sign_in.judgement.report)).expected
    own = upgraded.encryption_key()
    both = upgraded.post(upgraded.idp.response(mutate=hidden_name(FORMER), encrypted=encrypted(own)))
    warned_row(both.judgement.report)


def test_a_sign_out_for_the_former_key_is_carried_out_with_a_warning(upgraded: House) -> None:
    upgraded.post(upgraded.idp.response())
    received = sign_out(upgraded, request(upgraded.idp, mutate=hidden_name(FORMER, "saml:NameID")))
    assert received.ended == 1
    assert METADATA in sides(warned_row(received.judgement.report, "logout_subject")).expected


def test_the_former_key_opens_nothing_for_an_account_that_was_made_later(upgraded: House) -> None:
    upgraded.add_account("Fabrikam", "fabrikam")
    upgraded.configure("fabrikam", issuer=FABRIKAM_ISSUER)
    late = replace(upgraded.idp, entity_id=FABRIKAM_ISSUER)
    refused = upgraded.post(late.response(encrypted=encrypted(FORMER)))
    assert refused.judgement.report.failed == ("decryption",)
