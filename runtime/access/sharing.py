"""Sharing single records by hand, and their teams: the one place that writes ``access_share``.

Who may do everything with a record (its owner, who has it in full, who may change all) and has the right to
share it gives others as much of it as is open to them themselves. All verbs take one record or 1,000.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Denied, Fault, Invalid, LimitReached, NotFound, Place
from tabwright.runtime.access import principals
from tabwright.runtime.access.asking import Asked, allowed
from tabwright.runtime.access.gate import Gate, Level
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.access.share_rows import KINDS, WITH_BELOW, Changed, Share, Terms, Whom, change, read
from tabwright.runtime.access.share_undo import NEEDS, locked
from tabwright.runtime.access.tables import LEVELS
from tabwright.runtime.journal import sealer
from tabwright.runtime.journal import writing as journal
from tabwright.runtime.personal.notices import notify
from tabwright.runtime.personal.telling import ask_to_forget
from tabwright.runtime.query.reads import Reads

if TYPE_CHECKING:
    from tabwright.platform.database import Reader, Writer
    from tabwright.runtime.desk import Call

MOST: Final = 1_000  # records of one call
MOST_SHARES: Final = 500  # of one record
MOST_TEXT: Final = 500


class Shares:
    """The shares of records, on behalf of one call."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def of(self, object: str, record: UUID) -> list[Share]:
        """With whom a record is shared now, its team first. Raises NotFound as reading it does."""
        found = self._call.gate.object(object)
        self._call.gate.require(found, "read")
        Reads(self._call).get(found.name, record, ("id",))
        with self._call.tenant.store.read() as reader:
            return self.of_readable(reader, record)

    def of_readable(self, reader: Reader, record: UUID) -> list[Share]:
        """The same of a record that the caller is known to see."""
        now = self._call.clock.now()
        shares = (each for each in read(reader, [record]).values() if each.whom and each.lasts(now))
        return sorted(shares, key=lambda each: (not each.terms.role, each.created_at, each.grantee))

    def may_share(self, object: ObjectDef, row: Mapping[str, Any], reader: Reader) -> bool:
        """Whether the caller may share a loaded record ("id" and "owner")."""
        call = self._call
        return bool(allowed(call.tenant, call.gate, reader, object, "share", [Asked.of(row)]))

    @property
    def default_end(self) -> datetime:
        """When a share ends of which nobody says when."""
        return self._call.clock.now() + timedelta(days=self._call.tenant.limits.share_days)

    def give(self, object: str, records: Collection[UUID], whom: Whom, terms: Terms) -> UUID | None:
        """Share records with somebody, or change on what terms; all or none of them. Gives the operation of
        the journal, None where all was so already.

        Raises NotFound (records), Denied (not to be shared by this person, or not at this level), Invalid
        (whom, terms), LimitReached.
        """
        call, now = self._call, self._call.clock.now()
        found = self._sharable(object, records)
        self._check(found, whom, terms, now)
        with call.tenant.store.write() as writer:
            loaded = _lock(call, writer, found, records)
            require(call, writer, found, loaded, ("share", *NEEDS[terms.level]))
            there = read(writer, loaded)
            wanted: dict[UUID, list[Changed]] = {}
            for record in loaded:
                old = there.get((record, whom.grantee))
                if old is not None and old.terms == terms:
                    continue
                if old is None and sum(1 for (id, _) in there if id == record) >= MOST_SHARES:
                    raise LimitReached.at("share.too_many", "record_shares", MOST_SHARES)
                new = Share(record, whom.grantee, whom, terms, now, call.principal.user_id)
                wanted[record] = [Changed(whom, old, new)]
            return self._write(writer, found, wanted, loaded)

    def take_back(self, object: str, records: Collection[UUID], grantee: UUID) -> UUID | None:
        """End the shares of records with somebody, named by the ``grantee`` of a share; see ``give``."""
        call = self._call
        found = self._sharable(object, records)
        with call.tenant.store.write() as writer:
            loaded = _lock(call, writer, found, records)
            require(call, writer, found, loaded, ("share",))
            there = read(writer, loaded, grantee)
            wanted = {
                record: [Changed(each.whom, each, None)] for (record, _), each in there.items() if each.whom
            }
            return self._write(writer, found, wanted, loaded)

    # ---- inside ------------------------------------------------------------------------------------

    def _sharable(self, object: str, records: Collection[UUID]) -> ObjectDef:
        found = self._call.gate.object(object)
        self._call.gate.require(found, "read")
        if found.package == BASE:
            raise Invalid.of("share.base", Place(object=found.name))
        if found.master is not None:
            parent = found.fields[found.master].target or ""
            raise Invalid.of("share.part", Place(object=found.name), parent=parent)
        self._call.gate.require(found, "share")
        if len(set(records)) > MOST:
            raise LimitReached.at("share.too_many_records", "shared_records", MOST)
        return found

    def _check(self, object: ObjectDef, whom: Whom, terms: Terms, now: datetime) -> None:
        faults = []
        if whom.kind not in KINDS or (whom.below and whom.kind not in WITH_BELOW):
            raise Invalid.of("share.kind", Place(pointer="/with/kind"), kind=whom.kind[:40])
        try:
            Reads(self._call).get(whom.kind, whom.id, ("id",))
            if whom.kind == "user" and not self._signs_in(whom.id):
                faults.append(Fault("share.inactive", {}, Place(pointer="/with/id")))
        except NotFound:
            faults.append(Fault("share.nobody", {"id": whom.id.hex}, Place(pointer="/with/id")))
        if terms.level not in LEVELS:
            faults.append(Fault("share.level", {"level": terms.level[:40]}, Place(pointer="/level")))
        if terms.expires_at is not None and terms.expires_at <= now:
            faults.append(Fault("share.past", {}, Place(pointer="/expires_at")))
        for name, text in (("role", terms.role), ("reason", terms.reason)):
            if len(text) > MOST_TEXT or "\0" in text:
                faults.append(Fault("share.text", {"most": MOST_TEXT}, Place(pointer=f"/{name}")))
        if faults:
            raise Invalid(faults)

    def _signs_in(self, person: UUID) -> bool:
        call = self._call
        with call.tenant.store.read() as reader:
            return bool(principals.load_many(call.tenant, reader, call.model, [person], call.clock.now()))

    def _write(
        self,
        writer: Writer,
        object: ObjectDef,
        wanted: Mapping[UUID, list[Changed]],
        revisions: Mapping[UUID, tuple[UUID | None, int]],
    ) -> UUID | None:
        if not wanted:
            return None
        call = self._call
        operation = journal.record_event(call, writer, call.cause, {"shared": len(wanted)})
        change(call, writer, object, operation, wanted, {id: revisions[id][1] for id in wanted})
        _tell(call, writer, object, operation, wanted, revisions)
        writer.after_commit(lambda: sealer.ask(call.tenant, call.clock))
        return operation


