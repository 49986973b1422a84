"""Every field type through every path, on both databases: one table of samples, one test a path."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import jsonschema
import pytest

from fieldbench import BESIDE, Bench, documents, field_of
from fieldbench import bench as bench
from fieldsample import NEVER, Sample
from fieldsamples import SAMPLES
from importing import Importer, csv_of
from pagesite import make_pages, readable
from stores import DIALECTS
from tabwright.metadata.model import type_names
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.conditions import builder, operators

REFERENCES = ("lookup", "master_detail", "polymorphic", "user")


def each(*wanted: str, **flags: bool) -> pytest.MarkDecorator:
    """The samples for which all ``wanted`` attributes are set."""
    found = [
        sample for sample in SAMPLES if all(getattr(sample, name) not in (None, (), False) for name in wanted)
    ]
    return pytest.mark.parametrize("sample", found, ids=lambda sample: sample.key)


def codes(answer: Any) -> set[str]:
    assert answer.status_code == 422, (answer.status_code, answer.text)
    return {each["code"] for each in answer.json["faults"]}


def test_every_type_has_a_sample() -> None:
    assert {sample.type for sample in SAMPLES} == set(type_names)
    assert len({sample.key for sample in SAMPLES}) == len(SAMPLES)


# ---- create and edit -------------------------------------------------------------------------------


@each("given")
def test_create_gives_the_canonical_form_back(bench: Bench, sample: Sample) -> None:
    made = bench.made(sample)
    assert made[field_of(sample)] == bench.wire(sample)
    assert bench.get(made["id"], sample.on)[field_of(sample)] == bench.wire(sample)


@each("wrong")
def test_what_the_type_does_not_take_is_refused_with_its_code(bench: Bench, sample: Sample) -> None:
    for value, code in sample.wrong:
        given = {"name": "wrong", field_of(sample): bench.meant(value)}
        answer = bench.api.post(f"/objects/{sample.on}/records", given)
        assert codes(answer) == {code}, value
        assert [each["field"] for each in answer.json["faults"]] == [field_of(sample)]


@each("given")
def test_edit_and_blank(bench: Bench, sample: Sample) -> None:
    made = bench.made(sample)
    path = f"/objects/{sample.on}/records/{made['id']}"
    name = field_of(sample)
    changed = bench.api.patch(path, {name: bench.meant(sample.second)})
    assert changed.status_code == 200 and changed.json[name] == bench.second(sample)
    for blank in (None, ""):
        cleared = bench.api.patch(path, {name: blank})
        if sample.blank is NEVER:
            assert codes(cleared) == {"value.required"}
        else:
            assert cleared.status_code == 200 and cleared.json[name] == sample.blank
    if sample.masked:
        return
    back = bench.api.patch(path, {name: made[name]})
    assert back.status_code == 200 and back.json[name] == made[name], "what the API gives it takes back"


@each("given")
def test_many_at_once(bench: Bench, sample: Sample) -> None:
    before = bench.meant(sample.second) if sample.blank is NEVER else None
    ids = [bench.made(sample, before)["id"] for _ in range(3)]
    name = field_of(sample)
    rows = [{"id": id, name: bench.meant(sample.value)} for id in ids]
    answer = bench.api.post(f"/objects/{sample.on}/records/bulk", {"action": "update", "records": rows})
    assert answer.status_code == 200 and answer.json["failed"] == 0, answer.text
    assert [bench.get(id, sample.on)[name] for id in ids] == [bench.wire(sample)] * 3


# ---- pages -----------------------------------------------------------------------------------------


@each("given")
def test_the_form_takes_what_a_person_types_and_holds_it(bench: Bench, sample: Sample) -> None:
    visitor, name = bench.visitor, field_of(sample)
    visitor.get(f"/o/{sample.on}/new")
    empty = visitor.form()
    slot = f"{name}.text" if sample.type in REFERENCES else name
    assert slot in empty
    answer = visitor.post(f"/o/{sample.on}/new", {**empty, "name": "by form", slot: bench.meant(sample.form)})
    assert answer.status_code == 303, readable(answer)
    id = answer.headers["Location"].rpartition("/")[2]
    assert bench.get(id, sample.on)[name] == bench.wire(sample)
    assert sample.shown in readable(visitor.get(f"/o/{sample.on}/{id}"))
    visitor.get(f"/o/{sample.on}/{id}/edit")
    held = visitor.form()
    assert held[slot] == (sample.form if sample.held is None else sample.held)
    unchanged = visitor.post(f"/o/{sample.on}/{id}/edit", held)
    assert unchanged.status_code == 303 and bench.get(id, sample.on)["revision"] == 1, (
        "a form that nobody changed"
    )
    visitor.get(f"/o/{sample.on}/{id}/edit")
    blank = "false" if sample.type == "boolean" else ""
    cleared = visitor.post(f"/o/{sample.on}/{id}/edit", {**visitor.form(), slot: blank, name: blank})
    if sample.blank is NEVER:
        assert cleared.status_code == 422 and f'id="e-{name}"' in cleared.text
        return
    assert cleared.status_code == 303, readable(cleared)
    assert bench.get(id, sample.on)[name] == sample.blank


@each("given")
def test_a_value_is_edited_where_it_stands(bench: Bench, sample: Sample) -> None:
    visitor, name = bench.visitor, field_of(sample)
    before = bench.meant(sample.second) if sample.blank == NEVER else None
    made = bench.made(sample, before, f"in place {sample.key}")
    path = f"/o/{sample.on}/{made['id']}"
    editor = visitor.get(f"{path}/value?field={name}&place=record")
    assert editor.status_code == 200 and f'name="{name}' in editor.text
    visitor.get(path)
    given: dict[str, Any] = {"field": name, "place": "record", "revision": str(made["revision"])}
    typed = bench.meant(sample.form)
    given |= {name: "", f"{name}.text": typed} if sample.type in REFERENCES else {name: typed}
    answer = visitor.post(f"{path}/value", given)
    assert answer.status_code == 200 and answer.json is not None, answer.text
    assert bench.get(made["id"], sample.on)[name] == bench.wire(sample)
    assert sample.shown in readable(answer.json["html"])


def typed_wrong(sample: Sample) -> str | None:
    """The first of the wrong values that somebody may type; into a box to tick nobody types."""
    if sample.type == "boolean":
        return None
    return next((str(value) for value, _ in sample.wrong if isinstance(value, str | int | float)), None)


@pytest.mark.parametrize(
    "sample", [each for each in SAMPLES if typed_wrong(each)], ids=lambda sample: sample.key
)
def test_the_form_says_at_the_field_what_is_wrong(bench: Bench, sample: Sample) -> None:
    visitor, name = bench.visitor, field_of(sample)
    slot = f"{name}.text" if sample.type in REFERENCES else name
    visitor.get(f"/o/{sample.on}/new")
    typed = {**visitor.form(), "name": "wrong", slot: typed_wrong(sample)}
    answer = visitor.post(f"/o/{sample.on}/new", typed)
    assert answer.status_code == 422 and f'id="e-{name}"' in answer.text


@each("shown")
def test_record_and_list_show_it(bench: Bench, sample: Sample) -> None:
    made = bench.made(sample, name=f"shown {sample.key}")
    assert sample.shown in readable(bench.visitor.get(f"/o/{sample.on}/{made['id']}"))
    columns = f"name,{field_of(sample)}"
    where = quote(f'name = "shown {sample.key}"')
    page = bench.visitor.get(f"/o/{sample.on}?where={where}&columns={columns}")
    assert page.status_code == 200 and f"shown {sample.key}" in readable(page)


# ---- reading ---------------------------------------------------------------------------------------


@each("holds")
def test_filters(bench: Bench, sample: Sample) -> None:
    made = bench.made(sample, name=f"filtered {sample.key}")
    mine = f'name = "filtered {sample.key}"'
    for formula, found in [*((f, True) for f in sample.holds), *((f, False) for f in sample.fails)]:
        where = f"AND({mine}, {formula.format(f=field_of(sample))})"
        answer = bench.api.get(f"/objects/{sample.on}/records", where=where)
        assert answer.status_code == 200, answer.text
        assert [each["id"] for each in answer.json["records"]] == ([made["id"]] if found else []), formula


@each("sorts", "given")
def test_sort_with_blanks_last(bench: Bench, sample: Sample) -> None:
    mark = f"sorted {sample.key}"
    name = field_of(sample)
    blank = bench.made(sample, None, mark)["id"]
    high = bench.made(sample, bench.meant(sample.second), mark)["id"]
    low = bench.made(sample, name=mark)["id"]
    for order, wanted in ((name, [low, high, blank]), (f"{name}:desc", [high, low, blank])):
        answer = bench.api.get(f"/objects/{sample.on}/records", where=f'name = "{mark}"', order=order)
        assert answer.status_code == 200, answer.text
        assert [each["id"] for each in answer.json["records"]] == wanted


@each("word")
def test_search_finds_it(bench: Bench, sample: Sample) -> None:
    id = bench.made(sample)["id"]
    hits = bench.api.get("/search", q=sample.word, objects=sample.on, limit=50).json["hits"]
    assert id in {hit["id"] for hit in hits}


@each()
def test_what_is_described_is_what_is_given(bench: Bench, sample: Sample) -> None:
    name = field_of(sample)
    described = bench.api.get(f"/objects/{sample.on}").json
    about = next(each for each in described["fields"] if each["name"] == name)
    assert about["type"] == sample.type and about["editable"] is sample.given
    record = bench.made(sample)
    jsonschema.validate({name: record[name]}, {**described["json_schema"], "required": []})
    writing = (
        next(
            each["properties"][name]
            for each in bench.schemas.values()
            if name in each.get("properties", {}) and each.get("additionalProperties") is False
        )
        if sample.given
        else {}
    )
    jsonschema.validate(bench.meant(sample.value), writing)


@each("given")
def test_history_tells_and_undo_takes_back(bench: Bench, sample: Sample) -> None:
    made = bench.made(sample)
    name, id = field_of(sample), made["id"]
    second = bench.meant(sample.second)
    if bench.second(sample) == bench.wire(sample) and sample.blank is not NEVER:
        second = None  # the only value: take it away
    changed = bench.api.patch(f"/objects/{sample.on}/records/{id}", {name: second}).json
    entry = bench.api.get(f"/objects/{sample.on}/records/{id}/history").json["history"][0]
    assert entry["fields"] == [{"field": name, "old": made[name], "new": changed[name]}]
    assert bench.visitor.get(f"/o/{sample.on}/{id}").status_code == 200
    bench.pages.records.undo(UUID(entry["operation"]))
    assert bench.get(id, sample.on)[name] == made[name]


# ---- files -----------------------------------------------------------------------------------------


@each("given", "imports")
def test_a_file_brings_it_in(bench: Bench, sample: Sample) -> None:
    importer = Importer(bench)  # type: ignore[arg-type]
    name = field_of(sample)
    mark = f"imported {sample.key}"
    run = importer.start(sample.on, csv_of(["name", name], [[mark, sample.cell], [f"{mark} blank", ""]]))
    run = importer.run(run.id)
    assert run.counts["created"] == (1 if sample.blank is NEVER else 2), (run.counts, run.error)
    found = bench.api.get(
        f"/objects/{sample.on}/records", where=f'BEGINS(name, "{mark}")', order="name"
    ).json["records"]
    wanted = [bench.wire(sample), *([] if sample.blank is NEVER else [sample.blank])]
    assert [each[name] for each in found] == wanted


def test_what_no_table_can_bring_is_not_offered_and_refused(bench: Bench) -> None:
    importer = Importer(bench)  # type: ignore[arg-type]
    for sample in (each for each in SAMPLES if not each.imports):
        name = field_of(sample)
        assert name not in bench.visitor.get(f"/o/{sample.on}/import/template.csv").text
        run = importer.start(sample.on, csv_of(["name", name], [["by table", sample.cell]]))
        assert name not in run.settings.columns
        chosen = {"columns": {name: {"field": name}}}
        answer = bench.api.patch(f"/imports/{run.id.hex}", chosen)
        assert codes(answer) == {"file.no_import"}


@each("wrong_cells")
def test_a_wrong_cell_is_told_with_its_code(bench: Bench, sample: Sample) -> None:
    importer = Importer(bench)  # type: ignore[arg-type]
    rows = [[f"bad {sample.key}", cell] for cell, _ in sample.wrong_cells]
    run = importer.start(sample.on, csv_of(["name", field_of(sample)], rows))
    run = importer.run(run.id)
    assert run.counts["created"] == 0 and run.counts["failed"] == len(rows), run.counts
    problems = bench.api.get(f"/imports/{run.id.hex}/problems").json["problems"]
    told = [{fault["code"] for fault in each["faults"]} for each in problems]
    assert told == [{code} for _, code in sample.wrong_cells]


# ---- rules of a field ------------------------------------------------------------------------------


@each("required")
def test_required_holds_on_every_way(bench: Bench, sample: Sample) -> None:
    object = f"need_{sample.key}"
    assert codes(bench.api.post(f"/objects/{object}/records", {"name": "x"})) == {"value.required"}
    many = bench.api.post(
        f"/objects/{object}/records/bulk",
        {"action": "create", "records": [{"name": "x"}], "all_or_nothing": False},
    )
    assert [each["code"] for each in many.json["results"][0]["faults"]] == ["value.required"]
    bench.visitor.get(f"/o/{object}/new")
    form = bench.visitor.post(f"/o/{object}/new", {**bench.visitor.form(), "name": "x"})
    assert form.status_code == 422 and 'id="e-v"' in form.text
    importer = Importer(bench)  # type: ignore[arg-type]
    run = importer.run(importer.start(object, csv_of(["name", "v"], [["x", ""]])).id)
    assert run.counts["failed"] == 1
    kept = bench.create(object, name="x", v=bench.meant(sample.value))
    assert codes(bench.api.patch(f"/objects/{object}/records/{kept['id']}", {"v": None})) == {
        "value.required"
    }


@each("unique")
def test_unique_holds(bench: Bench, sample: Sample) -> None:
    object = f"only_{sample.key}"
    first = bench.create(object, name="x", v=bench.meant(sample.value))
    again = bench.api.post(f"/objects/{object}/records", {"name": "y", "v": first["v"]})
    assert again.status_code == 409 and {each["code"] for each in again.json["faults"]} == {"unique.taken"}
    bench.create(object, name="blank", v=None)
    bench.create(object, name="blank", v=None)


@each("default")
def test_the_default_is_given_where_nothing_was(bench: Bench, sample: Sample) -> None:
    assert sample.default is not None
    object, wanted = f"preset_{sample.key}", bench.meant(sample.default[1])
    assert bench.create(object, name="x")["v"] == wanted
    assert bench.create(object, name="x", v=bench.meant(sample.value))["v"] == bench.wire(sample)
    bench.visitor.get(f"/o/{object}/new")
    answer = bench.visitor.post(f"/o/{object}/new", {**bench.visitor.form(), "name": "form"})
    assert answer.status_code == 303, readable(answer)
    assert bench.get(answer.headers["Location"].rpartition("/")[2], object)["v"] == wanted


# ---- taken away and brought back -------------------------------------------------------------------


@each()
def test_it_comes_back_from_the_recycle_bin(bench: Bench, sample: Sample) -> None:
    made = bench.made(sample)
    assert bench.api.delete(f"/objects/{sample.on}/records/{made['id']}").status_code == 204
    bench.visitor.get("/bin")
    assert bench.visitor.post(f"/o/{sample.on}/{made['id']}/restore", {}).status_code == 303
    assert bench.get(made["id"], sample.on)[field_of(sample)] == made[field_of(sample)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_values_outlive_a_release_that_is_taken_back_and_a_type_that_changes(dialect: str) -> None:
    """A field goes and comes back with its values; made text and back, it says the same."""
    with tempfile.TemporaryDirectory() as folder, make_pages(dialect, Path(folder)) as pages:
        fields: dict[str, Any] = {"name": "text(60)"}
        pages.publish({**BESIDE, "thing": fields})
        publishing, before = pages.publishing, pages.call.model.release
        whole = {key: documents()["thing"][key] for key in documents()["thing"]}
        pages.publish({**BESIDE, "thing": whole})
        visitor = pages.person("admin", "administrator", "standard_user")
        other = pages.records.create("other", {"name": "Northwind"}).id
        third = pages.records.create("third", {"name": "Third"}).id
        bench = Bench(pages, visitor, other, other, third)
        values = {
            field_of(each): bench.meant(each.value) for each in SAMPLES if each.given and each.on == "thing"
        }
        record = bench.create("thing", name="kept", **values)
        full = pages.call.model.release
        publishing.restore(Principal.system(), before)
        assert set(bench.get(record["id"])) & set(values) == set()
        publishing.restore(Principal.system(), full)
        assert {**bench.get(record["id"]), "revision": 1} == record
        texts = {
            field_of(each): {"type": "text", "options": {"max_length": 4000}}
            for each in SAMPLES
            if each.on == "thing"
            and each.type not in (*REFERENCES, "auto_number", "long_text", "secret")
            and each.imports
        }
        pages.publish({**BESIDE, "thing": {**whole, **texts}})
        told = bench.get(record["id"])
        for sample in SAMPLES:
            if field_of(sample) in texts:
                assert told[field_of(sample)] == (sample.cell if sample.text is None else sample.text), (
                    sample.key
                )
        publishing.restore(Principal.system(), full)
        now = bench.get(record["id"])
        assert {key: now[key] for key in values} == {key: record[key] for key in values}


def test_samples_load_from_a_file(bench: Bench) -> None:
    """The sample data of packages: a CSV by field names, codes and canonical texts."""
    from tabwright.runtime.exchange.samples import load_samples

    plain = [
        each for each in SAMPLES if each.given and each.imports and each.type not in (*REFERENCES, "currency")
    ]
    cells = [each.text or each.cell for each in plain]
    header = ["@key", "name", *map(field_of, plain)]
    text = csv_of(header, [["k1", "a sample", *cells]])
    assert load_samples(bench.pages.call, "test", {"thing": text}) == {"thing": 1}
    found = bench.api.get("/objects/thing/records", where='name = "a sample"').json["records"]
    for sample in plain:
        assert found[0][field_of(sample)] == bench.wire(sample), sample.key


OPERANDS = {
    "text": "x", "number": "1", "date": "2026-01-31", "time": "09:30", "count": "3", "place": "31.23,121.47",
    "ids": UUID(int=7).hex,
}  # fmt: skip


def counted(said: str) -> int:
    return int(said.split()[0].replace(",", ""))


@each()
def test_the_filter_builder_can_say_everything_of_it_and_the_list_understands(
    bench: Bench, sample: Sample
) -> None:
    """Every comparison that the builder offers makes a formula that the builder reads again."""
    field, at = field_of(sample), f"/o/{sample.on}/filter"
    row = bench.visitor.get(f"{at}/row?field={field}").text
    named = bench.pages.call.model.objects[sample.on].fields[field]
    known = builder.kind_of(named)
    offered = operators.operators(known)
    assert offered, "a type of which the builder can say nothing"
    counts = {}
    for one in offered:
        assert f'<option value="{one.name}"' in row
        code = named.picklist.values[0].code if named.picklist is not None else ""
        values = [code if operand == "codes" else OPERANDS[operand] for operand in one.operands]
        condition = {"all": [{"field": field, "is": one.name, "values": values}]}
        bench.visitor.get(f"/o/{sample.on}")
        answer = bench.visitor.post(at, {"condition": json.dumps(condition)})
        assert answer.status_code == 200, (one.name, answer.text)
        counts[one.name] = counted(answer.get_json()["count"])
        read = builder.read(answer.get_json()["where"], {field: named}.get)
        assert read == builder.Group("all", (builder.Row(field, one.name, tuple(values)),)), one.name
    if "blank" in counts:
        every = bench.visitor.post(at, {"condition": '{"all": []}'}).get_json()["count"]
        assert counts["blank"] + counts["not_blank"] == counted(every)
