"""Why each check of a logout message matters and what to change when it fails: two sentences for people, by code.

Owns the words. Never decides anything. Labels in quotation marks stand on the pages of this service.
"""

from __future__ import annotations

# code: (why it matters, what to change)
TEXTS: dict[str, tuple[str, str]] = {
    "form": (
        "Two messages in one request let one part of a program check the first and another part use the second.",
        (
            "Have the identity provider send one SAMLRequest or SAMLResponse, by HTTP-Redirect or HTTP-POST to "
            "/saml2/slo, or a SOAP envelope to /saml2/slo/soap."
        ),
    ),
    "size": (
        "A message of any size, or one that inflates to any size, would let one sender occupy the service's memory.",
        "No logout message is that large; the limit is the setting `VIRTUAL_OFFICE_MAX_MESSAGE_BYTES`.",
    ),
    "base64": (
        "Decoders that forgive differ in what they read, so two of them see two messages in one text.",
        "Send standard base64, percent-encoded; by HTTP-Redirect the message is raw DEFLATE before that.",
    ),
    "encoding": (
        "Bytes that two parsers read as different characters let one see what the other does not.",
        "Have the identity provider send XML 1.0 in UTF-8.",
    ),
    "no_dtd": (
        "Entities and default attributes can add content after it was signed, read files, or exhaust memory.",
        "Send the message without a document type declaration; no SAML message has one.",
    ),
    "well_formed": (
        "What a parser has to repair, another one repairs differently.",
        "Look for anything that rewrites or cuts the message on its way: a proxy, a copy by hand, a template.",
    ),
    "no_comments": (
        "A comment inside a name makes some programs read only the part before it, which is somebody else's name.",
        "Have the identity provider send the message without comments and processing instructions.",
    ),
    "limits": (
        "Deep or crowded documents cost a service far more work than they cost their sender.",
        "A LogoutRequest names one person and some SessionIndexes; have the identity provider send no more.",
    ),
    "root": (
        "A message of another kind, perhaps signed for another purpose, must not pass for a sign-out.",
        (
            "Send LogoutRequests and LogoutResponses to this address; a Response that signs somebody in belongs to "
            "the assertion consumer service."
        ),
    ),
    "unique_ids": (
        "With one ID on two elements, the signature covers one and the program reads the other (signature wrapping).",
        "Have the identity provider give every element an ID of its own.",
    ),
    "schema": (
        "Elements in places where the standard has none are how forged content hides beside signed content.",
        "Compare the place that the report names with the SAML 2.0 schema, and correct the identity provider.",
    ),
    "issuer": (
        "The Issuer tells which customer's sessions are meant and thus whose certificate may have signed it.",
        (
            'If the identity provider speaks of sign-out under another name, as Entra ID does, enter that as "Issuer '
            'of sign-out messages" on the page "Sign-out"; otherwise correct "Issuer URL".'
        ),
    ),
    "signature_present": (
        "Without a signature anybody could sign anybody out, or claim that a sign-out has succeeded.",
        "Have the identity provider sign logout messages; for most that is an option of the application.",
    ),
    "signature_structure": (
        "A signature in another shape or place can be genuine and still cover something other than what is read.",
        (
            "Have the identity provider sign the whole message: one enveloped signature of the root by HTTP-POST and "
            "SOAP, the query and nothing inside the message by HTTP-Redirect."
        ),
    ),
    "signature_algorithms": (
        "Weak algorithms can be forged, and a shared-secret one would take the public key for a secret.",
        "Choose RSA-SHA256 as the signing algorithm at the identity provider.",
    ),
    "signing_key": (
        "Only the keys that the customer entered prove who signed; a certificate sent along proves nothing.",
        (
            'Download the current signing certificate from the identity provider and upload it as "Identity Provider '
            'Certificate".'
        ),
    ),
    "signature": (
        "Content that was changed after signing is not what the identity provider said.",
        (
            "Find what changes the message after it is signed: a proxy that writes the query anew, a script, "
            "pretty-printing."
        ),
    ),
    "logout_version": (
        "The rules of another version are other rules.",
        "Choose SAML 2.0 at the identity provider.",
    ),
    "logout_issue_instant": (
        "An old message may have been stolen; one from the future comes from a clock that cannot be relied on.",
        "Set the clocks of the identity provider and of this service by NTP, and do not send stored messages.",
    ),
    "destination": (
        "A message meant for another service was caught there and is played back here.",
        (
            "Set this service's logout URL at the identity provider to the value expected, character for character; "
            "our metadata (/saml2/metadata) names it."
        ),
    ),
    "logout_in_response_to": (
        "A person must be told what became of their own sign-out, not of one that somebody else began.",
        "Sign out again in this browser, within ten minutes and without signing out twice.",
    ),
    "logout_status": (
        "The identity provider says itself that the person may still be signed in there or elsewhere.",
        (
            "Follow the identity provider's message: often its session had ended before, or the NameID is not the one "
            "that it signed in."
        ),
    ),
    "logout_not_on_or_after": (
        "A request kept back could sign a person out long after, again and again.",
        "Set the clocks of both sides by NTP; the identity provider must send the request while it is valid.",
    ),
    "logout_subject": (
        "The name tells whose sessions end, so it must be one plain name, or one that only this service can read.",
        (
            "Have the identity provider send the NameID that it signed the person in with; if it encrypts it, AES-GCM "
            "with RSA-OAEP for this account's encryption certificate."
        ),
    ),
    "logout_replay": (
        "A request that works twice would end the sessions of a person who has signed in again.",
        "Have the identity provider make a new request each time, with an ID of its own.",
    ),
    "logout_sessions": (
        "Only exactly the sessions that are named end: same issuer, NameID with its Format and qualifiers, and index.",
        (
            'Compare the NameID and the SessionIndex with those of the sign-in (the page "Sessions" leads to it); '
            "a session that has ended already is no fault."
        ),
    ),
}
