"""One response at the assertion consumer service, from its form to a session or a refusal.

Owns the order of the steps and the transaction; the numbers are those of `sp.saml`. Never judges: the core does.

 1-3  open the form: bytes, document, structure                       pure
 4    the unverified issuer picks the account whose keys are tried    reads
 5-6  hold the response against the account's expectations            pure
 7    use up the request that it answers, and claim                   writes
      (realm, issuer, assertion id), so that each works once
 8    link or create the user                                         writes
 9    open the session, note which certificate was of use             writes
10    record the attempt, accepted or refused                         writes, always

Steps 7 to 10 are one transaction. A refusal is a value, so the row that explains it commits with it. An assertion
that was claimed stays claimed when its user is then refused: it was delivered, and a second delivery is a replay.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from sp.diagnosis.remedies import provider_of
from sp.flows.internal_errors import ANSWERED_ELSEWHERE, kept_error, log_internal_error
from sp.flows.pending_answers import answered_request, pending_of, use_up
from sp.flows.provisioning import Link, Place, find_link, provision, within_quota
from sp.flows.realms import end_in, hold_once, judging_time, log_of
from sp.flows.service_keys import decryption_keys
from sp.flows.service_metadata import metadata_url
from sp.flows.sign_in_memory import SignInMemory, memory_of
from sp.models import AuthnRequest, Realm, SignInOutcome
from sp.saml import validation
from sp.saml.assertion_keys import encrypted_key_ids
from sp.saml.identity import read_name_id, username_key
from sp.saml.messages import (
    AccountHolder,
    AccountTrust,
    Expectations,
    Identity,
    Judgement,
    Opened,
    PendingRequest,
    PostedForm,
    UserLink,
    Verified,
)
from sp.saml.own_keys import NO_KEYS, DecryptionKeys
from sp.saml.report import Fault, Report, failed
from sp.saml.stored_findings import stored_rows
from sp.settings import Settings
from sp.store import accounts, certificate_uses, consumed_assertions, sessions, sign_in_attempts
from sp.store.consumed_assertions import UNUSED
from sp.store.engine import Database
from sp.store.rows import required
from sp.store.sessions import NewUserSession
from sp.store.sign_in_attempts import NewAttempt
from sp.store.together import Steps, Transaction, Work, run
from sp.store.users import Person

# Two first sign-ins of one person collide once; the second try finds the user that the first one made. And settings are
# not saved twice while a message is judged.
_TRIES = 5
_LARGEST_STRANGE_MESSAGE = 16 * 1024  # bytes
# An id is remembered this long beyond its expiry: a wider skew, or a clock set back, would find it forgotten and valid.
_REMEMBERED_AFTERWARDS = timedelta(days=2)

# A provider may send longer ones; the columns hold this much, and PostgreSQL refuses what is longer.
_KEPT_CHARACTERS = 1024
_FORMAT_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class UnreadForm:
    """A post that was turned away before its fields were read: which check of stage 1 says so, and why."""

    code: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Delivery:
    """A post as it reached us: the form, from where, and the tokens of the browser that brought it."""

    form: PostedForm | UnreadForm
    received_at: datetime
    remote_address: str
    new_token: str
    old_token: str = ""
    request_token: str = ""  # of the cookie that the browser's own requests are bound to
    pending: tuple[PendingRequest, ...] = ()
    workspace: Realm | None = None  # where it was delivered, if not to the shared realm

    @property
    def judged_at(self) -> datetime:
        """By which time the message is judged. Sessions, users and the log go by `received_at`, always."""
        return judging_time(self.workspace, self.received_at)


@dataclass(frozen=True, slots=True)
class SignIn:
    """What came of it. A session stands under the delivery's token exactly when the report accepts."""

    reference: str
    judgement: Judgement
    unverified_issuer: str = ""
    username: str = ""
    provisioned: bool = False
    opened: Opened = field(default_factory=Opened)
    sign_in_url: str = ""
    account_slug: str = ""  # of the account that it was judged for; empty where another one had asked
    answered: AuthnRequest | None = None  # the request of this browser that the message says it answers

    @property
    def accepted(self) -> bool:
        return self.judgement.report.accepts

    @property
    def for_the_bench(self) -> bool:
        """Whether an administrator of the account tried a request out: the answer is shown, nobody is signed in."""
        return self.answered is not None and self.answered.bench

    @property
    def provider(self) -> str:
        """The identity provider that the unverified message seems to come from: for words and nothing else."""
        return provider_of(self.opened, self.sign_in_url)


