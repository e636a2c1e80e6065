"""SOAP 1.1 envelopes: a message out of one, and an answer or a fault into one (Bindings 3.2).

Owns the envelope. Never judges what is in it, and understands no header.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from lxml import etree

from sp.saml import names
from sp.saml.problems import RootProblem
from sp.saml.report import Fault
from sp.saml.values import Name, names_of
from sp.saml.xml import child

CONTENT_TYPE = "text/xml"

_ENVELOPE = f"{{{names.SOAP}}}Envelope"
_HEADER = f"{{{names.SOAP}}}Header"
_BODY = f"{{{names.SOAP}}}Body"
_MUST_UNDERSTAND = f"{{{names.SOAP}}}mustUnderstand"


def envelope_problem(root: etree._Element, tag: str) -> Fault | None:
    """What keeps this from being an Envelope with one `tag` in its Body, or None."""
    expected = Name(etree.QName(tag).localname)
    if root.tag != _ENVELOPE:
        return Fault(RootProblem.ENVELOPE, expected, names_of([etree.QName(root).localname]))
    if [part.tag for part in root] not in ([_BODY], [_HEADER, _BODY]):
        found = [etree.QName(part).localname for part in list(root)[:3]]
        return Fault(RootProblem.ENVELOPE if found else RootProblem.EMPTY_ENVELOPE, expected, names_of(found))
    content = [etree.QName(element) for element in root[-1]]
    if [name.text for name in content] != [tag]:
        found = [name.localname for name in content[:3]]
        return Fault(RootProblem.ENVELOPE if found else RootProblem.EMPTY_BODY, expected, names_of(found))
    header = child(root, _HEADER)
    obliged = [] if header is None else [part for part in header if part.get(_MUST_UNDERSTAND) == "1"]
    if obliged:
        return Fault(RootProblem.MUST_UNDERSTAND, received=Name(etree.QName(obliged[0]).localname))
    return None


def message_in(root: etree._Element) -> bytes:
    """The bytes of the one message in the Body, with the namespaces that were in scope. Ask for problems before."""
    return etree.tostring(root[-1][0], encoding="UTF-8", with_tail=False)


def enveloped(message: bytes) -> bytes:
    """The envelope around a message of ours, whose bytes stay as they are."""
    return b"".join((f'<soap:Envelope xmlns:soap="{names.SOAP}"><soap:Body>'.encode(), message, _END))


def fault(sentence: str) -> bytes:
    """A fault of the sender's (SOAP 1.1, 4.4)."""
    said = f"<faultcode>soap:Client</faultcode><faultstring>{escape(sentence)}</faultstring>"
    return enveloped(f"<soap:Fault>{said}</soap:Fault>".encode())


_END = b"</soap:Body></soap:Envelope>"
