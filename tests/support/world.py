"""A published tenant for tests: documents in, a store with tables, a model, and calls of anybody's.

``world(documents)`` is a fixture that runs a test on both databases; ``make_world`` is for scripts.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import tabwright.runtime.journal.tables
import tabwright.runtime.numbering
import tabwright.runtime.search.tables  # noqa: F401 - the fixed tables of every room
from stores import DIALECTS, new_tenant_store, open_stores, settings_for
from tabwright.formula.sqlite import register
from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.documents import read
from tabwright.metadata.model import Model
from tabwright.metadata.packages import base_package
from tabwright.metadata.tree import Tree
from tabwright.platform.clock import FixedClock, FixedIds
from tabwright.platform.database import Reader, Store, Stores, TenantLocation
from tabwright.platform.jobs import Jobs
from tabwright.runtime.access import people, share_rows
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Call, Pieces, TenantRuntime, env_of
from tabwright.runtime.journal import sealer
from tabwright.runtime.publishing.computing import fill_formulas
from tabwright.runtime.records.service import Records
from tabwright.runtime.storage.apply import row_counter, save, take
from tabwright.runtime.storage.changes import FillFormula, fit
from tabwright.runtime.storage.tables import Physical, Tables

Document = Mapping[str, Any]


class _Fixed:
    """Releases that a test has made itself."""

    def __init__(self) -> None:
        self.made: dict[int, tuple[Model, Tables]] = {}

    def current(self, reader: Reader) -> int:
        return max(self.made)

    def load(self, reader: Reader, number: int, previous: Model | None) -> tuple[Model, Tables]:
        return self.made[number]


@dataclass
class World:
    """One tenant. ``call`` is the system's; ``call_of(user)`` a person's."""

    store: Store
    tenant: TenantRuntime
    clock: FixedClock
    ids: FixedIds
    jobs: Jobs
    releases: _Fixed
    documents: list[Document] = field(default_factory=list)
    _uids: dict[str, str] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        return self.releases.made[max(self.releases.made)][0]

    @property
    def call(self) -> Call:
        return self.call_as(Principal.system())

    @property
    def records(self) -> Records:
        return Records(self.call)

    def call_as(self, principal: Principal, cause: str = "api", language: Any = "en") -> Call:
        return Call(
            self.tenant, principal, self.model, Gate(self.model, principal), self.clock, self.ids, language,
            "Asia/Shanghai", "test-request", cause,
        )  # fmt: skip

    def user(self, name: str, *sets: str, **values: Any) -> Principal:
        """A new user who holds permission sets (by name)."""
        address = values.pop("address", f"{name}-{next(_count)}@example.com")
        id = self.records.create("user", {"name": name, "address": address, **values}).id
        return self.principal(id, name, *sets)

    def principal(self, id: UUID, name: str, *sets: str) -> Principal:
        uids = tuple(sorted(each.uid for each in self.model.permission_sets.values() if each.name in sets))
        assert len(uids) == len(sets), sets
        return Principal(id, name, "en", "Asia/Shanghai", "user", uids)

    def publish(self, documents: Iterable[Document]) -> Model:
        """Add or replace documents (by kind and name) and make the next release, tables and all."""
        by_name = {(each["kind"], each["name"]): each for each in [*self.documents, *documents]}
        self.documents = list(by_name.values())
        components = [*base_package().components, *(read(self._with_uid(each)) for each in self.documents)]
        number = max(self.releases.made, default=0) + 1
        previous = self.releases.made[number - 1][0] if number > 1 else None
        model = compile_tree(Tree.of(components), release=number, previous=previous)
        with self.store.write() as writer:
            physical = Physical.read(writer)
            way = fit(model, physical, row_counter(writer), self.clock.now())
            take(writer, way.steps)
            save(writer, way.entries.values())
            tables = Tables(physical.changed(way.entries.values()), self.store.dialect)
            todo = (step for step in way.steps if isinstance(step, FillFormula))
            fill_formulas(writer, todo, model, tables, env_of(model, self.clock.now(), "Asia/Shanghai"))
        with self.store.read() as reader:
            physical = Physical.read(reader)
        self.releases.made[number] = (model, Tables(physical, self.store.dialect))
        return model

    def _with_uid(self, document: Document) -> Document:
        """A document with a uid: its own, or one by its kind and name, in the order of first mention."""
        key = f"{document['kind']}/{document['name']}"
        made = self._uids.setdefault(key, f"019b{len(self._uids) + 1:08x}70000000000000000000")
        return {"kind": document["kind"], "uid": made, **document}

    def table(self, object: str) -> Any:
        return self.call.tables.of(self.model.objects[object])

    def count(self, object: str, deleted: bool = False) -> int:
        """Living (or deleted) records of an object."""
        import sqlalchemy as sa

        table = self.table(object)
        where = table.deleted_at.is_not(None) if deleted else table.deleted_at.is_(None)
        with self.store.read() as reader:
            return int(
                reader.execute(sa.select(sa.func.count()).select_from(table.main).where(where)).scalar_one()
            )

    def values(self, object: str, id: UUID) -> dict[str, Any]:
        """A record's typed values by field name, deleted or not, past every right."""
        import sqlalchemy as sa

        from tabwright.platform.database import prepare
        from tabwright.platform.tables import Uuid

        table = self.table(object)
        names = [each.name for each in self.model.objects[object].fields.values() if each.is_stored]
        chosen = sa.select(*(table.column(name) for name in names)).select_from(table.joined)
        statement = prepare(self.store, chosen.where(table.id == sa.bindparam("id", type_=Uuid())))
        with self.store.read() as reader:
            row = reader.row(statement, {"id": id})
        assert row is not None, id
        return {name: table.codec(name).from_storage(value) for name, value in zip(names, row, strict=True)}


