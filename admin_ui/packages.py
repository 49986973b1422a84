"""Packages: what came with which, and what of it this organisation has changed since."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from flask import Blueprint, Response

from tabwright.admin_ui.navigation import kind_title
from tabwright.admin_ui.objects import PartLine, line_of
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.documents import Component
from tabwright.platform.web import policy


@dataclass(frozen=True, slots=True)
class PackageLine:
    """One package by its components; ``name`` is "" for what the organisation made itself."""

    name: str
    count: int
    kinds: tuple[tuple[str, int], ...]
    objects: tuple[PartLine, ...]


def packages(studio: Studio) -> tuple[PackageLine, ...]:
    """Packages by name; what is the organisation's own first."""
    held: defaultdict[str, list[Component]] = defaultdict(list)
    for each in studio.drafting.draft.tree:
        held[str(each.body.get("package", ""))].append(each)
    found = []
    for name in sorted(held):
        counts = Counter(each.kind for each in held[name])
        kinds = tuple((kind_title(kind, studio.call.language), n) for kind, n in counts.most_common())
        objects = tuple(line_of(studio, each) for each in held[name] if each.kind == "object")
        found.append(PackageLine(name, len(held[name]), kinds, objects))
    return tuple(found)


def register(blueprint: Blueprint, site: Site) -> None:
    """The address of packages."""

    @blueprint.get("/packages")
    @policy("session")
    def packages_page() -> Response:
        studio = open_studio(site)
        return studio.page("packages.html", "packages", packages=packages(studio))
