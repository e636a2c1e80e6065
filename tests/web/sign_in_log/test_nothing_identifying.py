"""Whoever the message is about, the copy of it does not say so: people, companies and values drawn at random."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import pytest
from cast import NOW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from responses import Idp, all_of, expectations, one, trust, with_attribute, with_child

from sp.diagnosis.remedies import GENERAL
from sp.flows.evidence import Evidence
from sp.flows.judging_again import Inputs
from sp.flows.sharing import shared
from sp.models import SignInAttempt
from sp.saml import names
from sp.saml.identity import username_key
from sp.saml.messages import AccountHolder, UserLink
from sp.saml.validation import judge, open_message
from sp.web.admin.shared_file import shared_file

# Letters of several scripts, marks that turn the direction, markup and signs; nothing that XML cannot hold.
_MARKS = "abcxyzABCXYZäßéøñжйЯ山田שלוםعلي\u202e\u200f\u0301<>&\"'.-+_%; 0123456789"
# Digits alone say nothing: times, 127.0.0.1 and references have them too, and hypothesis finds those in the code.
_WORDS = st.text(_MARKS, min_size=6, max_size=24).filter(
    lambda text: len(re.findall(r"\w", text)) >= 5 and re.search(r"[^\W\d_]", text)
)
_LOCAL = st.text("abcxyzABCXYZäßжשע0123456789.-_+", min_size=6, max_size=16).filter(lambda text: text[0].isalpha())
_LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=6, max_size=12).map(lambda text: f"zq{text}")


@dataclass(frozen=True)
class Secrets:
    """Who it is about, and whose it is."""

    local: str
    company: str
    name: str
    attribute: str
    identifier: str
    path: str
    tenant: str

    @property
    def email(self) -> str:
        return f"{self.local}@{self.company}.example"

    @property
    def issuer(self) -> str:
        return f"https://idp.{self.company}.example/{self.path}/"

    @property
    def all(self) -> tuple[str, ...]:
        return (
            self.local,
            self.company,
            self.name.strip(),
            self.attribute.strip(),
            self.identifier,
            self.path,
            self.tenant,
        )


SECRETS = st.builds(
    Secrets,
    local=_LOCAL,
    company=_LABEL,
    name=_WORDS,
    attribute=_WORDS,
    identifier=_LABEL,
    path=_LABEL,
    tenant=st.uuids().map(str),
)

FLAWS: dict[str, Any] = {
    "none": lambda _: {},
    "audience": lambda secrets: {"audience": f"https://sp.{secrets.company}.example/{secrets.path}"},
    "long-audience": lambda secrets: {"audience": f"https://sp.{secrets.company}.example/" + secrets.path * 60},
    "recipient": lambda secrets: {"recipient": secrets.issuer, "destination": secrets.issuer.upper()},
    "space": lambda secrets: {"name_id": f"{secrets.email} "},
    "name-of-words": lambda secrets: {"name_id": secrets.name},
    "request": lambda secrets: {"in_response_to": f"_{secrets.identifier}"},
    "qualifier": lambda secrets: {
        "mutate": with_attribute(".//saml:NameID", "NameQualifier", f"{secrets.issuer}!{secrets.email}")
    },
    "schema": lambda secrets: {"mutate": with_attribute(".//saml:Conditions", "NotBefore", secrets.name)},
    "status": lambda secrets: {
        "signed": None,
        "mutate": all_of(
            with_attribute("samlp:Status/samlp:StatusCode", "Value", f"{names.STATUS_URI}Responder"),
            with_child("samlp:Status", "<samlp:StatusMessage/>"),
            lambda root: setattr(
                one(root, ".//samlp:StatusMessage"),
                "text",
                f"No {secrets.name} ({secrets.email}) at {secrets.company}.",
            ),
        ),
    },
    "unsigned": lambda _: {"signed": None},
    "replaced": lambda _: {"tamper": lambda xml: xml.replace(b"</saml:NameID>", b"x</saml:NameID>")},
}


def evidence_for(secrets: Secrets, flaw: str, link: UserLink) -> Evidence:
    """What is known about a sign-in of that person."""
    idp = Idp(secrets.issuer, "one key for all of them")
    attributes = {
        secrets.attribute: (secrets.name, secrets.name),
        "email": (secrets.email, secrets.email.upper()),
        "tenantid": (secrets.tenant, f"{secrets.tenant}/{secrets.local}"),
        "displayname": (f"{secrets.name} of {secrets.company}",),
    }
    changes = {"name_id": secrets.email, "attributes": attributes, "assertion_id": f"_{secrets.identifier}"}
    opened = open_message(idp.response(**(changes | FLAWS[flaw](secrets))))
    held = expectations(idp, account=trust(idp, slug=secrets.company))
    holder = AccountHolder(replayed=True, link=link, status="disabled")
    attempt = SignInAttempt(
        reference="23456789",
        received_at=NOW,
        outcome="refused",
        issuer=secrets.issuer,
        unverified_username=secrets.email,
        remote_address="203.0.113.77",
    )
    root = etree.fromstring(opened.xml or b"")
    return Evidence(attempt, Inputs(opened, held, holder), judge(opened, held, holder), None, GENERAL, root)


def writings(secret: str) -> set[str]:
    data = secret.encode()
    return {
        secret.casefold(),
        secret.lower(),
        base64.b64encode(data).decode().rstrip("=").casefold(),
        quote(secret, safe="").casefold(),
        html.escape(secret).casefold(),
        "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in secret).casefold(),
    }


@pytest.mark.parametrize("flaw", FLAWS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(secrets=SECRETS, link=st.sampled_from(UserLink))
def test_nothing_of_it_is_in_the_file(flaw: str, secrets: Secrets, link: UserLink) -> None:
    evidence = evidence_for(secrets, flaw, link)
    file = shared_file(shared(evidence)).decode()
    # The page's own style and words are no secret, whatever was drawn; what a browser shows is looked at as well.
    said = file[file.index("</style>") :].casefold()
    seen = html.unescape(re.sub(r"<[^>]*>", "", said))
    for secret in secrets.all:
        found = {writing for writing in writings(secret) for text in (said, seen) if writing in text}
        assert found == set(), (flaw, secret)
    assert "203.0.113.77" not in file
    for sent in etree.fromstring(evidence.xml or b"").iter(names.SIGNATURE_VALUE, names.X509_CERTIFICATE):
        assert (sent.text or "")[:40] not in file


@settings(max_examples=25, deadline=None)
@given(secrets=SECRETS)
def test_equal_values_are_equal_there(secrets: Secrets) -> None:
    root = shared(evidence_for(secrets, "none", UserLink.ONE)).evidence.root
    assert root is not None
    first, second, email, loud, *_ = (value.text for value in root.iter(names.ATTRIBUTE_VALUE))
    issuers = {issuer.text for issuer in root.iter(names.ISSUER)}
    assert first == second
    assert email == one(root, ".//saml:NameID").text
    # The capitals of a sharp s are those of two: what usernames take for two people is two values here as well.
    alike = username_key(secrets.email) == username_key(secrets.email.upper())
    assert ((email or "").casefold() == (loud or "").casefold()) is alike
    assert len(issuers) == 1
    assert one(root, ".//saml:Assertion").get("ID") == one(root, ".//saml:AuthnStatement").get("SessionIndex")


def test_the_stored_username_that_a_warning_quotes_is_not_in_the_file() -> None:
    secrets = Secrets("jörg", "fabrikam", "Jörg", "urn:x", "identifier", "path", "tenant")
    evidence = evidence_for(secrets, "none", UserLink.ONE)
    holder = replace(evidence.inputs.holder, stored_username="JÖRGWEISS", replayed=False, status="active")
    inputs = replace(evidence.inputs, holder=holder)
    judgement = judge(inputs.opened, inputs.expectations, holder)
    assert judgement.report.row("username").outcome == "warning"
    file = shared_file(shared(replace(evidence, inputs=inputs, judgement=judgement))).decode().casefold()
    assert "jörgweiss" not in html.unescape(file)
