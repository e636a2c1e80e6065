"""From the attributes and the NameID of a verified assertion to an Identity, and the rule for user names.

Owns what an attribute means and which user names are acceptable. Never reads Advice, FriendlyName or anything that
no signature covers, and never changes a value that was sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from string import ascii_lowercase, ascii_uppercase

from lxml import etree
from precis_i18n import get_profile

from sp.saml import names
from sp.saml.messages import AttributeNames, NameId
from sp.saml.problems import AttributeProblem, UsernameProblem
from sp.saml.report import Fault
from sp.saml.values import Count, Name, Several, Text, Unit, Value
from sp.saml.xml import child, text_of

VALUE_CHARACTERS = 256  # SAML2int G02: accepted untruncated up to here
_LINE_BREAKERS = frozenset(("Cc", "Cs", "Zl", "Zp"))

FIELDS = ("first_name", "last_name", "email")

_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\"]+\.[^\s@<>()\[\],;:\\\".]+")


@dataclass(frozen=True)
class Attributes:
    """The attributes of the assertion's own AttributeStatements, by exact Name, in the order sent."""

    assertion: etree._Element
    wanted: AttributeNames

    @cached_property
    def values(self) -> Mapping[str, tuple[str, ...]]:
        """Every value by Name; an Attribute that is repeated (Keycloak's roles) adds to the one before."""
        collected: dict[str, tuple[str, ...]] = {}
        for attribute in self.assertion.iterfind(f"{names.ATTRIBUTE_STATEMENT}/{names.ATTRIBUTE}"):
            sent = tuple(text_of(value) for value in attribute.iterchildren(names.ATTRIBUTE_VALUE))
            collected[attribute.get("Name", "")] = collected.get(attribute.get("Name", ""), ()) + sent
        return collected

    def value(self, field: str) -> str:
        """The single value mapped to a field of the profile, or '' where none came or more than one."""
        sent = self.values.get(getattr(self.wanted, field), ())
        return sent[0] if len(sent) == 1 and value_problem(sent[0]) is None else ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The mapped Names that did not come, or came empty."""
        mapped = (getattr(self.wanted, field) for field in FIELDS)
        return tuple(name for name in mapped if not any(self.values.get(name, ())))

    @property
    def problem(self) -> Fault | None:
        """What makes a mapped attribute unusable, or None."""
        if next(self.assertion.iterfind(f"{names.ATTRIBUTE_STATEMENT}/{names.ENCRYPTED_ATTRIBUTE}"), None) is not None:
            return Fault(AttributeProblem.ENCRYPTED, Name("Attribute"), Name("EncryptedAttribute"))
        for field in FIELDS:
            name = getattr(self.wanted, field)
            sent = self.values.get(name, ())
            if len(sent) > 1:
                return Fault(AttributeProblem.SEVERAL_VALUES, Text(name), Count(len(sent), Unit.VALUES))
            if sent and (problem := value_problem(sent[0])):
                return Fault(problem, Text(name), Text(sent[0]))
        return None


def value_problem(value: str) -> AttributeProblem | None:
    """Why a mapped value cannot go into a profile, or None. An empty one can: it counts as not sent."""
    if len(value) > VALUE_CHARACTERS:
        return AttributeProblem.TOO_LONG
    # A line break in an address becomes a header of its own in a mail, and a line of its own in a log.
    if not value.isprintable() and any(unicodedata.category(mark) in _LINE_BREAKERS for mark in value):
        return AttributeProblem.CONTROL_CHARACTER
    return None


def looks_like_email(value: str) -> bool:
    return len(value) <= VALUE_CHARACTERS and value.isprintable() and _EMAIL.fullmatch(value) is not None


def email_of(attributes: Attributes, name_id: NameId) -> str:
    """The mapped address, else the NameID where that is one."""
    sent = attributes.value("email")
    if sent or not looks_like_email(name_id.value):
        return sent
    return name_id.value


def read_name_id(assertion: etree._Element) -> NameId | None:
    """The NameID of the Subject, verbatim; one inside a SubjectConfirmation names somebody else (Core 2.4.1.1)."""
    return name_id_of(child(assertion, names.SUBJECT, names.NAME_ID))


def name_id_of(element: etree._Element | None) -> NameId | None:
    """A NameID element as a value, verbatim; None for None."""
    if element is None:
        return None
    return NameId(
        value=text_of(element),
        format=element.get("Format"),
        name_qualifier=element.get("NameQualifier"),
        sp_name_qualifier=element.get("SPNameQualifier"),
    )


# Usernames: UsernameCasePreserved (RFC 8265, 3.4). The profile only judges. Its `enforce` would map a full-width letter
# to another user's plain one, so what it changes is refused.

_PROFILE = get_profile("UsernameCasePreserved")
_INVISIBLE_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
# Letters and marks by category that are drawn as nothing: two names that look alike would be two users.
_FILLERS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)


def username_fault(value: str) -> Fault | None:
    """Why `value` is not acceptable as a username, or None. A single character at fault is named by its code point.

    Upper and lower case are both fine and kept.
    """
    if not value.strip():
        return Fault(UsernameProblem.EMPTY, received=Text(value))
    if len(value) > VALUE_CHARACTERS:
        limit, count = Count(VALUE_CHARACTERS, Unit.CHARACTERS), Count(len(value), Unit.CHARACTERS)
        return Fault(UsernameProblem.TOO_LONG, limit, Several((Text(value), count)))
    if value.isascii() and value.isprintable() and " " not in value:
        return None  # what the profile takes of ASCII, without its cost
    if value != value.strip():
        return Fault(UsernameProblem.OUTER_WHITE_SPACE, received=Text(value))
    for character in value:
        if problem := _hidden_character(character):
            return Fault(problem, received=_with_character(value, character))
    return _profile_problem(value)


def _with_character(value: str, character: str) -> Value:
    return Several((Text(value), Name(f"U+{ord(character):04X}")))


def _hidden_character(character: str) -> UsernameProblem | None:
    """The class of a character that cannot be seen, or None. The profile takes some, such as joiners, in context."""
    if character.isspace() or unicodedata.category(character) == "Zs":
        return UsernameProblem.WHITE_SPACE
    if character in _FILLERS or unicodedata.category(character) in _INVISIBLE_CATEGORIES:
        return UsernameProblem.INVISIBLE
    return None


def _profile_problem(value: str) -> Fault | None:
    try:
        unchanged = _PROFILE.enforce(value) == value
    except UnicodeEncodeError as error:
        return _disallowed(value, error)
    if unchanged:
        return None
    if not unicodedata.is_normalized("NFC", value):
        return Fault(UsernameProblem.NOT_COMPOSED, received=Text(value))
    return Fault(UsernameProblem.COMPATIBILITY, received=Text(value))  # of another width, which the profile would map


def _disallowed(value: str, error: UnicodeEncodeError) -> Fault:
    """The profile's reason. Only one about a single character has that character's position."""
    if error.reason.endswith("bidi_rule"):
        return Fault(UsernameProblem.MIXED_DIRECTIONS, received=Text(value))
    is_compatibility = error.reason.endswith("has_compat")
    problem = UsernameProblem.COMPATIBILITY_CHARACTER if is_compatibility else UsernameProblem.DISALLOWED
    return Fault(problem, received=_with_character(value, error.object[error.start]))


def username_key(value: str) -> str:
    """The form in which two usernames are the same one: NFC and lower case (RFC 8265, 3.3, UsernameCaseMapped).

    Lower case and not case folding, which makes ß of ss and so one user of two people.
    """
    if value.isascii():
        return value.lower()
    # Character by character: `str.lower` makes ς or σ of Σ by what follows, so a key would depend on its context.
    lowered = "".join(character.lower() for character in unicodedata.normalize("NFC", value))
    return unicodedata.normalize("NFC", lowered)


def differs_beyond_ascii_case(one: str, other: str) -> bool:
    """Whether two spellings of one username differ in more than the case of ASCII letters."""
    return one.translate(_ASCII_LOWER) != other.translate(_ASCII_LOWER)


_ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
