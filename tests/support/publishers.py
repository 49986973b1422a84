"""A tenant made the way the product makes it, with the publishing of it and the worker of its jobs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

import tabwright.runtime.journal.tables
import tabwright.runtime.numbering
import tabwright.runtime.search.tables  # noqa: F401 - the fixed tables of every room
from stores import DIALECTS, open_stores, settings_for
from tabwright.metadata.drafts import Change, Delete, Put, Rename
from tabwright.metadata.model import Model
from tabwright.metadata.packages import base_package
from tabwright.platform.clock import Clock, Ids, SystemClock, SystemIds
from tabwright.platform.database import Store, Stores, TenantLocation, create_tables
from tabwright.platform.jobs import JOB, Jobs
from tabwright.platform.runner import Runner
from tabwright.platform.tables import CONTROL
from tabwright.platform.tenants import Tenants
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Call, Tenancy, TenantRuntime
from tabwright.runtime.publishing.engine import Published
from tabwright.runtime.publishing.releases import CompiledReleases
from tabwright.runtime.publishing.service import Publishing, bootstrap, register_jobs
from tabwright.runtime.records.service import Records
from tabwright.runtime.storage.tables import Physical, RecordTable

ADMIN = Principal(
    UUID(int=1),
    "admin",
    permission_sets=tuple(each.uid for each in base_package().components if each.name == "administrator"),
)


@dataclass
class Publisher:
    """One tenant with its first release, and an admin who publishes."""

    stores: Stores
    location: TenantLocation
    tenant: TenantRuntime
    runner: Runner
    publishing: Publishing
    clock: Clock
    ids: Ids

    @property
    def store(self) -> Store:
        return self.tenant.store

    @property
    def model(self) -> Model:
        return self.tenant.at_release()

    @property
    def call(self) -> Call:
        """A call of the system's."""
        model = self.model
        system = Principal.system()
        return Call(
            self.tenant, system, model, Gate(model, system), self.clock, self.ids, "en", "Asia/Shanghai",
            "test", "api",
        )  # fmt: skip

    @property
    def records(self) -> Records:
        """The system's way to records."""
        return Records(self.call)

    def table(self, object: str) -> RecordTable:
        model = self.model
        return self.tenant.tables(model).of(model.objects[object])

    def physical(self) -> Physical:
        with self.store.read() as reader:
            return Physical.read(reader)

    def draft(self, *changes: Change | Mapping[str, Any], author: Principal = ADMIN) -> None:
        """Put documents (or make other changes) into a draft."""
        made = [each if isinstance(each, (Put, Delete, Rename)) else Put(each) for each in changes]
        with self.store.write() as writer:
            self.publishing.drafts.patch(writer, author.user_id, made, at=self.clock.now())

    def publish(self, *changes: Change | Mapping[str, Any], author: Principal = ADMIN) -> Published:
        """Put documents into a draft and publish it."""
        if changes:
            self.draft(*changes, author=author)
        return self.publishing.publish(author)

    def run_jobs(self) -> int:
        """Run what is due, and at once again what only had to wait for a lock of somebody else's."""
        count = self.runner.run_due(self.location)
        for _ in range(20):
            with self.store.write() as writer:
                tried = JOB.c.state == "waiting", JOB.c.tries > 0
                now = self.clock.now()
                again = sa.update(JOB).where(*tried, JOB.c.due_at > now).values(due_at=now)
                if not writer.execute(again).rowcount:
                    break
            count += self.runner.run_due(self.location)
        return count

    def values(self, object: str, *fields: str) -> list[tuple[Any, ...]]:
        """Typed values of the living records, in the order of their ids."""
        table = self.table(object)
        columns = [table.column(name) for name in fields]
        query = sa.select(*columns).select_from(table.joined).where(table.deleted_at.is_(None))
        with self.store.read() as reader:
            rows = reader.execute(query.order_by(table.id)).all()
        loads = [table.codec(name).from_storage for name in fields]
        return [tuple(load(value) for load, value in zip(loads, row, strict=True)) for row in rows]


@contextmanager
def open_publisher(
    stores: Stores, clock: Clock | None = None, slug: str = "demo", fresh: bool = True
) -> Iterator[Publisher]:
    """The tenant ``slug``, made when ``fresh``."""
    clock = clock or SystemClock()
    ids = SystemIds(clock)
    jobs, releases = Jobs(clock, ids), CompiledReleases()
    tenancy = Tenancy(stores, releases, jobs)
    register_jobs(tenancy, releases, clock, ids)
    tenants = Tenants(stores, clock, ids)
    if fresh:
        create_tables(stores.control, CONTROL)

        def first_release(location: TenantLocation) -> None:
            bootstrap(stores.tenant(location), jobs, clock, ids, releases.stored)

        tenants.create(slug, slug, first_release)
    location = tenants.get(slug)
    tenant = tenancy.open(location)
    runner = Runner(jobs, stores, tenants, clock, random=lambda: 0.0)
    publishing = Publishing(tenant, releases, clock, ids)
    try:
        yield Publisher(stores, location, tenant, runner, publishing, clock, ids)
    finally:
        runner.close()


@pytest.fixture(params=DIALECTS)
def publisher(request: pytest.FixtureRequest) -> Iterator[Publisher]:
    """A fresh tenant on each database."""
    with tempfile.TemporaryDirectory() as folder:
        with open_stores(settings_for(request.param, Path(folder))) as stores:
            with open_publisher(stores) as made:
                yield made


def thing(*fields: Mapping[str, Any], name: str = "thing") -> list[Mapping[str, Any]]:
    """The documents of an object with a name and some fields."""
    label = {"en": name.title()}
    head = {"kind": "object", "name": name, "label": label, "plural": label, "name_field": "name"}
    return [head, text("name", object=name), *fields]


def a_field(name: str, type: str, object: str = "thing", **more: Any) -> dict[str, Any]:
    """A field's document."""
    return {"kind": "field", "name": f"{object}.{name}", "label": {"en": name}, "type": type, **more}


def text(name: str, object: str = "thing", **more: Any) -> dict[str, Any]:
    """A text field's document."""
    return a_field(name, "text", object, **more)
