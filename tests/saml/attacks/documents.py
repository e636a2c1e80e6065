"""Bytes that two parsers could read differently, or that cost more than they should (XML).

Owns the cases as data. Never runs them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cast import MALLORY
from lxml import etree
from responses import one, with_attribute, with_child, with_text
from saml.cases import Case
from saml.one_flaw import NAME_ID, bytes_before

from sp.saml import names

DECLARED = b'<?xml version="1.0" encoding="UTF-8"?>'
DTD = ("no_dtd",)
ENCODING = ("encoding",)
MALFORMED = ("well_formed",)
COMMENT = ("no_comments",)
BELOW = b"<samlp:Status>"
SAML = names.SAML.encode()


def tamper(change: Callable[[bytes], bytes]) -> dict[str, Any]:
    return {"tamper": change}


def before(prefix: bytes) -> dict[str, Any]:
    return tamper(lambda xml: prefix + xml)


def after(suffix: bytes) -> dict[str, Any]:
    return tamper(lambda xml: xml + suffix)


def doctype(subset: bytes = b"", name: bytes = b"samlp:Response") -> dict[str, Any]:
    return before(DECLARED + b"<!DOCTYPE " + name + b" " + subset + b">")


def declared(text: str) -> dict[str, Any]:
    return before(text.encode())


def in_name(text: bytes) -> dict[str, Any]:
    """Text written into the NameID of a signed message."""
    return bytes_before(b"britta@", text)


def encoded(name: str) -> dict[str, Any]:
    return tamper(lambda xml: xml.decode().encode(name))


def attributes(count: int) -> dict[str, Any]:
    many = " ".join(f'a{at}="x"' for at in range(count))
    return {"mutate": with_child(".", f'<samlp:Extensions><x xmlns="u:x" {many}/></samlp:Extensions>', 1)}


def extension(xml: str) -> dict[str, Any]:
    return {"mutate": with_child(".", f'<samlp:Extensions xmlns:x="u:x">{xml}</samlp:Extensions>', 1)}


def declarations(count: int) -> dict[str, Any]:
    many = " ".join(f'xmlns:n{at}="u:{at}"' for at in range(count))
    return bytes_before(b"<samlp:Response ", b"<samlp:Response " + many.encode() + b" ")


def bound(tag: bytes, namespace: bytes) -> dict[str, Any]:
    """The prefix saml bound once more at the first of these start tags."""
    return bytes_before(tag, tag[:-1] + b' xmlns:saml="' + namespace + b'">')


def renamed_root(name: str) -> dict[str, Any]:
    return tamper(lambda xml: xml.replace(b"samlp:Response", f"samlp:{name}".encode()))


def _wrapped(xml: bytes) -> bytes:
    return b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">' + xml + b"</s:Envelope>"


def _canonical(xml: bytes) -> bytes:
    return etree.tostring(etree.fromstring(xml), method="c14n")


LAUGHS = b"[<!ENTITY a 'ha'>" + b"".join(
    f"<!ENTITY {chr(98 + at)} '{f'&{chr(97 + at)};' * 10}'>".encode() for at in range(10)
)

DOCTYPES = (
    Case("XML-01", "a DOCTYPE of nothing", DTD, flaw=doctype()),
    Case("XML-02", "an external DTD", DTD, flaw=doctype(b"SYSTEM 'http://127.0.0.1:9/x.dtd'")),
    Case("XML-03", "a public one", DTD, flaw=doctype(b"PUBLIC '-//x' 'file:///etc/passwd'")),
    Case("XML-04", "an entity for the NameID", DTD, flaw=doctype(b"[<!ENTITY e 'mallory'>]")),
    Case("XML-06", "a parameter entity", DTD, flaw=doctype(b"[<!ENTITY % x SYSTEM 'http://127.0.0.1:9/'> %x;]")),
    Case("XML-07", "a billion laughs", DTD, flaw=doctype(LAUGHS + b"]")),
    Case("XML-08", "a default attribute", DTD, flaw=doctype(b"[<!ATTLIST saml:NameID SPNameQualifier CDATA 'x'>]")),
    Case("XML-09", "a default namespace", DTD, flaw=doctype(b"[<!ATTLIST x xmlns CDATA 'u:x'>]")),
    Case("XML-10", "a notation", DTD, flaw=doctype(b"[<!NOTATION n SYSTEM 'x'>]")),
    Case("XML-10 element", "an element type", DTD, flaw=doctype(b"[<!ELEMENT x ANY>]")),
    Case("XML-01 late", "a DOCTYPE behind the root", DTD, flaw=after(b"<!DOCTYPE x>")),
    Case("XML-01 inside", "a DOCTYPE in the root", DTD, flaw=bytes_before(BELOW, b"<!DOCTYPE x>" + BELOW)),
    Case("XML-01 small", "in lower case", MALFORMED, flaw=before(b"<!doctype x>")),
    Case(
        "XSW-23",
        "an ID that only a DOCTYPE gives",
        DTD,
        flaw=doctype(b"[<!ATTLIST saml:Assertion ID CDATA '_evil'>]"),
    ),
    Case(
        "XSW-23 recipient",
        "a Recipient that only a DOCTYPE gives",
        DTD,
        flaw=doctype(b"[<!ATTLIST saml:SubjectConfirmationData Recipient CDATA 'http://localhost:8000/saml2'>]"),
    ),
    Case(
        "XSW-37",
        "a prefix that a DOCTYPE binds for one parser and not for the other",
        DTD,
        flaw=doctype(b"[<!ATTLIST ds:Signature xmlns:ds CDATA 'http://www.w3.org/2000/09/xmldsig#'>]"),
    ),
    Case(
        "XSW-38",
        "an entity in the ID, which one parser expands and the other does not",
        DTD,
        flaw=tamper(lambda xml: b'<!DOCTYPE r [<!ENTITY id "_evil">]>' + xml.replace(b' ID="', b' ID="&id;', 1)),
    ),
    Case("XSW-35", "quotes that end somewhere else", DTD, flaw=doctype(b"[<!ENTITY a '\"'><!ENTITY b \"'\">]")),
)

ENCODINGS = (
    Case("XML-21", "UTF-16 with a mark", ENCODING, flaw=encoded("utf-16")),
    Case("XML-21 LE", "UTF-16, little end first", ENCODING, flaw=encoded("utf-16-le")),
    Case("XML-21 BE", "UTF-16, big end first", ENCODING, flaw=encoded("utf-16-be")),
    Case("XML-22", "UTF-32 with a mark", ENCODING, flaw=encoded("utf-32")),
    Case("XML-22 LE", "UTF-32, little end first", ENCODING, flaw=encoded("utf-32-le")),
    Case("XML-22 BE", "UTF-32, big end first", ENCODING, flaw=encoded("utf-32-be")),
    Case("XML-24", "declared ISO-8859-1", ENCODING, flaw=declared('<?xml version="1.0" encoding="ISO-8859-1"?>')),
    Case(
        "XML-24 quote", "declared in single quotes", ENCODING, flaw=declared("<?xml version='1.0' encoding='cp1252'?>")
    ),
    Case("XML-24 alias", "declared US-ASCII", ENCODING, flaw=declared('<?xml version="1.0" encoding="US-ASCII"?>')),
    Case(
        "XML-24 mark",
        "declared behind a mark",
        ENCODING,
        flaw=declared('\ufeff<?xml version="1.0" encoding="latin1"?>'),
    ),
    Case("XML-25", "EBCDIC", ENCODING, flaw=tamper(lambda xml: (DECLARED + xml).decode().encode("cp037"))),
    Case(
        "XML-25 declared", "declared Shift-JIS", ENCODING, flaw=declared('<?xml version="1.0" encoding="Shift_JIS"?>')
    ),
    Case("XML-25 UTF-7", "UTF-7", ENCODING, flaw=tamper(lambda xml: b"+ADw-" + xml[1:])),
    Case("XML-26", "a byte that is no UTF-8", ENCODING, flaw=in_name(b"britta\xff@")),
    Case("XML-26 overlong", "an overlong dot", ENCODING, flaw=in_name(b"britta\xc0\xae@")),
    Case("XML-26 half", "half of a pair", ENCODING, flaw=in_name(b"britta\xed\xa0\x80@")),
    Case("XML-27", "a mark of UTF-8", flaw=before(b"\xef\xbb\xbf")),
    Case("XML-28", "XML 1.1", ENCODING, flaw=declared('<?xml version="1.1"?>')),
    Case("XML-28 high", "XML 2.0", ENCODING, flaw=declared("<?xml version='2.0'?>")),
    Case("XML-29", "UTF-8, declared", flaw=before(DECLARED)),
    Case("XML-29 small", "utf-8, standalone", flaw=declared("<?xml version='1.0' encoding='utf-8' standalone='no'?>")),
    Case("XML-29 bare", "no encoding declared", flaw=declared("<?xml version='1.0'?>")),
)

SYNTAX = (
    Case("XML-13", "a style sheet", COMMENT, flaw=before(b'<?xml-stylesheet href="x"?>')),
    Case("XML-14", "an instruction in the NameID", COMMENT, flaw=in_name(b"britta<?x?>@")),
    Case("XML-14 late", "an instruction behind the root", COMMENT, flaw=after(b"<?x?>")),
    Case("XML-15", "a comment in the NameID", COMMENT, flaw=in_name(b"britta<!--x-->@")),
    Case(
        "XML-15 genuine",
        "a comment that is signed as nothing",
        COMMENT,
        flaw={"mutate": lambda root: one(root, NAME_ID).append(etree.Comment("x"))},
    ),
    Case("XML-15 first", "a comment before the root", COMMENT, flaw=before(b"<!-- -->")),
    Case(
        "XML-16",
        "a comment in an attribute's value",
        COMMENT,
        flaw=bytes_before(b"<saml:AttributeValue>", b"<saml:AttributeValue>mallory<!-- -->"),
    ),
    Case("XML-15 last", "a comment behind the root", COMMENT, flaw=after(b"<!-- -->")),
    Case("XML-18", "CDATA that reads the same", flaw=in_name(b"<![CDATA[brit]]>ta@")),
    Case("XML-18 other", "CDATA that reads differently", ("signature",), flaw=in_name(b"<![CDATA[mallory]]>@")),
    Case("XML-19", "a character reference that reads the same", flaw=in_name(b"&#x62;ritta@")),
    Case("XML-19 zero", "a reference to nothing", MALFORMED, flaw=in_name(b"&#0;britta@")),
    Case("XML-19 half", "a reference to half a pair", MALFORMED, flaw=in_name(b"&#xD800;britta@")),
    Case("XML-19 entity", "an entity that nobody declared", MALFORMED, flaw=in_name(b"&e;britta@")),
    Case("XML-20", "a zero byte", MALFORMED, flaw=in_name(b"britta\x00@")),
    Case("XML-30", "white space before the declaration", MALFORMED, flaw=before(b"\n" + DECLARED)),
    Case("XML-30 bare", "white space before the root", flaw=before(b"\n")),
    Case("XML-31", "text behind the root", MALFORMED, flaw=after(b"junk")),
    Case("XML-31 root", "two roots", MALFORMED, flaw=tamper(lambda xml: xml * 2)),
    Case("XML-31 space", "white space behind the root", flaw=after(b"\r\n")),
    Case("XML-32", "a tag that never ends", MALFORMED, flaw=tamper(lambda xml: xml[:-1])),
    Case(
        "XML-32 twice",
        "an attribute twice",
        MALFORMED,
        flaw=bytes_before(b' Version="2.0"', b' Version="2.0" Version="2.0"'),
    ),
    Case("XML-32 bare", "an attribute without quotes", MALFORMED, flaw=bytes_before(b'Version="2.0"', b"Version=2.0")),
    Case("XSW-32", "two colons", MALFORMED, flaw=bytes_before(BELOW, b"<a:b:c/>" + BELOW)),
    Case(
        "XSW-32 attribute",
        "an attribute that begins with a colon",
        MALFORMED,
        flaw=bytes_before(b"<saml:Subject", b'<saml:Subject :ID="x"'),
    ),
    Case("XSW-32 unbound", "a prefix of nothing", MALFORMED, flaw=bytes_before(BELOW, b"<z:a/>" + BELOW)),
    Case(
        "XSW-32 warned",
        "the same before a relative namespace",
        MALFORMED,
        flaw=bytes_before(BELOW, b"<z:a/><b xmlns:q='r'/>" + BELOW),
    ),
    Case(
        "XML-34",
        "xml:lang and xml:base around",
        flaw=bytes_before(b"<samlp:Response ", b'<samlp:Response xml:lang="de" xml:base="http://x.example/" '),
        failed=("schema",),
    ),
    Case("POS-06", "written in another way", flaw=tamper(_canonical)),
)

BOUNDS = (
    Case(
        "LIM-01",
        "nested deeper than the parser reads",
        ("limits",),
        flaw=bytes_before(BELOW, b"<a>" * 300 + b"</a>" * 300 + BELOW),
    ),
    Case("LIM-02", "64 attributes of one element", flaw=attributes(64)),
    Case("LIM-03", "65 attributes of one element", ("limits",), flaw=attributes(65)),
    Case("LIM-04", "more than 10 000 elements", ("limits",), flaw=extension("<x:a/>" * 10_000)),
    Case("LIM-05", "9 000 elements", flaw=extension("<x:a/>" * 9_000)),
    Case("LIM-06", "1 500 namespaces", ("limits",), flaw=declarations(1500)),
    Case("LIM-07", "50 namespaces", flaw=declarations(50)),
    Case("LIM-07 more", "65 namespaces", ("limits",), flaw=declarations(65)),
    Case("DOS-03", "20 000 attributes of one element", ("limits",), flaw=attributes(20_000)),
    Case(
        "DOS-04",
        "an element whose name has 100 000 letters",
        MALFORMED,
        flaw=bytes_before(BELOW, b"<" + b"a" * 100_000 + b"/>" + BELOW),
    ),
    Case("DOS-04 many", "10 000 namespaces", ("limits",), flaw=declarations(10_000)),
    Case("DOS-02", "200 000 elements", ("size",), flaw=extension("<x:a/>" * 200_000)),
    Case("DOS-08", "a value of a megabyte", ("size",), flaw={"attributes": {"urn:x": ("x" * 1_000_000,)}}),
    Case("LIM-08", "64 levels", flaw=extension("<x:a>" * 62 + "</x:a>" * 62)),
)

ROOTS = (
    Case("XSW-34", "a SOAP envelope around", ("root",), flaw=tamper(_wrapped)),
    Case("XML-39", "an AuthnRequest", ("root",), flaw=renamed_root("AuthnRequest")),
    Case("XML-39 logout", "a LogoutRequest", ("root",), flaw=renamed_root("LogoutRequest")),
    Case("SLO-15", "a LogoutRequest to the consumer of responses", ("root",), flaw=renamed_root("LogoutRequest")),
    Case("XML-40", "a LogoutResponse", ("root",), flaw=renamed_root("LogoutResponse")),
    Case("XML-40 artifact", "an ArtifactResponse", ("root",), flaw=renamed_root("ArtifactResponse")),
    Case(
        "XML-38",
        "SAML 1.1's namespace",
        ("root",),
        flaw=tamper(lambda xml: xml.replace(b"SAML:2.0:protocol", b"SAML:1.0:protocol")),
    ),
    Case(
        "XML-38 swapped",
        "the namespaces swapped",
        ("root",),
        flaw=tamper(
            lambda xml: xml.replace(b"<samlp:Response ", b"<saml:Response ").replace(
                b"</samlp:Response", b"</saml:Response"
            )
        ),
    ),
)

SCHEMA = (
    Case(
        "XML-36", "an element of another namespace", ("schema",), flaw={"mutate": with_child(".", "<x xmlns='u:x'/>")}
    ),
    Case(
        "XML-37 status",
        "two Status",
        ("schema",),
        flaw=bytes_before(
            BELOW,
            b'<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
            + BELOW,
        ),
    ),
    Case(
        "XML-37 issuer",
        "two Issuers",
        ("schema",),
        flaw={"mutate": with_child("saml:Assertion", "<saml:Issuer>x</saml:Issuer>", 0)},
    ),
    Case(
        "XML-37 conditions",
        "two Conditions",
        ("schema",),
        flaw={"mutate": with_child("saml:Assertion", "<saml:Conditions/>", 3)},
    ),
    Case(
        "XML-37 order",
        "the Subject last",
        ("schema",),
        flaw={"mutate": lambda root: one(root, "saml:Assertion").append(one(root, ".//saml:Subject"))},
    ),
    Case(
        "XML-33",
        "a line break in Destination",
        ("destination",),
        flaw={"mutate": with_attribute(".", "Destination", "http://localhost:8000/saml2\n")},
    ),
    Case("RSP-31", "Extensions that nobody knows", flaw=extension("<x:a>mallory</x:a>")),
    Case(
        "RSP-31 evil",
        "Extensions with an Assertion",
        ("one_assertion",),
        flaw=extension(
            "<saml:Assertion ID='_e' Version='2.0' IssueInstant='2030-01-31T12:00:00Z'><saml:Issuer>x</saml:Issuer>"
            f"<saml:Subject><saml:NameID>{MALLORY.email}</saml:NameID></saml:Subject></saml:Assertion>"
        ),
    ),
    Case("XML-35", "white space between the elements", flaw={"mutate": lambda root: etree.indent(root, space="\t")}),
    Case("POS-06 pretty", "white space between the elements", flaw={"mutate": etree.indent}),
    Case(
        "SUB-24",
        "a NameID on a line of its own",
        ("username",),
        flaw={"mutate": with_text(NAME_ID, "\n  britta@contoso.example\n  ")},
    ),
)

PREFIXES = (
    Case("XSW-31 same", "the prefix saml bound once more, to the same", flaw=bound(b"<saml:Subject>", SAML)),
    Case("XSW-31", "the prefix saml bound to something else", ("schema",), flaw=bound(b"<saml:Subject>", b"urn:other")),
    Case(
        "XSW-31 evil",
        "an Assertion under another prefix, with saml bound to something else",
        ("one_assertion",),
        flaw=bytes_before(
            BELOW,
            b'<samlp:Extensions><x:Assertion xmlns:x="' + SAML + b'" xmlns:saml="urn:other" ID="_e" Version="2.0" '
            b'IssueInstant="2030-01-31T12:00:00Z"><x:Issuer>x</x:Issuer><x:Subject><x:NameID>mallory@evil.example'
            b"</x:NameID></x:Subject></x:Assertion></samlp:Extensions>" + BELOW,
        ),
    ),
)

CASES = (*PREFIXES, *DOCTYPES, *ENCODINGS, *SYNTAX, *BOUNDS, *ROOTS, *SCHEMA)
