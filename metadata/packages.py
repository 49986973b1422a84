"""Packages: components that travel together, as a folder of files.

``package.json`` names it; the components stand in ``<kind>/<name>.json``. In a tenant each of them carries
the package's name, so that an upgrade finds them again; in the files it is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tabwright.metadata import documents, limits, schema
from tabwright.metadata.archives import HEAD, Files
from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.documents import Component
from tabwright.metadata.tree import Tree
from tabwright.platform.errors import Conflict, Fault, Invalid, Malformed, NotFound, Place

_keys = {"name", "version", "label", "description", "requires", "samples"}
_base_folder = Path(__file__).parent / "base"


@dataclass(frozen=True)
class Package:
    """A package as its folder has it. ``samples``: objects with a file ``samples/<object>.csv``."""

    name: str
    version: str
    labels: Mapping[str, str]
    description: Mapping[str, str]
    requires: Mapping[str, str]
    samples: tuple[str, ...]
    components: tuple[Component, ...]


def files_in(folder: Path) -> dict[str, bytes]:
    """The files of a package's folder. Raises NotFound without ``package.json``."""
    if not is_package(folder):
        raise NotFound.of("package.not_found", Place(component=folder.name), folder=folder.name)
    wanted = [folder / HEAD, *folder.glob("samples/*.csv")]
    wanted += [path for kind in schema.kinds() for path in sorted((folder / kind).glob("*.json"))]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in wanted if path.is_file()}


def read_package(folder: Path) -> Package:
    """The package in a folder.

    Raises NotFound without ``package.json``, and Invalid with every fault of every file.
    """
    return package_of(files_in(folder))


def package_of(files: Files) -> Package:
    """The package that files make. Raises Invalid with every fault of every file."""
    package, faults = read_all(files)
    if faults or package is None:
        raise Invalid(faults)
    return package


def read_all(files: Files) -> tuple[Package | None, list[Fault]]:
    """The package that files make as far as they can be read, and all their faults; None without a name."""
    about, faults = _head(files)
    components, wrong = documents.read_files(files)
    faults += wrong
    if len(components) > limits.components_of_package:
        limit = {"limit": limits.components_of_package, "count": len(components)}
        faults.append(Fault("limit.package", limit, Place(component=HEAD)))
    faults += [
        Fault("package.marked", {"key": key}, Place(component=f"{each.place}.json", pointer=f"/{key}"))
        for each in components
        for key in ("package",)
        if key in each.body
    ]
    if any(each.place.component == HEAD for each in faults):
        return None, faults
    return made_of(about, components), faults


def made_of(about: Mapping[str, Any], components: Iterable[Component]) -> Package:
    """The package of a head (``head_of``) and its components."""
    return Package(
        name=about["name"],
        version=about["version"],
        labels=about["label"],
        description=about.get("description", {}),
        requires=about.get("requires", {}),
        samples=tuple(about.get("samples", ())),
        components=tuple(with_package(each, about["name"]) for each in components),
    )


def head_of(package: Package) -> dict[str, Any]:
    """What ``package.json`` says of a package."""
    about: dict[str, Any] = {"name": package.name, "version": package.version, "label": dict(package.labels)}
    for key in ("description", "requires", "samples"):
        value = getattr(package, key)
        if value:
            about[key] = list(value) if key == "samples" else dict(value)
    return about


def samples_of(package: Package, files: Files) -> dict[str, str]:
    """The sample files that a package names, by object. Raises Invalid for one that is not UTF-8."""
    found = {}
    for name in package.samples:
        path = f"samples/{name}.csv"
        try:
            found[name] = files[path].decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Invalid.of("document.not_utf8", Place(component=path)) from error
    return found


def read_head(folder: Path) -> Mapping[str, Any]:
    """What ``package.json`` says. Raises NotFound, Invalid with its faults."""
    about, faults = _head(files_in(folder))
    if faults:
        raise Invalid(faults)
    return about


def _head(files: Files) -> tuple[Mapping[str, Any], list[Fault]]:
    try:
        said = documents.parse(files[HEAD], file=HEAD)
    except Malformed as error:
        raise Invalid(error.faults) from error
    return said if isinstance(said, dict) else {}, list(_faults_of_head(said, files))


def _faults_of_head(said: object, files: Files) -> Iterable[Fault]:
    if not isinstance(said, dict):
        yield Fault("document.not_an_object", {}, Place(component=HEAD, pointer=""))
        return

    def fault(code: str, key: str, /, **params: str) -> Fault:
        return Fault(code, params, Place(component=HEAD, pointer=f"/{key}"))

    for key in said:
        if key not in _keys:
            yield fault("document.unknown_key", key, key=str(key)[:60], hint="")
    for key in ("name", "version", "label"):
        if key not in said:
            yield fault("document.missing", key, key=key)
    for key in ("name", "version"):
        if key in said and not (isinstance(said[key], str) and 0 < len(said[key]) <= 63):
            yield fault("document.wrong_type", key, value=str(said[key])[:60], expected='"..."')
    if isinstance(said.get("name"), str) and not schema.is_name(said["name"]):
        yield fault("document.bad_name", "name", value=said["name"][:60])
    for key in ("label", "description", "requires"):
        value = said.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            yield fault("document.wrong_type", key, value=json.dumps(value)[:60], expected="{...}")
    if isinstance(wanted := said.get("requires"), dict):
        for name, version in wanted.items():
            if isinstance(version, str) and _numbers(version) is None:
                yield fault("package.bad_version", f"requires/{name}", value=version[:60])
    samples = said.get("samples", [])
    if not isinstance(samples, list) or not all(isinstance(each, str) for each in samples):
        yield fault("document.wrong_type", "samples", value=json.dumps(samples)[:60], expected="[...]")
        return
    for number, object in enumerate(samples):
        if not schema.is_name(object) or f"samples/{object}.csv" not in files:
            yield fault("package.no_sample", f"samples/{number}", name=object[:60])


