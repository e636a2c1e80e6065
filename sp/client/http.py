"""Requests to the API, and its errors as exceptions.

Owns the token, the problem details (RFC 9457) and walking along the pages of a list. Never knows a resource.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

PREFIX = "/api/v1"
_USUAL_SECONDS = 30.0


@dataclass(frozen=True)
class FieldError:
    """A field of the request and what is wrong with it."""

    field: str
    message: str


class ProblemError(Exception):
    """The service did not do it. `kind` is the last part of the problem's type, such as `stale` or `invalid`."""

    def __init__(self, response: httpx.Response) -> None:
        told = _told(response)
        self.status = response.status_code
        self.kind = str(told.get("type", "")).rpartition(":")[2]
        self.title = str(told.get("title", response.reason_phrase))
        self.detail = str(told.get("detail", ""))
        self.reference = str(told.get("reference", ""))
        self.errors = tuple(FieldError(error["field"], error["message"]) for error in told.get("errors", ()))
        self.retry_after = float(response.headers.get("retry-after", 0))
        super().__init__(self._sentence(response.request))

    def _sentence(self, request: httpx.Request) -> str:
        what = f"{request.method} {request.url.path}: {self.status} {self.title}. {self.detail}".rstrip()
        return "\n".join([what, *(f"  {error.field}: {error.message}" for error in self.errors)])


class Api:
    """The API of one service with one token. `client` is closed with it unless somebody else brought it."""

    def __init__(self, base_url: str, token: str, client: httpx.Client | None) -> None:
        self._root = base_url.rstrip("/") + PREFIX
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._own = client is None
        self._client = client or httpx.Client()

    def close(self) -> None:
        if self._own:
            self._client.close()

    def send(self, method: str, path: str, *, timeout: float = _USUAL_SECONDS, **given: Any) -> httpx.Response:
        """Send one request; `given` goes to httpx. Raises ProblemError and httpx.HTTPError."""
        headers = self._headers | given.pop("headers", {})
        address = self._address(path)
        response = self._client.request(method, address, headers=headers, timeout=timeout, **given)
        if not response.is_success:
            raise ProblemError(response)
        return response

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a GET. What is None is left out of the query."""
        return self.send("GET", path, params=given(query)).json()

    def items(self, path: str, **query: Any) -> Iterator[Any]:
        """The entries of a list, page by page as they are asked for."""
        page = self.get(path, **query)
        yield from page["items"]
        while page.get("next"):
            page = self.send("GET", page["next"]).json()
            yield from page["items"]

    def stream(self, path: str, **given: Any) -> Any:
        """A response that is read as it comes; a context manager."""
        headers = self._headers | given.pop("headers", {})
        return self._client.stream("GET", self._address(path), headers=headers, timeout=None, **given)

    def _address(self, path: str) -> str:
        return self._root + path.removeprefix(PREFIX)


def given(values: dict[str, Any]) -> dict[str, Any]:
    """What was given: the API refuses null where a field may only be left out."""
    return {name: value for name, value in values.items() if value is not None}


def _told(response: httpx.Response) -> dict[str, Any]:
    """The problem, or nothing where something in between answered."""
    if "json" not in response.headers.get("content-type", ""):
        return {}
    told = response.json()
    return told if isinstance(told, dict) else {}
