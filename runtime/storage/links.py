"""The parts of links and addresses in SQL: columns of the texts of ``metadata.links``, ``.addresses``."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tabwright.metadata.links import KIND_DIGITS, link_text
from tabwright.platform.tables import json_text

Column = sa.ColumnElement[Any]


def kind_in(column: Column) -> Column:
    """The uid of the object that a link names a record of."""
    return sa.func.substr(column, 1, KIND_DIGITS, type_=sa.Text)


def id_in(column: Column, kinds: tuple[str, ...], dialect: str) -> Column:
    """The id of the record, in the form of the ids; blank where the link is none of these kinds."""
    digits = sa.func.substr(column, KIND_DIGITS + 1, type_=sa.Text)
    own = kind_in(column).in_(kinds) if len(kinds) > 1 else kind_in(column) == kinds[0]
    if dialect == "postgresql":
        return sa.case((own, sa.cast(digits, sa.Uuid())))
    return sa.case((own, sa.func.tw_blob(digits, type_=sa.LargeBinary)))


def part_in(column: Column, number: int, dialect: str) -> Column:
    """A part of an address, blank where it has none; the first one is 0."""
    if dialect == "postgresql":
        line = sa.func.split_part(column, sa.literal_column("chr(10)"), number + 1, type_=sa.Text)
    else:
        line = sa.func.tw_line(column, number, type_=sa.Text)
    return sa.func.nullif(line, "", type_=sa.Text)


def in_links(column: Column, dialect: str, name: str = "ids") -> sa.ColumnElement[bool]:
    """The column is one of the links of parameter ``name``, which is bound with ``links_value``."""
    if dialect == "postgresql":
        return column == sa.any_(sa.bindparam(name, type_=postgresql.ARRAY(sa.Text())))
    each = sa.func.json_each(sa.bindparam(name, type_=sa.Text)).table_valued("value")
    return column.in_(sa.select(each.c.value))


def links_value(kind: str, ids: list[UUID], dialect: str) -> Any:
    """The value of the parameter of ``in_links``: links to records of one object."""
    texts = [link_text(kind, id) for id in ids]
    return texts if dialect == "postgresql" else json_text(texts)
