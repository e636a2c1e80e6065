"""A message for the eye: indented, numbered, each finding at its line.

Owns how it is laid out and where it is cut. Never parses anything, and never shows more than a page can hold: the
download has every byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lxml import etree

from sp.diagnosis.places import Element, Places
from sp.saml import names
from sp.saml.report import Outcome, Report
from sp.saml.withheld import WITHHELD, masked, placeholder, redacted_text

MOST_LINES = 1500
_MOST_CHARACTERS = 360  # of one value
_HEAD, _TAIL = 200, 80
_DEEPEST_INDENT = 24
_QUOTE = {'"': "&quot;"}
_BASE64 = frozenset(
    (
        names.X509_CERTIFICATE,
        names.DIGEST_VALUE,
        f"{{{names.DS}}}Modulus",
    )
)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line. Kinds: mark, tag, name, value, text, cut."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `codes` are the checks that found something here; `signed` when a verified signature covers it."""

    number: int
    depth: int
    parts: tuple[Part, ...]
    codes: tuple[str, ...] = ()
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """`pretty`: laid out anew, so the numbers are not those of the message. `cut`: more follows."""

    lines: tuple[Line, ...]
    pretty: bool
    cut: bool


def pretty_message(root: Element, places: Places, signed: frozenset[Element]) -> Shown:
    """The tree, an element a line. `signed` are the elements that a verified signature covers."""
    lines: list[Line] = []
    for depth, parts, element, covered in _walk(root, signed):
        if len(lines) == MOST_LINES:
            return Shown(tuple(lines), pretty=True, cut=True)
        codes = places.get(element, ()) if element is not None else ()
        lines.append(Line(len(lines) + 1, min(depth, _DEEPEST_INDENT), parts, codes, covered))
    return Shown(tuple(lines), pretty=True, cut=False)


def raw_message(xml: bytes, report: Report) -> Shown:
    """The text of bytes that are no XML that may be parsed, line by line, without what may be withheld."""
    texts = redacted_text(xml).split("\n")
    found = _found_in_text(texts, report)
    lines = tuple(
        Line(number, 0, tuple(_cut("text", text.removesuffix("\r"))), found.get(number, ()))
        for number, text in enumerate(texts[:MOST_LINES], 1)
    )
    return Shown(lines, pretty=False, cut=len(texts) > MOST_LINES)


def _found_in_text(texts: list[str], report: Report) -> dict[int, tuple[str, ...]]:
    """The line that a refused document is refused for, as far as that is told."""
    for row in report.rows:
        if row.outcome is not Outcome.FAILED:
            continue
        if row.code == "no_dtd":
            return {next((n for n, text in enumerate(texts, 1) if "<!DOCTYPE" in text), 1): (row.code,)}
        line = row.place.removeprefix("line:") if row.place.startswith("line:") else "1"
        return {int(line): (row.code,)}
    return {}


Walked = tuple[int, tuple[Part, ...], Element | None, bool]


def _walk(root: Element, signed: frozenset[Element]) -> Iterator[Walked]:
    """Every line in order: depth, parts, the element that begins there, and whether a signature covers it."""
    waiting: list[tuple[Element, int, bool, bool]] = [(root, 0, False, False)]
    while waiting:
        element, depth, covered, closing = waiting.pop()
        covered = covered or element in signed
        if closing:
            yield depth, (Part("mark", "</"), Part("tag", _name(element)), Part("mark", ">")), None, covered
        else:
            yield from _opened(element, depth, covered)
            if inside := _inside(element):
                waiting.append((element, depth, covered, True))
                waiting.extend((below, depth + 1, covered, False) for below in reversed(inside))
        if (closing or not _inside(element)) and _said(element.tail) and element is not root:
            yield depth, tuple(_cut("text", escape(masked(element.tail or "")))), None, covered


def _opened(element: Element, depth: int, covered: bool) -> Iterator[Walked]:
    if not isinstance(element.tag, str):  # a comment, a processing instruction or an entity
        text = etree.tostring(element, with_tail=False, encoding="unicode")
        yield depth, tuple(_cut("text", masked(text))), element, covered
        return
    parts = [Part("mark", "<"), Part("tag", _name(element)), *_attributes(element)]
    if not len(element) and not element.text:
        yield depth, (*parts, Part("mark", "/>")), element, covered
        return
    parts.append(Part("mark", ">"))
    if not _inside(element):
        parts += [*_text(element), Part("mark", "</"), Part("tag", _name(element)), Part("mark", ">")]
    yield depth, tuple(parts), element, covered
    if _inside(element) and _said(element.text):
        yield depth + 1, tuple(_cut("text", escape(masked(element.text or "")))), None, covered


def _inside(element: Element) -> list[Element]:
    """The child nodes that are shown: nothing of a value that is withheld is."""
    return [] if element.tag in WITHHELD else list(element)


def _text(element: Element) -> list[Part]:
    if element.tag in WITHHELD:
        return _cut("text", escape(placeholder(element)))
    text = element.text or ""
    if element.tag in _BASE64 and not text.startswith("["):  # so begins what stands for it in a shared message
        return _cut("text", escape("".join(text.split())))  # its line breaks mean nothing
    return _cut("text", escape(masked(text)))


def _said(text: str | None) -> bool:
    return bool(text and text.strip())


def _name(element: Element) -> str:
    local = etree.QName(element).localname
    return f"{element.prefix}:{local}" if element.prefix else local


def _attributes(element: Element) -> Iterator[Part]:
    parent = element.getparent()
    above = parent.nsmap if parent is not None else {}
    for prefix, uri in element.nsmap.items():
        if above.get(prefix) != uri:
            yield from _attribute(f"xmlns:{prefix}" if prefix else "xmlns", uri)
    prefixes = {uri: prefix for prefix, uri in element.nsmap.items() if prefix}
    for key, value in element.attrib.items():
        name = etree.QName(key)
        prefix = "xml" if name.namespace == _XML else prefixes.get(name.namespace or "")
        yield from _attribute(f"{prefix}:{name.localname}" if prefix else name.localname, str(value))


_XML = "http://www.w3.org/XML/1998/namespace"


def _attribute(name: str, value: str) -> Iterator[Part]:
    yield Part("mark", " ")
    yield Part("name", name)
    yield Part("mark", '="')
    yield from _cut("value", escape(masked(value), _QUOTE))
    yield Part("mark", '"')


def _cut(kind: str, text: str) -> list[Part]:
    """The text, its middle cut out where it is long."""
    if len(text) <= _MOST_CHARACTERS:
        return [Part(kind, text)]
    left_out = len(text) - _HEAD - _TAIL
    return [Part(kind, text[:_HEAD]), Part("cut", f"{left_out:,} characters"), Part(kind, text[-_TAIL:])]