@dataclass(frozen=True, slots=True)
class _Trusting:
    """The account that trusts the unverified issuer, in the realm whose address this is; None where nobody does.

    `told_to` is the account in whose log the attempt goes: in a workspace its only one, whatever the issuer.
    """

    realm_id: int
    account: accounts.Trusting | None = None
    told_to: int | None = None
    nearest_issuer: str = ""
    answered: AuthnRequest | None = None

    @property
    def trust(self) -> AccountTrust | None:
        return None if self.account is None else self.account.trust

    @property
    def account_id(self) -> int | None:
        return None if self.account is None else self.account.account_id

    @property
    def sign_in_url(self) -> str:
        return "" if self.account is None else self.account.sign_in_url

    @property
    def place(self) -> Place:
        """Raises ValueError where nobody trusts the issuer."""
        return Place(self.realm_id, required(self.told_to))


def consume(database: Database, settings: Settings, delivery: Delivery) -> SignIn:
    """The whole story of one post. `settings` are those of the realm to which it was delivered.

    Raises WorkspaceGoneError when that is a workspace which was removed meanwhile.
    """
    return run(database, consuming(database, settings, delivery))


def consuming(database: Database, settings: Settings, delivery: Delivery) -> Steps[SignIn]:
    """The same in steps: it judges, and waits for its part of a transaction, which it may share.

    What is raised on the way refuses the message, and the refusal is recorded in a transaction of its own.
    """
    opened = _open(delivery.form, settings)  # 1-3
    try:
        sign_in = yield from _consuming(database, settings, delivery, opened)
    except ANSWERED_ELSEWHERE:
        raise
    except Exception as error:  # noqa: BLE001  one message must not be a 500 without a trace
        sign_in = yield from _refusing(database, settings, delivery, opened, error)
    log_internal_error(sign_in.judgement.error, sign_in.reference)
    return sign_in


def _consuming(database: Database, settings: Settings, delivery: Delivery, opened: Opened) -> Steps[SignIn]:
    """A second time, when the settings were changed while the message was judged or another sign-in was faster."""
    for _ in range(_TRIES - 1):
        try:
            return (yield from _settled(_judge(database, settings, delivery, opened)))
        except _OutdatedError:
            memory_of(database).forget(settings.realm, opened.unverified_issuer)
        except IntegrityError:
            continue
    return (yield from _settled(_judge(database, settings, delivery, opened)))


def _refusing(
    database: Database, settings: Settings, delivery: Delivery, opened: Opened, error: Exception
) -> Steps[SignIn]:
    """Record the refusal: without an account where that raises, as when the account's settings were saved meanwhile."""
    try:
        return (yield from _settled(_refusal(database, settings, delivery, opened, error)))
    except ANSWERED_ELSEWHERE:
        raise
    except Exception:  # noqa: BLE001  recording the refusal must not be a 500 without a trace either
        settling = _without_account(database, settings, delivery, opened)
        return (yield from _settled(_refused_by(error, settling)))


def _refusal(database: Database, settings: Settings, delivery: Delivery, opened: Opened, error: Exception) -> _Settling:
    """The refusal of a message at whose evaluation `error` was raised, in the log of its account if that is known."""
    try:
        settling = _judge(database, settings, delivery, opened)
    except ANSWERED_ELSEWHERE:
        raise
    except Exception:  # noqa: BLE001  what raises before the account is known leaves it unknown
        settling = _without_account(database, settings, delivery, opened)
    return _refused_by(error, settling)


def _refused_by(error: Exception, settling: _Settling) -> _Settling:
    verified = settling.verified
    return replace(settling, verified=validation.failed_by(error, verified.findings, verified.expectations))


