"""The addresses of the timeline: its pieces, what is new, and the forms of comments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, request

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Denied, Invalid, Malformed, NotFound
from tabwright.platform.language import say_fault
from tabwright.platform.web import policy, visit, wants_page
from tabwright.runtime.comments import mentions
from tabwright.runtime.comments.reading import Comment, Reading, since_of, summary
from tabwright.runtime.comments.service import Comments, may_delete, may_edit
from tabwright.runtime.pages.record_page import record_page
from tabwright.runtime.pages.rendering import render, text
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.timeline.people import mentionable
from tabwright.runtime.pages.timeline.pieces import SHOWS, Timeline, Typed, piece, threads, timeline
from tabwright.runtime.pages.world import Desk, Site, open_desk
from tabwright.runtime.personal.drafts import FormDraft, FormDrafts

_HTML = "text/html; charset=utf-8"


def timeline_of(
    desk: Desk,
    object: ObjectDef,
    record: UUID,
    typed: Typed | None = None,
    asked: Mapping[str, str] | None = None,
) -> Timeline:
    """The column beside a record; ``typed``: what was refused just now, in place of what was kept. ``asked``:
    what is shown, where the address of the page does not say.
    """
    call = desk.call
    with call.tenant.store.read() as reader:
        about = summary(call, object, record, reader)
        kept = [
            Typed(draft.texts.get("body", ""), draft.texts.get("picked", ""), draft.texts.get("parent", ""))
            if (draft := FormDrafts(call, about=form).get(object, record, reader)) is not None
            else None
            for form in ("comment", "reply")
        ]
        asked = request.args if asked is None else asked
        return timeline(call, reader, object, record, about, asked, typed or kept[0] or Typed(), kept[1])


def register(app: Flask, site: Site) -> None:
    """Put them beside the record page."""
    pages = Blueprint("timeline", __name__)
    _reading(pages, site)
    _writing(pages, site)
    app.register_blueprint(pages)


def _desk(site: Site) -> Desk:
    return open_desk(site, request, visit())


# ---- reading --------------------------------------------------------


def _reading(pages: Blueprint, site: Site) -> None:
    @pages.get("/o/<object>/<uuid:id>/timeline")
    @policy("session")
    def more(object: str, id: UUID) -> Response:
        """A piece of the column as a part of a page."""
        desk = _desk(site)
        found = desk.object(object)
        show = request.args.get("show", "all")
        if show not in SHOWS:
            raise Malformed.of("timeline.show", show=show[:40])
        with desk.call.tenant.store.read() as reader:
            summary(desk.call, found, id, reader)
            made = piece(desk.call, reader, found, id, show, request.args.get("after") or None)
        context = {"piece": made, "at": f"/o/{found.name}/{id}", "show": show}
        return Response(render("timeline_piece.html", desk.look, context), content_type=_HTML)

    @pages.get("/o/<object>/<uuid:id>/timeline/news")
    @policy("session")
    def news(object: str, id: UUID) -> Response:
        """What changed among the comments since a mark; nothing (204) where nothing did."""
        desk = _desk(site)
        found, mark = desk.object(object), request.args.get("mark", "")
        with desk.call.tenant.store.read() as reader:
            about = summary(desk.call, found, id, reader)
            since = since_of(mark)
            if about.mark == mark or since is None:
                return Response(status=204)
            changed = Reading(desk.call, reader, found, id).changed(since)
        return _told(desk, found, id, changed)

    @pages.get("/o/<object>/<uuid:id>/mentions")
    @policy("session")
    def people(object: str, id: UUID) -> Response:
        """The people to mention as list items, for the chooser."""
        desk = _desk(site)
        found = mentionable(desk.call, desk.object(object), id, request.args.get("q", ""))
        context = {"people": found, "prefix": request.args.get("prefix", "mn")[:20]}
        return Response(render("mention_options.html", desk.look, context), content_type=_HTML)


# ---- writing --------------------------------------------------------


def _writing(pages: Blueprint, site: Site) -> None:
    @pages.post("/o/<object>/<uuid:id>/comments")
    @policy("session")
    def write(object: str, id: UUID) -> Response:
        """A new comment, or an answer (``parent``)."""
        desk = _desk(site)
        found, form = desk.object(object), request.form
        given, parent = form.get("body", ""), _id(form.get("parent", ""))
        try:
            made = Comments(desk.call).add(found.name, id, _read(desk, given), parent)
        except Invalid as error:
            if not wants_page():
                raise
            said = say_fault(error.faults[0], desk.call.language)
            typed = Typed(given, form.get("picked", ""), form.get("parent", ""), said)
            return _record(desk, found, id, typed, error.status)
        drafts = FormDrafts(desk.call, about="comment" if parent is None else "reply")
        if drafts.get(found, id) is not None:
            drafts.discard(found, id)
        return _done(desk, found, id, made.id)

    @pages.post("/o/<object>/<uuid:id>/comments/draft")
    @policy("session")
    def draft(object: str, id: UUID) -> Response:
        """Keep what is typed and not sent; a blank text forgets it."""
        desk = _desk(site)
        found, form = desk.object(object), request.form
        summary(desk.call, found, id)
        names = ("body", "picked", "parent")
        texts = {name: form.get(name, "") for name in names if form.get(name)}
        drafts = FormDrafts(desk.call, about="reply" if "parent" in texts else "comment")
        if texts.get("body", "").strip():
            drafts.keep(found, id, FormDraft(texts, {}, {}, {}))
        else:
            drafts.discard(found, id)
        return Response(status=204)

    @pages.get("/o/<object>/<uuid:id>/comments/<uuid:comment>/edit")
    @policy("session")
    def edit_form(object: str, id: UUID, comment: UUID) -> Response:
        return _form(_desk(site), object, id, comment, "edit")

    @pages.post("/o/<object>/<uuid:id>/comments/<uuid:comment>/edit")
    @policy("session")
    def edit(object: str, id: UUID, comment: UUID) -> Response:
        desk = _desk(site)
        found, given = desk.object(object), request.form.get("body", "")
        try:
            Comments(desk.call).edit(found.name, id, comment, _read(desk, given))
        except Invalid as error:
            if not wants_page():
                raise
            said = say_fault(error.faults[0], desk.call.language)
            return _form(desk, object, id, comment, "edit", Typed(given, error=said), error.status)
        return _done(desk, found, id, comment)

    @pages.get("/o/<object>/<uuid:id>/comments/<uuid:comment>/delete")
    @policy("session")
    def delete_form(object: str, id: UUID, comment: UUID) -> Response:
        return _form(_desk(site), object, id, comment, "delete")

    @pages.post("/o/<object>/<uuid:id>/comments/<uuid:comment>/delete")
    @policy("session")
    def delete(object: str, id: UUID, comment: UUID) -> Response:
        desk = _desk(site)
        found = desk.object(object)
        Comments(desk.call).delete(found.name, id, comment)
        return _done(desk, found, id, comment, f"/o/{found.name}/{id}#timeline")

    @pages.post("/o/<object>/<uuid:id>/follow")
    @policy("session")
    def follow(object: str, id: UUID) -> Response:
        """Hear of new comments (``do``: follow), or only of those that mention one (unfollow)."""
        desk = _desk(site)
        found, do = desk.object(object), request.form.get("do", "")
        if do not in ("follow", "unfollow"):
            raise Malformed.of("timeline.follow", verb=do[:40])
        Comments(desk.call).follow(found.name, id, do == "follow")
        if wants_page():
            desk.flash("timeline.followed" if do == "follow" else "timeline.unfollowed")
            return redirect(f"/o/{found.name}/{id}#timeline")
        return Response(status=204)


def _read(desk: Desk, given: str) -> str:
    """A posted text with its mentions found."""
    picked = [id for each in request.form.get("picked", "").split()[:200] if (id := _id(each)) is not None]
    return mentions.read(desk.call, given, picked)


def _record(desk: Desk, object: ObjectDef, id: UUID, typed: Typed, status: int) -> Response:
    """The record's page again, with a comment that was refused."""
    made = timeline_of(desk, object, id, typed)
    page = record_page(desk.call, desk.reads, object, id, made, desk.marks, whole={}, inplace=True)
    return desk.page("record.html", object.name, page, status)


