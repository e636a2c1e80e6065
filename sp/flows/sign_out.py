"""Signing out here: the session of this browser ends, and then the identity provider is told.

Owns that order: whatever becomes of the way to the identity provider, nobody is signed in here any more (SDP-SP34).
Never ends another session than this browser's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from sp.flows.logout_sending import Departing, new_id, sent
from sp.flows.realms import judging_time_of, settings_of
from sp.flows.request_sending import Sending
from sp.flows.service_keys import signing_key
from sp.models import LogoutRequest, SignOutBinding, SsoSettings, UserSession
from sp.saml.logout_writing import Envelope, logout_request
from sp.saml.messages import NameId
from sp.saml.redirect_binding import Carried
from sp.settings import Settings
from sp.store import accounts, sessions, sign_outs
from sp.store.engine import Database
from sp.store.rows import required


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who leaves: the tokens of the session's cookie and of the cookie that our requests are bound to."""

    token: str
    browser_token: str
    at: datetime


def sign_out(database: Database, settings: Settings, leaving: Leaving) -> Sending | None:
    """End the session, then say where the browser goes on to; None where the identity provider is told nothing.

    It is told of sessions that it opened itself, where the account has a "Sign Out URL".
    """
    with database.writing() as session:
        ended = sessions.session_of_token(session, leaving.token)
        sessions.end(session, leaving.token)
    if ended is None or ended.method != "saml":
        return None
    with database.reading() as session:
        account = accounts.account_by_id(session, ended.account_id)
        in_force = accounts.settings_in_force(session, account)
        settings = settings_of(session, settings, account)
        told_at = judging_time_of(session, settings, account, leaving.at)
    if not in_force.sign_out_url or in_force.issuer != ended.issuer:  # the name is none of another provider's business
        return None
    if in_force.sign_out_binding == SignOutBinding.PLAIN:
        return Sending(in_force.sign_out_url, b"")
    return _request(database, settings, leaving, ended, in_force, told_at)


def _request(
    database: Database,
    settings: Settings,
    leaving: Leaving,
    ended: UserSession,
    in_force: SsoSettings,
    told_at: datetime,
) -> Sending:
    """`told_at` is the time that the message says; what is remembered of it goes by the real one."""
    envelope = Envelope(new_id(), told_at, in_force.sign_out_url, settings.entity_id)
    index = ended.session_index if sessions.is_whole(ended.session_index) else ""
    xml = logout_request(envelope, _name_of(ended), index, told_at + settings.request_max_age)
    with database.writing() as session:
        key = signing_key(session)
        _remember(session, settings, leaving, ended, in_force, envelope.id)
    binding = SignOutBinding(in_force.sign_out_binding)
    return sent(Departing(xml, Carried.REQUEST, binding, in_force.sign_out_url), key)


def _remember(
    session: Session,
    settings: Settings,
    leaving: Leaving,
    ended: UserSession,
    in_force: SsoSettings,
    identifier: str,
) -> None:
    """An answer is told to this browser only, once, and for as long as it may be on its way."""
    sign_outs.remember(
        session,
        LogoutRequest(
            id=identifier,
            account_id=ended.account_id,
            settings_id=required(in_force.id),
            browser_hash=sessions.hash_token(leaving.browser_token),
            identity_provider=in_force.issuer,
            name_id=ended.name_id,
            sent_at=leaving.at,
            expires_at=leaving.at + settings.request_max_age + settings.skew,
        ),
    )


def _name_of(ended: UserSession) -> NameId:
    """The name as the assertion had it (SDP-SP29)."""
    return NameId(
        ended.name_id, ended.name_id_format or None, ended.name_qualifier or None, ended.sp_name_qualifier or None
    )
