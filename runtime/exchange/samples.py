"""Sample data of a package: CSV files that stay young and know each other.

A sample file is a CSV named like its object. Three columns and two kinds of cell mean more than their text:
``@key`` names the row for other rows of the package (a lookup cell holds such a key), ``@owner`` is a number
that picks an owner out of those given; a cell ``@today+12`` is a date so many days from today, and
``@today-3T09:30`` a time on that day (UTC). Everything goes in through the one write path.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from tabwright.metadata.model import ObjectDef
from tabwright.runtime.desk import Call
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records

_RELATIVE = re.compile(r"@today([+-]\d+)?(?:T(\d\d):(\d\d))?")
_CHUNK = 1000


def load_samples(
    call: Call,
    folder: Path,
    objects: Sequence[str],
    owners: Sequence[UUID] = (),
    progress: Callable[[str, int], None] = lambda object, count: None,
) -> dict[str, int]:
    """Create the records of ``<folder>/<object>.csv`` for each object in that order; {object: how many}.

    Raises Invalid with the faults of the first chunk that does not go in; chunks before it stay.
    """
    keys: dict[str, UUID] = {}
    counts: dict[str, int] = {}
    today = call.clock.now().date()
    for name in objects:
        object_ = call.gate.object(name)
        counts[name] = 0
        waiting: list[tuple[str, dict[str, object]]] = []
        for key, row in _rows(folder / f"{name}.csv"):
            if len(waiting) == _CHUNK or _names(row, object_) & {each for each, _ in waiting}:
                counts[name] += _create(call, object_, waiting, keys)
                progress(name, counts[name])
                waiting = []
            waiting.append((key, _values(row, object_, keys, owners, today)))
        counts[name] += _create(call, object_, waiting, keys)
        progress(name, counts[name])
    return counts


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row.pop("@key"), row


def _names(row: Mapping[str, str], object_: ObjectDef) -> set[str]:
    """The keys that the row's lookups name."""
    return {cell for column, cell in row.items() if _is_lookup(object_, column) and cell}


def _is_lookup(object_: ObjectDef, column: str) -> bool:
    field = object_.find(column)
    return field is not None and field.type == "lookup"


def _values(
    row: Mapping[str, str],
    object_: ObjectDef,
    keys: Mapping[str, UUID],
    owners: Sequence[UUID],
    today: dt.date,
) -> dict[str, object]:
    values: dict[str, object] = {}
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
    return values


def _create(
    call: Call, object_: ObjectDef, rows: Sequence[tuple[str, dict[str, object]]], keys: dict[str, UUID]
) -> int:
    if rows:
        outcome = Records(call).apply(object_.name, [Intent("create", values=values) for _, values in rows])
        keys.update(zip((key for key, _ in rows), (row.id for row in outcome.rows if row.id), strict=True))
    return len(rows)
