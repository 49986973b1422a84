"""What somebody has typed into a form and not saved yet (U12, UX17): one's own only, on every device.

Texts stand under the uids of their fields, so that a rename loses nothing. What a mask hides or a key
seals is never kept here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, Reader, Store, prepare
from tabwright.platform.tables import Instant, Json, Uuid, instant_of, json_of
from tabwright.runtime.desk import Call
from tabwright.runtime.personal.settings import kept
from tabwright.runtime.personal.tables import FORM

MOST_BYTES: Final = 200_000
MOST_FORMS: Final = 200  # of one person; the oldest goes


@dataclass(frozen=True, slots=True)
class FormDraft:
    """What was typed, by field uid: ``texts``, the texts that stood there (``was``), names in lookups."""

    texts: Mapping[str, str]
    was: Mapping[str, str]
    names: Mapping[str, str]
    was_names: Mapping[str, str]
    revision: int | None = None  # of the record, when the form was opened
    record_type: str | None = None  # the uid
    at: datetime | None = None
    lines: Mapping[str, Any] = field(default_factory=dict)  # by the uid of their lookup, as JSON


class FormDrafts:
    """The drafts of the person who calls. ``record`` is None for a form that makes a record.

    ``about`` tells another form of the same record apart, such as that of a comment.
    """

    def __init__(self, call: Call, about: str = "") -> None:
        self._call = call
        self._about = about

    def get(self, object: ObjectDef, record: UUID | None, reader: Reader | None = None) -> FormDraft | None:
        """What was typed there, unless it is too old."""
        if reader is None:
            with self._call.tenant.store.read() as own:
                return self.get(object, record, own)
        found = reader.row(_get(reader.store), {"user_id": self._owner, "key": self._key(object, record)})
        if found is None:
            return None
        body, at = json_of(found[0]), instant_of(found[1])
        if at < self._oldest():
            return None
        return FormDraft(
            body["texts"], body["was"], body["names"], body["was_names"],
            body.get("revision"), body.get("record_type"), at, body.get("lines", {}),
        )  # fmt: skip

    def keep(self, object: ObjectDef, record: UUID | None, draft: FormDraft) -> None:
        """Keep it in place of what was there. Raises LimitReached (too big), Invalid (U+0000)."""
        body = kept(
            {
                "texts": dict(draft.texts),
                "was": dict(draft.was),
                "names": dict(draft.names),
                "was_names": dict(draft.was_names),
                "revision": draft.revision,
                "record_type": draft.record_type,
                "lines": dict(draft.lines),
            },
            MOST_BYTES,
        )
        mine = FORM.c.user_id == self._owner
        with self._call.tenant.store.write() as writer:
            writer.execute(sa.delete(FORM).where(FORM.c.updated_at < self._oldest()))  # everybody's
            writer.run(
                _keep(writer.store),
                {
                    "user_id": self._owner,
                    "key": self._key(object, record),
                    "body": body,
                    "updated_at": self._call.clock.now(),
                },
            )
            last = sa.select(FORM.c.key).where(mine).order_by(FORM.c.updated_at.desc()).limit(MOST_FORMS)
            writer.execute(sa.delete(FORM).where(mine, FORM.c.key.not_in(last)))

    def discard(self, object: ObjectDef, record: UUID | None) -> None:
        """Forget it; nothing happens where there is none."""
        with self._call.tenant.store.write() as writer:
            here = (FORM.c.user_id == self._owner) & (FORM.c.key == self._key(object, record))
            writer.execute(sa.delete(FORM).where(here))

    @property
    def _owner(self) -> UUID:
        owner = self._call.principal.user_id
        if owner is None:
            raise LookupError("the system has no forms")
        return owner

    def _key(self, object: ObjectDef, record: UUID | None) -> str:
        key = f"{object.uid}:{record.hex if record is not None else 'new'}"
        return f"{key}:{self._about}" if self._about else key

    def _oldest(self) -> datetime:
        return self._call.clock.now() - timedelta(days=self._call.tenant.limits.form_draft_days)


@lru_cache(maxsize=256)
def _get(store: Store) -> Prepared:
    chosen: sa.Select[Any] = sa.select(FORM.c.body, FORM.c.updated_at).where(
        FORM.c.user_id == sa.bindparam("user_id", type_=Uuid()),
        FORM.c.key == sa.bindparam("key", type_=sa.Text),
    )
    return prepare(store, chosen)


@lru_cache(maxsize=256)
def _keep(store: Store) -> Prepared:
    insert: Any
    if store.dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert
    added = insert(FORM).values(
        user_id=sa.bindparam("user_id", type_=Uuid()),
        key=sa.bindparam("key", type_=sa.Text),
        body=sa.bindparam("body", type_=Json()),
        updated_at=sa.bindparam("updated_at", type_=Instant()),
    )
    fresh = {"body": added.excluded.body, "updated_at": added.excluded.updated_at}
    return prepare(store, added.on_conflict_do_update(index_elements=["user_id", "key"], set_=fresh))
