"""Every knob of the service, typed, with one sentence each.

Owns reading the environment and `.env`; nothing else does. Never opens a file, a socket or a database.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv.parser import Original, parse_stream
from pydantic import (
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from sp.saml.messages import Limits

PREFIX = "VIRTUAL_OFFICE_"
_ENV_FILE = ".env"
_ENV_ENCODING = "utf-8-sig"  # Windows' editors begin a file with a byte order mark
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_SHORTEST_TOKEN = 16
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_MISSING = "missing_setting"
_DEFAULT_PORTS = {"http": 80, "https": 443}
SHARED_REALM = "shared"


class SettingsError(Exception):
    """One or more settings are wrong. `faults` holds one sentence for each, the setting named."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Settings(BaseSettings):
    """The settings of one service process, from `VIRTUAL_OFFICE_…` variables or a `.env` file."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=_ENV_FILE,
        env_file_encoding=_ENV_ENCODING,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    base_url: str = Field(
        "",
        description="Where browsers reach this service. Default: from the host, the port and whether it speaks TLS: "
        "http://localhost:8000.",
    )
    entity_id: str = Field(
        "",
        description="The entity ID, which must be the Audience of every assertion. Default: base URL + /saml2.",
    )
    acs_url: str = Field(
        "",
        description="The assertion consumer service, Recipient of every assertion. Default: base URL + /saml2.",
    )
    host: str = Field("localhost", description="The address to listen on; `localhost` means 127.0.0.1 and ::1.")
    port: Annotated[int, Field(ge=0, le=65535, description="The TCP port to listen on; 0 takes any that is free.")] = (
        8000
    )
    workers: Annotated[
        int, Field(ge=1, le=64, description="How many processes `serve` runs on its port; `demo` runs one.")
    ] = 1
    requests_at_once: Annotated[
        int,
        Field(
            ge=1,
            le=10_000,
            description="How many requests one process works on and keeps waiting; whoever comes then is told at once "
            "that the service is busy (503).",
        ),
    ] = 200
    tls_certificate: Path | None = Field(
        None, description="The server's certificate chain in PEM, to speak https; needs the next one too."
    )
    tls_key: Path | None = Field(None, description="The private key of that certificate in PEM, without a password.")
    data_dir: Path = Field(Path("data"), description="The folder that holds the database and other state.")
    database_url: str = Field(
        "",
        description="sqlite:///FILE or postgresql://… (with the extra: pip install virtual-office-sp[postgresql]); "
        "default: virtual-office.db in the data folder.",
    )
    admin_username: str = Field(
        "admin@contoso.com", min_length=1, max_length=256, description="The seeded administrator's user name."
    )
    admin_password: SecretStr | None = Field(
        None,
        description="The seeded administrator's password; without it one is generated at the first start.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    log_format: Literal["console", "json"] = Field("console", description="How log lines look.")
    details_public: bool | None = Field(
        None,
        description="Show reports to whoever posts a response. Default: only when the service runs on loopback.",
    )
    clock_skew_seconds: Annotated[
        int, Field(ge=0, le=300, description="How far other clocks may differ, in seconds.")
    ] = 180
    response_max_age_seconds: Annotated[
        int, Field(ge=1, le=86_400, description="How old a response may be, in seconds.")
    ] = 600
    request_max_age_seconds: Annotated[
        int,
        Field(ge=1, le=3_600, description="How long an unanswered AuthnRequest stays pending, in seconds."),
    ] = 600
    max_message_bytes: Annotated[
        int, Field(ge=1024, le=8 * 1024 * 1024, description="The largest decoded SAML message, in bytes.")
    ] = 256 * 1024
    session_idle_minutes: Annotated[
        int,
        Field(ge=1, le=1_440, description="A session ends after this long without a request, in minutes."),
    ] = 60
    session_max_hours: Annotated[
        int, Field(ge=1, le=720, description="A session ends after this long in any case, in hours.")
    ] = 12
    password_attempts: Annotated[
        int,
        Field(
            ge=1,
            le=1_000,
            description="Wrong passwords that one address may send for one username in a window; ten times as many "
            "for all usernames.",
        ),
    ] = 10
    password_window_seconds: Annotated[
        int, Field(ge=1, le=86_400, description="The length of that window, in seconds.")
    ] = 300
    attempts_kept: Annotated[
        int,
        Field(
            ge=100,
            le=1_000_000_000,
            description="How many sign-in attempts and sign-out messages the logs keep of each account, the newest: "
            "so many accepted ones and, apart from them, so many refused ones.",
        ),
    ] = 20_000
    attempts_kept_days: Annotated[
        int, Field(ge=1, le=3_650, description="How long the log keeps a sign-in attempt, in days.")
    ] = 90
    demo_url: str = Field("http://127.0.0.1:8001", description="Where the demo directory runs.")
    trusted_proxies: str = Field(
        "",
        description="Addresses and networks of proxies in front, separated by commas; only they are believed when they "
        "say in X-Forwarded-For and X-Forwarded-Proto for whom they ask. Default: none.",
    )
    body_timeout_seconds: Annotated[
        int, Field(ge=1, le=3_600, description="How long a request's body may take to arrive, in seconds.")
    ] = 30
    new_users_per_hour: Annotated[
        int,
        Field(ge=1, le=1_000_000, description="How many users sign-ins may create in one account within an hour."),
    ] = 1_000
    metrics_token: SecretStr | None = Field(
        None,
        description="The bearer token that /metrics asks for, of at least 16 characters. Without one it answers only "
        "when the service runs on loopback.",
    )
    workspaces: Literal["off", "token", "open"] | None = Field(
        None,
        description="Who may make workspaces: nobody (off), whoever has the workspace token (token), everybody (open). "
        "Default: open when the service runs on loopback, else token.",
    )
    workspace_token: SecretStr | None = Field(
        None, description="The bearer token by which a program makes and removes any workspace; at least 16 characters."
    )
    fixed_clock: bool | None = Field(
        None,
        description="Whether a workspace may judge messages by a clock that stands still. Default: only when the "
        "service runs on loopback.",
    )
    allowed_hosts: str = Field(
        "",
        description="Further names, with their ports, by which this service may be asked, separated by commas, such as "
        "`sso.example.com, 10.0.0.5:8000`. Requests that name another host than these, the base URL's and the ACS "
        "URL's get 421.",
    )
    starts_per_minute: Annotated[
        int,
        Field(ge=1, le=100_000, description="How many sign-ins one address may start here within a minute."),
    ] = 120
    connections: Annotated[
        int,
        Field(ge=16, le=1_000_000, description="How many connections one process keeps open at once."),
    ] = 4_000
    connections_per_address: Annotated[
        int,
        Field(
            ge=1,
            le=1_000_000,
            description="How many of them one address may have. Trusted proxies may have all.",
        ),
    ] = 500
    attempts_kept_megabytes: Annotated[
        int,
        Field(
            ge=1,
            le=1_000_000,
            description="How many megabytes of messages each log keeps of each account, for accepted and for refused "
            "ones apart.",
        ),
    ] = 64
    workspace_attempts_kept: Annotated[
        int,
        Field(
            ge=10,
            le=1_000_000_000,
            description="How many sign-in attempts and sign-out messages the logs keep of each workspace, accepted and "
            "refused ones apart.",
        ),
    ] = 1_000
    workspace_attempts_kept_megabytes: Annotated[
        int,
        Field(ge=1, le=1_000_000, description="How many megabytes of messages each log keeps of each workspace, too."),
    ] = 4
    unknown_attempts_kept: Annotated[
        int,
        Field(
            ge=10,
            le=1_000_000_000,
            description="How many messages each log keeps in all that name no issuer that an account trusts, or "
            "cannot be decoded.",
        ),
    ] = 5_000
    unknown_attempts_kept_megabytes: Annotated[
        int, Field(ge=1, le=1_000_000, description="How many megabytes of such messages each log keeps in all.")
    ] = 32
    unknown_message_kilobytes: Annotated[
        int,
        Field(
            ge=1,
            le=8 * 1024,
            description="The largest such message that is kept, in kilobytes; of a larger one the report is kept.",
        ),
    ] = 32
    workspaces_per_address: Annotated[
        int,
        Field(
            ge=1,
            le=200,
            description="How many workspaces one address may have where everybody may make them; without effect on "
            "loopback.",
        ),
    ] = 50
    workspaces_per_minute: Annotated[
        int,
        Field(
            ge=1,
            le=10_000,
            description="How many workspaces one address may create within a minute where everybody may create them, "
            "deleted ones included; without effect on loopback.",
        ),
    ] = 30
    # Of which workspace these settings are; "" for the service's own, which hold for the shared realm.
    _workspace: str = PrivateAttr("")

    @field_validator("base_url", "demo_url")
    @classmethod
    def _an_origin(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.field_name == "base_url":
            return value  # not chosen: see `_derive`
        value = value.rstrip("/")
        parts = urlsplit(_absolute_http_url(value))
        if parts.path or parts.query:
            raise ValueError("must be a scheme, a host and perhaps a port, without a path")
        if parts.port == 0:
            raise ValueError("must not have the port 0, which no browser can reach")
        return value

    @field_validator("host")
    @classmethod
    def _without_brackets(cls, value: str) -> str:
        return value.removeprefix("[").removesuffix("]")

    @field_validator("acs_url")
    @classmethod
    def _an_endpoint(cls, value: str) -> str:
        return _absolute_http_url(value) if value else value

    @field_validator("entity_id")
    @classmethod
    def _an_entity_id(cls, value: str) -> str:
        if len(value) > 1024 or value != value.strip() or (value and ":" not in value):
            raise ValueError("must be an absolute URI of at most 1024 characters (Core 8.3.6)")
        return value

    @field_validator("log_level", "log_format", "workspaces", mode="before")
    @classmethod
    def _in_any_case(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("metrics_token", "workspace_token")
    @classmethod
    def _hard_to_guess(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _SHORTEST_TOKEN:
            raise ValueError(f"needs at least {_SHORTEST_TOKEN} characters")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for part in _parts(value):
            try:
                ipaddress.ip_network(part)
            except ValueError:
                raise ValueError(f"{part!r} is no address and no network such as 10.0.0.0/8") from None
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _host_names(cls, value: str) -> str:
        for part in _parts(value):
            if not _HOST.fullmatch(part):
                raise ValueError(f"{part!r} is no host name or address with or without a port")
        return value

    @field_validator("database_url")
    @classmethod
    def _a_known_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        if value.removeprefix("sqlite:///") in {"", ":memory:"} and value:
            raise ValueError("must name a file behind sqlite:///")
        try:
            _ = urlsplit(value).port
        except ValueError:
            raise ValueError("is not a URL") from None
        return value.replace("postgresql://", "postgresql+psycopg://", 1)

    @model_validator(mode="after")
    def _derive(self) -> Settings:
        """Fill in what was not chosen from what was; `model_fields_set` still says which is which."""
        tls = self.tls_certificate is not None
        base_url = self.base_url or origin("https" if tls else "http", self.host, self.port)
        derived = {
            "base_url": base_url,
            "entity_id": f"{base_url}/saml2",
            "acs_url": f"{base_url}/saml2",
            "database_url": _database_in(self.data_dir),
        }
        for name, value in derived.items():
            if not getattr(self, name):
                object.__setattr__(self, name, value)  # frozen for everybody else
                self.model_fields_set.discard(name)  # an empty variable chooses nothing
        return self

    @model_validator(mode="after")
    def _with_what_they_need(self) -> Settings:
        if self.tls_key is not None and self.tls_certificate is None:
            raise _missing("tls_certificate", because="it and VIRTUAL_OFFICE_TLS_KEY need each other")
        if self.tls_certificate is not None and self.tls_key is None:
            raise _missing("tls_key", because="it and VIRTUAL_OFFICE_TLS_CERTIFICATE need each other")
        if self.workspaces == "token" and self.workspace_token is None:
            raise _missing("workspace_token", because="VIRTUAL_OFFICE_WORKSPACES=token needs it")
        return self

    def in_realm(self, name: str) -> Settings:
        """As that realm has them: a workspace has an entity ID and addresses of its own, and nothing else."""
        if name == self.realm:
            return self
        if self._workspace:
            raise ValueError("the settings of a workspace lead to no other realm")
        own = f"{self.base_url}/w/{name}/saml2"
        settings = self.model_copy(update={"entity_id": own, "acs_url": own})
        settings._workspace = name  # noqa: SLF001  (of our own copy)
        return settings

    @property
    def realm(self) -> str:
        """The name of the realm whose entity ID and addresses these settings have."""
        return self._workspace or SHARED_REALM

    @property
    def saml_root(self) -> str:
        """Where this realm's addresses begin, those of the entity ID and the assertion consumer service aside."""
        return f"{self.base_url}/w/{self._workspace}" if self._workspace else self.base_url

    @property
    def makes_workspaces(self) -> Literal["off", "token", "open"]:
        """Who may make a workspace."""
        return self.workspaces or ("open" if self.on_loopback else "token")

    @property
    def fixes_clocks(self) -> bool:
        """Whether the clock of a workspace may stand still."""
        return self.on_loopback if self.fixed_clock is None else self.fixed_clock

    @property
    def skew(self) -> timedelta:
        return timedelta(seconds=self.clock_skew_seconds)

    @property
    def response_max_age(self) -> timedelta:
        return timedelta(seconds=self.response_max_age_seconds)

    @property
    def request_max_age(self) -> timedelta:
        return timedelta(seconds=self.request_max_age_seconds)

    @property
    def limits(self) -> Limits:
        return Limits(message_bytes=self.max_message_bytes)

    @property
    def session_idle(self) -> timedelta:
        return timedelta(minutes=self.session_idle_minutes)

    @property
    def session_max(self) -> timedelta:
        return timedelta(hours=self.session_max_hours)

    @property
    def password_window(self) -> timedelta:
        return timedelta(seconds=self.password_window_seconds)

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The networks whose word about the sender counts."""
        return tuple(ipaddress.ip_network(part) for part in _parts(self.trusted_proxies))

    @property
    def secure_cookies(self) -> bool:
        return self.base_url.startswith("https:")

    @property
    def shows_details(self) -> bool:
        """Whether a report may be shown to whoever caused it (CHECKS: bind address and base URL on loopback)."""
        if self.details_public is not None:
            return self.details_public
        return self.on_loopback

    @property
    def database_variable(self) -> str:
        """The variable that decides where the database is."""
        is_derived = self.database_url == _database_in(self.data_dir)
        return f"{PREFIX}DATA_DIR" if is_derived else f"{PREFIX}DATABASE_URL"

    @property
    def on_loopback(self) -> bool:
        """Whether the service is there for this machine only: who uses it sits in front of it."""
        return is_loopback(self.host) and is_loopback(urlsplit(self.base_url).hostname or "")


def origin(scheme: str, host: str, port: int) -> str:
    """The URL under which browsers reach what listens there; localhost for what listens on every address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host or "localhost"
    else:
        literal = f"[{address}]" if address.version == 6 else str(address)
        name = "localhost" if address.is_unspecified else literal
    return f"{scheme}://{name}" if port == _DEFAULT_PORTS[scheme] else f"{scheme}://{name}:{port}"


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine only."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def load_settings(environment: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """The settings in force; `overrides` (from the command line) win over the environment. An empty one is none.

    Raises SettingsError with every fault at once.
    """
    given = {name: value for name, value in overrides.items() if value not in {None, ""}}
    faults = _misspelt(environment) + _faults_of_env_file()
    try:
        settings = Settings(**given)
    except ValidationError as error:
        faults += [_sentence(fault, given) for fault in error.errors()]
        raise SettingsError(faults) from None
    except (OSError, UnicodeDecodeError):  # from reading .env, which is among the faults
        raise SettingsError(faults) from None
    if faults:
        raise SettingsError(faults)
    return settings


def _misspelt(names: Iterable[str], where: str = "") -> list[str]:
    """Variables that are nearly a setting's name: a typing error would otherwise be ignored in silence."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in names if name.upper().startswith(PREFIX) and name.upper() not in known)
    close = ((name, difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.85)) for name in unknown)
    return [f"{name}{where} is not a setting; did you mean {matches[0]}?" for name, matches in close if matches]