def _form(
    desk: Desk,
    object: str,
    id: UUID,
    comment: UUID,
    what: str,
    typed: Typed | None = None,
    status: int = 200,
) -> Response:
    """The page on which a comment is edited or deleted; scripts show its form in place."""
    call, found = desk.call, desk.object(object)
    with call.tenant.store.read() as reader:
        summary(call, found, id, reader)
        one = Reading(call, reader, found, id).one(comment)
        if not (may_edit(call, one) if what == "edit" else may_delete(call, found, one)):
            raise Denied.of("comment.not_yours" if what == "edit" else "comment.not_yours_to_delete")
        names = mentions.names(call, reader, one.mentions)
        shown = threads(call, reader, found, id, [comment])[0][0]
    line = next(each for each in shown.lines if each.id == one.id.hex)
    page = {
        "what": what,
        "at": f"/o/{found.name}/{id}",
        "typed": typed or Typed(mentions.typed(one.body, names), _picked(one)),
        "comment": line,
        "has_replies": bool(shown.replies) and line is shown,
    }
    return desk.page("comment_form.html", found.name, page, status)


def _picked(comment: Comment) -> str:
    return " ".join(each.hex for each in comment.mentions)


def _done(desk: Desk, object: ObjectDef, id: UUID, comment: UUID, page: str = "") -> Response:
    if wants_page():
        return redirect(page or f"/o/{object.name}/{id}?comment={comment.hex}#c-{comment.hex}")
    with desk.call.tenant.store.read() as reader:
        one = Reading(desk.call, reader, object, id).firsts([comment])
    return _told(desk, object, id, one, comment)


