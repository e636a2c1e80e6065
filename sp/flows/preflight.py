"""The preflight of one account: its settings, as saved or as typed, and what is known around them.

Owns gathering that. Never judges it (see `sp.diagnosis.preflight`), and never stores anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session

from sp.diagnosis.preflight import preflight
from sp.diagnosis.preflight.connection import Connection
from sp.diagnosis.preflight.finding import Row
from sp.flows.account_setup import LABELS, SsoDraft, missing_for_saml, sso_faults
from sp.flows.realms import judging_time_of, settings_of, standing_clock
from sp.flows.service_keys import published
from sp.models import Account
from sp.saml.messages import UserMapping
from sp.saml.times import instant
from sp.saml.validation import open_message
from sp.settings import Settings
from sp.store import accounts, realms, sign_in_attempts, users
from sp.store.rows import required

_MAPPED_FIELDS = {UserMapping.USERNAME: "an 8x8 Username", UserMapping.FEDERATION_ID: "a Federation ID"}
_MESSAGES = 9
_AMONG = 50


@dataclass(frozen=True, slots=True)
class Typed:
    """What only the browser knows: why a field could not even be read, by its name, and its own time."""

    faults: Mapping[str, str] = field(default_factory=dict)
    browser_time: datetime | None = None


NOTHING_TYPED = Typed()


def preflight_of(
    session: Session,
    settings: Settings,
    account: Account,
    draft: SsoDraft,
    now: datetime,
    typed: Typed = NOTHING_TYPED,
) -> tuple[Row, ...]:
    """The rows for these settings, which need not have been saved."""
    own_settings = settings_of(session, settings, account)
    faults = missing_for_saml(draft) | sso_faults(session, settings, account, draft) | dict(typed.faults)
    mapped = draft.user_mapping == UserMapping.FEDERATION_ID
    account_id = required(account.id)
    own = published(session, account_id)
    hashes = [certificate.sha256 for certificate in draft.certificates]
    connection = Connection(
        now=judging_time_of(session, settings, account, now),
        base_url=settings.base_url,
        entity_id=own_settings.entity_id,
        acs_url=own_settings.acs_url,
        sign_in_url=draft.sign_in_url,
        sign_out_url=draft.sign_out_url,
        issuer=draft.issuer,
        certificates=draft.certificates,
        own_certificates=(*own.signing, *own.encryption),
        faults={label: faults[name] for name, label in LABELS.items() if name in faults},
        issuers_elsewhere=accounts.issuers_of_certificates(
            session, hashes, company_id=account.company_id, besides=account_id
        ),
        switched_on=draft.single_sign_on,
        active=account.active,
        unsolicited=draft.unsolicited,
        provisioning=draft.provisioning,
        mapped_field=_MAPPED_FIELDS[UserMapping.FEDERATION_ID if mapped else UserMapping.USERNAME],
        mapped_user_exists=users.has_active_user(session, account_id, with_federation_id=mapped),
        distances=_distances(session, settings, account),
        browser_distance=typed.browser_time - now if typed.browser_time else None,
        skew=settings.skew,
        response_max_age=settings.response_max_age,
    )
    return preflight(connection)


def _distances(session: Session, settings: Settings, account: Account) -> tuple[timedelta, ...]:
    """How far the IssueInstant of the last verified messages was ahead of the moment when they came.

    Where a clock stands, messages are written for that time, and say nothing about anybody's clock.
    """
    if standing_clock(settings, realms.realm_by_id(session, account.realm_id)):
        return ()
    found = sign_in_attempts.verified_messages(session, required(account.id), among=_AMONG, limit=_MESSAGES)
    opened = ((received_at, open_message(xml, settings.limits).response) for received_at, xml in found)
    issued = ((received_at, instant(response.issue_instant)) for received_at, response in opened if response)
    return tuple(moment - received_at for received_at, moment in issued if moment)
