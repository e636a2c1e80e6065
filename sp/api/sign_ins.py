"""/sign-ins: the sign-in log for programs: listing, waiting, one attempt's verdict, judging again, comparing.

Owns the addresses and the positions in the list. Never judges, and never shows another account's attempts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import ConfigDict, Field
from sqlmodel import Session

from sp.api.authorization import MessageReaderDep, ReaderDep, account_of
from sp.api.pem import read_all
from sp.api.problems import BY_ANY, ApiError, documented, invalid, not_found
from sp.api.schemas import PAGE_SIZE, Answer, Body, GivenTime, Limit, NextLink, examples, next_link
from sp.api.sign_in_schemas import (
    EXAMPLE,
    Circumstances,
    Comparison,
    JudgedAgain,
    SignInAnswer,
    SignInEntry,
    difference_of,
    entry_of,
    line_of,
    sign_in_of,
    verdict_of,
)
from sp.api.waiting import LONGEST_WAIT, wait_for
from sp.diagnosis import comparison
from sp.flows.api_tokens import Caller
from sp.flows.attempt_scope import Scopes, scopes_of
from sp.flows.evidence import Evidence, evidence_of
from sp.flows.handing_out import SENTENCES, HandOutProblem, hand_out
from sp.flows.judging_again import Changes, judge_again
from sp.models import SignInAttempt, SignInOutcome
from sp.saml.checks import BY_CODE
from sp.saml.withheld import redacted_text, redacted_xml
from sp.service import Service, ServiceDep
from sp.store import accounts, attempt_listing, sign_in_attempts
from sp.store.attempt_listing import Listing, Position, position_of
from sp.store.rows import required
from sp.store.users import folded

router = APIRouter(prefix="/sign-ins", tags=["sign-ins"], responses=BY_ANY)
START = "start"  # before the first sign-in
_NO_ATTEMPT = "There is no such sign-in in this account. It may have been removed with the old ones."
_OF_ACCOUNT = ("certificates", "issuer", "allow_sha1", "signed_part")

Reference = Annotated[str, Path(max_length=64, description="The reference of a sign-in, such as 7F3KXMPQ.")]


class Filter(Body):
    """Which sign-ins."""

    outcome: Literal["", "accepted", "refused"] = ""
    code: str = Field("", max_length=40, description="A check that failed or warned, such as `audience`.")
    user: str = Field("", max_length=200, description="A part of the user name, without regard to case.")
    issuer: str = Field("", max_length=200, description="A part of the issuer, without regard to case.")
    since: GivenTime | None = None
    until: GivenTime | None = Field(None, description="Not included.")

    def listing(self, scopes: Scopes) -> Listing:
        """Raises ApiError (422) for a check that there is none of."""
        if self.code and self.code not in BY_CODE:
            raise invalid({"code": "There is no such check."})
        outcome = SignInOutcome(self.outcome) if self.outcome else None
        return Listing(scopes, outcome, self.code, _folded(self.user), _folded(self.issuer), self.since, self.until)


class WantedSignIns(Filter):
    """Which part of the list."""

    limit: Limit = PAGE_SIZE
    before: str = Field("", max_length=64, description="A reference: those that came before it, the newest first.")
    after: str = Field("", max_length=64, description="A reference or `start`: what came after it, the oldest first.")
    wait: int | None = Field(
        None, ge=0, le=LONGEST_WAIT, description="Seconds to wait for one where there is none after `after`, or now."
    )


class SignInPage(Answer):
    """Sign-ins: the newest first, or, with `after` or `wait`, the oldest first."""

    model_config = ConfigDict(
        json_schema_extra=examples(
            {"items": [EXAMPLE], "next": "/api/v1/sign-ins?before=7F3KXMPQ", "latest": "7F3KXMPQ"}
        )
    )

    items: list[SignInEntry]
    next: NextLink
    latest: str = Field(description="What to send as `after` to get what comes from now on.")


class Pair(Body):
    """Two sign-ins."""

    a: str = Field(max_length=64)
    b: str = Field(max_length=64)
    all: bool = Field(False, description="Tell what is the same, too.")


@dataclass(frozen=True, slots=True)
class Upwards:
    """Behind which id to look, and how a client names that place."""

    id: int
    name: str


@router.get("")
async def list_sign_ins(
    caller: ReaderDep, service: ServiceDep, request: Request, wanted: Annotated[WantedSignIns, Query()]
) -> SignInPage:
    """The sign-ins of the account; with `wait`, the next ones."""
    if wanted.before and (wanted.after or wanted.wait is not None):
        raise invalid({"before": "This does not go with after or wait, which look the other way."})
    if not wanted.after and wanted.wait is None:
        return await run_in_threadpool(_newest_first, service, caller, request, wanted)
    begin, poll = await run_in_threadpool(_oldest_first, service, caller, request, wanted)
    if not wanted.wait:
        return await run_in_threadpool(poll, begin)
    return await wait_for(request, caller.account_id, lambda: poll(begin), lambda page: bool(page.items), wanted.wait)


@router.get("/compare")
def compare_sign_ins(caller: ReaderDep, service: ServiceDep, pair: Annotated[Pair, Query()]) -> Comparison:
    """What differs in meaning between two sign-ins."""
    with service.database.reading() as session:
        one, other = (_evidence(session, caller, reference) for reference in (pair.a, pair.b))
    lines = comparison.compare(one.judged, other.judged)
    return Comparison(items=[line_of(line) for line in lines if line.differs or pair.all])


@router.get("/{reference}")
def get_sign_in(caller: ReaderDep, service: ServiceDep, reference: Reference) -> SignInAnswer:
    """The verdict on one sign-in, and what it was held against."""
    with service.database.reading() as session:
        return sign_in_of(_evidence(session, caller, reference))


_XML = "application/xml"


@router.get(
    "/{reference}/message",
    response_class=Response,
    responses={200: {"content": {_XML: {}, "text/plain": {}}, "description": "The message without such values."}},
)
def get_message(caller: ReaderDep, service: ServiceDep, reference: Reference) -> Response:
    """The message without signature values and ciphertext, so that it cannot be used."""
    with service.database.reading() as session:
        evidence = _evidence(session, caller, reference)
    if evidence.xml is None:
        raise ApiError(404, SENTENCES[HandOutProblem.NO_MESSAGE])
    if evidence.root is None:
        return _attached(
            redacted_text(evidence.xml).encode(), "text/plain", f"response-{evidence.attempt.reference}.txt"
        )
    return _attached(redacted_xml(evidence.root), _XML, f"response-{evidence.attempt.reference}-redacted.xml")


@router.post(
    "/{reference}/message",
    response_class=Response,
    responses={200: {"content": {_XML: {}}, "description": "The message, byte for byte."}, **documented(409)},
)
def fetch_exact_message(caller: MessageReaderDep, service: ServiceDep, reference: Reference) -> Response:
    """The message byte for byte. Its assertion is refused from then on, as a replay."""
    with service.database.reading() as session:
        evidence = _evidence(session, caller, reference)
    to = f"API token {caller.token_name}"
    given = hand_out(service.database, service.settings, evidence, to=to, now=service.now())
    if isinstance(given, HandOutProblem):
        raise ApiError(404 if given is HandOutProblem.NO_MESSAGE else 409, SENTENCES[given])
    return _attached(given, _XML, f"response-{evidence.attempt.reference}.xml")


def _attached(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.post("/{reference}/judge-again", responses=documented(409))
def judge_sign_in_again(
    caller: ReaderDep, service: ServiceDep, reference: Reference, body: Circumstances
) -> JudgedAgain:
    """The verdict on the same bytes in other circumstances. Nothing is kept, and nobody is signed in."""
    with service.database.reading() as session:
        evidence = _evidence(session, caller, reference)
        if evidence.attempt.message is None:
            raise ApiError(409, "Nothing of this sign-in was decoded, so there is no message to judge again.")
        changes = _changes(session, caller, evidence.attempt, body)
        now = judge_again(session, evidence.attempt, changes)
    pairs = [(row, now.report.row(row.code)) for row in evidence.judgement.report.rows]
    return JudgedAgain(
        then=verdict_of(evidence, evidence.judgement),
        now=verdict_of(evidence, now),
        differences=[difference_of(old, new) for old, new in pairs if old != new],
    )


def _newest_first(service: Service, caller: Caller, request: Request, wanted: WantedSignIns) -> SignInPage:
    with service.database.reading() as session:
        scopes = scopes_of(session, account_of(session, caller))
        listing = wanted.listing(scopes)
        before = _position(session, scopes, wanted.before)
        latest = attempt_listing.reference_of(session, attempt_listing.newest_id(session, scopes))
        found, more = attempt_listing.some(session, listing, before=before, size=wanted.limit)
    following = next_link(request, before=found[-1].reference) if more else None
    return SignInPage(items=[entry_of(attempt) for attempt in found], next=following, latest=latest or START)


def _oldest_first(
    service: Service, caller: Caller, request: Request, wanted: WantedSignIns
) -> tuple[Upwards, Callable[[Upwards], SignInPage]]:
    """Where to begin, and the page that begins there."""
    with service.database.reading() as session:
        scopes = scopes_of(session, account_of(session, caller))
        listing = wanted.listing(scopes)
        begin = upwards_from(session, scopes, wanted.after, "after")

    def page(begin: Upwards) -> SignInPage:
        with service.database.reading() as session:
            found = attempt_listing.newer_than(session, listing, begin.id, limit=wanted.limit + 1)
        items = [entry_of(attempt) for attempt in found[: wanted.limit]]
        latest = items[-1].reference if items else begin.name
        more = len(found) > wanted.limit
        following = next_link(request, without=("wait",), after=latest) if more else None
        return SignInPage(items=items, next=following, latest=latest)

    return begin, page


def upwards_from(session: Session, scopes: Scopes, after: str, field: str) -> Upwards:
    """The place behind a sign-in, before the first one, or behind the newest where nothing is said.

    Raises ApiError (422) that names the field.
    """
    if after == START:
        return Upwards(0, START)
    if after:
        attempt = _found(session, scopes, after)
        if attempt is None:
            raise invalid({field: _NO_ATTEMPT})
        return Upwards(required(attempt.id), attempt.reference)
    newest = attempt_listing.newest_id(session, scopes)
    return Upwards(newest, attempt_listing.reference_of(session, newest) or START)


def _position(session: Session, scopes: Scopes, before: str) -> Position | None:
    if not before:
        return None
    attempt = _found(session, scopes, before)
    if attempt is None:
        raise invalid({"before": _NO_ATTEMPT})
    return position_of(attempt)


def _found(session: Session, scopes: Scopes, reference: str) -> SignInAttempt | None:
    known = sign_in_attempts.as_reference(reference)
    return sign_in_attempts.attempt_in(session, scopes, known) if known else None


def _attempt(session: Session, caller: Caller, reference: str) -> SignInAttempt:
    """Raises ApiError (404) for another account's."""
    attempt = _found(session, scopes_of(session, account_of(session, caller)), reference)
    if attempt is None:
        raise not_found("sign-in")
    return attempt


