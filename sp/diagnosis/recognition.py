"""The words for what was recognized in the place of a Response: what it is, and what to send instead."""

from __future__ import annotations

from sp.saml.recognition import UNKNOWN, Recognized
from sp.saml.values import Content, Value

_PROTOCOL = "(the settings of the application → protocol)"
_BINDING = "(the settings of the application → binding)"
_SEND = f"have the identity provider send a SAML 2.0 Response by HTTP-POST {_BINDING}"
_POST_BINDING = f"choose the HTTP-POST binding at the identity provider {_BINDING}"
_SAML_2 = f"choose SAML 2.0 at the identity provider {_PROTOCOL}"

# kind: (what it is, what to send or do instead)
KINDS: dict[str, tuple[str, str]] = {
    "empty": ("an empty value", _SEND),
    "response": (
        "a SAML 2.0 Response",
        f"send its XML as base64, encoded once and not compressed, by HTTP-POST {_BINDING}",
    ),
    "cut_response": (
        "a SAML 2.0 Response whose end is missing",
        "send the whole message, and look for what cuts it: a copy by hand, a field's length, a proxy",
    ),
    "authn_request": (
        "an AuthnRequest, a service's question",
        'answer it with a Response, and look at Accounts → Single Sign On → "Sign In URL"',
    ),
    "logout_request": ("a LogoutRequest", "send it to /saml2/slo: this address takes sign-ins only"),
    "logout_response": ("a LogoutResponse", "send it to /saml2/slo: this address takes sign-ins only"),
    "artifact": ("a SAML artifact, a reference to a message", _POST_BINDING),
    "artifact_response": ("an ArtifactResponse", _POST_BINDING),
    "soap": ("a SOAP envelope", _POST_BINDING),
    "other_saml": ("a SAML 2.0 message of another kind", _SEND),
    "assertion": ("a bare Assertion", "send the Response with the Assertion in it"),
    "encrypted": ("encrypted XML without a Response around it", "send the Response with the EncryptedAssertion in it"),
    "sp_metadata": ("the metadata of a service provider", "load that at the identity provider, and send its Response"),
    "idp_metadata": (
        "the metadata of an identity provider",
        "enter its values under Accounts → Single Sign On → SAML Single Sign on, and send its Response",
    ),
    "saml11_response": ("a SAML 1.1 Response", _SAML_2),
    "saml11_assertion": ("a SAML 1.1 Assertion", _SAML_2),
    "ws_federation": ("a WS-Federation answer (RequestSecurityTokenResponse)", f"{_SAML_2}, not WS-Federation"),
    "jwt": ("a JSON Web Token", f"{_SAML_2}, not OpenID Connect"),
    "json": ("JSON", _SEND),
    "html": ("an HTML page, such as a sign-in or error page", _SEND),
    "html_form": ("the HTML page that would post a SAMLResponse", "send the value of that field"),
    "other_xml": ("XML that is no SAML message", _SEND),
    "certificate": ("a certificate", 'upload it as "Identity Provider Certificate", and send a Response'),
    "private_key": ("a private key", "keep it secret, replace it if others have seen it, and send a Response"),
    "pkcs7": ("a PKCS #7 message (S/MIME)", _SEND),
}

_LAYER_WORDS = {
    "address": "in a URL or a form body",
    "percent": "percent-encoded",
    "url_safe": "in the URL-safe alphabet of base64",
    "deflate": "compressed as for the HTTP-Redirect binding",
    "gzip": "compressed with gzip",
}


def clause(content: Content) -> str:
    """A clause without an end, "this is …; …", or "" where there is nothing to add to what was said."""
    if content.value == UNKNOWN or (content.value == "response" and not content.layers):
        return ""
    what, instead = KINDS[content.value]
    around = [_LAYER_WORDS[layer] for layer in dict.fromkeys(content.layers) if layer in _LAYER_WORDS]
    around += ["base64-encoded twice"] if "base64" in content.layers else []
    return f"this is {', '.join((what, *around))}; {instead}"


def clause_about(recognized: Recognized) -> str:
    """The same about a value that was recognized without a finding."""
    return clause(Content(recognized.kind, recognized.added_layers))


def advice(received: Value | None) -> str:
    """What to send or do instead of what a finding received, or ''."""
    return KINDS[received.value][1] if isinstance(received, Content) and clause(received) else ""
