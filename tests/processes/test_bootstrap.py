"""`scripts/bootstrap.py` on machines where it cannot work: one sentence, and a non-zero exit."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pip
from processes.program import ROOT

SCRIPT = ROOT / "scripts" / "bootstrap.py"
AN_OLD_PYTHON = """
import collections, sys
Version = collections.namedtuple("Version", "major minor micro releaselevel serial")
sys.version_info = Version(3, 9, 2, "final", 0)
"""
NO_ENSUREPIP = """
import sys
sys.modules["ensurepip"] = None
"""
PROJECT = """
[project]
name = "virtual-office-sp"
version = "1"
dependencies = ["lxml"]
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """
import zipfile

def build_editable(folder, settings=None, metadata=None):
    name = "virtual_office_sp-1-py3-none-any.whl"
    about = "virtual_office_sp-1.dist-info/"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        metadata = ("Metadata-Version: 2.1", "Name: virtual-office-sp", "Version: 1", "Requires-Dist: lxml", "")
        wheel.writestr(about + "METADATA", "\\n".join(metadata))
        wheel.writestr(about + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(about + "RECORD", "")
    return name
"""


def bootstrap(folder: Path, changed: str) -> subprocess.CompletedProcess[str]:
    """Run it in a Python that `changed` has made look like another one, as its sitecustomize."""
    (folder / "sitecustomize.py").write_text(changed)
    environment = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, str(SCRIPT), "run"]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def test_an_old_python_is_told_which_one_is_needed(tmp_path: Path) -> None:
    done = bootstrap(tmp_path, AN_OLD_PYTHON)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"Python 3.11 or newer is needed, and {sys.executable} is 3.9.2: ")


def test_a_python_without_venv_is_told_the_package(tmp_path: Path) -> None:
    """Debian's bare python3 has venv but not ensurepip."""
    done = bootstrap(tmp_path, NO_ENSUREPIP)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "install the package python3-venv" in done.stderr


def test_the_script_is_read_by_any_python_3() -> None:
    """An old one has to get as far as the sentence: what it cannot parse would be a traceback instead."""
    check = "import ast, sys; ast.parse(open(sys.argv[1]).read(), feature_version=(3, 6))"
    done = subprocess.run([sys.executable, "-c", check, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_a_missing_wheel_is_reported_with_the_package_and_the_platform(tmp_path: Path) -> None:
    """A real pip, and a package index (an empty folder) that has nothing for this platform."""
    done = install_into_a_new_folder(tmp_path, lock="lxml==6.1.3 --hash=sha256:" + 64 * "0")
    *_, sentence = done.stderr.splitlines()
    here = f"Python {sys.version_info[0]}.{sys.version_info[1]} on {platform.system()} {platform.machine()}"
    assert done.returncode == 1
    assert sentence.startswith(f"pip finds no wheel of lxml 6.1.3 for {here}")
    assert "Traceback" not in done.stderr


def test_packages_that_do_not_fit_together_stop_the_installation(tmp_path: Path) -> None:
    """The lock lacks what the project itself needs."""
    done = install_into_a_new_folder(tmp_path, lock="")
    *lines, sentence = done.stderr.splitlines()
    assert done.returncode == 1
    assert "virtual-office-sp 1 requires lxml, which is not installed." in lines
    assert sentence.startswith("The installed packages do not fit together")


def install_into_a_new_folder(folder: Path, lock: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of the script, with this lock, an empty package index, and the packages that build this project."""
    for name in ("scripts", "requirements", "index"):
        (folder / name).mkdir()
    shutil.copy(SCRIPT, folder / "scripts")
    (folder / "requirements" / "run.txt").write_text(lock)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "backend.py").write_text(BACKEND)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / ".venv")], check=True)
    own = Path(pip.__file__).parent  # making a virtual environment with pip takes seconds
    packages = next((folder / ".venv").glob("lib/*/site-packages"))
    for part in (own, *own.parent.glob("pip-*.dist-info")):
        (packages / part.name).symlink_to(part)
    environment = {"PATH": "/usr/bin:/bin", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1"}
    environment["PIP_FIND_LINKS"] = str(folder / "index")
    command = [sys.executable, str(folder / "scripts" / "bootstrap.py"), "run"]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
