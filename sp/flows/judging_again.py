"""The verdict on an attempt, computed again from what was kept of it: as it was then, or against other settings.

Owns putting the inputs of then together, and changing them for a "what if". Never stores, claims or grants anything.

The same bytes and the same expectations give the same verdict (see `sp.saml.validation`), so no report is kept. What
the store said then about replay and the user is part of the inputs; where a "what if" gets further than the attempt
did, the store is asked now, without leaving a trace.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from sp.flows.assertion_consumer import keys_for
from sp.flows.internal_errors import as_then
from sp.flows.provisioning import Place, find_link
from sp.models import Account, SignInAttempt
from sp.saml import validation
from sp.saml.bindings import FORM_TYPE
from sp.saml.certificates import IdpCertificate
from sp.saml.checks import CHECKS
from sp.saml.messages import (
    AccountHolder,
    AccountTrust,
    Expectations,
    HandedOut,
    Identity,
    Judgement,
    Limits,
    Opened,
    PendingRequest,
    PostedForm,
    SignedPart,
    UserLink,
)
from sp.saml.stored_findings import findings_in
from sp.store import accounts, consumed_assertions, sign_in_attempts
from sp.store.rows import required


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different this time; None leaves a value as it was.

    `settings_id` is another version of an account's settings, of which the other changes then change a part.
    """

    settings_id: int | None = None
    certificates: tuple[IdpCertificate, ...] | None = None
    issuer: str | None = None
    entity_id: str | None = None
    acs_url: str | None = None
    now: datetime | None = None
    allow_sha1: bool | None = None
    signed_part: SignedPart | None = None


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that the verdict on an attempt depended on."""

    opened: Opened
    expectations: Expectations
    holder: AccountHolder


def inputs_of(session: Session, attempt: SignInAttempt) -> Inputs:
    """The inputs of then."""
    kept = attempt.expectations
    trust = trust_of_version(session, attempt.settings_id, active=kept["account_active"])
    opened = _opened(attempt)
    expectations = _with_keys(session, attempt, opened, _expectations(attempt, trust), attempt.settings_id)
    return Inputs(opened, expectations, _holder(kept["holder"]))


def _with_keys(
    session: Session, attempt: SignInAttempt, opened: Opened, expectations: Expectations, settings_id: int | None
) -> Expectations:
    """With the keys, at the time of the attempt, of the account whose settings count."""
    account_id = None if settings_id is None else _account_of(session, settings_id).id
    keys = keys_for(session, opened, account_id, attempt.received_at)
    return replace(expectations, decryption_keys=keys.usable, former_keys=keys.former)


def judge_attempt(session: Session, attempt: SignInAttempt) -> Judgement:
    """The verdict of then, row for row."""
    return judgement_of(inputs_of(session, attempt), attempt)


def judgement_of(inputs: Inputs, attempt: SignInAttempt) -> Judgement:
    """The same, for an attempt whose inputs are read already."""
    judgement = validation.judge(inputs.opened, inputs.expectations, inputs.holder)
    return replace(judgement, report=as_then(judgement.report, attempt.expectations))


def judge_again(session: Session, attempt: SignInAttempt, changes: Changes) -> Judgement:
    """The verdict on the same bytes with `changes`. Without any it is the verdict of then, unless that was an error."""
    inputs = inputs_of(session, attempt)
    expectations = changed_expectations(session, inputs.expectations, changes)
    if changes.settings_id is not None:
        expectations = _with_keys(session, attempt, inputs.opened, expectations, changes.settings_id)
    verified = validation.verify(inputs.opened, expectations)
    holder = inputs.holder
    if verified.identity is not None and _asks_anew(holder, inputs.expectations.account, expectations.account):
        settings_id = changes.settings_id or attempt.settings_id
        holder = ask_store(session, holder, settings_id, expectations.account, verified.identity)
    return validation.conclude(verified, holder)


def _opened(attempt: SignInAttempt) -> Opened:
    """Stages 1 to 3. A form that never became bytes left its findings, which cannot be found again."""
    xml = sign_in_attempts.decompress(attempt.message)
    if xml is None:
        return Opened(findings=findings_in(attempt.expectations["transport"], _PROBLEMS))
    field = base64.b64encode(xml).decode("ascii")
    form = PostedForm("POST", FORM_TYPE, (("SAMLResponse", field),))
    return validation.open_form(form, Limits(message_bytes=attempt.expectations["max_message_bytes"]))


_PROBLEMS = {check.code: check.problems for check in CHECKS}


def _expectations(attempt: SignInAttempt, trust: AccountTrust | None) -> Expectations:
    kept = attempt.expectations
    return Expectations(
        now=fixed_time(attempt) or attempt.received_at,
        entity_id=kept["entity_id"],
        acs_url=kept["acs_url"],
        account=trust,
        nearest_issuer=kept["nearest_issuer"],
        pending=tuple(_pending(request) for request in kept["pending"]),
        skew=timedelta(seconds=kept["skew_seconds"]),
        response_max_age=timedelta(seconds=kept["response_max_age_seconds"]),
        request_max_age=timedelta(seconds=kept["request_max_age_seconds"]),
        metadata_url=kept.get("metadata_url", ""),
    )


def fixed_time(attempt: SignInAttempt) -> datetime | None:
    """Where the clock of its workspace stood when it was judged; None where it went."""
    kept = attempt.expectations.get("fixed_time")
    return datetime.fromisoformat(kept) if kept else None


def _pending(kept: Mapping[str, Any]) -> PendingRequest:
    changed = {
        "sent_at": datetime.fromisoformat(kept["sent_at"]),
        "requested_contexts": tuple(kept["requested_contexts"]),
    }
    return PendingRequest(**{**kept, **changed})


def _holder(kept: Mapping[str, Any]) -> AccountHolder:
    given = kept.get("handed_out")
    return AccountHolder(
        replayed=kept["replayed"],
        link=UserLink(kept["link"]),
        status=kept["status"],
        handed_out=None if given is None else HandedOut(datetime.fromisoformat(given["at"]), given["to"]),
        stored_username=kept.get("stored_username"),
    )


def trust_of_version(session: Session, settings_id: int | None, *, active: bool | None = None) -> AccountTrust | None:
    """What a version of the settings trusts, with the account switched on or off as given, else as it is now."""
    if settings_id is None:
        return None
    account, version = _account_of(session, settings_id), accounts.settings_version(session, settings_id)
    trust = accounts.trust_of(account, version, accounts.certificates_of(session, settings_id))
    return trust if active is None else replace(trust, active=active)


def _account_of(session: Session, settings_id: int) -> Account:
    return accounts.account_by_id(session, accounts.settings_version(session, settings_id).account_id)


def changed_expectations(session: Session, then: Expectations, changes: Changes) -> Expectations:
    trust = then.account if changes.settings_id is None else trust_of_version(session, changes.settings_id)
    return replace(
        then,
        account=None if trust is None else replace(trust, **_given(changes, _OF_ACCOUNT)),
        **_given(changes, _OF_SERVICE),
    )


_OF_ACCOUNT = ("certificates", "issuer", "allow_sha1", "signed_part")
_OF_SERVICE = ("entity_id", "acs_url", "now")


def _given(changes: Changes, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(changes, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _asks_anew(holder: AccountHolder, then: AccountTrust | None, now: AccountTrust | None) -> bool:
    """Whether the store's word of then does not answer: nobody asked, or the settings link users differently."""
    if holder.replayed is None or then is None or now is None:
        return True
    return (then.user_mapping, then.provisioning) != (now.user_mapping, now.provisioning)


def ask_store(
    session: Session, then: AccountHolder, settings_id: int | None, trust: AccountTrust | None, identity: Identity
) -> AccountHolder:
    """What the store says now. Whether the assertion was a replay is asked only where nobody asked then."""
    if settings_id is None or trust is None:
        return then
    account = _account_of(session, settings_id)
    replayed = then.replayed
    if replayed is None:
        key = (account.realm_id, identity.issuer, identity.assertion_id)
        replayed = consumed_assertions.was_consumed(session, *key)
    place = Place(account.realm_id, required(account.id))
    holder = find_link(session, place, trust, identity).holder(replayed=replayed)
    return replace(holder, handed_out=then.handed_out)


def settings_in_force(session: Session, account_id: int) -> int:
    """The id of the version that an account's next sign-in is held against."""
    return required(accounts.account_by_id(session, account_id).settings_id)
