"""Files that other users of the machine can read are named at the start (POSIX)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sp.cli.file_permissions import exposed_paths
from sp.flows.opening import open_database
from sp.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    chosen = Settings(data_dir=data, tls_certificate=tmp_path / "chain.pem", tls_key=tmp_path / "key.pem")
    open_database(chosen).close()
    (data / "tls").mkdir()
    for file in (tmp_path / "key.pem", data / "demo-directory-key.pem", data / "tls" / "server-key.pem"):
        file.touch(mode=0o600)
    return chosen


def test_a_new_installation_exposes_nothing(settings: Settings) -> None:
    assert exposed_paths(settings) == []


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("data/virtual-office.db", 0o644),
        ("data/virtual-office.db", 0o640),
        ("data/administrator-password.txt", 0o604),
        ("data/demo-directory-key.pem", 0o644),
        ("data/tls/server-key.pem", 0o644),
        ("key.pem", 0o644),
        ("data", 0o777),
    ],
)
def test_what_others_can_read_or_replace_is_named(settings: Settings, tmp_path: Path, path: str, mode: int) -> None:
    (tmp_path / path).chmod(mode)
    [found] = exposed_paths(settings)
    assert (found.path, found.mode) == (tmp_path / path, mode)
    assert str(tmp_path / path) in found.sentence
    assert f"chmod {'700' if path == 'data' else '600'} " in found.sentence


@pytest.mark.parametrize(("path", "mode"), [("key.pem", 0o640), ("data", 0o755)])
def test_what_exposes_no_secret_is_left_alone(settings: Settings, tmp_path: Path, path: str, mode: int) -> None:
    """A TLS key of Debian's group ssl-cert; a folder whose names others can list."""
    (tmp_path / path).chmod(mode)
    assert exposed_paths(settings) == []


def test_the_folder_of_a_database_elsewhere_counts_too(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere").chmod(0o777)
    settings = Settings(data_dir=tmp_path / "data", database_url=f"sqlite:///{tmp_path}/elsewhere/other.db")
    open_database(settings).close()
    assert [found.path for found in exposed_paths(settings)] == [tmp_path / "elsewhere"]
