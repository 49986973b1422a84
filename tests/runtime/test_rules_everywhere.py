"""A rule that holds in the form holds in the API, in bulk, in imports, in place and on boards: every way in
against every kind of rule, on both databases (FEATURES M8, U4).
"""

from __future__ import annotations

import itertools
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from desks import Desk, desk_of
from htmlforms import posted
from importing import Importer, call_of, csv_of
from pagesite import make_pages
from stores import DIALECTS
from tabwright.platform.errors import Invalid
from tabwright.runtime.bulk.selection import Selection
from tabwright.runtime.bulk.service import Bulk

PICKS = {"values": [{"code": code, "label": {"en": code}} for code in ("a", "b", "c")]}
CRM: models.Compact = {
    "account": {"name": "text(120) required", "tier": "picklist(a,b)"},
    "quote": {"name": "text(120) required"},
    "deal": {
        "tag": "text(80)",
        "name": "text(120) required",
        "quote": "lookup(quote)",
        "account": {
            "type": "lookup",
            "options": {"target": "account", "filter": "ISPICKVAL(tier, \"a\")"},
        },
        "stage": "picklist(open,won,lost)",
        "why": {"type": "text", "required_when": 'ISPICKVAL(stage, "lost")'},
        "terms": {"type": "text", "read_only_when": 'ISPICKVAL(stage, "won")'},
        "calc": "text(40) read_only",
        "amount": "currency(16,2)",
        "discount": "integer",
        "score": {"type": "integer", "options": {"min": 1, "max": 10}},
        "postcode": {"type": "text", "options": {"pattern": "[0-9]{6}"}},
        "code": "text(40) unique",
        "book": "text(40)",
        "page": "text(40)",
        "province": "picklist(p1,p2)",
        "city": {
            "type": "picklist",
            "options": {
                "values": [{"code": "c1", "label": {"en": "c1"}}, {"code": "c2", "label": {"en": "c2"}}],
                "controlled_by": "province", "matrix": {"p1": ["c1"], "p2": ["c2"]},
            },
        },
        "sort": "picklist(small,large)",
        "grade": {"type": "picklist", "options": {**PICKS, "offered_when": {"a": "amount > 100"}}},
        "class": {"type": "picklist", "options": PICKS},
        "here": "text(40)",
        "here_when": "text(40)",
        "fixed": "text(40)",
        "fixed_when": "text(40)",
        "shown": "text(40)",
        "made": {"type": "text", "default": 'UPPER(name) & "!"'},
        "number": "auto_number(D-{000})",
        "hot": "boolean",
        "other": "text(40)",
    },
}  # fmt: skip
NO_COLUMN = ("calc", "fixed", "fixed_when", "shown")  # a table has twenty
SPECIAL: list[Any] = [
    {"field": "here", "required": True},
    {"field": "here_when", "required_when": 'ISPICKVAL(stage, "lost")'},
    {"field": "fixed", "read_only": True},
    {"field": "fixed_when", "read_only_when": 'ISPICKVAL(stage, "won")'},
    {"field": "shown", "visible": 'ISPICKVAL(stage, "won")'},
    {"field": "number", "required": True},  # it has one by itself
    {"field": "hot", "required": True},
    {"field": "class", "offered_when": {"a": "amount > 100"}},
]
PLAIN = [name for name in CRM["deal"] if name not in {each["field"] for each in SPECIAL}]
COLUMNS = [
    name for name in CRM["deal"] if name not in ("quote", "other", "made", "number", "hot", *NO_COLUMN)
]
EXTRA: list[dict[str, Any]] = [
    {"kind": "layout", "name": "quote.standard",
     "sections": [{"fields": ["name"], "lines": {"relation": "deal.quote", "columns": COLUMNS}}]},
    {"kind": "layout", "name": "deal.standard", "sections": [{"fields": [*PLAIN, *SPECIAL, "record_type"]}]},
    {"kind": "record_type", "name": "deal.retail", "label": {"en": "Retail"},
     "picklists": {"sort": ["small"]}},
    {"kind": "unique_rule", "name": "deal.place", "fields": ["book", "page"]},
    {"kind": "validation_rule", "name": "deal.big", "label": {"en": "Big"}, "condition": "amount > 1000000",
     "message": {"en": "Too big a deal"}, "field": "amount"},
    {"kind": "validation_rule", "name": "deal.cheap", "label": {"en": "Cheap"}, "severity": "warning",
     "condition": "discount > 50", "message": {"en": "Quite a discount"}, "field": "discount"},
    {"kind": "permission_set", "name": "trusted", "label": {"en": "Trusted"},
     "objects": {"deal": ["create", "read", "edit", "view_all", "skip_rules"]},
     "fields": {"deal": {"*": "edit"}}},
]  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of rule: what breaks it, from which record it is broken, and where.

    ``left_out``: a page has no input for it, and what is sent all the same may be left out without a word.
    """

    bad: Mapping[str, Any]
    base: Mapping[str, Any] = field(default_factory=dict)
    left_out: bool = False
    only_changes: bool = False  # a new record may have it


TAKEN = {"code": "taken", "book": "b1", "page": "p1"}
KINDS: dict[str, Kind] = {
    "error": Kind({"amount": "2000000"}),
    "warning": Kind({"discount": "60"}),
    "required": Kind({"name": ""}),
    "required_when": Kind({"stage": "lost"}, {"here_when": "x"}),
    "required_in_layout": Kind({"here": ""}),
    "required_in_layout_when": Kind({"stage": "lost"}, {"why": "x"}),
    "read_only": Kind({"calc": "x"}, left_out=True),
    "read_only_when": Kind({"terms": "x"}, {"stage": "won"}, left_out=True, only_changes=True),
    "read_only_in_layout": Kind({"fixed": "x"}, left_out=True),
    "read_only_in_layout_when": Kind({"fixed_when": "x"}, {"stage": "won"}, left_out=True, only_changes=True),
    "unique": Kind({"code": "taken"}),
    "unique_rule": Kind({"page": "p1"}, {"book": "b1", "page": "its own"}),
    "dependent": Kind({"city": "c2"}, {"province": "p1"}),
    "record_type": Kind({"sort": "large"}, {"record_type": "retail"}),
    "lookup_filter": Kind({"account": "wrong"}),
    "most": Kind({"score": "11"}),
    "pattern": Kind({"postcode": "none"}),
    "offered_when": Kind({"grade": "a"}, {"amount": "1"}),
    "offered_in_layout_when": Kind({"class": "a"}, {"amount": "1"}),
    "hidden": Kind({"shown": "x"}, {"stage": "open"}, left_out=True),
}
numbers = itertools.count(1)


class Bench:
    """A site with an admin, and every way in as a verb: what it said when it refused, "" when it did not."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        records = desk.pages.records
        self.right = str(records.create("account", {"name": "right", "tier": "a"}).id)
        self.wrong = str(records.create("account", {"name": "wrong", "tier": "b"}).id)
        records.create("deal", {"name": "first", "here": "x", **TAKEN})

    # ---- records ----------------------------------------------------------------------------------

    def base(self, kind: Kind) -> dict[str, Any]:
        """The values of a good record of a name of its own."""
        tag = f"t{next(numbers)}"
        own = {name: tag if value == "its own" else value for name, value in kind.base.items()}
        return {"tag": tag, "name": tag, "here": "x", "record_type": "retail", **own}

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.wrong if value == "wrong" else value for name, value in given.items()}

    def make(self, kind: Kind) -> tuple[UUID, str]:
        values = self.base(kind)
        return self.desk.pages.records.create("deal", values).id, values["tag"]

    def kept(self, tag: str, *names: str) -> dict[str, Any] | None:
        """What the record holds in the store, as texts; None where there is none."""
        found = self.desk.api.get(
            "/objects/deal/records", where=f'tag = "{tag}"', fields=",".join((*names, "id"))
        )
        rows = found.json["records"]
        assert len(rows) < 2
        if not rows:
            return None
        return {name: "" if rows[0][name] is None else str(rows[0][name]) for name in names}

    # ---- ways in ----------------------------------------------------------------------------------

    def form_create(self, values: dict[str, Any], confirm: str = "") -> str:
        admin = self.desk.admin
        admin.get("/o/deal/new?record_type=retail")
        return self._page("/o/deal/new", {**admin.form(), **values}, confirm)

    def form_edit(self, values: dict[str, Any], id: UUID, confirm: str = "") -> str:
        admin = self.desk.admin
        admin.get(f"/o/deal/{id}/edit")
        return self._page(f"/o/deal/{id}/edit", {**admin.form(), **values}, confirm)

    def _page(self, path: str, given: dict[str, Any], confirm: str) -> str:
        given.pop("record_type", None)
        answer = self.desk.admin.post(path, {**given, "_confirm": confirm})
        return "" if answer.status_code == 303 else answer.text

    def in_place(self, values: dict[str, Any], id: UUID, confirm: str = "", place: str = "record") -> str:
        self.desk.admin.get(f"/o/deal/{id}")
        given = {**values, "field": list(values), "place": place, "_confirm": confirm}
        answer = self.desk.admin.post(f"/o/deal/{id}/value", given)
        return "" if answer.status_code == 200 else answer.text

    def in_a_list(self, values: dict[str, Any], id: UUID, confirm: str = "") -> str:
        return self.in_place(values, id, confirm, "list")

    def quick(self, values: dict[str, Any], confirm: str = "") -> str:
        self.desk.admin.get("/o/deal/new")
        given = {name: value for name, value in values.items() if name != "record_type"}
        answer = self.desk.admin.post(
            "/o/deal/new/panel", {**given, "_record_type": "retail", "_confirm": confirm}
        )
        return "" if answer.status_code == 200 and "id" in answer.get_json() else answer.text

    def board(self, values: dict[str, Any], id: UUID, confirm: str = "") -> str:
        self.desk.admin.get("/o/deal")
        given = {f"set.{name}": value for name, value in values.items()}
        answer = self.desk.admin.post(f"/o/deal/{id}/move", {**given, "_confirm": confirm})
        return "" if answer.status_code == 200 else answer.text

    def bulk_edit(self, values: dict[str, Any], id: UUID, confirm: str = "") -> str:
        bulk = Bulk(call_of(self.desk, self.desk.api))  # type: ignore[arg-type]
        object = bulk._call.model.objects["deal"]
        run = bulk.start(object, "edit", Selection((id,)), "/")
        try:
            run = bulk.choose(run.id, {name: value or None for name, value in values.items()})
        except Invalid as refused:
            return str(refused)
        held = run.counted("check")["reasons"]
        run = bulk.run(run.id, bool(confirm))
        return str(held) if run.counted("run")["failed"] else ""

    def api_create(self, values: dict[str, Any], confirm: str = "") -> str:
        answer = self.desk.api.post(f"/objects/deal/records?confirm={confirm}", _blanks(values))
        return "" if answer.status_code == 201 else answer.text

    def api_update(self, values: dict[str, Any], id: UUID, confirm: str = "") -> str:
        answer = self.desk.api.patch(f"/objects/deal/records/{id}?confirm={confirm}", _blanks(values))
        return "" if answer.status_code == 200 else answer.text

    def api_bulk_create(self, values: dict[str, Any], confirm: str = "") -> str:
        return self._bulk("create", _blanks(values), confirm, all_or_nothing=True)

    def api_bulk_update(self, values: dict[str, Any], id: UUID, confirm: str = "") -> str:
        return self._bulk("update", {"id": id.hex, **_blanks(values)}, confirm, all_or_nothing=False)

    def _bulk(self, action: str, record: dict[str, Any], confirm: str, *, all_or_nothing: bool) -> str:
        body = {
            "action": action, "records": [record], "all_or_nothing": all_or_nothing,
            "confirm": confirm.split() if confirm else [],
        }  # fmt: skip
        answer = self.desk.api.post("/objects/deal/records/bulk", body)
        good = answer.status_code == 200 and not answer.json["failed"]
        return "" if good else answer.text

    def lines_create(self, values: dict[str, Any], confirm: str = "") -> str:
        admin = self.desk.admin
        admin.get("/o/quote/new")
        given = posted(admin.last, "record-form")
        given["name"] = "q"
        return self._lines("/o/quote/new", given, values, confirm)

    def lines_update(self, values: dict[str, Any], id: UUID, confirm: str = "") -> str:
        admin, records = self.desk.admin, self.desk.pages.records
        head = records.create("quote", {"name": "q"}).id
        records.update("deal", id, {"quote": head})
        admin.get(f"/o/quote/{head}/edit")
        return self._lines(f"/o/quote/{head}/edit", posted(admin.last, "record-form"), values, confirm)

    def _lines(self, path: str, given: Any, values: dict[str, Any], confirm: str) -> str:
        row = next(
            found[1] for name in given if (found := re.fullmatch(r"(lines\.deal\.quote\.\w+)\._id", name))
        )
        for name in set(values).intersection(COLUMNS):
            given.setlist(f"{row}.{name}", [values[name]])
        answer = self.desk.admin.post(path, {**dict(given.lists()), "_confirm": confirm})
        return "" if answer.status_code == 303 else answer.text

    def import_create(self, values: dict[str, Any], confirm: str = "") -> str:
        return self._import(values, confirm, mode="create")

    def import_update(self, values: dict[str, Any], id: UUID, confirm: str = "") -> str:
        return self._import({"id": id.hex, **values}, confirm, mode="update", key="id")

    def _import(self, values: dict[str, Any], confirm: str, **settings: Any) -> str:
        importer = Importer(self.desk, self.desk.api)  # type: ignore[arg-type]
        columns = {name: {"field": name, "blank": "clear"} for name in values}
        if "account" in columns:
            columns["account"]["match"] = "id"
        patch = {**settings, "columns": columns, "warnings": "pass" if confirm else "stop"}
        try:
            run = importer.start("deal", csv_of(list(values), [list(values.values())]), **patch)
            checked = importer.check(run.id)
        except Invalid as refused:  # of a column that cannot be one
            return str(refused)
        if not checked.counts["failed"]:
            done = importer.run(run.id)
            assert done.counts["failed"] == 0
            return ""
        return str(checked.issues) or "refused"


