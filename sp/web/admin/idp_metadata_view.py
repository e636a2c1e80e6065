"""An identity provider's metadata as the page shows it: what would change, and what following it has come to.

Owns the words. Never saves and never fetches.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sp.flows.account_setup import LABELS
from sp.flows.metadata_import import Proposal, labeled
from sp.flows.metadata_refresh import held_digest
from sp.models import IdpMetadata
from sp.saml.certificates import IdpCertificate, stored_certificate
from sp.saml.idp_metadata import FoundProviders
from sp.saml.portable_metadata import portable
from sp.web.admin.certificate_view import CertificateView, certificate_view
from sp.web.admin.version_view import ChangeView
from sp.web.times import ShownTime, exact, shown_time


@dataclass(frozen=True, slots=True)
class CertificateChange:
    """`badge` is the kind and the word of what happens to it."""

    badge: tuple[str, str]
    certificate: CertificateView


@dataclass(frozen=True, slots=True)
class ProposalView:
    """What taking an entity over would change; `kept` certificates stay trusted.

    `carried` is the entity itself, for the form that saves it.
    """

    entity_id: str
    display_name: str
    changes: tuple[ChangeView, ...]
    certificates: tuple[CertificateChange, ...]
    kept: int
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    name_id_formats: tuple[str, ...]
    valid_until: str
    carried: str

    @property
    def changes_anything(self) -> bool:
        return bool(self.changes or self.certificates)


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """An entity of a federation. Without `carried` it cannot be chosen, and `why` says so."""

    entity_id: str
    display_name: str
    carried: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class FollowedView:
    """The address that an account follows. `waiting` is the change that is held, since `held_since`."""

    url: str
    entity_id: str
    pinned: str
    refreshing: bool
    fault: str
    fetched: ShownTime | None
    next: ShownTime | None
    valid_until: str
    waiting: ProposalView | None
    held_since: str
    shown: str  # by which an answer names what waits


def proposal_view(found: Proposal, now: datetime) -> ProposalView:
    entity = found.entity
    return ProposalView(
        entity_id=entity.entity_id,
        display_name=entity.display_name,
        changes=tuple(
            ChangeView(label, _sides(before), _sides(after)) for label, before, after in labeled(found.changes)
        ),
        certificates=tuple(_certificates(found, now)),
        kept=len(found.kept),
        faults=tuple(f"{LABELS.get(name, name)}: {sentence}" for name, sentence in found.faults.items()),
        notes=entity.notes,
        name_id_formats=entity.name_id_formats,
        valid_until=exact(entity.valid_until) if entity.valid_until else "",
        carried=portable(entity),
    )


def _sides(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _certificates(found: Proposal, now: datetime) -> list[CertificateChange]:
    back = found.before.retired_certificates
    return [
        *(_change(one, ("accepted", "Brought back" if one in back else "Added"), now) for one in found.added),
        *(_change(one, ("warning", "Retired"), now) for one in found.retired),
    ]


def _change(certificate: IdpCertificate, badge: tuple[str, str], now: datetime) -> CertificateChange:
    return CertificateChange(badge, certificate_view(certificate, now))


def choices_of(found: FoundProviders) -> tuple[ChoiceView, ...]:
    usable = (ChoiceView(one.entity_id, one.display_name, carried=portable(one)) for one in found.entities)
    others = (ChoiceView(listed.entity_id, listed.display_name, why=why) for listed, why in found.unusable)
    return (*usable, *others)


def followed_view(row: IdpMetadata, waiting: Proposal | None, now: datetime) -> FollowedView:
    pinned = stored_certificate(row.pinned_certificate) if row.pinned_certificate else None
    return FollowedView(
        url=row.url,
        entity_id=row.entity_id,
        pinned=pinned.subject if pinned else "",
        refreshing=row.refreshing,
        fault=row.fault,
        fetched=shown_time(row.fetched_at, now) if row.fetched_at else None,
        next=shown_time(row.next_refresh_at, now) if row.next_refresh_at and row.refreshing else None,
        valid_until=exact(row.valid_until) if row.valid_until else "",
        waiting=proposal_view(waiting, now) if waiting else None,
        held_since=str((row.held or {}).get("since", "")),
        shown=held_digest(row),
    )
