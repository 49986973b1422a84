"""What the frame round a page needs to know of its person, by one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa

from tabwright.platform.database import Prepared, Reader, Store, prepare
from tabwright.platform.tables import Instant, Uuid, json_of
from tabwright.runtime.desk import Call
from tabwright.runtime.personal.favourites import FAVOURITES, Favourite, favourites_of
from tabwright.runtime.personal.notices import unread_count
from tabwright.runtime.personal.settings import Key
from tabwright.runtime.personal.tables import SETTING

_MOST_TABS: Final = 200


def _is_tabs(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(app, str)
        and isinstance(tabs, list)
        and len(tabs) <= _MOST_TABS
        and all(isinstance(each, str) for each in tabs)
        for app, tabs in value.items()
    )


LOOK: Final = Key("look", "", lambda value: isinstance(value, str) and len(value) <= 40)  # theme.density
SHORTCUTS: Final = Key("shortcuts", True, lambda value: isinstance(value, bool))  # of single letters
APP: Final = Key("app", "", lambda value: isinstance(value, str) and len(value) <= 100)
TABS: Final = Key("tabs", {}, _is_tabs)  # app -> its tabs in the person's own order
_KEYS: Final = (LOOK, SHORTCUTS, APP, TABS, FAVOURITES)


@dataclass(frozen=True, slots=True)
class Frame:
    """A person's own frame. ``look`` and ``app`` are "" where nothing was chosen; ``unread`` is counted up
    to ``notices.COUNTED`` + 1.
    """

    look: str
    has_shortcuts: bool
    app: str
    tabs: Mapping[str, Sequence[str]]
    favourites: tuple[Favourite, ...]
    unread: int


def frame_of(call: Call, reader: Reader | None = None) -> Frame:
    """Read it, in one statement."""
    if reader is None:
        with call.tenant.store.read() as own:
            return frame_of(call, own)
    since = call.clock.now() - timedelta(days=call.tenant.limits.notice_days)
    rows = reader.rows(_statement(reader.store), {"user_id": call.principal.user_id, "since": since})
    kept = {name: json_of(value) for _, name, value in rows if name is not None}

    def of(key: Key) -> Any:
        value = kept.get(key.name, key.default)
        return value if key.fits(value) else key.default

    return Frame(of(LOOK), of(SHORTCUTS), of(APP), of(TABS), favourites_of(of(FAVOURITES)), int(rows[0][0]))


@lru_cache(maxsize=256)
def _statement(store: Store) -> Prepared:
    user, since = sa.bindparam("user_id", type_=Uuid()), sa.bindparam("since", type_=Instant())
    one = sa.select(unread_count(user, since).label("unread")).subquery("one")
    names = [each.name for each in _KEYS]
    mine = sa.and_(SETTING.c.user_id == user, SETTING.c.key.in_([sa.literal(name) for name in names]))
    chosen = sa.select(one.c.unread, SETTING.c.key, SETTING.c.value)
    return prepare(store, chosen.select_from(one.outerjoin(SETTING, mine)))
