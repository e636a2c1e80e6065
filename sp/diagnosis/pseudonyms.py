"""Pseudonyms: the same one for the same value, and of the same shape.

Owns what stands for what. Never keeps a value that it was not shown to be public (see `sp.diagnosis.public_names`).

What a verdict may turn on survives: white space and slashes at the ends, upper and lower case, characters that cannot
be seen, the parts of a URL and of an address, and whether a value is longer than a bound.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum

from sp.diagnosis.public_names import PublicNames, public_names
from sp.saml.identity import username_key


class Kind(StrEnum):
    """What a value is, by the place where it stands."""

    USER = "user"
    TEXT = "text"
    ID = "id"
    PLACE = "place"  # a URI, a host, an entity ID
    HOST = "host"
    DOMAIN = "example"  # of an e-mail address
    ADDRESS = "address"
    PART = "part"  # of a URI
    ATTRIBUTE = "attribute"
    SUBJECT = "subject"  # of a certificate
    NAME = "name"  # of an element, a prefix or a namespace


LENGTHS = (1024, 256, 64)  # characters
_MOST_UNSEEN = 8

_EMAIL = re.compile(r"[^\s@/:;,<>\"'()!]+@[^\s@/:;,<>\"'()!]*[^\s@/:;,<>\"'()!.]")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\s]*)([^\s]*)")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?")
_EMBEDDED = re.compile(
    rf"(?P<url>[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>!,;]+)|(?P<email>{_EMAIL.pattern})"
    rf"|(?P<guid>\b{_GUID.pattern}\b)|(?P<address>\b{_IPV4.pattern}\b)"
)
_HOST = re.compile(r"(?=.*[^\W\d])[\w-]+(?:\.[\w-]+)+\.?(?::\d{1,5})?")
_SEPARATORS = re.compile(r"([/?#&=;:!,|\\]+)")


class Pseudonyms:
    """Gives out pseudonyms and remembers them. With `keep_hosts`, the names of hosts stay as they are."""

    def __init__(self, *, keep_hosts: bool = False) -> None:
        self._public: PublicNames = public_names()
        self._keep_hosts = keep_hosts
        self._bases: dict[str, str] = {}
        self._forms: dict[str, dict[str, int]] = {}
        self._numbers: Counter[Kind] = Counter()
        self._given: dict[str, tuple[str, Kind]] = {}
        self._kept: dict[str, None] = {}

    @property
    def given(self) -> Mapping[str, tuple[str, Kind]]:
        """Every value and every part of one that has a pseudonym, with it, in the order of their first coming."""
        return self._given

    @property
    def kept(self) -> tuple[str, ...]:
        """The URIs and hosts that stayed."""
        return tuple(self._kept)

    @property
    def counts(self) -> Mapping[Kind, int]:
        """How many different values were replaced, by kind."""
        return self._numbers

    def of(self, value: str, kind: Kind) -> str:
        """What stands for `value`; what is blank and what is public stands for itself."""
        lead, core, trail = _ends(value)
        if not core:
            return _bounded(value)
        found = self._of_core(core, kind)
        self._remember(core, found, kind)
        return f"{_bounded(lead)}{found}{_bounded(trail)}"

    def let(self, value: str, pseudonym: str) -> None:
        """From now on `pseudonym` stands for the whole of `value` in a text."""
        self._given[value] = (pseudonym, Kind.TEXT)

    def public(self, value: str) -> bool:
        """Whether `value` is a standard's URI. Such a one is listed as kept."""
        if not self._public.is_uri(value):
            return False
        self._kept[value] = None
        return True

    # By shape.

    def _of_core(self, core: str, kind: Kind) -> str:
        if (kind is not Kind.USER and self.public(core)) or (kind is Kind.ID and core in self._public.values):
            return core
        if kind in {Kind.SUBJECT, Kind.NAME} or _key(core) in self._bases:
            return self._named(core, kind)
        return self._shaped(core, kind) or self._plain(core, kind)

    def _shaped(self, core: str, kind: Kind) -> str | None:
        """By what the value looks like, or None where it looks like nothing."""
        if _EMAIL.fullmatch(core):
            return self._email(core)
        if (url := _URL.fullmatch(core)) is not None:
            return self._url(url)
        if (place := self._place(core, kind)) is not None:
            return place
        inside = _EMBEDDED.search(core)
        return self._composed(core, kind) if inside is not None and inside[0] != core else None

    def _place(self, core: str, kind: Kind) -> str | None:
        """A host, an IP address or a URN, where that is what it looks like; None for anything else."""
        if _is_address(core):
            return self._address(core)
        if core.lower().startswith("urn:"):
            return f"{core[:4]}{self._parts(core[4:])}"
        if kind in {Kind.PLACE, Kind.HOST} and (_HOST.fullmatch(core) or core in self._public.hosts):
            return self._host(core)
        if kind is not Kind.TEXT and "\\" in core:  # DOMAIN\user
            domain, _, user = core.rpartition("\\")
            return f"{self._plain(domain, Kind.PART)}\\{self._plain(user, Kind.USER)}"
        return None

    def _plain(self, core: str, kind: Kind) -> str:
        """A name without a shape of its own. Slashes at the end are a flaw that must be seen."""
        bare = core.rstrip("/")
        if not bare:
            return core[:_MOST_UNSEEN]
        if _GUID.fullmatch(bare):
            kind = Kind.ID
        return self._named(bare, kind) + core[len(bare) :][:_MOST_UNSEEN]

    def _email(self, core: str) -> str:
        local, _, domain = core.rpartition("@")
        return f"{self._named(local, Kind.USER)}@{self._host(domain, Kind.DOMAIN)}"

    def _url(self, url: re.Match[str]) -> str:
        scheme, place, rest = url.groups()
        user, at, host = place.rpartition("@")
        who = f"{self._named(user, Kind.USER)}@" if at and user else at
        return f"{self._scheme(scheme)}://{who}{self._host(host)}{self._parts(rest)}"

    def _scheme(self, scheme: str) -> str:
        return scheme if scheme.lower() in {"http", "https", "spn", "api"} else self._named(scheme, Kind.PART)

    def _host(self, core: str, kind: Kind = Kind.HOST) -> str:
        if not core:
            return ""
        if _is_address(core) and core not in self._public.hosts:
            return self._address(core)
        name, colon, port = core.rpartition(":") if re.search(r":\d{1,5}$", core) else (core, "", "")
        if self._keep_hosts or name.lower() in self._public.hosts:
            self._kept[name] = None
            return core
        found = self._named(name, kind)
        self._remember(name, found, kind)
        return f"{found}{colon}{port}"

    def _address(self, core: str) -> str:
        bare, colon, port = core.rpartition(":") if _IPV4.fullmatch(core) and ":" in core else (core, "", "")
        if bare in self._public.hosts:
            return core
        found = self._named(bare, Kind.ADDRESS)
        self._remember(bare, found, Kind.ADDRESS)
        return f"{found}{colon}{port}"

    def _parts(self, text: str) -> str:
        """The rest of a URI, part by part; the signs between them stay."""
        return "".join(
            part if _SEPARATORS.fullmatch(part) else self._part(part) for part in _SEPARATORS.split(text) if part
        )

    def _part(self, part: str) -> str:
        if self._public.is_word(part) or re.fullmatch(r"v?\d(?:\.\d)?|20\d\d(?:-\d\d)?|[0-9]{2}", part):
            return part
        if _EMAIL.fullmatch(part):
            return self._email(part)
        return self._plain(part, Kind.PART)

    def _composed(self, core: str, kind: Kind) -> str:
        """A text with a URL, an e-mail address, a GUID or an IP address in it: those by their shape, the rest too."""
        pieces, at = [], 0
        for found in _EMBEDDED.finditer(core):
            pieces += [self._between(core[at : found.start()], kind), self._of_core(found[0], _kind_of(found))]
            at = found.end()
        return "".join((*pieces, self._between(core[at:], kind)))

    def _between(self, text: str, kind: Kind) -> str:
        lead, core, trail = _ends(text, any_sign=True)
        return text if not core else f"{_bounded(lead)}{self._plain(core, kind)}{_bounded(trail)}"

    # By value.

    def _named(self, core: str, kind: Kind) -> str:
        """The base by the value's key; another form of the same value is told by the case of its letters."""
        key, unseen = _key(core), "".join(mark for mark in core if _unseen(mark))[:_MOST_UNSEEN]
        if key not in self._bases:
            self._numbers[kind] += 1
            self._bases[key] = _base(kind, self._numbers[kind], core)
        form = "".join(mark for mark in core if not _unseen(mark))
        forms = self._forms.setdefault(key, {})
        if form not in forms:
            forms[form] = _next_form(form, forms)
        found = _recased(self._bases[key], forms[form])
        self._remember(core, found, kind)
        return found[:1] + unseen + found[1:]

    def _remember(self, value: str, pseudonym: str, kind: Kind) -> None:
        if value != pseudonym:
            self._given.setdefault(value, (pseudonym, kind))


