"""A record's journal as people read it: values as they are shown on the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from tabwright.metadata.model import ObjectDef, label_in
from tabwright.platform.errors import TabwrightError
from tabwright.platform.language import Language, register_messages
from tabwright.runtime.access.share_rows import Changed
from tabwright.runtime.desk import Call
from tabwright.runtime.filing.refs import refs_in
from tabwright.runtime.forms.files import link
from tabwright.runtime.forms.shown import Seen, name_path, shower
from tabwright.runtime.journal.reading import HistoryEntry
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.rendering import text

register_messages(Path(__file__).with_name("history_messages.json"))
register_messages(Path(__file__).with_name("share_messages.json"))


@dataclass(frozen=True, slots=True)
class ShownChange:
    label: str
    old: Markup
    new: Markup


@dataclass(frozen=True, slots=True)
class Event:
    who: str
    text: str
    icon: str
    css: str
    iso: str
    time: str
    changes: tuple[ShownChange, ...]
    past_href: str | None  # the record as it stood after this; None where it went into the bin


_looks = {
    "create": ("plus", "is-ok"),
    "delete": ("trash", "is-warn"),
    "restore": ("restore", "is-accent"),
    "update": ("pencil", ""),
    "attach": ("paperclip", "is-ok"),
    "detach": ("paperclip", "is-warn"),
    "share": ("user-share", "is-accent"),
}


def day_label(day: date, today: date, language: Language) -> str:
    """Today, yesterday, or the date."""
    t = text(language)
    if day == today:
        return t("record.today")
    if day == today - timedelta(days=1):
        return t("record.yesterday")
    return day.isoformat()


def when_text(at: datetime, now: datetime, zone: ZoneInfo, language: Language) -> str:
    """A moment, short: today 09:12, else the date."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    label = day_label(local.date(), today, language)
    return f"{label} {local:%H:%M}" if (today - local.date()).days in (0, 1) else label


def event_of(call: Call, object: ObjectDef, id: UUID, entry: HistoryEntry, names: Mapping[Any, str]) -> Event:
    """One change of a record as it is told; ``names``: of the people and records in ``named_in``."""
    t, zone = text(call.language), ZoneInfo(call.zone)
    local = entry.at.astimezone(zone)
    icon, css = _looks.get(entry.action, _looks["update"])
    changes: tuple[ShownChange, ...] = ()
    if entry.action == "update":
        changes = tuple(
            shown_change(call, object, change.field, change.old, change.new, zone, names)
            for change in entry.fields
            if change.field in object.fields
        )
        many = len(changes)
        code = (
            "record.changed_hidden" if not many else "record.changed_one" if many == 1 else "record.changed"
        )
        said = t(code, count=many)
    elif entry.action in ("attach", "detach"):
        name = str(entry.reference.get("name", "")) if isinstance(entry.reference, dict) else ""
        said = t(f"file.history_{entry.action}", name=name)
    elif entry.action == "share":
        said = t("share.join").join(_shared(t, each, names) for each in entry.shares)
    else:
        codes = {"create": "record.created", "delete": "record.deleted", "restore": "record.restored"}
        said = t(codes.get(entry.action, "record.changed_hidden"))
    who = names.get(entry.principal_id) or t("record.somebody")
    moment = entry.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    is_state = entry.action not in ("delete", "attach", "detach", "share")
    past = f"/o/{object.name}/{id}?as_of={moment}" if is_state else None
    return Event(who, said, icon, css, local.isoformat(timespec="minutes"), f"{local:%H:%M}", changes, past)


def _shared(t: Callable[..., str], change: Changed, names: Mapping[Any, str]) -> str:
    who = names.get(change.whom.id) or t(f"share.some_{change.whom.kind}")
    if change.whom.below:
        who = t("share.with_below", who=who)
    if change.new is None:
        return t("share.history_gone", who=who)
    level = t(f"share.level_{change.new.terms.level}")
    return t("share.history_given" if change.old is None else "share.history_changed", who=who, level=level)


def shown_change(
    call: Call, object: ObjectDef, name: str, old: Any, new: Any, zone: ZoneInfo, names: Mapping[Any, str]
) -> ShownChange:
    """A field before and after, as the record page shows its values; ``names``: of what lookups name."""
    field = object.fields[name]
    key = ("change", call.tenant.store.key, object.digest, name, call.language)
    show = call.tenant.pieces.get(
        key, lambda: shower(field, name, call.model, call.language, short=True), 2_000
    )
    name_at = name_path(field, name, call.model)

    def shown(value: Any) -> Markup:
        if field.type == "record_type" and value is not None:
            found = next(
                (each for each in object.record_types.values() if value in (each.uid, each.name)), None
            )
            return escape(label_in(found.labels, call.language)) if found is not None else Markup("…")
        if field.holds_files:  # each by its name: what came and went is to be seen
            join = text(call.language)("preview.join")
            return Markup(join.join(link(each) for each in refs_in(value)))
        row = {name: value}
        if name_at is not None and value is not None:
            row[name_at] = names.get(value, "")
        return Markup(show(Seen(row, zone)))

    return ShownChange(label_in(field.labels, call.language), shown(old), shown(new))


def named_in(object: ObjectDef, entries: Iterable[HistoryEntry]) -> dict[tuple[str, UUID], None]:
    """The people and records that changes name, as (object, id)."""
    wanted: dict[tuple[str, UUID], None] = {}
    for entry in entries:
        if entry.principal_id is not None:
            wanted[("user", entry.principal_id)] = None
        for share in entry.shares:
            wanted[(share.whom.kind, share.whom.id)] = None
        for change in entry.fields:
            field = object.fields.get(change.field)
            if field is None or not field.is_reference:
                continue
            for value in (change.old, change.new):
                if isinstance(value, UUID) and field.type == "owner":
                    wanted[("queue", value)] = None  # or a person, below
                if isinstance(value, UUID):
                    wanted[(field.target_of(value), value)] = None
    return wanted


def names_of(call: Call, reads: Reading, wanted: Iterable[tuple[str, UUID]]) -> dict[UUID | None, str]:
    """Names by id; what may not be read, or is gone, is left out."""
    found: dict[UUID | None, str] = {}
    for target, id in wanted:
        object = call.model.objects.get(target)
        if object is None or id in found:
            continue
        try:
            found[id] = str(reads.get(target, id, (object.name_field,)).get(object.name_field) or "")
        except TabwrightError:
            continue
    return found
