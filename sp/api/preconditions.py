"""ETags: nobody overwrites what somebody else saved meanwhile (RFC 9110, 13.1.1).

Owns reading If-Match. Never compares anything but versions: the answer carries the one that it shows.
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header

from sp.api.problems import ApiError, invalid

ANY = "*"
_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')

IfMatch = Annotated[
    str | None,
    Header(description='The ETag of what was read, such as `"3"`; `*` for whatever it is now.', max_length=200),
]


def etag(version: int | str) -> str:
    return f'"{version}"'


def require_match(if_match: str | None, version: int | str) -> None:
    """Raises ApiError: 428 without the header, 412 when it names another version."""
    if if_match is None:
        raise ApiError(428)
    check_match(if_match, version)


def check_match(if_match: str | None, version: int | str) -> None:
    """As `require_match`, where the header may be left out. A weak tag matches nothing (RFC 9110, 8.8.3.2)."""
    if if_match is None or if_match.strip() == ANY:
        return
    tags = [tag.strip() for tag in if_match.split(",")]
    if not all(_TAG.fullmatch(tag) for tag in tags):
        raise invalid({"If-Match": 'Send the ETag as it came, with its quotation marks, such as "3".'})
    if etag(version) not in tags:
        raise ApiError(412, headers={"ETag": etag(version)})
