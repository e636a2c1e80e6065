"""What was sent with the form "Judge a message": a paste, a file, or the messages that the page carried along.

Owns the names of these fields, their bounds, and what of a paste may be shown again. Never keeps a capture.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from sp.diagnosis.captures import MAX_CAPTURE_BYTES, Capture, find_messages
from sp.request_limits import MAX_CAPTURE_BODY_BYTES
from sp.saml.messages import Limits
from sp.web.admin.carried_capture import fitting, read_carried
from sp.web.errors import PageError

FILE = "capture"
TEXT = "capture_text"
CARRIED = "carried"
MESSAGE = "message"

_MOST_FIELDS = 50
_MOST_FILES = 2  # a capture and a certificate
_SHOWN_AGAIN = 64 * 1024  # characters

_NOTHING_GIVEN = "Paste a message or a capture, or choose a file."
_NOT_CARRIED = "What this page carried along cannot be read. Paste the capture again, or choose its file."

_SMALL = 1024 * 1024
_one_at_a_time = threading.Lock()  # reading a large one may take 300 MB for a moment
_PATIENCE = 10.0  # seconds
_RETRY = 5  # seconds


@dataclass(frozen=True, slots=True)
class GivenCapture:
    """`data` is the file, else the paste; `carried` counts when there is neither, and then so does `number`."""

    data: bytes = b""
    text: str = ""
    carried: str = ""
    message: str = ""

    @property
    def text_again(self) -> str:
        """The paste for showing it again, unless it is long or may hold a private key."""
        return self.text if len(self.text) <= _SHOWN_AGAIN and "PRIVATE KEY" not in self.text else ""

    def number(self, capture: Capture) -> int:
        """Which message is meant, counted from 1: the one that was chosen among those on the page, else the default."""
        chosen = int(self.message) if self.message.isdecimal() and len(self.message) < 4 else 0
        known = not self.data and 1 <= chosen <= len(capture.messages)
        return chosen if known else capture.default + 1


async def roomy_form(request: Request) -> None:
    """Dependency, before any other reads the form: larger parts than elsewhere, in memory or a file without a name."""
    await request.form(max_fields=_MOST_FIELDS, max_files=_MOST_FILES, max_part_size=MAX_CAPTURE_BODY_BYTES)


async def given_capture(request: Request) -> GivenCapture:
    """Dependency, after `roomy_form`."""
    form = await request.form()
    chosen = form.get(FILE)
    file = await chosen.read(MAX_CAPTURE_BYTES + 1) if isinstance(chosen, UploadFile) else b""
    texts = {name: value if isinstance(value := form.get(name), str) else "" for name in (TEXT, CARRIED, MESSAGE)}
    data = file or texts[TEXT].strip().encode("utf-8", "replace")
    return GivenCapture(data, texts[TEXT], texts[CARRIED], texts[MESSAGE])


GivenCaptureDep = Annotated[GivenCapture, Depends(given_capture)]


def capture_of(given: GivenCapture, limits: Limits) -> Capture:
    """The capture that is meant, its `fault` filled where there is no message to judge."""
    if given.data:
        with _turn(len(given.data)):
            return fitting(find_messages(given.data, limits))
    if not given.carried:
        return Capture("nothing", fault=_NOTHING_GIVEN)
    with _turn(len(given.carried)):
        return read_carried(given.carried) or Capture("nothing", fault=_NOT_CARRIED)


@contextmanager
def _turn(size: int) -> Iterator[None]:
    """Large captures one after the other. Raises PageError (503) when it takes too long."""
    if size <= _SMALL:
        yield
        return
    if not _one_at_a_time.acquire(timeout=_PATIENCE):
        raise PageError(503, retry_after=_RETRY)
    try:
        yield
    finally:
        _one_at_a_time.release()
