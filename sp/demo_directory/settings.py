"""Owns the demo directory's settings: its own address, its data folder and the service it signs people in to.

Never reads the environment: whoever starts the demo directory passes them in.
"""

from dataclasses import dataclass
from pathlib import Path

from sp.demo_directory.reply_url import Service, loopback_problem


class SettingsError(Exception):
    """The demo directory cannot start with these settings; the text is one sentence per fault."""


@dataclass(frozen=True)
class Settings:
    """What the demo directory is started with.

    `base_url` has no trailing slash. `service` is the local service provider that stands in for the real 8x8
    addresses, `service_url` its front page.
    """

    base_url: str
    data_dir: Path
    service: Service
    service_url: str

    @property
    def sign_out_url(self) -> str:
        """Where the service takes logout messages by HTTP-Redirect."""
        return f"{self.service_url}/saml2/slo"

    @property
    def database_file(self) -> Path:
        return self.data_dir / "demo-directory.db"

    @property
    def key_file(self) -> Path:
        return self.data_dir / "demo-directory-key.pem"

    @property
    def certificate_file(self) -> Path:
        return self.data_dir / "demo-directory-certificate.pem"


def check_settings(settings: Settings) -> None:
    """Raise SettingsError, all faults at once, unless every address is on this computer."""
    addresses = [
        ("The demo directory's own address", settings.base_url),
        ("The service's ACS URL", settings.service.acs_url),
    ]
    if loopback_problem(settings.service.acs_url) is None:  # else its front page, by default of the same origin, is too
        addresses.append(("The service's own address", settings.service_url))
    found = ((name, loopback_problem(url)) for name, url in addresses)
    problems = [f"{name}: {problem}" for name, problem in found if problem]
    if problems:
        raise SettingsError("\n".join(problems))
