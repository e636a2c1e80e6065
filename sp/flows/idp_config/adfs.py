"""AD FS: a script for PowerShell on the federation server.

Owns its commands and claim rules. Never writes a value outside of single quotes, in which PowerShell expands nothing.
"""

from __future__ import annotations

from string import Template

from sp.flows.idp_config.parts import NAME, Configuration, Part, ServiceFacts, base64_of, refuse

# PowerShell takes the typographic quotes for the plain one, so each of them would end a text.
_QUOTES = "'\u2018\u2019\u201a\u201b"
_WINDOWS_NAME = "http://schemas.microsoft.com/ws/2008/06/identity/claims/windowsaccountname"
_NAME_ID = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
_FORMAT = "http://schemas.xmlsoap.org/ws/2005/05/identity/claimproperties/format"
_MAIL = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"

_SCRIPT = Template("""\
#Requires -Modules ADFS
$$assertionConsumer = New-AdfsSamlEndpoint -Binding 'POST' -Protocol 'SAMLAssertionConsumer' `
    -Uri $acs_url -IsDefault $$true -Index 0
$$signOut = New-AdfsSamlEndpoint -Binding 'Redirect' -Protocol 'SAMLLogout' -Uri $sign_out_url
$certificate
$$rules = $rules

Add-AdfsRelyingPartyTrust -Name $name -Identifier $entity_id `
    -SamlEndpoint $$assertionConsumer, $$signOut `
    -IssuanceTransformRules $$rules `
    -AccessControlPolicyName 'Permit everyone' `
    -SignatureAlgorithm 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256' `
    -SamlResponseSignature '$signature' `
    -EncryptClaims $$false `
    -SignedSamlRequestsRequired $$$signed_requests$request_certificate
""")
_RULES = Template("""\
@RuleName = "Attributes"
c:[Type == "$windows_name", Issuer == "AD AUTHORITY"]
 => issue(store = "Active Directory", types = ("$email", "$first_name", "$last_name"),
          query = ";mail,givenName,sn;{0}", param = c.Value);

@RuleName = "Name ID: look up"
c:[Type == "$windows_name", Issuer == "AD AUTHORITY"]
 => add(store = "Active Directory", types = ("$mail"), query = ";mail;{0}", param = c.Value);

@RuleName = "Name ID"
c:[Type == "$mail"]
 => issue(Type = "$name_id", Issuer = c.Issuer, OriginalIssuer = c.OriginalIssuer, Value = c.Value,
          ValueType = c.ValueType, Properties["$format"] = "$name_id_format");
""")


def configuration(facts: ServiceFacts) -> Configuration:
    text = _SCRIPT.substitute(
        acs_url=_quoted(facts.acs_url),
        sign_out_url=_quoted(facts.sign_out_url),
        entity_id=_quoted(facts.entity_id),
        name=_quoted(f"{NAME} ({facts.slug})"),
        rules=_quoted(_rules(facts)),
        certificate=_certificate(facts),
        request_certificate=" `\n    -RequestSigningCertificate $certificate" if facts.signing else "",
        signature=_signature(facts),
        signed_requests="true" if facts.signs_requests else "false",
    )
    where = "Run it as an administrator on the primary federation server. AD FS takes https addresses only."
    return Configuration((Part("virtual-office.ps1", where, text),))


def _rules(facts: ServiceFacts) -> str:
    return _RULES.substitute(
        windows_name=_WINDOWS_NAME,
        mail=_MAIL,
        name_id=_NAME_ID,
        format=_FORMAT,
        name_id_format=_literal(facts.name_id_format, "The NameID format"),
        email=_literal(facts.attributes.email, "The attribute for Email Address"),
        first_name=_literal(facts.attributes.first_name, "The attribute for First Name"),
        last_name=_literal(facts.attributes.last_name, "The attribute for Last Name"),
    )


def _certificate(facts: ServiceFacts) -> str:
    if not facts.signing:
        return ""
    kind = "System.Security.Cryptography.X509Certificates.X509Certificate2"
    bytes_of = f"[Convert]::FromBase64String({_quoted(base64_of(facts.signing[0]))})"
    return f"$certificate = [{kind}]::new([byte[]]{bytes_of})\n"


def _signature(facts: ServiceFacts) -> str:
    if facts.wants_signed_assertion and facts.wants_signed_response:
        return "MessageAndAssertion"
    return "AssertionOnly" if facts.wants_signed_assertion else "MessageOnly"


def _literal(value: str, what: str) -> str:
    """A text in a claim rule, whose language knows no way to write a quotation mark or a backslash."""
    return refuse(value, what, '"', "\\", "\n", "\r")


def _quoted(text: str) -> str:
    for quote in _QUOTES:
        text = text.replace(quote, quote * 2)
    return f"'{text}'"
