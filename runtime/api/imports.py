"""Imports over the API: a file, its settings, dry run, run, undo, and the rows that did not go in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import marshmallow as ma
from marshmallow import fields, validate

from tabwright.platform.errors import Fault, Malformed, NotFound, Place
from tabwright.platform.language import Language, say_fault
from tabwright.platform.settings import Limits
from tabwright.runtime.api.answers import Answer
from tabwright.runtime.api.endpoints import SIGNED_IN, Asked, Endpoint, Upload, uuid_in
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange.imports import PHASES, Imports
from tabwright.runtime.exchange.runs import Run

TAG = "imports"


class ProblemsQuery(ma.Schema):
    phase = fields.String(
        validate=validate.OneOf(PHASES),
        metadata={
            "description": "Of the check, the run, the undo; `note`: rows that went in, but not whole; "
            "`warned`: rows that go in though a rule warns of them."
        },
    )
    after = fields.Integer(load_default=0, validate=validate.Range(min=0, max=2**53))
    limit = fields.Integer(load_default=100, validate=validate.Range(min=1, max=1000))


class ImportApi:
    """The endpoints of imports, with the operator's limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def endpoints(self) -> tuple[Endpoint, ...]:
        one = "/imports/{id}"
        refusals = (403, 404, 409, 422)
        verbs = {
            "check": "Dry run: what a run would do, row by row; a job",
            "run": "Import, or go on with an import that was stopped; a job",
            "cancel": "Stop after the present chunk",
            "undo": "Take the import back; a job",
        }
        return (
            Endpoint(
                "POST",
                "/imports",
                "start_import",
                "Upload a file to import into an object",
                SIGNED_IN,
                self.start,
                TAG,
                uploads="ImportFile",
                answers={201: "Import"},
                problems=(403, 404, 413, 415, 422),
            ),
            Endpoint(
                "GET",
                one,
                "get_import",
                "An import: its settings, its state, what it did",
                SIGNED_IN,
                self.get,
                TAG,
                answers={200: "Import"},
                problems=(403, 404),
            ),
            Endpoint(
                "PATCH",
                one,
                "change_import",
                "Change format or settings, as a JSON merge patch",
                SIGNED_IN,
                self.change,
                TAG,
                takes_json=True,
                body_schema="ImportPatch",
                answers={200: "Import"},
                problems=(*refusals, 415),
            ),
            *(
                Endpoint(
                    "POST",
                    f"{one}/{verb}",
                    f"{verb}_import",
                    summary,
                    SIGNED_IN,
                    self._verb(verb),
                    TAG,
                    answers={202: "Import"},
                    problems=refusals,
                )
                for verb, summary in verbs.items()
            ),
            Endpoint(
                "POST",
                f"{one}/reset",
                "reset_import",
                "Forget the mapping of the last time and propose anew",
                SIGNED_IN,
                self.reset,
                TAG,
                answers={200: "Import"},
                problems=refusals,
            ),
            Endpoint(
                "GET",
                f"{one}/problems",
                "import_problems",
                "The rows that did not go in",
                SIGNED_IN,
                self.problems,
                TAG,
                query=ProblemsQuery,
                answers={200: "ImportProblems"},
                problems=(403, 404),
            ),
            Endpoint(
                "GET",
                f"{one}/result.csv",
                "import_result",
                "The rows that did not go in, with reasons, as CSV",
                SIGNED_IN,
                self.result,
                TAG,
                answers={200: ""},
                problems=(403, 404),
                text="text/csv",
            ),
        )

    def start(self, call: Call, asked: Asked) -> Answer:
        upload: Upload = asked.body
        unknown = sorted(set(upload.fields) - {"object"})
        if unknown:
            raise Malformed(
                Fault("api.parameter_unknown", {"name": name[:80]}, Place(field=name[:80]))
                for name in unknown
            )
        if "object" not in upload.fields:
            raise Malformed.of(
                "api.parameter_wrong",
                Place(field="object"),
                name="object",
                reason="Missing data for required field.",
            )
        imports = self._imports(call)
        run = imports.start(upload.fields["object"], upload.filename, upload.content)
        made = Answer.of(run_json(imports, run, call.language), 201)
        return replace(made, headers={"Location": f"{asked.base}/imports/{run.id.hex}"})

    def get(self, call: Call, asked: Asked) -> Answer:
        imports = self._imports(call)
        return Answer.of(run_json(imports, imports.get(id_of(asked)), call.language))

    def change(self, call: Call, asked: Asked) -> Answer:
        if not isinstance(asked.body, dict):
            raise Malformed.of("api.not_an_object", Place(pointer=""))
        imports = self._imports(call)
        id = id_of(asked)
        patch: Mapping[str, Any] = asked.body
        run = imports.get(id)
        if "format" in patch:
            changes = patch["format"]
            if not isinstance(changes, dict):
                raise Malformed.of("api.not_an_object", Place(pointer="/format"))
            run = imports.change_format(id, changes)
        settings = {name: value for name, value in patch.items() if name != "format"}
        if settings:
            run = imports.change(id, settings)
        return Answer.of(run_json(imports, run, call.language))

    def reset(self, call: Call, asked: Asked) -> Answer:
        imports = self._imports(call)
        return Answer.of(run_json(imports, imports.reset(id_of(asked)), call.language))

    def _verb(self, verb: str) -> Any:
        def do(call: Call, asked: Asked) -> Answer:
            imports = self._imports(call)
            run: Run = getattr(imports, verb)(id_of(asked))
            return Answer.of(run_json(imports, run, call.language), 202)

        return do

    def problems(self, call: Call, asked: Asked) -> Answer:
        imports = self._imports(call)
        run = imports.get(id_of(asked))
        phase = asked.query.get("phase") or imports.last_phase(run)
        found = imports.problems(run.id, phase, asked.query["after"], asked.query["limit"])
        rows = [
            {"row": each.row, "cells": list(each.cells), "faults": faults_json(each.faults, call.language)}
            for each in found
        ]
        return Answer.of({"phase": phase, "problems": rows})

    def result(self, call: Call, asked: Asked) -> Answer:
        body = b"".join(self._imports(call).result(id_of(asked)))
        headers = {"Content-Disposition": 'attachment; filename="not-imported.csv"'}
        return Answer(200, body, headers, "text/csv; charset=utf-8")

    def _imports(self, call: Call) -> Imports:
        return Imports(call, self._limits)


