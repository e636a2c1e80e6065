"""A message without the values that make it usable: signature values and ciphertext.

Whoever holds the exact bytes of a message that was not used can deliver it (CHECKS). Everything else in it may be read.
"""

from __future__ import annotations

import binascii
import re
from copy import deepcopy

from lxml import etree

from sp.saml import names
from sp.saml.xml import text_of

WITHHELD = {names.SIGNATURE_VALUE: "signature", names.CIPHER_VALUE: "ciphertext"}

# A signature or a whole message may also be quoted in a text, as escaped XML or in base64. The shortest signature,
# ECDSA with P-256, has 88 characters of base64, and lines of base64 have 64 or 76 (RFC 7468, 2045).
_LONG_IN_TEXT = 60
# In a message that can be read, identifiers and attribute values may be that long; the shortest RSA signature has 342.
_LONG_IN_VALUE = 200
_PUBLIC = frozenset((names.X509_CERTIFICATE, f"{{{names.DS}}}Modulus"))
_PLACEHOLDER = re.compile(r"\[(?:signature|ciphertext|encrypted), \d{1,7} [a-z0-9 ,]{1,40}\]")
_FAULTY = re.compile(r"((?:Signature|Cipher)Value': ').*(' is not )", re.DOTALL)
_QUOTED = re.compile(r"((?:Signature|Cipher)Value(?:\s[^<>]{0,200})?(?:>|&gt;))([^<&]+)")

_LINE = rf"[A-Za-z0-9+/_%=-]{{{_LONG_IN_TEXT},}}+"
_RUN = re.compile(rf"{_LINE}(?:\s{{1,4}}{_LINE})*+(?:\s{{1,4}}[A-Za-z0-9+/_%-]*={{1,2}})?")  # of base64, in lines


def placeholder(element: etree._Element) -> str:
    """What is shown instead of the element's text. `element` is one of WITHHELD."""
    text = "".join(text_of(element).split())
    if _PLACEHOLDER.fullmatch(text_of(element)):
        return text_of(element)
    try:
        size = f"{len(binascii.a2b_base64(text.encode('ascii'), strict_mode=True))} bytes"
    except ValueError:
        size = f"{len(text)} characters that are not base64"
    return f"[{WITHHELD[element.tag]}, {size}]"


def redacted_xml(root: etree._Element) -> bytes:
    """The tree in UTF-8 with placeholders for what is withheld. What is outside the root is left out."""
    copy = deepcopy(root)
    copy.tail = None
    for element in list(copy.iter()):
        if element.tag in WITHHELD:
            text = placeholder(element)
            for inside in list(element):
                element.remove(inside)
            element.text = text
        elif element.tag not in _PUBLIC:
            _mask_element(element)
    return etree.tostring(copy, encoding="utf-8")


def redacted_text(xml: bytes) -> str:
    """The text of bytes that cannot be parsed, line by line as they are, with everything masked that may be withheld.

    NUL characters are dropped: in UTF-16 they are between the letters of what must be found.
    """
    return _masked(xml.replace(b"\0", b"").decode("utf-8", "replace"), _LONG_IN_TEXT)


def masked(text: str) -> str:
    """A text or an attribute of a message with everything masked that quotes a message or a signature."""
    return _masked(text, _LONG_IN_VALUE)


def masked_error(text: str) -> str:
    """What a schema validator says, without the signature value or ciphertext that it finds fault with.

    A signature in the alphabet for addresses, or with one mistyped character, is easily mended.
    """
    return _masked(_FAULTY.sub(r"\1[withheld]\2", text), _LONG_IN_TEXT)


def _mask_element(element: etree._Element) -> None:
    """Mask quoted messages in texts, attributes, comments and processing instructions."""
    element.text = element.text and masked(element.text)
    element.tail = element.tail and masked(element.tail)
    if isinstance(element.tag, str):
        for name, value in element.attrib.items():
            element.set(name, masked(str(value)))


def _masked(text: str, longest: int) -> str:
    def mask(found: re.Match[str]) -> str:
        if len(found[0]) < longest:
            return found[0]
        return f"[{len(found[0])} characters]{_line_breaks(found[0])}"

    return _RUN.sub(mask, _QUOTED.sub(_mask_quoted, text)) if len(text) >= _LONG_IN_TEXT else text


def _mask_quoted(found: re.Match[str]) -> str:
    """Line breaks stay, so that the lines of a message keep their numbers."""
    return found[0] if not found[2].strip() else f"{found[1]}[withheld]{_line_breaks(found[2])}"


def _line_breaks(text: str) -> str:
    return "\n" * text.count("\n")
