"""Imports for tests: a file in, the jobs run, what came out."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from apisite import ApiSite, Person
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange.imports import Imports
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads


def call_of(api: ApiSite, person: Person, scope: Any = None) -> Call:
    """The call of a person, under the release and the rights of this moment."""
    site, tenant = api.site, api.tenant
    with tenant.store.read() as reader:
        model = tenant.at_release(reader)
        principal = principals.load(tenant, reader, model, person.id, site.clock.now(), scope)
    gate = Gate(model, principal)
    return Call(tenant, principal, model, gate, site.clock, site.ids, "en", "Asia/Shanghai", "test", "api")


class Importer:
    """One person who imports; jobs run where the person stands."""

    def __init__(self, api: ApiSite, person: Person | None = None) -> None:
        self.api = api
        self.person = person or api.admin

    @property
    def imports(self) -> Imports:
        return Imports(call_of(self.api, self.person))

    def start(self, object: str, content: bytes | str, name: str = "file.csv", **patch: Any) -> Run:
        data = content if isinstance(content, bytes) else content.encode()
        run = self.imports.start(object, name, io.BytesIO(data))
        return self.imports.change(run.id, patch) if patch else run

    def work(self) -> None:
        self.api.site.runner.run_due(self.api.location)

    def check(self, id: UUID) -> Run:
        self.imports.check(id)
        self.work()
        return self.imports.get(id)

    def run(self, id: UUID) -> Run:
        self.imports.run(id)
        self.work()
        return self.imports.get(id)

    def undo(self, id: UUID) -> Run:
        self.imports.undo(id)
        self.work()
        return self.imports.get(id)

    def rows(self, object: str, *fields: str) -> list[tuple[Any, ...]]:
        """The records that this person may read, as tuples, in no order."""
        reads = Reads(call_of(self.api, self.person))
        found: list[tuple[Any, ...]] = []
        cursor = None
        while True:
            page = reads.list(Query(object, fields=fields, limit=200, cursor=cursor))
            found += [tuple(row.get(field) for field in fields) for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                return found


def csv_of(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A CSV text."""
    import csv

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def counted(run: Run) -> Mapping[str, Any]:
    """What a check or a run did with the rows, without what is zero."""
    return {name: count for name, count in run.counts.items() if count}
