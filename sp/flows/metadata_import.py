"""Taking over what an identity provider's metadata says: first as a proposal, then as a version of the settings.

Owns which settings metadata speaks about. Never fetches, and never saves what `sp.flows.account_setup` would not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from sp.flows.account_setup import (
    LABELS,
    MAX_RETIRED,
    Invalid,
    Overtaken,
    Saved,
    SsoDraft,
    change_sso_settings,
    changes_between,
    draft_of,
    sso_faults,
)
from sp.models import Account, IdpMetadata, SignOutBinding
from sp.saml.certificates import IdpCertificate
from sp.saml.idp_metadata import IdpEntity
from sp.settings import Settings
from sp.store import idp_metadata
from sp.store.rows import required

USUAL_INTERVAL = timedelta(days=1)
SHORTEST_INTERVAL = timedelta(hours=1)
LONGEST_INTERVAL = timedelta(days=7)
WORDS = {"plain": "a plain visit", "redirect": "HTTP-Redirect", "post": "HTTP-POST"}


@dataclass(frozen=True, slots=True)
class Source:
    """A URL to follow from now on, and the certificate that must have signed what it answers."""

    url: str
    pinned: IdpCertificate | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What taking an entity over would change, as `changes_between` has it, and why it could not be saved."""

    entity: IdpEntity
    before: SsoDraft
    after: SsoDraft
    changes: tuple[Mapping[str, str], ...]
    faults: Mapping[str, str]

    @property
    def added(self) -> tuple[IdpCertificate, ...]:
        return tuple(one for one in self.after.certificates if one not in self.before.certificates)

    @property
    def retired(self) -> tuple[IdpCertificate, ...]:
        return tuple(one for one in self.before.certificates if one not in self.after.certificates)

    @property
    def kept(self) -> tuple[IdpCertificate, ...]:
        return tuple(one for one in self.after.certificates if one in self.before.certificates)


def proposal(session: Session, settings: Settings, account: Account, entity: IdpEntity) -> Proposal:
    """What would be different. Nothing is saved."""
    return proposed(session, settings, account, entity, import_changes(entity, draft_of(session, account)))


def proposed(
    session: Session, settings: Settings, account: Account, entity: IdpEntity, changes: Mapping[str, Any]
) -> Proposal:
    """The same for a part of the changes."""
    before = draft_of(session, account)
    after = replace(before, **changes)
    faults = sso_faults(session, settings, account, after)
    return Proposal(entity, before, after, tuple(changes_between(before, after)), faults)


def import_changes(entity: IdpEntity, current: SsoDraft) -> dict[str, Any]:
    """The whole of it, by the names of SsoDraft: endpoints, certificates, and that SAML is on."""
    changes = {**endpoint_values(entity), "single_sign_on": True, **_certificate_changes(entity.certificates, current)}
    if not entity.sign_out and entity.entity_id == current.issuer:
        del changes["sign_out_url"]  # somebody may have typed where a plain visit signs people out
    if not entity.wants_signed_requests:
        del changes["sign_requests"]  # nobody minds a signed one
    return changes


def endpoint_values(entity: IdpEntity) -> dict[str, Any]:
    """Who it is and where it listens, by the names of SsoDraft. Redirect goes before POST where both are offered."""
    sign_in, sign_out = entity.sign_in[0], next(iter(entity.sign_out), None)
    return {
        "issuer": entity.entity_id,
        "sign_in_url": sign_in.location,
        "sign_in_binding": sign_in.binding,
        "sign_requests": entity.wants_signed_requests,
        "sign_out_url": sign_out.location if sign_out else "",
        "sign_out_binding": sign_out.binding if sign_out else SignOutBinding.PLAIN.value,
        "sign_out_response_url": sign_out.response_location if sign_out else "",
    }


def _certificate_changes(published: tuple[IdpCertificate, ...], current: SsoDraft) -> dict[str, Any]:
    """Metadata names all that sign, so what it does not name is retired: kept, and trusted no longer."""
    before = (*current.certificates, *current.retired_certificates)
    retired = tuple(certificate for certificate in before if certificate not in published)
    return {"certificates": published, "retired_certificates": retired[:MAX_RETIRED]}


def save_import(
    session: Session,
    settings: Settings,
    account: Account,
    entity: IdpEntity,
    *,
    based_on: int,
    saved_by: str,
    now: datetime,
    source: Source | None = None,
) -> Saved | Invalid | Overtaken:
    """Put the proposal in force. With a `source`, the account follows that URL from now on, and else none.

    `based_on` is the version that the proposal was made from.
    """
    changes = import_changes(entity, draft_of(session, account))
    saved = change_sso_settings(session, settings, account, changes, based_on=based_on, saved_by=saved_by, now=now)
    if isinstance(saved, Saved) and source is not None:
        idp_metadata.store(session, following(account, entity, source, now))
    elif isinstance(saved, Saved):
        idp_metadata.forget(session, required(account.id))
    return saved


def following(account: Account, entity: IdpEntity, source: Source, now: datetime) -> IdpMetadata:
    """The row of an account that has just taken over what `source` says."""
    return IdpMetadata(
        account_id=required(account.id),
        url=source.url,
        entity_id=entity.entity_id,
        pinned_certificate=source.pinned.der if source.pinned else None,
        fetched_at=now,
        next_refresh_at=now + refresh_interval(entity, now),
        valid_until=entity.valid_until,
        seen=seen_of(entity),
    )


def seen_of(entity: IdpEntity) -> dict[str, Any]:
    """What later metadata is held against, so that only what it changed counts and not what somebody typed here."""
    return {
        "endpoints": endpoint_values(entity),
        "certificates": [certificate.sha256 for certificate in entity.certificates],
    }


def refresh_interval(entity: IdpEntity, now: datetime) -> timedelta:
    """As the metadata asks for, between an hour and a week, and before it expires."""
    wanted = entity.cache_duration or USUAL_INTERVAL
    if entity.valid_until is not None:
        wanted = min(wanted, (entity.valid_until - now) / 2)
    return min(max(wanted, SHORTEST_INTERVAL), LONGEST_INTERVAL)


def labeled(changes: tuple[Mapping[str, str], ...]) -> list[tuple[str, str, str]]:
    """The changes as label, before and after, in words; without the certificates, which need more than words."""
    told = [change for change in changes if change["field"] not in {"certificates", "retired_certificates"}]
    return [(LABELS[change["field"]], _in_words(change["before"]), _in_words(change["after"])) for change in told]


def _in_words(value: str) -> str:
    return WORDS.get(value, value)
