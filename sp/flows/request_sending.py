"""Sending an AuthnRequest: in the query of a URL or in a form, signed or not, remembered until it is answered.

Owns how a message leaves, and what is kept of it. Never decides whom to ask: its callers do.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from sp.models import Account, AuthnRequest, RequestBinding, SsoSettings
from sp.saml.authn_request import SentRequest, read_request
from sp.saml.message_signing import signed_message
from sp.saml.own_keys import OwnKey
from sp.saml.redirect_binding import Carried, redirect_url
from sp.settings import Settings
from sp.store.rows import required
from sp.store.sessions import hash_token
from sp.store.sign_in_attempts import compress

PER_BROWSER = 20  # that wait for an answer; tabs that were opened and left


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way out. `hint` is the user name for `login_hint`, "" to send none."""

    xml: bytes
    binding: RequestBinding
    destination: str
    relay_state: str = ""
    key: OwnKey | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Sending:
    """What the browser must do: open `url`, or, where there are `fields`, post them to it."""

    url: str
    xml: bytes
    fields: tuple[tuple[str, str], ...] = ()


def sending(message: Outgoing) -> Sending:
    """The message in its binding (Bindings 3.4, 3.5). Raises SamlError where it cannot be signed."""
    destination = _with_hint(message.destination, message.hint)
    if message.binding is RequestBinding.REDIRECT:
        url = redirect_url(destination, Carried.REQUEST, message.xml, relay_state=message.relay_state, key=message.key)
        return Sending(url, message.xml)
    xml = message.xml if message.key is None else signed_message(message.xml, message.key)
    fields = [(str(Carried.REQUEST), base64.b64encode(xml).decode("ascii"))]
    if message.relay_state:
        fields.append(("RelayState", message.relay_state))
    return Sending(destination, xml, tuple(fields))


def _with_hint(destination: str, hint: str) -> str:
    """Entra ID and others refuse a Subject and take the user name as a parameter of the address."""
    if not hint:
        return destination
    return f"{destination}{'&' if '?' in destination else '?'}{urlencode({'login_hint': hint})}"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks whom, and for what: what an answer is bound to besides the request's ID."""

    account: Account
    settings: SsoSettings
    browser_token: str
    return_path: str = ""
    bench: bool = False


def pending_row(
    service: Settings, asked: Asked, sent: Sending, binding: RequestBinding, now: datetime
) -> AuthnRequest | None:
    """What is remembered of a request that goes out now; None where it names no ID, so that nothing can answer it."""
    read: SentRequest = read_request(sent.xml)
    if not read.id:
        return None
    return AuthnRequest(
        id=read.id,
        account_id=required(asked.account.id),
        settings_id=required(asked.settings.id),
        browser_hash=hash_token(asked.browser_token),
        identity_provider=asked.settings.issuer,
        destination=asked.settings.sign_in_url,
        acs_url=service.acs_url,
        binding=binding,
        requested_contexts=list(read.requested_contexts),
        comparison=read.comparison,
        return_path=asked.return_path,
        bench=asked.bench,
        message=compress(sent.xml) or b"",
        sent_at=now,
        expires_at=now + service.request_max_age,
    )
