"""Owns the import of pysaml2's heavy modules, which costs most of a second and one warning.

Never wraps or changes anything: these are pysaml2's own names.
"""

import warnings

with warnings.catch_warnings():
    # pysaml2 names a cipher mode at an address that cryptography is about to retire; nothing here uses it.
    warnings.filterwarnings("ignore", message="CFB has been moved", category=UserWarning)
    from saml2.config import IdPConfig
    from saml2.metadata import entity_descriptor
    from saml2.server import Server
    from saml2.sigver import (
        CryptoBackend,
        RSACrypto,
        import_rsa_key_from_file,
        pre_signature_part,
        signed_instance_factory,
    )

__all__ = [
    "CryptoBackend",
    "IdPConfig",
    "RSACrypto",
    "Server",
    "entity_descriptor",
    "import_rsa_key_from_file",
    "pre_signature_part",
    "signed_instance_factory",
]
