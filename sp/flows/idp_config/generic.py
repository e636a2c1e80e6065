"""Every other identity provider: the values with the names under which most of them ask.

Owns that list. Never invents a format that a program would read.
"""

from __future__ import annotations

from sp.flows.idp_config.parts import Configuration, Part, ServiceFacts, pem_of

_WHERE = "Type the values into the identity provider's form, or give it the metadata URL, which tells all of them."


def configuration(facts: ServiceFacts) -> Configuration:
    values = {
        "Metadata URL": facts.metadata_url,
        "Entity ID (Identifier, Audience)": facts.entity_id,
        "Assertion consumer service (Reply URL, Recipient, Destination)": facts.acs_url,
        "Its binding": "HTTP-POST",
        "Single logout service": facts.sign_out_url,
        "Its bindings": "HTTP-Redirect, HTTP-POST",
        "Where people start": facts.start_url,
        "NameID format": facts.name_id_format,
        "Attribute for First Name": facts.attributes.first_name,
        "Attribute for Last Name": facts.attributes.last_name,
        "Attribute for Email Address": facts.attributes.email,
        "Signed": _signed(facts),
        "Requests are signed": "yes" if facts.signs_requests else "no",
    }
    lines = [f"{label}:\n  {_one_line(value)}\n" for label, value in values.items()]
    parts = [Part("virtual-office.txt", _WHERE, "".join(lines))]
    for use, certificates in (("signing", facts.signing), ("encryption", facts.encryption)):
        if certificates:
            where = f"Our {use} certificate, where the identity provider asks for one."
            parts.append(Part(f"virtual-office-{use}.pem", where, pem_of(certificates[0])))
    return Configuration(tuple(parts))


def _signed(facts: ServiceFacts) -> str:
    if facts.wants_signed_assertion and facts.wants_signed_response:
        return "the assertion and the response"
    if facts.wants_signed_response:
        return "the response"
    return "the assertion (or the response around it, unless this account asks for the assertion)"


def _one_line(value: str) -> str:
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in value)
