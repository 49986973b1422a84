"""Records as they stood: what is read as of a moment is what was read at that moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stores import DIALECTS, open_stores, settings_for
from tabwright.platform.database import observe
from tabwright.platform.errors import Invalid, Malformed, NotFound
from tabwright.runtime.journal.asof import as_of, moment_of, own_fields
from tabwright.runtime.journal.reading import history
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records
from world import World, field_doc, language_functions, make_world, object_doc

Make = Callable[..., World]

STAGES = {"values": [{"code": code, "label": {"en": code}} for code in ("new", "won", "lost")]}
DOCUMENTS = [
    object_doc("account", sharing="private"),
    field_doc("account.name", "text"),
    field_doc("account.amount", "currency", options={"precision": 16, "scale": 2, "currency": "CNY"}),
    field_doc("account.since", "date"),
    field_doc("account.seen", "datetime"),
    field_doc("account.vip", "boolean"),
    field_doc("account.notes", "long_text"),
    field_doc("account.stage", "picklist", options=STAGES),
    field_doc("account.parent", "lookup", options={"target": "account"}),
    {
        "kind": "permission_set",
        "name": "clerk",
        "label": {"en": "Clerk"},
        "objects": {"account": ["create", "read", "edit", "delete"]},
        "fields": {"account": {"*": "edit", "amount": "none"}},
    },
]


@pytest.fixture(scope="module", params=DIALECTS)
def one(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("asof")
    with open_stores(settings_for(request.param, home), language_functions) as stores:
        yield make_world(stores, DOCUMENTS)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXTS,
        "amount": st.one_of(st.none(), st.decimals("-9999", "9999", places=2)),
        "since": st.one_of(st.none(), st.dates().map(str)),
        "seen": st.one_of(
            st.none(), st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(lambda d: f"{d}Z")
        ),
        "vip": st.booleans(),
        "notes": st.one_of(st.none(), TEXTS),
        "stage": st.sampled_from([None, "new", "won", "lost"]),
        "parent": st.sampled_from([None, "self", "other"]),
    },
)
STEPS = st.lists(st.one_of(CHANGES, st.sampled_from(["delete", "restore", "undo"])), min_size=1, max_size=10)


def resolved(values: dict[str, Any], own: UUID, other: UUID) -> dict[str, Any]:
    ids = {None: None, "self": own, "other": other}
    return {name: ids[value] if name == "parent" else value for name, value in values.items()}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_reading_as_of_a_moment_gives_what_was_there(one: World, steps: list[Any]) -> None:
    """The law: replay = truth, whatever was done in between, for every moment that was looked at."""
    before = one.clock.now()
    other = one.records.create("account", {"name": "other"}).id
    saved = one.records.create("account", {"name": "first"})
    id, operation, deleted = saved.id, None, False
    truth = [(one.clock.now(), one.values("account", id), False)]
    for step in steps:
        if isinstance(step, dict) and not deleted:
            operation = one.records.update("account", id, resolved(step, id, other)).operation
        elif step == "delete" and not deleted:
            operation, deleted = one.records.delete("account", id).operation, True
        elif step == "restore" and deleted:
            operation, deleted = one.records.restore("account", id).operation, False
        elif step == "undo" and operation is not None:
            undone = one.records.undo(operation)
            assert undone.operation is None or not undone.left
            operation = None
            deleted = history(one.call, "account", id)[0].action == "delete"
        truth.append((one.clock.now(), one.values("account", id), deleted))
    for at, values, was_deleted in truth:
        if was_deleted:
            with pytest.raises(NotFound) as told:
                as_of(one.call, "account", id, at)
            assert told.value.faults[0].code == "journal.in_bin"
        else:
            past = as_of(one.call, "account", id, at)
            assert past.values == values
            assert past.now == truth[-1][1]
    with pytest.raises(NotFound) as told:
        as_of(one.call, "account", id, before)
    assert told.value.faults[0].code == "journal.not_yet"


def test_fields_and_choices_that_are_gone_do_not_stand_in_the_way(world: Make) -> None:
    """A dropped field is not there any more; a code that was taken from its list stays what it was; what
    was imported and taken back stands in the bin.
    """
    w = world(DOCUMENTS)
    done = w.records.apply(
        "account", [Intent("create", values={"name": "a", "stage": "lost", "notes": "old", "vip": True})]
    )
    id = done.rows[0].id
    assert id is not None and done.operation is not None
    then = w.clock.now()
    w.records.update("account", id, {"stage": "new", "notes": "new", "vip": False})
    stage = field_doc("account.stage", "picklist", options={"values": STAGES["values"][:2]})
    w.documents = [each for each in w.documents if each["name"] != "account.notes"]
    w.publish([stage])
    past = as_of(w.call, "account", id, then)
    assert "notes" not in past.values
    assert (past.values["stage"], past.values["vip"], past.revision) == ("lost", True, 1)
    assert set(past.changed) >= {"stage", "vip"} and "name" not in past.changed
    w.publish([field_doc("account.notes", "long_text"), field_doc("account.renamed", "text")])
    imported = w.records.apply("account", [Intent("create", values={"name": "imported"})])
    there = w.clock.now()
    assert imported.operation is not None and imported.rows[0].id is not None
    w.records.undo(imported.operation)
    assert as_of(w.call, "account", imported.rows[0].id, there).values["name"] == "imported"


def test_the_rights_of_today_hold_for_what_was(world: Make) -> None:
    w = world(DOCUMENTS)
    ann, bob = w.user("ann", "clerk"), w.user("bob", "clerk")
    id = Records(w.call_as(ann)).create("account", {"name": "a"}).id
    w.records.update("account", id, {"amount": 5})
    then = w.clock.now()
    w.records.update("account", id, {"amount": 7, "name": "b"})
    past = as_of(w.call_as(ann), "account", id, then)
    assert past.values["name"] == "a" and "amount" not in past.values and "amount" not in past.now
    account = w.model.objects["account"]
    with pytest.raises(Invalid):
        own_fields(w.call_as(ann), account, ("amount",))
    with pytest.raises(Invalid) as told:
        own_fields(w.call, account, ("parent.name",))
    assert told.value.faults[0].code == "journal.path"
    with pytest.raises(NotFound):
        as_of(w.call_as(bob), "account", id, then)
    w.records.update("account", id, {"owner": bob.user_id})  # given away: no longer hers to see, then or now
    with pytest.raises(NotFound):
        as_of(w.call_as(ann), "account", id, then)
    assert as_of(w.call_as(bob), "account", id, then).values["owner"] == ann.user_id


def test_a_long_past_takes_as_few_statements_as_a_short_one(world: Make) -> None:
    w = world(DOCUMENTS)
    short = w.records.create("account", {"name": "a"}).id
    long = w.records.create("account", {"name": "a"}).id
    then = w.clock.now()
    for n in range(150):
        w.records.update("account", long, {"name": str(n)})

    def count(run: Callable[[], Any]) -> int:
        seen: list[str] = []
        with observe(lambda how, text, rows: seen.append(text)):
            run()
        return len(seen)

    assert count(lambda: as_of(w.call, "account", long, then)) == 3
    assert count(lambda: as_of(w.call, "account", short, then)) == 3
    assert as_of(w.call, "account", long, then).values["name"] == "a"
    assert count(lambda: history(w.call, "account", long)) == count(lambda: history(w.call, "account", short))


def test_a_date_is_its_end_in_the_readers_zone() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    end = datetime(2026, 1, 31, 16, tzinfo=UTC) - timedelta(microseconds=1)
    assert moment_of("2026-01-31", zone) == end
    assert moment_of("2026-01-31T08:00:00Z", zone) == datetime(2026, 1, 31, 8, tzinfo=UTC)
    assert moment_of("2026-01-31T08:00:00", zone) == datetime(2026, 1, 31, tzinfo=UTC)
    for wrong in (
        "",
        "yesterday",
        "2026-02-30",
        "2026-01-31T08:00:00 08:00",
        "9999-12-31",
        "0001-01-01T00:00+23:00",
    ):
        with pytest.raises(Malformed):
            moment_of(wrong, zone)
