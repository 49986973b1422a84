"""The notices of a person: their text is made here, at this moment, by what the person may know now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, request

from tabwright.metadata.model import ObjectDef, label_in
from tabwright.platform.errors import Malformed, NotFound
from tabwright.platform.web import policy, visit
from tabwright.runtime.desk import Call
from tabwright.runtime.exporting.noting import RIGHT
from tabwright.runtime.pages.history import day_label, names_of
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import plural, singular
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import Desk, Site, open_desk
from tabwright.runtime.personal.notices import Notice, Notices
from tabwright.runtime.query.naming import Named, named

_LOOKS = {
    "assigned": ("user-share", "blue"),
    "shared": ("users", "blue"),
    "mention": ("at", "purple"),
    "comment": ("message-circle", "purple"),
    "import": ("file-import", "teal"),
    "preview": ("eye", "purple"),
    "export_alarm": ("download", "red"),
    "expiring": ("key", "amber"),
    "emergency": ("alert-triangle", "red"),
}
_JOBS = {"publish.prepare": "job_publish"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice as a line; ``href`` is "" where it leads nowhere any more."""

    id: str
    text: str
    icon: str
    colour: str
    when: str
    href: str
    is_read: bool


@dataclass(frozen=True, slots=True)
class Day:
    label: str
    notices: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class NoticesPage:
    days: tuple[Day, ...]
    unread: int
    kept_days: int


def notices_page(call: Call, reads: Reading) -> NoticesPage:
    """The last notices, by day."""
    notices = Notices(call).newest()
    zone = ZoneInfo(call.zone)
    today = call.clock.now().astimezone(zone).date()
    grouped: dict[str, list[Shown]] = {}
    for shown, notice in zip(in_words(call, reads, notices), notices, strict=True):
        day = day_label(notice.at.astimezone(zone).date(), today, call.language)
        grouped.setdefault(day, []).append(shown)
    days = tuple(Day(label, tuple(lines)) for label, lines in grouped.items())
    unread = sum(not each.is_read for each in notices)
    return NoticesPage(days, unread, call.tenant.limits.notice_days)


def in_words(call: Call, reads: Reading, notices: Sequence[Notice]) -> list[Shown]:
    """Notices as their reader may see them now: of what they may not read there is no word."""
    zone = ZoneInfo(call.zone)
    records = named(
        call,
        ((each.object_uid, each.record_id) for each in notices if each.object_uid and each.record_id),
    )
    people = names_of(call, reads, {("user", by): None for each in notices if (by := _actor(each))})
    objects = {each.uid: each for each in call.gate.objects() if call.gate.may(each, "read")}
    found = []
    for each in notices:
        object = objects.get(each.object_uid or "")
        record = records.get(each.record_id) if each.record_id is not None else None
        said, href = _said(call, each, object, record, people)
        icon, colour = _LOOKS.get(each.kind, ("loader-2", "grey"))
        when = f"{each.at.astimezone(zone):%H:%M}"
        found.append(Shown(each.id.hex, said, icon, colour, when, href, each.is_read))
    return found


def _said(
    call: Call,
    notice: Notice,
    object: ObjectDef | None,
    record: Named | None,
    people: Mapping[UUID | None, str],
) -> tuple[str, str]:
    t = text(call.language)
    if notice.kind == "job":
        known = _JOBS.get(str(notice.params.get("job")), "job_other")
        code = "notices.job_done" if notice.params.get("state") == "done" else "notices.job_failed"
        return t(code, kind=t("notices." + known)), ""
    if notice.kind == "export_alarm":
        return _alarm_said(call, notice, people)
    if notice.kind in ("expiring", "emergency"):
        return _grant_said(call, notice, people)
    if object is None or (record is None and notice.record_id is not None):
        return t("notices.closed"), ""
    if notice.kind == "import":
        return _import_said(call, notice, object)
    who = people.get(_actor(notice)) or t("record.somebody")
    one = singular(object, call.language)
    if notice.kind == "preview":
        return t("notices.preview", who=who, object=one), ""
    if record is None:
        code = "notices.shared_many" if notice.kind == "shared" else "notices.assigned_many"
        return t(code, who=who, count=notice.number, object=one), f"/o/{object.name}"
    name = record.name or t("record.nameless")
    if notice.kind in ("mention", "comment"):
        code = "comment_reply" if notice.params.get("reply") else notice.kind
        at = str(notice.params.get("comment") or "")
        there = f"?comment={at}#c-{at}" if at.isalnum() else ""
        said = t("notices." + code, object=one, name=name, who=who)
        return said, f"/o/{object.name}/{record.id}{there}"
    code = notice.kind if _actor(notice) else "assigned_system"
    said = t("notices." + code, object=one, name=name, **({"who": who} if code != "assigned_system" else {}))
    return said, f"/o/{object.name}/{record.id}"


