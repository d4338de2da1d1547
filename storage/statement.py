"""SQLAlchemy Core statements, compiled once, for a plain DB-API connection.

Compiling and executing through SQLAlchemy costs four times the CPU of the bare driver; compiled once, a statement
costs what its SQL costs, yet its columns are still checked against the tables and its dialect can be another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Insert, Select, Table, Update, bindparam, insert, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Delete

DIALECT = sqlite.dialect(paramstyle="named")

Construct = Select[*tuple[Any, ...]] | Insert | Update | Delete
Convert = Callable[[Any], Any]


class Statement:
    """One statement with named parameters. Compiled at its first use; safe to share between threads."""

    def __init__(self, construct: Construct, *, columns: Sequence[str] | None = None) -> None:
        """``columns`` are those that an INSERT gives values for; all of them by default."""
        self._construct = construct
        self._columns = columns

    @cached_property
    def _compiled(self) -> SQLCompiler:
        return self._construct.compile(
            dialect=DIALECT, column_keys=self._columns, compile_kwargs={"render_postcompile": True}
        )

    @cached_property
    def sql(self) -> str:
        """The text for the driver."""
        return str(self._compiled)

    @cached_property
    def _constants(self) -> dict[str, Any]:
        """The values that stand in the statement itself; every other parameter is given by the caller."""
        asked = {name for name, bind in self._compiled.binds.items() if bind.required}
        return {name: value for name, value in self._compiled.params.items() if name not in asked}

    @cached_property
    def _encoders(self) -> dict[str, Convert]:
        found: dict[str, Convert] = {}
        for name, bind in self._compiled.binds.items():
            convert = bind.type.dialect_impl(DIALECT).bind_processor(DIALECT)
            if convert is not None and name in self._compiled.params:
                found[name] = convert
        return found

    @cached_property
    def _decoders(self) -> list[tuple[int, Convert]]:
        if not isinstance(self._construct, Select):
            return []
        types = [column.type.dialect_impl(DIALECT) for column in self._construct.selected_columns]
        converts = [kind.result_processor(DIALECT, None) for kind in types]
        return [(place, convert) for place, convert in enumerate(converts) if convert is not None]

    def parameters(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What the driver gets for ``values``: with the statement's own constants, each as its column stores it."""
        given = {**self._constants, **values}
        for name, convert in self._encoders.items():
            given[name] = convert(given[name])
        return given

    def decoded(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """``rows`` as the driver gave them, each value as its column means it."""
        if not self._decoders:
            return rows
        return [self._decoded(row) for row in rows]

    def _decoded(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for place, convert in self._decoders:
            values[place] = convert(values[place])
        return tuple(values)


def inserting(into: Table, *, without: Sequence[str] = ()) -> Statement:
    """An INSERT of all columns but ``without``; its parameters are named like the columns."""
    columns = [column.name for column in into.columns if column.name not in without]
    return Statement(insert(into).inline(), columns=columns)


def setting(of: Table, *columns: str) -> Update:
    """An UPDATE of ``columns``, whose parameters are named like them; add ``where`` before use."""
    return update(of).values({name: bindparam(name) for name in columns})
