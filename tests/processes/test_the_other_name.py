"""https://sso.8x8.com/saml2 on this machine: what a gallery application with the fixed address needs.

The name is sent to loopback by the client, as a hosts entry does for a browser; nothing leaves the machine.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
from cast import BRITTA
from lxml import etree
from processes.program import PASSWORD, Installation
from responses import Idp, posted

NAME = "sso.8x8.com"
FIXED_URL = "https://sso.8x8.com/saml2"


@dataclass(frozen=True)
class OtherName:
    """The service under the other name, as somebody reaches it who trusts the authority in this file."""

    place: Installation
    authority: Path

    def ask(self, method: str, path: str, *, name: str = NAME, **options: Any) -> httpx.Response:
        trust = ssl.create_default_context(cafile=str(self.authority))
        with httpx.Client(verify=trust, trust_env=False, timeout=10) as client:
            return client.request(
                method,
                f"https://127.0.0.1:{self.place.port}{path}",
                headers={"Host": NAME} | options.pop("headers", {}),
                extensions={"sni_hostname": name},
                **options,
            )


@pytest.fixture(scope="module")
def other_name(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherName]:
    settings = {"BASE_URL": f"https://{NAME}", "ADMIN_PASSWORD": PASSWORD, "DETAILS_PUBLIC": "true"}
    place = Installation(tmp_path_factory.mktemp("other-name"), settings=settings)
    made = place.run("certificates")
    assert made.returncode == 0, made.stderr
    with place.start("serve", "--tls") as program:
        assert program.printed("Virtual Office") == f"https://{NAME}"
        yield OtherName(place, place.data / "tls" / "authority.pem")


def test_an_idp_with_the_fixed_address_signs_britta_in(other_name: OtherName) -> None:
    idp = Idp.make()
    certificate = other_name.place.folder / "idp.pem"
    certificate.write_bytes(idp.certificate_pem)
    done = other_name.place.run("configure", "--issuer", idp.entity_id, "--certificate", str(certificate))
    assert done.stdout.splitlines()[-1].endswith(f"ACS (Reply URL) {FIXED_URL}, entity ID {FIXED_URL}")
    response = idp.response(
        now=datetime.now(UTC).replace(microsecond=0),
        destination=FIXED_URL,
        recipient=FIXED_URL,
        audience=FIXED_URL,
    )
    form = dict(posted(response).fields)
    answer = other_name.ask("POST", "/saml2", data=form, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["failed"]) == (200, [])
    assert answer.json()["username"] == BRITTA.email
    page = other_name.ask("POST", "/saml2", data=form)
    assert page.status_code == 403  # a replay by now


def test_what_it_hands_out_is_for_https_alone(other_name: OtherName) -> None:
    page = other_name.ask("GET", "/")
    assert page.status_code == 200
    (cookie,) = SimpleCookie(page.headers["set-cookie"]).values()
    assert cookie.key.startswith("__Host-")
    assert cookie["secure"]
    entity = etree.fromstring(other_name.ask("GET", "/saml2/metadata").content)
    assert entity.get("entityID") == FIXED_URL
    assert b'Location="https://sso.8x8.com/saml2/slo"' in etree.tostring(entity)


def test_nobody_else_is_vouched_for(other_name: OtherName) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        other_name.ask("GET", "/", name="login.contoso.example")
    with httpx.Client(trust_env=False) as stranger, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAIL"):
        stranger.get(f"https://localhost:{other_name.place.port}/")


@pytest.mark.parametrize("options", [(), ("--tls",)])
def test_the_health_check_speaks_https(other_name: OtherName, options: tuple[str, ...]) -> None:
    """Without the options of `serve` it looks in the data folder."""
    done = other_name.place.run("healthcheck", *options)
    assert (done.returncode, done.stdout) == (0, "ready\n"), done.stderr


def test_plain_http_is_not_answered(other_name: OtherName) -> None:
    with pytest.raises(httpx.TransportError), httpx.Client(trust_env=False) as client:
        client.get(f"http://127.0.0.1:{other_name.place.port}/")
