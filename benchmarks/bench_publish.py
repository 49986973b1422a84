"""How soon what was published can be used: M1, a field on a large object, an object of 500 fields.

``python benchmarks/bench_publish.py --rows 100000``: a served process on each database; times over HTTP.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "tests" / "support")]

import sqlalchemy as sa  # noqa: E402

from served import Response, Served, an_object, document, open_served  # noqa: E402
from tabwright.people import system_call  # noqa: E402
from tabwright.platform.jobs import JOB  # noqa: E402
from tabwright.runtime.records.batch import Intent  # noqa: E402
from tabwright.runtime.records.service import Records  # noqa: E402


def timed(ask: Callable[[], Response], status: int = 200) -> float:
    """Milliseconds of one request."""
    began = time.perf_counter()
    answer = ask()
    took = (time.perf_counter() - began) * 1000
    if answer.status != status:
        raise RuntimeError(f"{answer.status}: {answer.text[:500]}")
    return took


def row(name: str, took: float, bar: float) -> bool:
    print(f"  {name:58} {took:8.1f} ms   bar {bar:.0f}{'' if took <= bar else '   MISSED'}", flush=True)
    return took <= bar


def new_object(served: Served, turns: int) -> bool:
    """An object of five fields: one PATCH, one publish, then list, form, API, search and rights of it."""
    client, times = served.client(), []
    for n in range(turns):
        name = f"new{n}"
        documents = [
            *an_object(name, size="integer", day="date", note="text", done="boolean"),
            document("permission_set", f"set{n}", objects={name: ["read"]}),
        ]
        reader_id = served.person(f"reader{n}")
        began = time.perf_counter()
        served.publish(*documents, client=client)
        timed(lambda name=name: client.page(f"/o/{name}"))  # type: ignore[misc]
        timed(lambda name=name: client.page(f"/o/{name}/new"))  # type: ignore[misc]
        values = {"name": f"word{n}", "size": 1, "day": "2026-01-01", "note": "b", "done": True}
        made = client.send("POST", f"/objects/{name}/records", values)
        assert made.status == 201, made.text
        assert client.send("GET", "/search", q=f"word{n}").json["hits"]
        reader = served.client(f"reader{n}")
        assert reader.send("GET", f"/objects/{name}").status == 404, "not given to this person yet"
        given = {
            "user": str(reader_id),
            "permission_set": client.send("GET", f"/metadata/draft/permission_set/set{n}").json["uid"],
        }
        assert client.send("POST", "/objects/permission_assignment/records", given).status == 201
        assert reader.send("GET", f"/objects/{name}").status == 200
        times.append((time.perf_counter() - began) * 1000)
    return row(f"object of 5 fields in use, worst of {turns}", max(times), 1000)


def fill(served: Served, object: str, rows: int) -> None:
    records = Records(system_call(served.site, served.location))
    for start in range(0, rows, 10_000):
        intents = [
            Intent("create", values={"name": f"record {n}", "size": n})
            for n in range(start, min(start + 10_000, rows))
        ]
        records.apply(object, intents)
    while served.site.runner.run_due(served.location):
        pass


def idle(served: Served) -> None:
    """Wait until no job runs or is due within a second: what the machine does by itself is not measured."""
    soon = served.site.clock.now() + timedelta(seconds=1)
    busy = sa.select(sa.func.count()).select_from(JOB)
    busy = busy.where(sa.or_(JOB.c.state == "running", (JOB.c.state == "waiting") & (JOB.c.due_at <= soon)))
    while True:
        with served.store.read() as reader:
            if not reader.execute(busy).scalar_one():
                return
        time.sleep(0.05)


def new_field(served: Served, rows: int, turns: int) -> bool:
    """A field on a large object: from the publish request until a record's value of it has been read back."""
    client = served.client()
    served.publish(*an_object("large", size="integer"), client=client)
    fill(served, "large", rows)
    id = client.send("GET", "/objects/large/records", limit=1).json["records"][0]["id"]
    path = f"/objects/large/records/{id}"
    publishes, usable = [], []
    for n in range(turns):
        put = {"put": [document("field", f"large.more{n}", type="text")]}
        assert client.send("PATCH", "/metadata/draft", put).status == 200
        idle(served)
        began = time.perf_counter()
        publishes.append(timed(lambda: client.send("POST", "/metadata/publish", {})))
        saved = client.send("PATCH", path, {f"more{n}": "x"})
        assert saved.status == 200 and saved.json[f"more{n}"] == "x", saved.text
        usable.append((time.perf_counter() - began) * 1000)
    good = row(
        f"a field added to {rows:,} records: publish, median of {turns}", statistics.median(publishes), 60
    )
    return (
        row(f"  published, written and read back, median of {turns}", statistics.median(usable), 60) and good
    )


def wide_object(served: Served, fields: int, turns: int) -> bool:
    """An object of many text fields, all filled with 200 characters."""
    client = served.client()
    names = [f"t{n}" for n in range(fields - 1)]
    began = time.perf_counter()
    served.publish(*an_object("wide", **dict.fromkeys(names, "text")), client=client)
    good = row(
        f"an object of {fields} text fields: PATCH and publish", (time.perf_counter() - began) * 1000, 5000
    )
    values: dict[str, Any] = {name: "x" * 200 for name in names}
    path = "/objects/wide/records"
    made = client.send("POST", path, {"name": "wide", **values})
    assert made.status == 201 and made.json["t0"] == values["t0"], made.text
    for _ in range(50):
        client.send("POST", path, {"name": "wide", **values})
    id = made.json["id"]
    assert len(client.send("GET", path, limit=1).json["records"][0]) > fields
    for name, ask, status in [
        ("create", lambda: client.send("POST", path, {"name": "wide", **values}), 201),
        ("change of every field", lambda: client.send("PATCH", f"{path}/{id}", _other(values)), 200),
        ("form", lambda: client.page(f"/o/wide/{id}/edit"), 200),
        ("record page", lambda: client.page(f"/o/wide/{id}"), 200),
        ("list page", lambda: client.page("/o/wide"), 200),
        ("list by the API, 50 records, every field", lambda: client.send("GET", path, limit=50), 200),
    ]:
        first = timed(ask, status)
        again = statistics.median(timed(ask, status) for _ in range(turns))
        good &= row(f"  {name}: first {first:.0f}, then median of {turns}", again, 300)
    return good


_turn = 0


def _other(values: dict[str, Any]) -> dict[str, Any]:
    """The same fields with other texts."""
    global _turn
    _turn += 1
    return {name: f"{_turn} " + "y" * 190 for name in values}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--fields", type=int, default=500)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    good = True
    for database in asked.databases:
        print(f"{database}:", flush=True)
        with tempfile.TemporaryDirectory() as folder, open_served(database, Path(folder)) as served:
            good &= new_object(served, asked.turns)
            good &= wide_object(served, asked.fields, asked.turns)
            good &= new_field(served, asked.rows, asked.turns)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
