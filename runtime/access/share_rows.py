"""Rows of ``access_share``: reading them, changing them together with the journal, letting them go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import prepare
from tabwright.platform.tables import ids_value, in_ids, instant_of, uuid_of
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.access.tables import GROUPS, LEVELS, SHARES, below
from tabwright.runtime.journal import writing as journal

if TYPE_CHECKING:
    from tabwright.platform.database import Reader, Writer
    from tabwright.runtime.desk import Call
    from tabwright.runtime.records.batch import Batch, Work
    from tabwright.runtime.records.hooks import Hooks

ACTION: Final = "share"  # of a change in the journal: the revision of the record stays
_PAIR: Final = "share"  # what a change's pairs stand under; no field has this number

Kind = Literal["user", "group", "position", "department", "queue"]
KINDS: tuple[Kind, ...] = ("user", "group", "position", "department", "queue")
WITH_BELOW = ("position", "department")
_NAMES = {level: name for name, level in LEVELS.items()}


@dataclass(frozen=True, slots=True)
class Whom:
    """People that a record may be shared with: a record of the organisation, for positions and departments
    also with all ``below`` it.
    """

    kind: str
    id: UUID
    below: bool = False

    @property
    def grantee(self) -> UUID:
        """The id under which ``access_member`` and ``access_share`` know them."""
        return below(self.id) if self.below else self.id


@dataclass(frozen=True, slots=True)
class Terms:
    """What a share gives. With a ``role`` it is a place in the record's team."""

    level: str
    role: str = ""
    reason: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """One row, in force or not. ``whom`` is None where they are no longer known."""

    record: UUID
    grantee: UUID
    whom: Whom | None
    terms: Terms
    created_at: datetime
    created_by: UUID

    def lasts(self, now: datetime) -> bool:
        return self.terms.expires_at is None or self.terms.expires_at > now


@dataclass(frozen=True, slots=True)
class Changed:
    """One share before and after, as the journal keeps it; None: there was none, there is none."""

    whom: Whom
    old: Share | None
    new: Share | None

    @property
    def json(self) -> tuple[str, Any]:
        who = {"kind": self.whom.kind, "id": self.whom.id.hex, "below": self.whom.below}
        return _PAIR, {"whom": who, "old": _json_of(self.old), "new": _json_of(self.new)}


def changed_in(record: UUID, pairs: Iterable[Sequence[Any]]) -> tuple[Changed, ...]:
    """The shares that an entry of the journal tells of, from its old values."""
    found = []
    for name, told in pairs:
        if name == _PAIR:
            who = Whom(told["whom"]["kind"], UUID(told["whom"]["id"]), bool(told["whom"]["below"]))
            found.append(Changed(who, _share(record, who, told["old"]), _share(record, who, told["new"])))
    return tuple(found)


def read(
    reader: Reader, records: Collection[UUID], grantee: UUID | None = None
) -> dict[tuple[UUID, UUID], Share]:
    """The shares of some records by (record, grantee), of one grantee or of all, in force or not."""
    dialect = reader.store.dialect
    # Every group has a key by its id as well, which says what kind it is of.
    known = sa.select(
        SHARES.c.record_id, SHARES.c.grantee, GROUPS.c.key, SHARES.c.level, SHARES.c.role, SHARES.c.reason,
        SHARES.c.expires_at, SHARES.c.created_at, SHARES.c.created_by,
    ).select_from(SHARES.outerjoin(GROUPS, GROUPS.c.group_id == SHARES.c.grantee))  # fmt: skip
    chosen = known.where(in_ids(dialect, SHARES.c.record_id))
    given: dict[str, Any] = {"ids": ids_value(dialect, sorted(records))}
    if grantee is not None:
        chosen = chosen.where(SHARES.c.grantee == sa.bindparam("grantee", type_=SHARES.c.grantee.type))
        given["grantee"] = grantee
    found: dict[tuple[UUID, UUID], Share] = {}
    for record, who, key, level, role, reason, expires, at, by in reader.rows(
        prepare(reader.store, chosen), given
    ):
        place = (uuid_of(record), uuid_of(who))
        whom = _whom_of(key, place[1]) if key is not None else None
        if place in found and whom is None:
            continue
        terms = Terms(_NAMES[level], role, reason, None if expires is None else instant_of(expires))
        found[place] = Share(*place, whom, terms, instant_of(at), uuid_of(by))
    return found


