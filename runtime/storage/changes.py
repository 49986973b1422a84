"""What must change in a store so that it fits a model: DDL and data steps, worked out before any is done.

``fit`` compares the model with ``physical``, not with another model: so a restored release, an interrupted
job and a plain publish take the same way, and what is dropped comes back when a model wants it again. It is
pure; ``apply_ddl`` does a step that is DDL, ``data.Filling`` one that fills columns.

A step is one of three kinds by when it is done:

* ``instant``: in the publish's transaction: tables, columns, indexes and conversions of small tables.
* ``prepare``: long, and the release would be wrong without it (a column of another type, a unique index):
  a job does it on columns that no model sees yet, then the release is published.
* ``after``: long, and the release is right without it, only slower (an index, a sort key): a job after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from tabwright.metadata.dependencies import fingerprint
from tabwright.metadata.model import FieldDef, Model, ObjectDef
from tabwright.platform.errors import Fault, Invalid, Place
from tabwright.platform.language import register_messages
from tabwright.runtime.storage.columns import WAYS, Conversion, Shape, shape_of, width
from tabwright.runtime.storage.ddl import Ddl, IndexSpec
from tabwright.runtime.storage.indexes import wanted
from tabwright.runtime.storage.tables import Entry, Physical, State, needs_fold, needs_sort_key

register_messages(Path(__file__).with_name("messages.json"))

INDEX_ROWS = 20_000  # an index on a table of up to this many rows is made in the publish
DATA_ROWS = 2_000  # so are conversions and keys: the table is locked meanwhile
MOST_BYTES = 7_000  # of a row's own fields in one table (PostgreSQL's page holds 8,160)
RESERVED = 1_000  # of the main table's bytes, for fields that need an index

When = Literal["instant", "prepare", "after"]


@dataclass(frozen=True, slots=True)
class CreateTable:
    object: str
    n: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class CreateSide:
    object: str
    n: int


@dataclass(frozen=True, slots=True)
class AddColumns:
    object: str
    n: int
    side: bool
    columns: tuple[tuple[str, Shape], ...]


@dataclass(frozen=True, slots=True)
class FillKey:
    """Fill the sort key ("s") or the folded form ("u") of the rows that are there."""

    object: str
    n: int
    field: str
    entry: Entry
    form: Literal["s", "u"]


@dataclass(frozen=True, slots=True)
class Convert:
    """Fill a column of a new shape from the one before it.

    ``former`` leads back, newest first, to a column that this field had in the new shape within 30 days. As
    far back as each value is what the one before it converts to, nothing has been written since, and the
    former value comes back as it was. ``stale_only``: a job has filled the column, only rows written since
    are left.
    """

    object: str
    n: int
    field: str
    old: Entry
    new: Entry
    conversion: Conversion
    former: tuple[
        tuple[Entry, Conversion], ...
    ] = ()  # a retired column, and how the next newer was made of it
    stale_only: bool = False


@dataclass(frozen=True, slots=True)
class BuildIndex:
    object: str
    entry: Entry
    spec: IndexSpec
    columns: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class DropIndex:
    object: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class FillFormula:
    """Work out a stored formula for the rows that are there."""

    object: str
    n: int
    field: str
    entry: Entry


Step = CreateTable | CreateSide | AddColumns | FillKey | Convert | BuildIndex | DropIndex | FillFormula


@dataclass(slots=True)
class Fit:
    """The steps to a model, and the rows of ``physical`` that they make or change."""

    instant: list[Step] = field(default_factory=list)
    formulas: list[FillFormula] = field(
        default_factory=list
    )  # in the publish too, once all columns are there
    prepare: list[Step] = field(default_factory=list)
    after: list[Step] = field(default_factory=list)
    entries: dict[int, Entry] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def steps(self) -> tuple[Step, ...]:
        return (*self.instant, *self.formulas, *self.prepare, *self.after)


def fit(
    model: Model,
    physical: Physical,
    rows: Callable[[int], int],
    now: datetime,
    same: Iterable[str] = (),
) -> Fit:
    """The way from ``physical`` to ``model``.

    ``rows(n)`` counts the rows of table ``o<n>``, up to just above INDEX_ROWS. ``same`` are names of objects
    that stand as the model says already. Raises Invalid where an object does not fit its two tables.
    """
    work = _Work(model, physical, rows, now)
    skip = frozenset(same)
    uids = {object.uid for object in model.objects.values()}
    for object in model.objects.values():
        if object.name not in skip:
            _fit_object(work, object)
    for entry in physical.entries:
        if entry.kind == "object" and entry.state == "live" and entry.uid not in uids:
            work.put(replace(entry, state="dropped", dropped_at=now))
    if work.fit.faults:
        raise Invalid(work.fit.faults)
    return work.fit


class _Work:
    """What one ``fit`` has come to so far."""

    def __init__(self, model: Model, physical: Physical, rows: Callable[[int], int], now: datetime) -> None:
        self.model = model
        self.physical = physical
        self.fit = Fit()
        self.now = now
        self._rows = rows
        self._counted: dict[int, int] = {}
        self._next = physical.next_number

    def rows(self, n: int) -> int:
        if n not in self._counted:
            self._counted[n] = self._rows(n)
        return self._counted[n]

    def put(self, entry: Entry) -> Entry:
        self.fit.entries[entry.n] = entry
        return entry

    def state(self, n: int) -> State:
        changed = self.fit.entries.get(n)
        return changed.state if changed else self.physical.number(n).state

    def new(
        self, kind: str, uid: str, object_n: int | None, storage: Mapping[str, Any], state: State
    ) -> Entry:
        n, self._next = self._next, self._next + 1
        return self.put(Entry(n, kind, uid, n if object_n is None else object_n, storage, state))


class _Room:
    """How full an object's two tables are."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.used = {"main": 0, "side": 0}
        for entry in entries:
            self.take(entry)

    def take(self, entry: Entry) -> None:
        self.used[entry.side] += bytes_of(entry.shape, entry.sort is not None, entry.fold is not None)

    def side_of(self, shape: Shape, size: int, indexed: bool) -> Literal["main", "side"] | None:
        """Where a new column goes; None: nowhere."""
        limit = MOST_BYTES if indexed else MOST_BYTES - RESERVED
        if not WAYS[shape.way].beside and self.used["main"] + size <= limit:
            return "main"
        return "side" if self.used["side"] + size <= MOST_BYTES else None


