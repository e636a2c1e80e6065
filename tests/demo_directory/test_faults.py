"""Every fault breaks the one check that it is named after, at the service provider itself; nothing else does."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from browser import Browser
from cast import ACS_URL, BASE_URL, ENTITY_ID
from demo_directory.browser import StillClock
from lxml import etree

from sp.app import create_app
from sp.demo_directory.faults import FAULTS, SOUND, Fault, fault_named
from sp.demo_directory.identity_provider import IdentityProvider
from sp.demo_directory.keys import SigningKey
from sp.demo_directory.reply_url import Reply
from sp.demo_directory.responses import Subject, make_response
from sp.flows import account_setup, user_profiles
from sp.flows.account_setup import Saved, SsoDraft
from sp.flows.opening import open_database
from sp.saml.certificates import stored_certificate
from sp.saml.checks import CHECKS, STAGES
from sp.settings import Settings
from sp.store import accounts, users
from sp.store.engine import Database
from sp.store.rows import required

TENANT = "5f0b9a52-6a3e-4f0e-9d6b-2f5f3f6f2a10"
REPLY = Reply(ACS_URL, ENTITY_ID, mapped=True)
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"  # as the demo directory signs people in


@dataclass
class Sides:
    """Both sides: a demo directory that makes responses and the service that trusts it."""

    provider: IdentityProvider
    key: SigningKey
    database: Database
    settings: Settings
    browser: Browser
    clock: StillClock

    def configure(self, **changes: Any) -> None:
        certificate = stored_certificate(self.key.certificate_der)
        draft = SsoDraft(single_sign_on=True, issuer=self.provider.issuer, certificates=(certificate,))
        with self.database.writing() as session:
            account = accounts.account_by_slug(session, "business")
            assert account is not None
            saved = account_setup.save_sso_settings(
                session, self.settings, account, replace(draft, **changes), saved_by="alice", now=self.clock()
            )
        assert isinstance(saved, Saved)

    def disable(self, username: str) -> None:
        with self.database.writing() as session:
            realm_id = required(accounts.shared_realm(session).id)
            user = users.user_named(session, realm_id, username)
            assert user is not None
            user_profiles.disable(session, user)

    def begin(self) -> str:
        """The ID of a request that this browser brings away; nobody is signed in before."""
        self.browser.client.cookies.clear()
        sent = self.browser.open("/sso/login/business", follow_redirects=False).headers["location"]
        message = parse_qs(urlsplit(sent).query)["SAMLRequest"][0]
        return str(etree.fromstring(zlib.decompress(base64.b64decode(message), -15)).get("ID"))

    def sign_in(self, fault: Fault, name: str, answered: str | None = None) -> dict[str, Any]:
        """The verdict on a response for somebody, to the request of this ID or to none."""
        subject = Subject(f"{name}@contoso.example", "Britta", "Simon", "Britta Simon", "7d0c8f0e")
        now = self.clock()
        message = make_response(
            self.provider, subject, REPLY, now=now, authenticated_at=now, in_response_to=answered, fault=fault
        )
        body = urlencode({"SAMLResponse": fault.field(message)})
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        verdict: dict[str, Any] = self.browser.client.post("/saml2", content=body, headers=headers).json()
        return verdict


@pytest.fixture(scope="module")
def sides(key_files: SigningKey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    clock, folder = StillClock(), tmp_path_factory.mktemp("sides")
    settings = Settings(base_url=BASE_URL, data_dir=folder, admin_username="alice@contoso.example")
    database = open_database(settings, clock)
    browser = Browser(create_app(settings, database, clock))
    provider = IdentityProvider("http://127.0.0.1:8001", TENANT, key_files)
    yield Sides(provider, key_files, database, settings, browser, clock)
    database.close()


def prepare(sides: Sides, fault: Fault, name: str) -> str | None:
    """What the fault says has to be set at the service provider first; a sound sign-in comes before it.

    The ID of the request to answer, where there has to be one.
    """
    sides.configure()
    control = sides.sign_in(SOUND, name)
    assert (control["outcome"], control["failed"], control["warnings"]) == ("accepted", [], [])
    if fault.code == "sso_enabled":
        sides.configure(single_sign_on=False)
    elif fault.code == "user_link":
        sides.configure(provisioning=False)
    elif fault.code == "user_active":
        sides.disable(f"{name}@contoso.example")
    elif fault.code == "replay":
        assert sides.sign_in(fault, name)["outcome"] == "accepted"
    elif fault.code == "authn_context":
        assert sides.sign_in(fault, name)["outcome"] == "accepted"  # nobody asked
        sides.configure(sign_in_url=sides.provider.sign_in_url, requested_contexts=(PASSWORD,))
        assert sides.sign_in(SOUND, name, sides.begin())["outcome"] == "accepted"
        return sides.begin()
    else:
        assert fault.first == ""
    return None


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_a_fault_breaks_the_check_of_its_name_and_no_other(sides: Sides, fault: Fault) -> None:
    name = f"Britta-{fault.code.replace('_', '-')}"
    answered = prepare(sides, fault, name)
    verdict = sides.sign_in(fault, name, answered)
    assert verdict["failed"] == [fault.code]
    assert verdict["outcome"] == "refused"
    known = fault.stage not in {"Transport", "Document"} and fault.code not in {"root", "issuer"}
    assert ("Faults ends with Switch off" in verdict["remedy"]) is known


def test_there_is_a_fault_for_every_check_in_the_order_of_the_report() -> None:
    assert [fault.code for fault in FAULTS] == [check.code for check in CHECKS]


def test_the_stages_are_the_reports() -> None:
    stages = {check.code: STAGES[check.stage] for check in CHECKS}
    assert {fault.code: fault.stage for fault in FAULTS} == {fault.code: stages[fault.code] for fault in FAULTS}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_a_fault_is_one_sentence(fault: Fault) -> None:
    for text in filter(None, (fault.sentence, fault.first)):
        assert text[0].isupper()
        assert text.endswith(".")
        assert len(text) < 100


def test_an_unknown_name_is_no_fault() -> None:
    assert fault_named("audience") is not None
    assert fault_named("nonsense") is None
    assert fault_named("") is None
