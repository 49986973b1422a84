"""Home: what changed since one last looked, what was opened last, the app's objects; and how to begin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from tabwright.metadata.model import ObjectDef, label_in
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.desk import Call
from tabwright.runtime.pages import visiting
from tabwright.runtime.pages.history import when_text
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import Shell, plural, singular
from tabwright.runtime.personal.recents import Recents
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.naming import named

RECENT: Final = 8
CHANGED: Final = 6  # records that changed, newest first
_LOOKED_AT: Final = 50  # of each object, the last that others changed
WEEKDAYS = {
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MINE: Final = "owner = $user.id && (updated_by <> $user.id || ISBLANK(updated_by))"


@dataclass(frozen=True, slots=True)
class Card:
    href: str
    icon: str
    colour: str
    label: str
    one: str
    count_text: str
    new_href: str | None
    import_href: str | None  # where there are no records yet


@dataclass(frozen=True, slots=True)
class Line:
    """A record in a list of home; ``at`` orders, ``when`` says it."""

    href: str
    icon: str
    colour: str
    name: str
    label: str
    when: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HomePage:
    today: str
    hello: str
    cards: tuple[Card, ...]
    changed: tuple[Line, ...]
    recent: tuple[Line, ...]
    is_empty: bool  # no record of any object of the app
    is_first_day: bool  # no object beside those of the platform


def home_page(call: Call, reads: Reading, shell: Shell) -> HomePage:
    """The home of the app in the frame."""
    t = text(call.language)
    local = call.clock.now().astimezone(ZoneInfo(call.zone))
    part = "morning" if 4 <= local.hour < 12 else "afternoon" if 12 <= local.hour < 18 else "evening"
    objects = [(tab, found) for tab in shell.tabs if (found := call.model.objects.get(tab.object or ""))]
    counted = [(tab, object, *reads.count(Query(object.name))) for tab, object in objects]
    filled = [object for _, object, count, _ in counted if count]
    return HomePage(
        f"{local:%Y-%m-%d} {WEEKDAYS[call.language][local.weekday()]}",
        t("home.hello_" + part, name=call.principal.name),
        tuple(
            _card(call, object, tab.label, tab.href, count, capped) for tab, object, count, capped in counted
        ),
        tuple(_changed(call, reads, filled)),
        tuple(_recent(call)),
        bool(counted) and not filled,
        all(each.package == BASE for each in call.model.objects.values()),
    )


def _card(call: Call, object: ObjectDef, label: str, href: str, count: int, capped: bool) -> Card:
    t = text(call.language)
    shown = f"{count:,}" + ("+" if capped else "")
    code = "home.empty" if not count else "home.one" if count == 1 else "home.records"
    may = call.gate.may(object, "create")
    brings = may and not count and call.gate.may(object, "import")
    return Card(
        href, object.icon, object.colour, label, singular(object, call.language), t(code, count=shown),
        f"/o/{object.name}/new" if may else None, f"/o/{object.name}/import" if brings else None,
    )  # fmt: skip


def _recent(call: Call) -> Iterable[Line]:
    last = Recents(call).newest(RECENT * 2)
    known = named(call, ((each.object_uid, each.id) for each in last))
    shown = [each for each in last if each.id in known][:RECENT]
    for each in shown:
        record = known[each.id]
        name = record.name or text(call.language)("record.nameless")
        yield _line(
            call, record.object, each.id, name, label_in(record.object.labels, call.language), each.at
        )


def _changed(call: Call, reads: Reading, objects: Sequence[ObjectDef]) -> Sequence[Line]:
    """Records of this person that others changed since the person last opened them (U13)."""
    rows: list[tuple[ObjectDef, Any]] = []
    for object in objects:
        readable = {field.name for field in call.gate.readable(object)}
        if {"owner", "updated_at", "updated_by", object.name_field} <= readable:
            fields = (object.name_field, "updated_at", "updated_by.name")
            asked = Query(
                object.name, fields=fields, where=_MINE, order=(("updated_at", "desc"),), limit=_LOOKED_AT
            )
            rows += [(object, row) for row in reads.list(asked).rows]
    seen = Recents(call).revisions([row["id"] for _, row in rows])
    t = text(call.language)
    lines = [
        _line(
            call, object, row["id"], visiting.name_of(call, object, row),
            f"{plural(object, call.language)} · {row.get('updated_by.name') or t('record.somebody')}",
            row["updated_at"],
        )
        for object, row in rows
        if row["revision"] > seen.get(row["id"], row["revision"])  # what was never opened is no change
    ]  # fmt: skip
    return sorted(lines, key=lambda each: each.at, reverse=True)[:CHANGED]


def _line(call: Call, object: ObjectDef, id: UUID, name: str, label: str, at: datetime) -> Line:
    when = when_text(at, call.clock.now(), ZoneInfo(call.zone), call.language)
    return Line(f"/o/{object.name}/{id}", object.icon, object.colour, name, label, when, at)
