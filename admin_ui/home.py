"""Studio's first page: what is there, and what is still to do, computed from the state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response

from tabwright.admin_ui.objects import object_lines
from tabwright.admin_ui.studio import Studio
from tabwright.metadata.model import ObjectDef
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.exchange import runs
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the checklist."""

    key: str
    done: bool
    title: str
    text: str
    href: str
    button: str


def page(studio: Studio) -> Response:
    """The home of Studio."""
    found = steps(studio)
    lines = tuple(each for each in object_lines(studio) if each.package != BASE)
    done = sum(each.done for each in found)
    first = next((each.key for each in found if not each.done), None)
    return studio.page("home.html", "home", steps=found, done=done, first=first, objects=lines)


def steps(studio: Studio) -> tuple[Step, ...]:
    """The checklist: what an organisation does until people can work, as far as it has done so itself: what a
    package brought is none of its steps.
    """
    tree, s = studio.drafting.draft.tree, studio.s
    objects = [each for each in studio.call.model.objects.values() if each.package != BASE]
    own = [each for each in objects if each.package is None]
    filled = next((each for each in own if _count(studio, each.name)), None)
    people = _count(studio, "user")
    layouts = any(each.kind == "layout" and each.body.get("package") is None for each in tree)
    sets = [e for e in tree if e.kind == "permission_set" and e.body.get("package") is None]
    target = _import_into(studio, own or objects)

    def step(key: str, done: bool, href: str) -> Step:
        return Step(key, done, s(f"home.{key}"), s(f"home.{key}_text"), href, s(f"home.{key}_do"))

    return (
        step(
            "objects",
            any(e.kind == "object" and e.body.get("package") is None for e in tree),
            "/studio/objects/new",
        ),
        step("publish", bool(own), "/studio/plan"),
        step("records", filled is not None, target),
        step("layout", layouts, "/studio/kinds/layout"),
        step("people", people > 1, "/o/user/new"),
        step("sets", bool(sets) or _count(studio, "permission_assignment") > 1, "/o/permission_assignment"),
    )


def _import_into(studio: Studio, own: Sequence[ObjectDef]) -> str:
    """The import that is offered: into the object that this person filled last, else the newest one."""
    gate = studio.call.gate
    able = [each for each in own if gate.may(each, "import") and gate.may(each, "create")]
    if not able:
        return f"/o/{own[0].name}/import" if own else "/studio/objects/new"
    with studio.call.tenant.store.read() as reader:
        last = runs.last_object(reader, studio.call.principal.user_id)
    found = next((each for each in able if each.uid == last), max(able, key=lambda each: each.uid))
    return f"/o/{found.name}/import"


def _count(studio: Studio, name: str) -> int:
    object = studio.call.model.objects.get(name)
    if object is None or not studio.call.gate.may(object, "read"):
        return 0
    return Reads(studio.call).list(Query(name, ("id",), limit=1, count=True)).count or 0
