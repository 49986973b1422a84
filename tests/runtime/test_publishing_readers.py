"""R14 in small: while releases follow each other, every reader sees a whole one."""

from __future__ import annotations

import threading

import sqlalchemy as sa

from publishers import ADMIN, Publisher, a_field, text, thing
from publishers import publisher as publisher
from tabwright.metadata.drafts import Delete

READERS, PUBLISHES = 8, 12


def test_readers_see_whole_releases_only(publisher: Publisher) -> None:
    publisher.publish(*thing(text("size")))
    for n in range(20):
        publisher.records.create("thing", {"name": f"n{n}", "size": str(n)})
    stop, wrong, reads = threading.Event(), [], [0] * READERS
    seen: set[int] = set()

    def read(me: int) -> None:
        tenant = publisher.tenant
        while not stop.is_set():
            try:
                with tenant.store.read() as reader:
                    model = tenant.at_release(reader)
                    table = tenant.tables(model).of(model.objects["thing"])
                    fields = model.objects["thing"].own_fields
                    # One marker field per release says which release this must be.
                    marks = [each.name for each in fields if each.name.startswith("m")]
                    if marks != ([f"m{model.release}"] if model.release > 2 else []):
                        wrong.append(f"{model.release}: {marks}")
                    columns = [table.column(each.name) for each in fields]
                    rows = reader.execute(sa.select(*columns).select_from(table.joined)).all()
                    if len(rows) != 20:
                        wrong.append(f"{len(rows)} rows")
                seen.add(model.release)
                reads[me] += 1
            except Exception as error:
                wrong.append(repr(error))
                return

    threads = [threading.Thread(target=read, args=(n,)) for n in range(READERS)]
    for each in threads:
        each.start()
    try:
        for _ in range(PUBLISHES):
            release = publisher.model.release
            kind = "integer" if publisher.model.objects["thing"].fields["size"].type == "text" else "text"
            changes = [text(f"m{release + 1}"), a_field("size", kind)]
            old = [Delete("field", f"thing.m{release}")] if release > 2 else []
            publisher.publish(*changes, *old, author=ADMIN)
    finally:
        stop.set()
        for each in threads:
            each.join()
    assert wrong == []
    assert min(reads) > 0 and len(seen) > 2