def _blanks(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if value == "" else value for name, value in values.items()}


MAKING = ["form_create", "quick", "api_create", "api_bulk_create", "lines_create", "import_create"]
CHANGING = [
    "form_edit", "in_place", "in_a_list", "board", "bulk_edit", "api_update", "api_bulk_update",
    "lines_update", "import_update",
]  # fmt: skip
ON_PAGES = {"form_create", "form_edit", "quick", "lines_create", "lines_update"}


@pytest.fixture(scope="module", params=DIALECTS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, EXTRA)
        yield Bench(desk_of(made))


def tokens(said: str) -> str:
    """The tokens of warnings that a refusal gave, where it gave any."""
    found = re.search(r'"confirm": ?\[([^]]*)\]|"confirm": ?"([0-9a-f]{32})"', said)
    found = found or re.search(r'name=\\?"_confirm\\?" value=\\?"([0-9a-f ]+)', said)
    return ",".join(re.findall(r"[0-9a-f]{32}", found[0])) if found else "those that were listed"


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("way", MAKING)
def test_a_record_that_breaks_a_rule_is_not_made(bench: Bench, way: str, name: str) -> None:
    kind = KINDS[name]
    values = {**bench.base(kind), **bench.values(kind.bad)}
    said = getattr(bench, way)(values)
    kept = bench.kept(values["tag"], *kind.bad)
    if kind.only_changes and not (way == "lines_create" and set(kind.bad).intersection(NO_COLUMN)):
        assert said == "" and kept == dict(kind.bad)
    elif kind.left_out and way in ON_PAGES:
        assert kept == (None if said else dict.fromkeys(kind.bad, ""))
    else:
        assert said and kept is None
    if name == "warning":
        assert getattr(bench, way)(values, confirm=tokens(said)) == ""
        assert bench.kept(values["tag"], *kind.bad) == dict(kind.bad)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("way", CHANGING)