def _faults_of_env_file() -> list[str]:
    """What is wrong with the names and lines of `.env`; pydantic leaves both out without a word."""
    file = Path(_ENV_FILE)
    if not file.is_file():
        return []
    try:
        with file.open(encoding=_ENV_ENCODING) as opened:
            lines = list(parse_stream(opened))
    except (OSError, UnicodeDecodeError):
        return [f"The file {_ENV_FILE} cannot be read as UTF-8."]
    unreadable = [line.original for line in lines if line.value is None and PREFIX in line.original.string.upper()]
    return [
        *(f"Line {_first_line(original)} of {_ENV_FILE} is not NAME=value." for original in unreadable),
        *_misspelt((line.key for line in lines if line.key is not None), f" (in {_ENV_FILE})"),
    ]


def _first_line(original: Original) -> int:
    """The number of the line: the parser counts the empty ones before it in."""
    text = original.string
    return original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _missing(name: str, *, because: str) -> PydanticCustomError:
    """An error of the whole that names the setting to be set."""
    return PydanticCustomError(_MISSING, f"is missing: {because}", {"setting": name})


def _sentence(fault: ErrorDetails, given: Mapping[str, Any]) -> str:
    """One sentence that begins with the variable at fault; an option that set it is named behind."""
    is_missing = fault["type"] == _MISSING
    setting = str(fault["ctx"]["setting"] if is_missing else fault["loc"][0])
    option = f" by --{setting.replace('_', '-')}" if setting in given else ""
    reason = fault["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    received = str(fault.get("input"))
    secret = is_missing or "password" in setting or "token" in setting or "@" in received
    shown = "" if secret else f" (received {received[:200]!r}{option})"
    return f"{PREFIX}{setting.upper()}: {reason}{shown}."


def _database_in(data_dir: Path) -> str:
    return f"sqlite:///{data_dir / 'virtual-office.db'}"


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _absolute_http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an absolute http or https URL")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("must not carry a user name, a password or a fragment")
    return value
