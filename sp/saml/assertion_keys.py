"""By what an assertion is known again when somebody delivers it who was given the message it is in."""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from sp.saml import names
from sp.saml.times import instant
from sp.saml.unwrapping import unwrap_bytes
from sp.saml.xml import child, text_of

_MOST_INFLATED = 1024 * 1024
_ID = re.compile(r"""\bID\s*=\s*["']([^"'<>]+)["']""")
_CIPHER_VALUE = re.compile(r"CipherValue(?:\s[^<>]{0,200})?>([^<]+)<")
_TIME = re.compile(r"""\b(?:IssueInstant|NotOnOrAfter)\s*=\s*["']([^"'<>]+)["']""")
_TIMES = ("IssueInstant", "NotOnOrAfter")


@dataclass(frozen=True, slots=True, order=True)
class AssertionKey:
    """An assertion's issuer and ID. An empty issuer stands for every one: it could not be read."""

    issuer: str
    id: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What of a message could be delivered: every assertion in it, and the latest time that it names."""

    keys: tuple[AssertionKey, ...]
    latest: datetime | None


def contents_of(xml: bytes, root: etree._Element | None, decrypted: etree._Element | None) -> Contents:
    """`root` is the tree of `xml`, None where it cannot be parsed; `decrypted` an assertion that was encrypted in it.

    An assertion counts wherever it is: signed by itself, it can be cut out and delivered in another response.
    """
    trees = [tree for tree in (root, decrypted) if tree is not None]
    keys = {key for tree in trees for key in _keys_in(tree)}
    times = [moment for tree in trees for moment in _times_in(tree)]
    if root is None:
        text = _text(xml)
        keys |= {AssertionKey("", found) for found in (*_ID.findall(text), *_encrypted_in(text))}
        times += [instant(found) for found in _TIME.findall(text)]
    return Contents(tuple(sorted(keys)), max((moment for moment in times if moment is not None), default=None))


def encrypted_key_ids(tree: etree._Element) -> tuple[str, ...]:
    """A digest of each encrypted key in the message.

    Not of the ciphertext: with AES-CBC, one bit of it can be changed into a space between two attributes, and the
    signature inside still verifies. The encrypted key decides whether any of it opens, and cannot be made anew.
    """
    values = (child(key, names.CIPHER_DATA, names.CIPHER_VALUE) for key in tree.iter(names.ENCRYPTED_KEY))
    return tuple(dict.fromkeys(_digest(text_of(value)) for value in values if value is not None))


def _keys_in(tree: etree._Element) -> Iterator[AssertionKey]:
    for assertion in tree.iter(names.ASSERTION):
        issuer = child(assertion, names.ISSUER)
        # Without the comments in it: whoever takes them out leaves the signature valid (exclusive c14n drops them).
        said = "" if issuer is None else str(issuer.xpath("string()")).strip()
        yield AssertionKey(said, assertion.get("ID", ""))
    yield from (AssertionKey("", found) for found in encrypted_key_ids(tree))


def _times_in(tree: etree._Element) -> Iterator[datetime | None]:
    return (instant(element.get(name)) for element in tree.iter("*") for name in _TIMES)


def _text(xml: bytes) -> str:
    """The characters of a message that is compressed, encoded twice, or in UTF-16."""
    unwrapped = unwrap_bytes(xml, _MOST_INFLATED)
    return (xml if unwrapped is None else unwrapped.xml).replace(b"\0", b"").decode("utf-8", "replace")


def _encrypted_in(text: str) -> Iterator[str]:
    """Of every ciphertext: which of them are keys is not known."""
    return (_digest(found) for found in _CIPHER_VALUE.findall(text))


def _digest(text: str) -> str:
    """Of the bytes without leading zeros, which RSA ignores. No ID looks like that: an NCName has no colon."""
    try:
        data = binascii.a2b_base64("".join(text.split()))
    except ValueError:
        data = text.encode()
    return f"encrypted-key:{hashlib.sha256(data.lstrip(bytes(1))).hexdigest()}"
