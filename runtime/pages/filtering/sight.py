"""What a person sees of a condition: the rows of the builder, and each condition in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from uuid import UUID

from tabwright.formula.datatypes import OPAQUE
from tabwright.metadata.addresses import LABELS
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, ObjectDef, label_in
from tabwright.platform.errors import Invalid
from tabwright.platform.language import say
from tabwright.runtime.access.gate import CALLED, ResolvedPath
from tabwright.runtime.conditions import builder
from tabwright.runtime.conditions.builder import Group, Row
from tabwright.runtime.conditions.operators import Operand, Operator, operator, operators
from tabwright.runtime.currencies import symbol
from tabwright.runtime.desk import Call
from tabwright.runtime.pages.lookups import Lookups
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.query.reads import Reads

MOST_SHOWN = 3  # values that a chip names


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose; ``colour`` of a picklist's value."""

    value: str
    label: str
    chosen: bool = False
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields under one heading: the object's own (no heading), those behind a lookup."""

    label: str
    fields: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Control:
    """One input for what a field is compared with."""

    operand: Operand
    values: tuple[str, ...]
    prefix: str = ""  # a currency's sign, before the input
    suffix: str = ""  # %, days
    choices: tuple[Choice, ...] = ()
    options_href: str = ""  # where records are looked up


@dataclass(frozen=True, slots=True)
class RowSight:
    path: str
    label: str
    groups: tuple[FieldGroup, ...]
    operators: tuple[Choice, ...]
    controls: tuple[Control, ...]


@dataclass(frozen=True, slots=True)
class GroupSight:
    join: str
    parts: tuple[RowSight | GroupSight, ...]
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Said:
    """One condition in words: the field (or "any of these hold"), then what of it."""

    subject: str
    predicate: str


