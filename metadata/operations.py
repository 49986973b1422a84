"""What a publish will do to tables, as values: planned from two Models alone, each with its reverse.

The plan is for people and programs to read (preview, consequences, tests); ``runtime.storage`` fits the
tables themselves. Operations name things by uid, so a rename is no operation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from tabwright.metadata.fieldtypes import TEXT_TYPES, TYPES
from tabwright.metadata.model import FieldDef, Model, ObjectDef, UniqueRuleDef
from tabwright.metadata.ways import board_field, calendar_field


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """An object, as far as tables go. ``fields`` in the admin's order."""

    uid: str
    name: str
    fields: tuple[FieldShape, ...]


@dataclass(frozen=True, slots=True)
class FieldShape:
    """A field, as far as tables go; ``path`` is ``object.field``."""

    uid: str
    object_uid: str
    path: str
    type: str
    precision: int | None = None
    scale: int | None = None
    max_length: int | None = None

    @property
    def way(self) -> tuple[str, int | None]:
        """What a column is made for: two fields of one way need no conversion between them."""
        return (TYPES[self.type].storage, self.scale)


@dataclass(frozen=True, slots=True)
class RuleShape:
    """A unique rule: over which fields (uids), and whether case counts."""

    uid: str
    object_uid: str
    object: str
    name: str
    fields: tuple[str, ...]
    ignore_case: bool


@dataclass(frozen=True, slots=True)
class IndexShape:
    """An index that lookups and list views want: over which fields (uids)."""

    object_uid: str
    object: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One change of tables. ``reverse`` is the operation that takes it back."""

    code: ClassVar[str]

    @property
    def name(self) -> str:
        """What it is about, for the message of ``code``."""
        raise NotImplementedError

    def reverse(self) -> Operation:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class CreateObject(Operation):
    """A table for an object that never was."""

    object: ObjectShape
    code = "plan.create_object"

    @property
    def name(self) -> str:
        return self.object.name

    def reverse(self) -> Operation:
        return DropObject(self.object)


@dataclass(frozen=True, slots=True)
class RestoreObject(Operation):
    """The table of an object that was dropped comes back with its records."""

    object: ObjectShape
    code = "plan.restore_object"

    @property
    def name(self) -> str:
        return self.object.name

    def reverse(self) -> Operation:
        return DropObject(self.object)


@dataclass(frozen=True, slots=True)
class DropObject(Operation):
    """The table is put aside and kept for 30 days."""

    object: ObjectShape
    code = "plan.drop_object"

    @property
    def name(self) -> str:
        return self.object.name

    def reverse(self) -> Operation:
        return RestoreObject(self.object)


@dataclass(frozen=True, slots=True)
class AddField(Operation):
    """A column for a field that never was."""

    field: FieldShape
    code = "plan.add_field"

    @property
    def name(self) -> str:
        return self.field.path

    def reverse(self) -> Operation:
        return DropField(self.field)


@dataclass(frozen=True, slots=True)
class RestoreField(Operation):
    """The column of a field that was dropped comes back with its values."""

    field: FieldShape
    code = "plan.restore_field"

    @property
    def name(self) -> str:
        return self.field.path

    def reverse(self) -> Operation:
        return DropField(self.field)


@dataclass(frozen=True, slots=True)
class DropField(Operation):
    """The column is put aside and kept for 30 days."""

    field: FieldShape
    code = "plan.drop_field"

    @property
    def name(self) -> str:
        return self.field.path

    def reverse(self) -> Operation:
        return RestoreField(self.field)


@dataclass(frozen=True, slots=True)
class RetypeField(Operation):
    """Values are converted into a column of another way of storing."""

    old: FieldShape
    new: FieldShape
    code = "plan.retype_field"

    @property
    def name(self) -> str:
        return self.new.path

    def reverse(self) -> Operation:
        return RetypeField(self.new, self.old)


@dataclass(frozen=True, slots=True)
class AddSortKey(Operation):
    """A sort key column, filled for the records that there are."""

    field: FieldShape
    code = "plan.add_sort_key"

    @property
    def name(self) -> str:
        return self.field.path

    def reverse(self) -> Operation:
        return DropSortKey(self.field)


@dataclass(frozen=True, slots=True)
class DropSortKey(Operation):
    """The sort key column is no longer kept."""

    field: FieldShape
    code = "plan.drop_sort_key"

    @property
    def name(self) -> str:
        return self.field.path

    def reverse(self) -> Operation:
        return AddSortKey(self.field)


@dataclass(frozen=True, slots=True)
class AddUnique(Operation):
    """A unique index; records that agree already stand in its way."""

    rule: RuleShape
    code = "plan.add_unique"

    @property
    def name(self) -> str:
        return f"{self.rule.object}.{self.rule.name}"

    def reverse(self) -> Operation:
        return DropUnique(self.rule)


@dataclass(frozen=True, slots=True)
class DropUnique(Operation):
    """Records may agree again."""

    rule: RuleShape
    code = "plan.drop_unique"

    @property
    def name(self) -> str:
        return f"{self.rule.object}.{self.rule.name}"

    def reverse(self) -> Operation:
        return AddUnique(self.rule)


@dataclass(frozen=True, slots=True)
class AddIndex(Operation):
    """An index, so that a lookup or a list view stays quick."""

    index: IndexShape
    code = "plan.add_index"

    @property
    def name(self) -> str:
        return self.index.object

    def reverse(self) -> Operation:
        return DropIndex(self.index)


@dataclass(frozen=True, slots=True)
class DropIndex(Operation):
    """An index that nothing wants any more."""

    index: IndexShape
    code = "plan.drop_index"

    @property
    def name(self) -> str:
        return self.index.object

    def reverse(self) -> Operation:
        return AddIndex(self.index)


@dataclass(frozen=True, slots=True)
class RebuildSearch(Operation):
    """The global search reads the object's records again: other fields are searched than before."""

    object_uid: str
    object: str = dataclasses.field(compare=False)
    old: tuple[str, ...]  # field uids
    new: tuple[str, ...]
    code = "plan.rebuild_search"

    @property
    def name(self) -> str:
        return self.object

    def reverse(self) -> Operation:
        return RebuildSearch(self.object_uid, self.object, self.new, self.old)


