"""The administrator's pages: the Account Manager as the tutorial walks it.

Owns what an administrator sees. Never shows or changes an account of another company.
"""
