"""What importing a large federation costs: 10 MB with 5 000 entities, one of them read, with and without a signature.

    python -m bench.metadata

Each in a process of its own; extra memory is the peak while the metadata is read, less what the process held before.
Exits with 1 where one takes more than 2 seconds or 200 MB.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cast import NOW
from idp_metadata import aggregate, entity, named, role, signed
from responses import Idp

from bench import results
from bench.limits import memory_kb
from sp.saml.certificates import read_certificate
from sp.saml.idp_metadata import read_metadata

ABOUT = "Reading one entity out of a large federation's metadata."
ENTITIES = 5_000
WANTED = f"https://idp{ENTITIES - 7}.example/metadata"
BUDGET_SECONDS = 2.0
BUDGET_MB = 200.0
FEDERATION, CERTIFICATE = "federation.xml", "federation.pem"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        size = _write(Path(folder))
        print(f"a federation of {ENTITIES:,} entities, {size / 1e6:.1f} MB:")
        figures = [_report(folder, pinned) for pinned in (False, True)]
    results.keep("metadata", ABOUT, figures, entities=ENTITIES, federation_bytes=size)
    return 0 if all(_fits(figure) for figure in figures) else 1


def _fits(figure: results.Figure) -> bool:
    return bool(figure["seconds"] <= BUDGET_SECONDS and figure["extra_mib"] <= BUDGET_MB)


def _write(folder: Path) -> int:
    idp = Idp.make()
    one = [
        entity(
            idp,
            role(idp, before=named(f"University {at}")),
            entity_id=f"https://idp{at}.example/metadata",
            identifier=f"_{at}",
        )
        for at in range(ENTITIES)
    ]
    (folder / FEDERATION).write_bytes(signed(aggregate(*one), idp))
    (folder / CERTIFICATE).write_bytes(idp.certificate_pem)
    return (folder / FEDERATION).stat().st_size


def _report(folder: str, pinned: bool) -> results.Figure:
    command = [sys.executable, "-m", "bench.metadata", folder, "pinned" if pinned else "unpinned"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    what = "signature checked" if pinned else "no signature asked for"
    figure = {"what": what, "seconds": told["seconds"], "extra_mib": told["mb"]}
    print(f"  {what:24} {told['seconds']:5.2f} s {told['mb']:6.1f} MB{'' if _fits(figure) else '   OVER'}")
    return figure


def _measure(folder: Path, pinned: bool) -> None:
    certificate = read_certificate((folder / CERTIFICATE).read_bytes()) if pinned else None
    Path("/proc/self/clear_refs").write_text("5")
    before, started = memory_kb("VmRSS"), time.perf_counter()
    found = read_metadata((folder / FEDERATION).read_bytes(), NOW, wanted=WANTED, pinned=certificate)
    seconds = time.perf_counter() - started
    if found.entity is None or len(found.providers) != ENTITIES:
        raise RuntimeError("not everything was read")
    print(json.dumps({"seconds": seconds, "mb": max(memory_kb("VmHWM") - before, 0) / 1024}))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _measure(Path(sys.argv[1]), sys.argv[2] == "pinned")
    else:
        sys.exit(main())