def test_a_change_that_breaks_a_rule_is_not_made(bench: Bench, way: str, name: str) -> None:
    kind = KINDS[name]
    id, tag = bench.make(kind)
    before = bench.kept(tag, *kind.bad)
    bad = bench.values(kind.bad)
    said = getattr(bench, way)(bad, id=id)
    assert bench.kept(tag, *kind.bad) == before
    assert said or (kind.left_out and way in ON_PAGES)
    if name == "warning":
        assert getattr(bench, way)(bad, id=id, confirm=tokens(said)) == ""
        assert bench.kept(tag, *kind.bad) == dict(kind.bad)


@pytest.mark.parametrize("way", MAKING)
def test_a_default_is_worked_out_whichever_way_a_record_is_made(bench: Bench, way: str) -> None:
    values = bench.base(Kind({}))
    assert getattr(bench, way)(values) == ""
    assert bench.kept(values["tag"], "made") == {"made": values["name"].upper() + "!"}


# ---- warnings --------------------------------------------------------------------------------------


def test_a_token_stands_for_the_warning_that_was_shown_and_for_no_other(bench: Bench) -> None:
    api = bench.desk.api
    kind = Kind({})
    id, tag = bench.make(kind)
    at = f"/objects/deal/records/{id}"
    refused = api.patch(at, {"discount": 60})
    assert refused.status_code == 409 and refused.json["code"] == "record.warning"
    (fault,) = refused.json["faults"]
    assert (fault["rule"], fault["field"], fault["message"]) == ("cheap", "discount", "Quite a discount")
    token = fault["confirm"]
    assert refused.json["confirm"] == [token]
    assert api.patch(at, {"discount": 60}).json["confirm"] == [token], "asked again, the same token"
    # For other values, another record, another rule or nothing at all it does not stand.
    assert api.patch(f"{at}?confirm={token}", {"discount": 61}).status_code == 409
    other, _ = bench.make(kind)
    assert api.patch(f"/objects/deal/records/{other}?confirm={token}", {"discount": 60}).status_code == 409
    for none in ("*", "x", "0" * 32, token[:-1]):
        assert api.patch(f"{at}?confirm={none}", {"discount": 60}).status_code == 409, none
    big = api.patch(f"{at}?confirm={token}", {"discount": 60, "amount": 2_000_000})
    assert big.status_code == 422 and big.json["code"] == "record.rule", "an error is no warning"
    assert bench.kept(tag, "discount") == {"discount": ""}
    assert api.patch(f"{at}?confirm={token}", {"discount": 60}).status_code == 200
    # Sent twice it is what it was: nothing is left to change.
    again = api.patch(f"{at}?confirm={token}", {"discount": 60})
    assert again.status_code == 200 and again.json["revision"] == 2


