"""Views that people save: a list's filter, order and columns, a board, a calendar; for oneself or for all.

A list view that an admin publishes is a component and belongs to the release; this is what a person saves
without asking anybody. A shared one is read by all who may read the object; only its owner, or somebody who
may customise, changes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, Reader, Store, prepare
from tabwright.platform.errors import Conflict, Denied, Invalid, LimitReached, NotFound, Place
from tabwright.platform.tables import Uuid, json_of, uuid_of
from tabwright.runtime.desk import Call
from tabwright.runtime.personal.lists import LIST, ListLook, look_of
from tabwright.runtime.personal.settings import Key, Personal, kept
from tabwright.runtime.personal.tables import SETTING, VIEW

Way = Literal["table", "board", "calendar"]
WAYS: Final[tuple[Way, ...]] = ("table", "board", "calendar")
MOST_NAME: Final = 80
MOST_BODY: Final = 16_000
MOST_VIEWS: Final = 100  # of a person on one object
# The view that a person opens an object with, by the object's uid: a view's key.
DEFAULT_VIEW: Final = Key("default_view", "", lambda value: isinstance(value, str) and len(value) <= 80)


@dataclass(frozen=True, slots=True)
class SavedView:
    """One saved view. ``body`` is the page's own state as JSON: where, order, columns and the like."""

    id: UUID
    owner_id: UUID
    name: str
    way: Way
    body: Mapping[str, Any]
    shared: bool
    revision: int
    is_own: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """What a list opens with: the views; the key of the one that this person chose to open ("" for none)."""

    views: Sequence[SavedView]
    preferred: str
    look: ListLook


class SavedViews:
    """The views of an object that the person who calls may use. Raises Denied without a right to read it."""

    def __init__(self, call: Call, object: ObjectDef) -> None:
        call.gate.require(object, "read")
        self._call = call
        self._object = object

    def all(self) -> Sequence[SavedView]:
        """One's own, then those that others share, each by name."""
        return self.opening().views

    def opening(self) -> Opening:
        """All of them, and what this person chose about the object's lists: one statement, since every list
        page asks.
        """
        user, uid = self._call.principal.user_id, self._object.uid
        keys = {"key": f"{DEFAULT_VIEW.name}:{uid}", "look": f"{LIST.name}:{uid}"}
        with self._call.tenant.store.read() as reader:
            rows = reader.rows(_opening(reader.store), {"user_id": user, "object_uid": uid, **keys})
        views = [self._view(row) for row in rows if row[0] is not None]
        views.sort(key=lambda each: (not each.is_own, each.name.casefold(), each.id))
        kept = {row[2]: json_of(row[4]) for row in rows if row[0] is None}
        chosen = kept.get(keys["key"], "")
        return Opening(
            views, chosen if DEFAULT_VIEW.fits(chosen) else "", look_of(kept.get(keys["look"], {}))
        )

    def keep(self, look: ListLook) -> None:
        """Remember what this person chose. Raises Invalid (more pins or columns than may be)."""
        Personal(self._call).put(LIST, look.as_json(), self._object.uid)

    def open_with(self, key: str) -> None:
        """Open the object with this view from now on; "" for the first."""
        Personal(self._call).put(DEFAULT_VIEW, key, self._object.uid)

    def get(self, id: UUID) -> SavedView:
        """One of them. Raises NotFound."""
        found = next((each for each in self.all() if each.id == id), None)
        if found is None:
            raise NotFound.of("view.not_found", Place(object=self._object.name))
        return found

    def create(self, name: str, way: Way, body: Mapping[str, Any], *, shared: bool = False) -> SavedView:
        """Save a view. Raises Invalid (name, body), LimitReached, Denied (sharing)."""
        name = self._checked(name, way, body)
        self._may_share(shared)
        owner = self._call.principal.user_id
        id = self._call.ids.new()
        with self._call.tenant.store.write() as writer:
            count = writer.execute(
                sa.select(sa.func.count()).where(
                    VIEW.c.object_uid == self._object.uid, VIEW.c.owner_id == owner
                )
            ).scalar_one()
            if count >= MOST_VIEWS:
                raise LimitReached.of("view.too_many", most=MOST_VIEWS)
            writer.execute(
                sa.insert(VIEW),
                {
                    "id": id,
                    "owner_id": owner,
                    "object_uid": self._object.uid,
                    "name": name,
                    "way": way,
                    "body": dict(body),
                    "shared": shared,
                    "revision": 1,
                    "updated_at": self._call.clock.now(),
                },
            )
        return self.get(id)

    def update(
        self, view: SavedView, *, name: str | None = None, body: Mapping[str, Any] | None = None,
        shared: bool | None = None,
    ) -> SavedView:  # fmt: skip
        """Change a view as it was read. Raises Denied, Conflict (somebody was quicker), Invalid."""
        self._may_change(view)
        if shared is not None and shared != view.shared:
            self._may_share(shared)
        changed = {
            "name": self._checked(
                view.name if name is None else name, view.way, view.body if body is None else body
            ),
            "body": dict(view.body if body is None else body),
            "shared": view.shared if shared is None else shared,
            "revision": view.revision + 1,
            "updated_at": self._call.clock.now(),
        }
        with self._call.tenant.store.write() as writer:
            as_read = (VIEW.c.id == view.id) & (VIEW.c.revision == view.revision)
            if writer.execute(sa.update(VIEW).where(as_read).values(changed)).rowcount != 1:
                raise Conflict.of("view.changed", name=view.name)
        return self.get(view.id)

    def delete(self, view: SavedView) -> None:
        """Remove a view. Raises Denied."""
        self._may_change(view)
        with self._call.tenant.store.write() as writer:
            writer.execute(sa.delete(VIEW).where(VIEW.c.id == view.id))

    def may_share(self) -> bool:
        """Whether this person may show views to all."""
        return self._call.gate.has("customise")

    def may_change(self, view: SavedView) -> bool:
        """Whether this person may rename, change or remove it."""
        return view.is_own or (view.shared and self._call.gate.has("customise"))

    def _may_change(self, view: SavedView) -> None:
        if not self.may_change(view):
            raise Denied.of("view.not_yours", name=view.name)

    def _may_share(self, shared: bool) -> None:
        if shared and not self.may_share():
            raise Denied.of("view.no_sharing")

    def _checked(self, name: str, way: Way, body: Mapping[str, Any]) -> str:
        name = " ".join(name.split())
        if not name or len(name) > MOST_NAME or not name.isprintable():
            raise Invalid.of("view.bad_name", Place(field="name"), most=MOST_NAME)
        if way not in WAYS:
            raise Invalid.of("view.bad_way", Place(field="way"), way=str(way)[:40])
        kept(dict(body), MOST_BODY)
        return name

    def _view(self, row: Sequence[Any]) -> SavedView:
        return _view(row, self._call.principal.user_id)


