"""`scripts/bootstrap.py` on machines where it cannot work: one sentence, and a non-zero exit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