def test_of_many_records_each_is_warned_of_by_itself(bench: Bench) -> None:
    api = bench.desk.api
    ids = [bench.make(Kind({}))[0] for _ in range(3)]
    records = [{"id": id.hex, "discount": discount} for id, discount in zip(ids, (60, 10, 70), strict=True)]
    body = {"action": "update", "records": records, "all_or_nothing": False}
    told = api.post("/objects/deal/records/bulk", body).json
    assert [each["outcome"] for each in told["results"]] == ["failed", "updated", "failed"]
    first, last = (told["results"][at]["faults"][0]["confirm"] for at in (0, 2))
    told = api.post("/objects/deal/records/bulk", {**body, "confirm": [first]}).json
    assert [each["outcome"] for each in told["results"]] == ["updated", "unchanged", "failed"]
    assert [len(each.get("warnings", ())) for each in told["results"]] == [1, 0, 0]
    whole = {**body, "all_or_nothing": True, "confirm": [last]}
    assert api.post("/objects/deal/records/bulk", whole).status_code == 200


def test_an_import_that_lets_warnings_pass_counts_and_lists_them(bench: Bench) -> None:
    importer = Importer(bench.desk, bench.desk.api)  # type: ignore[arg-type]
    rows = [("w1", "w1", "x", "60"), ("w2", "w2", "x", "5"), ("w3", "w3", "x", "70")]
    columns = {name: {"field": name} for name in ("tag", "name", "here", "discount")}
    run = importer.start("deal", csv_of(list(columns), rows), mode="create", columns=columns)
    assert (run.settings.warnings, importer.check(run.id).counts["failed"]) == ("stop", 2)
    importer.imports.change(run.id, {"warnings": "pass"})
    checked = importer.check(run.id)
    assert (checked.counts["failed"], checked.counts["created"], checked.counts["warned"]) == (0, 3, 2)
    done = importer.run(run.id)
    assert (done.counts["created"], done.counts["warned"]) == (3, 2)
    listed = importer.imports.problems(run.id, "warned")
    assert [each.row for each in listed] == [2, 4]
    assert listed[0].faults[0].params["message"] == "Quite a discount"
    # The next file of the same columns is asked about its own warnings.
    assert importer.start("deal", csv_of(list(columns), rows)).settings.warnings == "stop"


