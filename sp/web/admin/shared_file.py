"""The file in which an attempt is sent to somebody else: one HTML page that needs nothing around it.

Owns how the copy of the evidence is drawn. Never sees the evidence itself, so nothing of it can slip in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from sp import __version__
from sp.diagnosis.places import places_of, signed_elements
from sp.diagnosis.pseudonyms import Kind
from sp.diagnosis.remedies import GENERAL, name_of
from sp.flows.sharing import Shared
from sp.flows.verdict import verdict
from sp.paths import STATIC
from sp.web.admin.attempt_diagram import diagram_of
from sp.web.admin.attempt_facts import said_by
from sp.web.admin.attempt_message import Shown, pretty_message
from sp.web.rendering import templates
from sp.web.report_view import report_stages
from sp.web.times import exact

_STYLES = ("tokens", "base", "components", "report", "sign-in-log", "share")

# What the page before the file calls the kinds of what was replaced, for one and for several.
KIND_WORDS = {
    Kind.USER: ("user name", "user names"),
    Kind.TEXT: ("name or other value", "names and other values"),
    Kind.ID: ("ID", "IDs"),
    Kind.PLACE: ("entity ID or other place", "entity IDs and other places"),
    Kind.HOST: ("host name", "host names"),
    Kind.DOMAIN: ("domain of an e-mail address", "domains of e-mail addresses"),
    Kind.ADDRESS: ("IP address", "IP addresses"),
    Kind.PART: ("part of an address", "parts of addresses"),
    Kind.ATTRIBUTE: ("name of an attribute", "names of attributes"),
    Kind.SUBJECT: ("name in a certificate", "names in certificates"),
    Kind.NAME: ("name in the XML", "names in the XML"),
}


@dataclass(frozen=True, slots=True)
class Replaced:
    """What stands for what, for whoever shares."""

    value: str
    pseudonym: str
    kind: str


def file_name(reference: str) -> str:
    return f"sign-in-{reference}.html"


def shared_file(shared: Shared) -> bytes:
    """The file, in UTF-8."""
    evidence = shared.evidence
    report = evidence.judgement.report
    stages = report_stages(report, evidence.provider)
    page = templates.get_template("share/attempt.html").render(
        attempt=evidence.attempt,
        verdict=verdict(report, reference="", username="", provider=evidence.provider),
        provider=name_of(evidence.provider) if evidence.provider != GENERAL else "",
        received=exact(evidence.attempt.received_at),
        stages=stages,
        rows={row.code: row for stage in stages for row in stage.rows},
        diagram=diagram_of(evidence),
        said=said_by(evidence),
        message=_message(shared),
        message_bytes=shared.message_bytes,
        certificates=shared.certificates,
        settings_version=shared.settings_version,
        style=Markup("\n".join(_styles())),  # noqa: S704  our own files, and nothing else
        version=__version__,
    )
    return page.encode("utf-8")


def _styles() -> Iterator[str]:
    return (Path(STATIC, "css", f"{name}.css").read_text(encoding="utf-8") for name in _STYLES)


def _message(shared: Shared) -> Shown | None:
    root = shared.evidence.root
    if root is None:
        return None
    signed = signed_elements(root) if shared.evidence.signature_holds else frozenset()
    return pretty_message(root, places_of(shared.evidence.judgement.report, root), signed)


def counted(shared: Shared) -> list[str]:
    """ "3 IDs", for each kind of which something was replaced."""
    counts = shared.pseudonyms.counts
    return [f"{counts[kind]} {words[counts[kind] != 1]}" for kind, words in KIND_WORDS.items() if counts[kind]]


def replaced(shared: Shared) -> list[Replaced]:
    return [
        Replaced(value, pseudonym, KIND_WORDS[kind][0]) for value, (pseudonym, kind) in shared.pseudonyms.given.items()
    ]