@dataclass
class Sight:
    """Shows conditions on an object's records to the person who calls.

    Under a draft ``lookups`` is the address below which a lookup's records are found, and ``reads`` answer in
    the draft's names.
    """

    call: Call
    object: ObjectDef
    lookups: str = "/o"
    reads: Reading | None = None
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    def resolve(self, path: str) -> FieldDef | None:
        """The field that a path leads to; None where this person knows of none."""
        found = self._resolved(path)
        return None if found is None else found.field

    def knows(self, path: str) -> bool:
        """Whether a path leads to a field that this person may read."""
        return self._resolved(path) is not None

    def _resolved(self, path: str) -> ResolvedPath | None:
        try:
            found = self.call.gate.resolve(self.object, path)
        except Invalid:
            return None
        return replace(found, field=self._seen(found.field))

    def _seen(self, field: FieldDef) -> FieldDef:
        """Of a value behind a mask can only be asked whether there is one: more would tell what it hides."""
        if field.mask is None or self.call.gate.has("unmask"):
            return field
        return replace(field, value_type=OPAQUE)

    def label(self, path: str) -> str:
        """The labels along a path: "Account › Industry"."""
        found = self._resolved(path)
        if found is None:
            return path
        return " › ".join(label_in(each.labels, self.call.language) for each in (*found.hops, found.field))

    # ---- the builder ----

    def group(self, group: Group, depth: int = 1) -> GroupSight:
        """A condition as nested rows."""
        parts = tuple(
            self.group(part, depth + 1) if isinstance(part, Group) else self.row(part) for part in group.parts
        )
        return GroupSight(group.join, parts, depth)

    def row(self, row: Row) -> RowSight:
        """One row with all that may be chosen in it. Raises Invalid for a path that leads nowhere."""
        named = self._resolved(row.path)
        if named is None:
            raise Invalid.of("condition.no_field", name=row.path[:80])
        found = self._operator(named.field, row.operator)
        known = operators(builder.kind_of(named.field))
        return RowSight(
            row.path,
            self.label(row.path),
            self.fields(row.path),
            tuple(Choice(each.name, self._say_operator(each), each is found) for each in known),
            tuple(self._controls(named, found, row.values)),
        )

    def _operator(self, field: FieldDef, name: str) -> Operator:
        kind = builder.kind_of(field)
        return operator(kind, name) or operators(kind)[0]

    def first_row(self) -> Row:
        """What a new row begins with: the record's name."""
        return self.fresh_row(
            self.object.name_field if self.resolve(self.object.name_field) else "created_at"
        )

    def fresh_row(self, path: str, name: str = "") -> Row:
        """A row on a field with nothing filled in yet."""
        named = self.resolve(path)
        if named is None or not operators(builder.kind_of(named)):
            raise Invalid.of("condition.no_field", name=path[:80])
        return Row(path, self._operator(named, name).name)

    def fields(self, chosen: str) -> tuple[FieldGroup, ...]:
        """The fields to choose from: one's own, then those one lookup away."""
        gate, language = self.call.gate, self.call.language
        own = tuple(self._choices(gate.readable(self.object), "", chosen))
        groups = [FieldGroup("", own)]
        groups += self._kinds(chosen)
        for each in self._offered(chosen):
            target = self.call.model.objects.get(each.target or "") if each.type != "owner" else None
            if each.system or target is None or not gate.may(target, "read"):
                continue
            behind = tuple(self._choices(gate.readable(target), each.name + ".", chosen))
            if behind:
                groups.append(FieldGroup(label_in(each.labels, language), behind))
        if all(choice.value != chosen for group in groups for choice in group.fields):
            groups[0] = FieldGroup("", (*own, Choice(chosen, self.label(chosen), True)))
        return tuple(groups)

    def _offered(self, chosen: str) -> Iterator[FieldDef]:
        """The fields to walk on from; of the retired ones only the one that is walked already."""
        for each in self.call.gate.readable(self.object):
            if each.active or chosen.startswith(each.name + "."):
                yield each

    def _kinds(self, chosen: str) -> Iterator[FieldGroup]:
        """Of each polymorphic field the kinds that it may name, and the name of whatever it names."""
        gate, language = self.call.gate, self.call.language
        for each in self._offered(chosen):
            if TYPES[each.type].parts:
                parts = tuple(
                    Choice(path, label_in(LABELS[name], language), path == chosen)
                    for name in TYPES[each.type].parts
                    if (path := f"{each.name}.{name}")
                )
                yield FieldGroup(label_in(each.labels, language), parts)
            if not each.kinds:
                continue
            called = each.called()
            path = f"{each.name}.{CALLED}"
            choices = [Choice(path, label_in(called.labels, language), path == chosen)]
            for target in (self.call.model.objects[name] for name in each.targets):
                path = f"{each.name}.{target.name}"
                if gate.may(target, "read"):
                    choices.append(Choice(path, label_in(target.labels, language), path == chosen))
            yield FieldGroup(label_in(each.labels, language), tuple(choices))

    def _choices(self, fields: Iterable[FieldDef], prefix: str, chosen: str) -> Iterator[Choice]:
        for each in fields:
            if (prefix and each.system) or not operators(builder.kind_of(self._seen(each))):
                continue
            if not each.active and prefix + each.name != chosen:
                continue  # retired: what stands may be read, nobody starts with it
            path = prefix + each.name
            yield Choice(path, label_in(each.labels, self.call.language), path == chosen)

    def _controls(self, named: ResolvedPath, found: Operator, values: tuple[str, ...]) -> Iterator[Control]:
        if found.operands in (("codes",), ("ids",)):
            yield self._many(named, found.operands[0], values)
            return
        for number, operand in enumerate(found.operands):
            value = values[number] if number < len(values) else ""
            yield Control(operand, (value,), *self._around(named.field, operand))

    def _around(self, field: FieldDef, operand: Operand) -> tuple[str, str]:
        if operand == "count":
            return "", text(self.call.language)("filter.days")
        if operand != "number":
            return "", ""
        if field.type == "geolocation":
            return "", text(self.call.language)("filter.km")
        return (symbol(field.currency) if field.currency else ""), ("%" if field.value_type.percent else "")

    def _many(self, named: ResolvedPath, operand: Operand, values: tuple[str, ...]) -> Control:
        if operand == "codes":
            return Control(operand, values, choices=tuple(self._codes(named.field, values)))
        holder = named.field.object
        return Control(
            operand,
            values,
            choices=tuple(Choice(id, self._name(named.field, id), True) for id in values),
            options_href=f"{self.lookups}/{holder}/lookup/{named.field.name}",
        )

    def _codes(self, field: FieldDef, chosen: tuple[str, ...]) -> Iterator[Choice]:
        """What there is to choose, and what was chosen though it is not there (any more)."""
        known: dict[str, Choice] = {}
        if field.type == "record_type":
            for type in self.call.model.objects[field.object].record_types.values():
                label = label_in(type.labels, self.call.language)
                known[type.name] = Choice(type.name, label, type.name in chosen)
        elif field.picklist is not None:
            for value in field.picklist.values:
                label = label_in(value.labels, self.call.language)
                known[value.code] = Choice(value.code, label, value.code in chosen, value.colour)
        yield from known.values()
        yield from (Choice(code, code, True) for code in dict.fromkeys(chosen) if code not in known)

    # ---- in words ----

    def say(self, part: Row | Group) -> Said:
        """A condition in words, for a chip."""
        t = text(self.call.language)
        if isinstance(part, Group):
            return Said(t("filter.group_" + part.join), t("filter.conditions", count=_rows(part)))
        named = self._resolved(part.path)
        if named is None:
            return Said(part.path, part.operator)
        found = self._operator(named.field, part.operator)
        said = self._say_operator(found)
        shown = [self._say_value(named.field, found, value) for value in part.values]
        if len(shown) > MOST_SHOWN:
            shown = [*shown[:MOST_SHOWN], t("filter.more", count=len(shown) - MOST_SHOWN)]
        if found.operands == ("place", "number"):
            words = {"place": shown[0], "distance": shown[1]}
            return Said(self.label(part.path), t(f"filter.{found.name}_said", **words))
        if found.operands == ("count",):
            return Said(self.label(part.path), t("filter.count_said", said=said, count="".join(shown)))
        joined = t("filter.and").join(shown) if len(found.operands) == 2 else t("filter.or").join(shown)
        return Said(self.label(part.path), f"{said} {joined}".strip())

    def _say_operator(self, found: Operator) -> str:
        return say("condition.op." + found.name, {}, self.call.language)

    def _say_value(self, field: FieldDef, found: Operator, value: str) -> str:
        operand = found.operands[0]
        if operand == "codes":
            return next((c.label for c in self._codes(field, (value,)) if c.value == value), value)
        if operand == "ids":
            return self._name(field, value)
        if operand == "number":
            before, after = self._around(field, operand)
            return f"{before}{_grouped(value)}{after}"
        return value

    def _name(self, field: FieldDef, id: str) -> str:
        """The name of a record that a row names; a person who may not read it sees that there is one."""
        key = (field.path, id)
        if key not in self._names:
            self._names[key] = self._find_name(field, id)
        return self._names[key]

    def _find_name(self, field: FieldDef, id: str) -> str:
        unknown = text(self.call.language)("filter.some_record")
        try:
            wanted = UUID(id)
        except ValueError:
            return id
        return Lookups(self.call, self.reads or Reads(self.call)).name(field, wanted) or unknown


def _rows(part: Row | Group) -> int:
    return 1 if isinstance(part, Row) else sum(map(_rows, part.parts))


def _grouped(value: str) -> str:
    try:
        return f"{Decimal(value):,f}"
    except InvalidOperation:
        return value
