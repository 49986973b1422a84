"""Which fields show more than their readers may know, being worked out, copied or preset from other fields.

A computed field, a snapshot and a default are made in system mode, so a field may show what a reader of it
may not read: an **input**. Three ways: no right to the input, not every record that it is read from, or the
input only behind its mask. Somebody has to accept each (``declassifies`` of the field's document); a release
that goes beyond what was accepted is not published (``check_disclosed``).

Nobody's own rights are asked here but what permission sets, alone or together, let through.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from threading import Lock
from typing import Literal
from uuid import UUID

from cachetools import LRUCache

from tabwright.formula.typed import Node
from tabwright.metadata.dependencies import EXISTS, Step, fingerprint, looked_at
from tabwright.metadata.documents import Component, read
from tabwright.metadata.model import FieldDef, Model, ObjectDef, PermissionSetDef
from tabwright.metadata.tree import Tree
from tabwright.platform.errors import Denied, Fault, Invalid, Param, Place
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.access.rights import field_right, object_rights

Why = Literal["field", "records", "mask"]
UNMASK = "unmask"
_NOBODY = UUID(int=0)
_SHOWN = 5  # names in a message


@dataclass(frozen=True, slots=True)
class Disclosure:
    """``field`` shows ``input`` to whoever holds the permission sets ``by`` (uids), who may not know it.

    ``made``: equal for two disclosures whose field is made in the same way.
    """

    object: str
    field: str
    uid: str
    input: str  # "account.revenue"; of records counted "account.id"
    input_uid: tuple[str, str]
    why: Why
    by: tuple[str, ...]
    accepted: bool
    made: str

    @property
    def path(self) -> str:
        return f"{self.object}.{self.field}"

    @property
    def key(self) -> tuple[Hashable, ...]:
        """The same in two releases, whatever has another name by then."""
        return self.uid, self.input_uid, self.why, self.by, self.made


@dataclass(frozen=True, slots=True)
class _Input:
    object: ObjectDef
    field: FieldDef
    route: tuple[Step, ...]


class _Reader:
    """Somebody who holds some permission sets and no record."""

    def __init__(self, model: Model, sets: tuple[str, ...]) -> None:
        self.sets = sets
        self._model = model
        self._gate = Gate(model, Principal(_NOBODY, "", permission_sets=sets))

    def sees(self, field: FieldDef) -> bool:
        return self._gate.may(self._model.objects[field.object], "read") and self._gate.can_read(field)

    def kept_from(self, object: ObjectDef, each: _Input) -> Why | None:
        """Why the input, read from where the record shown stands, is not all theirs; None where it is."""
        if not self.sees(each.field):
            return "field"
        if not self._all_seen(object, each):
            return "records"
        masked = each.field.mask is not None and each.field.type != "secret"  # of that only ISBLANK is asked
        return "mask" if masked and not self._gate.has(UNMASK) else None

    def _all_seen(self, object: ObjectDef, each: _Input) -> bool:
        """Whether whoever may read the record shown may read the records that the input is read from."""
        if not each.route or self.all_of(each.object):
            return True
        ways = {step.way for step in each.route}
        named = each.field.name in ("id", each.object.name_field)
        if named and ways == {"down"} and len(each.route) == 1:
            return True  # the name of what a lookup names is shown in any case
        along = all(self._model.objects[step.object].master == step.column for step in each.route)
        if not along or len(ways) > 1:
            return False
        # Parts are read by who reads their parent; a part may be open where its parent is not.
        return ways == {"up"} or not any(
            self.all_of(self._model.objects[step.object]) for step in each.route if step.way == "down"
        )

    def all_of(self, object: ObjectDef) -> bool:
        """Whether every record of the object is theirs to read."""
        return self._gate.may(object, "read") and self._gate.rule(object, "read").everything


class _Finding:
    """The disclosures of one model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._readers: dict[tuple[str, ...], _Reader] = {}

    def all(self) -> Iterator[Disclosure]:
        for object in self._model.objects.values():
            for field in object.own_fields:
                roots = tuple(_roots(object, field))
                inputs = tuple(self._inputs(object, roots)) if roots else ()
                if inputs:
                    yield from self._of(object, field, inputs, _made(self._model, object, field))

    def _of(
        self, object: ObjectDef, field: FieldDef, inputs: tuple[_Input, ...], made: str
    ) -> Iterator[Disclosure]:
        for reader in self._who_see(object, field):
            told: set[tuple[str, Why]] = set()
            for each in inputs:
                why, path = reader.kept_from(object, each), each.field.path
                if why is None or (path, why) in told:
                    continue
                told.add((path, why))
                yield Disclosure(
                    object.name, field.name, field.uid, path, (each.object.uid, each.field.uid), why,
                    reader.sets, path in field.declassifies, made,
                )  # fmt: skip

    def _inputs(self, object: ObjectDef, roots: Iterable[Node]) -> Iterator[_Input]:
        for root in roots:
            for name, seen, route in looked_at(self._model, object, root):
                at = self._model.objects[name]
                found = at.fields["id"] if seen == EXISTS else at.find(seen)
                if found is not None:
                    yield _Input(at, found, route)

    def _who_see(self, object: ObjectDef, field: FieldDef) -> Iterator[_Reader]:
        """The fewest sets that read a field: one, or one for the object and another for the field. Whoever
        holds more than these sees no less of the inputs.
        """
        alone: list[PermissionSetDef] = []
        rest: list[PermissionSetDef] = []
        for each in self._model.permission_sets.values():
            (alone if self._reader(each).sees(field) else rest).append(each)
        yield from map(self._reader, alone)
        opens = {each.uid: "read" in object_rights(each, object) for each in rest}
        words = {each.uid: field_right(each, object, field) != "none" for each in rest}
        for one, other in permutations(rest, 2):
            if opens[one.uid] and words[other.uid]:
                both = self._reader(one, other)
                if both.sees(field):
                    yield both

    def _reader(self, *sets: PermissionSetDef) -> _Reader:
        uids = tuple(sorted(each.uid for each in sets))
        found = self._readers.get(uids)
        if found is None:
            found = self._readers[uids] = _Reader(self._model, uids)
        return found


