"""Random valid trees for laws: objects with fields of every type, what hangs on them, any text as label."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from models import components, uid_of
from tabwright.metadata.documents import Component, read
from tabwright.metadata.packages import base_tree
from tabwright.metadata.tree import Tree

# What people type, and what somebody types who wishes us ill.
HOSTILE = (
    "{{7*7}}",
    "{% raw %}",
    "<script>alert(1)</script>",
    "\u202eabc\u202c",
    "%(x)s {0}",
    "'; --",
    "名称",
    "é",
)
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12),
)
labels = st.one_of(
    st.fixed_dictionaries({"en": texts}),
    st.fixed_dictionaries({"zh": texts}),
    st.fixed_dictionaries({"zh": texts, "en": texts}),
)
numbers = st.one_of(st.integers(-999, 999), st.decimals(-999, 999, places=2).map(lambda value: f"{value:f}"))


def _sized(draw: st.DrawFn) -> dict[str, Any]:
    scale = draw(st.integers(0, 6))
    return {"precision": draw(st.integers(max(scale, 1), 18)), "scale": scale}


@st.composite
def field_bodies(draw: st.DrawFn, targets: list[str]) -> dict[str, Any]:
    """The body of a field that compiles in whatever object it stands."""
    type = draw(
        st.sampled_from(
            ["text", "long_text", "integer", "decimal", "currency", "percent", "boolean", "date", "datetime",
             "picklist", "lookup", "user", "auto_number", "email", "phone", "url"]
        )
    )  # fmt: skip
    body: dict[str, Any] = {"type": type, "label": draw(labels)}
    flags = st.booleans()
    options: dict[str, Any] = {}
    match type:
        case "text":
            options["max_length"] = draw(st.integers(1, 4000))
            if draw(flags):
                options |= {"pattern": "[a-z]+|x", "pattern_message": draw(labels)}
        case "long_text":
            options["max_length"] = draw(st.integers(1, 131_072))
        case "integer":
            if draw(flags):
                options["min"] = draw(st.integers(-99, 99))
        case "decimal" | "currency" | "percent":
            options |= _sized(draw)
            if draw(flags):
                options["max"] = draw(numbers)
        case "picklist":
            codes = draw(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True))
            options["values"] = [{"code": code, "label": draw(labels)} for code in codes]
            if draw(flags):
                options["values"][0]["default"] = True
            options["restricted"] = draw(flags)
        case "lookup":
            options |= {"target": draw(st.sampled_from(targets))}
            options["on_delete"] = draw(st.sampled_from(["set_null", "restrict", "cascade"]))
        case "auto_number":
            options |= {"pattern": "N-{YYYY}-{000}", "start": draw(st.integers(0, 99))}
        case "phone":
            options["country"] = draw(st.sampled_from(["CN", "DE"]))
    if options:
        body["options"] = options
    if type not in ("boolean", "auto_number"):
        body["required"] = draw(flags)
    if type in ("text", "email", "phone", "url", "auto_number"):
        body |= {"sortable": draw(flags), "searchable": draw(flags)}
    if type in ("text", "email"):
        body["unique"] = draw(st.sampled_from([False, True, "ignore_case"]))
    if type != "auto_number" and draw(flags):
        body["read_only"] = True
    if type in ("text", "long_text") and draw(flags):
        body["default"] = draw(st.sampled_from(['"x"', "name /* own */", "$User.Name"]))
    if draw(flags):
        body["help"] = draw(labels)
    return body


@st.composite
def object_components(draw: st.DrawFn, name: str, targets: list[str]) -> list[Component]:
    """One object and everything that belongs to it."""
    count = draw(st.integers(0, 4))
    fields: dict[str, Any] = {"name": {"type": "text", "label": draw(labels)}}
    fields |= {f"f{n}": draw(field_bodies(targets)) for n in range(count)}
    extra: list[dict[str, Any]] = []
    names = list(fields)
    if draw(st.booleans()):
        shown = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
        section = {"label": draw(labels), "columns": draw(st.integers(1, 4)), "fields": shown}
        extra.append({"kind": "layout", "name": f"{name}.page", "label": draw(labels), "sections": [section]})
    if draw(st.booleans()):
        columns = draw(
            st.lists(st.sampled_from([*names, "owner", "created_by.name"]), min_size=1, unique=True)
        )
        view: dict[str, Any] = {"kind": "list_view", "name": f"{name}.list", "label": draw(labels)}
        extra.append(
            {**view, "columns": columns, "order": [["name", draw(st.sampled_from(["asc", "desc"]))]]}
        )
    if draw(st.booleans()):
        rule: dict[str, Any] = {"kind": "validation_rule", "name": f"{name}.rule", "message": draw(labels)}
        extra.append(
            {**rule, "condition": 'name = "{{7*7}}"', "active": draw(st.booleans()), "field": "name"}
        )
    made = components({name: fields}, extra)
    object = next(each for each in made if each.kind == "object")
    highlights = draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
    settings = {"label": draw(labels), "plural": draw(labels), "highlights": highlights}
    sharing = draw(st.sampled_from(["private", "read", "edit"]))
    return [each for each in made if each is not object] + [
        read({**object.document, **settings, "sharing": sharing})
    ]


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """The built-in package and up to three objects. Equal names have equal uids, so two trees compare."""
    names: list[str] = draw(st.lists(st.sampled_from(["alpha", "beta", "gamma"]), unique=True, max_size=3))
    put = [each for name in names for each in draw(object_components(name, [*names, "user"]))]
    granted = draw(st.booleans())
    if names and granted:
        rights = {
            "objects": {names[0]: ["read", "edit"]},
            "fields": {names[0]: {"name": "read", "*": "edit"}},
        }
        document = {
            "kind": "permission_set",
            "uid": uid_of("permission_set", "p"),
            "name": "p",
            "label": draw(labels),
        }
        put.append(read({**document, **rights}))
    return base_tree().changed(put)
