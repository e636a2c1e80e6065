"""The preflight of this side: switched on, reachable, with somebody to sign in, and with clocks that agree.

Owns how far clocks may be apart before it is worth a word. Never reads a clock.
"""

from __future__ import annotations

from datetime import timedelta
from statistics import median

from sp.diagnosis.explanations import span
from sp.diagnosis.preflight.connection import Connection, parts_of, stays_near
from sp.diagnosis.preflight.finding import Finding, failed, passed, skipped, warning

_NOTICED = timedelta(seconds=30)
_BROWSER_NOTICED = timedelta(seconds=60)


def switched_on(connection: Connection) -> Finding:
    if not connection.active:
        return failed(expected="an active account", received="an account that is switched off")
    if not connection.switched_on:
        return failed(expected='"Single Sign On" ticked under "Authentication method"', received="not ticked")
    return passed("Single Sign On is ticked")


def somebody_begins(connection: Connection) -> Finding:
    if connection.unsolicited:
        return passed("the identity provider may begin a sign-in")
    if connection.sign_in_url.strip():
        return passed("only this service begins a sign-in")
    return failed(expected='"Sign In URL", or sign-in started by the identity provider', received="neither")


def somebody_signs_in(connection: Connection) -> Finding:
    if connection.provisioning:
        return passed("the first sign-in creates the user")
    if connection.mapped_user_exists:
        return passed("users exist")
    return failed(
        expected=f"just-in-time provisioning, or an active user with {connection.mapped_field}", received="neither"
    )


def own_https(connection: Connection) -> Finding:
    """Identity providers refuse a Reply URL on http unless it is a loopback address."""
    for url in (connection.acs_url, connection.entity_id):
        parts = parts_of(url)
        if parts and parts.scheme == "http" and not stays_near(parts.hostname or ""):
            return warning(expected="https", received=url)
    return passed()


def clock(connection: Connection) -> Finding:
    """By the median: one message that was held up, or sent again, says nothing about a clock."""
    if not connection.distances:
        return skipped("unknown until the first message")
    distance = timedelta(seconds=median(ahead.total_seconds() for ahead in connection.distances))
    allowed = connection.skew if distance > timedelta() else connection.skew + connection.response_max_age
    many = len(connection.distances)
    told = f"{_apart(distance)} in the last {f'{many} messages' if many > 1 else 'message'}"
    if abs(distance) > allowed:
        return failed(expected=f"at most {span(allowed)}", received=told)
    if abs(distance) > _NOTICED:
        return warning(expected=f"at most {span(_NOTICED)}", received=told)
    return passed(told)


def browser_clock(connection: Connection) -> Finding:
    """An independent clock: where it differs, one of the two is off, and the identity provider will show which."""
    distance = connection.browser_distance
    if distance is None:
        return skipped("the browser did not say")
    if abs(distance) > _BROWSER_NOTICED:
        return warning(expected=f"at most {span(_BROWSER_NOTICED)}", received=_apart(distance))
    return passed(_apart(distance))


def _apart(distance: timedelta) -> str:
    if abs(distance) < timedelta(seconds=1):
        return "less than a second apart"
    return f"{span(abs(distance))} {'ahead' if distance > timedelta() else 'behind'}"
