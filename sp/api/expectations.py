"""/expectations: the contract of the next sign-in, and whether it was kept.

Owns the addresses and the form of the answer: JSON, or JUnit XML. Never compares: `sp.diagnosis.contract` does.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import ConfigDict, Field

from sp.api.authorization import ReaderDep, WriterDep, account_of
from sp.api.problems import BY_ANY, ApiError, documented, not_found
from sp.api.schemas import Answer, Body, Time, examples
from sp.api.waiting import LONGEST_WAIT, wait_for
from sp.flows import expectations
from sp.flows.api_tokens import Caller
from sp.flows.expectations import Declaration, Status, TooManyError
from sp.flows.junit import junit_xml
from sp.service import Service, ServiceDep

router = APIRouter(prefix="/expectations", tags=["expectations"], responses=BY_ANY)
_XML = "application/xml"
_EXAMPLE = {
    "reference": "8G4LYNQR",
    "status": "not_met",
    "declared_at": "2030-01-31T12:00:00Z",
    "expires_at": "2030-01-31T12:10:00Z",
    "sign_in": "7F3KXMPQ",
    "differences": [
        {"field": "outcome", "expected": "accepted", "received": "refused", "problems": ["audience.different"]}
    ],
}
_JUNIT: dict[int | str, dict[str, Any]] = {200: {"content": {_XML: {}}, "description": "As JSON, or as JUnit XML."}}

Reference = Annotated[str, Path(max_length=64, description="The reference of an expectation.")]


class ExpectationBody(Declaration):
    """What the next sign-in must look like. What is left out may be anything."""

    model_config = ConfigDict(
        json_schema_extra=examples(
            {
                "outcome": "accepted",
                "username": "britta@contoso.example",
                "attributes": {"groups": {"equals": ["staff"]}},
                "signed": {"assertion": True, "algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"},
            }
        )
    )


class Wait(Body):
    wait: int = Field(0, ge=0, le=LONGEST_WAIT, description="Seconds to wait for a sign-in.")


WaitDep = Annotated[Wait, Query()]


class DifferenceAnswer(Answer):
    """One thing that was asked and is not so."""

    field: str
    expected: str
    received: str
    problems: list[str] = Field([], description="The problems behind another outcome, such as audience.different.")


class ExpectationAnswer(Answer):
    """How an expectation stands."""

    model_config = ConfigDict(json_schema_extra=examples(_EXAMPLE))

    reference: str
    status: Status
    declared_at: Time
    expires_at: Time
    sign_in: str | None = Field(description="The reference of the sign-in that answers it.")
    differences: list[DifferenceAnswer]


@router.post("", status_code=201, responses=documented(409))
def declare(caller: WriterDep, service: ServiceDep, response: Response, body: ExpectationBody) -> ExpectationAnswer:
    """Say what the next sign-in of the account must look like. Each expectation takes one, the first the first."""
    try:
        with service.database.writing() as session:
            made = expectations.declare(session, account_of(session, caller), body, service.now())
    except TooManyError as error:
        raise ApiError(409, str(error)) from None
    response.headers["Location"] = f"/api/v1/expectations/{made.reference}"
    return _told(expectations.Answer(made, Status.WAITING))


@router.get("/{reference}.junit", response_class=Response, responses=_JUNIT)
async def get_junit(
    caller: ReaderDep, service: ServiceDep, request: Request, reference: Reference, waiting: WaitDep
) -> Response:
    """Whether it was met, as JUnit XML."""
    return _as_junit(caller, await _found(caller, service, request, reference, waiting))


@router.get("/{reference}", responses=_JUNIT, response_model=ExpectationAnswer)
async def get_expectation(
    caller: ReaderDep, service: ServiceDep, request: Request, reference: Reference, waiting: WaitDep
) -> Response | ExpectationAnswer:
    """Whether it was met, with the differences; with `Accept: application/xml` as JUnit XML."""
    answer = await _found(caller, service, request, reference, waiting)
    return _as_junit(caller, answer) if _wants_xml(request) else _told(answer)


async def _found(
    caller: Caller, service: Service, request: Request, reference: str, waiting: Wait
) -> expectations.Answer:
    """Raises ApiError (404) for another account's."""

    def poll() -> expectations.Answer | None:
        return expectations.answer_of(service.database, caller.account_id, reference, service.now())

    def is_settled(answer: expectations.Answer | None) -> bool:
        return answer is None or answer.status is not Status.WAITING

    if waiting.wait:
        answer = await wait_for(request, caller.account_id, poll, is_settled, waiting.wait)
    else:
        answer = await run_in_threadpool(poll)
    if answer is None:
        raise not_found("expectation")
    return answer


def _wants_xml(request: Request) -> bool:
    return request.headers.get("accept", "").partition(";")[0].strip().lower() in {_XML, "text/xml"}


def _as_junit(caller: Caller, answer: expectations.Answer) -> Response:
    return Response(junit_xml(answer, f"virtual-office.{caller.account_slug}"), media_type=_XML)


def _told(answer: expectations.Answer) -> ExpectationAnswer:
    return ExpectationAnswer(
        reference=answer.expectation.reference,
        status=answer.status,
        declared_at=answer.expectation.declared_at,
        expires_at=answer.expectation.expires_at,
        sign_in=answer.sign_in or None,
        differences=[
            DifferenceAnswer(
                field=line.field, expected=line.expected, received=line.received, problems=list(line.problems)
            )
            for line in answer.differences
        ],
    )
