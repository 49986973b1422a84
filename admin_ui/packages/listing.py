"""Packages: what came with which, in which version, and what of it this organisation has changed since."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint, Response

from tabwright.admin_ui.components import FaultLine
from tabwright.admin_ui.navigation import kind_title
from tabwright.admin_ui.objects import PartLine, line_of
from tabwright.admin_ui.packages.sampling import Samples, samples_of
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.documents import Component
from tabwright.metadata.installed import Version
from tabwright.metadata.model import label_in
from tabwright.metadata.packages import is_package, read_head
from tabwright.platform.errors import Fault, TabwrightError
from tabwright.platform.language import register_messages, say_fault
from tabwright.platform.web import policy
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.publishing.packaging import Packaging

register_messages(Path(__file__).with_name("messages.json"))


@dataclass(frozen=True, slots=True)
class PackageLine:
    """One package by its components; ``name`` is "" for what the organisation made itself.

    ``version`` is "" where it is not known (it came before versions were kept). ``changed``: components that
    are not as the package brought them; ``newer`` the template's version where that is another one.
    """

    name: str
    title: str
    text: str
    version: str
    since: int | None
    count: int
    kinds: tuple[tuple[str, int], ...]
    objects: tuple[PartLine, ...]
    changed: int
    newer: str
    samples: Samples | None

    @property
    def is_own(self) -> bool:
        return not self.name

    @property
    def is_base(self) -> bool:
        return self.name == BASE


@dataclass(frozen=True, slots=True)
class Template:
    """A package that comes with the product. ``installed``: the version that is there; "" none."""

    name: str
    title: str
    text: str
    version: str
    installed: str | None


def packaging_of(studio: Studio) -> Packaging:
    """The packages of this organisation."""
    call = studio.call
    return Packaging(studio.publishing, call.clock, call.ids, studio.site.program)


def heads(folder: Path) -> dict[str, Mapping[str, Any]]:
    """What the packages that come with the product say of themselves, by folder; broken ones are left out."""
    found = {}
    for each in sorted(folder.iterdir()):
        if is_package(each):
            try:
                found[each.name] = read_head(each)
            except TabwrightError:
                continue
    return found


def packages(studio: Studio) -> tuple[PackageLine, ...]:
    """Packages by name; what is the organisation's own first."""
    held: defaultdict[str, list[Component]] = defaultdict(list)
    for each in studio.drafting.draft.tree:
        held[str(each.body.get("package", ""))].append(each)
    known = packaging_of(studio).installed(studio.drafting.draft.tree)
    shipped = {str(each["name"]): str(each["version"]) for each in heads(studio.site.templates).values()}
    return tuple(
        _line(studio, name, held[name], known.get(name), shipped.get(name, "")) for name in sorted(held)
    )


def _line(
    studio: Studio, name: str, parts: list[Component], version: Version | None, shipped: str
) -> PackageLine:
    language = studio.call.language
    counts = Counter(each.kind for each in parts)
    title, text, number, changed = name, "", "", 0
    if version is not None:
        title, number = label_in(version.package.labels, language) or name, version.package.version
        text = label_in(version.package.description, language) if version.package.description else ""
        changed = sum(version.tree.by_uid(each.uid) != each for each in parts)
    return PackageLine(
        name,
        title,
        text,
        number,
        version.since if version is not None else None,
        len(parts),
        tuple((kind_title(kind, language), n) for kind, n in counts.most_common()),
        tuple(line_of(studio, each) for each in parts if each.kind == "object"),
        changed,
        shipped if shipped and shipped != number else "",
        samples_of(studio, name, version) if name and name != BASE else None,
    )


def templates(studio: Studio, lines: tuple[PackageLine, ...]) -> tuple[Template, ...]:
    """The packages that come with the product, as far as they are not installed in this version."""
    language = studio.call.language
    there = {each.name: each.version for each in lines}
    return tuple(
        Template(
            folder,
            label_in(head["label"], language),
            label_in(head["description"], language) if head.get("description") else "",
            str(head["version"]),
            there.get(str(head["name"])),
        )
        for folder, head in heads(studio.site.templates).items()
    )


def page(studio: Studio, faults: tuple[Fault, ...] = ()) -> Response:
    """What is there, and what may come."""
    lines = packages(studio)
    return studio.page(
        "packages.html",
        "packages",
        422 if faults else 200,
        packages=lines,
        templates=templates(studio, lines),
        faults=tuple(
            FaultLine(_with_place(say_fault(each, studio.call.language), each)) for each in faults[:50]
        ),
    )


def _with_place(text: str, fault: Fault) -> str:
    """A fault of a file with the file, so that who packed it finds the place."""
    place = fault.place
    where = f"{place.component}{place.pointer or ''}" if place.component else ""
    if place.line is not None:
        where += f":{place.line}"
    return f"{where}: {text}" if where else text


def register(blueprint: Blueprint, site: Site) -> None:
    """The address of packages."""

    @blueprint.get("/packages")
    @policy("session")
    def packages_page() -> Response:
        return page(open_studio(site))