def _roots(object: ObjectDef, field: FieldDef) -> Iterator[Node]:
    """The formulas that a field's values come from. A virtual mirror is read with its reader's own rights."""
    if field.computed is not None:
        if field.computed.kind != "mirror" or field.computed.stored:
            yield field.computed.formula.root
    if field.snapshot is not None:
        yield field.snapshot.formula.root
    if field.default is not None:
        yield field.default.root
    for kind in object.record_types.values():
        if field.name in kind.defaults:
            yield kind.defaults[field.name].root


def _made(model: Model, object: ObjectDef, field: FieldDef) -> str:
    if field.computed is not None:
        return fingerprint(model, object, field)
    return field.snapshot.path if field.snapshot is not None else field.default.text if field.default else ""


def inputs_of(model: Model, object: ObjectDef, field: FieldDef) -> frozenset[str]:
    """All that a field is made from, as ``object.field``."""
    found = _Finding(model)._inputs(object, _roots(object, field))
    return frozenset(each.field.path for each in found)


_memo: LRUCache[str, tuple[Disclosure, ...]] = LRUCache(maxsize=8)
_lock = Lock()


def disclosures(model: Model) -> tuple[Disclosure, ...]:
    """Everything that fields of a model show to who may not know it; remembered by the model's content."""
    with _lock:
        found = _memo.get(model.digest)
    if found is None:
        found = tuple(dict.fromkeys(_Finding(model).all()))
        with _lock:
            _memo[model.digest] = found
    return found


@dataclass(frozen=True)
class Shown:
    """What one field comes to show of one input, for all who come to see it so."""

    each: tuple[Disclosure, ...]
    model: Model

    @property
    def first(self) -> Disclosure:
        return self.each[0]

    @cached_property
    def says(self) -> Fault:
        """In words: what, of what, to whom."""
        first = self.first
        sets = self.model.permission_sets
        names = sorted({" + ".join(sorted(sets[uid].name for uid in one.by)) for one in self.each})
        shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        params: dict[str, Param] = {"object": first.object, "field": first.field, "input": first.input,
                                    "sets": shown}  # fmt: skip
        place = Place(
            component=f"field/{first.path}", pointer="/declassifies", object=first.object, field=first.field
        )
        computed = self.model.objects[first.object].fields[first.field].computed
        adds_up = computed is not None and computed.kind == "roll_up"
        what = "children" if first.why == "records" and adds_up else first.why
        return Fault(f"publish.shows_{'accepted' if first.accepted else what}", params, place)