def bytes_of(shape: Shape, sort: bool, fold: bool) -> int:
    """Worst-case bytes of a field in its row, its sort key and folded form with it."""
    return width(shape) + (sort + fold) * width(Shape("text"))


def _fit_object(work: _Work, object: ObjectDef) -> None:
    own = work.physical.object(object.uid)
    fresh = own is None
    if own is None:
        own = work.new("object", object.uid, None, {}, "live")
    elif own.state != "live":
        own = work.put(replace(own, state="live", dropped_at=None))
    there = () if fresh else work.physical.of_object(own.n)
    room = _Room(entry for entry in there if entry.state != "gone")
    has_side = any(entry.side == "side" for entry in there)
    entries: dict[str, Entry] = {}
    added: list[Entry] = []
    for each in object.stored_fields:
        entry = _fit_field(work, object, each, own, room, added, fresh)
        if entry is not None:
            entries[each.name] = entry
    if work.fit.faults:
        return
    _add_columns(work, object, own.n, added, fresh, has_side)
    for each in object.stored_fields:
        entry = _fit_keys(work, object, each, entries[each.name], own, added)
        if each.computed is not None:
            entry = _fit_formula(work, object, each, entry, own, fresh)
        entries[each.name] = entry
    uids = {each.uid for each in object.stored_fields}
    for entry in there:
        if entry.state == "live" and entry.uid not in uids:
            work.put(replace(entry, state="dropped", dropped_at=work.now))
    _fit_indexes(work, object, own, entries, fresh)


def _fit_field(
    work: _Work, object: ObjectDef, each: FieldDef, own: Entry, room: _Room, added: list[Entry], fresh: bool
) -> Entry | None:
    """The entry of a field; a new column is put to ``added``, its DDL comes with those of the others."""
    shape = shape_of(each)
    history = () if fresh else work.physical.history("field", each.uid)
    # What people have written stays when the field becomes a formula, and comes back with it.
    for entry in history:
        if entry.is_computed != (each.computed is not None) and entry.state == "live":
            work.put(replace(entry, state="dropped", dropped_at=work.now))
    history = [entry for entry in history if entry.is_computed == (each.computed is not None)]
    present = next((e for e in reversed(history) if e.state == "live"), None) or next(
        (e for e in reversed(history) if e.state == "dropped"), None
    )
    unique = any(each.name in rule.fields for rule in object.unique_rules)
    if present is not None and present.shape == shape and not (unique and present.side == "side"):
        if present.state != "live":
            storage = present.storage
            if each.computed is not None:
                storage = {**storage, "formula": ""}  # records have changed since
            return work.put(replace(present, state="live", dropped_at=None, storage=storage))
        return present
    waiting = next((e for e in history if e.state == "building" and e.shape == shape), None)
    new = waiting or _new_column(work, object, each, own, room, unique, fresh)
    if new is None:
        return None
    if waiting is None:
        added.append(new)
    if present is None:
        return work.put(replace(new, state="live")) if waiting else new
    return _fit_conversion(work, object, each, own, present, new, waiting is not None)