def _without_account(database: Database, settings: Settings, delivery: Delivery, opened: Opened) -> _Settling:
    with database.reading() as session:
        workspace = delivery.workspace
        realm_id = required((workspace or accounts.shared_realm(session)).id)
        trusting = _Trusting(realm_id, told_to=log_of(session, workspace))
    expectations = Expectations(delivery.judged_at, settings.entity_id, settings.acs_url, account=None)
    verified = Verified(opened.findings, expectations)
    reference = sign_in_attempts.new_reference()
    message = sign_in_attempts.compress(_worth_keeping(settings, opened, trusting))
    return _Settling(settings, memory_of(database), delivery, opened, trusting, verified, reference, message)


def _settled(settling: _Settling) -> Steps[SignIn]:
    sign_in: SignIn = yield Work(settling.settle, settling.order)
    settling.remember_use(sign_in)
    return sign_in


class _OutdatedError(Exception):
    """The settings were changed between judging a message and recording the verdict."""


def _judge(database: Database, settings: Settings, delivery: Delivery, opened: Opened) -> _Settling:
    """Steps 4 to 6; what it returns does 7 to 10.

    That raises IntegrityError when another sign-in was faster, or a workspace was emptied meanwhile.
    """
    trusting, delivery, keys = _look_up(database, settings, delivery, opened)  # 4
    expectations = replace(
        expectations_for(settings, trusting.trust, delivery.judged_at, delivery.pending, keys),
        nearest_issuer=trusting.nearest_issuer,
    )
    verified = validation.verify(opened, expectations)  # 5-6
    reference = sign_in_attempts.new_reference()
    message = sign_in_attempts.compress(_worth_keeping(settings, opened, trusting))  # before anybody waits for the lock
    return _Settling(settings, memory_of(database), delivery, opened, trusting, verified, reference, message)


def _open(form: PostedForm | UnreadForm, settings: Settings) -> Opened:
    if isinstance(form, UnreadForm):
        return Opened(findings={form.code: failed(*form.fault)})
    return validation.open_form(form, settings.limits)


def expectations_for(
    settings: Settings,
    trust: AccountTrust | None,
    now: datetime,
    pending: tuple[PendingRequest, ...] = (),
    keys: DecryptionKeys = NO_KEYS,
) -> Expectations:
    """What the service holds every response against, with the account's part."""
    return Expectations(
        now=now,
        entity_id=settings.entity_id,
        acs_url=settings.acs_url,
        account=trust,
        pending=pending,
        skew=settings.skew,
        response_max_age=settings.response_max_age,
        request_max_age=settings.request_max_age,
        decryption_keys=keys.usable,
        former_keys=keys.former,
        metadata_url=metadata_url(settings, trust.slug) if trust else "",
    )


def keys_for(
    session: Session, opened: Opened, account_id: int | None, now: datetime, *, asked_at: datetime | None = None
) -> DecryptionKeys:
    """The keys of the account that trusts the issuer; none are read for a message in which nothing is encrypted.

    Only that account's: with the keys of all, a second account that names the same identity provider's certificate
    would open messages that were encrypted for the first one.
    """
    return decryption_keys(session, account_id, now, asked_at=asked_at) if _hides_something(opened) else NO_KEYS


def _hides_something(opened: Opened) -> bool:
    return opened.xml is not None and b"Encrypted" in opened.xml


def _look_up(
    database: Database, settings: Settings, delivery: Delivery, opened: Opened
) -> tuple[_Trusting, Delivery, DecryptionKeys]:
    """Who trusts the issuer; the delivery with the request that it answers; the keys that may open the message.

    Most messages answer no request, hide nothing and come from an issuer that came before, and what is no message at
    all comes from nobody: for those nothing is read yet. Whether what is remembered still holds is asked where the
    verdict is recorded.
    """
    memory = memory_of(database)
    if not delivery.request_token and not _hides_something(opened):
        known = memory.trusting(settings.realm, opened.unverified_issuer)
        if known is not None:
            return _Trusting(known.realm_id, known, known.account_id), delivery, NO_KEYS
        if not opened.unverified_issuer and delivery.workspace is None and memory.shared_realm_id is not None:
            return _Trusting(memory.shared_realm_id), delivery, NO_KEYS
    with database.reading() as session:
        answered = answered_request(session, settings, opened, delivery.request_token)
        trusting = _found(session, settings, delivery, opened, answered)
        keys = keys_for(session, opened, trusting.account_id, delivery.received_at)
        pending = (*delivery.pending, *pending_of(session, answered, delivery.judged_at - delivery.received_at))
    if trusting.account is not None:
        memory.remember(settings.realm, trusting.account)
    if delivery.workspace is None:
        memory.shared_realm_id = trusting.realm_id
    return replace(trusting, answered=answered), replace(delivery, pending=pending), keys


