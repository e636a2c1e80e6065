"""The request bench: an administrator sends any AuthnRequest, and sees what comes back.

Owns drafting one and sending what was typed. Never signs anybody in: an answer to the bench is judged and kept, and
`sp.flows.assertion_consumer` opens no session for it.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from sp.flows.realms import settings_of
from sp.flows.request_oddities import Signing, oddity_named
from sp.flows.request_sending import PER_BROWSER, Asked, Outgoing, Sending, pending_row, sending
from sp.flows.service_keys import signing_key
from sp.flows.sign_in_started_here import options_of
from sp.models import Account, AuthnRequest, RequestBinding, SsoSettings
from sp.saml.authn_request import is_from, request_id
from sp.saml.errors import SamlError
from sp.settings import Settings
from sp.store import accounts, authn_requests
from sp.store.engine import Database
from sp.store.rows import required

MAX_CHARACTERS = 64 * 1024
MAX_RELAY_STATE = 1024

_SHARED_KEY = (
    "This cannot be signed: the key belongs to every company here, and signs nothing but an AuthnRequest that names "
    "this service as its Issuer and asks for the answer here."
)
_SIGNATURE_VALUE = re.compile(rb"(SignatureValue>\s*)(.)")
_QUERY_SIGNATURE = re.compile(r"(&Signature=)(.)")


@dataclass(frozen=True, slots=True)
class BenchRequest:
    """What the form of the bench holds. `binding` and `signing` are values of RequestBinding and Signing."""

    xml: str
    binding: str
    signing: str
    relay_state: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nothing was sent: one sentence for each field that is wrong."""

    errors: dict[str, str]


def draft(settings: Settings, in_force: SsoSettings, oddity: str, randomness: bytes, now: datetime) -> BenchRequest:
    """A request with that oddity, as the bench shows it first. The settings and the time are those of its realm."""
    chosen = oddity_named(oddity)
    options = options_of(settings, in_force, request_id(randomness), now)
    by_settings = Signing.SIGNED if in_force.sign_requests else Signing.NONE
    signing = by_settings if chosen.signing is None else chosen.signing
    return BenchRequest(chosen.xml(options), in_force.sign_in_binding, signing, options.id)


def send(
    database: Database, settings: Settings, now: datetime, account_id: int, typed: BenchRequest, browser_token: str
) -> Sending | Rejected:
    """Send what was typed to the account's Sign In URL, and remember it when it names an ID."""
    with database.reading() as session:
        account = accounts.account_by_id(session, account_id)
        in_force = accounts.settings_in_force(session, account)
        settings = settings_of(session, settings, account)
        errors = _faults(typed, in_force)
        if errors:
            return Rejected(errors)
        try:
            sent = _sending(session, typed, in_force)
        except SamlError as error:
            return Rejected({"xml": str(error)})
        if typed.signing != Signing.NONE and not _may_be_signed(session, settings, account, typed):
            return Rejected({"xml": _SHARED_KEY})
    asked = Asked(account, in_force, browser_token, bench=True)
    row = pending_row(settings, asked, sent, RequestBinding(typed.binding), now)
    if row is not None and not _kept(database, account, row):
        return Rejected({"xml": "Another request had this ID. Choose another one."})
    return sent


def _faults(typed: BenchRequest, in_force: SsoSettings) -> dict[str, str]:
    found = {
        "xml": _text_fault(typed.xml)
        or ("" if in_force.sign_in_url else "The account has no Sign In URL to send it to."),
        "binding": "" if typed.binding in tuple(RequestBinding) else "Choose one of the bindings.",
        "signing": "" if typed.signing in tuple(Signing) else "Choose what to do about a signature.",
        "relay_state": "" if len(typed.relay_state) <= MAX_RELAY_STATE else f"At most {MAX_RELAY_STATE} characters.",
    }
    return {name: fault for name, fault in found.items() if fault}


def _text_fault(xml: str) -> str:
    if not xml.strip():
        return "Write a request, or choose one from the list."
    return "" if len(xml) <= MAX_CHARACTERS else f"At most {MAX_CHARACTERS // 1024} KiB can be sent."


def _sending(session: Session, typed: BenchRequest, in_force: SsoSettings) -> Sending:
    key = None if typed.signing == Signing.NONE else signing_key(session)
    binding = RequestBinding(typed.binding)
    sent = sending(Outgoing(_xml_of(typed), binding, in_force.sign_in_url, typed.relay_state, key))
    return _broken(sent) if typed.signing == Signing.BROKEN else sent


def _xml_of(typed: BenchRequest) -> bytes:
    return typed.xml.replace("\r\n", "\n").encode("utf-8", "replace")


def _may_be_signed(session: Session, settings: Settings, account: Account, typed: BenchRequest) -> bool:
    """Whether nobody else is harmed by our signature: one key signs for every company and every workspace.

    Identity providers do what it stands under. One company could else end the sessions of another's people with a
    LogoutRequest, or have assertions about them sent to an address of its own. A signature that was broken here is
    soon mended.
    """
    if accounts.only_company(session, account.company_id):
        return True
    return is_from(_xml_of(typed), settings.entity_id, settings.acs_url)


def _broken(sent: Sending) -> Sending:
    """The same with another first character in the signature, which stays base64 all the same."""
    if not sent.fields:
        return replace(sent, url=_QUERY_SIGNATURE.sub(lambda found: found[1] + _other(found[2]), sent.url))
    xml = _SIGNATURE_VALUE.sub(lambda found: found[1] + _other(found[2].decode()).encode(), sent.xml, count=1)
    field = (sent.fields[0][0], base64.b64encode(xml).decode("ascii"))
    return replace(sent, xml=xml, fields=(field, *sent.fields[1:]))


def _other(character: str) -> str:
    return "B" if character == "A" else "A"


def _kept(database: Database, account: Account, row: AuthnRequest) -> bool:
    """Whether the request is remembered now; one of the bench with the same ID gives way to it."""
    try:
        with database.writing() as session:
            earlier = authn_requests.of_account(session, required(account.id), row.id)
            if earlier is not None and not earlier.bench:
                return False
            if earlier is not None:
                authn_requests.forget(session, earlier)
            authn_requests.keep(session, row, per_browser=PER_BROWSER)
    except IntegrityError:
        return False
    return True
