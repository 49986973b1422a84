"""A form opened on one release and posted on a later one (R15): nothing typed is lost in silence."""

from __future__ import annotations

import re

from werkzeug.datastructures import MultiDict

from tabwright.metadata.model import ObjectDef, label_in
from tabwright.runtime.desk import Call
from tabwright.runtime.pages import edit_page, visiting
from tabwright.runtime.pages.rendering import text

# The form's own inputs start with an underscore (``_csrf``, ``_mine.<field>``): no field's name can.
_field_name = re.compile(r"[a-z][a-z0-9_]*")


def in_present_names(form: MultiDict[str, str], object: ObjectDef) -> MultiDict[str, str]:
    """A posted form under the names of now: what was renamed since it was opened has its old name there."""
    aliases = {old: new for old, new in object.field_aliases.items() if old not in object.fields}
    if not aliases:
        return form
    first, second = edit_page.unpack(form.get("_was", ""))
    was, was_names = (
        {aliases.get(name, name): value for name, value in each.items()} for each in (first, second)
    )
    made: MultiDict[str, str] = MultiDict()
    for key, value in form.items(multi=True):
        before, name, after = _input(key)
        made.add(before + aliases.get(name, name) + after, value)
    if "_was" in form:
        made["_was"] = edit_page.pack(was, was_names) if first else ""
    return made


def _input(key: str) -> tuple[str, str, str]:
    """The name of an input: what stands before the field's name, the field's name, what stands after it."""
    before = next((each for each in ("_mine.", "_pick.") if key.startswith(each)), "")
    after = ".text" if key.endswith(".text") else ""
    return before, key[len(before) : len(key) - len(after)], after


def gone(
    form: MultiDict[str, str], parts: visiting.Parts, call: Call, *, creating: bool
) -> tuple[edit_page.FaultLine, ...]:
    """What was changed in inputs that the form no longer has, because a release since took them away.

    Nothing that somebody typed is dropped without a word: the form comes back once with these lines.
    """
    object, t = parts.object, text(call.language)
    taken = {field.name for field in visiting.fields_of(parts, creating=creating)}
    was, was_names = edit_page.unpack(form.get("_was", ""))
    typed: dict[str, str] = {}
    for key in form:
        before, name, after = _input(key)
        if name in taken or before == "_pick." or not _field_name.fullmatch(name):
            continue
        value = form.getlist(key)[-1].strip()
        known = (was_names if after else was).get(name, "")
        if value == known.strip() or (value == "false" and name not in was):
            continue
        if after or name not in typed:  # of a lookup its text, not its id
            typed[name] = value
    lines = []
    chosen = form.get("_record_type", "")
    if chosen and (parts.record_type is None or parts.record_type.name != chosen):
        lines.append(edit_page.FaultLine(t("form.type_gone", type=chosen[:80])))
    for name, value in typed.items():
        field = object.fields.get(name) if name in parts.readable else None
        label = label_in(field.labels, call.language) if field is not None else name[:80]
        lines.append(edit_page.FaultLine(t("form.gone", field=label, text=value[:200])))
    return tuple(lines)
