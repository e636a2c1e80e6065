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

from lxml import etree

from sp.saml import names
from sp.saml.messages import AttributeNames, NameId
from sp.saml.report import quoted
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
    def problem(self) -> tuple[str, str] | None:
        """What makes a mapped attribute unusable, as (expected, received), or None."""
        if next(self.assertion.iterfind(f"{names.ATTRIBUTE_STATEMENT}/{names.ENCRYPTED_ATTRIBUTE}"), None) is not None:
            return "plain attributes", "an EncryptedAttribute, which this service does not open"
        for field in FIELDS:
            name = getattr(self.wanted, field)
            sent = self.values.get(name, ())
            if len(sent) > 1:
                return f"one value of {name}", f"{len(sent)} values"
            if sent and (problem := value_problem(sent[0])):
                return f"a usable value of {name}", f"{problem}: {quoted(sent[0])}"
        return None


def value_problem(value: str) -> str | None:
    """Why a mapped value cannot go into a profile, or None. An empty one can: it counts as not sent."""
    if len(value) > VALUE_CHARACTERS:
        return f"{len(value)} characters, more than {VALUE_CHARACTERS}"
    # A line break in an address becomes a header of its own in a mail, and a line of its own in a log.
    if not value.isprintable() and any(unicodedata.category(mark) in _LINE_BREAKERS for mark in value):
        return "a control character"
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


# User names: UsernameCasePreserved (RFC 8265, 3.4) over the IdentifierClass (RFC 8264, 4.2).

_LETTER_DIGITS = frozenset(("Ll", "Lu", "Lo", "Nd", "Lm", "Mn", "Mc"))
_EXCEPTIONS_VALID = frozenset("\u00df\u03c2\u06fd\u06fe\u0f0b\u3007")
_EXCEPTIONS_DISALLOWED = frozenset("\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b")
# Seen by nobody and yet letters or marks by category: two names that look alike would be two users.
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
_OLD_HANGUL = ((0x1100, 0x11FF), (0xA960, 0xA97C), (0xD7B0, 0xD7FB))
_RIGHT_TO_LEFT = frozenset(("R", "AL", "AN"))
_IN_RIGHT_TO_LEFT = frozenset(("R", "AL", "AN", "EN", "ES", "CS", "ET", "ON", "BN", "NSM"))


def username_problem(value: str) -> str | None:
    """Why `value` is no user name, as a phrase for a sentence, or None (RFC 8265, 3.4).

    Upper and lower case are both fine and kept.
    """
    if not value.strip():
        return "it is empty"
    if len(value) > VALUE_CHARACTERS:
        return f"it has {len(value)} characters, more than {VALUE_CHARACTERS}"
    if value.isascii() and value.isprintable() and " " not in value:
        return None
    return _marks_problem(value)


def _marks_problem(value: str) -> str | None:
    if value != value.strip():
        return "it has white space at the start or the end"
    for mark in value:
        if problem := _mark_problem(mark):
            return f"it contains {problem} (U+{ord(mark):04X})"
    if value != unicodedata.normalize("NFC", value):
        return "it is not in the composed form (NFC)"
    return None if _directions_hold(value) else "it mixes writing directions"


def username_key(value: str) -> str:
    """The form in which two user names are the same one: composed and without regard to case."""
    folded = unicodedata.normalize("NFC", value).casefold()
    return unicodedata.normalize("NFC", folded)


def _mark_problem(mark: str) -> str | None:
    """The class of a character that the IdentifierClass disallows, or None."""
    if "!" <= mark <= "~" or mark in _EXCEPTIONS_VALID:
        return None
    category = unicodedata.category(mark)
    if mark.isspace() or category == "Zs":
        return "white space"
    if mark in _INVISIBLE or category in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return "a character that cannot be seen"
    if unicodedata.normalize("NFKC", mark) != mark:
        return "a compatibility character"
    old_hangul = any(first <= ord(mark) <= last for first, last in _OLD_HANGUL)
    if category not in _LETTER_DIGITS or mark in _EXCEPTIONS_DISALLOWED or old_hangul:
        return "a character that no user name may have"
    return None


def _directions_hold(value: str) -> bool:
    """The Bidi Rule (RFC 5893, 2) for names that have right-to-left characters; all others pass."""
    kinds = [unicodedata.bidirectional(mark) for mark in value]
    if not _RIGHT_TO_LEFT.intersection(kinds):
        return True
    visible = [kind for kind in kinds if kind != "NSM"]
    if kinds[0] not in {"R", "AL"} or not _IN_RIGHT_TO_LEFT.issuperset(kinds):
        return False
    return visible[-1] in {"R", "AL", "EN", "AN"} and not {"EN", "AN"} <= set(kinds)
