"""The addresses of the filter builder (panel, row, the formula that rows make) and of the colours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, request

from tabwright.platform.errors import Invalid
from tabwright.platform.language import register_messages, say_fault
from tabwright.platform.web import policy, visit
from tabwright.runtime.conditions import builder
from tabwright.runtime.conditions.builder import EMPTY, Group, Row
from tabwright.runtime.lists.marking import read_rules, rules_text
from tabwright.runtime.pages.filtering.colouring import WrongRules, made, panel_of
from tabwright.runtime.pages.filtering.sight import Sight
from tabwright.runtime.pages.rendering import render, text
from tabwright.runtime.pages.world import Desk, Site, open_desk
from tabwright.runtime.query.asked import Query

register_messages(Path(__file__).with_name("messages.json"))


def register(app: Flask, site: Site) -> None:
    """Put the builder beside the lists."""
    filters = Blueprint("filters", __name__)

    def sight(object: str) -> tuple[Desk, Sight]:
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        desk.call.gate.require(found, "read")
        return desk, Sight(desk.call, found)

    @filters.get("/o/<object>/filter")
    @policy("session")
    def panel(object: str) -> Response:
        """The builder, open on ``where``; with only the formula where rows cannot say it."""
        desk, seen = sight(object)
        where = request.args.get("where", "")
        group = builder.read(where, seen.resolve)
        if group == EMPTY:
            group = Group("all", (seen.first_row(),))
        shown = None if group is None else seen.group(group)
        return _part(desk, "filter_panel.html", group=shown, where=where, object=seen.object)

    @filters.get("/o/<object>/filter/row")
    @policy("session")
    def row(object: str) -> Response:
        """One row: on a field (``field``), with an operator (``is``) and values (``value``) if they fit."""
        desk, seen = sight(object)
        path = request.args.get("field", "")
        fresh = seen.fresh_row(path, request.args.get("is", "")) if path else seen.first_row()
        kept = Row(fresh.path, fresh.operator, tuple(request.args.getlist("value")))
        return _part(desk, "filter_row.html", row=seen.row(kept))

    @filters.post("/o/<object>/filter")
    @policy("session")
    def formula(object: str) -> Response:
        """``condition`` (JSON of rows) as a formula, with how many records it leaves."""
        desk, seen = sight(object)
        try:
            group = builder.from_json(_json(request.form.get("condition", "")))
            where = builder.write(group, seen.resolve)
            count, capped = desk.reads.count(Query(seen.object.name, where=where))
        except Invalid as error:
            return _answer(desk, {"faults": [_fault(desk, each) for each in error.faults]}, 422)
        t = text(desk.look.language)
        shown = f"{count:,}" + ("+" if capped else "")
        return _answer(desk, {"where": where, "count": t("filter.count", count=shown)})

    @filters.get("/o/<object>/colours")
    @policy("session")
    def colour_panel(object: str) -> Response:
        """The rules of ``colours`` to change, and one more to add."""
        desk, seen = sight(object)
        panel = panel_of(seen, read_rules(request.args.get("colours", "")))
        return _part(desk, "colour_panel.html", object=seen.object, **panel)

    @filters.post("/o/<object>/colours")
    @policy("session")
    def colours(object: str) -> Response:
        """``rules`` (JSON) as an address says them."""
        desk, seen = sight(object)
        try:
            found = made(seen, _json(request.form.get("rules", "")))
        except WrongRules as wrong:
            told = [
                {"rule": number, "label": fault.code.endswith("no_label"), **_fault(desk, fault)}
                for number, fault in wrong.faults
            ]
            return _answer(desk, {"faults": told}, 422)
        return _answer(desk, {"colours": rules_text(found)})

    app.register_blueprint(filters)


def _json(written: str) -> Any:
    try:
        return json.loads(written[:100_000])
    except (ValueError, RecursionError):
        raise Invalid.of("condition.bad_shape") from None


def _fault(desk: Desk, fault: Any) -> dict[str, Any]:
    return {"row": fault.place.row, "text": say_fault(fault, desk.look.language)}


def _part(desk: Desk, template: str, **context: Any) -> Response:
    html = render(template, desk.look, context)
    return Response(html, content_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"})


def _answer(desk: Desk, body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json")
