"""Benchmarks: what a sign-in costs, and that it stays so. `make bench` runs all of them, bounded in minutes.

Never a test: machines differ. What can be compared is a ratio within one run.
"""

import sys
from pathlib import Path

# The tests' identity provider signs the responses, and their cast sends them.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