def require(
    call: Call,
    reader: Reader,
    object: ObjectDef,
    loaded: Mapping[UUID, tuple[UUID | None, int]],
    levels: Iterable[Level],
) -> None:
    """Raises NotFound for records that this person may not see, Denied for those that are not open at these
    levels, each time with all of them.
    """
    records = [Asked(id, owner) for id, (owner, _) in loaded.items()]
    refused: tuple[tuple[type[NotFound | Denied], str, tuple[Level, ...]], ...] = (
        (NotFound, "record.not_found", ("read",)), (Denied, "share.denied", ("share",)),
        (Denied, "share.beyond", tuple(levels)),
    )  # fmt: skip
    for error, code, asked in refused:
        for level in asked:
            seen = allowed(call.tenant, call.gate, reader, object, level, records)
            missing = [each.id for each in records if each.id not in seen]
            if missing:
                raise error(_faults(code, object, missing))


def _faults(code: str, object: ObjectDef, ids: Iterable[UUID]) -> list[Fault]:
    params = {"object": object.name} if code == "record.not_found" else {}
    return [Fault(code, params, Place(object=object.name, record=id.hex)) for id in ids]


def _lock(
    call: Call, writer: Writer, object: ObjectDef, records: Iterable[UUID]
) -> dict[UUID, tuple[UUID | None, int]]:
    """Owner and revision of the records, which stay as they are until the transaction ends. NotFound."""
    loaded = locked(call, writer, object, records)
    missing = [id for id in dict.fromkeys(records) if id not in loaded]
    if missing:
        raise NotFound(_faults("record.not_found", object, missing))
    return loaded


def _tell(
    call: Call,
    writer: Writer,
    object: ObjectDef,
    operation: UUID,
    wanted: Mapping[UUID, list[Changed]],
    loaded: Mapping[UUID, tuple[UUID | None, int]],
) -> None:
    """Tell the person with whom records are shared that were not before, if they may see them now."""
    now, me = call.clock.now(), call.principal.user_id
    fresh: dict[UUID, list[UUID]] = {}
    for record, changes in wanted.items():
        for each in changes:
            is_new = each.new is not None and (each.old is None or not each.old.lasts(now))
            if is_new and each.whom.kind == "user" and each.whom.id != me:
                fresh.setdefault(each.whom.id, []).append(record)
    people = principals.load_many(call.tenant, writer, call.model, fresh, now)
    for id, principal in people.items():
        gate = Gate(call.model, principal)
        records = [Asked(each, loaded[each][0]) for each in fresh[id]]
        seen = allowed(call.tenant, gate, writer, object, "read", records)
        if seen:
            one = next(iter(seen)) if len(seen) == 1 else None
            by = {"by": me.hex}
            notify(writer, [id], "shared", by, object.uid, one, now, group=operation.hex, number=len(seen))
            writer.after_commit(lambda: ask_to_forget(call.tenant, now))
