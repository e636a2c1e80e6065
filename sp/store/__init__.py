"""All SQL: one file per noun.

Owns every query and every row's lifetime. Never decides whether something is allowed: flows do, and they own the
transaction too.
"""
