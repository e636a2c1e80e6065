"""Runs the Dockerfile's steps without a container engine: each in a clean Debian tree of its own.

Usage: sudo python3 scripts/prove_image.py [PORT]     (needs root, Linux, debootstrap; shares this machine's network)

FROM is a minimal Debian of the same release, made by debootstrap; COPY takes the committed files that .dockerignore
lets through; RUN runs in the tree. Then the image is started as a container would be: as its user, on a root file
system that cannot be written, with /data and /tmp writable. It has to become healthy by the HEALTHCHECK, to answer
/readyz, and to end well on the STOPSIGNAL. Package sources, proxies and certificates are this machine's; nothing that
is installed here is used.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASE = "bookworm"  # Debian 12
SURROUNDINGS = (
    "/etc/apt/sources.list",
    "/etc/apt/sources.list.d",
    "/etc/apt/apt.conf.d",
    "/etc/apt/auth.conf.d",
    "/etc/pip.conf",
    "/etc/resolv.conf",
    "/etc/hosts",
)
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
CERTIFICATES_INSIDE = "/var/lib/certificates-of-this-machine.crt"  # where no package writes its own over them
CHROOT = shutil.which("chroot", path="/usr/sbin:/usr/bin:/sbin:/bin") or "chroot"  # the stage's PATH may lack it
PLAIN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
READY_SECONDS = 60
STOP_SECONDS = 15


@dataclass
class Stage:
    """One FROM with what its instructions have set so far."""

    tree: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PLAIN_PATH})
    folder: str = "/"
    user: str = "0:0"
    settings: dict[str, str] = field(default_factory=dict)

    def run(self, command: list[str], **more: str) -> None:
        """Run a command in the tree to its end. Raises CalledProcessError."""
        subprocess.run(self.command(command), env={**self.environment, **more}, check=True)

    def command(self, command: list[str], tree: Path | None = None) -> list[str]:
        inside = f'cd {shlex.quote(self.folder)} && exec "$@"'
        return [CHROOT, f"--userspec={self.user}", str(tree or self.tree), "/bin/sh", "-c", inside, "sh", *command]


def instructions(text: str) -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, comments and continued lines taken care of."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n", " ", "\n".join(lines))
    found = (line.strip().partition(" ") for line in whole.splitlines() if line.strip())
    return [(name.upper(), arguments.strip()) for name, _, arguments in found]


def build(context: Path, trees: Path) -> Stage:
    """The last stage, built."""
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for name, arguments in instructions((context / "Dockerfile").read_text(encoding="utf-8")):
        print(f"{name} {arguments}", flush=True)
        if name == "FROM":
            image, _, alias = arguments.partition(" AS ")
            if not image.startswith("debian:12"):
                raise SystemExit(f"This script knows Debian 12 only, not {image}.")
            stage = Stage(fresh_tree(trees / f"stage-{len(stages)}"))
            stages[alias.strip() or str(len(stages))] = stage
        elif stage is not None:
            follow(stage, name, arguments, context, stages)
    if stage is None:
        raise SystemExit("The Dockerfile has no FROM.")
    return stage


def follow(stage: Stage, name: str, arguments: str, context: Path, stages: dict[str, Stage]) -> None:
    if name == "RUN":
        with devices(stage.tree):
            stage.run(["/bin/sh", "-c", arguments], DEBIAN_FRONTEND="noninteractive", **surroundings())
    elif name == "COPY":
        copy(stage, arguments, context, stages)
    elif name == "ENV":
        stage.environment |= dict(pair.split("=", 1) for pair in shlex.split(arguments))
    elif name == "WORKDIR":
        stage.folder = arguments
        (stage.tree / arguments.lstrip("/")).mkdir(parents=True, exist_ok=True)
    elif name == "USER":
        stage.user = arguments
    else:
        stage.settings[name] = arguments


def copy(stage: Stage, arguments: str, context: Path, stages: dict[str, Stage]) -> None:
    """COPY SOURCE... TARGET, also --from another stage."""
    words = shlex.split(arguments)
    origin = context
    if words[0].startswith("--from="):
        origin = stages[words.pop(0).removeprefix("--from=")].tree
    *sources, target = words
    place = stage.tree / str(Path(stage.folder) / target).lstrip("/")
    for source in sources:
        found = origin / source.lstrip("/")
        inside = place / found.name if target.endswith("/") or target == "." else place
        inside.parent.mkdir(parents=True, exist_ok=True)
        if found.is_dir():
            shutil.copytree(found, inside, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(found, inside)


def fresh_tree(tree: Path) -> Path:
    """A minimal Debian, as small as the image `debian:12-slim`; made once for all stages."""
    seed = tree.parent / "seed"
    if not seed.exists():
        mirror = os.environ.get("DEBIAN_MIRROR") or this_mirror()
        subprocess.run(["debootstrap", "--variant=minbase", RELEASE, str(seed), mirror], check=True, stdout=sys.stderr)
        for place in SURROUNDINGS:
            bring_along(Path(place), seed)
        if Path(CERTIFICATES).exists():
            shutil.copyfile(CERTIFICATES, seed / CERTIFICATES_INSIDE.lstrip("/"))
    subprocess.run(["cp", "-a", str(seed), str(tree)], check=True)
    return tree


def bring_along(place: Path, tree: Path) -> None:
    """This machine's way to packages: there may be a mirror or a proxy between it and the network."""
    inside = tree / str(place).lstrip("/")
    inside.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        shutil.copytree(place, inside, dirs_exist_ok=True)
    elif place.exists():
        shutil.copyfile(place, inside)


