"""Owns pysaml2's identity provider: its configuration, its metadata, and a signer inside this process.

Never starts the `xmlsec1` program and never keeps the assertions it made.
"""

import base64
from collections.abc import Callable
from functools import cached_property
from typing import Any

import xmlsec
from lxml import etree
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, samlp, xmldsig
from saml2.saml import NAMEID_FORMAT_EMAILADDRESS

from sp.demo_directory.keys import SigningKey
from sp.demo_directory.pysaml2 import (
    CryptoBackend,
    IdPConfig,
    RSACrypto,
    Server,
    entity_descriptor,
    import_rsa_key_from_file,
)

_METADATA_PREFIXES = {
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}

REQUEST_BINDINGS = {"GET": BINDING_HTTP_REDIRECT, "POST": BINDING_HTTP_POST}


class UnreadableRequestError(Exception):
    """What came as SAMLRequest is not an AuthnRequest that this identity provider can read."""


class InProcessSigner(CryptoBackend):  # type: ignore[misc]  # pysaml2 has no types
    """Signs with libxmlsec1 inside this process, in the place where pysaml2 would start a program."""

    @property
    def version(self) -> str:
        return "1.3.0"

    def sign_statement(self, statement: str | bytes, node_name: str, key_file: str, node_id: str) -> str:
        """Fill in the signature template of the element `node_id`; `node_name` is "namespace:LocalName"."""
        text = statement.encode() if isinstance(statement, str) else statement
        root = etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True))
        namespace, _, name = node_name.rpartition(":")
        node = next(node for node in root.iter(f"{{{namespace}}}{name}") if node.get("ID") == node_id)
        template = next(node.iterchildren(f"{{{xmlsec.constants.DSigNs}}}Signature"))
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_file(key_file, xmlsec.constants.KeyDataFormatPem)
        context.register_id(node, "ID")
        context.sign(template)
        return etree.tostring(root, encoding="unicode")


class _ForgetfulServer(Server):  # type: ignore[misc]  # pysaml2 has no types
    """pysaml2's identity provider, minus metadata of services and the memory of every assertion it made."""

    def has_encrypt_cert_in_metadata(self, sp_entity_id: str) -> bool:  # noqa: ARG002  pysaml2's signature
        return False

    def support_AssertionIDRequest(self) -> bool:  # noqa: N802  pysaml2's name
        return False

    def support_AuthnQuery(self) -> bool:  # noqa: N802  pysaml2's name
        return False


def _without_signature(message: str) -> str:
    """The message of a form without its Signature, which pysaml2 would want the signer's metadata for."""
    root = etree.fromstring(base64.b64decode(message), etree.XMLParser(resolve_entities=False, no_network=True))
    for signature in root.findall(f"{{{xmlsec.constants.DSigNs}}}Signature"):
        root.remove(signature)
    return base64.b64encode(etree.tostring(root)).decode()


class IdentityProvider:
    """One tenant's identity provider: its names, its addresses and pysaml2's server behind them.

    `issuer` ends in a slash, as Azure AD's does; `sign_in_url` serves single sign-on and sign-out alike.
    """

    def __init__(self, base_url: str, tenant_id: str, key: SigningKey) -> None:
        self.tenant_id = tenant_id
        self.issuer = f"{base_url}/{tenant_id}/"
        self.sign_in_url = f"{base_url}/{tenant_id}/saml2"
        self.sign_out_url = self.sign_in_url
        self._key = key

    @cached_property
    def server(self) -> Any:
        """pysaml2's `Server`, ready to make responses and to read requests."""
        server = _ForgetfulServer(config=IdPConfig().load(self._configuration()))
        server.sec.crypto = InProcessSigner()
        server.sec.sec_backend = RSACrypto(import_rsa_key_from_file(str(self._key.key_file)))
        return server

    def metadata(self) -> bytes:
        """The tenant's federation metadata document (Metadata 2.4.3)."""
        document = entity_descriptor(self.server.config).to_string(_METADATA_PREFIXES)
        return etree.tostring(etree.fromstring(document), xml_declaration=True, encoding="UTF-8", pretty_print=True)

    def read_request(self, message: str, method: str) -> Any:
        """Read an AuthnRequest as it came with HTTP GET or POST; the result is pysaml2's message.

        Raises UnreadableRequestError for anything else. A signature is neither asked for nor looked at: the answer
        goes to the application's own Reply URL whoever asks.
        """
        try:
            unsigned = _without_signature(message) if method == "POST" else message
            request = self.server.parse_authn_request(unsigned, REQUEST_BINDINGS[method])
        except Exception as error:  # pysaml2 lets the errors of every parser beneath it through
            raise UnreadableRequestError from error
        if request is None:
            raise UnreadableRequestError
        return request.message

    def read_logout_request(self, message: str) -> Any:
        """pysaml2's LogoutRequest from a query; None for any other message, and for what is none."""
        return self._read(message, samlp.logout_request_from_string)

    def read_logout_response(self, message: str) -> Any:
        """The same for a LogoutResponse."""
        return self._read(message, samlp.logout_response_from_string)

    def _read(self, message: str, parse: Callable[[str], Any]) -> Any:
        try:
            return parse(self.server.unravel(message, BINDING_HTTP_REDIRECT))
        except Exception:  # noqa: BLE001  pysaml2 lets the errors of every parser beneath it through
            return None

    def redirect_address(self, message: Any, destination: str, relay_state: str = "", *, response: bool = False) -> str:
        """The address that carries a logout message, signed with RSA-SHA256 over the query (Bindings 3.4.4.1)."""
        carried = self.server.apply_binding(
            BINDING_HTTP_REDIRECT,
            str(message),
            destination,
            relay_state,
            response=response,
            sign=True,
            sigalg=xmldsig.SIG_RSA_SHA256,
        )
        return str(dict(carried["headers"])["Location"])

    def _configuration(self) -> dict[str, Any]:
        return {
            "entityid": self.issuer,
            "crypto_backend": "XMLSecurity",
            "key_file": str(self._key.key_file),
            "cert_file": str(self._key.certificate_file),
            "service": {
                "idp": {
                    "name": "Demo Directory",
                    "want_authn_requests_signed": False,
                    "name_id_format": [NAMEID_FORMAT_EMAILADDRESS],
                    "endpoints": {
                        "single_sign_on_service": [
                            (self.sign_in_url, BINDING_HTTP_REDIRECT),
                            (self.sign_in_url, BINDING_HTTP_POST),
                        ],
                        "single_logout_service": [(self.sign_out_url, BINDING_HTTP_REDIRECT)],
                    },
                }
            },
        }