def _told(
    desk: Desk, object: ObjectDef, id: UUID, changed: Iterable[Comment], mine: UUID | None = None
) -> Response:
    """Threads as they stand now, for a page that is open; ``gone``: those of which nothing is left."""
    call, t = desk.call, text(desk.call.language)
    changed = list(changed)
    wanted = {each.parent_id or each.id for each in changed} | ({mine} if mine is not None else set())
    with call.tenant.store.read() as reader:
        about = summary(call, object, id, reader)
        found = threads(call, reader, object, id, wanted)
    at = f"/o/{object.name}/{id}"
    lines = [line for shown, _, _ in found for line in shown.lines]
    shown_ids = {line.id for line in lines}
    known = {line.id: line for line in lines}
    news = [known[each.id.hex] for each in changed if each.id.hex in known and each.deleted_at is None]
    others = [line.who for line in news if not line.mine and mine is None]
    body: dict[str, Any] = {
        "mark": about.mark,
        "count": about.count,
        "count_text": t("timeline.count", count=about.count) if about.count else "",
        "threads": [
            {
                "id": shown.id,
                "at": shown.at,
                "date": date,
                "day": label,
                "html": render("timeline_thread.html", desk.look, {"comment": shown, "at": at}),
            }
            for shown, date, label in found
        ],
        "gone": sorted(each.hex for each in {*wanted, *(c.id for c in changed)} if each.hex not in shown_ids),
        "said": t("timeline.wrote", who=t("preview.join").join(dict.fromkeys(others))) if others else "",
        "id": mine.hex if mine is not None else None,
    }
    return Response(json.dumps(body, ensure_ascii=False), content_type="application/json")


def _id(given: str) -> UUID | None:
    if not given:
        return None
    try:
        return UUID(given)
    except ValueError:
        raise NotFound.of("comment.not_found") from None
