"""The addresses of import: upload, columns to fields, dry run, values to values, progress, the end and
undo.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Flask, Response, request

from tabwright.platform.errors import Conflict, Invalid, TabwrightError, TooLarge
from tabwright.platform.language import register_messages, say_fault
from tabwright.platform.settings import Limits
from tabwright.platform.web import policy, visit
from tabwright.runtime.exchange.correcting import Change, GridRow
from tabwright.runtime.exchange.imports import Imports
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.exchange.settings import MODES, Column
from tabwright.runtime.pages.import_columns import parents_of
from tabwright.runtime.pages.import_grid import changes_of, place_of, rows_named
from tabwright.runtime.pages.import_page import BLANK, ISSUES, MAKE, SKIP, WORDS, Maker, start_page
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
            column |= {"values": None, "skip": None, "make": None}
        columns[name] = column
    for number, issue in enumerate(run.issues[:ISSUES]):
        becomes = form.get(f"act.{number}") or form.get(f"becomes.{number}", "")
        old = run.settings.columns.get(issue.column)
        if becomes and old is not None and columns.get(issue.column, {}) is not None:
            _decide(columns.setdefault(issue.column, {}), old, issue.value, becomes)
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
    if "_warnings" in form:  # the box was there
        patch["warnings"] = form.get("warnings", "stop")
    return patch


def _decide(column: dict[str, Any], old: Column, value: str, becomes: str) -> None:
    """Put into a column's patch what becomes of a value: another one, nothing, no row, or a new record."""
    values = {**(column.get("values") or {}), value: None}
    skip = [each for each in column.get("skip", old.skip) or () if each != value]
    make = [each for each in column.get("make", old.make) or () if each != value]
    if becomes == SKIP:
        skip.append(value)
    elif becomes == MAKE:
        make.append(value)
    else:
        values[value] = "" if becomes == BLANK else becomes
    column |= {"values": values, "skip": skip, "make": make}


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
        number = request.values.get("page", "1")
        number = number if number.isascii() and number.isdigit() and len(number) < 8 else "1"
        page = Maker(desk, imports, run, error).page(request.values.get("show", "bad"), int(number))
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

    @pages.post("/imports/<uuid:id>/rows")
    @policy("session")
    def correct(id: UUID) -> Response:
        """Put rows right; a script gets the rows as they are now, anybody else the page."""
        desk, imports = desk_and_imports()
        run = imports.get(id)
        scripted = request.accept_mimetypes.best == "application/json"
        numbers = rows_named(request.form)
        try:
            known = {each.number: each for each in imports.grid_rows(id, numbers)}
            run = _take(imports, run, request.form, known)
        except (Invalid, Conflict) as error:
            if not scripted:
                return show(desk, imports, imports.get(id), error)
            said = [say_fault(each, desk.call.language) for each in error.faults]
            return _json({"detail": " ".join(said)}, error.status)
        if not scripted:
            kind, page = request.form.get("show", ""), request.form.get("page", "")
            return redirect(f"/imports/{id}?" + urlencode({"show": kind, "page": page}) + "#rows")
        return _json(_moved(desk, imports, run, numbers))

    def _moved(desk: Desk, imports: Imports, run: Run, numbers: list[int]) -> dict[str, Any]:
        """What has changed on the page once rows were put right."""
        if "correct" not in run.verbs or "all" in request.form:
            return {"reload": True}  # checked anew in the background, or rows all over the pages
        maker = Maker(desk, imports, run, None)
        grid = maker.grid_maker()
        lines = [grid.line(each) for each in imports.grid_rows(run.id, numbers)]
        columns = grid.columns()
        rows = {
            str(each.number): render("import_grid_row.html", desk.look, {"line": each, "columns": columns})
            for each in lines
        }
        context = {"counts": maker.counts(), "note": maker.note()}
        tabs = grid.tabs(request.form.get("show", "bad"))
        bad = sum(each.state == "bad" for each in lines)
        return {
            "rows": rows,
            "counts": render("import_counts.html", desk.look, context),
            "tabs": render("import_grid_tabs.html", desk.look, {"tabs": tabs}),
            "ready": maker.ready(),
            "said": grid.said(len(lines) - bad, bad),
        }

    @pages.get("/imports/<uuid:id>/choices")
    @policy("session")
    def choices(id: UUID) -> Response:
        """What a lookup's cell may say, like what is typed into it."""
        desk, imports = desk_and_imports()
        run = imports.get(id)
        column = request.args.get("column", "")
        index = int(column) if column.isascii() and column.isdigit() and len(column) < 5 else -1
        if "correct" not in run.verbs:
            return _json([])
        grid = Maker(desk, imports, run, None).grid_maker()
        return _json(grid.options(index, request.args.get("text", "")))

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


def _take(imports: Imports, run: Run, form: Mapping[str, str], known: Mapping[int, GridRow]) -> Run:
    """Do what a posted grid says. A button that takes over a suggestion, or puts what one row says into all
    that said the same, comes after the cells.
    """
    changes = changes_of(form, known)
    suggest = place_of(form.get("suggest", ""))
    if suggest is not None and suggest[0] in known:
        number, index = suggest
        row = known[number]
        value = row.cells[index] if index < len(row.cells) else ""
        column = run.header[index] if index < len(run.header) else ""
        meant = (each.suggestion for each in run.issues if (each.column, each.value) == (column, value))
        becomes = next(filter(None, meant), None)
        if becomes is not None:
            changes = [each for each in changes if each.row != number]
            changes.append(Change(number, {index: becomes}))
    run = imports.correct(run.id, changes)
    everywhere = place_of(form.get("all", ""))
    if everywhere is not None and "correct" in run.verbs:
        number, index = everywhere
        for row in imports.grid_rows(run.id, [number]):
            if index < len(row.cells):
                file = row.file[index] if index < len(row.file) else ""
                run = imports.replace_everywhere(run.id, index, file, row.cells[index])
    return run


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status, content_type="application/json")


def _csv(content: bytes, name: str) -> Response:
    response = Response(content, content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
