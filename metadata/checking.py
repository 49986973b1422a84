"""The check of a whole folder of components, as a publish would do it: every fault, with file and line.

Built on the built-in package and on the packages that a package requires; nothing of a tenant is needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path

from tabwright.metadata import documents, schema
from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.documents import Component
from tabwright.metadata.packages import (
    Package,
    base_tree,
    files_in,
    is_package,
    missing_requirements,
    read_all,
    read_package,
)
from tabwright.metadata.tree import Tree
from tabwright.platform.errors import Conflict, Fault, Invalid, Malformed

_BLANK = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Checked:
    """A folder without a fault."""

    package: Package | None
    components: tuple[Component, ...]


def check(folder: Path, program: str, beside: Sequence[Path] = ()) -> Checked:
    """Check a package's folder, or one of loose components.

    ``program`` is the version that runs; ``beside`` are folders in which required packages are looked for
    (a package's own folder, or one that holds it). Raises Invalid with every fault.
    """
    package: Package | None = None
    if is_package(folder):
        package, faults = read_all(files_in(folder))
        components = package.components if package else ()
    else:
        loose, faults = documents.read_folder(folder)
        components = tuple(loose)
    around = base_tree()
    if package is not None:
        around = _with_required(package, around, beside, {package.name})
        faults += missing_requirements(package, around, program)
    broken = _broken(folder, components)
    faults += [each for each in _together(around, components) if not _follows(each, broken)]
    if faults:
        raise Invalid(located(folder, faults))
    return Checked(package, components)


def _with_required(package: Package, tree: Tree, beside: Sequence[Path], seen: set[str]) -> Tree:
    for name in package.requires:
        if name in seen or name == "tabwright":
            continue
        seen.add(name)
        found = next((each for each in _folders(name, beside) if is_package(each)), None)
        if found is not None:
            needed = read_package(found)
            tree = _with_required(needed, tree, beside, seen).changed(needed.components)
    return tree


def _folders(name: str, beside: Sequence[Path]) -> Iterator[Path]:
    for each in beside:
        yield each / name
        if each.name == name:
            yield each


def _together(around: Tree, components: Sequence[Component]) -> Sequence[Fault]:
    """What is wrong with the components as a whole."""
    try:
        compile_tree(around.changed(components), release=0)
    except (Conflict, Invalid) as error:
        return error.faults
    return ()


def _broken(folder: Path, components: Sequence[Component]) -> set[str]:
    """Names of those whose file could not be read as a component, whole and without the object's."""
    known = {f"{each.kind}/{each.name}" for each in components}
    stems = [
        path.stem
        for kind in schema.kinds()
        for path in (folder / kind).glob("*.json")
        if f"{kind}/{path.stem}" not in known
    ]
    return {*stems, *(each.rpartition(".")[2] for each in stems)}


def _follows(fault: Fault, broken: set[str]) -> bool:
    """Whether a fault may be only because another file is broken: it is told once that one is mended."""
    words = {str(value) for value in fault.params.values()}
    name = (fault.place.component or "").partition("/")[2]
    return bool(broken & {*words, name.partition(".")[0]})


# ---- places in files --------------------------------------------------------------------------------


def located(folder: Path, faults: Sequence[Fault]) -> list[Fault]:
    """The faults with the file that each is in, and the line where the fault has none of its own."""
    texts: dict[str, str] = {}
    made = []
    for each in faults:
        place = each.place
        file = place.component or ""
        if not file.endswith(".json"):
            file = f"{file}.json"
        path = folder / file
        if not path.is_file() or path.is_symlink():
            made.append(each)
            continue
        line = place.line
        if line is None and place.pointer is not None:
            text = texts.setdefault(file, path.read_text("utf-8-sig", errors="replace"))
            line = line_of(text, place.pointer)
        made.append(Fault(each.code, each.params, replace(place, component=file, line=line)))
    return made


def line_of(text: str, pointer: str) -> int | None:
    """The line of a JSON text on which a pointer's value stands, or what would hold it; None for no JSON."""
    decoder = json.JSONDecoder(strict=False)
    try:
        at = _blank(text, 0)
        for step in pointer.split("/")[1:]:
            found = _below(decoder, text, at, step.replace("~1", "/").replace("~0", "~"))
            if found is None:
                break
            at = found
    except (ValueError, IndexError, RecursionError):
        return None
    return text.count("\n", 0, at) + 1


def _below(decoder: json.JSONDecoder, text: str, at: int, step: str) -> int | None:
    """Where the value of a key or an index begins in the object or array that begins at ``at``."""
    kind = text[at]
    if kind not in "{[":
        return None
    at, number = _blank(text, at + 1), 0
    while text[at] not in "}]":
        key = str(number)
        if kind == "{":
            key, at = scanstring(text, at + 1)
            at = _blank(text, _blank(text, at) + 1)  # beyond the colon
        if key == step:
            return at
        _, at = decoder.raw_decode(text, at)
        at, number = _blank(text, at), number + 1
        if text[at] == ",":
            at = _blank(text, at + 1)
    return None


def _blank(text: str, at: int) -> int:
    while text[at] in _BLANK:
        at += 1
    return at


# ---- uids ---------------------------------------------------------------------------------------------


def without_uid(folder: Path) -> list[Path]:
    """The files of a folder whose document has no uid."""
    found = []
    for kind in schema.kinds():
        for path in sorted((folder / kind).glob("*.json")):
            try:
                document = documents.parse(path.read_bytes())
            except Malformed:
                continue
            if documents.lacks_uid(document):
                found.append(path)
    return found


def give_uid(path: Path, uid: str) -> None:
    """Write the uid into a file that has none; in canonical form if the rest of it is right."""
    document = documents.with_uid(documents.parse(path.read_bytes()), uid)
    component, _ = documents.check(document)
    text = component.text if component else json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    path.write_bytes(text.encode())
