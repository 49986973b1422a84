"""The page of exports: who took what out, when, and how many rows; for those who may see it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, request

from tabwright.metadata.model import label_in
from tabwright.platform.web import policy, visit
from tabwright.runtime.exporting.noting import RIGHT, Noted, found
from tabwright.runtime.pages.history import names_of
from tabwright.runtime.pages.list_state import order_text
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.world import Desk, Site, open_desk

ROWS = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One export as the page tells it."""

    operation: str
    when: str
    who: str
    object: str
    rows: str
    what: str  # every record, those ticked, or the filter
    is_formula: bool
    order: str
    fields: str
    format: str
    sha256: str


@dataclass(frozen=True, slots=True)
class LogPage:
    q: str
    lines: tuple[Line, ...]
    older: str  # the operation before which the list goes on; "" at its end


def log_page(desk: Desk, q: str, before: UUID | None) -> LogPage:
    """The newest exports that have the words anywhere. Raises Denied."""
    call = desk.call
    call.gate.require_right(RIGHT)
    names: dict[UUID | None, str] = {}
    labels = {each.uid: label_in(each.labels, call.language) for each in call.model.objects.values()}
    words = q.lower().split()

    def fits(each: Noted) -> bool:
        if each.person is not None and each.person not in names:
            known = names_of(call, desk.reads, [("user", each.person)])
            names[each.person] = known.get(each.person) or each.person.hex
        if not words:
            return True
        texts = (
            names.get(each.person, ""), each.object, labels.get(each.object_uid or "", ""), each.where,
            " ".join(each.fields), each.operation.hex, each.sha256, each.format,
        )  # fmt: skip
        said = "\n".join(texts).lower()
        return all(word in said for word in words)

    with call.tenant.store.read() as reader:
        shown, last = found(reader, fits, ROWS, before)
    lines = tuple(_line(desk, each, names, labels) for each in shown)
    return LogPage(q, lines, last.hex if last is not None else "")


def _line(desk: Desk, each: Noted, names: dict[UUID | None, str], labels: dict[str, str]) -> Line:
    t = text(desk.call.language)
    what = each.where or (t("exports.ticked", count=f"{each.ids:,}") if each.ids else t("exports.all"))
    return Line(
        each.operation.hex,
        f"{each.at.astimezone(ZoneInfo(desk.call.zone)):%Y-%m-%d %H:%M:%S}",
        names.get(each.person, ""),
        labels.get(each.object_uid or "", each.object),
        f"{each.rows:,}",
        what,
        bool(each.where),
        order_text(each.order),  # type: ignore[arg-type]
        ", ".join(each.fields),
        each.format,
        each.sha256,
    )


def register(app: Flask, site: Site) -> None:
    """Put the page on the application."""
    pages = Blueprint("export_log", __name__)

    @pages.get("/exports")
    @policy("session")
    def all() -> Response:
        desk = open_desk(site, request, visit())
        try:
            before = UUID(request.args["before"])
        except (KeyError, ValueError):
            before = None
        page = log_page(desk, request.args.get("q", "").strip()[:200], before)
        return desk.page("export_log.html", "exports", page)

    app.register_blueprint(pages)