def plan(old: Model | None, new: Model, kept: Collection[str] = ()) -> tuple[Operation, ...]:
    """What leads from the tables of one Model to those of another, in the order in which it can be done.

    ``kept`` are uids of dropped objects and fields whose data is still there: they are restored, not made.
    ``plan(a, b)`` reversed is ``plan(b, a)`` with everything of ``a`` kept, up to order.
    """
    before = {each.uid: each for each in old.objects.values()} if old else {}
    after = {each.uid: each for each in new.objects.values()}
    made: list[Operation] = []
    for uid, object in after.items():
        if uid in before:
            made += _changes(before[uid], object, kept)
        else:
            shape = object_shape(object)
            made.append(RestoreObject(shape) if uid in kept else CreateObject(shape))
            made += _extras(None, object)
    for uid, object in before.items():
        if uid not in after:
            made += _extras(object, None)
            made.append(DropObject(object_shape(object)))
    return tuple(made)


def reverse(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """The operations that take these back, in the order in which they can be done."""
    return tuple(each.reverse() for each in reversed(tuple(operations)))


def object_shape(object: ObjectDef) -> ObjectShape:
    """An object as far as tables go."""
    return ObjectShape(
        object.uid, object.name, tuple(_field_shape(object, each) for each in object.stored_fields)
    )


def _field_shape(object: ObjectDef, field: FieldDef) -> FieldShape:
    return FieldShape(
        field.uid, object.uid, field.path, field.type, field.precision, field.scale, field.max_length
    )


def _changes(old: ObjectDef, new: ObjectDef, kept: Collection[str]) -> Iterator[Operation]:
    before = {each.uid: each for each in old.stored_fields}
    after = {each.uid: each for each in new.stored_fields}
    for uid, field in after.items():
        shape = _field_shape(new, field)
        if uid not in before:
            yield RestoreField(shape) if uid in kept else AddField(shape)
            continue
        was = _field_shape(old, before[uid])
        if was.way != shape.way:
            yield RetypeField(was, shape)
    yield from _extras(old, new)
    for uid, field in before.items():
        if uid not in after:
            yield DropField(_field_shape(old, field))


def _extras(old: ObjectDef | None, new: ObjectDef | None) -> Iterator[Operation]:
    """What stands beside columns: sort keys, unique rules, indexes, search rows."""
    lost, won = _sort_keys(old), _sort_keys(new)
    for uid in won.keys() - lost.keys():
        yield AddSortKey(won[uid])
    for uid in lost.keys() - won.keys():
        yield DropSortKey(lost[uid])
    rules_before, rules_after = _rules(old), _rules(new)
    for key in rules_before.keys() - rules_after.keys():
        yield DropUnique(rules_before[key])
    for key in rules_after.keys() - rules_before.keys():
        yield AddUnique(rules_after[key])
    indexes_before, indexes_after = _indexes(old), _indexes(new)
    for each in sorted(indexes_before.keys() - indexes_after.keys()):
        yield DropIndex(indexes_before[each])
    for each in sorted(indexes_after.keys() - indexes_before.keys()):
        yield AddIndex(indexes_after[each])
    if old is not None and new is not None and _searched(old) != _searched(new):
        yield RebuildSearch(new.uid, new.name, _searched(old), _searched(new))


def _sort_keys(object: ObjectDef | None) -> dict[str, FieldShape]:
    if object is None:
        return {}
    return {
        each.uid: _field_shape(object, each)
        for each in object.stored_fields
        if each.type in TEXT_TYPES and (each.sortable or each.name == object.name_field)
    }


def _rules(object: ObjectDef | None) -> dict[tuple[str, tuple[str, ...], bool], RuleShape]:
    if object is None:
        return {}
    shapes = [_rule_shape(object, each) for each in object.unique_rules]
    return {(each.uid, each.fields, each.ignore_case): each for each in shapes}


def _rule_shape(object: ObjectDef, rule: UniqueRuleDef) -> RuleShape:
    fields = tuple(object.fields[name].uid for name in rule.fields)
    return RuleShape(rule.uid, object.uid, object.name, rule.name, fields, rule.ignore_case)


def _indexes(object: ObjectDef | None) -> dict[tuple[str, ...], IndexShape]:
    if object is None:
        return {}
    wanted: list[tuple[str, ...]] = [(each.uid,) for each in object.stored_fields if each.is_reference]
    wanted += [
        tuple(object.fields[name].uid for name, _ in each.order)
        for each in object.list_views.values()
        if each.order
    ]
    opened = (board_field(object, object.stored_fields), calendar_field(object, object.stored_fields))
    wanted += [(each.uid,) for each in opened if each is not None]
    return {fields: IndexShape(object.uid, object.name, fields) for fields in wanted}


def _searched(object: ObjectDef) -> tuple[str, ...]:
    if not object.searchable:
        return ()
    return tuple(
        sorted(each.uid for each in object.stored_fields if each.searchable or each.name == object.name_field)
    )
