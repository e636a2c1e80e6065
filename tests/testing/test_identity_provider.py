"""The identity provider that is played: sound where nothing is said, and one flaw where one is wanted."""

from __future__ import annotations

from datetime import UTC, datetime

from sp.testing.identity_provider import FAULT_CODES, IdentityProvider
from sp.testing.office import OfficeUnderTest

BRITTA = "britta@contoso.com"
# These break nothing by themselves; see the tests below.
CONDITIONAL = ("authn_context", "replay", "sso_enabled", "user_active", "user_link")


def test_every_fault_is_found_by_its_check(identity_provider: IdentityProvider) -> None:
    missed = {}
    for code in set(FAULT_CODES) - set(CONDITIONAL):
        verdict = identity_provider.sign_in(BRITTA, fault=code)
        if code not in verdict.failed or verdict.accepted:
            missed[code] = verdict.failed
    assert missed == {}


def test_faults_that_need_a_condition(virtual_office: OfficeUnderTest, identity_provider: IdentityProvider) -> None:
    failed = {}
    virtual_office.configure(requested_contexts=["urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"])
    failed["authn_context"] = identity_provider.sign_in(BRITTA, fault="authn_context", begun=True).failed
    virtual_office.configure(requested_contexts=[])
    identity_provider.sign_in(BRITTA, fault="replay")
    failed["replay"] = identity_provider.sign_in(BRITTA, fault="replay").failed
    (britta,) = virtual_office.users()
    virtual_office.disable_user(britta.id)
    failed["user_active"] = identity_provider.sign_in(BRITTA, fault="user_active").failed
    virtual_office.configure(provisioning=False)
    failed["user_link"] = identity_provider.sign_in("mallory@contoso.com", fault="user_link").failed
    virtual_office.configure(provisioning=True, single_sign_on=False)
    failed["sso_enabled"] = identity_provider.sign_in("alice@contoso.com", fault="sso_enabled").failed
    assert failed == {code: (code,) for code in CONDITIONAL}


def test_it_answers_a_sign_in_that_began_at_the_service(
    virtual_office: OfficeUnderTest, identity_provider: IdentityProvider
) -> None:
    virtual_office.configure(unsolicited=False)
    answered = identity_provider.sign_in(BRITTA, begun=True)
    assert answered.accepted, answered.message
    assert identity_provider.sign_in(BRITTA).row("in_response_to").problem == "unsolicited"


def test_it_encrypts_for_the_key_in_the_metadata(identity_provider: IdentityProvider) -> None:
    verdict = identity_provider.sign_in(BRITTA, encrypted=True)
    assert verdict.accepted, verdict.message
    assert verdict.row("decryption").outcome == "passed"
    assert verdict.identity is not None
    assert verdict.identity.name_id.value == BRITTA


def test_what_it_signs_can_be_changed(identity_provider: IdentityProvider) -> None:
    def to_mallory(response: object) -> None:
        name_id = response.find(".//{*}NameID")  # type: ignore[attr-defined]
        name_id.text = "mallory@contoso.com"

    verdict = identity_provider.sign_in(BRITTA, change=to_mallory)
    assert (verdict.accepted, verdict.username) == (True, "mallory@contoso.com")


def test_bytes_of_ones_own_are_delivered_as_they_are(
    virtual_office: OfficeUnderTest, identity_provider: IdentityProvider
) -> None:
    made = identity_provider.response(BRITTA).replace(BRITTA.encode(), b"mallory@contoso.com")
    verdict = identity_provider.post(made)
    assert verdict.failed == ("signature",)
    assert virtual_office.exact_message(verdict.reference) == made


def test_messages_are_made_and_judged_by_a_clock_that_stands(
    virtual_office: OfficeUnderTest, identity_provider: IdentityProvider
) -> None:
    virtual_office.stop_clock(datetime(2027, 1, 31, 12, tzinfo=UTC))
    stopped = identity_provider.sign_in(BRITTA)
    assert stopped.accepted, stopped.message
    assert stopped.identity is not None
    assert stopped.identity.authn_instant == datetime(2027, 1, 31, 12, tzinfo=UTC)
    virtual_office.start_clock()
    assert identity_provider.sign_in(BRITTA).accepted
