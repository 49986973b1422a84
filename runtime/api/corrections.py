"""Bad rows of a checked import over the API: listed, put right, skipped, given back to the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from tabwright.platform.errors import Fault, Invalid, Place
from tabwright.platform.language import Language
from tabwright.platform.settings import Limits
from tabwright.runtime.api.answers import Answer
from tabwright.runtime.api.endpoints import SIGNED_IN, Asked, Endpoint
from tabwright.runtime.api.imports import TAG, faults_json, id_of, run_json
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange.correcting import KINDS, Change, GridRow
from tabwright.runtime.exchange.imports import Imports
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.query import cursors

MOST_ROWS = 10_000  # of one request

_YES_NO: Mapping[str, Any] = {"truthy": {True}, "falsy": {False}}


def _about(text: str) -> dict[str, str]:
    return {"description": text}


class ImportRowsQuery(ma.Schema):
    kind = fields.String(
        load_default=KINDS[0],
        validate=validate.OneOf(KINDS),
        metadata=_about("Refused by the last check, put right, or left out on purpose."),
    )
    limit = fields.Integer(load_default=100, validate=validate.Range(min=1, max=1000))
    cursor = fields.String(
        validate=validate.Length(max=4000), metadata=_about("`next_cursor` of the last page.")
    )


class ImportRowShape(ma.Schema):
    row = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=2**53))
    cells = fields.Dict(
        fields.String(),
        fields.String(),
        load_default=dict,
        metadata=_about("What takes the place of cells, by name of the file's column."),
    )
    skip = fields.Boolean(**_YES_NO, metadata=_about("true leaves the row out, false takes it in again."))
    restore = fields.Boolean(
        **_YES_NO, load_default=False, metadata=_about("true: the row is as the file says it again.")
    )


class ImportCorrections(ma.Schema):
    rows = fields.List(
        fields.Nested(ImportRowShape), required=True, validate=validate.Length(min=1, max=MOST_ROWS)
    )


class ImportReplacement(ma.Schema):
    column = fields.String(required=True, metadata=_about("A column of the file."))
    value = fields.String(required=True, metadata=_about("What bad rows say there."))
    becomes = fields.String(required=True, metadata=_about("What all of them say from now on."))


class CorrectionApi:
    """The endpoints of corrections, with the operator's limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def endpoints(self) -> tuple[Endpoint, ...]:
        rows = "/imports/{id}/rows"
        refusals = (403, 404, 409, 422)
        return (
            Endpoint(
                "GET",
                rows,
                "import_rows",
                "Rows that a check did not take, or that were put right or skipped",
                SIGNED_IN,
                self.rows,
                TAG,
                query=ImportRowsQuery,
                answers={200: "ImportRows"},
                problems=(403, 404),
            ),
            Endpoint(
                "POST",
                rows,
                "correct_import",
                "Put bad rows right, skip them, or give them back to the file; they are checked at once, "
                "very many of them by a check that begins",
                SIGNED_IN,
                self.correct,
                TAG,
                body=ImportCorrections,
                answers={200: "ImportCorrected"},
                problems=refusals,
            ),
            Endpoint(
                "POST",
                f"{rows}/replace",
                "replace_in_import",
                "Put another text into a column of every bad row that says this one there",
                SIGNED_IN,
                self.replace,
                TAG,
                body=ImportReplacement,
                answers={200: "Import"},
                problems=refusals,
            ),
        )

    def rows(self, call: Call, asked: Asked) -> Answer:
        imports = Imports(call, self._limits)
        run = imports.get(id_of(asked))
        kind, limit, cursor = asked.query["kind"], asked.query["limit"], asked.query.get("cursor")
        about, tenant = f"import {run.id.hex} {kind}", call.tenant.location.id
        after = int(cursors.unseal(tenant, about, cursor)[0]) if cursor is not None else 0
        found = imports.grid_after(run.id, kind, after, limit + 1)
        more = len(found) > limit
        page = found[:limit]
        return Answer.of(
            {
                "kind": kind,
                "rows": _rows_json(page, call.language),
                "counts": dict(imports.grid_counts(run.id)),
                "next_cursor": cursors.seal(tenant, about, [page[-1].number]) if more else None,
            }
        )

    def correct(self, call: Call, asked: Asked) -> Answer:
        imports = Imports(call, self._limits)
        run = imports.get(id_of(asked))
        changes = _changes(run, asked.body["rows"])
        run = imports.correct(run.id, changes)
        rows = imports.grid_rows(run.id, [each.row for each in changes])
        said = {"import": run_json(imports, run, call.language), "rows": _rows_json(rows, call.language)}
        return Answer.of(said)

    def replace(self, call: Call, asked: Asked) -> Answer:
        imports = Imports(call, self._limits)
        run = imports.get(id_of(asked))
        body = asked.body
        column = _column(run, body["column"], "/column")
        if isinstance(column, Fault):
            raise Invalid((column,))
        run = imports.replace_everywhere(run.id, column, body["value"], body["becomes"])
        return Answer.of(run_json(imports, run, call.language))


def _column(run: Run, name: str, pointer: str) -> int | Fault:
    """The index of a column of the file, or what is wrong with its name."""
    if name in run.header:
        return run.header.index(name)
    return Fault("import.unknown_column", {"column": name[:200]}, Place(pointer=pointer))


def _changes(run: Run, rows: Sequence[Mapping[str, Any]]) -> list[Change]:
    """The corrections that a body says. Raises Invalid with every unknown column."""
    faults: list[Fault] = []
    changes: list[Change] = []
    for at, each in enumerate(rows):
        cells: dict[int, str] = {}
        for name, text in each["cells"].items():
            pointer = name[:200].replace("~", "~0").replace("/", "~1")
            column = _column(run, name, f"/rows/{at}/cells/{pointer}")
            if isinstance(column, Fault):
                faults.append(column)
            else:
                cells[column] = text
        changes.append(Change(each["row"], cells, each.get("skip"), each["restore"]))
    if faults:
        raise Invalid(faults[:1000])
    return changes


def _rows_json(rows: Iterable[GridRow], language: Language) -> list[dict[str, Any]]:
    return [
        {
            "row": each.number,
            "outcome": each.outcome,
            "cells": list(each.cells),
            "file": list(each.file),
            "faults": faults_json(each.faults, language),
        }
        for each in rows
    ]
