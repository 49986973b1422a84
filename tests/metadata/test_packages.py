"""Packages: folders of documents, read with every fault and installed through a tree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models import components, document
from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.documents import read, write_folder
from tabwright.metadata.packages import (
    base_package,
    base_tree,
    check_package,
    read_package,
    write_package,
)
from tabwright.metadata.upgrading import upgrade
from tabwright.platform.errors import Conflict, Invalid, NotFound

ROOT = Path(__file__).parents[2]
CRM = ROOT / "templates" / "crm"
HEAD = {"name": "demo", "version": "1.0", "label": {"en": "Demo"}}


def folder(path: Path, head: object = HEAD) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "package.json").write_text(json.dumps(head), "utf-8")
    write_folder(path, components({"thing": {"name": "text"}}))
    return path


def test_a_package_is_read_and_marked(tmp_path: Path) -> None:
    package = read_package(folder(tmp_path / "demo"))
    assert (package.name, package.version, package.labels) == ("demo", "1.0", {"en": "Demo"})
    assert {each.body["package"] for each in package.components} == {"demo"}
    check_package(package, base_tree())
    made = compile_tree(base_tree().changed(package.components), release=1)
    assert made.objects["thing"].package == "demo"


def test_the_crm_template_fits_on_the_built_in_package() -> None:
    package = read_package(CRM)
    check_package(package, base_tree())
    installed = upgrade(package, base_tree(), None, "0.1.0").require()
    assert len(installed) - len(base_tree()) == len(package.components) > 100
    assert upgrade(package, installed, None, "0.1.0").steps == ()


@pytest.mark.parametrize("source", [CRM, ROOT / "metadata" / "base"], ids=["crm", "base"])
def test_files_are_in_their_canonical_form(source: Path, tmp_path: Path) -> None:
    package = read_package(source)
    assert write_package(source, package) == [], "the files are as they would be written"
    write_package(tmp_path, package)
    samples = source / "samples"
    if samples.is_dir():
        (tmp_path / "samples").symlink_to(samples)
    assert read_package(tmp_path).components == package.components


def test_every_fault_of_a_package_with_its_file(tmp_path: Path) -> None:
    path = folder(tmp_path / "demo", {"name": "Demo!", "label": "x", "colour": 1, "samples": ["none"]})
    (path / "field" / "thing.bad.json").write_text(
        json.dumps(document("field", "thing.bad", type="txt")), "utf-8"
    )
    marked = read(document("picklist", "p", values=[{"code": "a"}], package="other"))
    write_folder(path, [marked])
    with pytest.raises(Invalid) as caught:
        read_package(path)
    found = {(each.place.component, each.place.pointer, each.code) for each in caught.value.faults}
    assert found == {
        ("package.json", "/name", "document.bad_name"),
        ("package.json", "/version", "document.missing"),
        ("package.json", "/label", "document.wrong_type"),
        ("package.json", "/colour", "document.unknown_key"),
        ("package.json", "/samples/0", "package.no_sample"),
        ("field/thing.bad.json", "/type", "document.not_allowed"),
        ("picklist/p.json", "/package", "package.marked"),
    }


def test_what_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_package(tmp_path)
    (tmp_path / "package.json").write_text("[", "utf-8")
    with pytest.raises(Invalid) as caught:
        read_package(tmp_path)
    assert caught.value.code == "document.broken_json"
    (tmp_path / "package.json").write_text("[]", "utf-8")
    with pytest.raises(Invalid) as caught:
        read_package(tmp_path)
    assert caught.value.code == "document.not_an_object"


def test_a_sample_cannot_reach_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("x", "utf-8")
    path = folder(tmp_path / "demo", {**HEAD, "samples": ["../../secret"]})
    with pytest.raises(Invalid) as caught:
        read_package(path)
    assert caught.value.code == "package.no_sample"


def test_a_package_does_not_take_what_others_have(tmp_path: Path) -> None:
    package = read_package(folder(tmp_path / "demo"))
    own = base_tree().changed(components({"thing": {"name": "text"}}))
    with pytest.raises(Conflict) as caught:
        check_package(package, own)
    assert {each.code for each in caught.value.faults} == {"component.uid_taken"}
    other = read(document("object", "thing", name_field="name", uid="e" * 32))
    with pytest.raises(Conflict) as caught:
        check_package(package, base_tree().changed([other]))
    assert caught.value.code == "component.name_taken"


def test_the_built_in_package_is_bilingual() -> None:
    for each in base_package().components:
        for key in ("label", "plural", "help", "description"):
            if key in each.body:
                assert set(each.body[key]) == {"zh", "en"}, each.place
