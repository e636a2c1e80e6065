"""Every knob of the service: defaults that hang together, and one clear sentence for each fault."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sp.settings import Settings, SettingsError, is_loopback, load_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this machine's variables nor a `.env` in its folder may decide a test."""
    for name in os.environ:
        if name.startswith("VIRTUAL_OFFICE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def faults_of(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    for name, value in variables.items():
        monkeypatch.setenv(f"VIRTUAL_OFFICE_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return caught.value.faults


def test_entity_id_and_acs_url_follow_the_base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_OFFICE_BASE_URL", "http://localhost:9000/")
    settings = load_settings()
    assert settings.entity_id == "http://localhost:9000/saml2"
    assert settings.acs_url == "http://localhost:9000/saml2"


@pytest.mark.parametrize(
    ("variables", "base_url"),
    [
        ({}, "http://localhost:8000"),
        ({"PORT": "8100"}, "http://localhost:8100"),
        ({"PORT": "80"}, "http://localhost"),
        ({"HOST": "0.0.0.0", "PORT": "8100"}, "http://localhost:8100"),  # noqa: S104  (never listened on)
        ({"HOST": "::"}, "http://localhost:8000"),
        ({"HOST": "[::1]"}, "http://[::1]:8000"),
        ({"HOST": "127.0.0.1"}, "http://127.0.0.1:8000"),
        ({"HOST": "office.example", "TLS_CERTIFICATE": "a.pem", "TLS_KEY": "b.pem"}, "https://office.example:8000"),
        ({"PORT": "443", "TLS_CERTIFICATE": "a.pem", "TLS_KEY": "b.pem"}, "https://localhost"),
        ({"PORT": "8100", "BASE_URL": ""}, "http://localhost:8100"),
        ({"PORT": "8100", "BASE_URL": "https://office.example"}, "https://office.example"),
    ],
)
def test_the_address_follows_what_is_listened_on(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], base_url: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"VIRTUAL_OFFICE_{name}", value)
    settings = load_settings()
    assert (settings.base_url, settings.acs_url, settings.entity_id) == (base_url, *[f"{base_url}/saml2"] * 2)
    assert settings.in_realm("job-1").acs_url == f"{base_url}/w/job-1/saml2"


def test_what_is_derived_is_not_taken_for_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_OFFICE_PORT", "8100")
    monkeypatch.setenv("VIRTUAL_OFFICE_BASE_URL", "")
    assert load_settings().model_fields_set == {"port"}


def test_the_older_tutorials_values_can_be_set_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_OFFICE_ENTITY_ID", "https://sso.8x8.com/contoso")
    monkeypatch.setenv("VIRTUAL_OFFICE_ACS_URL", "https://contoso.8x8pilot.com/saml2")
    settings = load_settings()
    assert (settings.entity_id, settings.acs_url) == (
        "https://sso.8x8.com/contoso",
        "https://contoso.8x8pilot.com/saml2",
    )


def test_the_database_lies_in_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_OFFICE_DATA_DIR", "/somewhere")
    assert load_settings().database_url == "sqlite:////somewhere/virtual-office.db"


def test_a_file_named_env_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("VIRTUAL_OFFICE_PORT=8123\n")
    assert load_settings().port == 8123


def test_all_faults_are_told_at_once_and_each_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = faults_of(monkeypatch, PORT="seventy", BASE_URL="localhost:8000", CLOCK_SKEW_SECONDS="86400")
    assert len(faults) == 3
    assert {fault.split(":")[0] for fault in faults} == {
        "VIRTUAL_OFFICE_PORT",
        "VIRTUAL_OFFICE_BASE_URL",
        "VIRTUAL_OFFICE_CLOCK_SKEW_SECONDS",
    }
    assert all(fault.endswith(".") and "\n" not in fault for fault in faults)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BASE_URL", "ftp://localhost"),
        ("BASE_URL", "https://user:secret@sp.example"),
        ("BASE_URL", "https://sp.example/path"),
        ("ACS_URL", "https://sp.example/saml2#part"),
        ("ACS_URL", "http://[::1"),
        ("ENTITY_ID", "no-scheme"),
        ("ENTITY_ID", "urn:x:" + "a" * 1024),
        ("DATABASE_URL", "mysql://localhost/db"),
        ("DATABASE_URL", "postgresql://host:port/name"),
        ("DATABASE_URL", "sqlite:///"),
        ("CLOCK_SKEW_SECONDS", "301"),
        ("LOG_FORMAT", "xml"),
        ("PORT", "65536"),
        ("BASE_URL", "http://localhost:0"),
        ("DEMO_URL", "http://127.0.0.1:0"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    faults = faults_of(monkeypatch, **{name: value})
    assert len(faults) == 1
    assert faults[0].startswith(f"VIRTUAL_OFFICE_{name}: ")


def test_a_misspelt_variable_is_not_ignored_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = faults_of(monkeypatch, BASEURL="http://localhost:9000")
    assert faults == ["VIRTUAL_OFFICE_BASEURL is not a setting; did you mean VIRTUAL_OFFICE_BASE_URL?"]


def test_a_misspelt_name_in_the_file_is_not_ignored_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("OTHER\nVIRTUAL_OFFICE_LOG_LEVL=debug\nvirtual_office_prot=8100\n")
    assert faults_of(monkeypatch) == [
        "VIRTUAL_OFFICE_LOG_LEVL (in .env) is not a setting; did you mean VIRTUAL_OFFICE_LOG_LEVEL?",
        "virtual_office_prot (in .env) is not a setting; did you mean VIRTUAL_OFFICE_PORT?",
    ]


def test_a_line_of_the_file_that_sets_nothing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("# ports\n\nVIRTUAL_OFFICE_PORT: 8100\nSOME OTHER LINE\nVIRTUAL_OFFICE_HOST\n")
    assert faults_of(monkeypatch) == ["Line 3 of .env is not NAME=value.", "Line 5 of .env is not NAME=value."]


def test_a_file_that_is_no_text_is_one_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_bytes(b"VIRTUAL_OFFICE_PORT=\xff\n")
    assert faults_of(monkeypatch) == ["The file .env cannot be read as UTF-8."]


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfVIRTUAL_OFFICE_PORT=8123\n")
    assert load_settings().port == 8123


@pytest.mark.parametrize("place", ["environment", "file"])
def test_an_empty_variable_is_an_unset_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    unset = load_settings()
    names = [f"VIRTUAL_OFFICE_{name.upper()}" for name in Settings.model_fields]
    if place == "file":
        (tmp_path / ".env").write_text("".join(f"{name}=\n" for name in names))
    else:
        for name in names:
            monkeypatch.setenv(name, "")
    assert load_settings() == unset


def test_an_empty_variable_leaves_the_word_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("VIRTUAL_OFFICE_PORT=8123\n")
    monkeypatch.setenv("VIRTUAL_OFFICE_PORT", "")
    assert load_settings().port == 8123


def test_choices_are_taken_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LOG_LEVEL": "INFO", "LOG_FORMAT": "Json", "WORKSPACES": "OFF"}.items():
        monkeypatch.setenv(f"VIRTUAL_OFFICE_{name}", value)
    settings = load_settings()
    assert (settings.log_level, settings.log_format, settings.workspaces) == ("info", "json", "off")


@pytest.mark.parametrize(
    ("variables", "at_fault"),
    [
        ({"TLS_KEY": "key.pem"}, "TLS_CERTIFICATE"),
        ({"TLS_CERTIFICATE": "chain.pem"}, "TLS_KEY"),
        ({"WORKSPACES": "token"}, "WORKSPACE_TOKEN"),
        ({"BASE_URL": "localhost"}, "BASE_URL"),
    ],
)
def test_the_variable_at_fault_is_named_first(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], at_fault: str
) -> None:
    (fault,) = faults_of(monkeypatch, **variables)
    assert fault.startswith(f"VIRTUAL_OFFICE_{at_fault}: ")


def test_an_option_of_the_command_line_is_named_too() -> None:
    with pytest.raises(SettingsError, match=r"\AVIRTUAL_OFFICE_PORT: .* \(received '70000' by --port\)"):
        load_settings(port=70_000)


def test_a_strangers_variable_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_OFFICE_SERVICE_HOST", "10.0.0.1")  # what Kubernetes sets for a service of that name
    assert load_settings().host == "localhost"


def test_a_wrong_password_setting_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = faults_of(monkeypatch, METRICS_TOKEN="hunter2", DATABASE_URL="postgresql://britta:hunter3@host:x/name")
    assert [fault.partition(":")[0] for fault in faults] == [
        "VIRTUAL_OFFICE_DATABASE_URL",
        "VIRTUAL_OFFICE_METRICS_TOKEN",
    ]
    assert "hunter" not in str(faults)


@pytest.mark.parametrize(
    ("host", "base_url", "explicit", "public"),
    [
        ("localhost", "http://localhost:8000", None, True),
        ("127.0.0.1", "http://127.0.0.1:8000", None, True),
        ("::1", "http://[::1]:8000", None, True),
        ("0.0.0.0", "http://localhost:8000", None, False),  # noqa: S104  (reachable from elsewhere)
        ("localhost", "https://sp.example", None, False),
        ("0.0.0.0", "https://sp.example", True, True),  # noqa: S104
        ("localhost", "http://localhost:8000", False, False),
    ],
)
def test_details_are_public_on_loopback_only_unless_said_otherwise(
    host: str, base_url: str, explicit: bool | None, public: bool
) -> None:
    settings = Settings(host=host, base_url=base_url, details_public=explicit)
    assert settings.shows_details is public


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]", "sp.localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "192.168.0.1", "localhost.evil.example", "::"])  # noqa: S104
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_every_setting_says_in_a_sentence_what_it_is() -> None:
    missing = [name for name, field in Settings.model_fields.items() if not field.description]
    assert missing == []