def _found(
    session: Session, settings: Settings, delivery: Delivery, opened: Opened, answered: AuthnRequest | None
) -> _Trusting:
    found = accounts.signing_in(session, settings.realm, opened.unverified_issuer)
    if found is not None:
        return _Trusting(found.realm_id, found, found.account_id)
    workspace = delivery.workspace
    realm_id = required((workspace or accounts.shared_realm(session)).id)
    asked_by = None if answered is None else answered.account_id
    received = opened.unverified_issuer
    nearest = accounts.nearest_issuer(session, realm_id, received, account_id=asked_by) if received else ""
    return _Trusting(realm_id, told_to=log_of(session, workspace), nearest_issuer=nearest)


@dataclass(frozen=True, slots=True)
class _Settling:
    """Steps 7 to 10 of one message, in one transaction."""

    settings: Settings
    memory: SignInMemory
    delivery: Delivery
    opened: Opened
    trusting: _Trusting
    verified: Verified
    reference: str
    message: bytes | None

    @property
    def order(self) -> tuple[str, ...]:
        """By the rows that it may lock: the workspace's, the user's, the claim's."""
        identity = self.verified.identity
        named = () if identity is None else (username_key(identity.username), identity.assertion_id)
        return (self.settings.realm, *named)

    @property
    def _realm_id(self) -> int:
        """Of the realm that was asked; what is remembered may be of an earlier workspace of the same name."""
        workspace = self.delivery.workspace
        return self.trusting.realm_id if workspace is None else required(workspace.id)

    def settle(self, transaction: Transaction) -> SignIn:
        """Raises _OutdatedError where what the message was judged by does not hold any more."""
        connection, trusting = transaction.connection, self.trusting
        hold_once(transaction, self._realm_id)
        if trusting.account is not None and not accounts.still_trusts(transaction, trusting.account):
            raise _OutdatedError
        verified = use_up(connection, self.opened, self.verified, trusting.answered, self.delivery.received_at)  # 7
        delivery = replace(self.delivery, pending=verified.expectations.pending)
        holder, link = self._account_holder(connection, trusting, verified)
        judgement = validation.conclude(verified, holder)
        user = _admit(transaction, delivery, trusting, judgement, link)  # 8
        if user is not None and judgement.identity is not None:
            opened_session = _session_row(self.settings, delivery, user, judgement.identity, self.reference)
            sessions.open_verified_session(transaction, opened_session)  # 9
            sessions.end_at_last(transaction, delivery.old_token)
            self._note_use(transaction)
        sign_in = SignIn(
            reference=self.reference,
            judgement=judgement,
            unverified_issuer=self.opened.unverified_issuer,
            username=_username(judgement, user),
            provisioned=user is not None and link.person is None,
            opened=self.opened,
            sign_in_url=trusting.sign_in_url,
            account_slug=_slug_of(trusting),
            answered=trusting.answered,
        )
        attempt = _attempt(self.settings, delivery, trusting, sign_in, user, holder, self.message)
        sign_in_attempts.record(transaction, attempt)  # 10
        return sign_in

    @property
    def _stale_use(self) -> tuple[accounts.Trusting, str] | None:
        """The account and its certificate, where it should be written down that this one was of use.

        A certificate that signs people in must not be removed: the administrator sees when it last did.
        """
        used, account, now = self.verified.certificate, self.trusting.account, self.delivery.received_at
        if used is None or account is None or not certificate_uses.is_stale(account.last_used.get(used.sha256), now):
            return None
        return account, used.sha256

    def _note_use(self, transaction: Transaction) -> None:
        if (stale := self._stale_use) is not None:
            use = (stale[0].account_id, stale[1])
            now = self.delivery.received_at
            transaction.once(("use", *use), lambda connection: certificate_uses.record(connection, *use, now))

    def remember_use(self, sign_in: SignIn) -> None:
        """That the use is written down: after the commit, since what is rolled back is written down by nobody."""
        if sign_in.accepted and not sign_in.for_the_bench and (stale := self._stale_use) is not None:
            account, sha256 = stale
            account.last_used[sha256] = self.delivery.received_at

    def _account_holder(
        self, connection: Connection, trusting: _Trusting, verified: Verified
    ) -> tuple[AccountHolder, Link]:
        """What stage 9 needs to know. Only a sound assertion is claimed; a refused one is looked up, nothing more."""
        identity, now = verified.identity, self.delivery.received_at
        if identity is None or trusting.trust is None:
            return AccountHolder(), Link(UserLink.UNKNOWN)
        key = (trusting.realm_id, identity.issuer, identity.assertion_id)
        encrypted_keys = () if self.opened.response is None else encrypted_key_ids(self.opened.response.tree)
        until = max(identity.not_on_or_after, now) + _REMEMBERED_AFTERWARDS  # by a fixed clock it may never expire
        claimed = verified.sound and consumed_assertions.claim(connection, *key, until, encrypted_keys)
        earlier = UNUSED if claimed else consumed_assertions.earlier_use(connection, *key, encrypted_keys)
        link = find_link(connection, trusting.place, trusting.trust, identity)
        link = within_quota(connection, self.settings, self.memory.quota, trusting.place, link, now)
        return replace(link.holder(replayed=earlier.consumed), handed_out=earlier.handed_out), link


