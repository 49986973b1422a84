"""The editor of global picklists: values in order with labels and colours, out of use or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tabwright.admin_ui import replacing
from tabwright.admin_ui.editors.bench import LANGUAGES, Bench, Editor, Form, labels_in
from tabwright.admin_ui.editors.choices import colours
from tabwright.admin_ui.editors.start import Ask, Beginning
from tabwright.admin_ui.names import suggested
from tabwright.admin_ui.navigation import path
from tabwright.admin_ui.studio import Studio
from tabwright.metadata.drafts import Change
from tabwright.metadata.model import label_in


@dataclass(frozen=True, slots=True)
class Value:
    """One value as the form shows it. ``key`` names its inputs; a new one has no code yet."""

    key: str
    code: str
    label: Mapping[str, str]
    name: str  # what it is called, in the person's language
    colour: str
    active: bool


def read(bench: Bench, form: Form) -> Sequence[Change]:
    """The picklist that a form says. A value without a code gets one that is read off its label."""
    known = {each["code"]: each for each in bench.document.get("values", ())}
    values: list[dict[str, Any]] = []
    taken = {form.get(f"code:{key}", "").strip() for key in form.getlist("values")}
    for key in dict.fromkeys(form.getlist("values")):
        code = form.get(f"code:{key}", "").strip()
        labels = labels_in(form, f"label:{key}")
        if not code and labels:
            code = suggested([labels.get("en", ""), labels.get("zh", "")], taken.__contains__, "value")
            taken.add(code)
        made: dict[str, Any] = {k: v for k, v in known.get(key, {}).items() if k not in _OWN}
        made["code"] = code
        if labels:
            made["label"] = labels
        if form.get(f"colour:{key}"):
            made["colour"] = form[f"colour:{key}"]
        if f"active:{key}" not in form:
            made["active"] = False
        if code or labels:
            values.append(made)
    changed = {"label": labels_in(form), "description": labels_in(form, "description"), "values": values}
    return [bench.changed(changed)]


_OWN = ("code", "label", "colour", "active")


def more(bench: Bench) -> dict[str, Any]:
    """What the page of the editor shows."""
    studio, language = bench.studio, bench.studio.call.language
    values = [
        Value(
            each["code"], each["code"], each.get("label", {}),
            label_in(each["label"], language) if each.get("label") else each["code"],
            each.get("colour", ""), each.get("active", True),
        )
        for each in bench.document.get("values", ())
    ]  # fmt: skip
    component = bench.component
    in_force = component is not None and replacing.picklist_of(studio.call.model, "picklist", component.uid)
    return {
        "values": values,
        "colours": colours(language),
        "languages": LANGUAGES,
        "replace_href": path("replace", "picklist", bench.name) if in_force else "",
    }


def asks(studio: Studio, object: str) -> tuple[Ask, ...]:
    """The first values, one a line."""
    return (Ask("lines", studio.s("picklists.lines"), "lines", (), studio.s("picklists.lines_hint")),)


def body(studio: Studio, object: str, form: Form) -> Mapping[str, Any]:
    """The values of the lines, with codes read off them."""
    taken: set[str] = set()
    values = []
    for line in dict.fromkeys(" ".join(each.split()) for each in form.get("lines", "").splitlines()):
        if line:
            code = suggested([line], taken.__contains__, "value")
            taken.add(code)
            values.append({"code": code, "label": {studio.call.language: line}})
    return {"values": values}


EDITOR = Editor("picklist", "picklists", "picklist.html", read, more)
BEGINNING = Beginning(EDITOR, "new-picklist", asks, body)
