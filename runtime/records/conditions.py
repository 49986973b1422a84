"""What the conditions of fields say of a record: which of them do not show, are required, are read-only, and
which values they offer.

A field has conditions of its own, which hold for everybody; the layout by which somebody sees the record has
more, which hold for them. Both hold on every way in: the write path asks here, and so do the forms (decision
0034).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tabwright.formula.compiler import Formula
from tabwright.metadata.model import FieldDef, LayoutDef, LayoutField, ObjectDef, RecordTypeDef, label_in
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import TenantRuntime
from tabwright.runtime.records.batch import Batch, Row, Work
from tabwright.runtime.records.formulas import Evaluation
from tabwright.runtime.records.picklists import codes_of

# The platform keeps these, whatever a layout says of them.
KEPT = frozenset(("id", "revision", "created_at", "created_by", "updated_at", "updated_by"))

# What has a value by itself: nobody is asked for one.
_GIVEN = frozenset(("auto_number", "boolean", "record_type", "owner"))

Holds = Callable[[Formula, bool], bool]  # a condition, and what it counts as where it cannot be computed
Ask = tuple[str, Formula | None]  # a field, and when; None: always


@dataclass(frozen=True, slots=True)
class Asked:
    """What the conditions say of one record, by the names of fields; ``withheld``: codes by field."""

    hidden: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    withheld: Mapping[str, frozenset[str]] = field(default_factory=dict)


NOTHING_ASKED = Asked()


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions of one object under one layout (or none), by the names of fields."""

    visible: tuple[tuple[str, Formula], ...] = ()
    required: tuple[Ask, ...] = ()
    read_only: tuple[Ask, ...] = ()
    offered: tuple[tuple[str, Mapping[str, Formula]], ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.visible or self.required or self.read_only or self.offered)

    @property
    def of_the_new(self) -> tuple[Formula, ...]:
        """What is judged on the record as it is to be saved."""
        found = [each for _, each in self.visible]
        found += [each for _, each in self.required if each is not None]
        found += [each for _, by_code in self.offered for each in by_code.values()]
        return tuple(found)

    @property
    def of_the_old(self) -> tuple[Formula, ...]:
        """What is judged on the record as it was saved last."""
        return tuple(each for _, each in self.read_only if each is not None)

    @property
    def depends(self) -> bool:
        """Whether anything hangs on what the record holds."""
        return bool(self.of_the_new or self.of_the_old)

    def asked(self, holds: Holds, stood: Holds | None) -> Asked:
        """All of it: ``holds`` judges the record as it is to be saved, ``stood`` as it was saved last (None:
        it is new).
        """
        hidden = self.hidden(holds)
        read_only = self.read_only_now(stood) if stood is not None else frozenset()
        return Asked(hidden, self.required_now(holds, hidden), read_only, self.withheld(holds))

    def hidden(self, holds: Holds) -> frozenset[str]:
        """The fields that do not show."""
        return frozenset(name for name, when in self.visible if not holds(when, True))

    def required_now(self, holds: Holds, hidden: Iterable[str] = ()) -> frozenset[str]:
        """The fields that must have a value; one that does not show needs none."""
        return frozenset(
            name
            for name, when in self.required
            if name not in hidden and (when is None or holds(when, False))
        )

    def read_only_now(self, holds: Holds) -> frozenset[str]:
        """The fields that may not be changed."""
        return frozenset(name for name, when in self.read_only if when is None or holds(when, False))

    def withheld(self, holds: Holds) -> dict[str, frozenset[str]]:
        """The codes that cannot be chosen, by field."""
        found: dict[str, frozenset[str]] = {}
        for name, by_code in self.offered:
            codes = frozenset(code for code, when in by_code.items() if not holds(when, True))
            found[name] = found.get(name, frozenset()) | codes
        return found


def conditions_of(tenant: TenantRuntime, object: ObjectDef, layout: LayoutDef | None) -> Conditions:
    """The conditions of the object's fields, and of those of the layout."""
    key = ("conditions", tenant.store.key, object.digest, layout.name if layout is not None else None)
    return tenant.pieces.get(key, lambda: _gathered(object, layout), 2_000)


def of_principal(
    tenant: TenantRuntime, gate: Gate, object: ObjectDef, record_type: RecordTypeDef | None
) -> Conditions:
    """The conditions that hold for what this principal writes on a record of that type."""
    return conditions_of(tenant, object, None if gate.is_system else gate.layout(object, record_type))


