"""Sample data of a package: CSV files that stay young and know each other.

A sample file is a CSV named like its object. Three columns and two kinds of cell mean more than their text:
``@key`` names the row for other rows of the package (a lookup cell holds such a key), ``@owner`` is a number
that picks an owner out of those given; a cell ``@today+12`` is a date so many days from today, and
``@today-3T09:30`` a time on that day (UTC). Everything goes in through the one write path, each file as an
import of the platform's own, so that all of it can be taken back in one go.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import Model, ObjectDef
from tabwright.platform.errors import Conflict, Fault, Invalid, NotFound, Place
from tabwright.runtime.access.principal import SYSTEM_ID
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange.runs import NO_COUNTS
from tabwright.runtime.exchange.sources import Format
from tabwright.runtime.exchange.tables import OPERATION, RUN
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.batch import Intent, Outcome, Undone
from tabwright.runtime.records.moving import under_the_release_in_force
from tabwright.runtime.records.service import Records

_RELATIVE = re.compile(r"@today([+-]\d+)?(?:T(\d\d):(\d\d))?")
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Removed:
    """What taking samples back came to. ``left``: why records stay, such as those that somebody edited."""

    imports: int
    records: int
    left: tuple[Fault, ...]


def load_samples(
    call: Call,
    package: str,
    files: Mapping[str, str],
    owners: Sequence[UUID] = (),
    progress: Callable[[str, int], None] = lambda object, count: None,
) -> dict[str, int]:
    """Create the records of ``files`` (CSV by object) in that order; {object: how many}.

    Raises Conflict (``import.samples_loaded``) where the package's samples are there, Invalid with the faults
    of the first chunk that does not go in; chunks before it stay until ``remove_samples``.
    """
    if loaded(call, package):
        raise Conflict.of("import.samples_loaded", package=package)
    keys: dict[str, UUID] = {}
    counts: dict[str, int] = {}
    today = call.clock.now().date()
    for name, text in files.items():
        object_ = call.gate.object(name)
        counts[name] = 0
        run = _begun(call, object_, package)
        waiting: list[tuple[str, dict[str, object]]] = []
        for key, row in _rows(text, name):
            if len(waiting) == _CHUNK or _names(row, object_) & {each for each, _ in waiting}:
                counts[name] += _create(call, run, object_, waiting, keys)
                progress(name, counts[name])
                waiting = []
            waiting.append((key, _values(row, object_, keys, owners, today)))
        counts[name] += _create(call, run, object_, waiting, keys)
        _ended(call, run, "done", counts[name])
        progress(name, counts[name])
    return counts


def check_samples(model: Model, package: str, objects: Iterable[str]) -> None:
    """Raises Invalid (``import.samples_foreign``) for objects that the package did not bring: its samples are
    written by the platform itself, which may write everywhere.
    """
    faults = []
    for name in objects:
        object_ = model.objects.get(name)
        if object_ is None or object_.package != package or package == BASE:
            place = Place(component=f"samples/{name}.csv", object=name)
            faults.append(Fault("import.samples_foreign", {"object": name, "package": package}, place))
    if faults:
        raise Invalid(faults)


def load_all(
    call: Call,
    package: str,
    files: Mapping[str, str],
    progress: Callable[[str, int], None] = lambda object, count: None,
) -> dict[str, int]:
    """Load the samples of a package that the tenant has, or none of them; {object: how many}.

    They are owned in turn by the users who may create records. Raises Conflict (``import.samples_no_owner``),
    and as ``check_samples`` and ``load_samples`` do.
    """
    check_samples(call.model, package, files)
    owners = owners_of(call)
    if not owners:
        raise Conflict.of("import.samples_no_owner")
    try:
        return load_samples(call, package, files, owners, progress)
    except Invalid:
        with suppress(NotFound):
            remove_samples(call, package)
        raise


def owners_of(call: Call) -> list[UUID]:
    """Who may own samples: active users with a permission set that lets them create records, by name."""
    making = {
        uid
        for uid in call.model.grantable
        if any("create" in rights for set in call.model.sets_of((uid,)) for rights in set.objects.values())
    }
    given = _all(call, Query("permission_assignment", ("user", "permission_set")))
    held = {row["user"] for row in given if row["permission_set"] in making}
    everybody = _all(call, Query("user", ("id", "active"), order=(("name", "asc"),)))
    return [row["id"] for row in everybody if row["active"] and row["id"] in held]


def _all(call: Call, query: Query) -> Iterator[Mapping[str, Any]]:
    reads = Reads(call)
    while True:
        page = reads.list(query)
        yield from page.rows
        if page.next_cursor is None:
            return
        query = replace(query, cursor=page.next_cursor)


def remove_samples(
    call: Call, package: str, progress: Callable[[str, int], None] = lambda file, count: None
) -> Removed:
    """Take back every sample of a package, the last file first; records edited since stay and are told.

    What is taken back lies in the recycle bin. Raises NotFound (``import.samples_none``) without samples.
    """
    found = loaded(call, package)
    if not found:
        raise NotFound.of("import.samples_none", package=package)
    records, left = 0, list[Fault]()
    for run, filename in found:
        count = 0
        while (operation := _last(call, run)) is not None:
            undone = under_the_release_in_force(call, partial(_undo, run, operation))
            count += sum(each.count("deleted") for each in undone.outcomes)
            left += undone.left
        _ended(call, run, "undone", None)
        progress(filename, count)
        records += count
    return Removed(len(found), records, tuple(left))


# ---- imports of the platform's own ------------------------------------------------------------------


def loaded(call: Call, package: str) -> list[tuple[UUID, str]]:
    """The imports of a package's samples that are not taken back, the last first."""
    # A slash in the name: no file that a person uploads has one.
    chosen = sa.select(RUN.c.id, RUN.c.filename).where(
        RUN.c.created_by == SYSTEM_ID,
        RUN.c.state != "undone",
        RUN.c.filename.startswith(f"{package}/", autoescape=True),
    )
    with call.tenant.store.read() as reader:
        return [(row.id, row.filename) for row in reader.execute(chosen.order_by(RUN.c.id.desc()))]


