"""Log lines: structured, one line each, whatever a stranger sent.

Owns the format. Never logs a password, a private key or a whole message.
"""

from __future__ import annotations

import logging
from typing import Any

import structlog
from structlog.typing import EventDict

from sp.settings import Settings

_MAX_VALUE = 500


def configure_logging(settings: Settings) -> None:
    level = getattr(logging, settings.log_level.upper())
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _one_line,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")


def _one_line(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """A line break or a terminal sequence in a value would forge or hide lines (CWE-117)."""
    return {key: _flat(value) if isinstance(value, str) else value for key, value in event.items()}


def _flat(value: str) -> str:
    shown = "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in value)
    limit = 20_000 if "Traceback" in value[:40] else _MAX_VALUE
    return shown if len(shown) <= limit else f"{shown[:limit]}… ({len(shown)} characters)"
