"""Files of this service that other users of the machine can read, and folders that they can write."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from sp.flows.installation import database_file
from sp.flows.local_authority import default_files
from sp.flows.opening import password_file
from sp.settings import Settings

_GROUP_OR_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH
_OTHERS_READ = stat.S_IROTH  # for a TLS key: Debian's group ssl-cert may read those
_log = structlog.get_logger("sp.files")


@dataclass(frozen=True, slots=True)
class ExposedPath:
    """A file that others can read, or a folder in which they can replace files."""

    path: Path
    mode: int
    is_folder: bool

    @property
    def sentence(self) -> str:
        if self.is_folder:
            return f"Other users of this machine can replace files in {self.path}: run `chmod 700 {self.path}`."
        return f"Other users of this machine can read {self.path}: run `chmod 600 {self.path}`."


def warn_of_exposed_files(settings: Settings) -> None:
    """Write one log line for each. Windows' modes say nothing about who may read a file."""
    if os.name != "posix":
        return
    for exposed in exposed_paths(settings):
        _log.warning(
            "exposed_to_other_users", path=str(exposed.path), mode=f"{exposed.mode:04o}", advice=exposed.sentence
        )


def exposed_paths(settings: Settings) -> list[ExposedPath]:
    """The exposed ones among the database, the data folder, the password file and the private keys."""
    database = database_file(settings)
    folders = dict.fromkeys([settings.data_dir, *([database.parent] if database else [])])
    return [
        *(ExposedPath(path, mode, True) for path in folders if (mode := _mode(path)) & stat.S_IWOTH),
        *(ExposedPath(path, mode, False) for path, read in _secrets(settings) if (mode := _mode(path)) & read),
    ]


def _secrets(settings: Settings) -> Iterator[tuple[Path, int]]:
    """Every file that holds a secret, with the permission bits that it must not have."""
    database = database_file(settings)
    if database is not None:
        yield database, _GROUP_OR_OTHERS_READ
        if not _mode(database) & _GROUP_OR_OTHERS_READ:  # else these have it from the database
            for suffix in ("-wal", "-shm"):
                yield database.with_name(database.name + suffix), _GROUP_OR_OTHERS_READ
    yield password_file(settings), _GROUP_OR_OTHERS_READ
    for key in sorted(settings.data_dir.glob("*-key.pem")):  # the demo directory's
        yield key, _GROUP_OR_OTHERS_READ
    for key in dict.fromkeys(path for path in (settings.tls_key, default_files(settings.data_dir).key) if path):
        yield key, _OTHERS_READ


def _mode(path: Path) -> int:
    """The permission bits; 0 where there is no such file, or it cannot be looked at."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0