def _begun(call: Call, object: ObjectDef, package: str) -> UUID:
    id, now = call.ids.new(), call.clock.now()
    values = {
        "id": id,
        "object_uid": object.uid,
        "filename": f"{package}/{object.name}.csv",
        "size": 0,
        "format": Format("csv").to_json(),
        "header": [],
        "sample": [],
        "row_count": 0,
        "settings": {"mode": "create", "key": None, "columns": {}},
        "state": "running",
        "counts": dict(NO_COUNTS),
        "taken_row": 0,
        "language": call.language,
        "zone": call.zone,
        "created_by": SYSTEM_ID,
        "created_at": now,
        "updated_at": now,
    }
    with call.tenant.store.write() as writer:
        writer.execute(sa.insert(RUN), values)
    return id


def _ended(call: Call, run: UUID, state: str, count: int | None) -> None:
    values: dict[str, object] = {"state": state, "updated_at": call.clock.now()}
    if count is not None:
        values |= {"row_count": count, "taken_row": count, "counts": {**NO_COUNTS, "created": count}}
    with call.tenant.store.write() as writer:
        writer.execute(sa.update(RUN).where(RUN.c.id == run).values(values))


def _last(call: Call, run: UUID) -> UUID | None:
    chosen = sa.select(OPERATION.c.operation_id).where(
        OPERATION.c.import_id == run, OPERATION.c.kind == "import", OPERATION.c.undone.is_(False)
    )
    with call.tenant.store.read() as reader:
        newest = chosen.order_by(OPERATION.c.operation_id.desc()).limit(1)
        return reader.execute(newest).scalar_one_or_none()


def _undo(run: UUID, operation: UUID, call: Call) -> Undone:
    with call.tenant.store.write() as writer:
        undone = Records(call).undo_in(writer, operation, {"import": run.hex})
        same = (OPERATION.c.import_id == run, OPERATION.c.operation_id == operation)
        writer.execute(sa.update(OPERATION).where(*same).values(undone=True))
    return undone


# ---- rows --------------------------------------------------------------------------------------------


def _rows(text: str, object: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The rows by their keys. Raises Invalid (``import.samples_broken``) for a row that is none."""
    place = Place(component=f"samples/{object}.csv")
    try:
        for number, row in enumerate(csv.DictReader(io.StringIO(text, newline=""), strict=True), 2):
            if not row.get("@key") or None in row or None in row.values():
                raise Invalid.of("import.samples_broken", replace(place, row=number), object=object)
            yield row.pop("@key"), row
    except csv.Error as error:
        raise Invalid.of("import.samples_broken", place, object=object) from error


def _names(row: Mapping[str, str], object_: ObjectDef) -> set[str]:
    """The keys that the row's lookups name."""
    return {cell for column, cell in row.items() if _is_lookup(object_, column) and cell}


def _is_lookup(object_: ObjectDef, column: str) -> bool:
    field = object_.find(column)
    return field is not None and (TYPES[field.type].links or TYPES[field.type].several)


def _values(
    row: Mapping[str, str],
    object_: ObjectDef,
    keys: Mapping[str, UUID],
    owners: Sequence[UUID],
    today: dt.date,
) -> dict[str, object]:
    values: dict[str, object] = {}
    try:
        _fill(values, row, object_, keys, owners, today)
    except (KeyError, ValueError, OverflowError) as error:  # a key of no row, a number that is none
        place = Place(component=f"samples/{object_.name}.csv")
        raise Invalid.of("import.samples_broken", place, object=object_.name) from error
    return values


def _fill(
    values: dict[str, object],
    row: Mapping[str, str],
    object_: ObjectDef,
    keys: Mapping[str, UUID],
    owners: Sequence[UUID],
    today: dt.date,
) -> None:
    for column, cell in row.items():
        if not cell:
            continue
        if column == "@owner":
            if owners:
                values["owner"] = str(owners[int(cell) % len(owners)])
        elif _is_lookup(object_, column):
            values[column] = str(keys[cell])
        elif found := _RELATIVE.fullmatch(cell):
            day = today + dt.timedelta(days=int(found[1] or 0))
            values[column] = f"{day.isoformat()}T{found[2]}:{found[3]}:00Z" if found[2] else day.isoformat()
        else:
            values[column] = cell


def _create(
    call: Call,
    run: UUID,
    object_: ObjectDef,
    rows: Sequence[tuple[str, dict[str, object]]],
    keys: dict[str, UUID],
) -> int:
    if not rows:
        return 0
    intents = [Intent("create", values=values) for _, values in rows]

    def once(now: Call) -> Outcome:
        with now.tenant.store.write() as writer:
            outcome = Records(now).apply_in(
                writer, now.gate.object(object_.name), intents, {"import": run.hex}
            )
            kept = {"import_id": run, "operation_id": outcome.operation, "kind": "import", "undone": False}
            writer.execute(sa.insert(OPERATION), kept)
            return outcome

    outcome = under_the_release_in_force(call, once)
    keys.update(zip((key for key, _ in rows), (row.id for row in outcome.rows if row.id), strict=True))
    return len(rows)
