"""What a process keeps of a model: made once however many ask, and taken over by the next release."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest

from publishers import Publisher, text, thing
from publishers import publisher as publisher
from served import together
from tabwright.metadata import compiler
from tabwright.platform.database import prepare
from tabwright.runtime.desk import Call, Pieces, TenantRuntime
from tabwright.runtime.publishing import releases
from tabwright.runtime.publishing.releases import CompiledReleases
from tabwright.runtime.query import reads
from tabwright.runtime.query.asked import Query
from tabwright.runtime.storage import tables

THREADS = 8


class Crowd:
    """Threads that come for the same thing: nobody has it before all have asked for it."""

    def __init__(self) -> None:
        self.made = 0
        self._asked = 0
        self._all = threading.Condition()

    def ask(self) -> None:
        with self._all:
            self._asked += 1
            self._all.notify_all()

    def make(self) -> object:
        with self._all:
            self._all.wait_for(lambda: self._asked == THREADS)
            self.made += 1
        return object()


def test_a_piece_that_many_want_is_made_once() -> None:
    pieces, crowd, got = Pieces(), Crowd(), []

    def ask() -> None:
        crowd.ask()
        got.append(pieces.get("piece", crowd.make))

    together(*[ask] * THREADS)
    assert crowd.made == 1 and len(got) == THREADS and len(set(map(id, got))) == 1


def test_a_piece_whose_maker_failed_is_made_by_the_next() -> None:
    pieces, tries = Pieces(), []

    def make() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("not yet")
        return "made"

    with pytest.raises(ValueError, match="not yet"):
        pieces.get("piece", make)
    assert pieces.get("piece", make) == "made"


def test_a_piece_may_be_made_of_another_one() -> None:
    pieces = Pieces()
    made = pieces.get("whole", lambda: ["whole", pieces.get("part", lambda: "part")])
    assert made == ["whole", "part"] and pieces.count == 2


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts what is compiled: models by release, tables by object."""
    found: Counter[str] = Counter()
    compile_tree, record_table = compiler.compile_tree, tables.record_table

    def model(*args: Any, **kwargs: Any) -> Any:
        found[f"release {kwargs['release']}"] += 1
        return compile_tree(*args, **kwargs)

    def table(object: Any, *args: Any) -> Any:
        found[object.name] += 1
        return record_table(object, *args)

    monkeypatch.setattr(releases, "compile_tree", model)
    monkeypatch.setattr(tables, "record_table", table)
    return found


def another_process(publisher: Publisher) -> TenantRuntime:
    """The tenant as a process sees it that did not publish."""
    there = publisher.tenant
    return TenantRuntime(there.location, there.store, Pieces(), CompiledReleases(), there.jobs)


def arrive(tenant: TenantRuntime) -> None:
    tenant.at_release()


def test_after_a_publish_elsewhere_a_process_compiles_it_once(
    publisher: Publisher, compiled: Counter[str]
) -> None:
    publisher.publish(*thing(text("size")))
    tenant = another_process(publisher)
    tenant.at_release()
    for n in range(3):
        release = publisher.publish(text(f"more{n}")).release
        together(*[lambda: arrive(tenant)] * THREADS)
        assert compiled[f"release {release}"] == 1


def test_a_publish_compiles_the_tables_of_what_it_touches_only(
    publisher: Publisher, compiled: Counter[str]
) -> None:
    publisher.publish(*thing(text("size")))
    tenant = another_process(publisher)
    everything = set(publisher.model.objects)

    def look(at: TenantRuntime) -> None:
        model = at.at_release()
        for object in model.objects.values():
            assert at.tables(model).of(object).object.digest == object.digest

    for each in (publisher.tenant, tenant):
        look(each)
        assert set(compiled) >= everything
    for n in range(3):
        compiled.clear()
        publisher.publish(text(f"more{n}"))
        look(publisher.tenant)
        look(tenant)
        assert {name for name in compiled if name in everything} == {"thing"}


def ask(call: Call, object: str) -> None:
    reads.Reads(call).list(Query(object, fields=("id",)))


def test_a_list_is_compiled_again_only_for_the_object_that_changed(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def preparing(*given: Any) -> Any:
        made.append("statement")
        return prepare(*given)

    monkeypatch.setattr(reads, "prepare", preparing)

    def look(object: str) -> int:
        made.clear()
        call = publisher.records._call
        together(*[lambda: ask(call, object)] * THREADS)
        return len(made)

    publisher.publish(*thing(text("size")))
    assert (look("thing"), look("user")) == (1, 1)
    publisher.publish(text("more"))
    assert (look("thing"), look("user")) == (1, 0)
