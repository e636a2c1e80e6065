"""Why each preflight check matters and what to change: two sentences for people, by code.

Owns the words. Never decides anything. Labels in quotation marks stand on the "SAML Single Sign on" form.
"""

from __future__ import annotations

# code: (why it matters, what to change)
TEXTS: dict[str, tuple[str, str]] = {
    "savable": (
        "What cannot be saved cannot be tried.",
        "Correct the fields that are named; the form says the same when it is saved.",
    ),
    "issuer_text": (
        "The Issuer of a response is compared character for character, also with those that nobody sees.",
        'Type "Issuer URL" by hand, or copy it from the identity provider\'s page again without what stands around it.',
    ),
    "issuer_own": (
        "Responses come in the identity provider's name, never in this service's.",
        "Copy the identity provider's entity ID into \"Issuer URL\"; this service's values belong on the other side.",
    ),
    "issuer_metadata": (
        "The address of the metadata is not the name that the identity provider signs its responses with.",
        'Open the metadata and copy the value of entityID into "Issuer URL".',
    ),
    "issuer_address": (
        "Most identity providers have one value as their name and another where people sign in.",
        'Compare with the identity provider\'s page: its entity ID (Issuer) belongs into "Issuer URL".',
    ),
    "issuer_exact": (
        "This identity provider always writes its name in one way, and one character more or less is another name.",
        'Enter the value expected as "Issuer URL".',
    ),
    "sign_in_own": (
        "Whoever begins to sign in here would be sent round in a circle.",
        "Copy the identity provider's sign-in address (SAML SSO URL at Azure AD); this service's values belong there.",
    ),
    "sign_in_metadata": (
        "People would be shown an XML file instead of a page to sign in.",
        'Open the metadata and copy the Location of SingleSignOnService into "Sign In URL".',
    ),
    "sign_in_kind": (
        "Whoever begins to sign in here would arrive at the wrong place.",
        'Check whether "Sign In URL", "Sign Out URL" and "Issuer URL" have changed places.',
    ),
    "sign_in_https": (
        "On its way over http anybody in between can read and change what is sent, passwords included.",
        "Use the identity provider's https address.",
    ),
    "sign_out_own": (
        "Whoever signs out would be sent round in a circle.",
        'Copy the identity provider\'s sign-out address, or leave "Sign Out URL" empty.',
    ),
    "sign_out_kind": (
        "Whoever signs out would stay signed in at the identity provider, or be asked to sign in again.",
        'Check whether "Sign In URL", "Sign Out URL" and "Issuer URL" have changed places.',
    ),
    "sign_out_https": (
        "On its way over http anybody in between can read and change what is sent.",
        "Use the identity provider's https address.",
    ),
    "one_provider": (
        "Values from two identity providers, tenants or applications never fit together.",
        "Copy all values from the same page of the same application at the identity provider.",
    ),
    "certificate_time": (
        "Here the exact key counts, and a sign-in then carries a warning; the real service and others may refuse it.",
        "Download the current signing certificate from the identity provider, and see that it signs with that one.",
    ),
    "certificate_purpose": (
        "Identity providers that encrypt have two certificates, and only the one for signing verifies a response.",
        "Choose the signing certificate at the identity provider, not the one for encryption or for issuing.",
    ),
    "certificate_authority": (
        "Only the key in this very certificate is trusted, not the certificates that its owner has issued.",
        "Upload the certificate that signs the responses, without those that stand above it.",
    ),
    "certificate_key": (
        "A short key can be broken, so it verifies nothing here.",
        "Have the identity provider make a new key: RSA with 2048 bits or more, or ECDSA on P-256.",
    ),
    "certificate_own": (
        "Responses are signed with the identity provider's key; this service's own has nothing to do with it.",
        'Download the identity provider\'s signing certificate and upload that as "Identity Provider Certificate".',
    ),
    "certificate_elsewhere": (
        "Most identity providers use one key for one name; the same key under two often means a mistaken copy.",
        "Compare the fingerprint with the identity provider's page for this application.",
    ),
    "switched_on": (
        "A response for an account without Single Sign On is refused, whatever it says.",
        'Tick "Single Sign On" under "Authentication method", choose "SAML" and save.',
    ),
    "somebody_begins": (
        "Somebody has to begin: the identity provider with a response that nobody asked for, or this service.",
        'Fill in "Sign In URL", or tick "Sign-in started by the identity provider".',
    ),
    "somebody_signs_in": (
        "Without a matching user every sign-in ends with: The SAML user does not link to any user.",
        (
            "Switch just-in-time provisioning on, or create the user first: `virtual-office user add`. "
            '"User Mapping Field" says which field must hold the identity provider\'s name for the person.'
        ),
    ),
    "own_https": (
        "Identity providers take a Reply URL on http for a loopback address only, and browsers drop cookies there.",
        "Serve this on https, and set `VIRTUAL_OFFICE_BASE_URL` to that address.",
    ),
    "clock": (
        "A response from a clock that runs ahead is not valid yet, and one from a clock behind has expired.",
        "Set the clocks of the identity provider and of this service by NTP.",
    ),
    "browser_clock": (
        "This browser's clock and this service's differ; if it is the service's that is off, sign-ins fail.",
        "Set the clock of this service's machine by NTP.",
    ),
}