def _evidence(session: Session, caller: Caller, reference: str) -> Evidence:
    return evidence_of(session, _attempt(session, caller, reference))


def _changes(session: Session, caller: Caller, attempt: SignInAttempt, body: Circumstances) -> Changes:
    settings_id = None
    if body.settings_version is not None:
        settings_id = _settings_id(session, caller, body.settings_version)
    elif attempt.settings_id is None:
        missing = "No account was found then. Name the version whose settings count."
        if any(getattr(body, name) is not None for name in _OF_ACCOUNT):
            raise invalid({"settings_version": missing})
    changes = Changes(
        settings_id=settings_id,
        issuer=body.issuer.strip() if body.issuer else None,
        entity_id=body.entity_id,
        acs_url=body.acs_url,
        now=body.at,
        allow_sha1=body.allow_sha1,
        signed_part=body.signed_part,
    )
    return replace(changes, certificates=read_all(body.certificates, "certificates")) if body.certificates else changes


def _settings_id(session: Session, caller: Caller, number: int) -> int:
    version = accounts.numbered_version(session, caller.account_id, number) if 0 < number < 2**31 else None
    if version is None:
        raise invalid({"settings_version": f"This account has no version {number} of its settings."})
    return required(version.id)


def _folded(text: str) -> str:
    """As the stored keys are. PostgreSQL takes no NUL in a text, and no row has one."""
    return folded(text.replace("\0", " ")).strip()
