"""The filter builder of the pages, over the fields of the draft: for editors that keep a filter."""

from __future__ import annotations

import json

from flask import Blueprint, Response, request

from tabwright.admin_ui.choosing import offered, records
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.platform.errors import Invalid, NotFound
from tabwright.platform.language import say_fault
from tabwright.platform.web import policy
from tabwright.runtime.conditions import builder
from tabwright.runtime.conditions.builder import EMPTY, Group, Row
from tabwright.runtime.pages.filtering.sight import Sight
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.world import Desk, preview_desk
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.options import MAX_TEXT


def desk_of(studio: Studio) -> Desk:
    """The desk under the draft's model; under the one in force where the draft has faults elsewhere."""
    return preview_desk(studio.desk, studio.drafting.checked.model or studio.call.model)


def sight(studio: Studio, object: str) -> Sight:
    """The builder over the draft's fields, as far as this person may read them.

    Raises NotFound ``studio.layout.no_rows`` where the object is only in a draft that has faults.
    """
    desk = desk_of(studio)
    found = desk.call.model.objects.get(object)
    if found is None:
        raise NotFound.of("studio.layout.no_rows")
    return Sight(desk.call, found, lookups="/studio/filter", reads=desk.reads)


def register(blueprint: Blueprint, site: Site) -> None:
    """The builder's addresses: the panel, a row of it, the formula that rows make."""

    @blueprint.get("/filter/<object>")
    @policy("session")
    def filter_panel(object: str) -> Response:
        studio = open_studio(site)
        seen, where = sight(studio, object), request.args.get("where", "")
        group = builder.read(where, seen.resolve) if where.strip() else EMPTY
        if group == EMPTY:
            group = Group("all", (seen.first_row(),))
        shown = None if group is None else seen.group(group)
        return studio.piece("editors/filter.html", group=shown, row=None, object=seen.object)

    @blueprint.get("/filter/<object>/row")
    @policy("session")
    def filter_row(object: str) -> Response:
        studio = open_studio(site)
        seen, field = sight(studio, object), request.args.get("field", "")
        fresh = seen.fresh_row(field, request.args.get("is", "")) if field else seen.first_row()
        kept = Row(fresh.path, fresh.operator, tuple(request.args.getlist("value")))
        return studio.piece("editors/filter.html", group=None, row=seen.row(kept), object=seen.object)

    @blueprint.get("/filter/<object>/lookup/<field>")
    @policy("session")
    def filter_records(object: str, field: str) -> Response:
        """Records to compare a lookup of the draft with."""
        studio = open_studio(site)
        seen, q = sight(studio, object), request.args.get("q", "")[:MAX_TEXT]
        named = seen.resolve(field)
        if named is None or not named.is_reference:
            raise Invalid.of("query.not_a_lookup", path=field[:80])
        known = seen.call.model.objects
        targets = [known[name] for name in named.targets if name in known]
        people = named.type in ("user", "owner") or named.target == "user"
        return offered(studio, records(studio, targets, q), q, people=people)

    @blueprint.post("/filter/<object>")
    @policy("session")
    def filter_formula(object: str) -> Response:
        """``condition`` (JSON of rows) as a formula, with how many records it leaves now."""
        studio = open_studio(site)
        desk, seen, language = desk_of(studio), sight(studio, object), studio.call.language
        try:
            try:
                given = json.loads(request.form.get("condition", "")[:100_000])
            except (ValueError, RecursionError):
                raise Invalid.of("condition.bad_shape") from None
            where = builder.write(builder.from_json(given), seen.resolve)
            count, capped = desk.reads.count(Query(seen.object.name, where=where))
        except Invalid as error:
            told = [{"row": each.place.row, "text": say_fault(each, language)} for each in error.faults]
            return _answer({"faults": told}, 422)
        shown = f"{count:,}" + ("+" if capped else "")
        return _answer({"where": where, "count": text(language)("filter.count", count=shown)}, 200)


def _answer(body: dict[str, object], status: int) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(json.dumps(body, ensure_ascii=False), status, headers, content_type="application/json")
