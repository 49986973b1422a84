"""Components and their one written form.

A component is one JSON document. ``read`` is the door: what comes out has passed the schema of its kind
and stands in canonical form (known key order, defaults left out), so equal components have equal bytes,
equal digests and equal files, and pulling twice changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from tabwright.metadata import limits, schema, walk
from tabwright.platform.errors import Fault, Invalid, Malformed, Place

Document = dict[str, Any]
_uid_less = "0" * 32


@dataclass(frozen=True, eq=False)
class Component:
    """One component in canonical form. ``body`` (never changed) holds all but kind, uid and name."""

    kind: str
    uid: str
    name: str
    body: Mapping[str, Any] = field(repr=False)

    @cached_property
    def data(self) -> bytes:
        """The canonical bytes: what is stored and what the digest is of."""
        return msgspec.json.encode(self.document)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of ``data``, in hex."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def notes(self) -> dict[str, Any]:
        """Room for what readers derive from the component alone."""
        return {}

    @property
    def document(self) -> Document:
        """The whole document, keys in canonical order."""
        return {"kind": self.kind, "uid": self.uid, "name": self.name, **self.body}

    @property
    def text(self) -> str:
        """The file form: two spaces, UTF-8, a line end."""
        return json.dumps(self.document, ensure_ascii=False, indent=2) + "\n"

    @property
    def object(self) -> str | None:
        """The object that this component is or belongs to, or None."""
        if self.kind == "object":
            return self.name
        return self.name.partition(".")[0] if "." in self.name else None

    @property
    def local(self) -> str:
        """The name without the object's."""
        return self.name.rpartition(".")[2]

    @property
    def place(self) -> str:
        """How faults name it: "field/opportunity.amount"."""
        return f"{self.kind}/{self.name}"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Component) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def check(document: object) -> tuple[Component | None, tuple[Fault, ...]]:
    """The component of a document, or all its faults. Never raises for what a person wrote."""
    if not isinstance(document, Mapping):
        return None, (Fault("document.not_an_object", {}, Place(pointer="")),)
    kind, name = document.get("kind"), document.get("name")
    called = f"{kind}/{name}" if isinstance(kind, str) and isinstance(name, str) else "?"
    called = called if len(called) <= 160 else called[:157] + "..."
    place = Place(component=called, pointer="")
    try:
        data = msgspec.json.encode(document)
    except (UnicodeEncodeError, TypeError, ValueError, RecursionError):
        return None, (Fault("document.not_json", {}, place),)
    if len(data) > limits.document_bytes:
        return None, (Fault("document.too_big", {"limit": limits.document_bytes}, place),)
    if b"\\u0000" in data and "\0" in _all_text(document):
        return None, (Fault("document.nul", {}, place),)
    if not isinstance(kind, str) or kind not in schema.kinds():
        return None, tuple(schema.check_schema(str(kind), {}, called))
    slim = _without_defaults(kind, document)
    faults = schema.check_schema(kind, slim, called)
    if faults:
        return None, tuple(faults)
    root = schema.shared_schema_of(kind)
    body = _canonical(walk.nodes_for(root, slim, root), slim, root)
    del body["kind"], body["uid"], body["name"]
    return Component(kind, str(document["uid"]), str(name), body), ()


def _all_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str).replace("\\u0000", "\0")


def read(document: object) -> Component:
    """The component of a document. Raises Invalid with all faults."""
    component, faults = check(document)
    if component is None:
        raise Invalid(faults)
    return component


