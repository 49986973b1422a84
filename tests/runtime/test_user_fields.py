"""``$User`` names every field of whoever asks, in what is read and in what is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tabwright.platform.errors import Invalid
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.service import Records
from world import World, field_doc, object_doc
from world import world as world

DOCUMENTS = [
    field_doc("user.region", "text"),
    object_doc("card", sharing="edit"),
    field_doc("card.name", "text"),
    field_doc("card.region", "text"),
    field_doc("card.near", "formula", options={"returns": "boolean", "formula": "region = $User.region"}),
    field_doc("card.boss", "formula", options={"returns": "text", "formula": "$User.manager.region"}),
    field_doc("card.cut", "formula", options={"returns": "text", "formula": "SPLIT($User.region, \"-\", 1)"}),
    {
        "kind": "validation_rule", "name": "card.own", "condition": "region <> $User.region",
        "message": {"en": "Only your region"},
    },
    {
        "kind": "permission_set", "name": "clerk", "label": {"en": "Clerk"}, "fields": {"*": {"*": "edit"}},
        "objects": {"card": ["create", "read", "edit"]},
    },
]  # fmt: skip


def test_fields_of_whoever_asks(world: Callable[..., World]) -> None:
    made = world(DOCUMENTS)
    boss = made.user("boss", region="north")
    ann = made.user("ann", "clerk", region="east-1", manager=boss.user_id)
    ben = made.user("ben", "clerk", region="west-2")
    card = Records(made.call_as(ann)).create("card", {"name": "c", "region": "east-1"}).id
    with pytest.raises(Invalid, match=r"record\.rule"):
        Records(made.call_as(ben)).create("card", {"name": "d", "region": "east-1"})

    def seen(who: Any) -> dict[str, Any]:
        found = Reads(made.call_as(who)).get("card", card, ("near", "boss", "cut"))
        return {name: found[name] for name in ("near", "boss", "cut")}

    assert seen(ann) == {"near": True, "boss": "north", "cut": "east"}
    assert seen(ben) == {"near": False, "boss": None, "cut": "west"}
    found = Reads(made.call_as(ben)).list(Query("card", ("id",), where="near"))
    assert [row["id"] for row in found.rows] == []
