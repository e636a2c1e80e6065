"""One logout message, from its arrival to sessions that end, or to what became of a sign-out that began here.

Owns the order of the steps and the transaction; the numbers are those of `sp.saml.logout`. Never judges: the core does.

 1-3  open what arrived: bytes, document, structure                            pure
 4    the unverified issuer picks the account whose keys are tried             reads
 5-6  verify the signature; hold what it covers against the expectations       pure
 7    claim (realm, issuer, request id), end exactly the sessions named        writes
 8    record the message, accepted or refused                                  writes, always
 9    answer a verified request, signed, at the address in the settings        pure

Steps 7 and 8 are one transaction. Who is not verified gets no answer of ours, signed or not, and is sent nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from sp.diagnosis.logout_explanations import logout_message
from sp.flows.assertion_consumer import expectations_for
from sp.flows.internal_errors import ANSWERED_ELSEWHERE, kept_error, log_internal_error
from sp.flows.logout_sending import Departing, new_id, sent
from sp.flows.realms import hold, judging_time, log_of
from sp.flows.request_sending import Sending
from sp.flows.service_keys import decryption_keys, signing_key
from sp.models import (
    Account,
    LogoutRequest,
    Realm,
    SignInOutcome,
    SignOutBinding,
    SignOutMessage,
    SsoSettings,
    UserSession,
)
from sp.saml import names, soap
from sp.saml.checks.logout import Named
from sp.saml.identity import username_key
from sp.saml.logout import conclude_logout, failed_by, open_logout, verify_logout
from sp.saml.logout_messages import (
    Arrival,
    Binding,
    ByQuery,
    BySoap,
    Kind,
    LogoutExpectations,
    LogoutJudgement,
    OpenedLogout,
    PendingSignOut,
    SignOutOrder,
    VerifiedLogout,
)
from sp.saml.logout_writing import Envelope, Status, logout_response
from sp.saml.message_signing import signed_message
from sp.saml.messages import Expectations, NameId, UserMapping
from sp.saml.name_matching import NameContext, same_name
from sp.saml.own_keys import NO_KEYS, OwnKey
from sp.saml.report import Report
from sp.saml.stored_findings import stored_rows
from sp.settings import Settings
from sp.store import accounts, realms, sessions, sign_in_attempts, sign_out_messages, sign_outs, users
from sp.store.engine import Database
from sp.store.rows import required

# An id is remembered this long beyond its expiry: a wider skew, or a clock set back, would find it forgotten and valid.
_REMEMBERED_AFTERWARDS = timedelta(days=2)
_LARGEST_STRANGE_MESSAGE = 16 * 1024  # bytes
_MAX_RELAY_STATE = 2048  # characters; Bindings 3.4.3 allows 80 bytes
_NAME_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class LogoutDelivery:
    """A message as it reached us: what, at which address, from where, by which browser."""

    arrival: Arrival
    location: str
    received_at: datetime
    remote_address: str
    browser_token: str = ""
    workspace: Realm | None = None  # where it was delivered, if not to the shared realm

    @property
    def judged_at(self) -> datetime:
        """By which time the message is judged; everything else goes by `received_at`."""
        return judging_time(self.workspace, self.received_at)


@dataclass(frozen=True, slots=True)
class Received:
    """What came of it. `answer` is for the browser to carry, `soap` for whoever asked directly."""

    reference: str
    judgement: LogoutJudgement
    opened: OpenedLogout
    ended: int = 0
    answer: Sending | None = None
    soap: bytes = b""

    @property
    def accepted(self) -> bool:
        return self.judgement.report.accepts

    @property
    def answered_here(self) -> bool:
        """Whether this is the identity provider's word on a sign-out of this browser, whatever that word is."""
        return self.judgement.answer is not None and set(self.judgement.report.failed) <= {"logout_status"}


