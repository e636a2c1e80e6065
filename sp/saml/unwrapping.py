"""The XML inside a value that the HTTP-POST binding would not take as it stands: encoded again, or compressed.

Owns taking those layers off, never beyond the limit of a message. Never serves the assertion consumer service, which
takes off nothing but strict base64 (see `sp.saml.bindings`).
"""

from __future__ import annotations

import binascii
import codecs
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_MOST_LAYERS = 6  # percent-encoding, base64 and compression, each of them twice
MOST_PERCENT = 400_000  # of one value, each of which costs: twice as many as the largest message that may be allowed
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_\s-]++={0,2}\s*+")
_ONE_ALPHABET = bytes.maketrans(b"-_ ", b"+/+")  # a "+" that was not percent-encoded comes as a space
_XML_STARTS = (b"<", codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"\0<")  # of any encoding: the core judges which


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """The bytes inside, at most one more than were asked for, and the layers around them from the outside in."""

    xml: bytes
    layers: tuple[str, ...]


def looks_like_xml(data: bytes) -> bool:
    return data.removeprefix(codecs.BOM_UTF8).lstrip().startswith(_XML_STARTS)


def unwrap(text: str, most: int) -> Unwrapped | None:
    """What XML there is inside `text`, of which at most `most` bytes and one more are inflated; None for none."""
    return unwrap_bytes(text.encode("utf-8", "replace"), most)


def unwrap_bytes(data: bytes, most: int) -> Unwrapped | None:
    """As `unwrap`, for bytes."""
    layers: list[str] = []
    while not looks_like_xml(data):
        found = next(((name, inside) for name, take_off in _LAYERS if (inside := take_off(data, most))), None)
        if found is None or len(layers) == _MOST_LAYERS:
            return None
        layers.append(found[0])
        data = found[1]
    return Unwrapped(data, tuple(layers))


def _percent(data: bytes, _most: int) -> bytes | None:
    """Of text only: compressed bytes may hold what looks like it."""
    encoded = data.isascii() and _PERCENT.search(data) and data.count(b"%") <= MOST_PERCENT
    return unquote_to_bytes(data) if encoded else None


def _base64(data: bytes, _most: int) -> bytes | None:
    """As far as it goes: one without padding, or with its end cut off, still shows what it was."""
    if not _BASE64.fullmatch(data):
        return None
    text = data.lstrip().translate(_ONE_ALPHABET, b"\t\r\n\v\f").partition(b"=")[0]
    whole = text[: len(text) - 1] if len(text) % 4 == 1 else text
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def _gzip(data: bytes, most: int) -> bytes | None:
    return _inflated(data, 16 + zlib.MAX_WBITS, most) if data.startswith(b"\x1f\x8b") else None


def _deflate(data: bytes, most: int) -> bytes | None:
    """Any bytes may inflate to something: without a tag at the start it was chance."""
    for window in (-zlib.MAX_WBITS, zlib.MAX_WBITS):
        inside = _inflated(data, window, most)
        if inside is not None and looks_like_xml(inside):
            return inside
    return None


def _inflated(data: bytes, window: int, most: int) -> bytes | None:
    try:
        return zlib.decompressobj(window).decompress(data, most + 1)  # a bomb stays as small as a message
    except zlib.error:
        return None


_LAYERS: tuple[tuple[str, Callable[[bytes, int], bytes | None]], ...] = (
    ("percent", _percent),
    ("base64", _base64),
    ("gzip", _gzip),
    ("deflate", _deflate),
)
