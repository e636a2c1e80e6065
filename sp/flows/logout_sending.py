"""Sending a logout message: signed, in the query of a URL or in a form.

Owns how it leaves (Bindings 3.4, 3.5); every one is signed (Profiles 4.4.3.1). Never decides what is said.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass

from sp.flows.request_sending import Sending
from sp.models import SignOutBinding
from sp.saml.message_signing import signed_message
from sp.saml.own_keys import OwnKey
from sp.saml.redirect_binding import Carried, redirect_url

_ID_BYTES = 20


@dataclass(frozen=True, slots=True)
class Departing:
    """A message on its way out, and where to."""

    xml: bytes
    carried: Carried
    binding: SignOutBinding
    destination: str
    relay_state: str = ""


def sent(message: Departing, key: OwnKey) -> Sending:
    """What the browser has to do. Raises SamlError where the message cannot be signed."""
    if message.binding is not SignOutBinding.POST:
        url = redirect_url(message.destination, message.carried, message.xml, relay_state=message.relay_state, key=key)
        return Sending(url, message.xml)
    xml = signed_message(message.xml, key)
    fields = [(str(message.carried), base64.b64encode(xml).decode("ascii"))]
    if message.relay_state:
        fields.append(("RelayState", message.relay_state))
    return Sending(message.destination, xml, tuple(fields))


def new_id() -> str:
    """An unpredictable ID of 160 random bits, as Core 1.3.4 asks; an xs:ID begins with no digit."""
    return f"_{secrets.token_hex(_ID_BYTES)}"
