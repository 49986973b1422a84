"""Publish under kill -9 (R13): a child publishes and is killed; the store shows all of a release or nothing.

``python tests/rel/kill_publish.py --backend sqlite --kills 1000`` kills at random moments;
``--statements`` kills at each statement of one publish in turn. Prints one JSON line with the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "support"), str(HERE.parents[2] / "src")]

from publishers import ADMIN, Publisher, a_field, open_publisher, text, thing  # noqa: E402
from stores import drop_everything, settings_for  # noqa: E402
from tabwright.metadata.compiler import compile_tree  # noqa: E402
from tabwright.metadata.drafts import Delete  # noqa: E402
from tabwright.platform.database import Stores, observe  # noqa: E402
from tabwright.platform.settings import Settings  # noqa: E402
from tabwright.runtime.journal.tables import operations  # noqa: E402
from tabwright.runtime.publishing.engine import PURGE  # noqa: E402
from tabwright.runtime.storage.apply import row_counter  # noqa: E402
from tabwright.runtime.storage.changes import fit  # noqa: E402
from tabwright.runtime.storage.tables import Physical, physical  # noqa: E402
from waiting import until  # noqa: E402


@contextmanager
def opened(settings: Settings, fresh: bool = False) -> Iterator[Publisher]:
    stores = Stores(settings)
    if fresh:
        stores.make_control()
    try:
        with open_publisher(stores, fresh=fresh) as publisher:
            yield publisher
    finally:
        stores.close()


def change(publisher: Publisher, n: int) -> None:
    """Publish change ``n``: tables and columns made, dropped, converted, made unique, brought back."""
    with publisher.store.write() as writer:
        publisher.publishing.drafts.discard(writer, ADMIN.user_id)
    fields = publisher.model.objects["thing"].fields
    r = publisher.model.release  # names are new each time
    match n % 6:
        case 0:
            publisher.publish(text(f"t{r}", sortable=True), a_field(f"d{r}", "date"))
        case 1:
            kind = "integer" if fields["size"].type == "text" else "text"
            publisher.publish(a_field("size", kind), *thing(text("more", object=f"x{r}"), name=f"x{r}"))
        case 2:
            unique = not fields["name"].unique
            publisher.publish(text("name", unique=unique), text("size2", searchable=True))
        case 3:
            last = [each for each in fields if each[1:].isdigit()]
            publisher.publish(*(Delete("field", f"thing.{name}") for name in last), text(f"y{r}"))
        case 4:
            others = [name for name in publisher.model.objects if name[1:].isdigit()]
            publisher.publish(*(Delete("object", name) for name in others), text(f"z{r}"))
        case _:
            if r > 2:
                publisher.publishing.restore(ADMIN, r - 1)


def child(settings: Settings, acknowledged: Path, seed: int, at_statement: int | None) -> None:
    """Publish until killed (or, killing itself, up to one statement of one publish); never returns."""
    count = 0

    def tell(how: str, statement: str, rows: int) -> None:
        nonlocal count
        count += 1
        if count == at_statement:
            os.kill(os.getpid(), signal.SIGKILL)

    with opened(settings) as publisher:
        publisher.model  # noqa: B018 - compiled before the clock runs
        n = seed
        while True:
            if at_statement is not None:
                with observe(tell):
                    change(publisher, n)
            else:
                change(publisher, n)
            with acknowledged.open("a") as file:
                file.write(f"{publisher.model.release}\n")
                file.flush()
                os.fsync(file.fileno())
            if at_statement is not None:
                os._exit(0)
            n += 1


def purge(publisher: Publisher) -> None:
    """Let 30 days pass for what was dropped, so that the tables stay small."""
    long_ago = publisher.clock.now() - timedelta(days=31)
    with publisher.store.write() as writer:
        dropped = sa.update(physical).where(physical.c.dropped_at.is_not(None))
        writer.execute(dropped.values(dropped_at=long_ago))
        publisher.tenant.jobs.add(writer, PURGE, {})
    publisher.run_jobs()


def check(publisher: Publisher, acknowledged: Path) -> list[str]:
    """What is wrong with the store; nothing, if publishing is all or nothing."""
    wrong: list[str] = []
    releases = publisher.publishing.releases
    with publisher.store.write() as writer:
        writer.alone("publish")  # whoever was killed has let go of it
        current = releases.current(writer)
        acks = [int(line) for line in acknowledged.read_text().split()] if acknowledged.exists() else []
        if acks and max(acks) > current:
            wrong.append(f"acknowledged {max(acks)}, in force {current}")
        model = compile_tree(releases.tree(writer, current), release=current)
        there = Physical.read(writer)
        way = fit(model, there, row_counter(writer), publisher.clock.now())
        if way.steps or way.entries:
            wrong.append(f"release {current} lacks {way.steps} {way.entries}")
        wrong += _schema(writer, there, publisher.store.schema)
        c = operations.c
        told = (
            writer.execute(sa.select(c.release).where(c.cause == "publish").order_by(c.release))
            .scalars()
            .all()
        )
        if told != list(range(1, current + 1)):
            wrong.append(f"journal {told[-3:]}, in force {current}")
    return wrong


def _schema(reader: Any, there: Physical, schema: str | None) -> list[str]:
    """Differences between what ``physical`` says and what the database has."""
    inspector = sa.inspect(reader.connection)
    tables = {
        name for name in inspector.get_table_names(schema) if name[0] == "o" and name[1:].strip("x").isdigit()
    }
    said: dict[str, set[str]] = {}
    indexes = {f"i{e.n}" for e in there.entries if e.kind == "index" and e.state != "gone"}
    for entry in there.entries:
        if entry.kind == "object" and entry.state != "gone":
            said.setdefault(f"o{entry.n}", set())
    for entry in there.entries:
        if entry.kind == "field" and entry.state != "gone":
            name = f"o{entry.object_n}x" if entry.side == "side" else f"o{entry.object_n}"
            said.setdefault(name, set()).update(entry.columns)
    wrong = []
    if tables != said.keys():
        wrong.append(f"tables {sorted(tables ^ said.keys())}")
    found: set[str] = set()
    for name in tables & said.keys():
        columns = {each["name"] for each in inspector.get_columns(name, schema)}
        ours = {each for each in columns if each[0] in "fsur" and each[1:].isdigit()}
        if ours != said[name]:
            wrong.append(f"columns of {name}: {sorted(ours ^ said[name])}")
        found |= _indexes(reader, inspector, name, schema)
    if found != indexes:
        wrong.append(f"indexes {sorted(found ^ indexes)}")
    return wrong


def _indexes(reader: Any, inspector: Any, table: str, schema: str | None) -> set[str]:
    if schema:
        return {str(each["name"]) for each in inspector.get_indexes(table, schema)}
    query = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
    return set(reader.connection.exec_driver_sql(query, (table,)).scalars())


def _at_any_moment(acknowledged: Path) -> None:
    """Come back somewhere in one of the first publishes of a child, or before."""

    def count() -> int:
        return acknowledged.read_bytes().count(b"\n") if acknowledged.exists() else 0

    wanted = count() + random.randrange(3)
    until(lambda: count() >= wanted, "the child publishes nothing")
    time.sleep(random.random() * 0.4)


def run(backend: str, kills: int, statements: bool, every: int = 1) -> dict[str, object]:
    """Kill and check; the figures."""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(backend, Path(folder))
        acknowledged = Path(folder) / "acknowledged"
        try:
            with opened(settings, fresh=True) as publisher:
                publisher.publish(*thing(text("size")))
                for n in range(20):
                    publisher.records.create("thing", {"name": f"n{n}", "size": str(n)})
            began, done, through, at, slowest = time.monotonic(), 0, 0, 1, 0.0
            while done < kills:
                pid = os.fork()
                if not pid:
                    seed = through if statements else random.randrange(6)
                    try:
                        child(settings, acknowledged, seed, at if statements else None)
                    except BaseException:
                        traceback.print_exc()
                    os._exit(3)
                if not statements:
                    _at_any_moment(acknowledged)
                    os.kill(pid, signal.SIGKILL)
                status = os.waitpid(pid, 0)[1]
                finished = os.WIFEXITED(status)
                if finished and (os.WEXITSTATUS(status) or not statements):
                    wrong.append(f"the child ended with {os.WEXITSTATUS(status)}")
                restart = time.monotonic()
                with opened(settings) as publisher:
                    wrong += check(publisher, acknowledged)
                    if done % 25 == 24:
                        purge(publisher)
                slowest = max(slowest, time.monotonic() - restart)
                through, at = (through + 1, 1) if finished else (through, at + every)
                done += 1
                if wrong:
                    break
            with opened(settings) as publisher:
                releases = publisher.model.release
            lines = acknowledged.read_text().split() if acknowledged.exists() else []
        finally:
            stores = Stores(settings)
            drop_everything(stores)
            stores.close()
    return {
        "backend": backend,
        "mode": "statements" if statements else "moments",
        "kills": done,
        "releases": releases,
        "publishes_walked_through": through,
        "acknowledged": len(lines),
        "wrong": wrong,
        "slowest_check_s": round(slowest, 2),
        "seconds": round(time.monotonic() - began, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--statements", action="store_true")
    parser.add_argument("--every", type=int, default=1, help="with --statements: kill at each n-th statement")
    given = parser.parse_args()
    figures = run(given.backend, given.kills, given.statements, given.every)
    print(json.dumps(figures))
    return 1 if figures["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