def test_who_may_skip_validation_rules_is_held_by_nothing_else_less(bench: Bench) -> None:
    trusted = bench.desk.api_of(bench.desk.pages.person(f"trusted{next(numbers)}", "trusted"))
    made = trusted.post(
        "/objects/deal/records", {"name": "n", "here": "x", "amount": 2_000_000, "discount": 60}
    )
    assert made.status_code == 201, made.text
    at = f"/objects/deal/records/{made.json['id']}"
    assert trusted.patch(at, {"discount": 70}).status_code == 200
    for values in ({"name": None}, {"stage": "lost"}, {"score": 11}, {"code": "taken"}, {"fixed": "x"}):
        assert trusted.patch(at, values).status_code in (409, 422), values
    assert bench.desk.api.patch(at, {"other": "y"}).status_code == 422, "the rule holds for others"


def test_a_value_that_stands_already_is_left_to_whoever_touches_it(bench: Bench) -> None:
    """What a condition would ask of a record that others made: only who changes it is asked."""
    api, records = bench.desk.api, bench.desk.pages.records
    id = records.create("deal", {"name": "old", "shown": "kept", "grade": "b", "amount": 500}).id
    at = f"/objects/deal/records/{id}"
    assert api.patch(at, {"other": "x"}).status_code == 200, "it lacks what the layout requires, untouched"
    assert api.patch(at, {"other": "y", "shown": "kept", "stage": "open"}).status_code == 200, "as it stands"
    assert api.patch(at, {"shown": "new"}).json["faults"][0]["field"] == "shown"
    assert api.patch(at, {"shown": None}).status_code == 200, "what does not show may be emptied"
    assert api.patch(at, {"grade": "a"}).status_code == 200
    assert api.patch(at, {"amount": 5}).status_code == 200, "chosen while it was offered"
    assert api.patch(at, {"stage": "won"}).status_code == 200
    assert api.patch(at, {"terms": "x", "stage": "open"}).status_code == 422, "it was won when it was saved"
    assert api.patch(at, {"stage": "open"}).status_code == 200
    assert api.patch(at, {"terms": "x", "stage": "won"}).status_code == 200, "won with this very save"


