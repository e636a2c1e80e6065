"""The page "Sign-in requests": every option is kept as a version and sent as it says."""

from __future__ import annotations

from typing import Any

import pytest
from browser import Browser
from responses import Idp

from sp.flows import account_setup
from sp.flows.account_setup import SsoDraft
from sp.store import accounts
from sp.web.state import Service

SETTINGS = "/account-manager/business/accounts/single-sign-on"
PAGE = f"{SETTINGS}/requests"
MFA = "urn:oasis:names:tc:SAML:2.0:ac:classes:MultiFactor"

EVERYTHING: dict[str, tuple[str | None, Any]] = {
    "sign_in_binding": ("post", "post"),
    "sign_requests": ("on", True),
    "force_authn": ("on", True),
    "is_passive": ("on", True),
    "send_login_hint": ("on", True),
    "name_id_policy": (" urn:oasis:names:tc:SAML:2.0:nameid-format:persistent ", None),
    "requested_contexts": (f"{MFA}\r\n\r\n  urn:x:y\r\n{MFA}", (MFA, "urn:x:y")),
    "context_comparison": ("minimum", "minimum"),
    "provider_name": ("Büro", "Büro"),
    "scoping_providers": ("https://one.example/\nurn:two", ("https://one.example/", "urn:two")),
    "proxy_count": ("0", 0),
}


def draft(service: Service) -> SsoDraft:
    with service.database.reading() as session:
        account = accounts.account_by_slug(session, "business")
        assert account is not None
        return account_setup.draft_of(session, account)


def test_every_option_is_saved_as_one_version(alice: Browser, service: Service, connected: Idp) -> None:  # noqa: ARG001
    alice.open(PAGE)
    everything: dict[str, Any] = {name: typed for name, (typed, _) in EVERYTHING.items()}
    alice.submit(PAGE, **everything)
    assert "The options of the sign-in requests have been saved." in alice.text()
    saved = draft(service)
    for name, (typed, wanted) in EVERYTHING.items():
        assert getattr(saved, name) == (str(typed).strip() if wanted is None else wanted), name
    assert alice.value_of("requested_contexts").strip() == f"{MFA}\nurn:x:y"
    assert alice.value_of("proxy_count") == "0"
    alice.submit(
        PAGE, **dict.fromkeys(("sign_requests", "force_authn", "is_passive", "send_login_hint")), proxy_count=""
    )
    assert (draft(service).sign_requests, draft(service).proxy_count) == (False, None)


def test_sign_in_may_be_required_to_start_here(alice: Browser, service: Service, connected: Idp) -> None:  # noqa: ARG001
    alice.open(PAGE)
    assert draft(service).unsolicited
    alice.submit(PAGE, started_here="on")
    assert not draft(service).unsolicited
    assert alice.html.xpath("//input[@id='field-started_here'][@checked]")
    alice.submit(PAGE, started_here=None)
    assert draft(service).unsolicited


def test_the_other_settings_stay(alice: Browser, service: Service, connected: Idp) -> None:
    alice.open(PAGE)
    alice.submit(PAGE, provider_name="Contoso")
    saved = draft(service)
    assert (saved.issuer, saved.certificates, saved.single_sign_on) == (
        connected.entity_id,
        (connected.certificate,),
        True,
    )


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("sign_in_binding", "soap", "Choose one of"),
        ("name_id_policy", "persistent", "not the URI"),
        ("requested_contexts", "urn:x\nPassword", "not the URI"),
        ("requested_contexts", "\n".join(f"urn:{n}" for n in range(20)), "at most 16"),
        ("context_comparison", "strongest", "Choose one of"),
        ("provider_name", "a\tb", "in one line"),
        ("scoping_providers", "one.example", "entity ID"),
        ("proxy_count", "many", "a number from 0 to 10"),
        ("proxy_count", "11", "a number from 0 to 10"),
        ("proxy_count", "٣", "a number from 0 to 10"),
    ],
)
def test_what_cannot_be_says_so_beside_the_field_and_stays_there(
    alice: Browser,
    service: Service,
    connected: Idp,  # noqa: ARG001
    name: str,
    typed: str,
    sentence: str,
) -> None:
    before = draft(service)
    alice.open(PAGE)
    wrong: dict[str, Any] = {name: typed}
    assert alice.submit(PAGE, **wrong).status_code == 422
    assert sentence in alice.error_at(name)
    if name not in {"sign_in_binding", "context_comparison"}:
        assert alice.value_of(name).strip() == typed
    assert draft(service) == before


def test_what_bob_saved_meanwhile_is_not_overwritten(alice: Browser, bob: Browser, connected: Idp) -> None:  # noqa: ARG001
    alice.open(PAGE)
    bob.open(PAGE)
    bob.submit(PAGE, provider_name="Bob's")
    assert alice.submit(PAGE, provider_name="Alice's").status_code == 409
    assert "Somebody saved meanwhile" in alice.text()
    assert alice.value_of("provider_name") == "Alice's"


def test_it_is_nobody_elses(charlie: Browser, britta: Browser, alice: Browser) -> None:
    assert charlie.open(PAGE).status_code == 404
    assert britta.open(PAGE).status_code == 403
    assert alice.post(PAGE, data={"provider_name": "x"}).status_code == 403


def test_it_says_when_no_sign_in_can_start_here(alice: Browser) -> None:
    alice.open(PAGE)
    assert "No sign-in can start here yet" in alice.text()
