"""`with virtual_office.expect(…)`: a sign-in that the block brings about must look as wanted.

Owns when it is declared and asked, and how a test is told. Never compares: the service does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from sp.client import Expectation, SignIn, VirtualOffice

_NOT_MET = "not_met"


class ExpectedSignIn:
    """What is wanted, and, after the block, the sign-in that came. `had` is told its reference."""

    def __init__(
        self, office: VirtualOffice, wanted: Mapping[str, Any], timeout: float, had: Callable[[str], None]
    ) -> None:
        self._office = office
        self._wanted = wanted
        self._timeout = timeout
        self._had = had
        self._declared = ""
        self._arrived: SignIn | None = None

    @property
    def sign_in(self) -> SignIn:
        """The sign-in that came. Raises AssertionError before the end of the block."""
        if self._arrived is None:
            raise AssertionError("The sign-in is known after the block of `expect`.")
        return self._arrived

    def __enter__(self) -> ExpectedSignIn:
        __tracebackhide__ = True
        self._declared = self._office.declare_expectation(**self._wanted).reference
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        if error is not None:
            return  # what broke the block says more than a sign-in that did not come
        try:
            answer = self._office.wait_for_expectation(self._declared, timeout=self._timeout)
        except TimeoutError as too_late:
            raise AssertionError(str(too_late)) from None
        if answer.sign_in is None:
            raise AssertionError("No sign-in came before the expectation expired.")
        self._arrived = self._office.sign_in(answer.sign_in)
        self._had(answer.sign_in)
        if answer.status == _NOT_MET:
            raise AssertionError(_told(self._arrived, answer))


def _told(sign_in: SignIn, answer: Expectation) -> str:
    said = [f"Sign-in {sign_in.reference} is not what was expected:"]
    for line in answer.differences:
        said += [f"  {line.field}", f"    expected: {line.expected}", f"    received: {line.received}"]
    if not sign_in.accepted:
        said += [f"It was refused: {sign_in.message}", sign_in.remedy]
    return "\n".join(line for line in said if line)
