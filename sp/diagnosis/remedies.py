"""Which identity provider is this, and what to change in its own words.

The texts are in `remedies.toml` and, a file for each identity provider, in `providers/`:

    name        as its maker writes it
    app         the way to this service's entry there; "{app}" in a text stands for it
    known_by    how it is recognized, in a phrase for readers
    signs       regular expressions by kind of trace, strongest kind first: issuer, sign_in_url, attribute, id, name_id.
    remedies    by check code, several codes that share a text separated by ", ", or by code and problem
                ("audience.no_restriction"). Every text names a menu or a file. A code that is not there has the general
                remedy of the catalogue.
    unnamed     codes for which the general remedy is the right one, because the provider has no setting for them
    always      a sentence that every one of its remedies gets

The recognition chooses words and nothing else: it is made from unverified values, which anybody may write.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from lxml import etree

from sp.diagnosis.catalogue import TEXTS
from sp.diagnosis.recognition import advice
from sp.saml import names, values
from sp.saml.messages import Opened
from sp.saml.report import Outcome, Row
from sp.saml.xml import parse, text_of

GENERAL = "general"
# The order matters where two could match: the first one counts.
PROVIDERS = (
    "entra",
    "okta",
    "keycloak",
    "adfs",
    "google",
    "ping",
    "onelogin",
    "jumpcloud",
    "authentik",
    "simplesamlphp",
    "shibboleth",
    "lemonldap",
    "demo_directory",
    GENERAL,
)
KINDS = ("issuer", "sign_in_url", "attribute", "id", "name_id")  # of traces, the strongest first

CLOCK = ("not_before", "not_on_or_after", "confirmation_expiry", "response_issue_instant", "assertion_issue_instant")

_SHOWN = 1024  # characters of one value that are looked at
_MANY = 64  # values of one kind that are looked at
_LISTED = ", "


@dataclass(frozen=True, slots=True)
class Provider:
    """One identity provider: its name, its signs by kind of trace, and its remedies by check code.

    `unnamed` are codes for which it has no setting, so that the general remedy is the right one; `always` is a
    sentence that every remedy gets.
    """

    key: str
    name: str
    known_by: str
    signs: Mapping[str, tuple[re.Pattern[str], ...]]
    remedies: Mapping[str, str]
    unnamed: frozenset[str]
    always: str


@dataclass(frozen=True, slots=True)
class Status:
    """A status code that an identity provider answers with: a clause on what it means, and what to change."""

    code: str
    means: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Book:
    """Every provider, and the whole of `remedies.toml`.

    `here` are sentences about this service's own settings, by check code; `problems` are remedies of one problem, by
    "code.problem", before those of any provider.
    """

    providers: Mapping[str, Provider]
    statuses: Mapping[str, Status]
    here: Mapping[str, str]
    problems: Mapping[str, str]


@cache
def book() -> Book:
    """Read once, when the first refusal is explained."""
    data = _read("remedies.toml")
    return Book(
        providers={key: _provider(key, _read(f"providers/{key}.toml")) for key in PROVIDERS},
        statuses={code: Status(code, **entry) for code, entry in data["statuses"].items()},
        here=_by_code(data["here"]),
        problems=data["problems"],
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))


def _provider(key: str, entry: dict[str, Any]) -> Provider:
    signs = {kind: tuple(map(re.compile, patterns)) for kind, patterns in entry.get("signs", {}).items()}
    remedies = {code: text.replace("{app}", entry["app"]) for code, text in entry.get("remedies", {}).items()}
    return Provider(
        key=key,
        name=entry["name"],
        known_by=entry["known_by"],
        signs=signs,
        remedies=_by_code(remedies),
        unnamed=frozenset(entry.get("unnamed", ())),
        always=entry.get("always", "").replace("{app}", entry["app"]),
    )


def _by_code(texts: Mapping[str, str]) -> dict[str, str]:
    """One entry for each code; codes that share a text are listed in its key."""
    return {code: text for codes, text in texts.items() for code in codes.split(_LISTED)}


# Recognition.


@dataclass(frozen=True, slots=True)
class Traces:
    """What an unverified message, and the settings of its account, give away about who made it."""

    issuer: str = ""
    sign_in_url: str = ""
    attributes: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    name_id: str = ""

    def of(self, kind: str) -> tuple[str, ...]:
        """The values of a kind of KINDS, cut to what is looked at. Raises KeyError for another kind."""
        values = {
            "issuer": (self.issuer,),
            "sign_in_url": (self.sign_in_url,),
            "attribute": self.attributes,
            "id": self.ids,
            "name_id": (self.name_id,),
        }[kind]
        return tuple(value[:_SHOWN] for value in values[:_MANY] if value)


def recognized(traces: Traces) -> str:
    """The key of the identity provider that the strongest trace points to, or GENERAL."""
    for kind in KINDS:
        values = traces.of(kind)
        for provider in book().providers.values() if values else ():
            if any(sign.search(value) for sign in provider.signs.get(kind, ()) for value in values):
                return provider.key
    return GENERAL


def provider_of(opened: Opened, sign_in_url: str = "") -> str:
    """The identity provider that a message seems to come from. `sign_in_url` is its account's, where that is known."""
    return recognized(traces_of(opened, sign_in_url))