def _slug_of(trusting: _Trusting) -> str:
    account, asked = trusting.account, trusting.answered
    if account is None or (asked is not None and asked.account_id != account.account_id):
        return ""
    return account.trust.slug


def _admit(
    transaction: Transaction, delivery: Delivery, trusting: _Trusting, judgement: Judgement, link: Link
) -> Person | None:
    """The user who is signed in, provisioned first; None when the report refuses, or the request bench asked."""
    if not judgement.report.accepts or (trusting.answered is not None and trusting.answered.bench):
        return None
    if judgement.identity is None or trusting.trust is None:
        raise RuntimeError("a report accepted a message without an account or an identity")
    return provision(transaction, trusting.place, trusting.trust, judgement.identity, link, delivery.received_at)


def _session_row(
    settings: Settings, delivery: Delivery, user: Person, identity: Identity, reference: str
) -> NewUserSession:
    now = delivery.received_at
    return NewUserSession(
        token_hash=sessions.hash_token(delivery.new_token),
        user_id=user.id,
        account_id=user.account_id,
        method="saml",
        attempt_reference=reference,
        issuer=identity.issuer,
        name_id=identity.name_id.value,
        name_id_format=(identity.name_id.format or "")[:_FORMAT_CHARACTERS],
        name_qualifier=(identity.name_id.name_qualifier or "")[:_KEPT_CHARACTERS],
        sp_name_qualifier=(identity.name_id.sp_name_qualifier or "")[:_KEPT_CHARACTERS],
        session_index=sessions.kept_index(identity.session_index or ""),
        authn_context=(identity.authn_context or "")[:_KEPT_CHARACTERS],
        attributes={name: list(values) for name, values in identity.attributes.items()},
        created_at=now,
        last_seen_at=now,
        expires_at=_session_end(settings, delivery, identity),
    )


def _session_end(settings: Settings, delivery: Delivery, identity: Identity) -> datetime:
    """SessionNotOnOrAfter is a time of the message's clock; a session ends by the real one, as far ahead of it.

    Where that time lies behind by less than the skew, as is accepted, the skew comes on top: otherwise an accepted
    message would open a session that is over.
    """
    lasts, now = settings.session_max, delivery.received_at
    if identity.session_not_on_or_after is not None:
        ahead = identity.session_not_on_or_after - delivery.judged_at
        lasts = min(lasts, ahead if ahead > timedelta(0) else ahead + settings.skew)
    return end_in(delivery.workspace, now + lasts)


