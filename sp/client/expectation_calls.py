"""Expectations, by the API: what the next sign-in must look like, and whether it did.

Owns these calls of the client. Never compares anything: the service does.
"""

from __future__ import annotations

import math
import time
from typing import Any

from sp.client.answers import Expectation, read
from sp.client.http import Api

_LONGEST_WAIT = 60  # seconds in one request
_SLACK = 15.0  # seconds for the answer of a request that waits
_WAITING = "waiting"


class ExpectationCalls:
    """Part of `VirtualOffice`: contracts of sign-ins."""

    _api: Api

    def declare_expectation(self, **wanted: Any) -> Expectation:
        """Say what the next sign-in must look like; each expectation takes one, the first the first."""
        return read(Expectation, self._api.send("POST", "/expectations", json=wanted).json())

    def expectation(self, reference: str) -> Expectation:
        """How it stands: waiting, met, not_met or expired."""
        return read(Expectation, self._api.get(f"/expectations/{reference}"))

    def wait_for_expectation(self, reference: str, *, timeout: float = 30) -> Expectation:
        """The same, once a sign-in has answered it, in whole seconds. Raises TimeoutError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            wait = min(math.ceil(left), _LONGEST_WAIT)
            path = f"/expectations/{reference}"
            found = read(Expectation, self._api.send("GET", path, params={"wait": wait}, timeout=wait + _SLACK).json())
            if found.status != _WAITING:
                return found
        raise TimeoutError(f"No sign-in came within {timeout:g} seconds.")

    def expectation_as_junit(self, reference: str) -> str:
        """How it stands, as JUnit XML."""
        return self._api.send("GET", f"/expectations/{reference}.junit").text
