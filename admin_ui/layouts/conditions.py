"""When a field shows: rows to a formula and back, on the draft's fields."""

from __future__ import annotations

import json
from typing import Any

from flask import request

from tabwright.admin_ui import filters
from tabwright.admin_ui.layouts.canvas import Canvas
from tabwright.admin_ui.studio import Studio
from tabwright.platform.errors import Invalid
from tabwright.platform.language import say_fault
from tabwright.runtime.conditions import builder
from tabwright.runtime.conditions.builder import EMPTY, Group, Row
from tabwright.runtime.pages.filtering.sight import Sight


def sight(studio: Studio, canvas: Canvas) -> Sight:
    """The builder over the draft's fields, as far as this person may read them."""
    return filters.sight(studio, canvas.object)


def rows(studio: Studio, canvas: Canvas) -> dict[str, Any]:
    """What the builder shows of ``visible``; no group where rows cannot say it."""
    seen = sight(studio, canvas)
    text = request.args.get("visible", "")
    group = EMPTY if not text.strip() else builder.read(text, seen.resolve)
    if group == EMPTY:
        group = Group("all", (seen.first_row(),))
    return {"group": None if group is None else seen.group(group), "row": None}


def row(studio: Studio, canvas: Canvas) -> dict[str, Any]:
    """One row: on a field (``field``), with an operator (``is``) and values that still fit."""
    seen = sight(studio, canvas)
    path = request.args.get("field", "")
    fresh = seen.fresh_row(path, request.args.get("is", "")) if path else seen.first_row()
    kept = Row(fresh.path, fresh.operator, tuple(request.args.getlist("value")))
    return {"group": None, "row": seen.row(kept)}


def formula(studio: Studio, canvas: Canvas) -> tuple[dict[str, Any], int]:
    """The formula that posted rows say (``condition``, JSON), or what is wrong with which row."""
    try:
        try:
            given = json.loads(request.form.get("condition", "")[:100_000])
        except (ValueError, RecursionError):
            raise Invalid.of("condition.bad_shape") from None
        where = builder.write(builder.from_json(given), sight(studio, canvas).resolve)
    except Invalid as error:
        language = studio.call.language
        return {"faults": [{"row": f.place.row, "text": say_fault(f, language)} for f in error.faults]}, 422
    return {"visible": where}, 200
