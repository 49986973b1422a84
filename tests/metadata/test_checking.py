"""A folder is checked whole: every fault at once, with its file and line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from models import components
from tabwright.metadata.checking import check, give_uid, line_of, without_uid
from tabwright.metadata.documents import write_folder
from tabwright.metadata.packages import read_package
from tabwright.platform.errors import Fault, Invalid

CRM = Path(__file__).parents[2] / "templates" / "crm"


def change(file: Path, **values: Any) -> None:
    document = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(document | values, ensure_ascii=False, indent=2), "utf-8")


def faults_of(folder: Path, *beside: Path) -> tuple[Fault, ...]:
    with pytest.raises(Invalid) as caught:
        check(folder, "0.1.0", beside)
    return caught.value.faults


def test_all_faults_of_all_files_at_once(tmp_path: Path) -> None:
    folder = shutil.copytree(CRM, tmp_path / "crm")
    assert check(folder, "0.1.0").package == read_package(CRM)
    phone = folder / "field" / "account.phone.json"
    without = {key: value for key, value in json.loads(phone.read_text("utf-8")).items() if key != "uid"}
    phone.write_text(json.dumps(without, indent=2), "utf-8")
    change(folder / "field" / "account.website.json", type="txt")  # used by a layout
    change(folder / "field" / "contact.title.json", type="lookup", options={"target": "nothing"})
    change(folder / "tab" / "lead.json", icon="no-such-icon", object="nowhere")
    rule = folder / "validation_rule" / "opportunity.won_needs_amount.json"
    change(rule, condition="amount >")
    (folder / "app" / "sales.json").write_text('{\n "kind": "app",,\n', "utf-8")
    found = {(each.place.component, each.code) for each in faults_of(folder)}
    assert ("field/account.phone.json", "document.no_uid") in found
    assert ("app/sales.json", "document.broken_json") in found
    assert {name for name, _ in found} == {
        "field/account.phone.json",
        "field/account.website.json",
        "field/contact.title.json",
        "tab/lead.json",
        "validation_rule/opportunity.won_needs_amount.json",
        "app/sales.json",
    }, "and nothing about the layout that names a field whose file is broken"
    for each in faults_of(folder):
        assert each.place.line is not None, each


def test_the_line_is_that_of_the_setting(tmp_path: Path) -> None:
    folder = shutil.copytree(CRM, tmp_path / "crm")
    file = folder / "field" / "contact.account.json"
    change(file, options={"target": "nothing"})
    [fault] = [each for each in faults_of(folder) if each.place.pointer == "/options/target"]
    assert '"target": "nothing"' in file.read_text("utf-8").splitlines()[(fault.place.line or 0) - 1]
    text = '{\n "a": [1,\n  {"b~/": "}"},\n  [\n]],\n "c": 1\n}\n'
    pointers = {"": 1, "/a": 2, "/a/1/b~0~1": 3, "/a/2": 4, "/c": 6, "/none": 1, "/a/9": 2, "/c/x": 6}
    assert {each: line_of(text, each) for each in pointers} == pointers
    assert line_of("", "/a") is None and line_of('{"a"', "/b") is None


def test_uids_are_written_where_there_are_none(tmp_path: Path) -> None:
    write_folder(tmp_path, components({"thing": {"name": "text"}}))
    file = tmp_path / "field" / "thing.name.json"
    right = file.read_text("utf-8")
    document = json.loads(right)
    uid = document.pop("uid")
    file.write_text(json.dumps(document), "utf-8")
    broken = tmp_path / "field" / "thing.bad.json"
    broken.write_text('{"name": "thing.bad", "kind": "field", "uid": ""}', "utf-8")
    (tmp_path / "field" / "none.json").write_text("{", "utf-8")
    assert without_uid(tmp_path) == [broken, file]
    give_uid(file, uid)
    assert file.read_text("utf-8") == right
    give_uid(broken, "c" * 32)
    assert json.loads(broken.read_text("utf-8")) == {"kind": "field", "uid": "c" * 32, "name": "thing.bad"}
    assert without_uid(tmp_path) == []


def test_a_package_is_checked_with_those_that_it_requires(tmp_path: Path) -> None:
    folder = tmp_path / "events"
    (folder / "field").mkdir(parents=True)
    head = {"name": "events", "version": "1", "label": {"en": "E"}, "requires": {"crm": ">=0.1"}}
    (folder / "package.json").write_text(json.dumps(head), "utf-8")
    field = {
        "kind": "field",
        "uid": "e" * 32,
        "name": "account.event",
        "label": {"en": "Event"},
        "type": "text",
    }
    (folder / "field" / "account.event.json").write_text(json.dumps(field), "utf-8")
    codes = {each.code for each in faults_of(folder)}
    assert codes == {"package.needs", "component.no_object"}
    for beside in (CRM, CRM.parent):
        assert len(check(folder, "0.1.0", [beside]).components) == 1
    (folder / "package.json").write_text(json.dumps(head | {"requires": {"tabwright": ">=0.2"}}), "utf-8")
    assert "package.needs_version" in {each.code for each in faults_of(folder)}
    (folder / "package.json").write_text(json.dumps(head | {"requires": {"tabwright": "newest"}}), "utf-8")
    assert "package.bad_version" in {each.code for each in faults_of(folder)}
