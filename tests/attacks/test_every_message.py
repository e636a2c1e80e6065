"""Every hostile message of the catalogue, posted to the application: it leaves a row in the log and no more."""

from __future__ import annotations

import pytest
from attack import attack
from attacks.traces import Traces, accepted, refused, send
from browser import Browser
from responses import Idp
from saml.attacks.catalogue import MESSAGES
from saml.attacks.wrapping import SHAPES
from saml.cases import Case

from sp.store.engine import Database


def posted_as_it_is(case: Case) -> bool:
    """Whether the story needs nothing but the message: the same account, settings and key for all of them."""
    elsewhere = (case.held, case.flaw_held, case.account, case.flaw_account)
    return bool(case.failed) and case.kind == "rsa" and not any(elsewhere)


@pytest.mark.parametrize(
    "group",
    [
        pytest.param(name, marks=attack("WEB-13", f"every message of {name} by post", sum(map(posted_as_it_is, cases))))
        for name, cases in MESSAGES.items()
    ],
)
def test_no_message_gets_further_than_the_log(group: str, browser: Browser, connected: Idp, database: Database) -> None:
    """The answer is one of the sender's faults, never ours, and the codes are those of the core."""
    accepted(send(browser, connected.response()))
    for case in filter(posted_as_it_is, MESSAGES[group]):
        traces = Traces(database)
        refused(send(browser, case.flaw_signer(connected).response(**{**case.given, **case.flaw})), *case.failed)
        traces.of_one_refusal(*case.failed)


@attack("WEB-13 wrapping", "every shape of wrapping by post", len(SHAPES))
def test_no_wrapping_gets_further_than_the_log(browser: Browser, connected: Idp, database: Database) -> None:
    for shape, signed, failed in SHAPES.values():
        traces = Traces(database)
        refused(send(browser, connected.response(signed=signed, sealed=shape)), *failed)
        traces.of_one_refusal(*failed)
