"""Expectations: declare what the next sign-in must look like, then ask whether it did.

Owns which sign-in answers which expectation, and when one is over. Never judges or compares: the contract does.

Expectations of an account are answered in the order in which they were declared, each by one sign-in. That is settled
when somebody asks, in one transaction; so a sign-in itself never waits for an expectation, nor does more than before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, ValidationError
from sqlmodel import Session

from sp.diagnosis.contract import Contract, Line, Part, SignInFacts, Text, compare
from sp.flows.attempt_scope import scopes_of
from sp.flows.evidence import Evidence, evidence_of
from sp.models import Account, SignInAttempt, SignInExpectation
from sp.saml.report import shown
from sp.store import accounts, attempt_listing, sign_in_attempts, sign_in_expectations
from sp.store.engine import Database
from sp.store.rows import required

MAX_WAITING = 100  # of an account
MAX_KEPT = 1000  # of an account, with those that are answered or over
USUAL = timedelta(minutes=10)
LONGEST = timedelta(hours=24)
_LATE = timedelta(minutes=1)  # after which no sign-in that came in time is still on its way into the log
_ALLOWED = "what may be asked"
_GONE = "removed from the log before anybody asked"


class Status(StrEnum):
    WAITING = "waiting"
    MET = "met"
    NOT_MET = "not_met"
    EXPIRED = "expired"  # no sign-in came in time


class Matching(Part):
    """Which sign-ins count. The others are left to other expectations."""

    username: Text = ""
    issuer: Text = ""


class Declaration(Contract):
    """A contract, which sign-ins it is about, and for how long."""

    matching: Matching | None = None
    expires_in_seconds: Annotated[int, Field(strict=True, ge=1, le=int(LONGEST.total_seconds()))] = int(
        USUAL.total_seconds()
    )


class TooManyError(Exception):
    """The account has as many expectations as it may. Its text is a sentence for whoever declared one more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How an expectation stands. `lines` has everything that was asked, once a sign-in came; `sign_in` names that."""

    expectation: SignInExpectation
    status: Status
    sign_in: str = ""
    lines: tuple[Line, ...] = ()

    @property
    def differences(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if not line.met)


def declare(session: Session, account: Account, wanted: Declaration, now: datetime) -> SignInExpectation:
    """Wait for the account's next sign-in. Raises TooManyError."""
    account_id = required(account.id)
    sign_in_expectations.lock_account(session, account_id)
    if sign_in_expectations.count_waiting(session, account_id, now) >= MAX_WAITING:
        raise TooManyError(f"The account waits for {MAX_WAITING} sign-ins already.")
    if sign_in_expectations.count_all(session, account_id) >= MAX_KEPT:
        raise TooManyError(
            f"The account has {MAX_KEPT} expectations already. Each is removed a day after its time is over."
        )
    return sign_in_expectations.add(
        session,
        SignInExpectation(
            reference=sign_in_attempts.new_reference(),
            account_id=account_id,
            after_attempt_id=attempt_listing.newest_id(session, scopes_of(session, account)),
            declared_at=now,
            expires_at=now + timedelta(seconds=wanted.expires_in_seconds),
            wanted=wanted.model_dump(mode="json", exclude_none=True),
        ),
    )


def answer_of(database: Database, account_id: int, reference: str, now: datetime) -> Answer | None:
    """How the account's expectation stands; None where there is no such one."""
    known = sign_in_attempts.as_reference(reference)
    with database.reading() as session:
        found = sign_in_expectations.of_account(session, account_id, known) if known else None
        work = () if found is None else _work(session, accounts.account_by_id(session, account_id), now)
        has_work = any(True for _ in work)
    if found is None:
        return None
    if has_work:
        _give(database, account_id, now)
    with database.reading() as session:
        found = sign_in_expectations.of_account(session, account_id, found.reference) or found
        answer = _answer(session, found, now)
    if answer.sign_in and found.differences is None:
        with database.writing() as session:
            kept = [asdict(line) for line in answer.lines]
            sign_in_expectations.keep_differences(session, required(found.id), kept)
    return answer


