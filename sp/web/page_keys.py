"""The key of a page in its address: opaque to people, and checked like anything else that comes from outside.

Owns writing and reading it. Never looks a row up: a key says between which two values the page begins, no more.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime

from sp.store.user_listing import TIMES, Listing, Position

_MAX_CHARACTERS = 2048
_MAX_ID = 2**63 - 1


def page_key(listing: Listing, position: Position) -> str:
    """A key that is good for this order only."""
    value = position.value.isoformat() if isinstance(position.value, datetime) else position.value
    parts = [listing.sort, listing.descending, position.back, position.id, value]
    return urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def position_of(listing: Listing, key: str) -> Position | None:
    """What the key stands for, or None when it is not one of ours for this order."""
    match _parts(key):
        case [listing.sort, listing.descending, bool() as back, int() as row_id, str() as text] if row_id in _IDS:
            value = _time(text) if listing.sort in TIMES else _text(text)
            return None if value is None else Position(value, row_id, back)
    return None


_IDS = range(1, _MAX_ID + 1)


def _parts(key: str) -> object:
    if len(key) > _MAX_CHARACTERS:
        return None
    try:
        return json.loads(urlsafe_b64decode(key.encode() + b"=" * (-len(key) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None


def _time(text: str) -> datetime | None:
    try:
        value = datetime.fromisoformat(text)
        return value.astimezone(UTC) if value.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _text(text: str) -> str | None:
    """A lone surrogate has no UTF-8 and NUL no place in PostgreSQL; neither is in any row."""
    return None if any(mark == "\0" or "\ud800" <= mark <= "\udfff" for mark in text) else text
