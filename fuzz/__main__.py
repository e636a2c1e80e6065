"""Runs the fuzzer over one target for a bounded time.

    python -m fuzz message|certificate|capture [SECONDS] [FOLDER]

What was found stays in FOLDER (default: a temporary one): new inputs in `corpus`, a crash as `crash-…`, which
`python -m fuzz TARGET FILE` runs again.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["sp.saml"]):
    from fuzz import corpus, targets


def main(target: str, seconds: str = "60", folder: str = "") -> None:
    found = Path(folder or tempfile.mkdtemp(prefix="fuzz-"))
    run = targets.TARGETS[target]
    if Path(seconds).is_file():
        run(Path(seconds).read_bytes())
        return
    seeds = corpus.SEEDS[target]()
    corpus.write(found / "corpus", seeds)
    print(f"{target}: {len(seeds)} seeds, {seconds} s, what is found goes to {found}", flush=True)
    options = [
        f"-max_total_time={seconds}",
        "-max_len=16384",
        "-timeout=10",
        "-rss_limit_mb=1024",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={found}/", str(found / "corpus")], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