def _username(judgement: Judgement, user: Person | None) -> str:
    if user is not None:
        return user.username
    return judgement.identity.username[:256] if judgement.identity else ""


def _attempt(
    settings: Settings,
    delivery: Delivery,
    trusting: _Trusting,
    sign_in: SignIn,
    user: Person | None,
    holder: AccountHolder,
    message: bytes | None,
) -> NewAttempt:
    report, opened = sign_in.judgement.report, sign_in.opened
    return NewAttempt(
        reference=sign_in.reference,
        realm_id=trusting.realm_id,
        account_id=trusting.told_to,
        settings_id=None if trusting.account is None else trusting.account.settings_id,
        received_at=delivery.received_at,
        remote_address=delivery.remote_address,
        outcome=SignInOutcome.ACCEPTED if sign_in.accepted else SignInOutcome.REFUSED,
        failed=list(report.failed),
        warnings=list(report.warnings),
        issuer=opened.unverified_issuer,
        username=sign_in.username,
        unverified_username="" if sign_in.username else _unverified_username(opened),
        user_id=user.id if user else None,
        provisioned=sign_in.provisioned,
        expectations=_inputs(settings, delivery, opened, trusting, holder)
        | _findings_kept(report, message)
        | kept_error(report, sign_in.judgement.error),
        message=message,
    )


def _worth_keeping(settings: Settings, opened: Opened, trusting: _Trusting) -> bytes | None:
    """The message, unless it is large and anybody can send it: no response, or of an issuer that no account trusts."""
    limits = [_LARGEST_STRANGE_MESSAGE] if opened.response is None else []
    if trusting.account is None:
        limits.append(settings.unknown_message_kilobytes * 1024)
    return None if opened.xml is not None and limits and len(opened.xml) > min(limits) else opened.xml


def _unverified_username(opened: Opened) -> str:
    """Whom the message is about by its own word: the log finds it by that, and grants nothing."""
    name_id = read_name_id(opened.response.assertion) if opened.response else None
    return name_id.value[:256] if name_id else ""


def _inputs(
    settings: Settings, delivery: Delivery, opened: Opened, trusting: _Trusting, holder: AccountHolder
) -> dict[str, Any]:
    """What the verdict depended on besides the message and the account's settings."""
    inputs: dict[str, Any] = {
        "entity_id": settings.entity_id,
        "acs_url": settings.acs_url,
        "skew_seconds": settings.clock_skew_seconds,
        "response_max_age_seconds": settings.response_max_age_seconds,
        "request_max_age_seconds": settings.request_max_age_seconds,
        "max_message_bytes": settings.max_message_bytes,
        "account_active": trusting.trust is not None and trusting.trust.active,
        "nearest_issuer": trusting.nearest_issuer,
        "holder": _kept_holder(holder),
        "pending": [{**_pending(request), "sent_at": request.sent_at.isoformat()} for request in delivery.pending],
    }
    if trusting.trust is not None and _hides_something(opened):
        inputs["metadata_url"] = metadata_url(settings, trusting.trust.slug)
    if delivery.workspace is not None and delivery.workspace.fixed_time is not None:
        inputs["fixed_time"] = delivery.workspace.fixed_time.isoformat()
    return inputs


def _findings_kept(report: Report, message: bytes | None) -> dict[str, Any]:
    """The rows of a report that cannot be made again, since no message is kept."""
    if message is not None:
        return {}
    return {"transport": stored_rows(report)}


def _kept_holder(holder: AccountHolder) -> dict[str, Any]:
    kept: dict[str, Any] = {"replayed": holder.replayed, "link": holder.link, "status": holder.status}
    if holder.handed_out is not None:
        kept["handed_out"] = {"at": holder.handed_out.at.isoformat(), "to": holder.handed_out.to}
    if holder.stored_username is not None:
        kept["stored_username"] = holder.stored_username
    return kept


def _pending(request: PendingRequest) -> dict[str, Any]:
    names = ("id", "identity_provider", "used", "requested_contexts", "comparison", "account", "force_authn")
    return {name: getattr(request, name) for name in names}
