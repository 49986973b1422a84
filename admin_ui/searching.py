"""The search for settings: any component by its words, name or kind, and any page of Studio."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, request

from tabwright.admin_ui.names import finding
from tabwright.admin_ui.navigation import href_of, icon_of, kind_title, sections
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.platform.web import policy

MOST = 60


@dataclass(frozen=True, slots=True)
class Hit:
    label: str
    note: str
    icon: str
    href: str


def search(studio: Studio, text: str) -> tuple[Hit, ...]:
    """What the words are found in, the best first: a label that begins with them, then the rest."""
    words = text.lower().split()
    if not words:
        return ()
    found: list[tuple[int, str, Hit]] = []
    for _, entries in sections(studio, ""):
        for entry in entries:
            if all(word in finding(entry.label, entry.key) for word in words):
                found.append(
                    (0, entry.label, Hit(entry.label, studio.s("search.page"), entry.icon, entry.href))
                )
    for each in studio.drafting.draft.tree:
        label, kind = studio.label(each), kind_title(each.kind, studio.call.language)
        labels = each.body.get("label") or {}
        known = finding(*labels.values(), each.name, kind, each.kind, *each.body.get("aliases", ()))
        if not all(word in known for word in words):
            continue
        head = studio.title_of("object", each.object) + " › " if each.object and each.kind != "object" else ""
        rank = 1 if label.lower().startswith(words[0]) or each.local.startswith(words[0]) else 2
        rank += each.kind != "object"
        found.append(
            (
                rank,
                label,
                Hit(head + label, f"{kind} · {each.name}", icon_of(each.kind), href_of(each.kind, each.name)),
            )
        )
    found.sort(key=lambda one: one[:2])
    return tuple(hit for _, _, hit in found[:MOST])


def register(blueprint: Blueprint, site: Site) -> None:
    """The address of the search."""

    @blueprint.get("/search")
    @policy("session")
    def search_page() -> Response:
        studio = open_studio(site)
        q = request.args.get("q", "")[:200]
        hits = search(studio, q)
        return studio.page("search.html", "search", query=q, hits=hits, q=q)
