"""A save that began under one release never writes past the next one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from tabwright.platform.errors import Invalid
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.moving import ReleaseMoved
from tabwright.runtime.records.service import Records
from world import World, field_doc, object_doc

Worlds = Callable[..., World]
BEFORE = [object_doc("deal"), field_doc("deal.name", "text"), field_doc("deal.size", "text")]


def test_a_save_begun_before_a_type_change_goes_where_the_type_is_now(world: Worlds) -> None:
    w = world(BEFORE)
    id = w.records.create("deal", {"name": "a", "size": "5"}).id
    begun = w.call
    w.publish([field_doc("deal.size", "integer")])
    assert Records(begun).update("deal", id, {"size": "7"}).changed
    assert w.values("deal", id)["size"] == Decimal(7)
    with pytest.raises(Invalid):
        Records(begun).update("deal", id, {"size": "not a number"})
    assert w.values("deal", id)["size"] == Decimal(7)


def test_a_save_begun_before_its_field_went_is_told_so(world: Worlds) -> None:
    w = world(BEFORE)
    begun = w.call
    w.documents = [each for each in w.documents if each["name"] != "deal.size"]
    w.publish([])
    with pytest.raises(Invalid) as caught:
        Records(begun).create("deal", {"name": "b", "size": "5"})
    assert [fault.place.field for fault in caught.value.faults] == ["size"]
    assert w.count("deal") == 0


def test_a_release_that_changes_other_objects_disturbs_nobody(world: Worlds) -> None:
    w = world(BEFORE)
    begun = w.call
    w.publish([object_doc("visit"), field_doc("visit.name", "text")])
    deal = begun.model.objects["deal"]
    with w.store.write() as writer:
        Records(begun).apply_in(writer, deal, [Intent("create", values={"name": "c"})])
    assert w.count("deal") == 1


def test_in_a_transaction_of_the_callers_nothing_is_written(world: Worlds) -> None:
    w = world(BEFORE)
    begun = w.call
    w.publish([field_doc("deal.size", "integer")])
    deal = begun.model.objects["deal"]
    with pytest.raises(ReleaseMoved), w.store.write() as writer:
        Records(begun).apply_in(writer, deal, [Intent("create", values={"name": "d", "size": "1"})])
    assert w.count("deal") == 0