def _new_column(
    work: _Work, object: ObjectDef, each: FieldDef, own: Entry, room: _Room, unique: bool, fresh: bool
) -> Entry | None:
    shape = shape_of(each)
    sort, fold = needs_sort_key(object, each), needs_fold(object, each)
    side = room.side_of(shape, bytes_of(shape, sort, fold), unique or each.is_reference or sort)
    if side is None or (unique and side == "side"):
        code = "storage.no_room_for_unique" if side else "storage.too_many_fields"
        place = Place(component=f"field/{each.path}", object=object.name, field=each.name)
        work.fit.faults.append(Fault(code, {"object": object.name, "field": each.name}, place))
        return None
    storage: dict[str, Any] = shape.as_json()
    if each.computed is not None:
        storage["formula"] = ""
    if side == "side":
        storage["side"] = True
    if sort:
        storage["sort"] = "live"
    if fold:
        storage["fold"] = "live"
    entry = work.new("field", each.uid, own.n, storage, "live")
    room.take(entry)
    return entry


def _fit_conversion(
    work: _Work, object: ObjectDef, each: FieldDef, own: Entry, old: Entry, new: Entry, waiting: bool
) -> Entry:
    ready = waiting and bool(new.storage.get("filled"))
    codes = None
    if each.picklist is not None and each.picklist.restricted:
        codes = frozenset(value.code for value in each.picklist.values)
    conversion = Conversion(old.shape, new.shape, codes, each.max_length)
    former = _former(
        [e for e in work.physical.history("field", each.uid) if e.is_computed == old.is_computed],
        old,
        new.shape,
    )
    if codes is not None or each.max_length is not None:
        # What the values had to keep when they were converted says, on the way back, which were lost.
        kept = {"codes": None if codes is None else sorted(codes), "longest": each.max_length}
        new = replace(new, storage={**new.storage, "limits": kept})
    if ready or (not waiting and work.rows(own.n) <= DATA_ROWS):
        live = work.put(replace(new, state="live"))
        work.put(replace(old, state="retired", dropped_at=work.now))
        step = Convert(object.name, own.n, each.name, old, live, conversion, former, ready)
        work.fit.instant.append(step)
        return live
    building = work.put(replace(new, state="building", storage={**new.storage, "mark": True}))
    work.fit.prepare.append(Convert(object.name, own.n, each.name, old, building, conversion, former))
    return building


def _former(history: Sequence[Entry], old: Entry, shape: Shape) -> tuple[tuple[Entry, Conversion], ...]:
    """The retired columns from ``old`` back to the newest of ``shape``; none where there is no such one."""
    found, newer = [], old
    for entry in reversed(history):
        if entry.state != "retired" or entry.n == old.n:
            continue
        limits = newer.storage.get("limits", {})
        codes = limits.get("codes")
        hop = Conversion(
            entry.shape, newer.shape, None if codes is None else frozenset(codes), limits.get("longest")
        )
        found.append((entry, hop))
        if entry.shape == shape:
            return tuple(found)
        newer = entry
    return ()


def _add_columns(
    work: _Work, object: ObjectDef, n: int, added: list[Entry], fresh: bool, has_side: bool
) -> None:
    added = [work.fit.entries[entry.n] for entry in added]
    ddl: list[Step] = []
    if fresh:
        ddl.append(CreateTable(object.name, n, tuple(e for e in added if e.side == "main")))
    if not has_side and any(entry.side == "side" for entry in added):
        ddl.append(CreateSide(object.name, n))
    for side in ("main", "side"):
        columns = [
            (name, entry.shape if name == entry.column else Shape("text"))
            for entry in added
            if entry.side == side and not (fresh and side == "main")
            for name in entry.columns
        ]
        if columns:
            ddl.append(AddColumns(object.name, n, side == "side", tuple(columns)))
    # A column that a job fills says in r<n> which revision of the row it was filled from.
    marks = [(f"r{entry.n}", Shape("integer")) for entry in added if entry.state == "building"]
    if marks:
        ddl.append(AddColumns(object.name, n, False, tuple(marks)))
    work.fit.instant[:0] = ddl


