"""One row of a list, drawn anew after a value in it was changed where it stands."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, request

from tabwright.platform.errors import NotFound
from tabwright.platform.web import policy, visit
from tabwright.runtime.lists.marking import marking_for
from tabwright.runtime.pages.bulk.bar import may_choose
from tabwright.runtime.pages.filtering.sight import Sight
from tabwright.runtime.pages.list_cells import Editing
from tabwright.runtime.pages.list_heads import table_for
from tabwright.runtime.pages.list_state import read_state, views_of
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.world import Site, open_desk
from tabwright.runtime.query.asked import Query


def register(app: Flask, site: Site) -> None:
    """Put the row beside the lists."""
    pages = Blueprint("list_row", __name__)

    @pages.get("/o/<object>/<uuid:id>/row")
    @policy("session")
    def row(object: str, id: UUID) -> Response:
        """``row``: the record as the list of the address shows it; ``note``: that it no longer belongs there.

        Raises NotFound where the record may not be seen any more.
        """
        desk = open_desk(site, request, visit())
        call, found = desk.call, desk.object(object)
        call.gate.require(found, "read")
        state = read_state(found, views_of(call, found, (), Sight(call, found).knows), request.args)
        marking = marking_for(call, found, state.rules)
        table = table_for(call, found, state.columns, choose=may_choose(call, found), marking=marking)
        editing = Editing.of(call, found, table.columns)
        query = Query(found.name, (*table.paths, *editing.paths), limit=1, marks=marking.formulas)
        this, note = f'id = "{id}"', ""
        rows = desk.reads.list(replace(query, where=(this, state.where))).rows
        if not rows:
            rows = desk.reads.list(replace(query, where=this)).rows
            note = text(call.language)("cell.left")
        if not rows:
            raise NotFound.of("record.not_found", object=found.name)
        made = {"row": table.rows(rows, ZoneInfo(call.zone), editing.among(call, found, rows)), "note": note}
        headers = {"Cache-Control": "no-store"}
        return Response(json.dumps(made, ensure_ascii=False), 200, headers, content_type="application/json")

    app.register_blueprint(pages)
