"""The edge for browsers: one module per page family.

Owns HTTP, cookies, forms and rendering. Never decides: flows do. Never queries: stores do.
"""
