"""A table of values sent as parameters: what an UPDATE, a look-up or an upsert of many rows joins.

One statement for any number of rows: on PostgreSQL an array per column through ``unnest``, on SQLite one JSON
array of rows through ``json_each``. Values are in stored form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tabwright.runtime.storage.columns import Dialect, Shape, column_type

_encode = msgspec.json.Encoder(enc_hook=lambda value: value.hex()).encode


class Values:
    """``source`` stands in FROM; ``c[name]`` are its columns; ``parameters(rows)`` binds them."""

    def __init__(self, dialect: Dialect, columns: Sequence[tuple[str, Shape]], prefix: str = "v") -> None:
        self._postgres = dialect == "postgresql"
        self._prefix = prefix
        self._names = [name for name, _ in columns]
        self.source: sa.FromClause
        if self._postgres:
            arrays = [
                sa.bindparam(f"{prefix}_{name}", type_=postgresql.ARRAY(_plain(shape)))
                for name, shape in columns
            ]
            self.source = (
                sa.func.unnest(*arrays)
                .table_valued(*(sa.column(name, _plain(shape)) for name, shape in columns))
                .render_derived()
                .alias(prefix)
            )
            self.c = {name: self.source.c[name] for name in self._names}
        else:
            each = sa.func.json_each(sa.bindparam(prefix, type_=sa.Text)).table_valued("value")
            picked = [_picked(each.c.value, at, name, shape) for at, (name, shape) in enumerate(columns)]
            self.source = sa.select(*picked).select_from(each).subquery(prefix)
            self.c = {name: self.source.c[name] for name in self._names}
        self._blobs = [at for at, (_, shape) in enumerate(columns) if shape.way == "reference"]

    def parameters(self, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """The parameters for rows given as tuples in the order of the columns."""
        if self._postgres:
            columns = list(zip(*rows, strict=True)) if rows else [()] * len(self._names)
            return {
                f"{self._prefix}_{name}": list(column)
                for name, column in zip(self._names, columns, strict=True)
            }
        return {self._prefix: _json(rows, self._blobs)}


def _json(rows: Sequence[Sequence[Any]], blobs: Sequence[int]) -> str:
    if not blobs:
        return _encode(rows).decode()
    plain = []
    for row in rows:
        values = list(row)
        for at in blobs:
            value = values[at]
            if value is not None:
                values[at] = value.hex()
        plain.append(values)
    return _encode(plain).decode()


def _picked(value: sa.ColumnElement[Any], at: int, name: str, shape: Shape) -> sa.ColumnElement[Any]:
    kind = column_type(shape, "sqlite")
    found = sa.func.json_extract(value, f"$[{at}]", type_=kind)
    if shape.way == "reference":
        return sa.case((found.is_not(None), sa.func.tw_blob(found, type_=sa.LargeBinary))).label(name)
    return found.label(name)


def _plain(shape: Shape) -> sa.types.TypeEngine[Any]:
    # An array has no collation of its own; what it is compared with has.
    return sa.Text() if shape.way in ("text", "long_text") else column_type(shape, "postgresql")