def _kind_of(found: re.Match[str]) -> Kind:
    kinds = {"url": Kind.PLACE, "email": Kind.USER, "guid": Kind.ID, "address": Kind.PLACE}
    return kinds[found.lastgroup or "url"]


def _is_address(text: str) -> bool:
    bare = text.rpartition(":")[0] if _IPV4.fullmatch(text) and ":" in text else text.strip("[]")
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return False
    return True


def _key(core: str) -> str:
    """What two forms of one value have in common."""
    seen = "".join(mark for mark in core if not _unseen(mark))
    return username_key(seen)


def _unseen(mark: str) -> bool:
    return unicodedata.category(mark) in {"Cc", "Cf"}


def _ends(value: str, *, any_sign: bool = False) -> tuple[str, str, str]:
    """What is blank or unseen at the start, the core, and the same at the end; with `any_sign`, signs are blank too."""

    def blank(mark: str) -> bool:
        return mark.isspace() or _unseen(mark) or (any_sign and not mark.isalnum())

    start, end = 0, len(value)
    while start < end and blank(value[start]):
        start += 1
    while end > start and blank(value[end - 1]):
        end -= 1
    return value[:start], value[start:end], value[end:]


def _bounded(blank: str) -> str:
    return blank[:32]


def _base(kind: Kind, number: int, core: str) -> str:
    if kind in {Kind.HOST, Kind.DOMAIN}:
        return f"{kind}-{number}.invalid"
    over = next((f"-over-{bound}" for bound in LENGTHS if len(core) > bound), "")
    # An ID that begins with a digit is against the schema.
    digit = "0" if kind is Kind.ID and core[0].isdigit() and not _GUID.fullmatch(core) else ""
    return f"{digit}{kind}-{number}{over}"


def _next_form(form: str, forms: Mapping[str, int]) -> int:
    """0 is for the form in small letters, so that a capital stands for one."""
    if form == form.lower() and 0 not in forms.values():
        return 0
    return max((*forms.values(), 0)) + 1


def _recased(base: str, form: int) -> str:
    """`base` with the letters in capitals that are ones in the number."""
    return "".join(_letters(base, form))


def _letters(base: str, form: int) -> Iterator[str]:
    for mark in base:
        if mark.isalpha():
            yield mark.upper() if form & 1 else mark
            form >>= 1
        else:
            yield mark
