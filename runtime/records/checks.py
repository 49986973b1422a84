"""The middle stages: defaults, access on the new row, validation, uniqueness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.links import Link
from tabwright.metadata.model import FieldDef, ObjectDef, label_in
from tabwright.platform.database import Prepared, prepare
from tabwright.platform.errors import Conflict, Denied
from tabwright.platform.tables import ids_value, in_ids, uuid_of
from tabwright.runtime.access.asking import Asked, allowed
from tabwright.runtime.query.choosing import Choice
from tabwright.runtime.records import built_in, origin, restrictions, rules
from tabwright.runtime.records.batch import Batch, Row, Work
from tabwright.runtime.records.formulas import Evaluation
from tabwright.runtime.records.loading import call_piece
from tabwright.runtime.records.picklists import check_picklists
from tabwright.runtime.records.plan import Unique
from tabwright.runtime.records.sealing import seal

# ---- defaults ------------------------------------------------------------------------------------


def defaults(batch: Batch, work: Work) -> None:
    """Fields that a new record was not given get their defaults: the record type's, else the field's own."""
    seal(batch, work)
    creates = batch.creates()
    booleans = batch.plan.booleans
    for row in batch.good:
        if row.new is not None:
            for name in booleans:
                if row.new[name] is None:
                    row.new[name] = False
    if not creates:
        return
    object = batch.object
    allowed = work.gate.record_types(object)
    by_type: dict[str | None, list[Row]] = {}
    for row in creates:
        new = row.new
        assert new is not None
        origin.fill(row, work)
        if allowed and new["record_type"] is None and "record_type" not in row.sent:
            new["record_type"] = allowed[0].uid
        by_type.setdefault(new["record_type"], []).append(row)
    for uid, rows in by_type.items():
        _defaults_of(batch, work, uid, rows)


def _defaults_of(batch: Batch, work: Work, uid: str | None, rows: list[Row]) -> None:
    object = batch.object
    kind = next((each for each in object.record_types.values() if each.uid == uid), None)
    own = kind.defaults if kind is not None else {}
    subsets = kind.picklists if kind is not None else {}
    for field in object.own_fields:
        formula = own.get(field.name, field.default)
        code = field.default_code
        if code is not None and field.name in subsets and code not in subsets[field.name]:
            code = None
        if formula is None and code is None:
            continue
        missing = [row for row in rows if field.name not in row.sent]
        if not missing:
            continue
        if formula is None:
            for row in missing:
                assert row.new is not None
                row.new[field.name] = code
            continue
        evaluation = Evaluation(batch.object, work, (formula,), missing)
        for row in missing:
            assert row.new is not None
            value = evaluation.value(formula, row, field)
            row.new[field.name] = value


# ---- what changed --------------------------------------------------------------------------------


def formulas(batch: Batch, work: Work) -> None:
    """Stored formulas get their values; then it is known what each update changes.

    A formula is worked out again where something that it reads of the record has changed. An update without
    values asks for all of them: something else that they are made of has changed.
    """
    together: dict[str, tuple[FieldDef, list[Row]]] = {}
    for field in batch.plan.computed:
        assert field.computed is not None
        if any(read.path[0] in together for read in field.computed.formula.reads):
            _work_out(batch, work, together)
            together = {}
        rows = [row for row in batch.rows if _is_due(field, row)]
        if rows:
            together[field.name] = field, rows
    _work_out(batch, work, together)
    names = (*batch.plan.own, "owner", "record_type")
    for row in batch.rows:
        if row.action == "update" and row.new is not None and row.old is not None:
            old, new = row.old, row.new
            row.changed = [name for name in names if new[name] != old[name]]
        elif row.action == "restore" and row.new is not None and row.old is not None:
            made = (each.name for each in batch.plan.computed)
            row.changed += [name for name in made if row.new[name] != row.old[name]]


def _is_due(field: FieldDef, row: Row) -> bool:
    if row.action not in ("create", "update", "restore") or row.new is None or row.faults:
        return False
    if row.old is None or not row.sent:  # a restored one, too: what it hangs on may have changed since
        return True
    assert field.computed is not None
    own = (read.path[0] for read in field.computed.formula.reads if not read.path[0].startswith("$"))
    return any(row.new.get(name) != row.old.get(name) for name in own)


def _work_out(batch: Batch, work: Work, together: Mapping[str, tuple[FieldDef, list[Row]]]) -> None:
    """Fields that do not hang on each other: what they look at is fetched at once."""
    if not together:
        return
    formulas = [field.computed.shown for field, _ in together.values() if field.computed is not None]
    every = {id(row): row for _, rows in together.values() for row in rows}
    evaluation = Evaluation(batch.object, work, formulas, list(every.values()))
    for formula, (field, rows) in zip(formulas, together.values(), strict=True):
        for row in rows:
            assert row.new is not None
            row.new[field.name] = evaluation.shown(formula, row)


# ---- access on the new row -----------------------------------------------------------------------


def access_new(batch: Batch, work: Work) -> None:
    """What the new row names must exist for the caller; ownership and record type are rights of their own."""
    built_in.demands(batch, work)
    origin.check(batch, work)
    writing = [row for row in batch.rows if row.action in ("create", "update") and row.new is not None]
    if not writing:
        return
    object = batch.object
    for field in batch.plan.references:
        if field.system and field.name not in ("owner", "created_by"):
            continue
        if field.name == "owner" and object.master is not None:  # the parent's
            continue
        name = field.name
        wanted: dict[UUID, list[Row]] = {}
        for row in writing:
            assert row.new is not None
            value = row.new[name]
            if value is not None and (name in row.changed or (row.old is None and name in row.sent)):
                wanted.setdefault(value, []).append(row)
        if wanted:
            _check_references(batch, work, field, wanted)
    once = [field.name for field in object.own_fields if field.read_only_after_create]
    giving = [
        Asked.of(row.old)
        for row in writing
        if row.old is not None and "owner" in row.changed and "owner" in row.sent
    ]
    given_away = allowed(work.call.tenant, work.gate, work.writer, object, "transfer", giving)
    types = {each.uid for each in work.gate.record_types(object)}
    for row in writing:
        if row.old is not None:
            for name in once:
                if name in row.changed and name in row.sent and not row.has_fault_at(name):
                    row.refuse("field.read_only_after_create", name, field=name)
            if "owner" in row.changed and "owner" in row.sent and not row.has_fault_at("owner"):
                if row.id not in given_away:
                    row.refuse("record.transfer_denied", "owner", kind=Denied)
                elif row.sent["owner"] is None and work.gate.principal.kind == "user":
                    row.refuse(
                        "value.required", "owner", field="owner"
                    )  # nobody's is lost to nearly everybody
        given = row.sent.get("record_type")
        if given is not None and given not in types and (row.old is None or "record_type" in row.changed):
            row.refuse("record.type_denied", "record_type", kind=Denied)
    restrictions.check(batch, work)


def _check_references(batch: Batch, work: Work, field: FieldDef, wanted: dict[UUID, list[Row]]) -> None:
    missing = dict(wanted)
    for target_name in field.targets:
        target = work.model.objects.get(target_name)
        asked = _of_kind(missing, target) if field.kinds and target is not None else missing
        if target is None or not asked:
            continue
        rule = work.gate.rule(target, "read")
        if rule.nothing:
            continue
        one = len(asked) == 1
        statement = call_piece(
            batch, work, "exists", lambda target=target, one=one: _exists(work, target, one),
            target.digest, rule.shape, one,
        )  # fmt: skip
        ids = UUID(int=next(iter(asked)).int) if one else ids_value(work.writer.store.dialect, sorted(asked))
        given = {**work.gate.viewer(), "ids": ids}
        there: dict[UUID, list[Row]] = {}
        for (found,) in work.writer.rows(statement, given):
            id = uuid_of(found)
            there[id] = missing.pop(id)
            for row in there[id]:
                if field.type == "owner" and row.new is not None:
                    row.new["owner_kind"] = target_name
                elif field.kinds and row.new is not None:
                    row.new[field.name] = Link(target.uid, id)
        for id, code in Choice(work.call, field, target).refused(work.writer, there).items():
            for row in there[id]:
                row.refuse(code, field.name, field=field.name, id=str(id))
    for id, rows in missing.items():
        for row in rows:
            row.refuse("value.no_such_record", field.name, field=field.name, id=str(id))


def _of_kind(wanted: dict[UUID, list[Row]], target: ObjectDef) -> dict[UUID, list[Row]]:
    """Those that may be of the target: an id without a kind may be of any."""
    return {id: rows for id, rows in wanted.items() if not isinstance(id, Link) or id.kind == target.uid}


def _exists(work: Work, target: ObjectDef, one: bool) -> Prepared:
    """Which of ``ids`` are there: several, or ``one`` (see ``ObjectPlan.load_statement``)."""
    store = work.writer.store
    table = work.call.tables.of(target)
    wanted = table.id == sa.bindparam("ids", type_=table.id.type) if one else in_ids(store.dialect, table.id)
    chosen = sa.select(table.id).where(wanted, table.deleted_at.is_(None))
    condition = work.gate.predicate(target, "read", work.call.tables)
    if condition is not None:
        chosen = chosen.where(condition)
    # Whoever deletes one of them at this moment waits for us, or we for him and then it is not there.
    return prepare(store, chosen.order_by(table.id).with_for_update(read=True, key_share=True))


# ---- validation ----------------------------------------------------------------------------------


def validation(batch: Batch, work: Work) -> None:
    """Required fields, picklist values that are no longer given, the admin's rules. The last stage that
    gathers.
    """
    object = batch.object
    writing = [row for row in batch.rows if row.action in ("create", "update") and row.new is not None]
    required = [field.name for field in object.own_fields if field.required]
    for row in writing:
        new = row.new
        assert new is not None
        for name in required:
            asked = new[name] is None and (row.old is None or name in row.changed or name in row.sent)
            if asked and not row.has_fault_at(name):
                row.refuse("value.required", name, field=name)
    check_picklists(object, batch.plan.inactive_codes, writing, work.language)
    rules.check(batch, work)
    if any(row.faults for row in batch.rows) and not batch.per_row:
        batch.stopped = True


# ---- uniqueness ----------------------------------------------------------------------------------


def uniqueness(batch: Batch, work: Work) -> None:
    """No two living records under one unique key: not in the store, and not among the rows of this batch.

    The partial unique index stands behind this for what another transaction writes at the same moment.
    """
    for unique in batch.plan.uniques:
        _check_unique(batch, work, unique)
    if any(row.faults for row in batch.rows) and not batch.per_row:
        batch.stopped = True


def _check_unique(batch: Batch, work: Work, unique: Unique) -> None:
    seen: dict[Any, Row] = batch.keys_seen.setdefault(("unique", unique.rule.uid), {})
    keys: dict[tuple[Any, ...], Row] = {}
    fields = set(unique.fields)
    for row in batch.rows:
        if row.new is None or row.action not in ("create", "update", "restore"):
            continue
        if row.faults and any(map(row.has_fault_at, fields)):
            continue
        if row.action == "update" and not fields.intersection(row.changed):
            continue
        key = unique.key(row.new)
        if key is None:
            continue
        first = keys.get(key) or seen.get(key)
        if first is not None and not first.faults:
            row.refuse(
                "unique.in_batch",
                unique.fields[0],
                kind=Conflict,
                other=first.number,
                **_said(batch, work, unique),
            )
            continue
        keys[key] = row
    if not keys:
        return
    seen.update(keys)
    name_field = batch.object.fields[batch.object.name_field]
    tells_name = work.gate.can_read(name_field) and name_field.mask is None
    taken = work.writer.rows(unique.statement, unique.parameters(keys))
    others = [Asked(uuid_of(id), None if owner is None else uuid_of(owner)) for id, owner, *_ in taken]
    readable = allowed(work.call.tenant, work.gate, work.writer, batch.object, "read", others)
    for id, _, called, *found in taken:
        mine = keys.get(tuple(found))
        other = uuid_of(id)
        if mine is None or mine.id == other or mine.has_fault_at(unique.fields[0]):
            continue
        if other in readable and _may_name(work, unique, batch.object):
            mine.refuse(
                "unique.taken",
                unique.fields[0],
                kind=Conflict,
                other=str(other),
                name=str(called) if tells_name and called else str(other),
                **_said(batch, work, unique),
            )
        else:
            # Who may not see the other record learns no more than that this value will not do.
            mine.refuse("unique.not_allowed", unique.fields[0], kind=Conflict)


def _may_name(work: Work, unique: Unique, object: ObjectDef) -> bool:
    return all(work.gate.can_read(object.fields[name]) for name in unique.fields)


def _said(batch: Batch, work: Work, unique: Unique) -> dict[str, str]:
    labels = [label_in(batch.object.fields[name].labels, work.language) for name in unique.fields]
    return {"fields": ("、" if work.language == "zh" else ", ").join(labels)}
