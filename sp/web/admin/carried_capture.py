"""The messages of a capture, carried by the page itself while somebody judges one after the other.

Owns writing them into a form's field and reading them back. Never stores anything, and believes nothing that comes back
more than what was pasted: a message is judged, whoever wrote it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

from sp.diagnosis.captures import CAPTURES, MAX_CAPTURE_BYTES, Capture, CapturedMessage
from sp.diagnosis.recognition import KINDS
from sp.saml.messages import PostedForm
from sp.saml.recognition import UNKNOWN

MAX_CARRIED = 12 * 1024 * 1024  # characters: with the other fields it must fit into a body again
_MOST_BRACKETS = 10_000  # a message with its form has about ten


def fitting(capture: Capture) -> Capture:
    """The capture with as many of its newest messages as a page can carry."""
    kept = list(capture.messages)
    while kept and sum(_weight(message) for message in kept) > MAX_CARRIED:
        kept.pop(0)
    if capture.messages and not kept:
        return Capture(capture.kind, fault=_TOO_LARGE)
    left_out = capture.left_out + len(capture.messages) - len(kept)
    return replace(capture, messages=tuple(kept), left_out=left_out)


_TOO_LARGE = f"The newest message is larger than {MAX_CARRIED // 1024 // 1024} MiB, which none that is accepted is."


def carried(capture: Capture) -> str:
    """For a hidden field. ASCII without line breaks, which a browser would change."""
    rows = [[message.kind, message.where, message.note, *_packed(message.source)] for message in capture.messages]
    return json.dumps([capture.kind, capture.left_out, rows], separators=(",", ":"))


def read_carried(text: str) -> Capture | None:
    """What `carried` wrote; None for anything else."""
    if len(text) > MAX_CAPTURE_BYTES or text.count("[") > _MOST_BRACKETS:
        return None
    try:
        kind, left_out, rows = json.loads(text)
        messages = tuple(_message(*row) for row in rows)
        valid = kind in CAPTURES and isinstance(left_out, int) and messages
        return Capture(str(kind), messages, left_out=left_out) if valid else None
    except (TypeError, ValueError, RecursionError):
        return None


def _message(kind: str, where: str, note: str, shape: str, content: Any) -> CapturedMessage:
    """Raises TypeError or ValueError for what `carried` does not write."""
    if kind not in KINDS and kind != UNKNOWN:
        raise ValueError(kind)
    return CapturedMessage(kind, _text(where), _unpacked(shape, content), _text(note))


def _packed(source: PostedForm | bytes | str) -> tuple[str, Any]:
    if isinstance(source, bytes):
        return "xml", base64.b64encode(source).decode("ascii")
    if isinstance(source, str):
        return "value", source
    return "form", [source.method, source.content_type, *source.fields]


def _unpacked(shape: str, content: Any) -> PostedForm | bytes | str:
    if shape == "xml":
        return base64.b64decode(_text(content), validate=True)
    if shape == "value":
        return _text(content)
    if shape != "form":
        raise ValueError(shape)
    method, content_type, *fields = content
    return PostedForm(_text(method), _text(content_type), tuple((_text(name), _text(value)) for name, value in fields))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value.encode("utf-8", "replace").decode()  # JSON can hold lone surrogates, which no page can


def _weight(message: CapturedMessage) -> int:
    """About how many characters it takes; what is not ASCII takes six."""
    source = message.source
    if isinstance(source, bytes):
        return len(source) * 4 // 3
    texts = (source,) if isinstance(source, str) else tuple(value for _, value in source.fields)
    return sum(len(text) if text.isascii() else 6 * len(text) for text in texts)
