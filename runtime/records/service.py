"""Records: the one service through which every write passes, from page, API, import, rule and undo alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import (
    Conflict,
    Denied,
    Invalid,
    LimitReached,
    NotFound,
    Place,
    Stale,
    TabwrightError,
)
from tabwright.platform.language import register_messages
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.journal import sealer
from tabwright.runtime.records import pipeline, together
from tabwright.runtime.records.batch import Intent, Operation, Outcome, RowResult, Saved, Undone, Work
from tabwright.runtime.records.moving import close, under_the_release_in_force
from tabwright.runtime.records.together import Family, Lines, Together
from tabwright.runtime.records.undoing import undo_in

if TYPE_CHECKING:
    from tabwright.platform.database import Writer
    from tabwright.runtime.desk import Call

register_messages(Path(__file__).with_name("messages.json"))

_RIGHT = {
    "create": ("create",),
    "update": ("edit",),
    "upsert": ("create", "edit"),
    "delete": ("delete",),
    "restore": ("delete",),
    "purge": ("modify_all",),
}
MOST_DEEP = 16


class _Rehearsed(Exception):
    """Leaves the transaction of a rehearsal, so that it is rolled back."""

    def __init__(self, outcome: Outcome | None = None) -> None:
        super().__init__()
        self.outcome = outcome


class Records:
    """Writes on behalf of one call. Each verb is one transaction and one journal operation."""

    def __init__(self, call: Call) -> None:
        self._call = call

    # ---- one record ------------------------------------------------------------------------------

    def create(self, object: str, values: Mapping[str, Any]) -> Saved:
        """A new record. Raises NotFound, Denied, Invalid (every fault), Conflict (unique)."""
        return self._one(object, Intent("create", values=values))

    def update(
        self,
        object: str,
        id: UUID | str,
        values: Mapping[str, Any],
        revision: int | None = None,
        seen: int | None = None,
    ) -> Saved:
        """Change the fields that are given; the others are not touched.

        With ``revision`` any other present revision raises Stale (If-Match); with ``seen`` only fields
        that were
        changed since then by somebody else raise Conflict, each with current, actual and original; the
        rest merges.
        """
        return self._one(object, Intent("update", id, values, revision=revision, seen=seen))

    def upsert(self, object: str, key: tuple[str, Any], values: Mapping[str, Any]) -> Saved:
        """Update the record that a unique or external key field names, or make it."""
        return self._one(object, Intent("upsert", values=values, key=key))

    def delete(self, object: str, id: UUID | str, revision: int | None = None) -> Saved:
        """Into the recycle bin, with what the lookups' delete rules say. Raises Conflict where it is in
        use.
        """
        return self._one(object, Intent("delete", id, revision=revision))

    def restore(self, object: str, id: UUID | str) -> Saved:
        """Out of the recycle bin, with what its delete took along. Raises Conflict where its key was taken
        since.
        """
        return self._one(object, Intent("restore", id))

    def purge(self, object: str, id: UUID | str) -> Saved:
        """Out of the recycle bin for good."""
        return self._one(object, Intent("purge", id))

    def _one(self, object: str, intent: Intent) -> Saved:
        outcome = self.apply(object, (intent,))
        row = outcome.rows[0]
        assert row.id is not None
        return Saved(row.id, row.revision, row.outcome != "unchanged", outcome.operation, outcome.trace)

    # ---- many records ----------------------------------------------------------------------------

    def apply(
        self, object: str, intents: Sequence[Intent], reference: Mapping[str, Any] | None = None
    ) -> Outcome:
        """All or nothing: one fault raises an error with the faults of all rows, and nothing is written.

        ``reference`` is JSON that the journal's operation keeps: which import, which rule.
        """
        return self._written(object, intents, reference, per_row=False)

    def apply_each(
        self, object: str, intents: Sequence[Intent], reference: Mapping[str, Any] | None = None
    ) -> Outcome:
        """Row by row: good rows are written, the others come back ``failed`` with their faults."""
        return self._written(object, intents, reference, per_row=True)

    def apply_in(
        self,
        writer: Writer,
        object: ObjectDef,
        intents: Sequence[Intent],
        reference: Mapping[str, Any] | None = None,
        *,
        per_row: bool = False,
        rehearsal: bool = False,
    ) -> Outcome:
        """``apply`` or ``apply_each`` in a transaction of the caller's: a job's step, an import's chunk.

        Raises ReleaseMoved (``moving``) where the transaction must be begun again under a newer release.
        """
        call = self._call
        self._require(object, intents)
        work = self._work(writer, reference, rehearsal)
        outcome = pipeline.run(call.tenant.hooks, work, object, intents, per_row)
        close(work, (object,))
        if outcome.operation is not None:
            writer.after_commit(lambda: sealer.ask(call.tenant, call.clock))
        return outcome

    def rehearse(self, object: str, intents: Sequence[Intent]) -> Outcome:
        """What ``apply_each`` would do, by doing it and rolling it back. Ids of created rows will be
        others.
        """
        found = self._allowed(object, intents)
        try:
            with self._call.tenant.store.write() as writer:
                raise _Rehearsed(self.apply_in(writer, found, intents, per_row=True, rehearsal=True))
        except _Rehearsed as done:
            assert done.outcome is not None
            return done.outcome

    # ---- records with their lines ------------------------------------------------------------------

    def save(self, object: str, head: Intent, lines: Sequence[Lines]) -> Saved:
        """A record and lines of it in one transaction and one operation, all or nothing.

        ``head`` creates or updates. Raises what the one-record verbs raise, with the faults of all of them
        (see ``together.write``).
        """

        def once(call: Call) -> Saved:
            records = Records(call)
            found = records._allowed(object, (head,))
            with call.tenant.store.write() as writer:
                return records.save_in(writer, found, (Family(head, tuple(lines)),)).head

        return under_the_release_in_force(self._call, once)

    def save_in(
        self, writer: Writer, object: ObjectDef, families: Sequence[Family], *, per_row: bool = False
    ) -> Together:
        """Records with their lines in a transaction of the caller's, all or nothing; or ``per_row``, family
        by family: a head comes back failed with the faults of its lines. Raises what ``apply_in`` does.
        """
        call = self._call
        self._require_all(object, families)
        write = together.write_each if per_row else together.write
        saved = write(self._work(writer, None), call.tenant.hooks, object, families)
        if saved.operation is not None:
            writer.after_commit(lambda: sealer.ask(call.tenant, call.clock))
        return saved

    def rehearse_save(self, object: str, head: Intent, lines: Sequence[Lines]) -> TabwrightError | None:
        """What ``save`` would raise for the rows, found by doing it and rolling it back; None for nothing."""
        found = self._allowed(object, (head,))
        call, families = self._call, (Family(head, tuple(lines)),)
        self._require_all(found, families)
        try:
            with call.tenant.store.write() as writer:
                work = self._work(writer, None, rehearsal=True)
                together.write(work, call.tenant.hooks, found, families)
                raise _Rehearsed
        except _Rehearsed:
            return None
        except (Invalid, Conflict, Denied, NotFound, Stale, LimitReached) as error:
            return error

    # ---- undo ------------------------------------------------------------------------------------

    def undo(self, operation: UUID, reference: Mapping[str, Any] | None = None) -> Undone:
        """Take an operation back, with what followed from it: created records are deleted, updated ones
        get their
        old values, deleted ones are restored; records edited since are left and listed.

        Raises NotFound where there is no such operation, Denied where it was somebody else's and the
        caller may
        not change all records of an object in it.
        """

        def once(call: Call) -> Undone:
            with call.tenant.store.write() as writer:
                return Records(call).undo_in(writer, operation, reference)

        return under_the_release_in_force(self._call, once)

    def undo_in(self, writer: Writer, operation: UUID, reference: Mapping[str, Any] | None = None) -> Undone:
        """``undo`` in a transaction of the caller's: a job's step."""
        call = self._call
        work = self._work(writer, {"undo": operation.hex, **(reference or {})})
        work.operation.cause = "undo"
        undone = undo_in(work, operation, call.tenant.hooks)
        if undone.operation is not None:
            writer.after_commit(lambda: sealer.ask(call.tenant, call.clock))
        return undone

    # ---- inside ----------------------------------------------------------------------------------

    def _written(
        self, object: str, intents: Sequence[Intent], reference: Mapping[str, Any] | None, *, per_row: bool
    ) -> Outcome:
        def once(call: Call) -> Outcome:
            records = Records(call)
            found = records._allowed(object, intents)
            with call.tenant.store.write() as writer:
                return records.apply_in(writer, found, intents, reference, per_row=per_row)

        return under_the_release_in_force(self._call, once)

    def _allowed(self, object: str, intents: Sequence[Intent]) -> ObjectDef:
        """Authorisation stands before any write, and before the transaction."""
        found = self._call.gate.object(object)
        self._require(found, intents)
        return found

    def _require(self, object: ObjectDef, intents: Sequence[Intent]) -> None:
        if len(intents) > pipeline.MOST_ROWS:
            raise LimitReached.at("record.too_many", "bulk_rows", pipeline.MOST_ROWS)
        for action in {intent.action for intent in intents}:
            rights = _RIGHT.get(action)
            if rights is None:
                raise Invalid.of("record.bad_action", Place(object=object.name), action=str(action)[:40])
            for right in rights:
                self._call.gate.require(object, right)

    def _require_all(self, object: ObjectDef, families: Sequence[Family]) -> None:
        self._require(object, [each.head for each in families])
        asked: dict[str, list[Intent]] = {}
        for family in families:
            for lines in family.lines:
                asked.setdefault(lines.object, []).extend(lines.intents)
        for name, intents in asked.items():
            self._require(self._call.gate.object(name), intents)

    def _work(self, writer: Writer, reference: Mapping[str, Any] | None, rehearsal: bool = False) -> Work:
        call = self._call
        operation = Operation(call.ids.new(), call.cause, reference)
        return Work(call, writer, operation, call.clock.now(), nested, rehearsal=rehearsal)


def nested(parent: Work, cause: str, object: str, intents: Sequence[Intent]) -> Outcome:
    """The platform's own writes that follow from a write: with its rights, in its transaction, all or
    nothing.
    """
    if parent.depth >= MOST_DEEP:
        raise LimitReached.at("record.too_deep", "write_depth", MOST_DEEP)
    call = replace(parent.call, gate=Gate.system(parent.call.model), cause=cause)
    operation = Operation(call.ids.new(), cause, {"operation": parent.operation.id.hex})
    work = Work(call, parent.writer, operation, parent.now, nested, parent.depth + 1, parent.rehearsal)
    found = call.model.objects[object]
    done: list[RowResult] = []
    last: Outcome | None = None
    for start in range(0, max(len(intents), 1), pipeline.MOST_ROWS):
        part = intents[start : start + pipeline.MOST_ROWS]
        last = pipeline.run(call.tenant.hooks, work, found, part, per_row=False)
        done.extend(last.rows)
    assert last is not None
    close(work, (found,))
    return Outcome(tuple(done), last.operation, last.trace)
