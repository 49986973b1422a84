"""Which layout people of which permission set see, by record type; and who may make records of which type.

One table for an object: its lines stand in the object's document, in the admin's order, since the first that
fits a person wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tabwright.admin_ui.editors.bench import Bench, Editor, Form
from tabwright.admin_ui.editors.choices import Choice, sets
from tabwright.admin_ui.editors.record_types import made_by, makers
from tabwright.admin_ui.studio import Studio
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Change, Put
from tabwright.metadata.tree import Key

ANY = "*"  # a line for records of every type


def _types(studio: Studio, object: str) -> tuple[Component, ...]:
    return studio.drafting.all("record_type", object)


def read(bench: Bench, form: Form) -> Sequence[Change]:
    """The object with its lines, the layouts that record types have for everybody, and who may make which."""
    studio, object = bench.studio, bench.name
    types = _types(studio, object)
    lines: list[dict[str, str]] = []
    for held in dict.fromkeys(form.getlist("rules")):
        for kind in (*(each.name for each in types), ANY):
            layout = form.get(f"layout:{held}:{kind}", "")
            if layout:
                typed = {} if kind == ANY else {"record_type": kind}
                lines.append({"permission_set": held, **typed, "layout": layout})
    found: list[Change] = [bench.changed({"layouts": lines or None})]
    for each in types:
        wanted = form.get(f"layout::{each.name}", "") or None
        if f"layout::{each.name}" in form and wanted != each.body.get("layout"):
            rest = {key: value for key, value in each.document.items() if key != "layout"}
            found.append(Put(rest | ({"layout": wanted} if wanted else {})))
    if "asked" in form:
        given = set(form.getlist("may"))
        locals_ = [each.local for each in types]
        wanted_by_set = {
            each.value: [name for name in locals_ if f"{each.value}:{name}" in given] for each in sets(studio)
        }
        found += made_by(studio, object, wanted_by_set, locals_)
    return found


def more(bench: Bench) -> dict[str, Any]:
    """What the page shows: record types across, permission sets down."""
    studio, object = bench.studio, bench.name
    types = _types(studio, object)
    known = sets(studio)
    labels = {each.value: each.label for each in known}
    lines = bench.document.get("layouts", ())
    held = list(dict.fromkeys(each["permission_set"] for each in lines))
    chosen = {
        f"{each['permission_set']}:{each.get('record_type', ANY)}": each["layout"] for each in reversed(lines)
    }
    layouts = tuple(Choice(each.name, studio.label(each)) for each in studio.drafting.all("layout", object))
    by_type = [makers(studio, object, each.local) for each in types]
    return {
        "types": [(each.name, each.local, studio.label(each), each.body.get("layout", "")) for each in types],
        "any": ANY,
        "layouts": layouts,
        "rules": [(name, labels.get(name, name)) for name in held],
        "chosen": chosen,
        "pool": known,
        "makers": [
            (row[0].name, row[0].label, row[0].fixed, row[0].note, [each.chosen for each in row])
            for row in zip(*by_type, strict=True)
        ]
        if by_type
        else [],
    }


def owns(bench: Bench, key: Key) -> bool:
    """The record types of the object, whose own layout stands in the table's first line."""
    return key[0] == "record_type" and key[1].partition(".")[0] == bench.name


EDITOR = Editor("object", "assign", "assign.html", read, more, owns=owns, is_page=False)