def _fit_keys(
    work: _Work, object: ObjectDef, each: FieldDef, entry: Entry, own: Entry, added: list[Entry]
) -> Entry:
    """Sort key and folded form of a field whose column was there before."""
    if any(entry.n == new.n for new in added):
        return entry  # a new column has them, and a conversion fills them
    for name, form, needed in (
        ("sort", "s", needs_sort_key(object, each)),
        ("fold", "u", needs_fold(object, each)),
    ):
        if not needed or entry.storage.get(name) == "live":
            continue
        if entry.storage.get(name) is None:
            add = AddColumns(object.name, own.n, entry.side == "side", ((f"{form}{entry.n}", Shape("text")),))
            work.fit.instant.append(add)
        small = work.rows(own.n) <= DATA_ROWS
        entry = work.put(replace(entry, storage={**entry.storage, name: "live" if small else "building"}))
        step = FillKey(object.name, own.n, each.name, entry, "s" if form == "s" else "u")
        if small:
            work.fit.instant.append(step)
        else:
            # An ignore-case rule would not hold without its folded forms.
            (work.fit.prepare if form == "u" else work.fit.after).append(step)
    return entry


def _fit_formula(
    work: _Work, object: ObjectDef, each: FieldDef, entry: Entry, own: Entry, fresh: bool
) -> Entry:
    """The column of a stored formula that has become another one is filled again."""
    if entry.state != "live":
        return entry
    wanted_by = fingerprint(work.model, object, each)
    if entry.storage["formula"] == wanted_by and not entry.is_filling:
        return entry
    storage = {key: value for key, value in entry.storage.items() if key != "fill"} | {"formula": wanted_by}
    rows = 0 if fresh else work.rows(own.n)
    unique = any(each.name in rule.fields for rule in object.unique_rules)
    if rows > DATA_ROWS and not unique:
        entry = work.put(replace(entry, storage=storage | {"fill": "building"}))
        work.fit.after.append(FillFormula(object.name, own.n, each.name, entry))
        return entry
    entry = work.put(replace(entry, storage=storage))
    if rows:
        work.fit.formulas.append(FillFormula(object.name, own.n, each.name, entry))
    return entry


def _fit_indexes(
    work: _Work,
    object: ObjectDef,
    own: Entry,
    entries: Mapping[str, Entry],
    fresh: bool,
) -> None:
    want = wanted(object, entries)
    have: dict[str, Entry] = {}
    for entry in () if fresh else work.physical.of_object(own.n, "index"):
        if entry.state not in ("live", "building"):
            continue
        if entry.uid.startswith("stale:") and work.state(int(entry.uid[6:])) == "building":
            continue
        spec = want.get(entry.uid)
        if spec is not None and IndexSpec.from_json(entry.storage["spec"]) == spec and entry.uid not in have:
            have[entry.uid] = entry
        else:
            work.fit.instant.append(DropIndex(object.name, entry))
            work.put(replace(entry, state="gone"))
    columns = tuple(entries.values())
    for key, spec in want.items():
        there = have.get(key)
        if there is not None and (there.state == "live" or there.storage.get("filled")):
            if there.state != "live":
                work.put(replace(there, state="live"))
            continue
        small = fresh or work.rows(own.n) <= INDEX_ROWS
        when: When = "instant" if small else "prepare" if spec.unique else "after"
        state: State = "live" if small else "building"
        if there is None:
            there = work.new("index", key, own.n, {"spec": spec.as_json()}, state)
        else:
            there = work.put(replace(there, state=state))
        getattr(work.fit, when).append(BuildIndex(object.name, there, spec, columns))


def apply_ddl(ddl: Ddl, step: Step) -> bool:
    """Do an instant step that is DDL. False: it is a data step."""
    match step:
        case CreateTable():
            ddl.create_table(step.n, step.entries)
        case CreateSide():
            ddl.create_side(step.n, ())
        case AddColumns():
            ddl.add_columns(f"o{step.n}x" if step.side else f"o{step.n}", step.columns)
        case BuildIndex():
            main = ddl.main(step.entry.object_n, [e for e in step.columns if e.side == "main"])
            ddl.create_index(step.spec.index(step.entry.n, main))
        case DropIndex():
            ddl.drop_index(step.entry.n, f"o{step.entry.object_n}")
        case _:
            return False
    return True