def _give(database: Database, account_id: int, now: datetime) -> None:
    with database.writing() as session:
        sign_in_expectations.lock_account(session, account_id)
        for expectation_id, attempt_id in _work(session, accounts.account_by_id(session, account_id), now):
            sign_in_expectations.give(session, expectation_id, attempt_id)


def _work(session: Session, account: Account, now: datetime) -> Iterator[tuple[int, int]]:
    """Each unanswered expectation that there is a sign-in for, with that; with NONE_CAME where none can come any more.

    Whoever gives each what it is told of here finds what one took gone for the next.
    """
    scopes = scopes_of(session, account)
    for expectation in sign_in_expectations.unanswered(session, required(account.id)):
        matching = expectation.wanted.get("matching", {})
        found = sign_in_expectations.next_sign_in(
            session,
            scopes,
            expectation,
            username=matching.get("username", ""),
            issuer=matching.get("issuer", ""),
        )
        if found is not None:
            yield required(expectation.id), found
        elif expectation.expires_at + _LATE < now:
            yield required(expectation.id), sign_in_expectations.NONE_CAME


def _answer(session: Session, expectation: SignInExpectation, now: datetime) -> Answer:
    if expectation.attempt_id is None:
        return Answer(expectation, Status.WAITING if now <= expectation.expires_at else Status.EXPIRED)
    if expectation.attempt_id == sign_in_expectations.NONE_CAME:
        return Answer(expectation, Status.EXPIRED)
    attempt = _sign_in_of(session, expectation, expectation.attempt_id)
    if expectation.differences is not None:
        lines = tuple(Line(**{**line, "problems": tuple(line.get("problems", ()))}) for line in expectation.differences)
    elif attempt is None:
        lines = (Line("sign_in", "a sign-in", _GONE, met=False),)
    else:
        lines = lines_of(expectation, facts_of(evidence_of(session, attempt)))
    status = Status.MET if all(line.met for line in lines) else Status.NOT_MET
    return Answer(expectation, status, attempt.reference if attempt else "", lines)


def _sign_in_of(session: Session, expectation: SignInExpectation, attempt_id: int) -> SignInAttempt | None:
    """None once it was removed. SQLite gives the highest id again: what has it then may be another account's."""
    attempt = sign_in_attempts.attempt_by_id(session, attempt_id)
    return attempt if attempt is not None and attempt.account_id in {expectation.account_id, None} else None


def lines_of(expectation: SignInExpectation, facts: SignInFacts) -> tuple[Line, ...]:
    """How the sign-in differs. What an earlier version took and this one does not is a difference, and never runs."""
    try:
        contract = contract_of(expectation.wanted)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        return (Line(".".join(map(str, fault["loc"])), _ALLOWED, shown(fault["msg"]), met=False),)
    return compare(contract, facts)


def contract_of(wanted: Mapping[str, Any]) -> Contract:
    """What was declared, without what it is about and for how long. Raises ValidationError for what is not allowed."""
    return Contract.model_validate({name: value for name, value in wanted.items() if name in Contract.model_fields})


def facts_of(evidence: Evidence) -> SignInFacts:
    """What the contract is held against."""
    attempt, judgement, judged = evidence.attempt, evidence.judgement, evidence.judged
    return SignInFacts(
        outcome=attempt.outcome,
        failed=judgement.report.failed,
        warnings=judgement.report.warnings,
        problems=tuple(f"{row.code}.{row.problem.value}" for row in judgement.report.rows if row.problem is not None),
        username=_username(attempt, evidence),
        provisioned=attempt.provisioned,
        issuer=attempt.issuer,
        identity=judgement.identity,
        certificate=judgement.certificate.sha256 if judgement.certificate else "",
        response=judged.response,
        assertion=judged.assertion,
    )


def _username(attempt: SignInAttempt, evidence: Evidence) -> str:
    """Whom a verified signature names, as the profile has it; of anybody else nothing is said."""
    identity = evidence.judgement.identity
    return attempt.username or (identity.username if identity else "")
