"""What was removed: by this draft, or by a release up to 30 days ago; both come back with their data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, Response, request

from tabwright.admin_ui.components import REFUSALS, FaultLine
from tabwright.admin_ui.navigation import icon_of, kind_title, path
from tabwright.admin_ui.plan import ChangeLine, change_lines
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Put
from tabwright.metadata.tree import Tree
from tabwright.platform.errors import Fault, NotFound
from tabwright.platform.language import say_fault
from tabwright.platform.web import policy
from tabwright.runtime.pages.history import when_text
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.storage.tables import Entry, Physical

KEPT = timedelta(days=30)
LOOKED_AT = 400  # releases that are looked through for what was removed


@dataclass(frozen=True, slots=True)
class Removed:
    """One object or field whose data is still there."""

    uid: str
    kind: str
    icon: str
    label: str
    name: str
    when: str
    days_left: int
    number: int  # the release that had it last


def removed(studio: Studio) -> tuple[Removed, ...]:
    """What can be brought back, the newest first. Fields of a removed object come with the object."""
    call = studio.call
    with call.tenant.store.read() as reader:
        dropped = [each for each in Physical.read(reader).entries if _is_dropped(each)]
    found, now = [], call.clock.now()
    objects = {each.n for each in dropped if each.kind == "object"}
    wanted = {e.uid: e for e in dropped if e.kind == "object" or e.object_n not in objects}
    for uid, (number, component) in _last_seen(studio, set(wanted)).items():
        at = wanted[uid].dropped_at
        assert at is not None
        label = studio.label(component)
        if component.kind == "field" and component.object is not None:
            label = f"{studio.title_of('object', component.object)} › {label}"
        left = max(0, (at + KEPT - now).days)
        when = when_text(at, now, studio.zone, call.language)
        kind = kind_title(component.kind, call.language)
        found.append(Removed(uid, kind, icon_of(component.kind), label, component.name, when, left, number))
    return tuple(sorted(found, key=lambda each: -each.number))


def _is_dropped(entry: Entry) -> bool:
    return entry.state == "dropped" and entry.kind in ("object", "field") and entry.dropped_at is not None


def _last_seen(studio: Studio, wanted: set[str]) -> dict[str, tuple[int, Component]]:
    """For each uid the newest release that had it, and the component as it was there."""
    found: dict[str, tuple[int, Component]] = {}
    for number, tree in _trees(studio) if wanted else ():
        for uid in wanted - found.keys():
            component = tree.by_uid(uid)
            if component is not None:
                found[uid] = (number, component)
        if len(found) == len(wanted):
            break
    return found


def _trees(studio: Studio) -> Iterator[tuple[int, Tree]]:
    """Releases from the newest backwards, one read each: nothing is held while they are looked at."""
    number = studio.call.model.release
    for each in range(number, max(0, number - LOOKED_AT), -1):
        with studio.call.tenant.store.read() as reader:
            tree = studio.publishing.releases.tree(reader, each)
        yield each, tree


def bring_back(studio: Studio, uid: str) -> Component:
    """Put a removed component, an object with its parts, into the draft again.

    Raises NotFound where nothing of that uid is kept, and as ``Drafting.change`` does.
    """
    line = next((each for each in removed(studio) if each.uid == uid), None)
    if line is None:
        raise NotFound.of("studio.not_kept")
    with studio.call.tenant.store.read() as reader:
        tree = studio.publishing.releases.tree(reader, line.number)
    component = tree.by_uid(uid)
    assert component is not None
    parts = tree.parts_of_object(component.name) if component.kind == "object" else ()
    studio.drafting.change(*(Put(each.document) for each in (component, *parts)))
    return component


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of the trash."""

    @blueprint.get("/trash")
    @policy("session")
    def trash() -> Response:
        return _page(open_studio(site), ())

    @blueprint.post("/trash")
    @policy("session")
    def restore_component() -> Response:
        studio = open_studio(site, change=True)
        try:
            found = bring_back(studio, request.form.get("uid", ""))
        except REFUSALS as error:
            return _page(studio, error.faults)
        studio.flash("trash.back", name=studio.label(found))
        return redirect(path("plan"))

    def _page(studio: Studio, faults: tuple[Fault, ...]) -> Response:
        taken = [each for each in studio.drafting.draft.differences if each.action == "removed"]
        gone: tuple[ChangeLine, ...] = change_lines(studio, taken)
        return studio.page(
            "trash.html",
            "trash",
            409 if faults else 200,
            removed=removed(studio),
            gone=gone,
            faults=tuple(FaultLine(say_fault(each, studio.call.language)) for each in faults),
        )
