"""Picklists in the order of their values, as the admin has put them (decision 0018).

A value sorts by a key: its place among the picklist's values, active or not. A code that is no longer among
them comes after, by itself. Cursors hold the code and not the key, so that a page goes on rightly when the
values have been put in another order in between.
"""

from __future__ import annotations

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.metadata.ways import board_field
from tabwright.runtime.storage.columns import Codec, Shape

UNKNOWN = "~"  # begins the key of a code that is not among the values: above every digit
MOST_STEPS = 16  # values up to which a list is put together value by value, each from the index
_DIGITS = 6


def codes(field: FieldDef) -> tuple[str, ...]:
    """The codes of a picklist in the admin's order; nothing of another field."""
    if field.type != "picklist" or field.picklist is None:
        return ()
    return tuple(value.code for value in field.picklist.values)


def steps(object: ObjectDef, path: str) -> tuple[str, ...]:
    """The values that a list by ``path`` runs through one after the other, because an index serves each.

    That is so for the picklists of the object itself that one of its list views begins its order with.
    """
    field = object.fields.get(path)
    found = codes(field) if field is not None and field.is_stored else ()
    listed = any(view.order and view.order[0][0] == path for view in object.list_views.values())
    return found if listed and len(found) <= MOST_STEPS else ()


def is_lane_indexed(object: ObjectDef, path: str) -> bool:
    """Whether an index leads to the records of one value: of the field that the board opens by."""
    found = board_field(object, object.stored_fields)
    return found is not None and found.name == path


def rank(found: tuple[str, ...], column: sa.ColumnElement[str], dialect: str) -> sa.ColumnElement[str]:
    """The sort key of the code in ``column``; NULL for blank."""
    unknown = sa.literal(UNKNOWN, sa.Text()) + sa.type_coerce(column, sa.Text())
    whens: dict[str, sa.ColumnElement[str]] = {
        code: sa.literal(_key(n), sa.Text()) for n, code in enumerate(found)
    }
    key: sa.ColumnElement[str] = sa.case(whens, value=column, else_=unknown)
    # Without it PostgreSQL would compare keys by the rules of the database's language.
    return sa.collate(key, "C") if dialect == "postgresql" else key


def rank_codec(found: tuple[str, ...], dialect: str) -> Codec:
    """The conversions of sort keys: outside a key is its code."""
    keys = {code: _key(n) for n, code in enumerate(found)}
    known = {key: code for code, key in keys.items()}

    def code_of(key: str) -> str:
        return known.get(key, key.removeprefix(UNKNOWN))

    def key_of(code: str) -> str:
        return keys.get(code, UNKNOWN + code)

    return Codec(Shape("text"), dialect, key_of, code_of, code_of, code_of)  # type: ignore[arg-type]


def _key(place: int) -> str:
    return f"{place:0{_DIGITS}}"
