"""Whether two NameIDs name the same person (Core 3.3.4): value, format and both qualifiers.

Owns what an omitted part stands for. Never looks at a session or a profile.
"""

from __future__ import annotations

from dataclasses import dataclass

from sp.saml import names
from sp.saml.messages import NameId


@dataclass(frozen=True, slots=True)
class NameContext:
    """What a name is understood by where it does not say so itself: who speaks, and to whom."""

    issuer: str
    entity_id: str


def same_name(one: NameId, other: NameId, context: NameContext) -> bool:
    """Character for character; a name that differs in anything is somebody else's."""
    return _whole(one, context) == _whole(other, context)


def _whole(name_id: NameId, context: NameContext) -> tuple[str, str, str, str]:
    """The name with its defaults: the unspecified format (Core 2.2.2), and the two parties (Core 8.3.7)."""
    return (
        name_id.value,
        name_id.format or names.UNSPECIFIED_FORMAT,
        name_id.name_qualifier or context.issuer,
        name_id.sp_name_qualifier or context.entity_id,
    )
