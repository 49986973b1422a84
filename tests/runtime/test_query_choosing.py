"""What a lookup offers is what a save accepts: one meaning of its filter, and of "active users only"."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import document, documents
from tabwright.platform.errors import Invalid
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.query.options import lookup_options
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records
from world import World, field_doc, world  # noqa: F401

Make = Callable[..., World]
OBJECTS = {
    "account": {
        "name": "text",
        "vip": "boolean",
        "size": "integer",
        "since": "date",
        "parent": "lookup(account)",
        "secret": "text",
    }
}
# Rights that hide what the filters read: they look past them.
SETS = [
    document(
        "permission_set",
        "rep",
        objects={"account": ["create", "read", "edit", "view_all"], "deal": ["create", "read", "edit"]},
        fields={"account": {"name": "edit"}, "deal": {"*": "edit"}},
    )
]
FILTERS = (
    "vip",
    "size > 2",
    "NOT(vip) || size = 1",
    'parent.name = "a1"',
    "parent.parent.vip",
    "owner = $user.id",
    'owner.name = "ann"',
    'created_by.name = "bob"',
    "$user.name = owner.name",
    '$user.language = "en" && vip',
    '$user.zone = "nowhere"',
    "since >= TODAY()",
    "10 / size > 4",
    "ISBLANK(parent)",
    'secret = "s1"',
    'BEGINS(name, "a")',
    'owner.name = "queue"',
    "parent.owner.active",
)


def offered(w: World, principal: Principal, field: str) -> set[UUID]:
    call = w.call_as(principal)
    object, _, name = field.partition(".")
    named = w.model.objects[object].fields[name]
    return {each.id for each in lookup_options(call, named.target or "user", "", 50, named)}


def accepted(w: World, principal: Principal, field: str, ids: list[UUID]) -> set[UUID]:
    object, _, name = field.partition(".")
    tries = [Intent("create", values={"name": "x", name: id}) for id in ids]
    rows = Records(w.call_as(principal)).apply_each(object, tries).rows
    return {id for id, row in zip(ids, rows, strict=True) if row.outcome == "created"}


def test_options_are_what_a_save_accepts(world: Make) -> None:  # noqa: F811
    """The law, over filters of every kind and records of every kind."""
    lookups = [
        field_doc(f"deal.f{n}", "lookup", options={"target": "account", "filter": text})
        for n, text in enumerate(FILTERS)
    ]
    w = world([*documents({**OBJECTS, "deal": {"name": "text"}}), *SETS, *lookups])
    ann, bob, gone = w.user("ann", "rep"), w.user("bob", "rep"), w.user("gone", "rep")
    queue = w.records.create("queue", {"name": "queue"}).id
    today = w.clock.now().date().isoformat()
    parents: list[UUID] = []

    @given(
        vip=st.booleans(),
        size=st.sampled_from([None, 0, 1, 2, 3]),
        since=st.sampled_from([None, "2001-01-01", "2199-01-01", today]),
        parent=st.integers(0, 5),
        secret=st.sampled_from([None, "s1", "s2"]),
        owner=st.sampled_from([ann.user_id, bob.user_id, gone.user_id, queue]),
    )
    @settings(max_examples=25, suppress_health_check=list(HealthCheck), database=None)
    def fill(parent: int, **values: Any) -> None:
        above = parents[parent] if parent < len(parents) else None
        name = f"{'a' if len(parents) % 2 else 'b'}{len(parents)}"
        parents.append(w.records.create("account", {"name": name, "parent": above, **values}).id)

    fill()
    Records(w.call_as(bob)).create("account", {"name": "bobs"})
    w.records.delete("account", parents[1])
    w.records.update("user", gone.user_id, {"active": False})
    w.records.delete("user", gone.user_id)
    everything = [*parents, *w_ids(w)]
    answers = {}
    for principal in (ann, bob, Principal.system()):
        for n, text in enumerate(FILTERS):
            field = f"deal.f{n}"
            found = offered(w, principal, field)
            assert found == accepted(w, principal, field, everything), text
            answers[principal.name, text] = len(found)
    assert len(set(answers.values())) > 4, "the filters chose differently"


def w_ids(w: World) -> list[UUID]:
    from tabwright.runtime.query.asked import Query
    from tabwright.runtime.query.reads import Reads

    return [row["id"] for row in Reads(w.call).list(Query("account", ("id",), 'name = "bobs"')).rows]


def test_somebody_inactive_is_neither_offered_nor_taken_anew(world: Make) -> None:  # noqa: F811
    w = world([*documents({"deal": {"name": "text", "helper": "user"}}), *SETS_OF_DEALS])
    ann, bob = w.user("ann", "seller"), w.user("bob", "seller")
    records = Records(w.call_as(ann))
    old = records.create("deal", {"name": "d", "helper": bob.user_id}).id
    assert bob.user_id in offered(w, ann, "deal.helper") & offered(w, ann, "deal.owner")
    w.records.update("user", bob.user_id, {"active": False})
    for field in ("deal.helper", "deal.owner"):
        found = offered(w, ann, field)
        assert bob.user_id not in found and ann.user_id in found
    for values in ({"helper": bob.user_id}, {"owner": bob.user_id}):
        with pytest.raises(Invalid) as refused:
            records.create("deal", {"name": "e", **values})
        assert [(f.code, f.place.field) for f in refused.value.faults] == [("value.inactive_user", *values)]
    assert records.update("deal", old, {"name": "renamed", "helper": bob.user_id}).changed, (
        "the old value stays"
    )
    assert w.values("deal", old)["helper"] == bob.user_id
    set_ = next(each.uid for each in w.model.permission_sets.values() if each.name == "seller")
    rights = {"user": bob.user_id, "permission_set": set_}
    assert w.records.create("permission_assignment", rights).id, "rights are given before somebody starts"
    records.update("deal", old, {"helper": None})
    with pytest.raises(Invalid):
        records.update("deal", old, {"helper": bob.user_id})


SETS_OF_DEALS = [
    document(
        "permission_set",
        "seller",
        objects={"deal": ["create", "read", "edit", "transfer"], "user": ["read"]},
        fields={"deal": {"*": "edit"}, "user": {"*": "read"}},
    )
]
