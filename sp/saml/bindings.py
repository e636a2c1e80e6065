"""The HTTP-POST binding: from the fields of a form to the bytes of a message.

Owns what a form may look like and strict base64. Never inflates anything and never looks inside the message.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from functools import cached_property

from sp.saml.messages import Limits, PostedForm
from sp.saml.problems import Base64Problem, FormProblem
from sp.saml.report import Fault
from sp.saml.values import Count, Missing, Name, Text, Unit, Value
from sp.saml.xml import XML_SPACE

FORM_TYPE = "application/x-www-form-urlencoded"
RESPONSE_FIELD = "SAMLResponse"

_FIELDS = ("SAMLRequest", RESPONSE_FIELD, "SAMLart")

_NO_SPACE = str.maketrans("", "", XML_SPACE)


@dataclass(frozen=True)
class Transport:
    """A posted form beside the limits it is held against (Bindings 3.5). `carried` names the message's field."""

    form: PostedForm
    limits: Limits
    carried: str = RESPONSE_FIELD

    @property
    def posted(self) -> str:
        """The message's field as it came, or ''."""
        return next(iter(values(self.form, self.carried)), "")

    @cached_property
    def text(self) -> str:
        """The message's field without the line breaks and spaces that base64 may be wrapped with."""
        wrapped = any(space in self.posted for space in XML_SPACE)
        return self.posted.translate(_NO_SPACE) if wrapped else self.posted

    @cached_property
    def decoded(self) -> bytes | None:
        """The message's bytes, or None where the text is not strict base64 (RFC 4648, 3.2 and 3.3)."""
        if len(self.text) % 4 or self.text.endswith("==="):  # the decoder forgives padding at the very end
            return None
        try:
            return binascii.a2b_base64(self.text.encode("ascii"), strict_mode=True)
        except ValueError:
            return None

    @property
    def decoded_bytes(self) -> int:
        """How many bytes the text decodes to, told by its length, so that no memory is spent to find out."""
        return len(self.text) * 3 // 4 - self.text[-2:].count("=")


def values(form: PostedForm, name: str) -> tuple[str, ...]:
    """Every value of the field `name`, in order; names are compared exactly."""
    return tuple(value for field, value in form.fields if field == name)


def form_problem(form: PostedForm, carried: str = RESPONSE_FIELD) -> Fault | None:
    """What keeps this from being a posted message in the field `carried`, or None."""
    if form.method != "POST":
        return Fault(FormProblem.METHOD, Name("POST"), Name(form.method))
    return _content_type_problem(form.content_type) or _fields_problem(form, carried)


def _fields_problem(form: PostedForm, carried: str) -> Fault | None:
    for name in _FIELDS:
        if name != carried and values(form, name):
            return Fault(FormProblem.OTHER_MESSAGE, Name(carried), Name(name))
    messages, states = values(form, carried), values(form, "RelayState")
    if len(messages) != 1:
        return Fault(FormProblem.MESSAGE_COUNT, Name(carried), Count(len(messages), Unit.FIELDS))
    if len(states) > 1:
        return Fault(FormProblem.RELAY_STATE_COUNT, Count(1, Unit.FIELDS), Count(len(states), Unit.FIELDS))
    if not messages[0].strip():
        return Fault(FormProblem.EMPTY, Name(carried), Name(carried))
    return None


def _content_type_problem(content_type: str) -> Fault | None:
    kind, _, parameters = content_type.lower().partition(";")
    if kind.strip() != FORM_TYPE:
        received: Value = Text(kind.strip()) if kind.strip() else Missing("content type")
        return Fault(FormProblem.CONTENT_TYPE, Name(FORM_TYPE), received)
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in {"utf-8", "utf8"}:
            return Fault(FormProblem.CHARACTER_SET, Name(FORM_TYPE), Text(value.strip()))
    return None


def base64_problem(transport: Transport) -> Base64Problem:
    """A guess at what happened to the base64 of a field that is not."""
    original = transport.posted
    if original.lstrip().startswith("<"):
        return Base64Problem.PLAIN_XML
    if "%" in original:
        return Base64Problem.PERCENT_ENCODED
    if "-" in original or "_" in original:
        return Base64Problem.URL_SAFE
    if " " in original.strip():
        return Base64Problem.SPACES
    return Base64Problem.OTHER