@dataclass(frozen=True, slots=True)
class _Trusting:
    """The account whose identity provider seems to speak, and our request that it seems to answer."""

    realm_id: int
    account: Account | None = None
    told_to: int | None = None  # in whose log the message goes: in a workspace that of its only account
    in_force: SsoSettings | None = None
    asked: LogoutRequest | None = None
    key: OwnKey | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Sessions:
    """The sessions of the name in a request: those that end, and those of it that no SessionIndex could name."""

    matching: Sequence[UserSession] = ()
    unreachable: int = 0
    alike: int = 0


def receive(database: Database, settings: Settings, delivery: LogoutDelivery) -> Received:
    """The whole story of one message. Raises WorkspaceGoneError.

    What is raised by its evaluation refuses it, and the refusal is recorded in a transaction of its own.
    """
    opened = open_logout(delivery.arrival, settings.limits)  # 1-3
    try:
        trusting, received, found = _evaluated(database, settings, delivery, opened)  # 4-8
    except ANSWERED_ELSEWHERE:
        raise
    except Exception as error:  # noqa: BLE001  one message must not be a 500 without a trace
        trusting, received, found = _refused(database, settings, delivery, opened, error)
    log_internal_error(received.judgement.error, received.reference)
    return _with_answer(settings, delivery, trusting, received, found)  # 9


def _evaluated(
    database: Database, settings: Settings, delivery: LogoutDelivery, opened: OpenedLogout
) -> tuple[_Trusting, Received, _Sessions]:
    with database.reading() as session:
        trusting, expectations = _look_up(session, settings, delivery, opened)  # 4
    verified = verify_logout(opened, expectations)  # 5-6
    received, found = _settle(database, settings, delivery, opened, trusting, expectations, verified)  # 7-8
    return trusting, received, found


def _refused(
    database: Database, settings: Settings, delivery: LogoutDelivery, opened: OpenedLogout, error: Exception
) -> tuple[_Trusting, Received, _Sessions]:
    """The refusal of a message at whose evaluation `error` was raised, in the log of its account if that is known."""
    verified = None
    with database.reading() as session:
        try:
            trusting, expectations = _look_up(session, settings, delivery, opened)
            verified = verify_logout(opened, expectations)
        except ANSWERED_ELSEWHERE:
            raise
        except Exception:  # noqa: BLE001  what raises before the account is known leaves it unknown
            workspace = delivery.workspace
            realm_id = required((workspace or accounts.shared_realm(session)).id)
            trusting = _Trusting(realm_id, told_to=log_of(session, workspace))
            common = Expectations(delivery.judged_at, settings.entity_id, settings.acs_url, account=None)
            expectations = LogoutExpectations(common, delivery.location)
    failed = failed_by(error, opened, verified)
    received, found = _settle(database, settings, delivery, opened, trusting, expectations, failed)
    return trusting, received, found


def answers_a_waiting_sign_out(database: Database, settings: Settings, arrival: Arrival, now: datetime) -> bool:
    """Whether the message names a request of ours that some browser brought away and that nothing has answered."""
    identifier = open_logout(arrival, settings.limits).unverified_in_response_to[:64]
    if not identifier:
        return False
    with database.reading() as session:
        return sign_outs.is_waiting(session, identifier, now)


def _look_up(
    session: Session, settings: Settings, delivery: LogoutDelivery, opened: OpenedLogout
) -> tuple[_Trusting, LogoutExpectations]:
    asked = _asked(session, settings, delivery, opened)
    trusting = replace(_trusting(session, settings, delivery, opened, asked), asked=asked)
    trust, nearest = None, ""
    if trusting.account is not None and trusting.in_force is not None:
        known = accounts.certificates_of(session, required(trusting.in_force.id))
        trust = accounts.trust_of(trusting.account, trusting.in_force, known)
    else:
        nearest = accounts.nearest_issuer(session, trusting.realm_id, opened.unverified_issuer)
    keys = NO_KEYS
    if trusting.account is not None and _hides_something(opened):
        keys = decryption_keys(session, trusting.account.id, delivery.received_at)
    common = replace(expectations_for(settings, trust, delivery.judged_at, keys=keys), nearest_issuer=nearest)
    alias = trusting.in_force.sign_out_issuer if trusting.in_force else ""
    return trusting, LogoutExpectations(common, delivery.location, alias, _pending(delivery, trusting))


