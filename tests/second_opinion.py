"""libxmlsec1's opinion of every signature that the engine judges, in whatever test it does.

Owns asking it and the comparison. Never changes a verdict: where the two differ, the test in which they do fails.
"""

from __future__ import annotations

from collections.abc import Callable

import xmlsec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sp.saml.certificates import IdpCertificate
from sp.saml.enveloped import Enveloped, Signed, Verdict

_Context = xmlsec.SignatureContext  # whatever a test puts in its place

Judge = Callable[[Enveloped, IdpCertificate, Signed], Verdict]


class DisagreementError(BaseException):
    """The engine and libxmlsec1 judge one signature differently."""


def verifies(enveloped: Enveloped, certificate: IdpCertificate) -> bool:
    """Whether libxmlsec1 verifies digest and value with this key. With `key` set, it never looks at KeyInfo."""
    if certificate.public_key is None:
        return False
    pem = certificate.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    try:
        context = _Context()
        context.register_id(enveloped.signed, "ID")
        context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)
        context.verify(enveloped.signature)
    except xmlsec.Error:
        return False
    return True


def compared(judge: Judge) -> Judge:
    """`sp.saml.enveloped._covered` with libxmlsec1 asked beside it, before anything was taken out of a copy."""

    def judge_and_ask(enveloped: Enveloped, certificate: IdpCertificate, signed: Signed) -> Verdict:
        theirs = verifies(enveloped, certificate)
        verdict = judge(enveloped, certificate, signed)
        if theirs is not (verdict.content is not None):
            raise DisagreementError(f"libxmlsec1 says {theirs} of {enveloped.name}: {verdict.signature}")
        return verdict

    return judge_and_ask
