"""Why each check matters and what to change when it fails: two sentences for people, by code.

Owns the words. Never decides anything. Labels in quotation marks stand on the "SAML Single Sign on" form; the
identity provider's settings are named by the words that most of them use.
"""

from __future__ import annotations

# code: (why it matters, what to change)
TEXTS: dict[str, tuple[str, str]] = {
    "form": (
        "Two messages in one form let one part of a program check the first and another part use the second.",
        (
            "Have the identity provider use the HTTP-POST binding (the settings of the application → binding) and send "
            "one SAMLResponse form field."
        ),
    ),
    "size": (
        "A message of any size would let one sender occupy the memory of the service.",
        (
            "Have the identity provider send fewer attributes, groups above all (the settings of the application → "
            "attributes); the limit is the setting `VIRTUAL_OFFICE_MAX_MESSAGE_BYTES` of this service."
        ),
    ),
    "base64": (
        "Decoders that forgive differ in what they read, so two of them see two messages in one text.",
        (
            'Send the response as standard base64, and percent-encode the form field so that "+" survives, as '
            "`curl --data-urlencode` does."
        ),
    ),
    "encoding": (
        "Bytes that two parsers read as different characters let one see a DOCTYPE or a name that the other does not.",
        "Have the identity provider send XML 1.0 in UTF-8.",
    ),
    "no_dtd": (
        "Entities and default attributes can add content after it was signed, read files, or exhaust memory.",
        "Send the response without a document type declaration; no SAML message has one.",
    ),
    "well_formed": (
        "What a parser has to repair, another one repairs differently.",
        "Look for anything that rewrites or cuts the message on its way: a proxy, a copy by hand, a template.",
    ),
    "no_comments": (
        "A comment inside a name makes some programs read only the part before it, which is somebody else's name.",
        "Have the identity provider send the response without comments and processing instructions.",
    ),
    "limits": (
        "Deep or crowded documents cost a service far more work than they cost their sender.",
        "Have the identity provider send fewer attributes or values.",
    ),
    "root": (
        "A different message, perhaps signed for another purpose, must not pass as a sign-in.",
        "Have the identity provider send a SAML 2.0 Response to this address, and nothing else.",
    ),
    "unique_ids": (
        "With one ID on two elements, the signature covers one and the program reads the other (signature wrapping).",
        "Have the identity provider give every element an ID of its own.",
    ),
    "schema": (
        "Elements in places where the standard has none are how forged content hides beside signed content.",
        (
            "Compare the place that the report names with the SAML 2.0 schema, and correct the identity provider's "
            "template or its custom code."
        ),
    ),
    "status": (
        "The identity provider says itself that it did not sign this person in.",
        (
            "Follow the identity provider's message: often the user is not assigned to the application, or the "
            "identifier of the application is not the one it knows."
        ),
    ),
    "one_assertion": (
        "With two assertions, one can be checked and the other used.",
        "Have the identity provider send exactly one assertion in each response.",
    ),
    "response_version": (
        "The rules of another version are other rules.",
        "Choose SAML 2.0 at the identity provider.",
    ),
    "response_issue_instant": (
        "An old response may have been stolen; one from the future comes from a clock that cannot be relied on.",
        "Set the clocks of the identity provider and of this service by NTP, and do not send stored responses.",
    ),
    "destination": (
        "A response meant for another address was caught there and is played back here.",
        (
            "Set the Reply URL (also called ACS URL or Destination) at the identity provider to the value expected, "
            "character for character."
        ),
    ),
    "in_response_to": (
        "Without this, a response that an attacker obtained for himself could sign another person's browser in.",
        (
            "Start the sign-in again in this browser; if the identity provider begins sign-ins itself, it must send no "
            "InResponseTo, and the account must accept unsolicited responses."
        ),
    ),
    "issuer": (
        "The Issuer tells which customer the response is for and thus whose certificate may have signed it.",
        (
            'Copy the identity provider\'s entity ID into "Issuer URL", character for character, a slash at the end '
            "included."
        ),
    ),
    "sso_enabled": (
        "A customer who switched Single Sign On off relies on nobody entering that way.",
        'Tick "Single Sign On" under "Authentication method", choose "SAML" and save.',
    ),
    "encryption_algorithms": (
        "Old encryption can be undone by sending altered copies and watching the answers.",
        "Choose AES-GCM with RSA-OAEP at the identity provider, or switch assertion encryption off.",
    ),
    "decryption": (
        "What cannot be opened cannot be checked.",
        (
            "Give the identity provider this account's encryption certificate, from the account's own metadata (its "
            'address is on the page "Our keys"), or switch encryption off.'
        ),
    ),
    "signature_present": (
        "Without a signature anybody can write a response in anybody's name.",
        "Have the identity provider sign the assertion, the response, or both, as the account asks.",
    ),
    "signature_structure": (
        "A signature in another shape or place can be genuine and still cover something other than what is read.",
        (
            "Have the identity provider make one enveloped signature with exclusive canonicalization in each signed "
            "element."
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
        "Find what changes the message after it is signed: a proxy, a script, pretty-printing or a copy by hand.",
    ),
    "assertion_version": (
        "The rules of another version are other rules.",
        "Choose SAML 2.0 at the identity provider.",
    ),
    "assertion_issuer": (
        "One identity provider must not be able to speak for another.",
        'Have the identity provider use one entity ID throughout, and enter exactly that as "Issuer URL".',
    ),
    "assertion_issue_instant": (
        "An old assertion may have been stolen; one from the future comes from a clock that cannot be relied on.",
        "Set the clocks of the identity provider and of this service by NTP, and do not send stored assertions.",
    ),
    "subject": (
        "The NameID is who signs in, so it must be one plain name that means the same person every time.",
        (
            "Have the identity provider send a NameID such as the user's e-mail address, in the emailAddress, "
            "persistent or unspecified format, qualified for nobody else."
        ),
    ),
    "bearer": (
        "The confirmation says who may present the assertion, where and until when.",
        "Have the identity provider send a SubjectConfirmation of the method bearer with SubjectConfirmationData.",
    ),
    "recipient": (
        "An assertion that another service received could otherwise be presented here.",
        (
            "Set the Recipient (usually the Reply URL or ACS URL) at the identity provider to the value expected, "
            "character for character."
        ),
    ),
    "confirmation_expiry": (
        "A stolen assertion must become useless soon.",
        (
            "Set the clocks by NTP, and have the identity provider put a NotOnOrAfter some minutes ahead into "
            "SubjectConfirmationData."
        ),
    ),
    "confirmation_not_before": (
        "The profile forbids it, and services differ in whether they heed it.",
        "Remove NotBefore from SubjectConfirmationData; Conditions is its place.",
    ),
    "confirmation_in_response_to": (
        "The signed assertion must name the same request as the response around it, which anybody could have changed.",
        (
            "Have the identity provider write the same InResponseTo into the Response and SubjectConfirmationData, or "
            "into neither when it begins the sign-in itself."
        ),
    ),
    "conditions": (
        "A condition that is not understood may be the one that forbids this use.",
        "Have the identity provider send one Conditions element with an AudienceRestriction and no custom conditions.",
    ),
    "audience": (
        "A token minted for another service would otherwise open this one.",
        (
            "Set the Audience (also called Entity ID or Identifier) at the identity provider to the value expected, "
            "character for character."
        ),
    ),
    "not_before": (
        "An assertion that is not valid yet may be withdrawn before it is.",
        "Set the clocks of the identity provider and of this service by NTP, and write times in UTC.",
    ),
    "not_on_or_after": (
        "An assertion past its time may have been stolen since.",
        "Set the clocks of the identity provider and of this service by NTP, write times in UTC, and sign in again.",
    ),
    "validity_window": (
        "The longer an assertion is valid, the longer a stolen one is worth something.",
        "Set the assertion's lifetime at the identity provider to an hour or less.",
    ),
    "authn_statement": (
        "An assertion without one says something about a person, but not that this person has just signed in.",
        "Have the identity provider send exactly one AuthnStatement with an AuthnContext.",
    ),
    "session_expiry": (
        "The identity provider says that its session has ended.",
        (
            "Sign in again at the identity provider, or give its sessions more time: the settings of the application → "
            "session lifetime."
        ),
    ),
    "authn_context": (
        (
            "Somebody who asked for a second factor must not be content with a password. An account that asks for it "
            "in its requests holds unsolicited responses to the same, since they would get round it otherwise."
        ),
        (
            "Have the identity provider authenticate as was requested, anew where that was asked for, or request less: "
            "in an unsolicited response too, whose AuthnInstant may be as old as a request may be."
        ),
    ),
    "attributes": (
        "A field with two values leaves it to chance which one counts, and control characters reach mails and logs.",
        "Map first name, last name and e-mail address to one plain value each under the names that are expected.",
    ),
    "replay": (
        "Whoever reads a response on its way could otherwise use it a second time.",
        (
            "Start a new sign-in, at the identity provider's list of applications → this service, instead of reloading "
            "or going back; if it recurs, find what sends the form twice."
        ),
    ),
    "username": (
        "Two names that look alike would be two people, and one could pass for the other.",
        (
            "Correct the value that the identity provider sends as NameID: no spaces, no hidden or unusual characters. "
            "Where only the case of letters beyond a to z differs from the profile, it is a warning: look whether both "
            "are the same person."
        ),
    ),
    "user_link": (
        "The name must lead to one person of this customer and to nobody else.",
        (
            'Create the user first or switch just-in-time provisioning on, and see that "User Mapping Field" names the '
            "field that holds what the identity provider sends, with each value only once."
        ),
    ),
    "user_active": (
        "Somebody who was shut out must stay out, whatever the identity provider says.",
        'Enable the user under "User Profiles", or have support add a deleted one again.',
    ),
}
