"""Benchmarks: what a sign-in costs, and that it stays so. `make bench` runs all of them, bounded in minutes.

Never a test: machines differ. What can be compared is a ratio within one run.
"""
