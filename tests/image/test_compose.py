"""docker-compose.yml, the realm beside it and the Dockerfile, as far as they can be judged without a container engine.

`compose-spec.json` is the schema of the Compose specification (github.com/compose-spec), Apache License 2.0, unchanged;
its license lies beside it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from scripts import prove_image, write_realm
from sp.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SCHEMA = json.loads((Path(__file__).parent / "compose-spec" / "compose-spec.json").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("virtual-office")]
STEPS = prove_image.instructions((ROOT / "Dockerfile").read_text())


def test_the_file_fits_the_compose_schema() -> None:
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(COMPOSE)] == []


def test_the_schema_would_object() -> None:
    broken = {"services": {"virtual-office": {"image": "x", "port": ["8000:8000"]}}}
    assert list(Draft202012Validator(SCHEMA).iter_errors(broken))


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_loopback_only(name: str) -> None:
    """Reports are public there, and any program may make a workspace."""
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_no_administrator_has_a_password_that_everybody_knows(name: str) -> None:
    variables = SERVICES[name].get("environment", {})
    passwords = {variable: value for variable, value in variables.items() if "ADMIN_PASSWORD" in variable}
    assert all(re.fullmatch(r"\$\{\w+:-\}", value) for value in passwords.values()), passwords


@pytest.mark.parametrize("name", OURS)
def test_our_containers_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["volumes"] == ["data:/data"]


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_and_has_a_value_that_it_takes(name: str) -> None:
    variables = {
        variable: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        for variable, value in SERVICES[name]["environment"].items()
    }
    given = {variable.removeprefix("VIRTUAL_OFFICE_").lower(): value for variable, value in variables.items()}
    assert given.keys() <= Settings.model_fields.keys()
    assert load_settings({}, **given).shows_details


def test_each_profile_waits_for_what_exists() -> None:
    profiles = {name: set(service.get("profiles", [])) for name, service in SERVICES.items()}
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            reached = not profiles[other] or profiles[other] == profiles[name]
            assert reached or how.get("required") is False, (name, other)


def test_the_realm_is_what_idp_config_would_print() -> None:
    assert write_realm.FILE.read_text() == write_realm.realm()


def test_the_realm_knows_britta_and_the_service_of_the_compose_file() -> None:
    realm = json.loads(write_realm.FILE.read_text())
    [client], [britta] = realm["clients"], realm["users"]
    base_url = SERVICES["virtual-office"]["environment"]["VIRTUAL_OFFICE_BASE_URL"]
    assert client["clientId"] == Settings(base_url=base_url).entity_id
    assert client["redirectUris"] == [Settings(base_url=base_url).acs_url]
    assert (britta["firstName"], britta["email"]) == ("Britta", "britta@contoso.com")
    assert f"/realms/{realm['realm']}/" in SERVICES["keycloak-connected"]["command"][-1]


class TestDockerfile:
    def test_it_runs_as_nobody_in_particular(self) -> None:
        last_stage = STEPS[max(at for at, (name, _) in enumerate(STEPS) if name == "FROM") :]
        assert ("USER", "10001:10001") in last_stage
        assert ("VOLUME", "/data") in last_stage
        assert next(text for name, text in last_stage if name == "HEALTHCHECK").endswith(
            'CMD ["virtual-office", "healthcheck"]'
        )

    def test_nothing_unpinned_is_installed(self) -> None:
        installs = [text for name, text in STEPS if name == "RUN" and "pip install" in text]
        assert len(installs) == 2
        assert "--require-hashes --no-deps --only-binary :all:" in installs[0]
        assert "--no-deps --no-build-isolation" in installs[1]
        assert installs[1].endswith("pip --disable-pip-version-check check")
        assert all(re.fullmatch(r"debian:12\.\d+-slim( AS build)?", text) for name, text in STEPS if name == "FROM")

    def test_every_setting_that_it_sets_is_one(self) -> None:
        variables = re.findall(r"VIRTUAL_OFFICE_(\w+)=", " ".join(text for name, text in STEPS if name == "ENV"))
        assert len(variables) == 4
        assert {name.lower() for name in variables} <= Settings.model_fields.keys()


class TestContext:
    RULES = (ROOT / ".dockerignore").read_text().splitlines()

    def test_what_is_copied_is_sent(self) -> None:
        for text in (text for name, text in STEPS if name == "COPY" and "--from" not in text):
            for source in text.split()[:-1]:
                sent = f"{source}/x" if (ROOT / source).is_dir() else source
                assert prove_image.is_sent(sent, self.RULES), source

    @pytest.mark.parametrize(
        "name", [".env", "data/virtual-office.db", ".git/config", "tests/cast.py", "sp/__pycache__/app.pyc", "sp/x.pyc"]
    )
    def test_data_and_secrets_are_not(self, name: str) -> None:
        assert not prove_image.is_sent(name, self.RULES)
