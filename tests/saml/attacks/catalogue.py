"""All hostile messages, by the module that holds them.

Owns the order in which they are listed. Holds no case itself.
"""

from __future__ import annotations

from saml.attacks import content, documents, encrypted, forgeries, mixtures, reading, signatures, times
from saml.cases import Case

MESSAGES: dict[str, tuple[Case, ...]] = {
    "signatures": signatures.CASES,
    "forgeries": forgeries.CASES,
    "documents": documents.CASES,
    "content": content.CASES,
    "times": times.CASES,
    "reading": reading.CASES,
    "mixtures": mixtures.CASES,
    "encrypted": encrypted.CASES,
}
