"""Small things that the product remembers of a person: favourites, what was opened last, looks of lists.

Each key says what its value may be; what is stored and no longer fits reads as the key's default, so that an
upgrade never locks anybody out of a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.database import Prepared, Reader, Store, prepare
from tabwright.platform.errors import Invalid, LimitReached
from tabwright.platform.tables import Instant, Json, Uuid, json_of, json_text
from tabwright.runtime.desk import Call
from tabwright.runtime.personal.tables import SETTING

MOST_BYTES: Final = 16_000


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that is remembered. ``fits`` says whether a JSON value may stand under it."""

    name: str
    default: Any
    fits: Callable[[Any], bool]


def is_strings(value: Any, most: int, length: int = 200) -> bool:
    """Whether a JSON value is a list of at most ``most`` short texts."""
    return (
        isinstance(value, list)
        and len(value) <= most
        and all(isinstance(each, str) and len(each) <= length for each in value)
    )


def kept(value: Any, most: int = MOST_BYTES) -> str:
    """A JSON value as it is kept. Raises LimitReached (too big), Invalid (U+0000: PostgreSQL has none)."""
    text = json_text(value)
    if len(text) > most:
        raise LimitReached.of("personal.too_big", most=most)
    if "\\u0000" in text:
        raise Invalid.of("personal.nul")
    return text


class Personal:
    """The settings of the person who calls."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def get(self, key: Key, about: str = "", reader: Reader | None = None) -> Any:
        """The value under a key; ``about`` tells apart values of one key (the uid of an object)."""
        if reader is None:
            with self._call.tenant.store.read() as own:
                return self.get(key, about, own)
        row = reader.row(_statements(reader.store)[0], {"user_id": self._owner, "key": _name(key, about)})
        value = json_of(row[0]) if row is not None else key.default
        return value if key.fits(value) else key.default

    def put(self, key: Key, value: Any, about: str = "") -> None:
        """Remember a value. Raises Invalid (it does not fit the key), LimitReached (it is too big)."""
        if not key.fits(value):
            raise Invalid.of("personal.bad_setting", key=key.name)
        text = kept(value)
        with self._call.tenant.store.write() as writer:
            writer.run(
                _statements(writer.store)[1],
                {
                    "user_id": self._owner,
                    "key": _name(key, about),
                    "value": text,
                    "updated_at": self._call.clock.now(),
                },
            )

    @property
    def _owner(self) -> UUID:
        owner = self._call.principal.user_id
        if owner is None:
            raise LookupError("the system has no settings of its own")
        return owner


def _name(key: Key, about: str) -> str:
    return f"{key.name}:{about}" if about else key.name


@lru_cache(maxsize=256)
def _statements(store: Store) -> tuple[Prepared, Prepared]:
    insert: Any
    if store.dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert
    user_id, key = sa.bindparam("user_id", type_=Uuid()), sa.bindparam("key", type_=sa.Text)
    found = sa.select(SETTING.c.value).where(SETTING.c.user_id == user_id, SETTING.c.key == key)
    values: Mapping[str, Any] = {
        "user_id": user_id,
        "key": key,
        "value": sa.bindparam("value", type_=Json()),
        "updated_at": sa.bindparam("updated_at", type_=Instant()),
    }
    added = insert(SETTING).values(values)
    kept = added.on_conflict_do_update(
        index_elements=["user_id", "key"],
        set_={"value": added.excluded.value, "updated_at": added.excluded.updated_at},
    )
    return prepare(store, found), prepare(store, kept)
