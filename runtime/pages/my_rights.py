"""A person's own rights: what they hold until when, and the glass to break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, request

from tabwright.metadata.model import label_in
from tabwright.platform.errors import Conflict, Invalid, NotFound
from tabwright.platform.language import register_messages, say_fault
from tabwright.platform.web import policy, visit
from tabwright.runtime.desk import Call
from tabwright.runtime.grants.breaking import MOST_REASON, BreakGlass
from tabwright.runtime.grants.holding import own
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import Desk, Site, local_path, open_desk

register_messages(Path(__file__).with_name("rights_messages.json"))


@dataclass(frozen=True, slots=True)
class Held:
    name: str
    since: str
    until: str
    reason: str
    emergency: UUID | None


@dataclass(frozen=True, slots=True)
class Offer:
    uid: str
    name: str
    hours: int


@dataclass(frozen=True, slots=True)
class RightsPage:
    held: tuple[Held, ...]
    offers: tuple[Offer, ...]
    faults: tuple[str, ...]
    hours: str
    reason: str
    uid: str
    most_reason: int = MOST_REASON


def rights_page(call: Call, faults: Sequence[str] = ()) -> RightsPage:
    """What the person who calls holds."""
    zone, t = ZoneInfo(call.zone), text(call.language)
    held = []
    for each in own(call):
        assert each.given is not None
        until = each.expires_at
        held.append(
            Held(
                label_in(each.given.labels, call.language),
                f"{each.since.astimezone(zone):%Y-%m-%d}",
                f"{until.astimezone(zone):%Y-%m-%d %H:%M}" if until is not None else t("rights.for_good"),
                each.reason,
                each.id if each.emergency and until is not None else None,
            )
        )
    form = request.form
    offers = tuple(
        Offer(each.uid, label_in(each.labels, call.language), each.emergency_hours or 0)
        for each in BreakGlass(call).sets()
    )
    hours, reason = form.get("hours", "1")[:6], form.get("reason", "")[:MOST_REASON]
    return RightsPage(tuple(held), offers, tuple(faults), hours, reason, form.get("set", "")[:64])


def register(app: Flask, site: Site) -> None:
    """Put the page on the application."""
    pages = Blueprint("rights", __name__)

    def show(desk: Desk, faults: Sequence[str] = (), status: int = 200) -> Response:
        return desk.page("rights.html", "rights", rights_page(desk.call, faults), status)

    @pages.get("/rights")
    @policy("session")
    def mine() -> Response:
        return show(open_desk(site, request, visit()))

    @pages.post("/rights/emergency")
    @policy("session")
    def take() -> Response:
        """Take a set for some hours (``set``, ``hours``, ``reason``), and come back with it."""
        desk = open_desk(site, request, visit())
        form, language = request.form, desk.call.language
        hours = form.get("hours", "").strip()
        try:
            number = int(hours) if hours.isascii() and hours.isdigit() and len(hours) < 4 else 0
            taken = BreakGlass(desk.call).take(form.get("set", ""), number, form.get("reason", ""))
        except (Invalid, Conflict, NotFound) as error:
            return show(desk, [say_fault(each, language) for each in error.faults], error.status)
        desk.flash("rights.taken", kind="warning", name=label_in(taken.set.labels, language))
        return redirect("/rights")

    @pages.post("/rights/emergency/<uuid:id>/end")
    @policy("session")
    def end(id: UUID) -> Response:
        """Give back what was taken, before its time."""
        desk = open_desk(site, request, visit())
        BreakGlass(desk.call).end(id)
        desk.flash("rights.ended")
        return redirect(local_path(request.form.get("back", ""), "/rights"))

    app.register_blueprint(pages)
