"""The addresses with which the demo directory was last started in a data folder, for the command `response`."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

_FILE = "demo-directory.json"


@dataclass(frozen=True)
class Addresses:
    """Where the demo directory is, and the values of the service that it signs people in to."""

    base_url: str
    acs_url: str
    entity_id: str
    service_url: str


def keep_addresses(folder: Path, addresses: Addresses) -> None:
    """Write the file, readable by its owner only. Raises OSError."""
    made = folder / f".{_FILE}-{os.getpid()}"
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as opened:
        json.dump(asdict(addresses), opened, indent=2)
    made.replace(folder / _FILE)


def kept_addresses(folder: Path) -> Addresses | None:
    """What the file says; None where there is none, as in a folder of an earlier version, or it cannot be read."""
    try:
        return Addresses(**json.loads((folder / _FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
