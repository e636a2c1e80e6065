"""Owns where the templates and the static files are: inside an installed package, or beside it in a checkout.

Never creates or changes a file.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def templates_folder() -> Path:
    return _folder("templates")


def static_folder() -> Path:
    return _folder("static")


def _folder(name: str) -> Path:
    bundled = _PACKAGE / "_bundled" / name
    return bundled if bundled.is_dir() else _PACKAGE.parent / name
