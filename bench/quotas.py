"""How many sign-ins of an account are left in the log after a flood from others, and what the flood takes on disk.

    python -m bench.quotas [SMALL POSTS] [LARGE POSTS]

Contoso signs in 100 times. Then come posts of 15 bytes, and large responses of an issuer that no account trusts, all by
the assertion consumer's own flow into a temporary SQLite database. The log is kept within its quotas as often as the
service does it: after as many posts as come in two seconds, at 135 a second. Exits with 1 where a sign-in is gone.
"""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from responses import Idp, posted
from sqlalchemy import func, select

from bench import results
from bench.retention import connected
from sp.flows import housekeeping
from sp.flows.assertion_consumer import Delivery, consume
from sp.flows.opening import open_database
from sp.models import SignInAttempt
from sp.settings import Settings
from sp.store.engine import Database
from sp.store.rows import column
from sp.web.cookies import new_token

ABOUT = "What is left of 100 sign-ins after a flood of posts from others, and what the log takes then."
SIGN_INS = 100
IN_TWO_SECONDS = 270
LARGE_BYTES = 200_000


def main(small: int, large: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        database = open_database(settings)
        idp = connected(settings, database)
        for _ in range(SIGN_INS):
            _post(settings, database, _response(settings, idp))
        unknown = Idp("https://idp.another.example/", "bench", not_before=datetime.now(UTC) - timedelta(1))
        figures = [
            _flood(settings, database, "posts of 15 bytes", [b"<nothing-more/>"] * small),
            _flood(settings, database, "responses of 200 KB", [_large(settings, unknown)] * large),
        ]
        database.close()
    results.keep("quotas", ABOUT, figures, sign_ins=SIGN_INS)
    return 0 if all(figure["left"] == SIGN_INS for figure in figures) else 1


def _flood(settings: Settings, database: Database, what: str, messages: list[bytes]) -> dict[str, object]:
    for number, xml in enumerate(messages, 1):
        _post(settings, database, xml)
        if number % IN_TWO_SECONDS == 0:
            _trim(settings, database)
    _trim(settings, database)
    with database.reading() as session:
        of_an_account = select(func.count()).where(column(SignInAttempt.account_id).is_not(None))
        left = int(session.execute(of_an_account).scalar_one())
        rows, size = session.execute(select(func.count(), func.sum(func.length(column(SignInAttempt.message))))).one()
    file = sum(entry.stat().st_size for entry in settings.data_dir.glob("virtual-office.db*"))
    megabytes = {"message_mb": round((size or 0) / 1024**2, 1), "file_mb": round(file / 1024**2, 1)}
    print(f"{len(messages):,} {what}: {left} of {SIGN_INS} sign-ins left, {rows:,} rows, {megabytes}")
    return {"what": what, "posts": len(messages), "left": left, "rows": rows, **megabytes}


def _post(settings: Settings, database: Database, xml: bytes) -> None:
    consume(database, settings, Delivery(posted(xml), datetime.now(UTC), "192.0.2.7", new_token()))


def _trim(settings: Settings, database: Database) -> None:
    while housekeeping.trim_logs(database, settings, datetime.now(UTC)):
        pass


def _response(settings: Settings, idp: Idp) -> bytes:
    return idp.response(
        now=datetime.now(UTC), audience=settings.entity_id, recipient=settings.acs_url, destination=settings.acs_url
    )


def _large(settings: Settings, idp: Idp) -> bytes:
    """What no compression makes much smaller."""
    return _response(settings, idp).replace(
        b"<saml:Audience>", b"<saml:Audience>" + os.urandom(LARGE_BYTES // 2).hex().encode(), 1
    )


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*numbers, *(25_000, 2_000)[len(numbers) :]))
