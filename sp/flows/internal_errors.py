"""What becomes of an exception while a message is evaluated: a refusal that is kept, and an entry in the log.

Never hides a database that cannot be reached: without it nothing can be kept, and the client has to try again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from sp.flows.realms import WorkspaceGoneError
from sp.saml.internal_errors import stopped_at
from sp.saml.report import Report
from sp.store.together import AbandonedError

# What the callers answer by themselves, mostly by "try again". AbandonedError is no error of the message.
ANSWERED_ELSEWHERE = (WorkspaceGoneError, AbandonedError, OperationalError, InterfaceError, PoolTimeoutError)

_log = structlog.get_logger("sp.internal_error")


def log_internal_error(error: Exception | None, reference: str) -> None:
    """Write the traceback to the log, under the reference of the refusal. None is no error."""
    if error is not None:
        _log.error("evaluation_failed", reference=reference, exc_info=error)


def kept_error(report: Report, error: Exception | None) -> dict[str, Any]:
    """What is stored of an exception that refused a message: without it, evaluating again would find another result.

    Rows after the one that it failed were not reached, so that one is the last that failed.
    """
    return {} if error is None else {"internal_error": {"code": report.failed[-1], "kind": type(error).__name__}}


def as_then(report: Report, kept: Mapping[str, Any]) -> Report:
    """The report of a stored message, evaluated again, as the exception left it then if there was one."""
    error = kept.get("internal_error")
    return report if error is None else stopped_at(report, error["code"], error["kind"])