def _gathered(object: ObjectDef, layout: LayoutDef | None) -> Conditions:
    fields: list[FieldDef | LayoutField] = [each for each in object.own_fields if each.active]
    if layout is not None:
        fields += [
            each
            for part in layout.sections
            for each in part.fields
            if each.field in object.fields and each.field not in KEPT
        ]
    visible: list[tuple[str, Formula]] = []
    required: list[Ask] = []
    read_only: list[Ask] = []
    offered: list[tuple[str, Mapping[str, Formula]]] = []
    for each in fields:
        name = each.name if isinstance(each, FieldDef) else each.field
        here = object.fields[name]
        asks = not here.read_only and here.type not in _GIVEN
        if isinstance(each, LayoutField):
            if each.visible is not None:
                visible.append((name, each.visible))
            if each.required and asks:
                required.append((name, None))
            if each.read_only:
                read_only.append((name, None))
        if each.required_when is not None and asks:
            required.append((name, each.required_when))
        if each.read_only_when is not None:
            read_only.append((name, each.read_only_when))
        if each.offered_when:
            offered.append((name, each.offered_when))
    return Conditions(tuple(visible), tuple(required), tuple(read_only), tuple(offered))


# ---- the write path ------------------------------------------------------------------------------


def check(batch: Batch, work: Work) -> None:
    """Refuse what the conditions of the fields and of the caller's layout do not allow."""
    object = batch.object
    by_type: dict[str | None, list[Row]] = {}
    for row in batch.rows:
        if row.action in ("create", "update") and row.new is not None:
            by_type.setdefault(row.new["record_type"], []).append(row)
    for uid, rows in by_type.items():
        record_type = next((each for each in object.record_types.values() if each.uid == uid), None)
        asked = of_principal(work.call.tenant, work.gate, object, record_type)
        if not asked.any:
            continue
        if asked.read_only and not work.gate.is_system:  # the platform's own writes are not by hand
            _check_read_only(asked, batch, work, rows)
        if asked.visible or asked.required or asked.offered:
            _check_new(asked, batch, work, rows)


def _check_read_only(asked: Conditions, batch: Batch, work: Work, rows: Sequence[Row]) -> None:
    always = {name for name, when in asked.read_only if when is None}
    some = {name for name, _ in asked.read_only}
    stood: dict[int, Row] = {}
    for row in rows:
        if row.old is None:
            _check_made(batch, row, always)
        elif some.intersection(row.changed, row.sent):
            # The record as it stands is what the condition is about.
            shadow = Row(row.number, row.intent)
            shadow.id, shadow.old, shadow.new = row.id, row.old, row.old
            stood[row.number] = shadow
    if not stood:
        return
    evaluation = Evaluation(batch.object, work, asked.of_the_old, list(stood.values()))
    for row in rows:
        if row.number not in stood:
            continue

        def holds(when: Formula, failed: bool, shadow: Row = stood[row.number]) -> bool:
            return evaluation.truth(when, shadow, failed)

        for name in asked.read_only_now(holds):
            if name in row.changed and name in row.sent and not row.has_fault_at(name):
                row.refuse("field.read_only_here", name, field=name)


def _check_made(batch: Batch, row: Row, always: Iterable[str]) -> None:
    """A new record takes no value for what its maker's layout shows only; by its key it may be named."""
    key = row.intent.key[0] if row.intent.key is not None else None
    new = row.new
    assert new is not None
    for name in always:
        given = name in row.sent and new[name] not in (None, False)
        if given and name != key and not row.has_fault_at(name):
            row.refuse("field.read_only_here", name, field=name)


def _check_new(asked: Conditions, batch: Batch, work: Work, rows: Sequence[Row]) -> None:
    evaluation = Evaluation(batch.object, work, asked.of_the_new, rows)
    reads: dict[str, frozenset[str]] = {}
    for name, when in (*asked.required, *asked.visible):
        reads[name] = reads.get(name, frozenset()) | _read_by(when)
    for row in rows:
        new, old = row.new, row.old
        assert new is not None

        def holds(when: Formula, failed: bool, row: Row = row) -> bool:
            return evaluation.truth(when, row, failed)

        hidden = asked.hidden(holds)
        for name in hidden:
            given = name in row.sent and new[name] not in (None, False)
            if given and (old is None or new[name] != old[name]) and not row.has_fault_at(name):
                row.refuse("field.does_not_show", name, field=name)
        for name in asked.required_now(holds, hidden):
            if new[name] is None and not row.has_fault_at(name) and _asks(row, name, reads[name]):
                row.refuse("value.required", name, field=name)
        for name, codes in asked.withheld(holds).items():
            picks = batch.object.fields[name]
            before = codes_of(picks, old[name]) if old is not None else ()
            for code in codes_of(picks, new[name]):
                if code in codes and code not in before and not row.has_fault_at(name):
                    known = picks.picklist.value(code) if picks.picklist is not None else None
                    said = label_in(known.labels, work.language) if known is not None else code
                    row.refuse("value.not_offered", name, field=name, value=said)


def _asks(row: Row, name: str, reads: frozenset[str]) -> bool:
    """Whether a blank is this write's doing: what stood blank already is left to whoever touches it."""
    touched = row.old is None or name in row.changed or name in row.sent
    return touched or not reads.isdisjoint(row.changed)


def _read_by(when: Formula | None) -> frozenset[str]:
    """The fields of the record on which a condition depends."""
    return frozenset() if when is None else frozenset(read.path[0] for read in when.reads)
