"""Makes `.venv` and installs the locked dependencies. Run by `make`; runs on any Python 3, to be able to say so.

Usage: python3 scripts/bootstrap.py run|dev     (on Windows: py scripts/bootstrap.py run)
"""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

NEEDED = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
WINDOWS = sys.platform == "win32"
BIN = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = BIN / ("python.exe" if WINDOWS else "python")


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
    if PYTHON.exists():
        current = subprocess.run(
            [str(PYTHON), "-c", "import sys; print(sys.version_info >= (3, 11))"],
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
    """Install what the lock pins and nothing else, then ask pip whether anything is missing.

    --no-deps: a pip older than 24.1 takes the newest release for a requirement with extras, whatever the lock pins.
    """
    lock = ROOT / "requirements" / f"{kind}.txt"
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]
    sys.stderr.write(f"Installing the dependencies of `{kind}` (the first time this takes some minutes) …\n")
    commands = (
        [*pip, "install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(lock)],
        [*pip, "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)],
    )
    for command in commands:
        code, output = run(command)
        if code:
            stop(reason(output))
    if run([*pip, "check"])[0]:
        stop("The installed packages do not fit together; the lines above say which. Run `make clean`, then try again.")


def run(command: list) -> tuple:  # type: ignore[type-arg]  # any Python 3 reads this
    """Run it, showing what it prints as it comes; its exit code and what it printed."""
    lines = []
    with subprocess.Popen(
        command,
        env=dict(os.environ, PYTHONWARNINGS="ignore"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if line.strip() != "No broken requirements found.":
                sys.stderr.write(line)
    return process.returncode, "".join(lines)


def reason(output: str) -> str:
    """One sentence for what pip printed when it failed."""
    missing = re.search(r"No matching distribution found for ([\w.-]+)==([\w.]+)", output)
    if missing and "Retrying" not in output:  # after "Retrying" pip says the same of an index that it cannot reach
        return (
            f"pip finds no wheel of {missing.group(1)} {missing.group(2)} for {this_platform()}: "
            "README.md says for which platforms there are wheels."
        )
    return "The dependencies could not be installed; the lines above say why. Is a package index reachable?"


def this_platform() -> str:
    """Python, system and processor, as they decide which wheels can be installed."""
    library = "" if platform.system() != "Linux" else " with " + (" ".join(platform.libc_ver()).strip() or "musl")
    return f"Python {sys.version_info[0]}.{sys.version_info[1]} on {platform.system()} {platform.machine()}{library}"


def compile_ahead() -> None:
    """As pip does for what it copies, so that every start is as fast as the second. Where it fails, they are slower."""
    subprocess.run([str(PYTHON), "-m", "compileall", "-q", str(ROOT / "sp")], check=False)


def main() -> None:
    kind = sys.argv[1]
    require_python()
    make_venv()
    install(kind)
    compile_ahead()
    for stamp in {"run": ["run"], "dev": ["run", "dev"]}[kind]:
        (VENV / f".installed-{stamp}").touch()
    if "MAKELEVEL" not in os.environ:  # make starts what was asked for
        program = (BIN / "virtual-office").relative_to(ROOT)
        sys.stderr.write(f"Installed. Start it, with a demo directory beside it: {program} demo\n")


if __name__ == "__main__":
    main()