_count = itertools.count(1)


def language_functions(raw: Any, dialect: str) -> None:
    """What the doorway does on each connection: SQLite gets the functions of the language."""
    if dialect == "sqlite":
        register(raw)


def make_world(stores: Stores, documents: Iterable[Document] = ()) -> World:
    """A new tenant in open stores, with the built-in package and ``documents`` published."""
    clock = FixedClock(step=timedelta(milliseconds=1))
    ids = FixedIds()
    jobs = Jobs(clock, ids)
    sealer.register(jobs, clock)
    store = new_tenant_store(stores, tables=True)
    releases = _Fixed()
    location = TenantLocation(
        UUID(store.key), "test", schema=store.schema, file=None if store.schema else "x"
    )
    tenant = TenantRuntime(location, store, Pieces(), releases, jobs)
    people.register(tenant.hooks)
    share_rows.register(tenant.hooks)
    world = World(store, tenant, clock, ids, jobs, releases)
    world.publish(documents)
    return world


def field_doc(name: str, type: str, **body: Any) -> Document:
    """A field's document; ``options`` and the rest as given."""
    label = body.pop("label", None) or {
        "en": name.rpartition(".")[2].capitalize(),
        "zh": name.rpartition(".")[2],
    }
    return {"kind": "field", "name": name, "label": label, "type": type, **body}


def object_doc(name: str, name_field: str = "name", **body: Any) -> Document:
    """An object's document."""
    label = body.pop("label", None) or {"en": name.capitalize(), "zh": name}
    return {"kind": "object", "name": name, "label": label, "name_field": name_field, **body}


@pytest.fixture(params=DIALECTS)
def world(request: pytest.FixtureRequest) -> Iterator[Callable[..., World]]:
    """``world(documents)`` makes a tenant, on each database."""
    with tempfile.TemporaryDirectory() as folder:
        with open_stores(settings_for(request.param, Path(folder)), language_functions) as stores:
            yield lambda documents=(): make_world(stores, documents)
