"""A sign-in that begins here: which account, which request, and the answer that it waits for.

Owns the way from a typed name to a request on its way (Profiles 4.1.4.1), and what a pending request is when its
answer comes. Never tells whether a user exists: only the part of a name after the @ is looked at, and a user that
exists takes the same way as one that does not.

A request is bound to the browser that began, the account, the address of the answer and the identity provider asked.
It is used up by the first answer that is sound in every respect up to the account holder, in the transaction that
claims its assertion. An answer that is refused leaves it alone: only the identity provider can make a sound one, so
nobody else can use up somebody's request, and whoever was refused for a wrong setting can press "back" and try again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from sp.flows.realms import judging_time_of
from sp.flows.request_sending import PER_BROWSER, Asked, Outgoing, Sending, pending_row, sending
from sp.flows.service_keys import signing_key
from sp.models import Account, AuthnRequest, RequestBinding, SsoSettings
from sp.saml.authn_request import RequestOptions, read_request, request_id, write_request
from sp.saml.domains import normalize_domain
from sp.saml.identity import username_key
from sp.saml.messages import Comparison, PendingRequest
from sp.senders import sender_key
from sp.settings import SHARED_REALM, Settings
from sp.store import accounts, authn_requests, domains, users
from sp.store.engine import Database
from sp.store.rows import required
from sp.store.sign_in_attempts import decompress

MAX_NAME = 256
PER_ACCOUNT_AND_MINUTE = 600
# An address that has started less than this in the minute may go on until the account has sent twice its limit: a
# flood from some addresses keeps nobody else out. A row is kept for 70 minutes, so an account has 84,000 at the most.
_FEW_PER_ADDRESS = 5
_MINUTE = timedelta(minutes=1)


class Obstacle(StrEnum):
    """Why nothing was sent."""

    UNAVAILABLE = "unavailable"  # no such account, or one whose people cannot begin here
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants to sign in: to which account, under which name (or ""), and where to afterwards.

    `browser_token` is the token in the browser's cookie, `randomness` the 20 bytes of the request's ID.
    """

    slug: str
    browser_token: str
    randomness: bytes
    name: str = ""
    return_path: str = ""
    address: str = ""  # of the sender


def find_account(session: Session, name: str) -> str | None:
    """The slug of the account that a typed user name leads to, or None when only its owner can tell.

    With one account whose people can begin here there is nothing to tell apart. With several the domain decides,
    where exactly one of them has users in it. The accounts of the company that owns the domain come first, so that
    users of another company, named before domains had owners, send nobody to its identity provider.
    """
    able = accounts.able_to_start(session)
    if len(able) == 1:
        return able[0][0].slug
    _, at, domain = username_key(name).rpartition("@")
    if not at or not domain or not name.isprintable() or len(name) > MAX_NAME:
        return None
    realm_id = required(accounts.shared_realm(session).id)
    owner = domains.owner_of(session, normalize_domain(domain) or "")
    if owner is not None:
        able = [found for found in able if found[0].company_id == owner.id]
        if len(able) == 1:
            return able[0][0].slug
    with_users = users.accounts_with_domain(session, realm_id, domain)
    matching = [account.slug for account, _ in able if account.id in with_users]
    return matching[0] if len(matching) == 1 else None


def find_company(session: Session, text: str) -> str | None:
    """The slug of the account whose slug or company name somebody typed, if its people can begin here."""
    wanted = username_key(text.strip())
    able = accounts.able_to_start(session)
    named = [account.slug for account, company in able if wanted in {account.slug, username_key(company)}]
    return named[0] if len(named) == 1 else None


def start_url(settings: Settings, slug: str) -> str:
    """The address to bookmark: a request of that account, on its way at once."""
    root = f"{settings.saml_root}/sso/login"
    return f"{root}/{slug}" if settings.realm == SHARED_REALM else root


def start(database: Database, settings: Settings, now: datetime, wish: Wish) -> Sending | Obstacle:
    """Send an AuthnRequest as the account's settings say, and remember it for its answer.

    `settings` are those of the realm in which the account has to be.
    """
    with database.reading() as session:
        found = accounts.starting(session, wish.slug, settings.realm)
        if found is None:
            return Obstacle.UNAVAILABLE
        account, in_force = found
        if _too_many(
            session, settings, account, wish, now
        ):  # asked again where it counts, but a flood must not sign or lock
            return Obstacle.TOO_MANY
        told_at = judging_time_of(session, settings, account, now)
        key = signing_key(session) if in_force.sign_requests else None
    binding = RequestBinding(in_force.sign_in_binding)
    options = options_of(settings, in_force, request_id(wish.randomness), told_at)
    hint = wish.name if in_force.send_login_hint else ""
    message = Outgoing(write_request(options), binding, in_force.sign_in_url, options.id, key, hint)
    sent = sending(message)
    asked = Asked(account, in_force, wish.browser_token, wish.return_path)
    row = pending_row(settings, asked, sent, binding, now)
    with database.writing() as session:
        if _too_many(session, settings, account, wish, now):
            return Obstacle.TOO_MANY
        if row is not None:
            row.remote_address = sender_key(wish.address)
            authn_requests.keep(session, row, per_browser=PER_BROWSER)
    return sent


def _too_many(session: Session, settings: Settings, account: Account, wish: Wish, now: datetime) -> bool:
    """Per address first: one sender must not use up what the account's people have together."""
    since = now - _MINUTE
    from_here = authn_requests.started_from_since(session, since, address=sender_key(wish.address))
    if from_here >= settings.starts_per_minute:
        return True
    limit = PER_ACCOUNT_AND_MINUTE * (2 if from_here < _FEW_PER_ADDRESS else 1)
    return authn_requests.sent_since(session, since, account_id=required(account.id)) >= limit


def options_of(settings: Settings, in_force: SsoSettings, identifier: str, now: datetime) -> RequestOptions:
    """What the settings of an account ask of its identity provider."""
    return RequestOptions(
        id=identifier,
        issue_instant=now.replace(microsecond=0),
        issuer=settings.entity_id,
        destination=in_force.sign_in_url,
        acs_url=settings.acs_url,
        force_authn=in_force.force_authn,
        is_passive=in_force.is_passive,
        name_id_policy=in_force.name_id_policy,
        requested_contexts=tuple(in_force.requested_contexts),
        comparison=Comparison(in_force.context_comparison),
        provider_name=in_force.provider_name,
        scoping_providers=tuple(in_force.scoping_providers),
        proxy_count=in_force.proxy_count,
    )


def pending_request(session: Session, row: AuthnRequest, shift: timedelta = timedelta()) -> PendingRequest:
    """The request as its answer is held against it, by a clock that is so far ahead of the real one."""
    return PendingRequest(
        id=row.id,
        identity_provider=row.identity_provider,
        sent_at=row.sent_at + shift,
        used=row.used_at is not None,
        requested_contexts=tuple(row.requested_contexts),
        comparison=row.comparison,
        account=accounts.account_by_id(session, row.account_id).slug,
        force_authn=read_request(decompress(row.message) or b"").force_authn,
    )
