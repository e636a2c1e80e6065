"""Log lines: structured, one line each, whatever a stranger sent.

Owns the format, for our own lines and for those of the libraries. Never logs a password, a private key or a whole
message. What is bound in a request's context, its reference first, stands in every line that it causes.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any

import structlog
from structlog.typing import EventDict

from sp.pipe_writer import PipeWriter, is_pipe
from sp.settings import Settings

_MAX_VALUE = 500
_COMMON: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def configure_logging(settings: Settings, *, for_good: bool = False) -> None:
    """Lines as the settings want them. `for_good`, for a whole process, spares each logger from asking again."""
    level = getattr(logging, settings.log_level.upper())
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    )
    structlog.configure(
        processors=[*_COMMON, _one_line, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_LineLogger,
        cache_logger_on_first_use=for_good,
    )
    _take_over_the_libraries(renderer)


def dropped_lines() -> int:
    """How many log lines this process could not write: its disk or its pipe was full, or the pipe's reader gone."""
    return _output.dropped


class _Output:
    """Standard output as it is at the moment. Writing a line never raises.

    A sign-in is logged after its commit: an error here would keep the answer from the browser, and the browser's second
    try would be a replay.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._lock = threading.Lock()
        self._pipe = PipeWriter()

    def write(self, line: str) -> None:
        with self._lock:
            try:
                is_written = self._write(line + "\n")
            except (OSError, ValueError):  # ValueError: the stream is closed, or cannot encode the line
                is_written = False
            self.dropped += not is_written

    def _write(self, text: str) -> bool:
        output = sys.stdout
        if not is_pipe(output):
            output.write(text)
            output.flush()
            return True
        output.flush()  # what others printed comes first
        return self._pipe.write(output.fileno(), text.encode(output.encoding, output.errors or "strict"))


_output = _Output()


class _LineLogger:
    """What structlog hands finished lines to, whatever their level."""

    def __init__(self, *_names: object) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = self.msg = _output.write


class _OurLines(logging.Handler):
    """Records of the libraries, one line each."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001  arguments of a library that do not fit its own text
            line = f"A record of {record.name} could not be formatted."
        _output.write(line)


def _take_over_the_libraries(renderer: Any) -> None:
    """Warnings of the server and the database driver look like ours, so that one reader understands every line."""
    handler = _OurLines()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_COMMON, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _one_line, renderer],
        )
    )
    others = [known for known in logging.root.handlers if not isinstance(known, _OurLines)]
    logging.root.handlers[:] = [*others, handler]
    logging.root.setLevel(logging.WARNING)


def _one_line(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """A line break or a terminal sequence in a value would forge or hide lines (CWE-117)."""
    return {key: _flat(value) if isinstance(value, str) else value for key, value in event.items()}


def _flat(value: str) -> str:
    if len(value) <= _MAX_VALUE and value.isprintable():
        return value
    shown = "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in value)
    limit = 20_000 if "Traceback" in value[:40] else _MAX_VALUE
    return shown if len(shown) <= limit else f"{shown[:limit]}… ({len(shown)} characters)"
