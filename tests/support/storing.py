"""Models by hand and stores that fit them, for tests of storage that need no documents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.formula.datatypes import TEXT
from tabwright.metadata.model import FieldDef, Model, ObjectDef, UniqueRuleDef
from tabwright.platform.clock import SystemClock, SystemIds
from tabwright.platform.database import Reader, Store
from tabwright.runtime.sort_keys import folded, sort_key
from tabwright.runtime.storage.apply import row_counter, save, take
from tabwright.runtime.storage.changes import Fit, fit
from tabwright.runtime.storage.tables import Physical, RecordTable

_ids = SystemIds(SystemClock())
NOW = datetime(2026, 1, 15, tzinfo=UTC)
SYSTEM = (
    ("id", "id"),
    ("revision", "revision"),
    ("owner", "owner"),
    ("record_type", "record_type"),
    ("created_at", "datetime"),
    ("created_by", "user"),
    ("updated_at", "datetime"),
    ("updated_by", "user"),
)


def field_def(name: str, type: str, **more: Any) -> FieldDef:
    """A field; its uid follows from its name unless given. ``object`` is set by ``object_def``."""
    more.setdefault("uid", f"thing.{name}")
    return FieldDef(object="thing", name=name, labels={"en": name}, type=type, value_type=TEXT, **more)


def rule_def(object: str, *fields: str, ignore_case: bool = False) -> UniqueRuleDef:
    """A unique rule over some fields."""
    return UniqueRuleDef(f"{object}.{'_'.join(fields)}", "unique", fields, ignore_case)


def object_def(name: str, *fields: FieldDef, unique: Sequence[UniqueRuleDef] = ()) -> ObjectDef:
    """An object with the system fields added; its digest follows from what is given."""
    system = [field_def(system, type, uid=f"sys:{system}", system=True) for system, type in SYSTEM]
    digest = hashlib.sha256(repr((name, fields, unique)).encode()).hexdigest()
    return ObjectDef(
        uid=name,
        name=name,
        labels={"en": name},
        plural={"en": name},
        icon="",
        colour="",
        name_field="name",
        sharing="private",
        searchable=True,
        highlights=(),
        fields={each.name: each for each in (*fields, *system)},
        record_types={},
        layouts={},
        list_views={},
        validation_rules=(),
        unique_rules=tuple(unique),
        package=None,
        digest=digest,
    )


def model_of(*objects: ObjectDef, release: int = 1) -> Model:
    """A model of these objects."""
    return Model(release, "", {each.name: each for each in objects}, {}, {}, {}, {}, {}, ())


def physical_of(store: Store) -> Physical:
    """What the store says now."""
    with store.read() as reader:
        return Physical.read(reader)


def fit_now(store: Store, model: Model, only_plan: Reader | None = None) -> Fit:
    """Make a store fit a model, everything in one transaction; or only say how."""
    if only_plan is not None:
        return fit(model, Physical.read(only_plan), row_counter(only_plan), NOW)
    with store.write() as writer:
        found = fit(model, Physical.read(writer), row_counter(writer), NOW)
        take(writer, found.instant)
        save(writer, found.entries.values())
    return found


def write_rows(store: Store, table: RecordTable, rows: Sequence[Mapping[str, Any]]) -> list[UUID]:
    """Insert records of typed values straight into the tables, keys filled as the write path fills them."""
    ids = _ids.many(len(rows))
    to_id, to_time = table.codec("id").to_storage, table.codec("created_at").to_storage
    with store.write() as writer:
        for id, row in zip(ids, rows, strict=True):
            parts: dict[str, dict[str, Any]] = {"main": {}, "side": {}}
            for name, value in row.items():
                part = parts["side" if table.is_side(name) else "main"]
                part[table.column(name).name] = table.codec(name).to_storage(value)
                for column, key in (
                    (table.sort_key_column(name), sort_key),
                    (table.fold_column(name), folded),
                ):
                    if column is not None and value is not None:
                        part[column.name] = key(value)
            moment = {"created_at": to_time(NOW), "updated_at": to_time(NOW)}
            writer.execute(sa.insert(table.main).values(id=to_id(id), rev=1, **moment, **parts["main"]))
            if any(value is not None for value in parts["side"].values()):
                assert table.side is not None
                writer.execute(sa.insert(table.side).values(id=to_id(id), **parts["side"]))
    return ids


def values_of(store: Store, table: RecordTable) -> list[dict[str, Any]]:
    """The typed values of every record, in the order written."""
    names = [each.name for each in table.object.own_fields]
    query = sa.select(*(table.column(name) for name in names)).select_from(table.joined).order_by(table.id)
    with store.read() as reader:
        rows = reader.execute(query).all()
    return [
        {name: table.codec(name).from_storage(value) for name, value in zip(names, row, strict=True)}
        for row in rows
    ]
