"""Small bridges between SQLModel's annotations and SQLAlchemy's columns.

Owns the one place that tells the type checker so. Never queries.
"""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Connection, FromClause, Table, inspect
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, SQLModel

T = TypeVar("T")

# What runs statements: a session, which also knows objects, or the bare connection of a sign-in, which costs less.
Runner = Session | Connection


def column(attribute: T) -> ColumnElement[Any]:
    """A model's class attribute as the column that it is: SQLModel annotates it with its value's type."""
    return attribute  # type: ignore[return-value]


def table_of(model: type[SQLModel]) -> Table:
    """A model's table, for statements that make no objects: those of a sign-in."""
    table: FromClause = inspect(model).local_table
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} is no table")
    return table


def required(value: T | None) -> T:
    """The value of a column that a stored row always has, such as its id. Raises ValueError before it is stored."""
    if value is None:
        raise ValueError("the row has not been stored yet")
    return value