def change(
    call: Call,
    writer: Writer,
    object: ObjectDef,
    operation: UUID,
    wanted: Mapping[UUID, Sequence[Changed]],
    revisions: Mapping[UUID, int],
) -> None:
    """Bring the shares of some records from old to new, with the entries of the journal's operation."""
    dialect = writer.store.dialect
    gone: dict[UUID, list[UUID]] = {}
    more: list[dict[str, Any]] = []
    for record, changes in wanted.items():
        for each in changes:
            gone.setdefault(each.whom.grantee, []).append(record)
            if each.new is not None:
                more.append(_row(object, each.new))
    taken = sa.delete(SHARES).where(
        in_ids(dialect, SHARES.c.record_id),
        SHARES.c.grantee == sa.bindparam("grantee", type_=SHARES.c.grantee.type),
    )
    for grantee, records in gone.items():
        given = {"ids": ids_value(dialect, sorted(records)), "grantee": grantee}
        writer.run(prepare(writer.store, taken), given)
    if more:
        columns = {each.name: sa.bindparam(each.name, type_=each.type) for each in SHARES.c}
        added = prepare(writer.store, sa.insert(SHARES).values(columns))
        writer.insert_many(added, [tuple(row[name] for name in added.names) for row in more])
    journal.add_changes(
        writer,
        operation,
        call.tables.of(object).number,
        (
            (record, revisions[record], ACTION, journal.old_json([each.json for each in changes]))
            for record, changes in wanted.items()
        ),
    )


def forget_object(writer: Writer, uid: str) -> None:
    """Remove the shares of an object that is removed for good."""
    writer.execute(sa.delete(SHARES).where(SHARES.c.object == uid))


def register(hooks: Hooks) -> None:
    """Have shares go with what they share, and with whom. In the bin they wait with it, and open nothing."""
    hooks.register("jobs", _purged)


def _purged(batch: Batch, work: Work) -> None:
    gone = [row.id for row in batch.rows if row.changes and row.action == "purge" and row.id is not None]
    if not gone or work.rehearsal:
        return
    store = work.writer.store
    column, ids = SHARES.c.record_id, gone
    if batch.object.package == BASE:
        if batch.object.name not in KINDS:
            return
        column, ids = SHARES.c.grantee, [*gone, *map(below, gone)]
    statement = sa.delete(SHARES).where(in_ids(store.dialect, column))
    work.writer.run(prepare(store, statement), {"ids": ids_value(store.dialect, ids)})


# ---- forms of a share ------------------------------------------------------------------------------------


def _whom_of(key: str, grantee: UUID) -> Whom | None:
    kind, _, code = key.partition(":")
    is_below = kind.startswith("+")
    try:
        id = UUID(code)
    except ValueError:
        return None
    found = Whom(kind.lstrip("+"), id, is_below)
    return found if found.grantee == grantee and found.kind in KINDS else None


def _json_of(share: Share | None) -> dict[str, Any] | None:
    if share is None:
        return None
    terms, ends = share.terms, share.terms.expires_at
    return {
        "level": terms.level, "role": terms.role, "reason": terms.reason,
        "expires_at": None if ends is None else ends.isoformat(),
        "created_at": share.created_at.isoformat(), "created_by": share.created_by.hex,
    }  # fmt: skip


def _share(record: UUID, whom: Whom, told: Mapping[str, Any] | None) -> Share | None:
    if told is None:
        return None
    ends = told["expires_at"]
    terms = Terms(
        told["level"], told["role"], told["reason"], None if ends is None else datetime.fromisoformat(ends)
    )
    made, by = datetime.fromisoformat(told["created_at"]), UUID(told["created_by"])
    return Share(record, whom.grantee, whom, terms, made, by)


def _row(object: ObjectDef, share: Share) -> dict[str, Any]:
    terms = share.terms
    return {
        "record_id": share.record, "grantee": share.grantee, "object": object.uid,
        "level": LEVELS[terms.level], "role": terms.role, "reason": terms.reason,
        "expires_at": terms.expires_at, "created_at": share.created_at, "created_by": share.created_by,
    }  # fmt: skip