def traces_of(opened: Opened, sign_in_url: str = "") -> Traces:
    root = _root(opened)
    if root is None:
        return Traces(opened.unverified_issuer, sign_in_url)
    return Traces(
        issuer=opened.unverified_issuer,
        sign_in_url=sign_in_url,
        attributes=tuple(_values(root, names.ATTRIBUTE, "Name")),
        ids=(root.get("ID", ""), *_values(root, names.ASSERTION, "ID")),
        name_id=next((text_of(found).strip() for found in root.iter(names.NAME_ID)), ""),
    )


def _root(opened: Opened) -> etree._Element | None:
    """The tree of a message that is a Response, one with a failed status too; no other is parsed again."""
    if opened.response is not None:
        return opened.response.tree
    finding = opened.findings.get("root")
    if opened.xml is None or finding is None or finding.outcome is not Outcome.PASSED:
        return None
    return parse(opened.xml)


def _values(root: etree._Element, tag: str, attribute: str) -> Iterator[str]:
    return (found.get(attribute, "") for found in islice(root.iter(tag), _MANY))


def is_sign_in_url(value: str) -> bool:
    """Whether a value looks like the address where some known identity provider takes sign-ins, and like no issuer."""
    providers = book().providers.values()
    signs, issuers = (
        [sign for provider in providers for sign in provider.signs.get(kind, ())] for kind in ("sign_in_url", "issuer")
    )
    ends = value.rstrip("/").endswith(("/saml2", "/saml", "/sso"))
    return any(sign.search(value) for sign in signs) and (ends or not any(sign.search(value) for sign in issuers))


def name_of(provider: str) -> str:
    """The name of a provider; that of the general one for a key that is unknown."""
    providers = book().providers
    return providers.get(provider, providers[GENERAL]).name


# Remedies.


def remedy_for(row: Row, provider: str = GENERAL) -> str:
    """What to change so that this row passes: at the identity provider in its own words, and in this service."""
    found = book().providers.get(provider)
    parts = (_there(row, provider), book().here.get(row.code, ""), found.always if found else "")
    return " ".join(filter(None, parts))


def _there(row: Row, provider: str) -> str:
    if (instead := advice(row.received)) != "":
        return f"{instead[:1].upper()}{instead[1:]}."
    known = status_in(row.received) if isinstance(row.received, values.Status) else None
    if known is not None:
        return known.remedy
    found, general = book().providers.get(provider), TEXTS[row.code][1]
    problem = f"{row.code}.{row.problem.value}" if row.problem is not None else ""
    if problem in book().problems:
        return book().problems[problem]
    # A clock that is set right helps against a time that is off, and not against one that is missing.
    if found is None or (row.code in CLOCK and not isinstance(row.received, values.Instant)):
        return general
    return found.remedies.get(problem) or found.remedies.get(row.code, general)


_AADSTS = re.compile(r"AADSTS\d{4,9}")
_STATUS = re.compile(re.escape(names.STATUS_URI) + r"(\w+)")


def status_in(status: values.Status) -> Status | None:
    """The most telling code of a status: a known one of Microsoft's, else the innermost of SAML."""
    statuses, text = book().statuses, "\n".join((*status.value, status.message))
    microsoft, standard = _AADSTS.findall(text), _STATUS.findall(text)
    return next((statuses[code] for code in (*microsoft, *reversed(standard)) if code in statuses), None)
