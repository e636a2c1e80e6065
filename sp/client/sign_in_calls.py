"""Sign-ins, by the API: lists, verdicts, waiting.

Owns these calls of the client. Never judges anything.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sp.client.answers import Comparison, JudgedAgain, SignIn, SignInEntry, read
from sp.client.http import Api, ProblemError, given

START = "start"
_LONGEST_WAIT = 60  # seconds in one request
_BUSY = 503
_SLACK = 15.0  # seconds for the answer of a request that waits


class SignInCalls:
    """Part of `VirtualOffice`: what reached the assertion consumer service."""

    _api: Api

    def sign_ins(
        self,
        *,
        outcome: str | None = None,
        code: str | None = None,
        user: str | None = None,
        issuer: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: str | None = None,
        after: str | None = None,
    ) -> Iterator[SignInEntry]:
        """The newest first; with `after`, a reference or "start", those that came after it, the oldest first."""
        wanted = {
            "outcome": outcome,
            "code": code,
            "user": user,
            "issuer": issuer,
            "since": since and since.isoformat(),
            "until": until and until.isoformat(),
            "before": before,
            "after": after,
        }
        return (read(SignInEntry, item) for item in self._api.items("/sign-ins", **wanted))

    def latest_sign_in(self) -> str:
        """What to give as `after` to get what comes from now on."""
        return self._api.get("/sign-ins", limit=1)["latest"] or START

    def wait_for_sign_in(self, *, after: str | None = None, timeout: float = 30) -> SignIn:
        """The first sign-in after a reference (now, where none is given). Raises TimeoutError after `timeout` seconds.

        Give `after` when the sign-in may come before this call does: `latest_sign_in()` before it, or "start".
        """
        entry = self._awaited(after or self.latest_sign_in(), time.monotonic() + timeout)
        if entry is None:
            raise TimeoutError(f"No sign-in came within {timeout:g} seconds.")
        return self.sign_in(entry["reference"])

    def sign_in(self, reference: str) -> SignIn:
        """The verdict with all that is known about the sign-in."""
        return read(SignIn, self._api.get(f"/sign-ins/{reference}"))

    def message(self, reference: str) -> bytes:
        """The message without signature values and ciphertext."""
        return self._api.send("GET", f"/sign-ins/{reference}/message").content

    def exact_message(self, reference: str) -> bytes:
        """The message byte for byte, for a token with the scope `messages`. Its assertion is refused from then on."""
        return self._api.send("POST", f"/sign-ins/{reference}/message").content

    def judge_again(self, reference: str, *, at: datetime | None = None, **circumstances: Any) -> JudgedAgain:
        """The same bytes against other settings; leaves no trace. `circumstances` are in docs/api.md."""
        body = given({"at": at and at.isoformat(), **circumstances})
        return read(JudgedAgain, self._api.send("POST", f"/sign-ins/{reference}/judge-again", json=body).json())

    def compare(self, a: str, b: str, *, everything: bool = False) -> Comparison:
        """What differs in meaning between two sign-ins; with `everything`, also what does not."""
        return read(Comparison, self._api.get("/sign-ins/compare", a=a, b=b, all="true" if everything else None))

    def sign_in_events(self, *, after: str | None = None) -> Iterator[SignInEntry]:
        """Sign-ins as they come, until the service or the caller ends it."""
        with self._api.stream("/sign-ins/events", params=given({"after": after})) as response:
            if not response.is_success:
                response.read()
                raise ProblemError(response)
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield read(SignInEntry, json.loads(line.removeprefix("data:")))

    def _awaited(self, after: str, deadline: float) -> Any:
        while True:
            left = max(0.0, deadline - time.monotonic())
            query = {"after": after, "limit": 1} | ({"wait": min(int(left) or 1, _LONGEST_WAIT)} if left else {})
            try:
                answer = self._api.send("GET", "/sign-ins", params=query, timeout=left + _SLACK).json()
            except ProblemError as error:
                if error.status != _BUSY or not left:
                    raise
                time.sleep(min(error.retry_after, left))
                continue
            if answer["items"] or not left:
                return next(iter(answer["items"]), None)
