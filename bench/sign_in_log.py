"""What a page of the sign-in log costs the server: CPU time, with 200 000 attempts in one account.

    python -m bench.sign_in_log [NUMBER OF ATTEMPTS]

The list as its endpoint answers it, template included, in this process on a temporary SQLite database; the attempts are
spread over 90 days, each with a compressed message of 2 KB beside it. The worst case is a filter that matches nothing.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from browser import PASSWORD, Browser
from sqlmodel import Session

from bench import results
from sp.app import create_app
from sp.flows import account_setup
from sp.models import SignInAttempt
from sp.settings import Settings
from sp.store import accounts, sign_in_attempts
from sp.store.engine import Database
from sp.store.rows import required
from sp.web.state import Service

LOG = "/account-manager/business/accounts/single-sign-on/sign-in-log"
PAGES = {
    "the newest": "",
    "an old page": f"?before={int(time.time() - 80 * 86_400)}000000-1",
    "refused": "?outcome=refused",
    "one check": "?code=audience",
    "one user": "?q=user77@",
    "a user whom nobody is": "?q=nobody",
    "the last week": "?period=week",
    "three months": "?since=2000-01-01",
    "all filters, no match": "?q=nobody&code=audience&outcome=refused&issuer=idp&since=2000-01-01",
}
ABOUT = "A page of the sign-in log, its template included."
TIMES = 7
BATCH = 10_000


def main(number: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data_dir=Path(folder), admin_password=PASSWORD))
        service: Service = app.state.service
        _fill(service, number)
        browser = Browser(app)
        browser.sign_in(service.settings.admin_username)
        print(f"server CPU of a page of the sign-in log, {number:,} attempts, median of {TIMES}:")
        figures = [_told(label, _median(browser, LOG + query)) for label, query in PAGES.items()]
        service.database.close()
    results.keep("sign_in_log", ABOUT, figures, attempts=number)


def _told(label: str, spent: float) -> results.Figure:
    print(f"  {label:24} {spent:7.1f} ms")
    return {"what": label, "cpu_ms": spent}


def _median(browser: Browser, path: str) -> float:
    spent = []
    for _ in range(TIMES):
        before = time.process_time()
        status = browser.client.get(path).status_code
        spent.append((time.process_time() - before) * 1000)
        if status != 200:
            raise RuntimeError(f"{path} answered {status}")
    return sorted(spent)[TIMES // 2]


def _fill(service: Service, number: int) -> None:
    with service.database.writing() as session:
        account = accounts.account_by_slug(session, account_setup.SEEDED_SLUG)
        if account is None:
            raise RuntimeError("the seeded account is missing")
        realm_id, account_id, settings_id = account.realm_id, required(account.id), required(account.settings_id)
    attempts = _attempts(number, realm_id, account_id, settings_id)
    for _ in range(0, number, BATCH):
        _store(service.database, attempts)


def _store(database: Database, attempts: Iterator[SignInAttempt]) -> None:
    with database.writing() as session:
        for _, attempt in zip(range(BATCH), attempts, strict=False):
            _record(session, attempt)


def _record(session: Session, attempt: SignInAttempt) -> None:
    sign_in_attempts.fill_keys(attempt)
    session.add(attempt)


def _attempts(number: int, realm_id: int, account_id: int, settings_id: int) -> Iterator[SignInAttempt]:
    chance = random.Random(1)  # noqa: S311  (the same attempts in every run)
    now = datetime.now(UTC)
    message = os.urandom(2048)
    for index in range(number):
        failed = chance.choice([[], [], [], ["audience"], ["not_on_or_after", "confirmation_expiry"], ["replay"]])
        yield SignInAttempt(
            reference=f"{index:08}",
            realm_id=realm_id,
            account_id=account_id,
            settings_id=settings_id,
            received_at=now - timedelta(days=90) * (1 - index / number),
            remote_address="192.0.2.7",
            outcome="refused" if failed else "accepted",
            failed=failed,
            issuer="https://idp.contoso.example/",
            username=f"user{chance.randrange(5000)}@contoso.example",
            expectations={"entity_id": "http://localhost:8000/saml2", "pending": [], "rest": "x" * 400},
            message=message,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
