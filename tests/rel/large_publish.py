"""Publishing on a large table (R16, R17): how long do others wait, and is every row right afterwards?

``python tests/rel/large_publish.py --backend postgresql --rows 1000000``. While a field is added, renamed,
dropped and converted and a list view gets its index, one thread reads a record by id without pause and one
writes one. Prints one JSON line: seconds of each publish until it is in force, and the longest wait of each.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "support"), str(HERE.parents[2] / "src")]

from publishers import Publisher, a_field, open_publisher, text, thing  # noqa: E402
from stores import open_stores, settings_for  # noqa: E402
from tabwright.metadata.drafts import Delete, Rename  # noqa: E402
from tabwright.platform.database import prepare  # noqa: E402
from tabwright.platform.errors import TabwrightError  # noqa: E402
from tabwright.runtime.records.batch import Intent  # noqa: E402
from tabwright.runtime.sort_keys import sort_key  # noqa: E402
from tabwright.runtime.storage.columns import Shape, codec  # noqa: E402


def fill(publisher: Publisher, rows: int) -> None:
    """Rows straight into the table."""
    table = publisher.table("thing")
    c = table.main.c
    names = ["id", "rev", "created_at", "updated_at", table.column("name").name]
    names += [table.column(each).name for each in ("size", "a", "b", "c", "d")]
    key = table.sort_key_column("name")
    assert key is not None
    names.append(key.name)
    binds = {name: sa.bindparam(name, type_=c[name].type) for name in names}
    statement = prepare(publisher.store, sa.insert(table.main).values(binds))
    dialect = publisher.store.dialect
    now = codec(Shape("datetime"), dialect).to_storage(publisher.clock.now())
    to_id = codec(Shape("reference"), dialect).to_storage
    order = [names.index(name) for name in statement.names]
    for start in range(0, rows, 20_000):
        some = []
        for n, id in enumerate(publisher.ids.many(min(20_000, rows - start)), start):
            name = f"record {n}"
            row = (to_id(id), 1, now, now, name, n, "some text", "more text", f"c{n % 50}", "d" * 20)
            keyed: tuple[Any, ...] = (*row, sort_key(name))
            some.append(tuple(keyed[at] for at in order))
        with publisher.store.write() as writer:
            writer.insert_many(statement, some)
    if dialect == "postgresql":
        with publisher.store.maintain() as reader:
            reader.connection.exec_driver_sql(f'ANALYZE "{publisher.store.schema}".o{table.number}')


class Watch(threading.Thread):
    """Does something without pause and keeps the longest time that it took."""

    def __init__(self, do: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._do = do
        self._stop_now = threading.Event()
        self.times: list[float] = []
        self.failed: list[str] = []

    def run(self) -> None:
        while not self._stop_now.is_set():
            began = time.perf_counter()
            try:
                self._do()
            except TabwrightError as error:
                self.failed.append(error.code)
            self.times.append(time.perf_counter() - began)
            time.sleep(0.002)

    def end(self) -> dict[str, Any]:
        self._stop_now.set()
        self.join()
        times = sorted(self.times)
        at = times[int(len(times) * 0.99)]
        told = {"count": len(times), "p99_ms": round(at * 1000, 1), "longest_ms": round(times[-1] * 1000, 1)}
        return told | ({"failed": sorted(set(self.failed))} if self.failed else {})


class _Moved(Exception):
    """A release came into force while a record was being saved."""


def save(publisher: Publisher, id: Any, value: int) -> None:
    """Update one record; again, on the new release, where one came into force meanwhile."""
    while True:
        model, records = publisher.model, publisher.records
        try:
            with publisher.store.write() as writer:
                records.apply_in(writer, model.objects["thing"], [Intent("update", id, {"size": value})])
                if publisher.publishing.releases.current(writer) != model.release:
                    raise _Moved
            return
        except _Moved:
            continue


def run(backend: str, rows: int) -> dict[str, Any]:
    """The figures."""
    with tempfile.TemporaryDirectory() as folder, open_stores(settings_for(backend, Path(folder))) as stores:
        with open_publisher(stores) as publisher:
            fields = [a_field("size", "integer"), *(text(each) for each in "abcd")]
            publisher.publish(*thing(*fields))
            fill(publisher, rows)
            table = publisher.table("thing")
            with publisher.store.read() as reader:
                some = reader.execute(sa.select(table.id).order_by(table.id).limit(50)).scalars().all()
            load = table.codec("id").from_storage
            written = {load(id): 0 for id in some}
            ids = list(written)

            def read() -> None:
                now = publisher.table("thing")
                with publisher.store.read() as reader:
                    reader.execute(sa.select(now.column("name")).where(now.id == some[0])).one()

            def write() -> None:
                id = ids[len(writer.times) % len(ids)]
                value = 5_000_000 + len(writer.times)
                save(publisher, id, value)
                written[id] = value

            view: dict[str, Any] = {"kind": "list_view", "name": "thing.by_c", "label": {"en": "c"}}
            view |= {"columns": ["name"], "where": 'c = "c1"', "order": [["created_at", "desc"]]}
            acts: list[tuple[str, list[Any]]] = [
                ("add a field", [text("new")]),
                ("rename it", [Rename("field", "thing.new", "thing.newer")]),
                ("drop it", [Delete("field", "thing.newer")]),
                ("a list view's index", [view]),
                ("integer to decimal", [a_field("size", "decimal", options={"precision": 18, "scale": 2})]),
            ]
            figures: dict[str, Any] = {"backend": backend, "rows": rows}
            for name, changes in acts:
                reader_, writer = Watch(read), Watch(write)
                reader_.start()
                writer.start()
                time.sleep(0.3)
                began = time.perf_counter()
                publisher.publish(*changes)
                until_published = time.perf_counter() - began
                publisher.run_jobs()
                done = time.perf_counter() - began
                figures[name] = {
                    "publish_s": round(until_published, 3),
                    "with_jobs_s": round(done, 1),
                    "read": reader_.end(),
                    "write": writer.end(),
                }
            figures["wrong_rows"] = wrong_rows(publisher, written)
    return figures


def wrong_rows(publisher: Publisher, written: dict[Any, int]) -> int:
    """Rows whose size is not what it should be."""
    table = publisher.table("thing")
    assert publisher.model.objects["thing"].fields["size"].type == "decimal"
    query = sa.select(table.id, table.column("name"), table.column("size")).select_from(table.joined)
    load_id, load = table.codec("id").from_storage, table.codec("size").from_storage
    wrong = 0
    with publisher.store.read_long() as reader:
        for chunk in reader.chunks(prepare(publisher.store, query), size=5000):
            for id, name, size in chunk:
                expected = written.get(load_id(id)) or int(name.split()[1])
                wrong += load(size) != expected
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    figures = run(given.backend, given.rows)
    print(json.dumps(figures))
    return 1 if figures["wrong_rows"] else 0


if __name__ == "__main__":
    sys.exit(main())
