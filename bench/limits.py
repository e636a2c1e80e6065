"""What the worst messages cost: time and extra memory to their verdict, each in a process of its own.

    python -m bench.limits

Extra memory is the peak of the resident memory while the message is judged, less what the warm process held before;
Linux tells it (/proc/self/clear_refs, /proc/self/status). Exits with 1 where one is above 50 ms or 20 MB.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from responses import Idp, expectations, posted
from saml.attacks.bounds import BOUNDS

from bench import results
from sp.saml.validation import judge, open_form

ABOUT = "The worst messages that are let in: time to the verdict, and memory on top of what the process had."
ROUNDS = 7
BUDGET_MS = 50.0
BUDGET_MB = 20.0


def main() -> int:
    print(f"the worst messages, least of {ROUNDS} rounds; extra memory at the peak:")
    figures = [_report(name) for name in BOUNDS]
    results.keep("limits", ABOUT, figures, budget_ms=BUDGET_MS, budget_mib=BUDGET_MB)
    return 0 if all(_fits(figure) for figure in figures) else 1


def _fits(figure: results.Figure) -> bool:
    return bool(figure["cpu_ms"] <= BUDGET_MS and figure["extra_mib"] <= BUDGET_MB)


def _report(name: str) -> results.Figure:
    command = [sys.executable, "-m", "bench.limits", name]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    verdict = ", ".join(told["failed"]) or "accepted"
    figure = {"what": name, "verdict": verdict, "cpu_ms": told["ms"], "extra_mib": told["mb"]}
    over = "" if _fits(figure) else "   OVER"
    print(f"  {name:26} {told['ms']:7.2f} ms {told['mb']:6.1f} MB   {verdict}{over}")
    return figure


def _measure(name: str) -> None:
    """Prints what one message costs in this process, which has judged others before."""
    held = expectations(Idp.make())
    for _ in range(5):
        judge(open_form(posted(Idp.make().response())), held)
    form = posted(BOUNDS[name][0]())
    Path("/proc/self/clear_refs").write_text("5")
    before, times = memory_kb("VmRSS"), []
    for _ in range(ROUNDS):
        started = time.process_time()
        judge(open_form(form), held)
        times.append((time.process_time() - started) * 1000)
    extra = (memory_kb("VmHWM") - before) / 1024
    print(json.dumps({"ms": min(times), "mb": max(extra, 0.0), "failed": judge(open_form(form), held).report.failed}))


def memory_kb(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise RuntimeError("the kernel tells no memory")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _measure(sys.argv[1])
    else:
        sys.exit(main())