def id_of(asked: Asked) -> UUID:
    """The import that a path names. Raises NotFound."""
    id = uuid_in(asked.path["id"])
    if id is None:
        raise NotFound.of("import.not_found", Place(), id=asked.path["id"][:80])
    return id


def faults_json(faults: Iterable[Fault], language: Language) -> list[dict[str, Any]]:
    """Faults as the API says them."""
    return [
        {"code": each.code, "message": say_fault(each, language), **each.place.known()} for each in faults
    ]


def run_json(imports: Imports, run: Run, language: Language) -> dict[str, Any]:
    """An import as the API says it."""
    settings = run.settings.to_json()
    settings["columns"] = {
        name: settings["columns"][name] for name in run.header if name in settings["columns"]
    }
    checked = None
    if run.checked is not None:
        issues = [
            {
                "column": each.column,
                "field": each.field,
                "value": each.value,
                "count": each.count,
                "row": each.row,
                "code": each.fault.code,
                "message": say_fault(each.fault, language),
                "suggestion": each.suggestion,
            }
            for each in run.issues
        ]
        checked = {
            "counts": run.checked["counts"],
            "seconds": run.checked["seconds"],
            "since": run.checked.get("since", 0),
            "issues": issues,
        }
    return {
        "id": run.id,
        "object": imports.object(run).name,
        "filename": run.filename,
        "size": run.size,
        "has_file": run.has_file,
        "created_by": run.created_by,
        "state": run.state,
        "verbs": list(run.verbs),
        "format": run.format.to_json(),
        "header": list(run.header),
        "sample": [list(row) for row in run.sample],
        "rows": run.row_count,
        "settings": settings,
        "counts": dict(run.counts),
        "checked": checked,
        "job": run.job.id if run.job is not None else None,
        "faults": faults_json(run.error, language),
        "created_at": run.created_at,
    }
