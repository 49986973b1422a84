"""Search while a publish is followed by its job: never by wrong rights, and right again when it is done."""

from __future__ import annotations

from typing import Any

import pytest

from publishers import Publisher, text, thing
from publishers import publisher as publisher
from stores import stores as stores
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Call
from tabwright.runtime.publishing import searching
from tabwright.runtime.search.querying import search
from tabwright.runtime.storage import changes


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of two rows are large ones: their search rows are a job's."""
    for module, name in ((changes, "DATA_ROWS"), (changes, "INDEX_ROWS"), (searching, "DATA_ROWS")):
        monkeypatch.setattr(module, name, 1)
    monkeypatch.setattr(searching, "CHUNK", 2)


def rights(name: str, **fields: str) -> dict[str, Any]:
    return {
        "kind": "permission_set",
        "name": name,
        "label": {"en": name},
        "objects": {"thing": ["read", "view_all"]},
        "fields": {"thing": {"*": "read", **fields}},
    }


def found(publisher: Publisher, typed: str, *sets: str) -> list[str]:
    """Names that somebody with these permission sets finds; with none, the platform itself."""
    model = publisher.model
    if sets:
        uids = tuple(sorted(each.uid for each in model.permission_sets.values() if each.name in sets))
        who = Principal(publisher.ids.new(), "x", permission_sets=uids)
    else:
        who = Principal.system()
    call = Call(
        publisher.tenant, who, model, Gate(model, who), publisher.clock, publisher.ids, "en", "Asia/Shanghai",
        "test", "api",
    )  # fmt: skip
    return sorted(hit.name for hit in search(call, typed, ["thing"]))


def some(publisher: Publisher) -> None:
    for n, word in enumerate(("tiger", "tiger", "panther", "lion", "lynx")):
        publisher.records.create("thing", {"name": f"n{n}", "size": word})


def test_rights_hold_from_the_moment_of_their_release(publisher: Publisher, large: None) -> None:
    """The rows stay as they are: each search asks for the fields that may be read."""
    publisher.publish(*thing(text("size", searchable=True)), rights("clerk"), rights("chief"))
    some(publisher)
    publisher.run_jobs()
    assert found(publisher, "tiger", "clerk") == ["n0", "n1"] == found(publisher, "tiger", "chief")
    assert publisher.publish(rights("clerk", size="none")).jobs == ()
    assert found(publisher, "tiger", "clerk") == [] == found(publisher, "n0 tiger", "clerk")
    publisher.records.create("thing", {"name": "new", "size": "tiger"})
    assert found(publisher, "tiger", "clerk") == []
    assert found(publisher, "tiger", "chief") == ["n0", "n1", "new"] == found(publisher, "tiger")
    publisher.publish(rights("clerk"))
    assert found(publisher, "tiger", "clerk") == ["n0", "n1", "new"]


def test_hidden_words_are_hidden_while_a_job_does_the_rows_again(publisher: Publisher, large: None) -> None:
    publisher.publish(*thing(text("size", searchable=True)), rights("clerk"), rights("chief"))
    some(publisher)
    done = publisher.publish(rights("clerk", size="none"), text("other", searchable=True))
    assert len(done.jobs) == 1
    for _ in range(2):  # before the job, and after it
        assert found(publisher, "tiger", "clerk") == [] == found(publisher, "pantehr", "clerk")
        assert found(publisher, "n0 tiger", "clerk") == [] and found(publisher, "n0", "clerk") == ["n0"]
        assert found(publisher, "tiger", "chief") == ["n0", "n1"]
        publisher.run_jobs()
    assert found(publisher, "pantehr", "chief") == ["n2"]


def test_a_field_becomes_searched_and_stops(publisher: Publisher, large: None) -> None:
    publisher.publish(*thing(text("size")), rights("clerk"))
    some(publisher)
    assert found(publisher, "tiger") == []
    assert len(publisher.publish(text("size", searchable=True)).jobs) == 1
    publisher.run_jobs()
    assert found(publisher, "tiger") == ["n0", "n1"] and found(publisher, "n0 tiger", "clerk") == ["n0"]
    assert found(publisher, "pantehr") == ["n2"], "its words are known too"
    assert len(publisher.publish(text("size")).jobs) == 1
    assert publisher.publishing.list()[0].building["search"] == ["thing"]
    publisher.run_jobs()
    assert found(publisher, "tiger") == [] == found(publisher, "pantehr")
