"""RelayState: where to go after a sign-in.

Owns the rule that it leads to a path on this service or to nothing (Bindings 3.5.3; unsolicited RelayState is
anybody's text). Never keeps it.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_HIDDEN = re.compile(r"%(?:2f|5c|0[0-9a-f]|1[0-9a-f])", re.IGNORECASE)  # a slash, a backslash, a control character
_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)\Z")
_MAX_LENGTH = 512


def safe_path(relay_state: str, base_url: str = "") -> str:
    """The path to go to: the given one when it stays on this service, else `/`.

    Also takes an absolute URL of this service, which some identity providers insist on.
    """
    path = relay_state.removeprefix(base_url) if base_url and relay_state.startswith(base_url + "/") else relay_state
    if len(path) > _MAX_LENGTH or not _PATH.match(path):
        return "/"
    if path.startswith("//") or "/../" in f"{path}/" or _HIDDEN.search(path):
        return "/"
    parts = urlsplit(path)
    return "/" if parts.scheme or parts.netloc else path