def views_by_object(call: Call, reader: Reader | None = None) -> Mapping[str, Sequence[SavedView]]:
    """Every view that this person may use, by the uid of its object, each object's by name: one statement."""
    if reader is None:
        with call.tenant.store.read() as own:
            return views_by_object(call, own)
    rows = reader.rows(_everywhere(reader.store), {"user_id": call.principal.user_id})
    found: dict[str, list[SavedView]] = {each.uid: [] for each in call.gate.objects()} if rows else {}
    for uid, *row in rows:
        if uid in found:
            found[uid].append(_view(row, call.principal.user_id))
    return found


def _view(row: Sequence[Any], user_id: UUID) -> SavedView:
    id, owner, name, way, body, shared, revision = row
    return SavedView(
        uuid_of(id), uuid_of(owner), name, way, json_of(body), bool(shared), revision,
        uuid_of(owner) == user_id,
    )  # fmt: skip


_COLUMNS: Final = (
    VIEW.c.id,
    VIEW.c.owner_id,
    VIEW.c.name,
    VIEW.c.way,
    VIEW.c.body,
    VIEW.c.shared,
    VIEW.c.revision,
)


@lru_cache(maxsize=256)
def _everywhere(store: Store) -> Prepared:
    user = sa.bindparam("user_id", type_=Uuid())
    usable = sa.select(VIEW.c.object_uid, *_COLUMNS).where(sa.or_(VIEW.c.owner_id == user, VIEW.c.shared))
    return prepare(store, usable.order_by(VIEW.c.name, VIEW.c.id))


@lru_cache(maxsize=256)
def _opening(store: Store) -> Prepared:
    user = sa.bindparam("user_id", type_=Uuid())
    views = sa.select(*_COLUMNS).where(
        VIEW.c.object_uid == sa.bindparam("object_uid", type_=sa.Text),
        sa.or_(VIEW.c.owner_id == user, VIEW.c.shared),
    )
    blank = sa.null()
    chosen = sa.select(
        sa.cast(blank, VIEW.c.id.type), sa.cast(blank, VIEW.c.id.type), SETTING.c.key, sa.literal(""),
        SETTING.c.value, sa.false(), sa.literal(0, sa.Integer),
    ).where(
        SETTING.c.user_id == user,
        SETTING.c.key.in_([sa.bindparam("key", type_=sa.Text), sa.bindparam("look", type_=sa.Text)]),
    )  # fmt: skip
    return prepare(store, sa.union_all(views, chosen))
