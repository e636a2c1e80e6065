"""What one sign-in costs the service: server CPU (user and system) per request, through HTTP, everything committed.

    python -m bench.sign_ins [NUMBER]

A real service process on a temporary SQLite database; responses signed beforehand by the tests' identity provider, one
user each, then the same users again. The client's own cost is not counted: the kernel tells the server's.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from responses import Idp, post_field

from bench.processes import cpu_ms, free_port, started
from sp.flows import account_setup
from sp.flows.opening import open_database
from sp.settings import Settings
from sp.store import accounts

WARM_UP = 20


def main(number: int) -> None:
    now = datetime.now(UTC)
    idp = Idp("https://idp.bench.example/", "bench", not_before=now - timedelta(days=1))
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        _configure(data_dir, idp, now)
        with started("serve", data_dir, port, free_port()) as process, _client(port) as client:
            bodies = _bodies(idp, port, number + WARM_UP)
            _post(client, bodies["first sign-in, both signed"][:WARM_UP])
            print(f"server CPU per request, {number} requests each:")
            for label, requests in bodies.items():
                before = cpu_ms(process.pid)
                statuses = _post(client, requests[WARM_UP:])
                cost = (cpu_ms(process.pid) - before) / number
                print(f"  {label:32} {cost:6.2f} ms   status {', '.join(map(str, sorted(statuses)))}")


def _configure(data_dir: Path, idp: Idp, now: datetime) -> None:
    settings = Settings(data_dir=data_dir)
    database = open_database(settings)
    with database.writing() as session:
        account = accounts.account_by_slug(session, account_setup.SEEDED_SLUG)
        if account is None:
            raise RuntimeError("the seeded account is missing")
        draft = account_setup.SsoDraft(single_sign_on=True, issuer=idp.entity_id, certificates=(idp.certificate,))
        account_setup.save_sso_settings(session, settings, account, draft, saved_by="bench", now=now)
    database.close()


def _bodies(idp: Idp, port: int, number: int) -> dict[str, list[str]]:
    url = f"http://localhost:{port}/saml2"

    def made(**options: Any) -> list[str]:
        moment = datetime.now(UTC)
        names = [f"user{index}@contoso.example" for index in range(number)]
        places: dict[str, Any] = {"audience": url, "recipient": url, "destination": url}
        xmls = [idp.response(now=moment, name_id=name, **(places | options)) for name in names]
        return [urlencode({"SAMLResponse": post_field(xml)}) for xml in xmls]

    return {
        "first sign-in, both signed": made(signed="both"),
        "next sign-in, both signed": made(signed="both"),
        "next sign-in, assertion signed": made(signed="assertion"),
        "refused: another audience": made(audience="urn:another"),
        "refused: garbage": [urlencode({"SAMLResponse": "garbage"})] * number,
    }


def _client(port: int) -> httpx.Client:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return httpx.Client(base_url=f"http://localhost:{port}", headers=headers, trust_env=False)


def _post(client: httpx.Client, bodies: list[str]) -> set[int]:
    return {client.post("/saml2", content=body).status_code for body in bodies}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
