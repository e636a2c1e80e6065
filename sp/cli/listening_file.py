"""`listening.json` in the data folder: where the service that runs there listens, for scripts and `healthcheck`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from sp.cli.atomic_file import write_atomically
from sp.settings import Settings

_NAME = "listening.json"
_log = structlog.get_logger("sp.listening_file")


@dataclass(frozen=True)
class Listening:
    """`url` is the base URL, where browsers go; `host` and `port` are what the process listens on."""

    url: str
    host: str
    port: int
    tls: bool
    pid: int

    @classmethod
    def of(cls, settings: Settings) -> Listening:
        tls = settings.tls_certificate is not None
        return cls(settings.base_url, settings.host, settings.port, tls, os.getpid())


def listening_file(settings: Settings) -> Path:
    return settings.data_dir / _NAME


def read_listening(settings: Settings) -> Listening | None:
    """What the file says; None where there is none, or nothing that can be read."""
    try:
        return Listening(**json.loads(listening_file(settings).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_listening(settings: Settings) -> None:
    """Say that this process listens now. A folder that cannot be written is a warning: the service runs without."""
    try:
        write_atomically(listening_file(settings), json.dumps(asdict(Listening.of(settings)), indent=2) + "\n")
    except OSError as error:
        _log.warning("listening_file_not_written", folder=str(settings.data_dir), reason=error.strerror)


@contextmanager
def listening_file_removed(settings: Settings) -> Iterator[None]:
    """Without what a killed service left behind at the start of the block, and without our own at its end."""
    _remove(settings)
    try:
        yield
    finally:
        if read_listening(settings) == Listening.of(settings):  # several services may share a folder
            _remove(settings)


def _remove(settings: Settings) -> None:
    with suppress(OSError):
        listening_file(settings).unlink(missing_ok=True)
