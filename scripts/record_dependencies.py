"""Writes requirements/dependencies.json: what each locked package says that it needs. Run by `make lock`.

Reads the metadata of the packages installed here, and of the wheels of those that are for other platforms. Stops where
a package of requirements/run.txt has no wheel for a supported Python and platform, which the program uv finds out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.metadata import RawMetadata, parse_email

from scripts import locks
from scripts.locks import FOLDER, RECORD, TARGETS, Lock, Package, Pin, Target


def recorded(pins: Lock) -> dict[str, Package]:
    """What the packages of these pins say of themselves; without those that no supported platform installs."""
    used = {name: pin for name, pin in sorted(pins.items()) if _is_installed_anywhere(pin)}
    return {name: _package(_metadata(name, pin.version)) for name, pin in used.items()}


def _is_installed_anywhere(pin: Pin) -> bool:
    environments = (environment for target in TARGETS for environment in target.environments())
    return pin.marker is None or any(pin.marker.evaluate(environment) for environment in environments)


def _metadata(name: str, version: str) -> RawMetadata:
    try:
        installed = distribution(name)
        if installed.version == version:
            return parse_email(installed.read_text("METADATA") or "")[0]
    except PackageNotFoundError:
        pass
    return _metadata_of_wheel(name, version)


def _metadata_of_wheel(name: str, version: str) -> RawMetadata:
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
        command = [*pip, "--no-deps", "--only-binary", ":all:", "--dest", folder, f"{name}=={version}"]
        subprocess.run(command, check=True)
        [file] = Path(folder).iterdir()
        with zipfile.ZipFile(file) as wheel:
            [inside] = (entry for entry in wheel.namelist() if entry.endswith(".dist-info/METADATA"))
            return parse_email(wheel.read(inside))[0]


def _package(metadata: RawMetadata) -> Package:
    return Package(
        version=metadata["version"],
        requires_python=metadata.get("requires_python", ""),
        extras=sorted(metadata.get("provides_extra", [])),
        requires=sorted(metadata.get("requires_dist", [])),
    )


def require_wheels(target: Target) -> None:
    """End with a sentence where requirements/run.txt cannot be installed from wheels there."""
    print(f"Looking for the wheels for {target} …", file=sys.stderr)
    uv = ["uv", "pip", "install", "--quiet", "--dry-run", "--no-deps", "--only-binary", ":all:"]
    with tempfile.TemporaryDirectory() as folder:
        where = ["--python-platform", target.platform.uv_name, "--python-version", target.python, "--target", folder]
        done = subprocess.run([*uv, *where, "-r", str(FOLDER / "run.txt")], check=False)
    if done.returncode:
        raise SystemExit(f"requirements/run.txt cannot be installed from wheels for {target}.")


def main() -> None:
    """Look for the wheels, then write the record."""
    for target in TARGETS:
        require_wheels(target)
    pins: Lock = {}
    for file in sorted(FOLDER.glob("*.txt")):
        pins |= locks.read_lock(file.read_text(encoding="utf-8"))
    written = {"about": "Written by `make lock`, read by `make check`.", "packages": recorded(pins)}
    RECORD.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
