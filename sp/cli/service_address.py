"""The address of an installation: kept from one start to the next, and held by the services that run on it.

Identity providers know a service by its entity ID and its assertion consumer service. So a start says when they have
changed since the last one, and two services with different ones never run on the same data folder: the second would
connect the accounts of the first to its own address.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog
from sqlalchemy import make_url

from sp.cli.atomic_file import write_atomically
from sp.cli.listening_file import read_listening
from sp.settings import Settings

try:
    import fcntl
except ImportError:  # Windows: a second service is not noticed there
    fcntl = None  # type: ignore[assignment]

_log = structlog.get_logger("sp.service_address")


class InUseError(Exception):
    """Another service runs on the folder, with another address. `base_url` is its own, where it is known."""

    def __init__(self, folder: Path, base_url: str) -> None:
        super().__init__(f"{folder} {base_url}")
        self.folder = folder
        self.base_url = base_url


@dataclass(frozen=True)
class ServiceAddress:
    """What identity providers know of a service."""

    base_url: str
    entity_id: str
    acs_url: str

    @classmethod
    def of(cls, settings: Settings) -> ServiceAddress:
        return cls(settings.base_url, settings.entity_id, settings.acs_url)

    @property
    def sign_out_url(self) -> str:
        return f"{self.base_url}/saml2/slo"

    @property
    def metadata_url(self) -> str:
        return f"{self.base_url}/saml2/metadata"

    def changes_since(self, former: ServiceAddress | None) -> dict[str, str]:
        """What identity providers have to be told; empty where they know it already, or know nothing yet."""
        if former is None or former == self:
            return {}
        return {
            "acs_url": self.acs_url,
            "entity_id": self.entity_id,
            "sign_out_url": self.sign_out_url,
            "metadata_url": self.metadata_url,
            "former_acs_url": former.acs_url,
            "former_entity_id": former.entity_id,
        }


@dataclass(frozen=True)
class _Place:
    """Where the services on one folder, or one SQLite file outside of it, meet."""

    folder: Path
    prefix: str

    @property
    def lock(self) -> Path:
        return self.folder / f"{self.prefix}.lock"

    @property
    def address(self) -> Path:
        return self.folder / f"{self.prefix}-address.json"


def last_address(settings: Settings) -> ServiceAddress | None:
    """The address of the service that runs on the data folder, or ran there last; None where it is not known."""
    return _read(_data_folder(settings))


def known_base_url(settings: Settings) -> str:
    """The base URL that a command must take for the installation's; "" where the settings say it themselves."""
    chosen = settings.model_fields_set
    if "base_url" in chosen:
        return ""
    running = read_listening(settings)
    if running is not None and _is_held(_data_folder(settings)):  # its port may have been given on its command line
        return running.url
    says_where = "host" in chosen or "tls_certificate" in chosen or ("port" in chosen and settings.port != 0)
    last = None if says_where else last_address(settings)
    return last.base_url if last else ""


@contextmanager
def holding_installation(settings: Settings) -> Iterator[ServiceAddress | None]:
    """Hold the data folder, and a SQLite file outside of it, for this address; yields the address it had before.

    Any number of services may hold it at once, all with the same address. Raises InUseError. The lock is the system's
    (flock): workers inherit it, and it ends with the last process that has it, however that ends.
    """
    address = ServiceAddress.of(settings)
    held: list[int] = []
    former = last_address(settings)
    try:
        for place in _places(settings):
            try:
                held.append(_hold(place, address))
            except OSError as error:  # a read-only folder, beside a PostgreSQL
                _log.warning("address_not_kept", folder=str(place.folder), reason=error.strerror)
        if changes := address.changes_since(former):
            _log.warning("address_changed", **changes)  # now: the next start does not know it, should this one fail
        yield former
    finally:
        for descriptor in held:
            os.close(descriptor)


def _data_folder(settings: Settings) -> _Place:
    return _Place(settings.data_dir, "service")


def _places(settings: Settings) -> list[_Place]:
    places = [_data_folder(settings)]
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        file = Path(url.database)
        if file.parent.resolve() != settings.data_dir.resolve():
            places.append(_Place(file.parent, f"{file.name}-service"))
    return places


def _hold(place: _Place, address: ServiceAddress) -> int:
    """Share the lock with services of the same address; the file descriptor that holds it."""
    place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(place.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _share(descriptor, place, address)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _share(descriptor: int, place: _Place, address: ServiceAddress) -> None:
    # 1. Alone on the folder: the address is ours to write.
    if _is_alone(descriptor):
        write_atomically(place.address, json.dumps(asdict(address), indent=2) + "\n")
    # 2. A shared lock, for as long as we run.
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    # 3. Read the address now and not before: exchanging an exclusive lock for a shared one lets go of it for a moment,
    #    in which another service may have written its own.
    found = _read(place)
    if found != address:
        raise InUseError(place.folder, found.base_url if found else "")


def _is_held(place: _Place) -> bool:
    """Whether a service runs on the folder; a service that was killed leaves its files there, but not the lock."""
    if fcntl is None:
        return True
    try:
        descriptor = os.open(place.lock, os.O_RDONLY)
    except OSError as error:
        return not isinstance(error, FileNotFoundError)  # of another user: it cannot be known
    try:
        return not _is_alone(descriptor)
    finally:
        os.close(descriptor)


def _is_alone(descriptor: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(place: _Place) -> ServiceAddress | None:
    try:
        return ServiceAddress(**json.loads(place.address.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