def newly_shown(old: Model | None, new: Model) -> tuple[Shown, ...]:
    """What a release shows that the one before did not, made otherwise, or to others: by field and input."""
    known = {each.key for each in disclosures(old)} if old is not None else set()
    groups: dict[tuple[str, str, str], list[Disclosure]] = {}
    for each in disclosures(new):
        if each.key not in known:
            groups.setdefault((each.path, each.input, "" if each.accepted else each.why), []).append(each)
    return tuple(Shown(tuple(group), new) for group in groups.values())


def accepted_by(old: Model | None, new: Model) -> tuple[str, ...]:
    """What a release accepts that the one before did not, for the journal: "deal.net: account.revenue"."""
    before: dict[str, frozenset[str]] = {}
    for object in old.objects.values() if old is not None else ():
        before |= {field.uid: field.declassifies for field in object.own_fields}
    found = []
    for object in new.objects.values():
        for field in object.own_fields:
            fresh = field.declassifies - before.get(field.uid, frozenset())
            found += [f"{field.path}: {each}" for each in sorted(fresh)]
    return tuple(found)


def accepting(tree: Tree, faults: Iterable[Fault]) -> Tree:
    """The tree with what was refused (``check_disclosed``) accepted in the documents of the fields. Raises
    Invalid with what no acceptance puts right.
    """
    found: dict[str, list[str]] = {}
    for each in faults:
        if not each.code.startswith("publish.shows_"):
            raise Invalid(faults)
        found.setdefault(f"{each.place.object}.{each.place.field}", []).append(str(each.params["input"]))
    return tree.changed(accepted_in(tree, path, inputs) for path, inputs in found.items())


def accepted_in(tree: Tree, path: str, inputs: Iterable[str]) -> Component:
    """The document of a field with some inputs more that it may show."""
    field = tree.get("field", path)
    assert field is not None
    listed = {*field.body.get("declassifies", ()), *inputs}
    return read({**field.document, "declassifies": sorted(listed)})


def check_disclosed(principal: Principal, old: Model | None, new: Model) -> None:
    """Raises Invalid with all that ``new`` would show and nobody accepted, or with what was accepted without
    being shown at all; Denied where this person accepts what they may not know themselves.
    """
    shown = newly_shown(old, new)
    faults = [each.says for each in shown if not each.first.accepted]
    faults += idle(old, new)
    if faults:
        raise Invalid(faults)
    ticked = set(accepted_by(old, new))
    if old is None or not ticked:
        return
    mine = Gate(new, principal)
    for group in shown:
        first = group.first
        if f"{first.path}: {first.input}" in ticked and not _knows(mine, new, group):
            raise Denied.of(
                "publish.accept_beyond", Place(component=f"field/{first.path}"), input=first.input
            )


def _knows(mine: Gate, model: Model, group: Shown) -> bool:
    """Whether a person knows of an input all that others are to be shown."""
    name, _, called = group.first.input.partition(".")
    object = model.objects[name]
    whys = {each.why for each in group.each}
    knows = mine.may(object, "read") and mine.can_read(object.fields[called])
    if "records" in whys:
        knows = knows and mine.rule(object, "read").everything
    return knows and ("mask" not in whys or mine.has(UNMASK))


def idle(old: Model | None, new: Model) -> tuple[Fault, ...]:
    """What fields were allowed to show and do not read, since this release: a permission kept for later."""
    found = _idle(new)
    known = set(_idle(old)) if found and old is not None else set()
    faults = []
    for (uid, each), field in found.items():
        if (uid, each) not in known:
            place = Place(component=f"field/{field.path}", pointer="/declassifies")
            params: dict[str, Param] = {"object": field.object, "field": field.name, "input": each}
            faults.append(Fault("publish.accepts_unread", params, place))
    return tuple(faults)


def _idle(model: Model) -> dict[tuple[str, str], FieldDef]:
    return {
        (field.uid, each): field
        for object in model.objects.values()
        for field in object.own_fields
        if field.declassifies
        for each in sorted(field.declassifies - inputs_of(model, object, field))
    }


def partly_seen(model: Model) -> frozenset[str]:
    """The uids of the objects of whose records somebody may read some and not all."""
    readers = [_Reader(model, (each.uid,)) for each in model.permission_sets.values()]
    return frozenset(
        object.uid
        for object in model.objects.values()
        if any(each.sees(object.fields["id"]) and not each.all_of(object) for each in readers)
    )
