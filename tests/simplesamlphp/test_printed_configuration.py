"""The entry that `idp-config --for simplesamlphp` prints, put into a real SimpleSAMLphp as it is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest
from cast import BRITTA, CHARLIE
from processes.program import Installation
from simplesamlphp import office
from simplesamlphp.configuration import authsources_php
from simplesamlphp.server import SimpleSamlPhp
from simplesamlphp.visitor import Visitor, sign_in

from sp.flows.idp_config.simplesamlphp import php

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
DIRECTORY = {"givenname": "givenName", "surname": "sn", "emailaddress": "mail"}
HOSTILE = (
    "'];system('id');$x=['",
    "\\'];system('id');//",
    "\\",
    "trailing\\\\",
    "$metadata ${_SERVER['PATH']} {$x}",
    "?><?php phpinfo();",
    "a\nb\r\n'",
    "ünï ‘quotes’",
    "",
)


@pytest.fixture
def printed(service: Installation, simplesamlphp: SimpleSamlPhp) -> Iterator[str]:
    """The identity provider knows of the service what was printed, and its directory has the names of an LDAP one."""
    text = service.run("idp-config", "--for", "simplesamlphp").stdout
    sources = authsources_php()
    for claim, name in DIRECTORY.items():
        sources = sources.replace(CLAIMS + claim, name)
    (simplesamlphp.folder / "metadata/saml20-sp-remote.php").write_text(text)
    (simplesamlphp.folder / "config/authsources.php").write_text(sources)
    yield text
    simplesamlphp._write_configuration()


@pytest.mark.usefixtures("printed")
def test_charlie_signs_in_with_it_and_is_provisioned_by_name(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor
) -> None:
    """Signed, for the right audience and address, with a NameID and attributes that its filters made."""
    verdict = visitor.send_for_json(sign_in(visitor, simplesamlphp.idp_initiated_url(service.acs_url), CHARLIE))
    assert (verdict["outcome"], verdict["warnings"], verdict["username"]) == ("accepted", [], CHARLIE.email)
    (profile,) = (user for user in office.users(service) if user["username"] == CHARLIE.email)
    assert (profile["first_name"], profile["last_name"], profile["email"]) == ("Charlie", "Clark", CHARLIE.email)


@pytest.mark.usefixtures("printed")
def test_britta_starts_here_and_signs_out_on_both_sides_with_it(
    service: Installation, simplesamlphp: SimpleSamlPhp, visitor: Visitor
) -> None:
    office.command(service, "configure", "--sign-requests", "on")
    try:
        text = service.run("idp-config", "--for", "simplesamlphp").stdout
        assert "'validate.authnrequest' => true," in text
        (simplesamlphp.folder / "metadata/saml20-sp-remote.php").write_text(text)
        form = sign_in(visitor, f"{service.base_url}/sso/login/business", BRITTA)
        assert visitor.send_for_json(form)["outcome"] == "accepted"
    finally:
        office.command(service, "configure", "--sign-requests", "off")


@pytest.mark.usefixtures("simplesamlphp")
def test_php_reads_every_text_as_it_was_meant() -> None:
    """A text that ends its quotes would be a command on the identity provider's server."""
    program = f"echo json_encode({php(list(HOSTILE))});"
    done = subprocess.run(["php", "-r", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == list(HOSTILE)
