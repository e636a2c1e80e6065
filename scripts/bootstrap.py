"""Makes `.venv` and installs the locked dependencies. Run by `make`; runs on any Python 3, to be able to say so.

Usage: python3 scripts/bootstrap.py run|dev
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

NEEDED = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"


def stop(sentence: str) -> NoReturn:
    sys.stderr.write(sentence + "\n")
    sys.exit(1)


def require_python() -> None:
    found = "{}.{}.{}".format(*sys.version_info[:3])
    if sys.version_info < NEEDED:
        stop(
            f"Python {NEEDED[0]}.{NEEDED[1]} or newer is needed, and {sys.executable} is {found}: "
            "install a newer one, or name it with `make PYTHON=/path/to/python3.11 …`."
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        stop(
            f"This Python ({sys.executable}, {found}) cannot make virtual environments: "
            "on Debian and Ubuntu install the package python3-venv, then run the same command again."
        )


def make_venv() -> None:
    if (BIN / "python").exists():
        current = subprocess.run(
            [str(BIN / "python"), "-c", "import sys; print(sys.version_info >= (3, 11))"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if current.stdout.strip() == b"True":
            return
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    except (subprocess.CalledProcessError, OSError):
        stop(f"The virtual environment {VENV} could not be made. Is the folder writable, and the disk not full?")


def install(kind: str) -> None:
    lock = ROOT / "requirements" / f"{kind}.txt"
    pip = [str(BIN / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    sys.stderr.write(f"Installing the dependencies of `{kind}` (the first time this takes about a minute) …\n")
    commands = (
        [*pip, "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(lock)],
        [*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)],
    )
    for command in commands:
        if subprocess.run(command, check=False, env=dict(os.environ, PYTHONWARNINGS="ignore")).returncode:
            stop("The dependencies could not be installed; the lines above say why. Is a package index reachable?")


def compile_ahead() -> None:
    """As pip does for what it copies, so that every start is as fast as the second. Where it fails, they are slower."""
    subprocess.run([str(BIN / "python"), "-m", "compileall", "-q", str(ROOT / "sp")], check=False)


def main() -> None:
    kind = sys.argv[1]
    require_python()
    make_venv()
    install(kind)
    compile_ahead()
    for stamp in {"run": ["run"], "dev": ["run", "dev"]}[kind]:
        (VENV / f".installed-{stamp}").touch()


if __name__ == "__main__":
    main()
