"""What fields show to who may not know it: found, named in the plan, refused until it is accepted."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from apisite import ApiSite, make_api
from models import Compact, document, model, tree
from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.documents import read
from tabwright.platform.language import say_fault
from tabwright.runtime.access.disclosing import disclosures, newly_shown
from tabwright.runtime.journal.tables import operations

Sets = list[dict[str, Any]]


def formula(returns: str, text: str, **body: Any) -> dict[str, Any]:
    return {"type": "formula", "options": {"returns": returns, "formula": text}, **body}


OBJECTS: Compact = {
    "account": {
        "name": "text",
        "secret": "integer",
        "mobile": {"type": "phone", "options": {"mask": "phone"}},
    },
    "deal": {"name": "text", "account": "lookup(account)", "cost": "integer", "price": "integer"},
    "line": {"name": "text", "deal": "master_detail(deal)", "amount": "integer"},
}


def reader(fields: Mapping[str, dict[str, str]] | None = None, name: str = "reader") -> dict[str, Any]:
    """Reads everything of its own but what ``fields`` says ("none")."""
    objects = {each: ["read"] for each in OBJECTS}
    words = {each: {"*": "read", **(fields or {}).get(each, {})} for each in OBJECTS}
    return {"kind": "permission_set", "name": name, "objects": objects, "fields": words}


def shown(sets: Sets, *extra: dict[str, Any], **fields: Any) -> set[tuple[str, str, str]]:
    """(field, input, why) of what ``deal`` with these fields shows to the holders of these sets."""
    objects = {**OBJECTS, "deal": {**OBJECTS["deal"], **fields}}
    made = compile_tree(tree(objects, sets).changed(map(read, extra)), release=1, previous=None)
    own = {each.uid for each in made.permission_sets.values()} - BUILT_IN
    return {(e.path, e.input, e.why) for e in disclosures(made) if set(e.by) <= own}


BUILT_IN = {each.uid for each in model({}).permission_sets.values()}
EVERYBODY = {**document("object", "account", name_field="name"), "sharing": "read"}
NO_COST = {"deal": {"cost": "none"}}


def test_a_formula_over_a_field_that_its_reader_may_not_read() -> None:
    margin = formula("integer", "price - cost")
    assert shown([reader(NO_COST)], margin=margin) == {("deal.margin", "deal.cost", "field")}
    assert shown([reader()], margin=margin) == set()
    hidden = reader({"deal": {"cost": "none", "margin": "none"}})
    assert shown([hidden], margin=margin) == set()


def test_a_formula_behind_another_shows_what_both_are_made_of() -> None:
    found = shown(
        [reader(NO_COST)], margin=formula("integer", "price - cost"), twice=formula("integer", "margin * 2")
    )
    assert found == {("deal.margin", "deal.cost", "field"), ("deal.twice", "deal.cost", "field")}


def test_two_sets_may_open_together_what_neither_does_alone() -> None:
    margin = formula("integer", "price - cost")
    opens = {"kind": "permission_set", "name": "opens", "objects": {"deal": ["read"]}}
    words = {"kind": "permission_set", "name": "words", "fields": {"deal": {"margin": "read"}}}
    assert shown([opens], margin=margin) == set() == shown([words], margin=margin)
    assert shown([opens, words], margin=margin) == {
        ("deal.margin", "deal.cost", "field"), ("deal.margin", "deal.price", "field")
    }  # fmt: skip


def test_what_stands_on_a_record_that_may_be_hidden() -> None:
    far = formula("integer", "account.secret")
    assert shown([reader()], far=far) == {("deal.far", "account.secret", "records")}
    assert shown([reader()], EVERYBODY, far=far) == set()
    wide = {**reader(), "objects": {"deal": ["read"], "account": ["view_all"]}}
    assert shown([wide], far=far) == set()
    assert shown([reader()], called=formula("text", "account.name")) == set(), "names are shown in any case"
    mirror = {"type": "mirror", "options": {"path": "account.secret"}}
    assert shown([reader()], same=mirror) == set(), "a mirror is read with the rights of its reader"
    kept = {"type": "snapshot", "options": {"path": "account.secret"}}
    assert shown([reader()], kept=kept) == {("deal.kept", "account.secret", "records")}
    preset = {"type": "integer", "default": "account.secret"}
    assert shown([reader()], preset=preset) == {("deal.preset", "account.secret", "records")}


def test_a_roll_up_counts_all_children_but_parts_are_their_parent_s() -> None:
    count = {
        "type": "roll_up",
        "options": {"relation": "deal.account", "function": "count", "returns": "integer"},
    }
    objects = {**OBJECTS, "account": {**OBJECTS["account"], "deals": count}}
    made = model(objects, [reader()])
    found = {(e.path, e.input, e.why) for e in disclosures(made) if not set(e.by) & BUILT_IN}
    assert found == {("account.deals", "deal.id", "records"), ("account.deals", "deal.account", "records")}
    [said] = {each.says.code for each in newly_shown(None, made)}
    assert said == "publish.shows_children"
    total = {"type": "roll_up", "options": {"relation": "line.deal", "function": "sum", "value": "amount",
                                            "returns": "integer"}}  # fmt: skip
    assert shown([reader()], total=total) == set()
    blind = {**reader(), "objects": {"deal": ["read"]}}
    assert {(e[1], e[2]) for e in shown([blind], total=total)} == {
        ("line.amount", "field"), ("line.deal", "field"), ("line.id", "field")
    }  # fmt: skip


def test_what_a_mask_hides() -> None:
    call = formula("text", 'account.mobile & ""')
    assert shown([reader()], EVERYBODY, call=call) == {("deal.call", "account.mobile", "mask")}
    assert shown([{**reader(), "system": ["unmask"]}], EVERYBODY, call=call) == set()


# ---- publishing ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def api() -> Iterator[ApiSite]:
    with tempfile.TemporaryDirectory() as folder, make_api("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, [reader(NO_COST)])
        yield made


MARGIN = document("field", "deal.margin", **formula("integer", "price - cost"))


def publish(api: ApiSite, *puts: dict[str, Any], who: Any = None) -> Any:
    who = who or api.admin
    who.delete("/metadata/draft")
    changed = who.patch("/metadata/draft", {"put": list(puts)})
    assert changed.status_code == 200, changed.text
    return who.post("/metadata/publish", {})


def asked(api: ApiSite) -> list[dict[str, Any]]:
    plan = api.admin.get("/metadata/draft/plan").json
    return [each for each in plan["consequences"] if each["code"].startswith("publish.shows_")]


def test_publishing_is_refused_until_it_is_accepted_and_the_journal_says_who_did(api: ApiSite) -> None:
    refused = publish(api, MARGIN)
    assert refused.status_code == 422, refused.text
    [fault] = refused.json["faults"]
    assert fault["code"] == "publish.shows_field" and fault["pointer"] == "/declassifies"
    assert "deal.cost" in fault["message"] and "reader" in fault["message"]
    [ask] = asked(api)
    assert ask["accepts"] == {"field": "deal.margin", "input": "deal.cost"} and ask["weight"] == "warning"
    accepted = {**MARGIN, "declassifies": ["deal.cost"]}
    assert publish(api, accepted).status_code == 200
    with api.tenant.store.read() as store:
        rows = store.execute(operations.select().where(operations.c.cause == "publish")).mappings().all()
    [entry] = [each for each in rows if "declassified" in str(each["cause_ref"])]
    assert entry["principal_id"] == api.admin.id
    said = entry["cause_ref"] if isinstance(entry["cause_ref"], dict) else json.loads(entry["cause_ref"])
    assert said["declassified"] == ["deal.margin: deal.cost"]
    # What was accepted is not asked again; what goes beyond it is, and a permission for later is none.
    label = {**accepted, "label": {"en": "Gain"}}
    assert publish(api, label).status_code == 200
    wider = {**label, "options": {"returns": "integer", "formula": "price - cost + account.secret"}}
    assert [each["code"] for each in publish(api, wider).json["faults"]] == ["publish.shows_records"]
    narrower = {**label, "options": {"returns": "integer", "formula": "price * 2"}}
    assert [each["code"] for each in publish(api, narrower).json["faults"]] == ["publish.accepts_unread"]
    assert publish(api, {**narrower, "declassifies": []}).status_code == 200


def test_a_right_that_is_taken_makes_an_old_formula_show_more(api: ApiSite) -> None:
    spread = document("field", "deal.spread", **formula("integer", "price * 3"))
    assert publish(api, spread).status_code == 200
    assert publish(api, reader({"deal": {"cost": "none", "price": "none"}}) | held(api)).status_code == 422
    assert {each["accepts"]["field"] for each in asked(api)} >= {"deal.spread"}
    assert publish(api, {**reader(NO_COST), **held(api)}).status_code in (200, 409)


def held(api: ApiSite) -> dict[str, Any]:
    found = api.admin.get("/metadata/releases").json and api.tenant.at_release().permission_sets.values()
    uid = next(each.uid for each in found if each.name == "reader")
    return {"uid": uid, "label": {"en": "Reader"}}


def test_nobody_accepts_what_they_may_not_see(api: ApiSite) -> None:
    designer = {**reader(NO_COST, "designer"), "system": ["customise", "view_setup"], "label": {"en": "D"}}
    assert publish(api, designer).status_code == 200
    person = api.person("designer", "designer")
    gain = document("field", "deal.gain", **formula("integer", "cost + 1"), declassifies=["deal.cost"])
    answer = publish(api, gain, who=person)
    assert (answer.status_code, answer.json["code"]) == (403, "publish.accept_beyond")
    assert publish(api, gain).status_code == 200


def test_a_rename_takes_what_was_accepted_along(api: ApiSite) -> None:
    kept = document("field", "deal.kept", **formula("integer", "cost + 2"), declassifies=["deal.cost"])
    assert publish(api, kept).status_code == 200
    api.admin.delete("/metadata/draft")
    renamed = {"rename": [{"kind": "field", "name": "deal.cost", "to": "deal.expense"},
                          {"kind": "object", "name": "deal", "to": "sale"}]}  # fmt: skip
    assert api.admin.patch("/metadata/draft", renamed).status_code == 200
    assert api.admin.get("/metadata/draft/field/sale.kept").json["declassifies"] == ["sale.expense"]
    assert api.admin.post("/metadata/publish", {}).status_code == 200


def test_the_plan_names_once_what_unique_values_and_numbers_tell(api: ApiSite) -> None:
    puts = [
        document("field", "account.number", type="auto_number", options={"pattern": "A-{0000}"}),
        document("field", "account.code", type="text", unique=True),
    ]
    api.admin.delete("/metadata/draft")
    assert api.admin.patch("/metadata/draft", {"put": puts}).status_code == 200

    def told() -> set[str]:
        found = api.admin.get("/metadata/draft/plan").json["consequences"]
        return {each["code"] for each in found if each["code"].startswith("publish.tells_")}

    assert told() == {"publish.tells_unique", "publish.tells_numbers"}
    assert api.admin.post("/metadata/publish", {}).status_code == 200
    again = {**puts[0], "label": {"en": "No."}}
    assert api.admin.patch("/metadata/draft", {"put": [again]}).status_code == 200
    assert told() == set()


def test_every_word_is_there_in_both_languages() -> None:
    made = model(
        {**OBJECTS, "deal": {**OBJECTS["deal"], "margin": formula("integer", "cost")}}, [reader(NO_COST)]
    )
    for each in newly_shown(None, made):
        for language in ("zh", "en"):
            assert "deal.cost" in say_fault(each.says, language)
