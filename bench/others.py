"""Other service provider libraries, each judging a response with what it can ask for: python3-saml and pysaml2.

Owns their settings. Never measures: `bench.verification` does.
"""

from __future__ import annotations

import base64
import shutil
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import xmlsec
from lxml import etree
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from responses import one
from saml.opinion import settings_for

from sp.saml.messages import Expectations, SignedPart

Judge = Callable[[bytes], str]  # the bytes of a response, and the NameID of whom it signs in

_METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing">
<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{certificate}\
</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/>
</md:IDPSSODescriptor></md:EntityDescriptor>"""


def python3_saml(held: Expectations, *, settings_kept: bool) -> Judge:
    """As strict as it can be, both signatures wanted.

    Its documentation reads the settings for each request; with `settings_kept` they are read once.
    """
    account = held.account
    if account is None:
        raise ValueError("it knows no message without an account")
    wanted = replace(held, account=replace(account, signed_part=SignedPart.BOTH))
    kept = settings_for(wanted)
    address = urlsplit(held.acs_url)
    request = {"https": "off", "http_host": address.netloc, "script_name": address.path}

    def judge_one(xml: bytes) -> str:
        posted = {"post_data": {"SAMLResponse": base64.b64encode(xml).decode()}}
        asked = OneLogin_Saml2_Auth(request | posted, kept if settings_kept else settings_for(wanted))
        asked.process_response()
        if not asked.is_authenticated():
            raise RuntimeError(f"python3-saml refused: {asked.get_last_error_reason()}")
        return str(asked.get_nameid())

    return judge_one


def has_xmlsec1() -> bool:
    return shutil.which("xmlsec1") is not None


def pysaml2(held: Expectations, *, in_process: bool) -> Judge:
    """Its own service provider as its documentation configures it, which starts the program xmlsec1 for each signature.

    With `in_process` libxmlsec1 in this process takes the program's place: that is kinder to it than it is itself.
    """
    # Here and not above: the import alone costs a second and prints a warning.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from saml2 import BINDING_HTTP_POST  # noqa: PLC0415
        from saml2.client import Saml2Client  # noqa: PLC0415
        from saml2.config import SPConfig  # noqa: PLC0415

        client = Saml2Client(SPConfig().load(_pysaml2_settings(held, BINDING_HTTP_POST, in_process=in_process)))
    if in_process:
        client.sec.crypto = _crypto()

    def judge_one(xml: bytes) -> str:
        text = base64.b64encode(xml).decode()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = client.parse_authn_request_response(text, BINDING_HTTP_POST, {})
        return str(answer.name_id.text)

    return judge_one


def _pysaml2_settings(held: Expectations, binding: str, *, in_process: bool) -> dict[str, Any]:
    if held.account is None:
        raise ValueError("it knows no message without an account")
    certificate = base64.b64encode(held.account.certificates[0].der).decode()
    service = {
        "endpoints": {"assertion_consumer_service": [(held.acs_url, binding)]},
        "allow_unsolicited": True,
        "want_response_signed": True,
        "want_assertions_signed": True,
    }
    return {
        "entityid": held.entity_id,
        "service": {"sp": service},
        "metadata": {"inline": [_METADATA.format(entity_id=held.account.issuer, certificate=certificate)]},
        **({"crypto_backend": "XMLSecurity"} if in_process else {}),
    }


def _crypto() -> Any:
    from saml2.sigver import CryptoBackend  # noqa: PLC0415

    class InProcess(CryptoBackend):  # type: ignore[misc]  # (an untyped package)
        def validate_signature(
            self, signedtext: str | bytes, cert_file: str, cert_type: str, node_name: str, node_id: str
        ) -> bool:
            del cert_type, node_name
            root = etree.fromstring(signedtext.encode() if isinstance(signedtext, str) else signedtext)
            signed = next(element for element in root.iter() if element.get("ID") == node_id)
            context = xmlsec.SignatureContext()
            context.register_id(signed, "ID")
            context.key = xmlsec.Key.from_file(cert_file, xmlsec.constants.KeyDataFormatCertPem)
            context.verify(one(signed, "ds:Signature"))
            return True

    return InProcess()
