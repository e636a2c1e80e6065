"""Rows of the catalogue without a case in these folders: where another test holds them, or what they wait for.

Owns that list, for `docs/engine.md`. A test keeps the names of the tests right.
"""

from __future__ import annotations

HELD_ELSEWHERE = {
    "BND-14": ("a DEFLATE bomb in a query", "tests/saml/test_redirect_binding.py"),
    "BND-18": ("a query that is not what its signature covers", "tests/saml/test_redirect_binding.py"),
    "BND-19": ("a query in which two readers would find two messages", "tests/saml/test_redirect_binding.py"),
    "CRT-12": ("a certificate signed with SHA-1: a warning", "tests/web/single_sign_on/test_certificates.py"),
    "DOS-04 new": ("names that nobody sent before, again and again", "tests/saml/test_errands.py"),
    "DOS-10": ("a form that trickles in", "tests/processes/test_operations.py"),
    "ENC-12": ("ciphertexts changed at random, to learn what is inside", "tests/saml/test_decryption.py"),
    "MET-10": ("metadata that changes its entity ID or an address on refresh", "tests/flows/test_metadata_refresh.py"),
    "MET-12": ("addresses with credentials, line breaks or a fragment", "tests/web/single_sign_on/test_saml_form.py"),
    "MET-14": ("our metadata holds no private key and the right address", "tests/web/test_metadata.py"),
    "RPL-10": ("guessing the ID of a request", "tests/saml/test_authn_request.py"),
    "POS-11": ("messages that real identity providers made", "tests/saml/test_captured.py"),
}

NOT_BUILT = {
    "a setting that encryption is required": (
        "there is none. Encryption hides an assertion from the browser; the signature is asked for either way",
        ("ENC-22",),
    ),
}
