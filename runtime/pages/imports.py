"""The addresses of import: upload, columns to fields, dry run, values to values, progress, the end and
undo.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import UUID

from flask import Blueprint, Flask, Response, request

from tabwright.platform.errors import Conflict, Invalid, TabwrightError, TooLarge
from tabwright.platform.language import register_messages
from tabwright.platform.settings import Limits
from tabwright.platform.web import policy, visit
from tabwright.runtime.exchange.imports import Imports
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.exchange.settings import MODES
from tabwright.runtime.pages.import_columns import parents_of
from tabwright.runtime.pages.import_page import BLANK, ISSUES, WORDS, Maker, start_page
from tabwright.runtime.pages.rendering import render
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import Desk, Site, open_desk

register_messages(Path(__file__).with_name("import_messages.json"))


# ---- what a form sent
# -----------------------------------------------------------------------------------------


def patch_of(run: Run, form: Mapping[str, str]) -> dict[str, Any]:
    """The settings that a posted form says, as a merge patch: columns by their index, values by their
    issue.
    """
    columns: dict[str, Any] = {}
    for index, name in enumerate(run.header):
        field = form.get(f"field.{index}")
        if field is None:
            continue
        if not field:
            columns[name] = None
            continue
        column: dict[str, Any] = {"field": field}
        for part in ("missing", "blank", "dates"):
            if form.get(f"{part}.{index}"):
                column[part] = form[f"{part}.{index}"]
        old = run.settings.columns.get(name)
        if form.get(f"match.{index}") and old is not None and old.field == field:
            column["match"] = form[f"match.{index}"]
        if f"forget.{index}" in form:
            column["values"] = None
        columns[name] = column
    for number, issue in enumerate(run.issues[:ISSUES]):
        becomes = form.get(f"becomes.{number}", "")
        chosen = columns.get(issue.column, {})
        if becomes and issue.column in run.settings.columns and chosen is not None:
            column = columns.setdefault(issue.column, {})
            values = column.get("values") or {}
            column["values"] = {**values, issue.value: "" if becomes == BLANK else becomes}
    patch: dict[str, Any] = {"columns": columns}
    fields = [each["field"] for each in columns.values() if each and "field" in each]
    if fields:
        filled = {field.partition(".")[0] for field in fields if "." in field}
        gone = {name: None for name in run.settings.parents if name not in filled}
        said = {name: each for name, each in parents_of(form).items() if name in filled}
        patch["parents"] = {**gone, **said}
    if form.get("mode") in MODES:
        patch["mode"] = form["mode"]
        patch["key"] = None if form["mode"] == "create" else form.get("key", "").split(",")
    return patch


def format_of(form: Mapping[str, str]) -> dict[str, Any]:
    """The format that a posted form says."""
    changes: dict[str, Any] = {name: form[name] for name in ("encoding", "sheet") if name in form}
    if form.get("delimiter") in WORDS:
        changes["delimiter"] = WORDS[form["delimiter"]]
    changes["header"] = "header" in form
    return changes


# ---- addresses
# ------------------------------------------------------------------------------------------------


def register(app: Flask, site: Site) -> None:
    """Put the pages of import on the application."""
    pages = Blueprint("imports", __name__)
    limits: Limits = site.settings.limits

    def desk_and_imports() -> tuple[Desk, Imports]:
        desk = open_desk(site, request, visit())
        return desk, Imports(desk.call, limits)

    def show(desk: Desk, imports: Imports, run: Run, error: TabwrightError | None = None) -> Response:
        page = Maker(desk, imports, run, error).page()
        return desk.page("import.html", page.object.name, page, error.status if error is not None else 200)

    @pages.get("/o/<object>/import")
    @policy("session")
    def start(object: str) -> Response:
        desk, imports = desk_and_imports()
        found = desk.object(object)
        desk.call.gate.require_right("import")
        desk.call.gate.require(found, "import")
        return desk.page("import_start.html", found.name, start_page(desk, imports, found))

    @pages.post("/o/<object>/import")
    @policy("session", upload=True)
    def upload(object: str) -> Response:
        desk, imports = desk_and_imports()
        found = desk.object(object)
        file = request.files.get("file")
        try:
            if file is None or not file.filename:
                raise Invalid.of("import.no_file")
            run = imports.start(found.name, file.filename, cast(BinaryIO, file.stream))
        except (Invalid, TooLarge) as error:
            page = start_page(desk, imports, found, error)
            return desk.page("import_start.html", found.name, page, error.status)
        return redirect(f"/imports/{run.id}")

    @pages.get("/o/<object>/import/template.csv")
    @policy("session")
    def template(object: str) -> Response:
        desk, imports = desk_and_imports()
        return _csv(imports.template(object), f"{desk.object(object).name}.csv")

    @pages.get("/imports/<uuid:id>")
    @policy("session")
    def one(id: UUID) -> Response:
        desk, imports = desk_and_imports()
        return show(desk, imports, imports.get(id))

    @pages.get("/imports/<uuid:id>/progress")
    @policy("session")
    def progress(id: UUID) -> Response:
        """The moving part of the page, asked for by a script; the whole page again once it stands still."""
        desk, imports = desk_and_imports()
        run = imports.get(id)
        maker = Maker(desk, imports, run, None)
        moving = maker.progress()
        if moving is None:
            return Response("", headers={"HX-Refresh": "true"})
        context = {"progress": moving, "at": f"/imports/{run.id}", "state": run.state}
        return Response(
            render("import_progress.html", desk.look, context), content_type="text/html; charset=utf-8"
        )

    @pages.post("/imports/<uuid:id>/format")
    @policy("session")
    def change_format(id: UUID) -> Response:
        desk, imports = desk_and_imports()
        try:
            imports.change_format(id, format_of(request.form))
        except (Invalid, Conflict) as error:
            return show(desk, imports, imports.get(id), error)
        return redirect(f"/imports/{id}")

    @pages.post("/imports/<uuid:id>/settings")
    @policy("session")
    def settings(id: UUID) -> Response:
        """Save what the form says; ``then`` says what comes next. What was changed is checked before it is
        run.
        """
        desk, imports = desk_and_imports()
        run = imports.get(id)
        then = request.form.get("then", "save")
        try:
            before, was_checked = run.settings, run.state == "checked"
            checked = run.checked
            saved = imports.save(id, patch_of(run, request.form)) if "change" in run.verbs else run
            if then == "run" and was_checked and saved.settings == before and checked is not None:
                imports.run(id)
            elif then in ("run", "check"):
                imports.check(id)
        except (Invalid, Conflict) as error:
            return show(desk, imports, imports.get(id), error)
        return redirect(f"/imports/{id}")

    @pages.post("/imports/<uuid:id>/<any(cancel, undo, run, reset):verb>")
    @policy("session")
    def act(id: UUID, verb: str) -> Response:
        desk, imports = desk_and_imports()
        try:
            {
                "cancel": imports.cancel,
                "undo": imports.undo,
                "run": imports.run,
                "reset": imports.reset,
            }[verb](id)
        except (Invalid, Conflict) as error:
            return show(desk, imports, imports.get(id), error)
        return redirect(f"/imports/{id}")

    @pages.get("/imports/<uuid:id>/result.csv")
    @policy("session")
    def result(id: UUID) -> Response:
        _, imports = desk_and_imports()
        run = imports.get(id)
        stem = run.filename.rpartition(".")[0] or run.filename
        return _csv(b"".join(imports.result(id)), f"{stem}-not-imported.csv")

    app.register_blueprint(pages)


def _csv(content: bytes, name: str) -> Response:
    response = Response(content, content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
