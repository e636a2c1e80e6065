"""Reading a settings file: companies, accounts, their Single Sign On settings and users, as YAML.

Owns what may stand in the file and where each value stood, so that a fault names its line. Never touches the database
(`sp.flows.settings_applying` does), and knows no password and no private key.

Values are read as they are written: `provider_name: NO` is the text NO and `username: 007` keeps its zeros. An alias
(`*name`) is refused: a few lines of them stand for gigabytes, and a settings file needs none.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import yaml

from sp.flows.account_setup import SsoDraft
from sp.flows.user_profiles import Profile
from sp.models import UserStatus
from sp.saml.certificates import IdpCertificate, read_certificate
from sp.saml.errors import CertificateError
from sp.saml.identity import username_key

MAX_BYTES = 4 * 1024 * 1024
MAX_USERS = 10_000
_MAX_DEPTH = 12
_MAX_FAULTS = 50
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NULL = "tag:yaml.org,2002:null"
_CORE = "tag:yaml.org,2002:"
_STATUSES = (UserStatus.ACTIVE.value, UserStatus.DISABLED.value)
CERTIFICATE_LISTS = ("certificates", "retired_certificates")
_SHAPES: Mapping[str, type] = {field.name: type(getattr(SsoDraft(), field.name)) for field in fields(SsoDraft)}
_NUMBERS = ("proxy_count",)

ReadFile = Callable[[str], bytes]  # the bytes of a certificate file; raises OSError


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: its line, counted from 1, and its way from the top, such as `companies[0].name`."""

    line: int
    path: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the file, and where."""

    place: Place
    sentence: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why the file cannot be applied; there is at least one fault."""

    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Placed:
    """Something in the file. `places` has each of its values by its key, and under "" where it begins."""

    places: Mapping[str, Place]

    def place(self, name: str) -> Place:
        """Where the value stands, or where the whole begins when the value was left out."""
        return self.places.get(name) or self.places[""]


@dataclass(frozen=True, slots=True)
class WantedUser(_Placed):
    """A user profile as the file has it. `values` are by the names of Profile; what is not given is not in it."""

    values: Mapping[str, str]
    status: str | None

    @property
    def username(self) -> str:
        return self.values["username"]


@dataclass(frozen=True, slots=True)
class WantedAccount(_Placed):
    """An account. `changes` are by the names of SsoDraft; what is not given is not in it and stays as it is."""

    slug: str
    name: str | None
    active: bool | None
    changes: Mapping[str, Any]
    users: tuple[WantedUser, ...]


