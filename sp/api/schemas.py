"""What the schemas of all resources have in common.

Owns strictness: a body with a field that nobody knows is refused, since it is a typing error. Never maps a table.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    model_validator,
)

from sp.clock import readable_time
from sp.saml.unknown_names import with_few_unknown_names

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
MAX_ID = 10**18 - 1


def _readable(value: object) -> object:
    """Within the years to which a skew can be added; in UTC where no zone is named."""
    try:
        return readable_time(str(value))
    except ValueError:
        raise ValueError("Write a time such as 2030-01-31T12:00:00Z.") from None


Time = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
GivenTime = Annotated[datetime, BeforeValidator(_readable)]
Text = Annotated[str, Field(max_length=4096)]
Flag = StrictBool
Number = StrictInt

Limit = Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE, description="How many at most.")]


class Body(BaseModel):
    """A request's body or query."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _limit_unknown_names(cls, given: object) -> object:
        return with_few_unknown_names(cls, given)


class Answer(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid")


class Paging(Body):
    """A page of a list: it begins behind the entry that `after` names, as `next` of the page before has it."""

    limit: Limit = PAGE_SIZE
    after: Annotated[int | None, Field(ge=0, le=MAX_ID, description="Behind which entry the page begins.")] = None


PagingDep = Annotated[Paging, Query()]

NextLink = Annotated[
    str | None, Field(description="The address of the next page, relative to this one's host; null on the last page.")
]


def next_link(request: Request, *, without: tuple[str, ...] = (), **position: Any) -> str:
    """The address that was asked for, with another position, and without some parameters."""
    url = request.url.remove_query_params(without).include_query_params(**position)
    return f"{url.path}?{url.query}"


def examples(*values: Any) -> dict[str, Any]:
    """For the `json_schema_extra` of a model. A null in one does not reach the description."""
    return {"examples": list(values)}
