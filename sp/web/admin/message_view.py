"""What of a judged message is laid out for the eye: the message, and the assertion that was encrypted in it.

Owns which tree is shown with which findings. Never parses or opens anything.
"""

from __future__ import annotations

from sp.diagnosis.places import places_of, signed_elements
from sp.flows.evidence import Evidence
from sp.flows.judging_captured import CapturedEvidence
from sp.web.admin.attempt_message import Shown, pretty_message, raw_message


def shown_message(evidence: Evidence | CapturedEvidence) -> Shown | None:
    """The message with each finding at its element; as text where it may not be parsed, None where there is none."""
    report, root = evidence.judgement.report, evidence.root
    if root is not None:
        signed = signed_elements(root) if evidence.signature_holds else frozenset()
        return pretty_message(root, places_of(report, root), signed)
    return None if evidence.xml is None else raw_message(evidence.xml, report)


def shown_assertion(evidence: Evidence | CapturedEvidence) -> Shown | None:
    """The assertion as it was opened, None where none was encrypted; its lines are numbered on their own."""
    opened = evidence.judgement.opened_assertion
    if opened is None:
        return None
    return pretty_message(opened, {}, frozenset({opened}) if evidence.signature_holds else frozenset())
