"""Computed fields where rights, calendars, record types and the bin meet them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from models import document, documents
from stores import DIALECTS, open_stores, settings_for
from tabwright.platform.errors import Invalid
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.explaining import explained
from tabwright.runtime.query.answers import about
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.service import Records
from world import World, language_functions, make_world


def formula(returns: str, text: str, **options: Any) -> dict[str, Any]:
    return {"type": "formula", "options": {"returns": returns, "formula": text, **options}}


def mirror(path: str) -> dict[str, Any]:
    return {"type": "mirror", "options": {"path": path}}


CHAIN = ("tale", "page", "book", "shelf", "room", "house")  # each names the one behind it
OBJECTS: dict[str, dict[str, Any]] = {
    name: {"name": "text sortable", **({"within": f"lookup({behind})"} if behind else {"city": "text"})}
    for name, behind in zip(CHAIN, (*CHAIN[1:], None), strict=True)
}
OBJECTS["shelf"]["town"] = mirror("within.within.city")
OBJECTS["book"]["far"] = formula("text", "within.within.within.city")
OBJECTS["page"]["far"] = formula("text", "within.far")
OBJECTS["account"] = {
    "name": "text sortable",
    "score": "integer",
    "parent": "lookup(account)",
    "total": formula("integer", "SUM(deal.account, parts)"),
}
OBJECTS["deal"] = {
    "name": "text sortable",
    "account": "lookup(account)",
    "parts": "integer",
    "day": "date",
    "above": formula("integer", "account.parent.score + 1"),
    "share": formula("decimal", "parts / account.total", scale=2),
    "twice": formula("integer", "parts * 2", stored=True),
    "due": formula("date", "WORKDAY(day, 2)", stored=True),
    "year": formula("integer", "FISCALYEAR(day)", stored=True),
    "kind": formula("text", 'TEXT(record_type) & "/" & TEXT(account.record_type)', stored=True),
    "by": formula("text", "created_by.name"),
    "kept_by": formula("text", "created_by.name & LEFT(name, 0)", stored=True),
}
OBJECTS["map"] = {
    "name": "text sortable",
    **{f"at{n}": "lookup(house)" for n in range(12)},
    **{f"city{n}": mirror(f"at{n}.city") for n in range(12)},
}
CALENDAR = {
    "kind": "calendar", "name": "ours", "label": {"en": "Ours"}, "default": True, "zone": "Asia/Shanghai",
    "hours": [{"weekday": day, "from": "09:00", "to": "18:00"} for day in ("monday", "tuesday", "friday")],
    "fiscal_year_start": 4,
}  # fmt: skip
EXTRA: list[dict[str, Any]] = [
    {"kind": "record_type", "name": "deal.big"},
    {"kind": "record_type", "name": "deal.small"},
    {"kind": "record_type", "name": "account.firm"},
    {
        "kind": "validation_rule",
        "name": "deal.small_is_small",
        "condition": 'ISPICKVAL(record_type, "small") && parts > 100',
        "message": {"en": "Too much."},
    },
]
READS = {"fields": {name: {"*": "read"} for name in OBJECTS}}
ALL = {name: ["read", "view_all"] for name in OBJECTS}
WIDE = document("permission_set", "wide", objects=ALL, **READS)
NARROW = document(
    "permission_set", "narrow", objects=ALL | {"house": ["read"], "account": ["read"]}, **READS
)  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def crm(request: pytest.FixtureRequest) -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        with open_stores(settings_for(request.param, Path(folder)), language_functions) as stores:
            yield filled(make_world(stores, [*documents(OBJECTS, EXTRA), WIDE, NARROW, CALENDAR]))


def filled(made: World) -> World:
    behind = None
    for name in reversed(CHAIN):
        values = {"name": name, **({"within": behind} if behind else {"city": "Paris"})}
        behind = made.records.create(name, values).id
    top = made.records.create("account", {"name": "Top", "score": 9}).id
    values = {"name": "Acme", "score": 1, "parent": top, "record_type": "firm"}
    acme = made.records.create("account", values).id
    for name, parts in (("alpha", 3), ("beta", 9)):
        values = {"name": name, "account": acme, "parts": parts, "day": "2026-02-27", "record_type": "big"}
        made.records.create("deal", values)
    return made


def rows(w: World, who: Principal | None, object: str, *names: str) -> list[tuple[Any, ...]]:
    call = w.call if who is None else w.call_as(who)
    page = Reads(call).list(Query(object, names, order=(("name", "asc"),)))
    return [tuple(row[name] for name in names) for row in page.rows]


def id_of(w: World, object: str, name: str) -> Any:
    (found,) = Reads(w.call).list(Query(object, ("id",), where=f'name = "{name}"')).rows
    return found["id"]


@pytest.mark.parametrize(
    ("object", "path"),
    [("shelf", "town"), ("page", "within.within.town"), ("tale", "within.within.within.town")],
)
def test_a_mirror_is_kept_apart_for_who_may_not_see_the_record_at_its_far_end(
    crm: World, object: str, path: str
) -> None:
    wide, narrow = crm.user("one", "wide"), crm.user("other", "narrow")
    assert rows(crm, wide, object, path) == [("Paris",)]
    assert rows(crm, narrow, object, path) == [(None,)], "not by the statement made for somebody else"


def test_a_formula_is_the_same_whatever_stands_beside_it(crm: World) -> None:
    narrow = crm.user("one", "narrow")
    for beside in ((), ("account.parent.name",), ("account.parent.score", "account.score")):
        assert {row[-1] for row in rows(crm, narrow, "deal", *beside, "above")} == {Decimal(10)}


def test_stored_formulas_count_by_the_organisations_calendar_however_they_are_made(crm: World) -> None:
    made = {("2026-03-03", Decimal(2025))}
    assert {(str(due), year) for due, year in rows(crm, None, "deal", "due", "year")} == made
    crm.publish([document("field", "deal.again", **formula("date", "WORKDAY(day, 2)", stored=True))])
    assert {(str(due), year) for due, year in rows(crm, None, "deal", "again", "year")} == made
    crm.publish([{**CALENDAR, "fiscal_year_start": 1}])
    assert {year for (year,) in rows(crm, None, "deal", "year")} == {Decimal(2026)}, "filled again"
    crm.publish([CALENDAR])


def test_a_record_type_is_a_name_in_rules_and_stored_formulas(crm: World) -> None:
    assert {kind for (kind,) in rows(crm, None, "deal", "kind")} == {"big/firm"}
    with pytest.raises(Invalid) as caught:
        crm.records.create("deal", {"name": "x", "record_type": "small", "parts": 101})
    assert [each.code for each in caught.value.faults] == ["record.rule"]


def test_a_record_comes_back_with_what_its_stored_formulas_are_by_then(crm: World) -> None:
    made = crm.records.create("deal", {"name": "gone", "parts": 5}).id
    crm.records.delete("deal", made)
    crm.publish([document("field", "deal.later", **formula("integer", "parts + 1", stored=True))])
    crm.publish([document("field", "deal.twice", **formula("integer", "parts * 3", stored=True))])
    crm.records.restore("deal", made)
    found = Reads(crm.call).get("deal", made, ("later", "twice"))
    assert (found["later"], found["twice"]) == (Decimal(6), Decimal(15))
    crm.records.delete("deal", made)


def test_who_has_left_is_named_alike_by_virtual_and_stored_formulas(crm: World) -> None:
    leaver = crm.user("Lea", "administrator")
    made = Records(crm.call_as(leaver)).create("deal", {"name": "theirs"}).id
    crm.records.delete("user", leaver.user_id)
    crm.records.update("deal", made, {"name": "renamed"})
    found = Reads(crm.call).get("deal", made, ("by", "kept_by"))
    assert (found["by"], found["kept_by"]) == ("Lea", "Lea")
    crm.records.delete("deal", made)


def test_mirrors_over_many_lookups_are_no_path_that_somebody_asked_for(crm: World) -> None:
    house = id_of(crm, "house", "house")
    made = crm.records.create("map", {"name": "m", "at0": house, "at11": house}).id
    found = Reads(crm.call).get("map", made)
    assert [found[f"city{n}"] for n in (0, 1, 11)] == ["Paris", None, "Paris"]


def test_why_goes_as_far_as_the_formula_and_tells_nothing_of_a_hidden_blank(crm: World) -> None:
    def why(who: Principal | None, object: str, name: str, field: str) -> Any:
        computed = crm.model.objects[object].fields[field].computed
        assert computed is not None
        call = crm.call if who is None else crm.call_as(who)
        return explained(call, crm.model.objects[object], computed.formula, id_of(crm, object, name))

    assert why(None, "page", "page", "far").step.value == "Paris"
    narrow = crm.user("one", "narrow")
    assert why(narrow, "page", "page", "far").hides, "the last record may not be seen"
    house = id_of(crm, "house", "house")
    crm.records.update("house", house, {"city": None})
    assert why(narrow, "book", "book", "far").hides and not why(None, "book", "book", "far").hides
    crm.records.update("house", house, {"city": "Paris"})


def test_children_of_a_record_on_the_way_are_those_of_that_record(crm: World) -> None:
    computed = crm.model.objects["deal"].fields["share"].computed
    assert computed is not None
    answered = about(crm.call, crm.model.objects["deal"], [computed.formula], id_of(crm, "deal", "alpha"))
    assert list(answered.values()) == [Decimal(12)]
