"""Models for tests, from few words.

``model({"account": {"name": "text", "amount": "currency(16,2)", "parent": "lookup(account)"}})`` compiles the
built-in package and these objects. A field is a type, with the options that matter in brackets:
``text(80)``, ``decimal(12,3)``, ``picklist(new,won)``, ``lookup(account)``, ``auto_number(A-{000})``; words
after it set what is true (``text(80) required unique sortable``). A dict in place of the text is the body of
the field's document. The first field is the name field.

``extra`` are further documents (uids are made when left out). ``documents`` gives the same as documents.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.documents import Component, Document, read
from tabwright.metadata.model import Model
from tabwright.metadata.packages import base_tree, read_package
from tabwright.metadata.tree import Tree

Compact = Mapping[str, Mapping[str, Any]]  # object -> field -> short form or body

_spoken = re.compile(r"(\w+)(?:\(([^)]*)\))?(.*)")


def uid_of(kind: str, name: str) -> str:
    """A uid that is the same each time; of fields, in the order of ``documents`` by its first digits."""
    return hashlib.sha256(f"{kind}/{name}".encode()).hexdigest()[:32]


def labels(name: str) -> dict[str, str]:
    """A label for tests: the last part of the name, in words."""
    return {"en": name.rpartition(".")[2].replace("_", " ").capitalize()}


def field_body(spoken: str | Mapping[str, Any]) -> dict[str, Any]:
    """The body of a field from its short form."""
    if not isinstance(spoken, str):
        return dict(spoken)
    found = _spoken.fullmatch(spoken.strip())
    assert found, spoken
    type, inside, words = found.groups()
    body: dict[str, Any] = {"type": type}
    options = _options(type, inside) if inside else {}
    if options:
        body["options"] = options
    for word in words.split():
        key, _, value = word.partition("=")
        body[key] = value or True
    return body


def _options(type: str, inside: str) -> dict[str, Any]:
    parts = [each.strip() for each in inside.split(",")]
    match type:
        case "text" | "long_text":
            return {"max_length": int(inside)}
        case "decimal" | "percent" | "currency":
            return {"precision": int(parts[0]), "scale": int(parts[1])}
        case "picklist" if len(parts) == 1 and inside.startswith("global "):
            return {"global": inside.removeprefix("global ")}
        case "picklist":
            return {"values": [{"code": code, "label": labels(code)} for code in parts]}
        case "lookup" | "master_detail":
            return {"target": parts[0], **({"on_delete": parts[1]} if len(parts) > 1 else {})}
        case "auto_number":
            return {"pattern": inside}
    raise ValueError(type)


def document(kind: str, name: str, **body: Any) -> Document:
    """A document with a uid and, where its kind needs one, a label."""
    made: Document = {"kind": kind, "uid": body.pop("uid", None) or uid_of(kind, name), "name": name}
    return {**made, "label": labels(name), **body}


def documents(objects: Compact, extra: Iterable[Mapping[str, Any]] = ()) -> list[Document]:
    """The documents of some objects in short form, and further ones, in the order given."""
    made: list[Document] = []
    for name, fields in objects.items():
        made.append(document("object", name, name_field=next(iter(fields))))
        for field, spoken in fields.items():
            made.append(document("field", f"{name}.{field}", **field_body(spoken)))
    for each in extra:
        body = dict(each)
        made.append(document(body.pop("kind"), body.pop("name"), **body))
    # The admin's order of fields is the order of uids.
    for number, each in enumerate(made):
        if each["kind"] == "field":
            each["uid"] = f"{number:08x}" + each["uid"][8:]
    return made


def components(objects: Compact, extra: Iterable[Mapping[str, Any]] = ()) -> list[Component]:
    """The same, checked."""
    return [read(each) for each in documents(objects, extra)]


def tree(objects: Compact, extra: Iterable[Mapping[str, Any]] = (), *, start: Tree | None = None) -> Tree:
    """The tree of the built-in package (or of ``start``) and these."""
    return (start or base_tree()).changed(components(objects, extra))


def model(
    objects: Compact | Iterable[Mapping[str, Any]],
    extra: Iterable[Mapping[str, Any]] = (),
    *,
    release: int = 1,
    previous: Model | None = None,
) -> Model:
    """The Model of the built-in package with objects in short form, or with whole documents."""
    if isinstance(objects, Mapping):
        return compile_tree(tree(objects, extra), release=release, previous=previous)
    whole = [read(each) for each in objects]
    return compile_tree(base_tree().changed(whole), release=release, previous=previous)


def crm(*, release: int = 1) -> Model:
    """The Model of the built-in package and templates/crm."""
    folder = Path(__file__).parents[2] / "templates" / "crm"
    return compile_tree(base_tree().changed(read_package(folder).components), release=release)
