"""Settings that many types share: shortest, unique within, retired, copied; and numbers that start again."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import models
from apisite import Person
from pagesite import make_pages, readable
from stores import DIALECTS
from tabwright.platform.errors import Conflict, Invalid
from world import World, field_doc, object_doc

Make = Callable[..., World]


def numbered(**options: Any) -> list[Mapping[str, Any]]:
    return [
        object_doc("shop"), field_doc("shop.name", "text"),
        object_doc("bill"), field_doc("bill.name", "text"),
        field_doc("bill.shop", "lookup", options={"target": "shop"}),
        field_doc("bill.number", "auto_number", options=options),
    ]  # fmt: skip


def numbers(world: World, *shops: Any) -> list[str]:
    made = [world.records.create("bill", {"name": "x", "shop": shop}).id for shop in shops]
    return [world.values("bill", id)["number"] for id in made]


def on(world: World, year: int, month: int, day: int) -> None:
    """It is this day from now on."""
    world.clock.advance(datetime(year, month, day, 4, 0, tzinfo=UTC) - world.clock.now())


@pytest.mark.parametrize(
    ("restart", "given"),
    [
        (None, "12111"), ("never", "12345"), ("year", "12341"), ("month", "12311"), ("day", "12111"),
    ],
)  # fmt: skip
def test_a_counter_starts_again_when_its_period_does(world: Make, restart: str | None, given: str) -> None:
    options = {"pattern": "{YYYY}{MM}{DD}-{0}"} | ({"restart": restart} if restart else {})
    made = world(numbered(**options))
    found = []
    for day in ((2026, 3, 1), (2026, 3, 1), (2026, 3, 2), (2026, 4, 1), (2027, 4, 1)):
        on(made, *day)
        found += numbers(made, None)
    assert "".join(each.partition("-")[2] for each in found) == given
    assert len(set(found)) == len(found)


def test_each_parent_counts_for_itself_and_the_same_number_stands_under_both(world: Make) -> None:
    made = world(numbered(pattern="B{00}", per="shop"))
    a, b = (made.records.create("shop", {"name": name}).id.hex for name in "ab")
    assert numbers(made, a, a, b, None, b, a, None) == ["B01", "B02", "B01", "B01", "B02", "B03", "B02"]
    with pytest.raises(Conflict):  # moved to where its number stands already
        first = made.records.create("bill", {"name": "x", "shop": b}).id
        made.records.update("bill", first, {"shop": a})


def test_a_counter_that_is_changed_goes_on_behind_what_stands(world: Make) -> None:
    made = world(numbered(pattern="B{YYYY}-{00}", restart="year"))
    on(made, 2026, 3, 1)
    assert numbers(made, None, None) == ["B2026-01", "B2026-02"]
    made.publish(
        [field_doc("bill.number", "auto_number", options={"pattern": "B{YYYY}-{00}", "restart": "never"})]
    )
    assert numbers(made, None) == ["B2026-03"]


def test_nobody_gets_a_number_twice_at_the_same_moment(world: Make) -> None:
    made = world(numbered(pattern="B{0}", per="shop"))
    shop = made.records.create("shop", {"name": "a"}).id.hex
    found: list[str] = []

    def work() -> None:
        for _ in range(10):
            found.extend(numbers(made, shop))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=lambda each: int(each[1:])) == [f"B{n}" for n in range(1, 41)]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"pattern": "{0}", "restart": "year"}, "field.restart_not_shown"),
        ({"pattern": "{YYYY}-{0}", "restart": "month"}, "field.restart_not_shown"),
        ({"pattern": "{YYYY}{MM}-{0}", "restart": "day"}, "field.restart_not_shown"),
        ({"pattern": "{0}", "per": "name"}, "field.within_no_reference"),
        ({"pattern": "{0}", "per": "nothing"}, "reference.unknown_field"),
    ],
)
def test_numbers_that_would_come_again_are_refused(options: dict[str, Any], code: str) -> None:
    fields: models.Compact = {"bill": {"name": "text", "number": {"type": "auto_number", "options": options}}}
    with pytest.raises(Invalid) as caught:
        models.model(fields)
    assert code in {fault.code for fault in caught.value.faults}


# ---- unique within -------------------------------------------------------------------------------------


def test_unique_within_a_parent(world: Make) -> None:
    made = world(
        [
            object_doc("shop"), field_doc("shop.name", "text"),
            object_doc("part"), field_doc("part.name", "text"),
            field_doc("part.shop", "lookup", options={"target": "shop"}),
            field_doc("part.code", "text", unique="ignore_case", unique_within="shop"),
        ]
    )  # fmt: skip
    a, b = (made.records.create("shop", {"name": name}).id.hex for name in "ab")
    for shop in (a, b, None):
        made.records.create("part", {"name": "x", "shop": shop, "code": "K1"})
        with pytest.raises(Conflict) as caught:
            made.records.create("part", {"name": "x", "shop": shop, "code": "k1"})
        assert [fault.code for fault in caught.value.faults] == ["unique.taken"]
        made.records.create("part", {"name": "x", "shop": shop})
        made.records.create("part", {"name": "x", "shop": shop})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"unique_within": "shop"}, "field.within_not_unique"),
        ({"unique": True, "unique_within": "name"}, "field.within_no_reference"),
        ({"unique": True, "unique_within": "shop", "external_key": True}, "field.key_not_unique"),
        ({"options": {"min_length": 9, "max_length": 8}}, "field.min_above_max"),
    ],
)
def test_settings_that_make_no_sense_are_refused(body: dict[str, Any], code: str) -> None:
    fields: models.Compact = {
        "shop": {"name": "text"},
        "part": {"name": "text", "shop": "lookup(shop)", "code": {"type": "text", **body}},
    }
    with pytest.raises(Invalid) as caught:
        models.model(fields)
    assert code in {fault.code for fault in caught.value.faults}


# ---- shortest, retired, copied -------------------------------------------------------------------------


def test_a_text_that_is_too_short_is_refused(world: Make) -> None:
    short = field_doc("part.code", "text", options={"min_length": 3})
    made = world([object_doc("part"), field_doc("part.name", "text"), short])
    made.records.create("part", {"name": "x", "code": "码码码"})
    made.records.create("part", {"name": "x"})
    with pytest.raises(Invalid) as caught:
        made.records.create("part", {"name": "x", "code": "ab"})
    assert [fault.code for fault in caught.value.faults] == ["value.too_short"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_retired_field_keeps_its_data_and_leaves_the_forms(dialect: str) -> None:
    with tempfile.TemporaryDirectory() as folder, make_pages(dialect, Path(folder)) as pages:
        old = {"type": "text", "required": True, "default": '"none"', "label": {"en": "Old code"}}
        pages.publish({"part": {"name": "text", "code": old}})
        id = pages.records.create("part", {"name": "x", "code": "kept"}).id
        pages.publish({"part": {"name": "text", "code": {**old, "active": False}}})
        visitor = pages.person("admin", "administrator", "standard_user", language="en")
        for page in (visitor.get("/o/part/new"), visitor.get(f"/o/part/{id}/edit")):
            assert "Old code" not in readable(page)
        visitor.get("/o/part/new")
        assert visitor.post("/o/part/new", {**visitor.form(), "name": "y"}).status_code == 303
        assert visitor.user_id is not None
        token = pages.site.tokens.create(pages.location.id, visitor.user_id, "test", scope=None)
        api = Person(pages.app.test_client(), token, visitor.user_id)
        path = f"/objects/part/records/{id.hex}"
        assert api.get(path).json["code"] == "kept"
        assert [each["code"] for each in api.patch(path, {"code": "new"}).json["faults"]] == [
            "field.read_only"
        ]
        pages.publish({"part": {"name": "text", "code": old}})
        assert "kept" in readable(visitor.get(f"/o/part/{id}"))


def test_a_name_field_cannot_be_retired() -> None:
    with pytest.raises(Invalid) as caught:
        models.model({"part": {"name": {"type": "text", "active": False}}})
    assert "object.retired_name_field" in {fault.code for fault in caught.value.faults}


def test_a_value_can_be_copied_from_the_record_page() -> None:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as pages:
        pages.publish({"part": {"name": "text", "code": {"type": "text", "copy_button": True}}})
        id = pages.records.create("part", {"name": "x", "code": 'a"b<'}).id
        visitor = pages.person("admin", "administrator", "standard_user", language="en")
        assert 'data-copy="a&#34;b&lt;"' in visitor.get(f"/o/part/{id}").text
        assert "data-copy" not in visitor.get("/o/part").text
