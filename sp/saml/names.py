"""The URNs and qualified names of the standards.

Owns the spelling of every namespace, format, status and algorithm. Never says which of them are acceptable.
"""

from __future__ import annotations

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"

RESPONSE = f"{{{SAMLP}}}Response"
STATUS = f"{{{SAMLP}}}Status"
STATUS_CODE = f"{{{SAMLP}}}StatusCode"
STATUS_MESSAGE = f"{{{SAMLP}}}StatusMessage"

ASSERTION = f"{{{SAML}}}Assertion"
ENCRYPTED_ASSERTION = f"{{{SAML}}}EncryptedAssertion"
ISSUER = f"{{{SAML}}}Issuer"
ADVICE = f"{{{SAML}}}Advice"
SUBJECT = f"{{{SAML}}}Subject"
NAME_ID = f"{{{SAML}}}NameID"
ENCRYPTED_ID = f"{{{SAML}}}EncryptedID"
SUBJECT_CONFIRMATION = f"{{{SAML}}}SubjectConfirmation"
SUBJECT_CONFIRMATION_DATA = f"{{{SAML}}}SubjectConfirmationData"
CONDITIONS = f"{{{SAML}}}Conditions"
AUDIENCE_RESTRICTION = f"{{{SAML}}}AudienceRestriction"
AUDIENCE = f"{{{SAML}}}Audience"
ONE_TIME_USE = f"{{{SAML}}}OneTimeUse"
PROXY_RESTRICTION = f"{{{SAML}}}ProxyRestriction"
AUTHN_STATEMENT = f"{{{SAML}}}AuthnStatement"
AUTHN_CONTEXT = f"{{{SAML}}}AuthnContext"
AUTHN_CONTEXT_CLASS_REF = f"{{{SAML}}}AuthnContextClassRef"
ATTRIBUTE_STATEMENT = f"{{{SAML}}}AttributeStatement"
ATTRIBUTE = f"{{{SAML}}}Attribute"
ENCRYPTED_ATTRIBUTE = f"{{{SAML}}}EncryptedAttribute"
ATTRIBUTE_VALUE = f"{{{SAML}}}AttributeValue"

SIGNATURE = f"{{{DS}}}Signature"
SIGNED_INFO = f"{{{DS}}}SignedInfo"
SIGNATURE_VALUE = f"{{{DS}}}SignatureValue"
KEY_INFO = f"{{{DS}}}KeyInfo"
X509_CERTIFICATE = f"{{{DS}}}X509Certificate"
CANONICALIZATION_METHOD = f"{{{DS}}}CanonicalizationMethod"
SIGNATURE_METHOD = f"{{{DS}}}SignatureMethod"
REFERENCE = f"{{{DS}}}Reference"
TRANSFORMS = f"{{{DS}}}Transforms"
TRANSFORM = f"{{{DS}}}Transform"
DIGEST_METHOD = f"{{{DS}}}DigestMethod"
DIGEST_VALUE = f"{{{DS}}}DigestValue"
INCLUSIVE_NAMESPACES = f"{{{EXC_C14N}}}InclusiveNamespaces"
ENCRYPTION_METHOD = f"{{{XENC}}}EncryptionMethod"
ENCRYPTED_DATA = f"{{{XENC}}}EncryptedData"
ENCRYPTED_KEY = f"{{{XENC}}}EncryptedKey"
CIPHER_DATA = f"{{{XENC}}}CipherData"
CIPHER_VALUE = f"{{{XENC}}}CipherValue"
OAEP_PARAMS = f"{{{XENC}}}OAEPparams"
MGF = f"{{{XENC11}}}MGF"

ENVELOPED = DS + "enveloped-signature"

STATUS_URI = "urn:oasis:names:tc:SAML:2.0:status:"
SUCCESS = STATUS_URI + "Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
ENTITY_FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
TRANSIENT_FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"

RSA_SHA1 = DS + "rsa-sha1"
RSA_SHA256 = _MORE + "rsa-sha256"
RSA_SHA384 = _MORE + "rsa-sha384"
RSA_SHA512 = _MORE + "rsa-sha512"
ECDSA_SHA1 = _MORE + "ecdsa-sha1"
ECDSA_SHA256 = _MORE + "ecdsa-sha256"
ECDSA_SHA384 = _MORE + "ecdsa-sha384"
ECDSA_SHA512 = _MORE + "ecdsa-sha512"
PSS_SHA256 = _MORE_2007 + "sha256-rsa-MGF1"
PSS_SHA384 = _MORE_2007 + "sha384-rsa-MGF1"
PSS_SHA512 = _MORE_2007 + "sha512-rsa-MGF1"

SHA1 = DS + "sha1"
SHA256 = XENC + "sha256"
SHA384 = _MORE + "sha384"
SHA512 = XENC + "sha512"

AES_CBC = frozenset(XENC + name for name in ("aes128-cbc", "aes192-cbc", "aes256-cbc"))
AES_GCM = frozenset(XENC11 + name for name in ("aes128-gcm", "aes192-gcm", "aes256-gcm"))
RSA_OAEP_MGF1P = XENC + "rsa-oaep-mgf1p"
RSA_OAEP = frozenset((RSA_OAEP_MGF1P, XENC11 + "rsa-oaep"))