def this_mirror() -> str:
    """Where this machine has the release's packages from: one line, or one block of lines, that names the release."""
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    text = "\n\n".join(file.read_text(encoding="utf-8") for file in files if file.is_file())
    lines = re.findall(rf"^deb (?:\[[^]]*\] )?(\S+) {RELEASE} ", text, re.MULTILINE)
    blocks = [block for block in text.split("\n\n") if re.search(rf"^Suites:.*\b{RELEASE}\b", block, re.MULTILINE)]
    uris = [found[1] for block in blocks if (found := re.search(r"^URIs:\s*(\S+)", block, re.MULTILINE))]
    return next(iter([*lines, *uris]), "http://deb.debian.org/debian")


def surroundings() -> dict[str, str]:
    """How pip and apt reach the network from here."""
    certificates = {"PIP_CERT": CERTIFICATES_INSIDE} if Path(CERTIFICATES).exists() else {}
    names = ("http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
    return {"HOME": "/root"} | certificates | {name: os.environ[name] for name in names if name in os.environ}


@contextmanager
def devices(tree: Path) -> Iterator[None]:
    """/proc and /dev in the tree while the block runs."""
    pairs = (("proc", ["-t", "proc", "proc"]), ("dev", ["--rbind", "/dev"]))
    for name, options in pairs:
        subprocess.run(["mount", *options, str(tree / name)], check=True)
    subprocess.run(["mount", "--make-rslave", str(tree / "dev")], check=True)
    try:
        yield
    finally:
        for name, _ in pairs:
            subprocess.run(["umount", "-R", "-l", str(tree / name)], check=False)


@contextmanager
def container(stage: Stage, folder: Path) -> Iterator[Path]:
    """The tree as a container sees it: nothing can be written but /data, a volume, and /tmp."""
    root = folder / "root"
    root.mkdir()
    mounts = [
        ["--bind", str(stage.tree), str(root)],
        ["-o", "remount,bind,ro", str(root)],
        ["-t", "tmpfs", "tmpfs", str(root / "tmp")],
        ["-t", "tmpfs", "-o", "mode=700,uid=10001,gid=10001", "tmpfs", str(root / "data")],
    ]
    try:
        for options in mounts:
            subprocess.run(["mount", *options], check=True)
        with devices(root):
            yield root
    finally:
        subprocess.run(["umount", "-R", "-l", str(root)], check=False)


def prove_running(stage: Stage, root: Path, port: int) -> None:
    """Start it, wait until it is healthy, ask it, stop it. Raises SystemExit with what went wrong."""
    own = {"VIRTUAL_OFFICE_PORT": str(port), "VIRTUAL_OFFICE_BASE_URL": f"http://localhost:{port}"}
    environment = {**stage.environment, **own}
    command = json.loads(stage.settings["ENTRYPOINT"]) + json.loads(stage.settings["CMD"])
    process = subprocess.Popen(stage.command(command, root), env=environment)
    try:
        check = json.loads(stage.settings["HEALTHCHECK"].partition("CMD ")[2])
        wait_until_healthy(process, stage.command(check, root), environment)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            print("readyz:", answer.status, answer.read().decode())
        written = subprocess.run(stage.command(["/bin/sh", "-c", "touch /written"], root), check=False, stderr=-3)
        print("root file system:", "read-only" if written.returncode else "WRITABLE")
        process.send_signal(getattr(signal, stage.settings["STOPSIGNAL"]))
        code = process.wait(STOP_SECONDS)
        print("exit code:", code)
        if code or not written.returncode:
            raise SystemExit("It did not end well, or could write where it must not.")
    finally:
        with suppress(ProcessLookupError):
            process.kill()


def wait_until_healthy(process: subprocess.Popen[bytes], check: list[str], environment: dict[str, str]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if subprocess.run(check, env=environment, check=False, stderr=subprocess.DEVNULL).returncode == 0:
            return
        time.sleep(0.5)
    raise SystemExit("It did not become healthy.")


def committed_files(target: Path) -> Path:
    """What `docker build .` would be given of a clean checkout."""
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if name == "Dockerfile" or is_sent(name, rules):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def is_sent(name: str, rules: list[str]) -> bool:
    """The last rule that fits decides, as in Docker."""
    sent = True
    for rule in (line.strip() for line in rules):
        pattern = rule.lstrip("!").replace("**/", "*")
        if rule and not rule.startswith("#") and (fnmatch.fnmatch(name, pattern) or name.startswith(pattern + "/")):
            sent = rule.startswith("!")
    return sent


def main(arguments: list[str]) -> int:
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        sys.stderr.write("This needs root and the program debootstrap (Debian: apt-get install debootstrap).\n")
        return 1
    port = int(arguments[0]) if arguments else 8000
    folder = Path(tempfile.mkdtemp(prefix="virtual-office-image-", dir="/var/tmp"))
    try:
        context = folder / "context"
        context.mkdir()
        stage = build(committed_files(context), folder)
        with container(stage, folder) as root:
            prove_running(stage, root, port)
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=False)
    print("The Dockerfile's steps work.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