def _hides_something(opened: OpenedLogout) -> bool:
    return opened.xml is not None and names.ENCRYPTED_ID.rpartition("}")[2].encode() in opened.xml


def _asked(
    session: Session, settings: Settings, delivery: LogoutDelivery, opened: OpenedLogout
) -> LogoutRequest | None:
    """Our request that this message answers, by its own word, if an account of this realm sent it."""
    if opened.kind is Kind.REQUEST or not delivery.browser_token or not opened.unverified_in_response_to:
        return None
    browser_hash = sessions.hash_token(delivery.browser_token)
    sent = sign_outs.sent_by_browser(session, opened.unverified_in_response_to[:64], browser_hash)
    if sent is None:
        return None
    account = accounts.account_by_id(session, sent.account_id)
    return sent if realms.realm_by_id(session, account.realm_id).name == settings.realm else None


def _trusting(
    session: Session, settings: Settings, delivery: LogoutDelivery, opened: OpenedLogout, asked: LogoutRequest | None
) -> _Trusting:
    if asked is not None:
        account = accounts.account_by_id(session, asked.account_id)
        return _Trusting(account.realm_id, account, account.id, accounts.settings_in_force(session, account))
    found = accounts.trusting_sign_out(session, settings.realm, opened.unverified_issuer)
    if found is None:
        workspace = delivery.workspace
        realm_id = required((workspace or accounts.shared_realm(session)).id)
        return _Trusting(realm_id, told_to=log_of(session, workspace))
    key = signing_key(session) if opened.kind is Kind.REQUEST else None
    return _Trusting(found[0].realm_id, found[0], found[0].id, found[1], key=key)


def _pending(delivery: LogoutDelivery, trusting: _Trusting) -> PendingSignOut | None:
    asked = trusting.asked
    if asked is None or trusting.account is None:
        return None
    sent_at = asked.sent_at + (delivery.judged_at - delivery.received_at)
    return PendingSignOut(asked.id, sent_at, trusting.account.slug, used=asked.used_at is not None)


def _settle(
    database: Database,
    settings: Settings,
    delivery: LogoutDelivery,
    opened: OpenedLogout,
    trusting: _Trusting,
    expectations: LogoutExpectations,
    verified: VerifiedLogout,
) -> tuple[Received, _Sessions]:
    """Steps 7 and 8, in one transaction."""
    reference = sign_in_attempts.new_reference()
    message = sign_in_attempts.compress(_worth_keeping(settings, opened, trusting))  # before anybody waits for the lock
    ended, found = 0, _Sessions()
    with database.writing() as session:
        hold(session, delivery.workspace)
        named = None
        if verified.order is not None and trusting.in_force is not None:
            found = _sessions_of(session, settings, trusting, verified.order)
            replayed = _replayed(session, settings, delivery, trusting, verified)
            named = Named(verified.order.id, replayed, len(found.matching), found.alike)
        judgement = conclude_logout(verified, named)
        if judgement.report.accepts and judgement.order is not None:  # 7
            ended = sessions.end_these(session, (required(row.id) for row in found.matching))
        received = Received(reference, judgement, opened, ended)
        if received.answered_here and trusting.asked is not None:
            sign_outs.use_up(session, trusting.asked.id, delivery.received_at)
        row = _row(settings, delivery, trusting, expectations, received, named)
        row.message = message
        if message is None:
            row.expectations = row.expectations | _findings_kept(judgement.report)
        sign_out_messages.record(session, row)  # 8
    return received, found