@dataclass(frozen=True, slots=True)
class WantedCompany(_Placed):
    """A company with those of its domains and accounts that the file names."""

    name: str
    domains: tuple[tuple[str, Place], ...]
    accounts: tuple[WantedAccount, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the whole file asks for."""

    companies: tuple[WantedCompany, ...]


def read_settings_file(content: bytes, read_file: ReadFile) -> Wanted | Unreadable:
    """The file's meaning, or every fault that it has (the first 50)."""
    if len(content) > MAX_BYTES:
        return _at_top(f"A settings file has at most {MAX_BYTES // 1024 // 1024} MiB; this one is larger.")
    try:
        root = _root(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return _at_top(f"This is not UTF-8 (byte {error.start}).")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return Unreadable((Fault(Place(mark.line + 1 if mark else 1, ""), _yaml_sentence(error)),))
    except yaml.YAMLError as error:
        return _at_top(f"This is not YAML: {str(error).splitlines()[0]}.")
    if isinstance(root, Fault):
        return Unreadable((root,))
    reader = _Reader(read_file)
    wanted = _read(reader, root)
    return Unreadable(tuple(reader.faults[:_MAX_FAULTS])) if reader.faults else wanted


def _root(text: str) -> yaml.Node | Fault:
    """The one document. The events are looked at first: they cost no recursion and expand no alias."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            return Fault(Place(line, ""), "Anchors and aliases are not taken: write the value out.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            return Fault(Place(line, ""), f"Values are nested at most {_MAX_DEPTH} deep.")
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    return Fault(Place(1, ""), "The file is empty.") if root is None else root


def _read(reader: _Reader, root: yaml.Node) -> Wanted:
    top = reader.mapping(root, "", ("companies",))
    companies = reader.items(top, "companies")
    wanted = tuple(_company(reader, node, f"companies[{number}]") for number, node in enumerate(companies))
    reader.once((account.slug, account.place("slug")) for company in wanted for account in company.accounts)
    reader.once((company.name, company.place("name")) for company in wanted)
    names = [
        (username_key(user.username), user.place("username"))
        for company in wanted
        for account in company.accounts
        for user in account.users
    ]
    reader.once(names)
    if len(names) > MAX_USERS:
        reader.fault(names[MAX_USERS][1], f"A settings file has at most {MAX_USERS} users.")
    return Wanted(wanted)


def _company(reader: _Reader, node: yaml.Node, path: str) -> WantedCompany:
    given = reader.mapping(node, path, ("name", "domains", "accounts"), required=("name",))
    accounts = reader.items(given, "accounts", path)
    return WantedCompany(
        name=reader.text(given, "name", path) or "",
        domains=reader.texts(given, "domains", path),
        accounts=tuple(_account(reader, one, f"{path}.accounts[{number}]") for number, one in enumerate(accounts)),
        places=reader.places(node, given, path),
    )


def _account(reader: _Reader, node: yaml.Node, path: str) -> WantedAccount:
    given = reader.mapping(node, path, ("slug", "name", "active", "settings", "users"), required=("slug",))
    settings, changes = given.get("settings"), {}
    places = reader.places(node, given, path)
    if settings is not None:
        within = f"{path}.settings"
        values = reader.mapping(settings, within, tuple(_SHAPES))
        changes = {name: reader.setting(values, name, within) for name in values}
        places |= reader.places(settings, values, within)
    users = reader.items(given, "users", path)
    return WantedAccount(
        slug=reader.text(given, "slug", path) or "",
        name=reader.text(given, "name", path),
        active=reader.flag(given, "active", path),
        changes=changes,
        users=tuple(_user(reader, one, f"{path}.users[{number}]") for number, one in enumerate(users)),
        places=places,
    )


def _user(reader: _Reader, node: yaml.Node, path: str) -> WantedUser:
    names = tuple(field.name for field in fields(Profile))
    given = reader.mapping(node, path, (*names, "status"), required=("username",))
    status = reader.text(given, "status", path)
    places = reader.places(node, given, path)
    if status is not None and status not in _STATUSES:
        reader.fault(places["status"], f"Choose one of: {', '.join(_STATUSES)}.")
    values = {name: (reader.text(given, name, path) or "").strip() for name in names if name in given}
    return WantedUser(places, {"username": ""} | values, status)


@dataclass
class _Reader:
    """Turns nodes into values and keeps every fault that it meets on the way."""

    read_file: ReadFile
    faults: list[Fault] = field(default_factory=list)

    def fault(self, place: Place, sentence: str) -> None:
        self.faults.append(Fault(place, sentence))

    def places(self, node: yaml.Node, given: Mapping[str, yaml.Node], path: str) -> dict[str, Place]:
        """Where each given value stands, and under "" where the whole stands."""
        return {"": Place(_line(node), path)} | {name: _place(value, path, name) for name, value in given.items()}

    def mapping(
        self, node: yaml.Node, path: str, known: tuple[str, ...], *, required: tuple[str, ...] = ()
    ) -> dict[str, yaml.Node]:
        """The values by their keys. A key that is not `known` is a fault, and so is one that comes twice."""
        here = Place(_line(node), path)
        if not isinstance(node, yaml.MappingNode):
            self.fault(here, f"Keys and values are expected here: {', '.join(known)}.")
            return {}
        found: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
            place = _place(key_node, path, key[:60])
            if key not in known:
                self.fault(place, _no_such_key(key, known))
            elif key in found:
                self.fault(place, "This key stands here twice.")
            else:
                found[key] = value
        for name in required:
            if name not in found:
                self.fault(here, f"{name} is missing.")
        return found

    def items(self, given: Mapping[str, yaml.Node], name: str, path: str = "") -> list[yaml.Node]:
        """The nodes of a list; none where the list is left out or empty."""
        node = given.get(name)
        if node is None or _is_null(node):
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.fault(_place(node, path, name), "A list is expected here, each line with a hyphen before it.")
            return []
        items: list[yaml.Node] = node.value
        return items

    def text(self, given: Mapping[str, yaml.Node], name: str, path: str) -> str | None:
        """The text as written, "" for nothing behind the colon, None where the key is left out."""
        node = given.get(name)
        return None if node is None else self._scalar(node, _place(node, path, name))

    def texts(self, given: Mapping[str, yaml.Node], name: str, path: str) -> tuple[tuple[str, Place], ...]:
        """The texts of a list, each with its place."""
        places = [
            (node, Place(_line(node), f"{path}.{name}[{number}]"))
            for number, node in enumerate(self.items(given, name, path))
        ]
        return tuple((self._scalar(node, place), place) for node, place in places)

    def flag(self, given: Mapping[str, yaml.Node], name: str, path: str) -> bool | None:
        node = given.get(name)
        if node is None:
            return None
        place = _place(node, path, name)
        text = self._scalar(node, place).lower()
        if text not in _FLAGS:
            self.fault(place, "Enter true or false.")
        return _FLAGS.get(text, False)

    def setting(self, given: Mapping[str, yaml.Node], name: str, path: str) -> Any:
        """One value of SsoDraft, in its type."""
        if name in CERTIFICATE_LISTS:
            return self._certificates(given, name, path)
        if name in _NUMBERS:
            return self._number(given[name], _place(given[name], path, name))
        if _SHAPES[name] is bool:
            return self.flag(given, name, path)
        if _SHAPES[name] is tuple:
            return tuple(text for text, _ in self.texts(given, name, path))
        return self.text(given, name, path)

    def once(self, names: Iterable[tuple[str, Place]]) -> None:
        """A name that comes twice in the file would be changed twice, and the last one would win in silence."""
        seen: set[str] = set()
        for name, place in names:
            if name and name in seen:
                self.fault(place, f"{name!r} stands in this file twice.")
            seen.add(name)

    def _scalar(self, node: yaml.Node, place: Place) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self.fault(place, "One value is expected here, no list and no keys.")
            return ""
        if not str(node.tag).startswith(_CORE):
            self.fault(place, f"The tag {str(node.tag)[:60]!r} is not taken.")
            return ""
        return "" if _is_null(node) else str(node.value)

    def _number(self, node: yaml.Node, place: Place) -> int | None:
        text = self._scalar(node, place)
        if text == "":
            return None
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            self.fault(place, "Enter a number, or leave it empty.")
            return None
        return int(text)

    def _certificates(self, given: Mapping[str, yaml.Node], name: str, path: str) -> tuple[IdpCertificate, ...]:
        found: list[IdpCertificate] = []
        for number, node in enumerate(self.items(given, name, path)):
            place = Place(_line(node), f"{path}.{name}[{number}]")
            certificate = self._certificate(node, place)
            if certificate is not None and certificate in found:
                self.fault(place, "This certificate stands in the list twice.")
            elif certificate is not None:
                found.append(certificate)
        return tuple(found)

    def _certificate(self, node: yaml.Node, place: Place) -> IdpCertificate | None:
        """A text in PEM, or `certificate_file:` with the name of a file in any form that the page takes too."""
        try:
            content = self._certificate_bytes(node, place)
            return None if content is None else read_certificate(content)
        except OSError as error:
            self.fault(place, f"The certificate file cannot be read: {error.strerror}.")
        except CertificateError as error:
            self.fault(place, f"This certificate cannot be used. {error}")
        return None

    def _certificate_bytes(self, node: yaml.Node, place: Place) -> bytes | None:
        """None where there is a fault: one that is left out in silence would be taken away. Raises OSError."""
        faults = len(self.faults)
        if isinstance(node, yaml.MappingNode):
            given = self.mapping(node, place.path, ("certificate_file",), required=("certificate_file",))
            name = self.text(given, "certificate_file", place.path)
            if name and name.isprintable():
                return self.read_file(name)
            sentence = "certificate_file has the name of a file, without control characters."
        else:
            text = self._scalar(node, place)
            if text.strip():
                return text.encode()
            sentence = "A certificate is expected here: a text in PEM, or certificate_file with the name of a file."
        if len(self.faults) == faults:
            self.fault(place, sentence)
        return None


def _no_such_key(key: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}."
    return f"There is no such key; {hint}"


def _at_top(sentence: str) -> Unreadable:
    return Unreadable((Fault(Place(1, ""), sentence),))


def _yaml_sentence(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "it cannot be read"
    return f"This is not YAML: {problem}."


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _NULL


def _place(node: yaml.Node, path: str, name: str) -> Place:
    return Place(_line(node), f"{path}.{name}".strip("."))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
