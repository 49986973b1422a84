"""What fixed tables are made of: the two catalogues, column types for both databases, and arrays of ids.

A room declares its own fixed tables on ``TENANT`` (present in every tenant's store) or ``CONTROL``; they have
no schema of their own, the store's is put in where a statement is prepared or run.

Values have two forms. The Core path (``Reader.execute``) gives and takes Python values. The prepared path
(``Reader.rows``) gives them in storage form, which differs: ``uuid_of``, ``instant_of`` and ``json_of`` read
both; on the way in a UUID, an aware datetime and a date may be given as they are, JSON as text
(``json_text``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect

DialectName = Literal["sqlite", "postgresql"]

TENANT = sa.MetaData()
CONTROL = sa.MetaData()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(value: datetime) -> int:
    """An aware datetime as microseconds since 1970, exact."""
    return (value - _EPOCH) // _MICROSECOND


def uuid_of(value: UUID | bytes) -> UUID:
    """The UUID of a storage value of either database."""
    return value if isinstance(value, UUID) else UUID(bytes=value)


def instant_of(value: datetime | int) -> datetime:
    """The aware UTC datetime of a storage value of either database."""
    return value if isinstance(value, datetime) else _EPOCH + timedelta(microseconds=value)


def json_text(value: Any) -> str:
    """JSON text of a Python value, keys in the order given, nothing but ASCII-safe UTF-8 text."""
    return msgspec.json.encode(value).decode()


def json_of(value: str | None) -> Any:
    """The Python value of stored JSON text."""
    return None if value is None else msgspec.json.decode(value)


class Uuid(sa.types.TypeDecorator[UUID]):
    """uuid on PostgreSQL, BLOB(16) on SQLite."""

    impl = sa.LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=True))
        return dialect.type_descriptor(sa.LargeBinary(16))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else value.bytes

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        return None if value is None else uuid_of(value)


class Instant(sa.types.TypeDecorator[datetime]):
    """timestamptz on PostgreSQL, INTEGER microseconds since 1970 on SQLite; always aware UTC in Python."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(sa.BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else microseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else instant_of(value)


class _Jsonb(sa.types.UserDefinedType[str]):
    """jsonb that travels as text, so that both databases have one storage form."""

    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        return "JSONB"

    def bind_expression(self, bindvalue: sa.BindParameter[str]) -> sa.ColumnElement[str]:
        return sa.cast(bindvalue, self)


class Json(sa.types.TypeDecorator[Any]):
    """jsonb on PostgreSQL, TEXT on SQLite. PostgreSQL keeps neither the order of keys nor their spacing."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(_Jsonb() if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return json_of(value)


class CodeText(sa.types.TypeDecorator[str]):
    """Text that compares by code point on both databases."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        # Not type_descriptor(): it would make VARCHAR of it.
        return sa.Text(collation="C" if dialect.name == "postgresql" else None)


class Ids(list[UUID]):
    """Ids as the value of one parameter of ``in_ids``, where nobody knows the database yet; they stay as they
    are made.
    """

    @cached_property
    def text(self) -> str:
        """As SQLite is given them, made once for all statements of a request."""
        return str(ids_value("sqlite", self))


def in_ids(dialect: DialectName, column: sa.ColumnElement[Any], name: str = "ids") -> sa.ColumnElement[bool]:
    """``column`` is one of the ids of parameter ``name``, which is bound with ``ids_value``: one
    statement for any number.
    """
    if dialect == "postgresql":
        return column == sa.any_(sa.bindparam(name, type_=postgresql.ARRAY(postgresql.UUID(as_uuid=True))))
    each = sa.func.json_each(sa.bindparam(name, type_=sa.Text)).table_valued("value")
    return column.in_(sa.select(sa.func.tw_blob(each.c.value, type_=sa.LargeBinary)))


def ids_value(dialect: DialectName, ids: Iterable[UUID]) -> Any:
    """The value of the parameter of ``in_ids``."""
    return list(ids) if dialect == "postgresql" else json_text([each.hex for each in ids])
