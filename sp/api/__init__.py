"""The edge for programs: `/api/v1`, JSON in and out.

Owns its schemas, which are apart from the tables, and what each address answers. Never decides what a value may be:
the same flows as for the pages do.
"""