def test_a_form_shows_what_holds_while_it_is_filled(bench: Bench) -> None:
    admin = bench.desk.admin

    def filled(path: str, **typed: str) -> str:
        admin.get(path)
        return admin.post(path, {**admin.form(), **typed, "_then": "edit"}).text

    def label(page: str, name: str) -> str:
        found = re.search(rf'<label for="f-{name}">(.*?)</label>', page)
        return found[1] if found else ""

    def options(page: str, name: str) -> list[str]:
        found = re.search(rf'<select[^>]* name="{name}".*?</select>', page, re.S)
        return re.findall(r'value="([^"]+)"', found[0].partition(">")[2]) if found else []

    new = "/o/deal/new?record_type=retail"
    page = filled(new, stage="lost", amount="1")
    assert "tw-req" in label(page, "why") and "tw-req" in label(page, "here_when")
    assert options(page, "grade") == options(page, "class") == ["b", "c"]
    assert 'name="shown"' not in page
    page = filled(new, stage="won", amount="200")
    assert "tw-req" not in label(page, "why") + label(page, "here_when")
    assert options(page, "grade") == options(page, "class") == ["a", "b", "c"]
    assert 'name="shown"' in page and 'name="terms"' in page, "a new record is not read-only yet"
    for stage, asks in (("won", False), ("open", True)):
        id, _ = bench.make(Kind({}, {"stage": stage, "terms": "net 30"}))
        for name in ("terms", "fixed_when"):
            page = filled(f"/o/deal/{id}/edit", stage="lost")
            assert (f'name="{name}"' in page) is asks, "as it was saved last, whatever is typed"
            assert (f'data-value="{name}"' in admin.get(f"/o/deal/{id}").text) is asks
        assert "net 30" in page