def parse(data: bytes | str, *, file: str | None = None) -> object:
    """The JSON in a file or request, numbers exact. Raises Malformed with line and column."""
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        return json.loads(text, object_pairs_hook=_no_twins, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Malformed((Fault("document.not_utf8", {}, Place(component=file)),)) from error
    except json.JSONDecodeError as error:
        place = Place(component=file, line=error.lineno, column=error.colno)
        raise Malformed((Fault("document.broken_json", {"reason": error.msg}, place),)) from error
    except (_TwinKey, RecursionError) as error:
        reason = str(error) if isinstance(error, _TwinKey) else "nested too deeply"
        raise Malformed(
            (Fault("document.broken_json", {"reason": reason}, Place(component=file)),)
        ) from error
    except ValueError as error:  # a number of thousands of digits
        fault = Fault("document.broken_json", {"reason": "a number is too long"}, Place(component=file))
        raise Malformed((fault,)) from error


class _TwinKey(ValueError):
    pass


def _no_twins(pairs: list[tuple[str, Any]]) -> Document:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _TwinKey(f"key given twice: {next(n for n in names if names.count(n) > 1)[:60]}")
    return found


def _no_constant(word: str) -> Any:
    raise _TwinKey(f"{word} is not JSON")


def from_store(data: bytes) -> Component:
    """The component of canonical bytes that were written by ``Component.data``."""
    document = msgspec.json.decode(data)
    kind, uid, name = document.pop("kind"), document.pop("uid"), document.pop("name")
    component = Component(kind, uid, name, document)
    component.__dict__["data"] = data
    return component


def read_folder(folder: Path) -> tuple[list[Component], list[Fault]]:
    """The components under ``<kind>/<name>.json`` of a folder, and the faults of those that are none.

    Every fault's ``component`` is the path of its file. A file whose only fault is that it has no uid counts
    as a component too, with a uid for the moment, so that the rest of it can be checked.
    """
    return read_files(
        {
            f"{kind}/{path.name}": path.read_bytes()
            for kind in schema.kinds()
            for path in sorted((folder / kind).glob("*.json"))
        }
    )


def read_files(files: Mapping[str, bytes]) -> tuple[list[Component], list[Fault]]:
    """As ``read_folder``, of files by path; those that stand in no kind's folder are left out."""
    components: list[Component] = []
    faults: list[Fault] = []
    order = {kind: number for number, kind in enumerate(schema.kinds())}
    paths = [each for each in files if each.partition("/")[0] in order and each.endswith(".json")]
    for shown in sorted(paths, key=lambda each: (order[each.partition("/")[0]], each)):
        kind, _, name = shown.partition("/")
        document: object
        try:
            document = parse(files[shown], file=shown)
            component, wrong = check(with_uid(document, hashlib.sha256(shown.encode()).hexdigest()[:32]))
        except Malformed as error:
            document, component, wrong = None, None, error.faults
        if lacks_uid(document):
            faults.append(Fault("document.no_uid", {}, Place(component=shown, pointer="/uid")))
        faults += [Fault(each.code, each.params, _in_file(each.place, shown)) for each in wrong]
        if component is None:
            continue
        if component.kind != kind or component.name != name.removesuffix(".json"):
            named = f"{component.kind}/{component.name}.json"
            faults.append(Fault("document.wrong_file", {"expected": named}, Place(component=shown)))
        components.append(component)
    return components, faults


def lacks_uid(document: object) -> bool:
    """Whether a document, written by hand as yet, has no uid."""
    return isinstance(document, dict) and document.get("uid") in (None, "")


def with_uid(document: object, uid: str) -> object:
    """The document with that uid if it has none; where a uid stands."""
    if not lacks_uid(document):
        return document
    assert isinstance(document, dict)
    rest = {key: value for key, value in document.items() if key not in ("kind", "uid")}
    return {**{key: document[key] for key in ("kind",) if key in document}, "uid": uid, **rest}


def _in_file(place: Place, file: str) -> Place:
    return Place(component=file, pointer=place.pointer, line=place.line, column=place.column, end=place.end)


def files_of(folder: Path, kinds: Iterable[str]) -> dict[Path, Component]:
    """The files under ``<kind>/`` that hold a component of that kind, whatever they are called.

    All others (broken ones, notes, what is not ours) are no business of the caller's and left out.
    """
    found: dict[Path, Component] = {}
    for kind in kinds:
        for path in sorted((folder / kind).glob("*.json")):
            try:
                component, _ = check(parse(path.read_bytes()))
            except Malformed:
                continue
            if component is not None and component.kind == kind:
                found[path] = component
    return found


def write_folder(folder: Path, components: Iterable[Component]) -> list[Path]:
    """Write each component to its file, unless the file says the same already. Returns those written."""
    written = []
    for component in components:
        path = folder / component.kind / f"{component.name}.json"
        data = component.text.encode()
        if path.is_file() and path.read_bytes() == data:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        written.append(path)
    return written


# ---- canonical form -------------------------------------------------------------------------------


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


def _without_defaults(kind: str, document: Mapping[str, Any]) -> Document:
    """A setting that says its own default says nothing, so it may stand where it would have no effect."""
    known = schema.shared_schema_of(kind)["properties"]
    return {
        key: value
        for key, value in document.items()
        if not (key in known and "default" in known[key] and _same(value, known[key]["default"]))
    }


def _canonical(nodes: walk.Nodes, value: Any, root: walk.Schema) -> Any:
    if isinstance(value, Mapping):
        return _canonical_object(nodes, value, root)
    if isinstance(value, list):
        items = [_canonical(walk.child(nodes, n, each, root), each, root) for n, each in enumerate(value)]
        return _ordered(nodes, items, root) if walk.mark(nodes, "x-set") else items
    if isinstance(value, int) and not isinstance(value, bool) and walk.mark(nodes, "x-number-text"):
        return str(value)
    return value


def _canonical_object(nodes: walk.Nodes, value: Mapping[str, Any], root: walk.Schema) -> Document:
    order = [key for node in nodes for key in node.get("properties", ())]
    keys = [key for key in dict.fromkeys(order) if key in value] or sorted(value)
    made: Document = {}
    for key in keys:
        below = walk.child(nodes, key, value[key], root)
        inner = _canonical(below, value[key], root)
        default = walk.mark(below, "default", _canonical)  # any value that no document can hold
        if not _same(inner, default):
            made[key] = inner
    return made


def _ordered(nodes: walk.Nodes, items: list[Any], root: walk.Schema) -> list[Any]:
    allowed = walk.mark(walk.child(nodes, 0, items[0], root), "enum") if items else None
    return sorted(items, key=allowed.index) if allowed else sorted(items)
