"""From a posted form to a document: the way back of ``forms``. Nothing is checked here; the schema checks."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from tabwright.admin_ui.editor import widgets
from tabwright.metadata import schema, walk
from tabwright.metadata.schema import pointer_of

Form = MultiDict[str, str]
ABSENT: Any = object()
HANDLED_APART = frozenset({"kind", "uid", "name", "aliases", "package", "system"})
_whole = re.compile(r"-?[0-9]{1,18}\Z")


def handled_apart(kind: str, key: str) -> bool:
    """Whether a property has no input of its own: identity, and what the platform keeps."""
    return key in HANDLED_APART and not (kind == "permission_set" and key == "system")


def document_of(kind: str, name: str, form: Form) -> dict[str, Any]:
    """The document that a posted form says. Inputs are named by JSON pointers."""
    root = schema.shared_schema_of(kind)
    head: dict[str, Any] = {"kind": kind, "name": name}
    for key in widgets.conditional_keys(root):
        if f"/{key}" in form:
            head[key] = form[f"/{key}"]
    return {**head, **_object(form, (), walk.nodes_for(root, head, root), head, root, kind)}


def _object(
    form: Form,
    steps: tuple[str | int, ...],
    nodes: walk.Nodes,
    known: Mapping[str, Any],
    root: walk.Schema,
    kind: str = "",
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    either = widgets.alternatives(nodes)
    chosen = form.get(pointer_of(steps) + ":either")
    for key in widgets.property_names(nodes):
        if not steps and handled_apart(kind, key):
            continue
        if chosen is not None and key in either and key != chosen:
            continue
        # A text was shown as a text, where the schema takes a text or something else.
        sample = known.get(key, "" if pointer_of((*steps, key)) in form else None)
        below = widgets.below(nodes, key, sample, root)
        if below is None:
            continue
        value = _value(form, (*steps, key), below, root)
        if value == [] and steps and walk.mark(below, "default") == []:
            continue  # an empty list inside a row is what holds anyway
        if value is not ABSENT:
            made[key] = value
    return made


def _value(form: Form, steps: tuple[str | int, ...], nodes: walk.Nodes, root: walk.Schema) -> Any:
    pointer = pointer_of(steps)
    if f"{pointer}:json" in form:  # shown as JSON because of what it held
        return _json(form[f"{pointer}:json"])
    match widgets.widget_of(nodes, None, root):
        case "check":
            return form.get(pointer) == "on" if f"{pointer}:shown" in form else ABSENT
        case "labels" | "texts":
            found = {each: form.get(f"{pointer}/{each}", "").strip() for each in ("zh", "en")}
            return {key: text for key, text in found.items() if text} or ABSENT
        case "choice" | "colour":
            return _enum(form.get(pointer, ""), walk.mark(nodes, "enum"))
        case "number":
            text = form.get(pointer, "").strip().replace(",", "")
            if not text:
                return ABSENT
            exact = walk.mark(nodes, "x-number-text")
            return int(text) if _whole.match(text) and not exact else text
        case "area" | "formula":
            return form.get(pointer, "").replace("\r\n", "\n").strip() or ABSENT
        case "checks":
            return form.getlist(pointer) if f"{pointer}:shown" in form else ABSENT
        case "references":
            rows = [form.get(f"{pointer}/{n}", "").strip() for n in _numbers(form, pointer)]
            chosen = [each for each in rows if each]
            return chosen if chosen or f"{pointer}:shown" in form else ABSENT
        case "lines":
            lines = [each.strip() for each in form.get(pointer, "").splitlines()]
            return [each for each in lines if each] or ABSENT
        case "rows":
            return _rows(form, steps, nodes, root)
        case "map":
            return _map(form, steps, nodes, root)
        case "group":
            found_object = _object(form, steps, nodes, {}, root)
            if len(steps) > 1 and all(each == [] for each in found_object.values()):
                found_object = {}  # part of a row, and nobody began it
            elif not widgets.required_in(nodes) <= found_object.keys() and _standing(
                found_object, nodes, root
            ):
                found_object = {}  # what it needs is missing, the rest is what holds anyway
            return found_object or (ABSENT if f"{pointer}:shown" not in form else {})
        case "json":
            return ABSENT
    return form.get(pointer, "").strip() or ABSENT


def _enum(text: str, allowed: Any) -> Any:
    if not text:
        return ABSENT
    return next((each for each in allowed if widgets.words_of(each) == text), text)


def _json(text: str) -> Any:
    if not text.strip():
        return ABSENT
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _numbers(form: Form, pointer: str) -> list[int]:
    """The rows of a list, in the order in which the form has them: moving a row moves its inputs."""
    found: dict[int, None] = {}
    start = pointer + "/"
    for name in form:
        if name.startswith(start):
            number = name[len(start) :].partition("/")[0].partition(":")[0]
            if number.isascii() and number.isdigit() and len(number) < 6:
                found[int(number)] = None
    return list(found)


def _rows(form: Form, steps: tuple[str | int, ...], nodes: walk.Nodes, root: walk.Schema) -> Any:
    item = widgets.item_nodes(nodes, {}, root)
    rows = [_object(form, (*steps, n), item, {}, root) for n in _numbers(form, pointer_of(steps))]
    # A row in which nothing was typed is none; colours and marks alone say nothing.
    needed = widgets.required_in(item)
    kept = [row for row in rows if any(row.get(key) for key in (*needed, "label")) or _says(row, needed)]
    return kept if kept or f"{pointer_of(steps)}:shown" in form else ABSENT


def _standing(found: Mapping[str, Any], nodes: walk.Nodes, root: walk.Schema) -> bool:
    """Whether every value is the one that holds where none is given."""
    for key, value in found.items():
        below = widgets.below(nodes, key, value, root)
        if below is None or value != walk.mark(below, "default"):
            return False
    return True


def _says(row: Mapping[str, Any], needed: Collection[str]) -> bool:
    """Whether a row that needs nothing in particular holds a list or a group with something in it."""
    return not needed and any(isinstance(each, list | dict) and each for each in row.values())


def _map(form: Form, steps: tuple[str | int, ...], nodes: walk.Nodes, root: walk.Schema) -> Any:
    made: dict[str, Any] = {}
    pointer = pointer_of(steps)
    for number in _numbers(form, pointer):
        key = form.get(f"{pointer}/{number}:key", "").strip()
        below = walk.child(nodes, key, None, root)
        value = _value(form, (*steps, number), below, root) if key else ABSENT
        if value is not ABSENT:
            made[key] = value
    return made or ABSENT