def _replayed(
    session: Session, settings: Settings, delivery: LogoutDelivery, trusting: _Trusting, verified: VerifiedLogout
) -> bool:
    """Only a sound request is claimed, until its age alone refuses it everywhere; a refused one is looked up."""
    issuer = trusting.in_force.issuer if trusting.in_force else ""
    if not verified.sound:
        return sign_outs.was_carried_out(session, trusting.realm_id, issuer, verified.id)
    until = delivery.received_at + settings.response_max_age + 2 * settings.skew + _REMEMBERED_AFTERWARDS
    return not sign_outs.claim(session, trusting.realm_id, issuer, verified.id, until)


def _sessions_of(session: Session, settings: Settings, trusting: _Trusting, order: SignOutOrder) -> _Sessions:
    """Exactly those of this account, this issuer, this name and these indexes (Core 3.7.3.1)."""
    if trusting.account is None or trusting.in_force is None:
        return _Sessions()
    issuer = trusting.in_force.issuer
    by_username = trusting.in_force.user_mapping == UserMapping.USERNAME
    user = users.user_named(session, trusting.realm_id, order.name_id.value) if by_username else None
    user_id = None if user is None else user.id
    found = sessions.of_name(session, required(trusting.account.id), issuer, order.name_id.value, user_id)
    wanted = _compared(order.name_id, by_username=by_username)
    names_of = [(row, _compared(_name_of(row), by_username=by_username)) for row in found]
    of_value = [(row, name) for row, name in names_of if name.value == wanted.value]
    context = NameContext(issuer, settings.entity_id)
    of_name = [row for row, name in of_value if same_name(name, _kept(wanted), context)]
    indexes = {sessions.kept_index(index) for index in order.session_indexes}
    matching = [row for row in of_name if not indexes or row.session_index in indexes]
    unreachable = sum(not row.session_index for row in of_name) if indexes else 0
    return _Sessions(matching, unreachable, len(of_value) - len(matching))


def _compared(name_id: NameId, *, by_username: bool) -> NameId:
    """The name with its value as it is compared: where it is the username, two spellings of one are one user's."""
    return replace(name_id, value=username_key(name_id.value)) if by_username else name_id


def _name_of(row: UserSession) -> NameId:
    return NameId(row.name_id, row.name_id_format, row.name_qualifier, row.sp_name_qualifier)


def _kept(name_id: NameId) -> NameId:
    """The name as a session would have kept it: a format has room for 256 characters, a qualifier for 1024."""
    return NameId(
        name_id.value,
        (name_id.format or "")[:256],
        (name_id.name_qualifier or "")[:1024],
        (name_id.sp_name_qualifier or "")[:1024],
    )


# What is kept: the inputs of the verdict, not the prose.


def _row(
    settings: Settings,
    delivery: LogoutDelivery,
    trusting: _Trusting,
    expectations: LogoutExpectations,
    received: Received,
    named: Named | None,
) -> SignOutMessage:
    report, order = received.judgement.report, received.judgement.order
    name_id = order.name_id.value if order else trusting.asked.name_id if trusting.asked else ""
    return SignOutMessage(
        reference=received.reference,
        realm_id=trusting.realm_id,
        account_id=trusting.told_to,
        settings_id=trusting.in_force.id if trusting.in_force else None,
        received_at=delivery.received_at,
        remote_address=delivery.remote_address,
        kind=delivery.arrival.kind,
        binding=delivery.arrival.binding,
        outcome=SignInOutcome.ACCEPTED if received.accepted else SignInOutcome.REFUSED,
        failed=list(report.failed),
        issuer=received.opened.unverified_issuer,
        name_id=name_id[:_NAME_CHARACTERS],
        sessions_ended=received.ended,
        expectations=_inputs(settings, delivery, expectations, received.opened, named)
        | kept_error(report, received.judgement.error),
    )


