"""The addresses of boards and calendars."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, jsonify, request

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Conflict, Denied, Invalid, TabwrightError
from tabwright.platform.language import register_messages
from tabwright.platform.web import policy, visit
from tabwright.runtime.lists.marking import marking_for, read_rules
from tabwright.runtime.pages.boards.board_page import board_field, board_page, more_cards
from tabwright.runtime.pages.boards.calendar_page import calendar_page
from tabwright.runtime.pages.boards.cards import cards_for, fields_in
from tabwright.runtime.pages.boards.moving import Moved, Needs, move, note_of
from tabwright.runtime.pages.filtering.sight import Sight
from tabwright.runtime.pages.record_page import record_page
from tabwright.runtime.pages.rendering import render, text
from tabwright.runtime.pages.timeline.routes import timeline_of
from tabwright.runtime.pages.ways import WayState, read_way, way_views
from tabwright.runtime.pages.world import Desk, Site, local_path, open_desk
from tabwright.runtime.personal.views import Opening, SavedViews, Way
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

register_messages(Path(__file__).with_name("messages.json"))


def register(app: Flask, site: Site) -> None:
    """Put boards and calendars beside the lists."""
    boards = Blueprint("boards", __name__)

    def asked(object: str, way: Way) -> tuple[Desk, ObjectDef, WayState, Opening]:
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        opening = SavedViews(desk.call, found).opening()
        views = way_views(desk.call, found, opening.views, Sight(desk.call, found).knows)
        return desk, found, read_way(found, way, views, request.args, opening.look.ways), opening

    @boards.get("/o/<object>/board")
    @policy("session")
    def board(object: str) -> Response:
        """The board: ``by``, ``where``, ``sum``, ``order``, ``limits``, ``view``."""
        desk, found, state, opening = asked(object, "board")
        return desk.page("board.html", found.name, board_page(desk, found, state, opening))

    @boards.get("/o/<object>/calendar")
    @policy("session")
    def calendar(object: str) -> Response:
        """The calendar: ``start``, ``end``, ``mode``, ``where``, ``view``; ``date`` says which days."""
        desk, found, state, opening = asked(object, "calendar")
        page = calendar_page(desk, found, state, opening, request.args.get("date", "")[:20])
        return desk.page("calendar.html", found.name, page)

    @boards.get("/o/<object>/board/cards")
    @policy("session")
    def cards(object: str) -> Response:
        """The next cards of one column (``value``) after ``cursor``, as list items."""
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        state = read_way(found, "board", (), request.args)
        value, cursor = request.args.get("value", "")[:200], request.args.get("cursor", "")
        html, more = more_cards(desk, found, state, value, cursor)
        return jsonify(cards=str(html), more=more)

    @boards.get("/o/<object>/<uuid:id>/peek")
    @policy("session")
    def peek(object: str, id: UUID) -> Response:
        """The record's own sections and its comments as a part of a page, for the panel beside."""
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        comments = timeline_of(desk, found, id, asked={"show": "comments"})
        page = record_page(desk.call, desk.reads, found, id, comments)
        context = {"page": page, "back": local_path(request.args.get("back", ""), "")}
        html = render("peek.html", desk.look, context)
        return Response(html, content_type="text/html; charset=utf-8")

    @boards.post("/o/<object>/<uuid:id>/move")
    @policy("session")
    def move_card(object: str, id: UUID) -> Response:
        """Put a record elsewhere; answers with what was done, what is missing, or why not."""
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        try:
            done = move(desk, found, id, request.form)
        except (Denied, Invalid, Conflict) as error:
            return _refusal(note_of(desk, error), error.status)
        t = text(desk.call.language)
        if isinstance(done, Needs):
            title = t("board.needs_title", name=done.name, count=len(done.asked)) if done.asked else done.name
            answer = jsonify(
                title=title, asked=",".join(done.asked), inputs=str(done.inputs), notes=list(done.notes)
            )
            answer.status_code = 422
            return answer
        if not isinstance(done, Moved):
            return _refusal(t("preview.join").join(done.texts), done.status)
        return jsonify(
            said=t("board.moved", name=done.name),
            undo=f"/undo/{done.operation}" if done.operation is not None else None,
            revision=done.revision,
            card=_card(desk, found, id),
        )

    def _card(desk: Desk, object: ObjectDef, id: UUID) -> str | None:
        """The card as it is now; None where the change took it out of this person's sight."""
        by = request.form.get("by")
        without = (board_field(desk, object, by).name,) if by else ()
        marking = marking_for(desk.call, object, read_rules(request.form.get("colours", "")))
        cards = cards_for(desk.call, object, without, marking, fields_in(request.form.get("cards", "")))
        asked = Query(object.name, cards.paths, f'id = "{id.hex}"', limit=1, marks=marking.formulas)
        try:
            rows = Reads(desk.call).list(asked).rows
        except TabwrightError:
            return None
        return str(cards.show(rows[0], ZoneInfo(desk.call.zone))) if rows else None

    app.register_blueprint(boards)


def _refusal(said: str, status: int) -> Response:
    answer = jsonify(refused=said)
    answer.status_code = status
    return answer
