"""Responses that three real identity providers signed, each judged at its own clock."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from responses import Idp, judged

from sp.saml.certificates import read_certificate
from sp.saml.messages import AccountTrust, Expectations, PendingRequest

CAPTURED = Path(__file__).parent / "captured"


@dataclass(frozen=True)
class Captured:
    """One message as it reached an assertion consumer, and what it was made for."""

    id: str
    xml: bytes
    name_id: str
    held: Expectations


def _captured(folder: Path, about: dict[str, Any], case: dict[str, Any]) -> Captured:
    now = datetime.fromisoformat(case["received_at"])
    asked = case["in_response_to"]
    pending = (PendingRequest(asked, about["issuer"], now - timedelta(seconds=30)),) if asked else ()
    certificate = read_certificate((folder / about["certificate"]).read_bytes())
    account = AccountTrust("business", about["issuer"], (certificate,))
    held = Expectations(now, about["entity_id"], about["acs_url"], account, pending=pending)
    return Captured(f"{folder.name}/{case['file']}", (folder / case["file"]).read_bytes(), case["name_id"], held)


def _all_captured() -> tuple[Captured, ...]:
    found = []
    for path in sorted(CAPTURED.glob("*/case.json")):
        about = json.loads(path.read_text())
        found += [_captured(path.parent, about, case) for case in about["cases"]]
    return tuple(found)


EVERY = _all_captured()
every = pytest.mark.parametrize("captured", EVERY, ids=[captured.id for captured in EVERY])


def test_three_providers_twice_each() -> None:
    assert len(EVERY) == 6


@every
def test_accepted_at_its_own_clock(captured: Captured) -> None:
    judgement = judged(captured.xml, captured.held)
    assert judgement.report.accepts, judgement.report.failed
    assert judgement.identity is not None
    assert judgement.identity.username == captured.name_id
    assert judgement.identity.email == captured.name_id


@every
@pytest.mark.parametrize("hours", [-3, 3])
def test_refused_at_another_time(captured: Captured, hours: int) -> None:
    held = replace(captured.held, now=captured.held.now + timedelta(hours=hours))
    failed = judged(captured.xml, held).report.failed
    assert {"response_issue_instant", "assertion_issue_instant"} <= set(failed)
    assert ("not_before" if hours < 0 else "not_on_or_after") in failed


@every
def test_refused_with_another_name(captured: Captured) -> None:
    changed = captured.xml.replace(b">alice@example.com</saml:NameID>", b">mallory@example.com</saml:NameID>")
    assert changed != captured.xml
    assert judged(changed, captured.held).report.failed == ("signature",)


@every
def test_refused_with_another_certificate(captured: Captured) -> None:
    account = captured.held.account
    assert account is not None
    other = Idp.make("https://other.example/").certificate
    held = replace(captured.held, account=replace(account, certificates=(other,)))
    assert judged(captured.xml, held).report.failed == ("signing_key",)


@every
def test_refused_for_another_audience(captured: Captured) -> None:
    held = replace(captured.held, entity_id="https://sso.8x8.com/saml2")
    failed = judged(captured.xml, held).report.failed
    assert "audience" in failed
    assert set(failed) <= {"audience", "subject"}  # one of them also names us in SPNameQualifier


@every
def test_accepted_when_written_differently_with_the_same_canonical_form(captured: Captured) -> None:
    rewritten = etree.tostring(etree.fromstring(captured.xml), method="c14n")
    assert rewritten != captured.xml
    assert judged(rewritten, captured.held).report.accepts


@every
def test_a_certificate_that_is_not_pinned_first_is_found(captured: Captured) -> None:
    account = captured.held.account
    assert account is not None
    certificates = (Idp.make("https://other.example/").certificate, *account.certificates)
    judgement = judged(captured.xml, replace(captured.held, account=replace(account, certificates=certificates)))
    assert judgement.report.accepts
    assert judgement.certificate == account.certificates[0]
