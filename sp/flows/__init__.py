"""One thing that happens to somebody, from start to end, in one transaction.

Owns the order of steps and the transaction around them. Never touches HTTP, never writes SQL.
"""