@pytest.mark.parametrize(
    ("variables", "makes", "fixes"),
    [
        ({}, "open", True),
        ({"HOST": "0.0.0.0"}, "token", False),  # noqa: S104  (never listened on)
        ({"BASE_URL": "https://sp.example"}, "token", False),
        ({"WORKSPACES": "off"}, "off", True),
        ({"BASE_URL": "https://sp.example", "WORKSPACES": "open", "FIXED_CLOCK": "true"}, "open", True),
    ],
)
def test_workspaces_are_open_on_this_machine_only(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], makes: str, fixes: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"VIRTUAL_OFFICE_{name}", value)
    settings = load_settings()
    assert (settings.makes_workspaces, settings.fixes_clocks) == (makes, fixes)


def test_workspaces_by_token_need_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "VIRTUAL_OFFICE_WORKSPACE_TOKEN" in faults_of(monkeypatch, WORKSPACES="token")[0]


def test_a_token_that_is_easy_to_guess_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    (fault,) = faults_of(monkeypatch, WORKSPACE_TOKEN="hunter2")
    assert "at least 16 characters" in fault
    assert "hunter2" not in fault


def test_a_workspace_has_addresses_of_its_own_and_nothing_else() -> None:
    settings = Settings(entity_id="https://sso.8x8.com/saml2", base_url="https://sp.example")
    own = settings.in_realm("job-1")
    assert (own.entity_id, own.acs_url) == ("https://sp.example/w/job-1/saml2",) * 2
    assert own.model_dump(exclude={"entity_id", "acs_url"}) == settings.model_dump(exclude={"entity_id", "acs_url"})
    assert settings.in_realm("shared") is settings
    with pytest.raises(ValueError, match="no other realm"):
        own.in_realm("job-2")
