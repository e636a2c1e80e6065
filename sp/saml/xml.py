"""The one hardened parser: bytes to a tree, with bounds, and schema validation from local files.

Owns what may be XML here and how it is read. Never fetches anything, never expands an entity, never changes a tree
that it was given.
"""

from __future__ import annotations

import codecs
import re
import threading
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import saml2.data
from lxml import etree

from sp.saml import errands, names
from sp.saml.messages import Limits
from sp.saml.problems import EncodingProblem, LimitProblem
from sp.saml.report import Fault
from sp.saml.values import Count, Name, Text, Unit

# Some identity providers declare the same few prefixes at every value.
NAMESPACE_DECLARATIONS = 1024
# What may be in scope at once costs every element of a canonicalization a search; real messages have about ten.
NAMESPACE_PREFIXES = 64
XML_SPACE = " \t\r\n"

_UTF8 = Name("UTF-8")
_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
    (b"<\0\0\0", "UTF-32"),
    (b"\0\0\0<", "UTF-32"),
    (b"<\0", "UTF-16"),
    (b"\0<", "UTF-16"),
    (b"\x4c\x6f\xa7\x94", "EBCDIC"),
    (b"+ADw-", "UTF-7"),
)
_DECLARATION = re.compile(rb"<\?xml\s(.*?)\?>", re.DOTALL)
_VERSION = re.compile(rb"""version\s*=\s*["']([^"']*)["']""")
_PREFIX = re.compile(rb"xmlns:([^\s=]+)")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""")
_ID_ENDINGS = frozenset(("ID", "Id", "id", "iD"))
_ID_NAMES = frozenset(("id", "assertionid"))


@dataclass(frozen=True, slots=True)
class Survey:
    """What a walk over a tree counted. It ends early where a limit is passed, so the counts are lower bounds."""

    elements: int
    depth: int
    attributes: int
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """Bytes that claim to be a message, and their parse, made when first asked for."""

    xml: bytes
    limits: Limits

    @property
    def root(self) -> etree._Element | None:
        """The parsed root element, or None where the parser gave up."""
        return None if isinstance(self._parsed, etree.XMLSyntaxError) else self._parsed

    @property
    def element(self) -> etree._Element:
        """The parsed root element. Raises ValueError where there is none."""
        if self.root is None:
            raise ValueError("the bytes are not well-formed")
        return self.root

    @property
    def syntax_error(self) -> etree.XMLSyntaxError | None:
        return self._parsed if isinstance(self._parsed, etree.XMLSyntaxError) else None

    @cached_property
    def survey(self) -> Survey:
        return survey(self.element, self.limits)

    @cached_property
    def _parsed(self) -> etree._Element | etree.XMLSyntaxError:
        try:
            return parse(self.xml)
        except etree.XMLSyntaxError as error:
            return error


def encoding_problem(xml: bytes) -> Fault | None:
    """What makes these bytes anything but UTF-8 that is declared as such or not declared; None when nothing does.

    XML 1.1 counts as a problem too: its line ends and control characters read differently from parser to parser.
    """
    for start, name in _OTHER_ENCODINGS:
        if xml.startswith(start):
            return Fault(EncodingProblem.OTHER, _UTF8, Name(name))
    declaration = _DECLARATION.match(xml.removeprefix(codecs.BOM_UTF8))
    if declaration is not None and (problem := _declared_problem(declaration[1])):
        return problem
    try:
        xml.decode("utf-8")
    except UnicodeDecodeError as error:
        return Fault(EncodingProblem.NOT_UTF8, _UTF8, Count(error.start, Unit.POSITION))
    return None


def _declared_problem(declaration: bytes) -> Fault | None:
    version = _VERSION.search(declaration)
    if version is not None and version[1] != b"1.0":
        return Fault(EncodingProblem.XML_VERSION, _UTF8, Text(version[1].decode("latin-1")))
    encoding = _ENCODING.search(declaration)
    if encoding is not None and encoding[1].lower() != b"utf-8":
        return Fault(EncodingProblem.DECLARED, _UTF8, Text(encoding[1].decode("latin-1")))
    return None


def has_doctype(xml: bytes) -> bool:
    """Whether a document type declaration is anywhere in the bytes, seen without parsing them."""
    return b"<!DOCTYPE" in xml


def parse(xml: bytes) -> etree._Element:
    """The root of the tree of UTF-8 bytes, with nothing resolved, added or taken away.

    Raises etree.XMLSyntaxError. The encoding is fixed, so that no declaration can make the parser read other
    characters than those that were looked at.
    """
    errands.count(len(xml))
    return _parse_apart(xml) if errands.has_read_enough() else _parse(xml)


def _parse(xml: bytes) -> etree._Element:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        collect_ids=False,
    )
    return etree.fromstring(xml, parser)


_parse_apart = errands.on_an_errand(_parse)


def parser_gave_up(error: etree.XMLSyntaxError) -> bool:
    """Whether the parser stopped at a bound of its own (depth over 256) rather than at a fault in the text."""
    return bool(error.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT)  # type: ignore[attr-defined]


def first_comment(root: etree._Element) -> Name | None:
    """What kind of node nobody should see stands in the document, inside or around the root; None without any."""
    around = (*root.itersiblings(preceding=True), *root.itersiblings())
    node = next(root.iter(etree.Comment, etree.ProcessingInstruction, etree.Entity), None)
    for found in (*around, node):
        if found is not None:
            kinds = {etree.Comment: "comment", etree.Entity: "entity"}
            return Name(kinds.get(found.tag, "processing instruction"))
    return None


def survey(root: etree._Element, limits: Limits) -> Survey:
    """Count level by level what `limits` bounds, and collect ID-like values; stops after the level that is over."""
    elements = depth = widest = 0
    ids: list[str] = []
    level = [root]
    while level and elements <= limits.elements and depth <= limits.depth:
        depth += 1
        elements += len(level)
        below: list[etree._Element] = []
        for element in level:
            if attributes := element.keys():
                widest = max(widest, len(attributes))
                named = [name for name in attributes if name[-2:] in _ID_ENDINGS and _is_id(str(name))]
                ids += [element.get(name, "") for name in named]
            if len(element):
                below.extend(element)
        level = below
    return Survey(elements, depth, widest, tuple(ids))


def _is_id(name: str) -> bool:
    """Whether an attribute could be taken for an ID by any library: ID, Id, id, xml:id, wsu:Id, AssertionID."""
    return name.rpartition("}")[2].lower() in _ID_NAMES


def limit_problem(document: Document) -> Fault | None:
    """The bound that is exceeded, or None."""
    if document.syntax_error is not None and parser_gave_up(document.syntax_error):
        return Fault(LimitProblem.PARSER_GAVE_UP, Count(document.limits.depth, Unit.LEVELS))
    declarations = document.xml.count(b"xmlns")
    prefixes = len(set(_PREFIX.findall(document.xml))) if declarations > NAMESPACE_PREFIXES else declarations
    found, limits = document.survey, document.limits
    for count, limit, unit in (
        (found.depth, limits.depth, Unit.LEVELS),
        (found.elements, limits.elements, Unit.ELEMENTS),
        (found.attributes, limits.attributes, Unit.ATTRIBUTES),
        (declarations, NAMESPACE_DECLARATIONS, Unit.NAMESPACE_DECLARATIONS),
        (prefixes, NAMESPACE_PREFIXES, Unit.NAMESPACE_PREFIXES),
    ):
        if count > limit:
            return Fault(LimitProblem.EXCEEDED, Count(limit, unit), Count(count, unit))
    return None


def repeated_ids(document: Document) -> tuple[str, ...]:
    """The ID values that occur more than once, white space aside, since schemas collapse it."""
    counted = Counter(value.strip(XML_SPACE) for value in document.survey.ids)
    return tuple(value for value, count in counted.items() if count > 1)


def child(element: etree._Element, *path: str) -> etree._Element | None:
    """The first child, grandchild and so on of these names, by absolute position; None where one is missing."""
    found: etree._Element | None = element
    for tag in path:
        found = next(found.iterchildren(tag), None) if found is not None else None
    return found


def text_of(element: etree._Element) -> str:
    """The whole text of an element: a value cut short at a child node would name somebody else."""
    if len(element) == 0:
        return element.text or ""
    return "".join(element.itertext())  # type: ignore[arg-type]


def canonical(element: etree._Element, prefixes: tuple[str, ...] = ()) -> bytes:
    """Exclusive canonical form without comments (Exclusive XML Canonicalization 1.0).

    `prefixes` is the InclusiveNamespaces PrefixList. Raises etree.C14NError where there is no such form, and
    ValueError where it is empty: the digest of nothing must never be compared with anything.
    """
    if "#default" in prefixes:
        _intern_default_token()
    form: bytes = etree.tostring(
        element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=list(prefixes)
    )
    if not form:
        raise ValueError("the canonical form is empty")
    return form


def _intern_default_token() -> None:
    """lxml drops a prefix that its dictionary of names has never seen, and "#default" is no name: make it known."""
    for _ in etree.iterparse(BytesIO(b"<a/>"), tag="#default"):
        pass


class _LocalFiles(etree.Resolver):
    """Schemas by file name from two folders, whatever address they are imported by; nothing else is opened."""

    def resolve(self, system_url: str, _public_id: str | None, context: Any) -> Any:  # type: ignore[override]
        name = system_url.rpartition("/")[2]
        for folder in _schema_folders():
            if (folder / name).is_file():
                return self.resolve_string((folder / name).read_bytes(), context, base_url=name)
        return self.resolve_string(b"", context, base_url=name)


def _schema_folders() -> tuple[Path, Path]:
    return Path(__file__).parent / "schemas", Path(saml2.data.__file__).parent / "schemas"


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    """Raises RuntimeError where parts of it were not found."""
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_LocalFiles())
    schema = etree.XMLSchema(etree.fromstring((_schema_folders()[0] / "response.xsd").read_bytes(), parser))
    schema.validate(etree.Element(names.RESPONSE))
    if "No matching global declaration" in str(schema.error_log):
        raise RuntimeError("the protocol schema was not loaded whole")
    return schema


# Now, while there is one thread: libxml2 has one place for who finds files, and a document that another thread parses
# at that moment would put it back while the schema is read. What it imports would be missing then, in every verdict.
_schema()

# One schema keeps one error log: without the lock, one sender could read another's faults.
_SCHEMA_LOCK = threading.Lock()


class SchemaError(NamedTuple):
    """What the validator says, and about which line."""

    line: int
    message: str


def schema_problem(document: Document) -> SchemaError | None:
    """The first place where the document differs from the SAML 2.0 protocol schema, or None.

    With a schema at hand libxml2 follows no xsi:schemaLocation; a test with a trap behind one keeps it so.
    """
    with _SCHEMA_LOCK:
        schema = _schema()
        if schema.validate(document.element):
            return None
        error = schema.error_log[0]  # type: ignore[index]
        return SchemaError(error.line, error.message)