def _alarm_said(call: Call, notice: Notice, people: Mapping[UUID | None, str]) -> tuple[str, str]:
    t = text(call.language)
    if not call.gate.has(RIGHT):  # taken away since
        return t("notices.closed"), ""
    found = next((each for each in call.model.objects.values() if each.uid == notice.object_uid), None)
    rows, limit = (f"{int(notice.params.get(name) or 0):,}" for name in ("rows", "limit"))
    who = people.get(_actor(notice)) or t("record.somebody")
    what = label_in(found.labels, call.language) if found is not None else "–"
    return t("notices.export_alarm", who=who, rows=rows, limit=limit, object=what), "/exports"


def _grant_said(call: Call, notice: Notice, people: Mapping[UUID | None, str]) -> tuple[str, str]:
    t = text(call.language)
    set = call.model.grantable.get(str(notice.params.get("set")))
    if set is None or (notice.kind == "emergency" and not call.gate.has("manage_users")):
        return t("notices.closed"), ""
    until = datetime.fromisoformat(str(notice.params.get("until"))).astimezone(ZoneInfo(call.zone))
    params = {"name": label_in(set.labels, call.language), "until": f"{until:%Y-%m-%d %H:%M}"}
    if notice.kind == "expiring":
        return t("notices.expiring", **params), "/rights"
    who = people.get(_actor(notice)) or t("record.somebody")
    return t("notices.emergency", who=who, **params), ""


def _import_said(call: Call, notice: Notice, object: ObjectDef) -> tuple[str, str]:
    t, params = text(call.language), notice.params
    objects = plural(object, call.language)
    state, what = str(params.get("state")), str(params.get("what"))
    href = f"/imports/{params.get('import')}"
    if state != "done":
        code = "notices.import_cancelled" if state == "cancelled" else "notices.import_failed"
        return t(code, objects=objects), href
    if what == "run":
        written, failed = (f"{int(params.get(name) or 0):,}" for name in ("written", "failed"))
        return t("notices.import_done", objects=objects, written=written, failed=failed), href
    return t("notices.import_undone" if what == "undo" else "notices.import_checked", objects=objects), href


def _actor(notice: Notice) -> UUID | None:
    by: Any = notice.params.get("by")
    try:
        return UUID(by) if by else None
    except (ValueError, TypeError, AttributeError):
        return None


def register(app: Flask, site: Site) -> None:
    """Put them on the application."""
    pages = Blueprint("notices", __name__)

    def asked() -> Desk:
        return open_desk(site, request, visit())

    @pages.get("/notices")
    @policy("session")
    def all() -> Response:
        desk = asked()
        return desk.page("notices.html", "notices", notices_page(desk.call, desk.reads))

    @pages.get("/notices/<uuid:id>")
    @policy("session")
    def open_one(id: UUID) -> Response:
        """Go to what a notice is about, and count it as read."""
        desk = asked()
        notices = Notices(desk.call)
        notice = notices.get(id)
        if notice is None:
            raise NotFound.of("notice.not_found")
        if not notice.is_read:
            notices.mark([id])
        return redirect(in_words(desk.call, desk.reads, [notice])[0].href or "/notices")

    @pages.post("/notices")
    @policy("session")
    def mark() -> Response:
        """Count one, or all of them, as read or unread (``do``)."""
        do, id = request.form.get("do", ""), request.form.get("id", "")
        if do not in ("read", "unread") or (do == "unread" and not id):
            raise Malformed.of("notice.bad_verb", verb=do[:40])
        try:
            ids = [UUID(id)] if id else None
        except ValueError:
            raise NotFound.of("notice.not_found") from None
        Notices(asked().call).mark(ids, read=do == "read")
        return redirect("/notices")

    app.register_blueprint(pages)
