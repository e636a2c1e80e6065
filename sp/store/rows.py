"""Small bridges between SQLModel's annotations and SQLAlchemy's columns.

Owns the one place that tells the type checker so. Never queries.
"""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy.sql.elements import ColumnElement

T = TypeVar("T")


def column(attribute: T) -> ColumnElement[Any]:
    """A model's class attribute as the column that it is: SQLModel annotates it with its value's type."""
    return attribute  # type: ignore[return-value]


def required(value: T | None) -> T:
    """The value of a column that a stored row always has, such as its id. Raises ValueError before it is stored."""
    if value is None:
        raise ValueError("the row has not been stored yet")
    return value
