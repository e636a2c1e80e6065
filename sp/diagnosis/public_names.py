"""The names that everybody uses: standards' URIs, the words of claim names, the elements of SAML.

Owns the reading of `public_names.toml`. Never takes anything for public that is not listed there.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sp.saml import names

_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_SMALL_NUMBER = re.compile(r"[0-9]{1,4}")
_OTHER = re.compile(r"[^A-Za-z0-9_./:#?=-]")
_LONGEST = 200

NAMESPACES = frozenset(
    (
        names.SAML,
        names.SAMLP,
        names.DS,
        names.XENC,
        names.XENC11,
        names.EXC_C14N,
        "urn:oasis:names:tc:SAML:2.0:metadata",
        "urn:oasis:names:tc:SAML:1.0:assertion",
        "urn:oasis:names:tc:SAML:1.0:protocol",
        "http://schemas.xmlsoap.org/soap/envelope/",
        "http://schemas.xmlsoap.org/ws/2005/02/trust",
        "http://docs.oasis-open.org/ws-sx/ws-trust/200512",
        "http://www.w3.org/2009/xmldsig11#",
        "http://www.w3.org/2001/XMLSchema",
        "http://www.w3.org/2001/XMLSchema-instance",
        "http://www.w3.org/2000/xmlns/",
        "http://www.w3.org/XML/1998/namespace",
    )
)


@dataclass(frozen=True, slots=True)
class PublicNames:
    """The lists of `public_names.toml`; words are in lower case."""

    uris: tuple[str, ...]
    hosts: frozenset[str]
    values: frozenset[str]
    words: frozenset[str]
    prefixes: frozenset[str]
    elements: frozenset[str]
    attributes: frozenset[str]
    parser_words: frozenset[str]

    def is_word(self, text: str) -> bool:
        """Whether `text` is a public word, or one with other signs between its parts ("first_name", "firstName")."""
        lower = text.lower()
        return lower in self.words or re.sub(r"[_. -]", "", lower) in self.words

    def is_uri(self, text: str) -> bool:
        """Whether `text` is a standard's URI, every part of which is public."""
        beginning = next((uri for uri in self.uris if text.startswith(uri)), None)
        if beginning is None or len(text) > _LONGEST:
            return text in NAMESPACES
        rest = text[len(beginning) :]
        parts = _TOKEN.findall(rest)
        return not _OTHER.search(rest) and all(_SMALL_NUMBER.fullmatch(part) or self.is_word(part) for part in parts)


@cache
def public_names() -> PublicNames:
    data = tomllib.loads(Path(__file__).with_name("public_names.toml").read_text(encoding="utf-8"))
    return PublicNames(
        uris=tuple(data["uris"]),
        hosts=frozenset(data["hosts"]),
        values=frozenset(data["values"]),
        words=frozenset(data["words"].split()),
        prefixes=frozenset(data["prefixes"]),
        elements=frozenset(data["elements"].split()),
        attributes=frozenset(data["attributes"].split()),
        parser_words=frozenset(data["parser_words"].split()),
    )