def is_package(folder: Path) -> bool:
    """Whether the folder is a package's: it has a ``package.json``."""
    return (folder / HEAD).is_file()


def read_documents(folder: Path) -> tuple[Component, ...]:
    """The components that a folder holds: a package's with its mark, loose ones as they are written.

    Raises Invalid with every fault of every file.
    """
    if is_package(folder):
        return read_package(folder).components
    components, faults = documents.read_folder(folder)
    if faults:
        raise Invalid(faults)
    return tuple(components)


def belonging(component: Component, tree: Tree) -> Component:
    """The component with the marks that the tree's has and its file does not repeat.

    Whose a component is, is no change that leaving a key out could mean.
    """
    there = tree.by_uid(component.uid)
    if there is None or there.kind != component.kind:
        return component
    keys = ("package",) if component.kind == "permission_set" else ("package", "system")
    kept = {key: there.body[key] for key in keys if key in there.body and key not in component.body}
    return documents.read({**component.document, **kept}) if kept else component


def with_package(component: Component, name: str) -> Component:
    """The component as a tenant has it: marked with its package."""
    return documents.read({**component.document, "package": name})


def without_package(component: Component) -> Component:
    """The component as a file has it."""
    document = component.document
    document.pop("package", None)
    return documents.read(document)


def _numbers(version: str) -> tuple[int, ...] | None:
    """The numbers of ">=1.2.3"; None for what is no such requirement."""
    found = re.fullmatch(r">=\s*(\d{1,6}(?:\.\d{1,6}){0,3})", version)
    return tuple(map(int, found[1].split("."))) if found else None


def missing_requirements(package: Package, tree: Tree, program: str) -> Iterator[Fault]:
    """What the package requires and does not find: a newer program, packages in the tree."""
    there = {each.body.get("package") for each in tree}
    for name, wanted in package.requires.items():
        place = Place(component=HEAD, pointer=f"/requires/{name}")
        if name != "tabwright":
            if name not in there:
                yield Fault("package.needs", {"name": name}, place)
            continue
        least, here = _numbers(wanted), re.findall(r"\d+", program)
        if least is not None and tuple(map(int, here)) < least:
            yield Fault("package.needs_version", {"wanted": wanted, "found": program}, place)


def check_package(package: Package, tree: Tree) -> None:
    """Whether the package fits into a tree: it takes nothing that others have, and all compiles together.

    Raises Conflict for names and uids that others have and for what only the platform may hold, Invalid with
    every other fault.
    """
    if faults := list(overreaching(package, tree)):
        raise Conflict(faults)
    compile_tree(tree.changed(package.components), release=0)


def overreaching(package: Package, tree: Tree) -> Iterator[Fault]:
    """What the package would take from others: components of theirs, the platform's name and locks."""
    if package.name == base_package().name:
        yield Fault("package.reserved", {"name": package.name}, Place(component=HEAD, pointer="/name"))
        return
    for each in package.components:
        there = tree.by_uid(each.uid)
        if there is not None and there.body.get("package") != package.name:
            yield Fault("component.uid_taken", {"uid": each.uid}, Place(component=each.place, pointer="/uid"))
        if each.kind != "permission_set" and each.body.get("system"):
            place = Place(component=each.place, pointer="/system")
            yield Fault("component.system_reserved", {"name": each.name}, place)


def write_package(folder: Path, package: Package) -> list[Path]:
    """Write a package's files, unless they say the same already. Returns those written."""
    written = documents.write_folder(folder, (without_package(each) for each in package.components))
    head, text = folder / HEAD, _text(head_of(package))
    if not head.is_file() or head.read_text("utf-8") != text:
        folder.mkdir(parents=True, exist_ok=True)
        head.write_text(text, "utf-8")
        written.append(head)
    return written


def files_of(package: Package, samples: Mapping[str, str]) -> dict[str, bytes]:
    """A package as files, its marks left out: what ``package_of`` reads again."""
    found = {HEAD: _text(head_of(package)).encode()}
    for each in package.components:
        found[f"{each.place}.json"] = without_package(each).text.encode()
    return found | {f"samples/{name}.csv": text.encode() for name, text in samples.items()}


def _text(about: Mapping[str, Any]) -> str:
    return json.dumps(about, ensure_ascii=False, indent=2) + "\n"


@cache
def base_package() -> Package:
    """The built-in package: people, organisation and rights. Part of every tenant's first release."""
    return read_package(_base_folder)


@cache
def base_tree() -> Tree:
    """The tree of the built-in package alone: what a new tenant starts from."""
    return Tree.of(base_package().components)
