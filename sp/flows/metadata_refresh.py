"""Following metadata that a URL publishes: new certificates come by themselves, everything else is asked about.

Owns when it is fetched again and what of it is taken over unasked. Never trusts an expired or unsigned document more
than what is trusted already: whatever goes wrong is written down, and the trust stays as it was.

A change of the entity ID or of an endpoint would hand the account to whoever controls the document, so it is held until
an administrator confirms it (SAML2int MD02).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlmodel import Session

from sp.diagnosis.metadata import metadata_sentence
from sp.flows.account_setup import MAX_RETIRED, Invalid, Overtaken, Saved, SsoDraft, draft_of, save_sso_settings
from sp.flows.metadata_addresses import Refused
from sp.flows.metadata_answers import Fetched, Unchanged
from sp.flows.metadata_fetching import fetch_metadata
from sp.flows.metadata_import import (
    SHORTEST_INTERVAL,
    USUAL_INTERVAL,
    Proposal,
    Source,
    endpoint_values,
    import_changes,
    proposed,
    refresh_interval,
    save_import,
    seen_of,
)
from sp.models import Account, IdpMetadata
from sp.saml.certificates import stored_certificate
from sp.saml.errors import MetadataError
from sp.saml.idp_metadata import IdpEntity, read_metadata
from sp.saml.portable_metadata import portable
from sp.saml.times import written
from sp.settings import Settings
from sp.store import accounts, idp_metadata
from sp.store.engine import Database
from sp.store.rows import required

SAVED_BY = "metadata refresh"

_LEASE = timedelta(minutes=5)  # longer than a fetch can take: then somebody else may try
_FIRST_RETRY = timedelta(minutes=5)
_LAST_RETRY = timedelta(days=1)
_FAULT_CHARACTERS = 1024
_UNEXPECTED = "Reading the metadata failed in a way that nobody foresaw. This service's log says more."

_log = structlog.get_logger("sp.metadata_refresh")


@dataclass(frozen=True, slots=True)
class _Read:
    """What was fetched and read. Without an entity the document is the one that was taken over before."""

    entity: IdpEntity | None = None
    etag: str = ""
    digest: str = ""


def refresh_due(database: Database, settings: Settings, now: datetime) -> bool:
    """Refresh one account whose time has come; whether there was one."""
    with database.writing() as session:
        claimed = idp_metadata.claim_due(session, now, now + _LEASE)
    if claimed is None:
        return False
    _refresh(database, settings, claimed, now)
    return True


def refresh_account(database: Database, settings: Settings, account_id: int, now: datetime) -> None:
    """The same for an account that follows a URL, whenever somebody asks."""
    with database.reading() as session:
        row = idp_metadata.of_account(session, account_id)
    if row is not None:
        _refresh(database, settings, row, now)


def _refresh(database: Database, settings: Settings, row: IdpMetadata, now: datetime) -> None:
    """What goes wrong unforeseen is a fault like any other, or it would be tried for ever without a word."""
    try:
        _follow(database, settings, row, now)
    except Exception:  # noqa: BLE001  whatever it was this time is no reason never to try again
        _log.exception("metadata_refresh_failed", account_id=row.account_id)
        with database.writing() as session:
            accounts.lock_settings(session, accounts.account_by_id(session, row.account_id))
            current = idp_metadata.of_account(session, row.account_id)
            if current is not None and _asks_the_same(current, row):
                _schedule(current, _UNEXPECTED, _UNEXPECTED, now)


def _follow(database: Database, settings: Settings, row: IdpMetadata, now: datetime) -> None:
    """Fetching and reading happen before anybody has to wait for the transaction."""
    found = _fetch(settings, row, now)
    with database.writing() as session:
        account = accounts.account_by_id(session, row.account_id)
        accounts.lock_settings(session, account)
        current = idp_metadata.of_account(session, row.account_id)
        if current is None or not _asks_the_same(current, row):
            return  # somebody imported something else meanwhile
        fault = found if isinstance(found, str) else _take_over(session, settings, account, current, found, now)
        _schedule(current, found, fault, now)


def _asks_the_same(current: IdpMetadata, asked: IdpMetadata) -> bool:
    """Whether what was read by `asked` is still what the account follows, from whom, signed by whom."""
    names = ("url", "entity_id", "pinned_certificate")
    return all(getattr(current, name) == getattr(asked, name) for name in names)


def _fetch(settings: Settings, row: IdpMetadata, now: datetime) -> _Read | str:
    answer = fetch_metadata(settings, row.url, etag=row.etag)
    if isinstance(answer, Refused):
        return answer.sentence
    if isinstance(answer, Unchanged):
        return _Read(etag=row.etag, digest=row.digest)
    return _read(row, answer, now)


def _read(row: IdpMetadata, answer: Fetched, now: datetime) -> _Read | str:
    digest = hashlib.sha256(answer.data).hexdigest()
    if digest == row.digest:
        return _Read(etag=answer.etag, digest=digest)
    pinned = stored_certificate(row.pinned_certificate) if row.pinned_certificate else None
    try:
        document = read_metadata(answer.data, now, pinned=pinned)
        entity = document.entity or read_metadata(answer.data, now, wanted=row.entity_id, pinned=pinned).entity
    except MetadataError as error:
        return metadata_sentence(error)
    return _Read(entity, answer.etag, digest)


def _schedule(row: IdpMetadata, found: _Read | str, fault: str, now: datetime) -> None:
    row.fault = fault[:_FAULT_CHARACTERS]
    if fault:
        row.failures += 1
        row.next_refresh_at = now + min(_FIRST_RETRY * 2 ** min(row.failures - 1, 20), _LAST_RETRY)
        return
    row.failures, row.fetched_at = 0, now
    if isinstance(found, _Read):
        row.etag, row.digest = found.etag, found.digest
        row.next_refresh_at = now + _interval(row, found, now)


def _interval(row: IdpMetadata, found: _Read, now: datetime) -> timedelta:
    if found.entity is None:
        return timedelta(seconds=row.seen.get("interval", USUAL_INTERVAL.total_seconds()))
    interval = refresh_interval(found.entity, now)
    row.seen = {**row.seen, "interval": max(interval, SHORTEST_INTERVAL).total_seconds()}
    return interval


def _take_over(
    session: Session, settings: Settings, account: Account, row: IdpMetadata, found: _Read, now: datetime
) -> str:
    """What may be taken over unasked is; the rest is held. A sentence when something is wrong, else ""."""
    if account.issuer != row.entity_id:
        row.refreshing = False
        return "The Issuer URL of this account was changed by hand, so its metadata is no longer followed."
    entity = found.entity
    if entity is None:
        expired = row.valid_until is not None and row.valid_until <= now
        return f"The metadata expired at {written(row.valid_until)}." if expired and row.valid_until else ""
    row.valid_until = entity.valid_until
    row.held = _held(row, entity, now)
    if entity.entity_id != row.entity_id:
        return ""
    return _take_certificates(session, settings, account, row, entity, now)


def _held(row: IdpMetadata, entity: IdpEntity, now: datetime) -> dict[str, Any] | None:
    """The change that waits for an administrator, since when; None where there is none."""
    endpoints = endpoint_values(entity)
    if endpoints == row.seen.get("endpoints"):
        return None
    written_entity = portable(entity)
    if row.held is not None and row.held.get("entity") == written_entity:
        return row.held
    return {"entity": written_entity, "endpoints": endpoints, "since": written(now)}


def _take_certificates(
    session: Session, settings: Settings, account: Account, row: IdpMetadata, entity: IdpEntity, now: datetime
) -> str:
    current = draft_of(session, account)
    draft = _followed(current, entity, set(row.seen.get("certificates", ())))
    if not draft.certificates:
        return "The metadata names only certificates that were retired here, so nothing was changed."
    saved = save_sso_settings(session, settings, account, draft, saved_by=SAVED_BY, now=now)
    if isinstance(saved, Invalid):
        return " ".join(saved.errors.values())
    # One that somebody retired here must not come back because the metadata still names it, or names it again.
    by_hand = {certificate.sha256 for certificate in current.retired_certificates}
    known = [sha256 for sha256 in row.seen.get("certificates", ()) if sha256 in by_hand]
    row.seen = {**row.seen, "certificates": list(dict.fromkeys([*seen_of(entity)["certificates"], *known]))}
    return ""


def _followed(current: SsoDraft, entity: IdpEntity, known: set[str]) -> SsoDraft:
    """The certificates that came since the last time join, and those that vanished since then are retired."""
    published = entity.certificates
    vanished = [one for one in current.certificates if one.sha256 in known and one not in published]
    new = [one for one in published if one.sha256 not in known and one not in current.certificates]
    trusted = (*(one for one in current.certificates if one not in vanished), *new)
    retired = (*vanished, *(one for one in current.retired_certificates if one not in new))
    return replace(current, certificates=trusted, retired_certificates=retired[:MAX_RETIRED])


# What an administrator answers.


def held_digest(row: IdpMetadata | None) -> str:
    """By which an answer names the change that it is about; "" where nothing waits."""
    if row is None or row.held is None:
        return ""
    return hashlib.sha256(json.dumps(row.held, sort_keys=True).encode()).hexdigest()


def _still_held(session: Session, account: Account, shown: str) -> IdpMetadata | None:
    """The row, if the change that was `shown` waits still; nothing changes it until the transaction ends."""
    accounts.lock_settings(session, account)
    row = idp_metadata.of_account(session, required(account.id))
    return row if shown and held_digest(row) == shown else None


def held_entity(row: IdpMetadata, now: datetime) -> IdpEntity | None:
    """The entity as the held change has it; None where nothing waits. Raises MetadataError when it has expired."""
    if row.held is None:
        return None
    return read_metadata(str(row.held["entity"]).encode(), now).entity


def held_changes(row: IdpMetadata, entity: IdpEntity, current: SsoDraft) -> dict[str, Any]:
    """What confirming would change: the endpoints, or for another entity everything."""
    changes = import_changes(entity, current)
    if entity.entity_id != row.entity_id:
        return changes
    return {name: value for name, value in changes.items() if name in endpoint_values(entity)}


def held_proposal(session: Session, settings: Settings, account: Account, row: IdpMetadata, now: datetime) -> Proposal:
    """What confirming would change, to be looked at. Raises MetadataError when it has expired, or nothing waits."""
    entity = held_entity(row, now)
    if entity is None:
        raise MetadataError("Nothing is waiting any more.")
    return proposed(session, settings, account, entity, held_changes(row, entity, draft_of(session, account)))


def confirm_held(
    session: Session, settings: Settings, account: Account, shown: str, *, saved_by: str, now: datetime
) -> Saved | Invalid | Overtaken | None:
    """Take over the held change whose digest was `shown`, and no other. Raises MetadataError when it has expired.

    None where it waits no more. Otherwise a document that changes between the page and the button would be confirmed
    by somebody who never saw it.
    """
    row = _still_held(session, account, shown)
    entity = held_entity(row, now) if row is not None else None
    if row is None or entity is None:
        return None
    current = draft_of(session, account)
    if entity.entity_id != row.entity_id:
        based_on = accounts.settings_in_force(session, account).version
        source = Source(row.url, stored_certificate(row.pinned_certificate) if row.pinned_certificate else None)
        return save_import(
            session, settings, account, entity, based_on=based_on, saved_by=saved_by, now=now, source=source
        )
    draft = replace(current, **held_changes(row, entity, current))
    saved = save_sso_settings(session, settings, account, draft, saved_by=saved_by, now=now)
    if isinstance(saved, Saved):
        _answered(row)
    return saved


def dismiss_held(session: Session, account: Account, shown: str) -> bool:
    """Let the settings be as they are: the change whose digest was `shown` is not held again.

    Whether it waited still.
    """
    row = _still_held(session, account, shown)
    if row is not None:
        _answered(row)
    return row is not None


def _answered(row: IdpMetadata) -> None:
    if row.held is not None:
        row.seen = {**row.seen, "endpoints": row.held["endpoints"]}
    row.held = None
