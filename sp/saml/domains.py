"""E-mail domains in the form in which they are compared.

The form is lower case with A-labels (RFC 5890, 2.3.2.1), so that bücher.example and xn--bcher-kva.example are one
domain. A subdomain is another domain: its owner may be somebody else.
"""

from __future__ import annotations

import re
import unicodedata

MAX_CHARACTERS = 253  # RFC 1035, 2.3.4, without the root's dot

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ASCII_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def normalize_domain(text: str) -> str | None:
    """The domain in the form in which it is compared; None for text that is no domain name."""
    lowered = unicodedata.normalize("NFC", text).lower()
    domain = lowered if lowered.isascii() and "--" not in lowered else _with_a_labels(lowered)
    return domain if len(domain) <= MAX_CHARACTERS and _ASCII_DOMAIN.fullmatch(domain) else None


def domain_of(username: str) -> str | None:
    """The domain after the last @ of a username, as `normalize_domain` gives it; None for a username without one."""
    name, _, domain = username.rpartition("@")
    return normalize_domain(domain) if name else None


def _with_a_labels(lowered: str) -> str:
    """The domain with A-labels; "" for one that has none. IDNA 2008 without mapping: ß is not ss."""
    import idna  # noqa: PLC0415  its tables take 20 ms to load, and almost every domain is plain ASCII

    try:
        return idna.encode(lowered, strict=True, std3_rules=True).decode("ascii")
    except idna.IDNAError:
        return ""
