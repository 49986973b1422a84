"""The row of totals, asked for after the list has been shown."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, Response, request

from tabwright.platform.language import register_messages
from tabwright.platform.web import policy, visit
from tabwright.runtime.lists.totals import totals
from tabwright.runtime.pages.bulk.bar import may_choose
from tabwright.runtime.pages.bulk.routes import state_of
from tabwright.runtime.pages.list_heads import table_for
from tabwright.runtime.pages.rendering import render
from tabwright.runtime.pages.world import Site, open_desk

register_messages(Path(__file__).with_name("totals_messages.json"))


def register(app: Flask, site: Site) -> None:
    """Put the totals beside the lists."""
    pages = Blueprint("totals", __name__)

    @pages.get("/o/<object>/totals")
    @policy("session")
    def row(object: str) -> Response:
        """The cells of the foot, for the filter and columns that the address says."""
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        desk.call.gate.require(found, "read")
        state = state_of(desk, found, request.args)
        columns = table_for(desk.call, found, state.columns).columns
        count, numbers = totals(desk.call, found, columns, state.where)
        context = {
            "boxes": may_choose(desk.call, found),
            "count": f"{count:,}",
            "total": count,
            "cells": [(column, numbers.get(column.path)) for column in columns[1:]],
        }
        html = render("totals.html", desk.look, context)
        return Response(html, content_type="text/html; charset=utf-8")

    app.register_blueprint(pages)