def _inputs(
    settings: Settings,
    delivery: LogoutDelivery,
    expectations: LogoutExpectations,
    opened: OpenedLogout,
    named: Named | None,
) -> dict[str, Any]:
    """What the verdict depended on besides the message and the account's settings."""
    pending, common = expectations.pending, expectations.common
    inputs: dict[str, Any] = {
        "entity_id": common.entity_id,
        "location": expectations.location,
        "skew_seconds": settings.clock_skew_seconds,
        "max_age_seconds": settings.response_max_age_seconds,
        "request_max_age_seconds": settings.request_max_age_seconds,
        "max_message_bytes": settings.max_message_bytes,
        "nearest_issuer": common.nearest_issuer,
        "pending": pending
        and {
            "id": pending.id,
            "sent_at": pending.sent_at.isoformat(),
            "account": pending.account,
            "used": pending.used,
        },
        "named": named and {"replayed": named.replayed, "matched": named.matched, "alike": named.alike},
    }
    if _hides_something(opened):
        inputs["metadata_url"] = common.metadata_url
    if delivery.workspace is not None and delivery.workspace.fixed_time is not None:
        inputs["fixed_time"] = delivery.workspace.fixed_time.isoformat()
    return inputs


def _findings_kept(report: Report) -> dict[str, Any]:
    """The rows of a report that cannot be made again, since no message is kept."""
    return {"transport": stored_rows(report)}


def _worth_keeping(settings: Settings, opened: OpenedLogout, trusting: _Trusting) -> bytes | None:
    """What arrived, as far as judging it again needs it: the octets of a query were signed, of a form its message.

    Not what is large and anybody can send: no logout message, or one of an issuer that no account trusts.
    """
    match opened.arrival:
        case ByQuery(query=kept) | BySoap(body=kept):
            pass
        case _:
            kept = opened.xml or b""
    limits = [_LARGEST_STRANGE_MESSAGE] if opened.document is None else []
    if trusting.account is None:
        limits.append(settings.unknown_message_kilobytes * 1024)
    too_large = limits and len(kept) > min(limits)
    return None if too_large or opened.xml is None else kept


# Step 9: the answer.


def _with_answer(
    settings: Settings, delivery: LogoutDelivery, trusting: _Trusting, received: Received, found: _Sessions
) -> Received:
    in_force, key, verified = trusting.in_force, trusting.key, received.judgement.verified
    if in_force is None or key is None or not verified.id:
        return received
    destination = in_force.sign_out_response_url or in_force.sign_out_url
    by_soap = delivery.arrival.binding is Binding.SOAP
    envelope = Envelope(new_id(), delivery.judged_at, "" if by_soap else destination, settings.entity_id)
    xml = logout_response(envelope, verified.id, _status(received, found))
    if by_soap:
        return replace(received, soap=soap.enveloped(signed_message(xml, key)))
    if not destination:
        return received
    relay_state = received.opened.relay_state
    answer = Departing(
        xml,
        Kind.RESPONSE.carried,
        _answering_binding(in_force, delivery.arrival.binding),
        destination,
        relay_state if len(relay_state) <= _MAX_RELAY_STATE else "",
    )
    return replace(received, answer=sent(answer, key))


def _answering_binding(in_force: SsoSettings, asked_by: Binding) -> SignOutBinding:
    """As the account says; where it says nothing, as the identity provider has asked."""
    chosen = SignOutBinding(in_force.sign_out_binding)
    if chosen is not SignOutBinding.PLAIN:
        return chosen
    return SignOutBinding.POST if asked_by is Binding.POST else SignOutBinding.REDIRECT


def _status(received: Received, found: _Sessions) -> Status:
    if not received.accepted:
        return Status(names.REQUESTER, sentence=logout_message(received.judgement.report, Kind.REQUEST))
    if found.unreachable:
        sentence = "Sessions of this person that began without a SessionIndex go on."
        return Status(names.RESPONDER, names.PARTIAL_LOGOUT, sentence)
    return Status(names.SUCCESS)
