"""What a test wants of a sign-in, held against what came.

Owns the words of `virtual_office.expect(…)` and how a difference is told. Never judges a message.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from sp.client import SignIn, VirtualOffice

_INDENT = "  "


class Expectation:
    """What is wanted of the sign-in that the block brings about, and, after the block, that sign-in."""

    def __init__(self, office: VirtualOffice, wanted: Mapping[str, Any], timeout: float) -> None:
        _require_known(wanted)
        self._office = office
        self._wanted = wanted
        self._timeout = timeout
        self._before = ""
        self._arrived: SignIn | None = None

    @property
    def sign_in(self) -> SignIn:
        """The sign-in that came. Raises AssertionError before the end of the block."""
        if self._arrived is None:
            raise AssertionError("The sign-in is known after the block of `expect`.")
        return self._arrived

    def __enter__(self) -> Expectation:
        self._before = self._office.latest_sign_in()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        if error is not None:
            return  # what broke the block says more than a sign-in that did not come
        try:
            self._arrived = self._office.wait_for_sign_in(after=self._before, timeout=self._timeout)
        except TimeoutError:
            raise AssertionError(f"No sign-in came within {self._timeout:g} seconds.") from None
        if found := differences(self._arrived, self._wanted):
            raise AssertionError(_told(self._arrived, found))


def _told(sign_in: SignIn, found: list[str]) -> str:
    said = [f"Sign-in {sign_in.reference} is not what was expected:", *found]
    if not sign_in.accepted:
        said += [f"It was refused: {sign_in.message}", sign_in.remedy]
    return "\n".join(line for line in said if line)


def differences(sign_in: SignIn, wanted: Mapping[str, Any]) -> list[str]:
    """One entry for each thing that is not as wanted, with both sides."""
    found = []
    for name, value in wanted.items():
        if name == "attributes":
            found += _different_attributes(sign_in, value)
        else:
            found += _different(name, value, READERS[name](sign_in))
    return found


def _different(name: str, wanted: Any, received: Any) -> list[str]:
    if isinstance(wanted, re.Pattern):
        held = isinstance(received, str) and wanted.search(received) is not None
        wanted = f"matches {wanted.pattern!r}"
    else:
        wanted = _comparable(wanted)
        held = wanted == received
    if held:
        return []
    told = [f"{_INDENT}{name}", f"{_INDENT * 2}expected: {wanted!r}", f"{_INDENT * 2}received: {received!r}"]
    return ["\n".join(told)]


def _different_attributes(sign_in: SignIn, wanted: Mapping[str, Any]) -> list[str]:
    """Only those that are named; None: the assertion must not have it."""
    received = sign_in.identity.attributes if sign_in.identity else {}
    found = []
    for name, value in wanted.items():
        got = received.get(name)
        single = got[0] if got is not None and len(got) == 1 and isinstance(value, str | re.Pattern) else got
        found += _different(f"attribute {name}", value, single)
    return found


def _comparable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _require_known(wanted: Mapping[str, Any]) -> None:
    """A misspelt word would otherwise expect nothing."""
    known = [*READERS, "attributes"]
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f". What may be expected: {', '.join(known)}."
            raise TypeError(f"expect() knows no {name!r}{hint}")


def _of_identity(name: str) -> Callable[[SignIn], Any]:
    return lambda sign_in: getattr(sign_in.identity, name) if sign_in.identity else None


def _of_name_id(name: str) -> Callable[[SignIn], Any]:
    return lambda sign_in: getattr(sign_in.identity.name_id, name) if sign_in.identity else None


def _of_sign_in(name: str) -> Callable[[SignIn], Any]:
    return lambda sign_in: getattr(sign_in, name)


# What may be wanted: equal to the value, or matched by a compiled regular expression. Beside these: `attributes`.
READERS: Mapping[str, Callable[[SignIn], Any]] = {
    **{
        name: _of_sign_in(name)
        for name in ("outcome", "failed", "warnings", "username", "provisioned", "issuer", "provider", "certificate")
    },
    **{
        name: _of_identity(name)
        for name in ("first_name", "last_name", "email", "session_index", "authn_context", "authn_instant")
    },
    "name_id": _of_name_id("value"),
    "name_id_format": _of_name_id("format"),
}
