"""A package as a file to take along: one that is here, or one made of chosen components."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, request

from tabwright.admin_ui.components import REFUSALS, FaultLine
from tabwright.admin_ui.navigation import icon_of, kind_title
from tabwright.admin_ui.objects import line_of
from tabwright.admin_ui.packages.listing import packaging_of
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata import schema
from tabwright.metadata.archives import write_archive
from tabwright.metadata.documents import Component
from tabwright.metadata.packages import (
    Package,
    base_tree,
    check_package,
    files_of,
    made_of,
    package_of,
    without_package,
)
from tabwright.metadata.references import uses
from tabwright.metadata.tree import Tree
from tabwright.metadata.world import World
from tabwright.platform.errors import Fault, Invalid, NotFound, Place
from tabwright.platform.language import say_fault
from tabwright.platform.web import policy
from tabwright.runtime.access.rights import BASE

_VERSION = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}")


@dataclass(frozen=True, slots=True)
class Part:
    """Something that may go into a package; an object stands for all that belongs to it."""

    key: str  # "<kind>/<name>"
    label: str
    name: str
    kind: str
    icon: str
    package: str
    chosen: bool


def parts(studio: Studio, chosen: Iterable[str]) -> tuple[Part, ...]:
    """What may be chosen: objects, and what belongs to none, as the release in force has them."""
    wanted = set(chosen)
    found = []
    for each in _in_force(studio):
        if each.body.get("package") == BASE or schema.is_part_of_object(each.kind):
            continue
        line = line_of(studio, each)
        package = str(each.body.get("package", ""))
        title = kind_title(each.kind, studio.call.language)
        found.append(
            Part(each.place, line.label, each.name, title, icon_of(each.kind), package, each.place in wanted)
        )
    order = {kind: number for number, kind in enumerate(("object", *schema.kinds()))}
    return tuple(sorted(found, key=lambda each: (order[each.key.partition("/")[0]], each.label)))


def _in_force(studio: Studio) -> Tree:
    return studio.drafting.draft.current


def gathered(tree: Tree, chosen: Sequence[str]) -> list[Component]:
    """The chosen components, with all that belongs to a chosen object. Raises NotFound."""
    found: dict[str, Component] = {}
    for key in chosen:
        kind, _, name = key.partition("/")
        each = tree.get(kind, name) if kind in schema.kinds() else None
        if each is None or each.body.get("package") == BASE:
            place = Place(component=key[:160])
            raise NotFound.of("component.not_found", place, kind=kind[:60], name=name[:130])
        found[each.uid] = each
        if kind == "object":
            found |= {part.uid: part for part in tree.parts_of_object(name)}
    return list(found.values())


def made(about: Mapping[str, object], components: Sequence[Component], tree: Tree) -> Package:
    """The package of these components, checked as another tenant would that has only what it requires.

    Raises Invalid with all that is wrong, such as a picklist that was not chosen and is needed.
    """
    inside = {each.uid for each in components}
    world = World(tree)
    needed: dict[str, str] = {}
    for each in components:
        for use in uses(each, world):
            other = world.part(use.used_kind, use.used)
            if other is not None and other.uid not in inside:
                package = other.body.get("package")
                if package not in (None, BASE):
                    needed[str(package)] = ">=0"
    plain = [without_package(each) for each in components]
    package = made_of({**about, **({"requires": needed} if needed else {})}, plain)
    package = package_of(files_of(package, {}))  # as it will be read: its head is checked too
    around = base_tree().changed(each for each in tree if each.body.get("package") in needed)
    check_package(package, around.changed((), [each.uid for each in package.components]))
    return package


def _sent(package: Package, samples: Mapping[str, str]) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{package.name}-{package.version}.zip"',
        "Cache-Control": "no-store",
    }
    return Response(write_archive(files_of(package, samples)), 200, headers, content_type="application/zip")


def _form(studio: Studio, faults: tuple[Fault, ...] = ()) -> Response:
    given, language = request.form, studio.call.language
    return studio.page(
        "package_new.html",
        "packages",
        422 if faults else 200,
        parts=parts(studio, given.getlist("part")),
        given={
            key: given.get(key, "")
            for key in ("name", "version", "label_zh", "label_en", "about_zh", "about_en")
        },
        faults=tuple(_fault(studio, each, language) for each in faults[:50]),
    )


def _fault(studio: Studio, fault: Fault, language: str) -> FaultLine:
    place = fault.place.component or ""
    text = say_fault(fault, studio.call.language)
    if place in ("package.json", "") and (fault.place.pointer or "") in ("/name", "/version", "/label"):
        return FaultLine(text, "p-" + str(fault.place.pointer)[1:])
    return FaultLine(f"{place}: {text}" if place else text)


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of files to take along."""

    @blueprint.get("/packages/<name>/download")
    @policy("session")
    def download_package(name: str) -> Response:
        """The package as this organisation has it by now, its own changes included."""
        studio = open_studio(site)
        packaging, tree = packaging_of(studio), _in_force(studio)
        version = packaging.installed(tree).get(name)
        if version is None:
            raise NotFound.of("package.not_installed", package=name[:60])
        parts = [each for each in tree if each.body.get("package") == name]
        about = {"name": name, "version": version.package.version, "label": version.package.labels}
        for key in ("description", "requires", "samples"):
            if value := getattr(version.package, key):
                about[key] = value
        return _sent(made_of(about, map(without_package, parts)), packaging.samples(version.id))

    @blueprint.get("/packages/new")
    @policy("session")
    def new_package() -> Response:
        return _form(open_studio(site))

    @blueprint.post("/packages/new")
    @policy("session")
    def make_package() -> Response:
        studio = open_studio(site)
        form = request.form
        labels = {key: form.get("label_" + key, "").strip() for key in ("zh", "en")}
        texts = {key: form.get("about_" + key, "").strip() for key in ("zh", "en")}
        name, version = form.get("name", "").strip(), form.get("version", "").strip()
        faults = []
        if not schema.is_name(name) or name == BASE:
            faults.append(Fault("document.bad_name", {"value": name[:60]}, Place(pointer="/name")))
        if not _VERSION.fullmatch(version):
            faults.append(
                Fault("studio.packages.bad_version", {"value": version[:60]}, Place(pointer="/version"))
            )
        if not any(labels.values()):
            faults.append(Fault("studio.packages.no_label", {}, Place(pointer="/label")))
        if not form.getlist("part"):
            faults.append(Fault("studio.packages.nothing_chosen"))
        if faults:
            return _form(studio, tuple(faults))
        about: dict[str, object] = {"name": name, "version": version}
        about["label"] = {key: text for key, text in labels.items() if text}
        if any(texts.values()):
            about["description"] = {key: text for key, text in texts.items() if text}
        tree = _in_force(studio)
        try:
            package = made(about, gathered(tree, form.getlist("part")), tree)
        except (*REFUSALS, Invalid, NotFound) as error:
            return _form(studio, error.faults)
        return _sent(package, {})
