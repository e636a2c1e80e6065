"""The service under test as its administrators use it: commands, and the metadata that it publishes.

Owns how they are asked. Never reads its database. A command runs in the process of the tests, another one than the
service's as on a server, which saves starting Python each time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx
from lxml import etree
from processes.program import Installation
from typer.testing import CliRunner

from sp.cli import app

NS = {"md": "urn:oasis:names:tc:SAML:2.0:metadata", "ds": "http://www.w3.org/2000/09/xmldsig#"}

_OURS = "VIRTUAL_OFFICE_"
T = TypeVar("T")


def command(service: Installation, *arguments: str) -> str:
    """What the command printed. Raises AssertionError with its complaint when it failed."""
    foreign: dict[str, str | None] = {name: None for name in os.environ if name.startswith(_OURS)}
    own = {name: value for name, value in service.environment.items() if name.startswith(_OURS)}
    done = elsewhere(lambda: CliRunner().invoke(app, arguments, env=foreign | own))
    assert (done.exit_code, done.stderr) == (0, ""), f"{done.output}{done.exception!r}"
    return done.stdout


def elsewhere(work: Callable[[], T]) -> T:
    """The result of `work` in another thread: with a browser open this one has an event loop, and `work` makes one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def certificate_options(service: Installation, *pems: str) -> list[str]:
    """Options of `configure` by which the account trusts these certificates, and no others."""
    options = []
    for number, pem in enumerate(pems):
        file = service.folder / f"simplesamlphp-{number}.pem"
        file.write_text(pem, encoding="ascii")
        options += ["--certificate", str(file)]
    return options


def metadata(service: Installation, account: str = "", *, signed: bool = False) -> bytes:
    """As the running service publishes it now, for everybody or as an account's settings have it."""
    address = f"{service.base_url}/saml2/metadata" + (f"/{account}" * bool(account)) + ("?signed=true" * signed)
    return httpx.get(address, trust_env=False).raise_for_status().content


def published_certificates(metadata: bytes, use: str) -> list[str]:
    """PEM of the certificates of `signing` or `encryption` in this order."""
    path = f"//md:KeyDescriptor[@use='{use}']//ds:X509Certificate/text()"
    found: Any = etree.fromstring(metadata).xpath(path, namespaces=NS)
    return [f"-----BEGIN CERTIFICATE-----\n{value.strip()}\n-----END CERTIFICATE-----\n" for value in found]


def users(service: Installation) -> list[dict[str, str]]:
    listed: list[dict[str, str]] = json.loads(command(service, "users", "--json"))
    return listed
