"""Favourites in the sidebar: what they are called for who looks, and where they lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tabwright.metadata.model import ObjectDef
from tabwright.runtime.desk import Call
from tabwright.runtime.pages.filtering.sight import Sight
from tabwright.runtime.pages.list_state import View, views_of
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import Kept, plural
from tabwright.runtime.personal.favourites import Favourite
from tabwright.runtime.personal.views import SavedView, views_by_object
from tabwright.runtime.query.naming import named


def shown(call: Call, favourites: Iterable[Favourite], here: Favourite | None = None) -> tuple[Kept, ...]:
    """The favourites as this person may see them now; what is gone or closed to them is left out."""
    kept = tuple(favourites)
    if not kept:
        return ()
    with call.tenant.store.read() as reader:
        wanted = ((each.object_uid, id) for each in kept if (id := each.record_id) is not None)
        records = named(call, wanted, reader)
        saved = views_by_object(call, reader) if any(each.what == "view" for each in kept) else {}
    objects = {each.uid: each for each in call.gate.objects()}
    nameless = text(call.language)("record.nameless")
    found = []
    for each in kept:
        object = objects.get(each.object_uid)
        if object is None:
            continue
        if each.record_id is not None:
            record = records.get(each.record_id)
            if record is not None:
                href = f"/o/{object.name}/{each.record_id}"
                found.append(_kept(call, each, object, record.name or nameless, href, here))
            continue
        view = next((one for one in views(call, object, saved) if one.key == each.key), None)
        if view is not None:
            found.append(_kept(call, each, object, view.label, view_href(object, view), here))
    return tuple(found)


def views(call: Call, object: ObjectDef, saved: Mapping[str, Sequence[SavedView]]) -> tuple[View, ...]:
    """The views of an object's list that this person may open."""
    return views_of(call, object, saved.get(object.uid, ()), Sight(call, object).knows)


def view_href(object: ObjectDef, view: View) -> str:
    """Where a view leads."""
    return f"/o/{object.name}?view={view.key}"


def _kept(
    call: Call, favourite: Favourite, object: ObjectDef, label: str, href: str, here: Favourite | None
) -> Kept:
    note = plural(object, call.language)
    return Kept(favourite.text, label, note, object.icon, object.colour, href, favourite == here)
