"""The warning about a message that only a key opens which all accounts once shared."""

from __future__ import annotations

from lxml import etree

from sp.saml.decryption import opened
from sp.saml.messages import Expectations
from sp.saml.problems import DecryptionProblem
from sp.saml.report import Finding, warning
from sp.saml.values import Uri


def former_key_warning(encrypted: etree._Element, tag: str, expectations: Expectations) -> Finding | None:
    """A warning that names the account's metadata; None where a key of the account itself opens the message.

    Ask only once `encrypted` has been opened with one of `decryption_keys`.
    """
    if not expectations.former_keys:
        return None
    former = {key.certificate for key in expectations.former_keys}
    own = tuple(key for key in expectations.decryption_keys if key.certificate not in former)
    if opened(encrypted, tag, own) is not None:
        return None
    return warning(DecryptionProblem.FORMER_KEY, Uri(expectations.metadata_url))
