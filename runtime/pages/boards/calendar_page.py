"""A calendar: records on the days of a date, or of two that begin and end something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from tabwright.metadata.model import FieldDef, ObjectDef, label_in
from tabwright.metadata.ways import calendar_field, datable
from tabwright.platform.errors import Invalid
from tabwright.platform.language import Language
from tabwright.runtime.forms.marks import moment
from tabwright.runtime.lists.marking import Marking, Rule
from tabwright.runtime.pages.boards.frame import Frame, frame_of, marking_of, where_or_fault
from tabwright.runtime.pages.filtering.chips import WhereFault
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.visiting import name_of
from tabwright.runtime.pages.ways import WayState, remember
from tabwright.runtime.pages.world import Desk
from tabwright.runtime.personal.views import Opening, SavedViews
from tabwright.runtime.query.asked import Order, Query
from tabwright.runtime.query.page import Page
from tabwright.runtime.query.reads import Reads

MOST = 500  # records of a shown range
UNDATED = 20
IN_CELL = 4  # of a day of a month; the others are folded
NONE = "-"  # "no end" in an address
MORNING = time(9)  # when something begins that was only given a day
_DAYS: Mapping[Language, tuple[str, ...]] = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A record on one day. ``start`` and ``end`` are as a form writes them; ``time`` is "" for whole days."""

    id: str
    name: str
    revision: int
    start: str
    end: str
    time: str
    is_continued: bool
    rule: Rule | None = None  # what it stands out for


@dataclass(frozen=True, slots=True)
class Day:
    iso: str
    number: int
    weekday: str
    label: str
    is_today: bool
    is_off: bool  # weekend, or of another month
    whole: tuple[Entry, ...]
    timed: tuple[Entry, ...]
    folded: tuple[Entry, ...]
    new_href: str | None

    @property
    def is_empty(self) -> bool:
        return not (self.whole or self.timed or self.folded)


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class CalendarPage:
    frame: Frame
    title: str
    mode: str
    days: tuple[Day, ...]
    weekdays: tuple[str, ...]
    undated: tuple[Entry, ...]
    undated_capped: bool
    start: str
    end: str
    start_label: str
    end_label: str
    starts: tuple[Choice, ...]
    ends: tuple[Choice, ...]
    modes: tuple[Choice, ...]
    earlier_href: str
    later_href: str
    today_href: str
    has_times: bool
    zone: str
    may_move: bool
    is_capped: bool
    most: int
    fault: WhereFault | None


def calendar_page(
    desk: Desk, object: ObjectDef, state: WayState, opening: Opening, shown: str
) -> CalendarPage:
    """The calendar of an object, on the month or week of ``shown`` (``2026-11``, ``2026-11-16``; else today).

    Two statements for the records, however many. Raises Invalid where no date may be read.
    """
    call = desk.call
    call.gate.require(object, "read")
    start, end = date_fields(desk, object, state.get("start"), state.get("end"))
    meant, ways = _named(start, end), opening.look.ways
    usual = _named(*date_fields(desk, object, ways.get("start", ""), ways.get("end", "")))
    remember(SavedViews(call, object), opening.look, state, meant, usual)
    state = state.showing(**meant)
    zone, language = ZoneInfo(call.zone), call.language
    today = call.clock.now().astimezone(zone).date()
    mode = "week" if state.get("mode") == "week" else "month"
    at = _day_of(shown, today)
    days = days_of(at, mode)
    most = min(MOST, call.tenant.limits.page_rows)
    reads = Reads(call)
    marking = marking_of(desk, object, state, opening)
    about = _about(desk, object)
    read = (_name(desk, object), start.name, end.name if end else "", about)
    paths = tuple(dict.fromkeys(each for each in read if each))

    def listed(where: str) -> Page:
        conditions = tuple(each for each in (where, within(start, end, days, zone)) if each)
        order: Order = ((start.name, "asc"),)
        return reads.list(Query(object.name, paths, conditions, order, most, marks=marking.formulas))

    where, fault, page = where_or_fault(call, state.get("where"), listed)
    conditions = tuple(each for each in (where, f"ISBLANK({start.name})") if each)
    rest = reads.list(Query(object.name, paths, conditions, (), min(UNDATED, most), marks=marking.formulas))
    maker = _Maker(desk, object, start, end, zone, marking, about)
    by_day = maker.by_day(page.rows, days)
    editable = {field.name for field in call.gate.editable(object) if not field.read_only}
    may_move = (
        call.gate.may(object, "edit") and start.name in editable and (end is None or end.name in editable)
    )
    creates = call.gate.may(object, "create") and start.name in editable
    back = state.href() + ("&" if "?" in state.href() else "?") + urlencode({"date": _date_text(at, mode)})

    def day(each: date) -> Day:
        entries = by_day.get(each, [])
        whole = [one for one in entries if not one.time]
        timed = sorted((one for one in entries if one.time), key=lambda one: one.time)
        folded: list[Entry] = []
        if mode == "month" and len(entries) > IN_CELL + 1:
            room = max(0, IN_CELL - len(whole))
            folded = [*whole[IN_CELL:], *timed[room:]]
            whole, timed = whole[:IN_CELL], timed[:room]
        new = {start.name: _form_text(each, start), "_back": back}
        return Day(
            each.isoformat(), each.day, _DAYS[language][each.weekday()], day_label(each, language),
            each == today, each.weekday() > 4 or (mode == "month" and each.month != at.month),
            tuple(whole), tuple(timed), tuple(folded),
            f"/o/{object.name}/new?{urlencode(new)}" if creates else None,
        )  # fmt: skip

    def href(other: date, **given: str) -> str:
        base = state.href(**given)
        stands = given.get("mode", mode)
        return base + ("&" if "?" in base else "?") + urlencode({"date": _date_text(other, stands)})

    t = text(language)
    dates = datable(call.gate.readable(object))
    return CalendarPage(
        frame_of(desk, object, state, opening, fault, marking),
        title_of(at, days, mode, language),
        mode,
        tuple(day(each) for each in days),
        _DAYS[language],
        tuple(maker.entry(row, None) for row in rest.rows),
        rest.next_cursor is not None,
        start.name,
        end.name if end is not None else "",
        label_in(start.labels, language),
        label_in(end.labels, language) if end is not None else t("calendar.no_end"),
        tuple(
            Choice(label_in(each.labels, language), href(at, start=each.name, end=NONE), each is start)
            for each in dates
        ),
        (
            Choice(t("calendar.no_end"), href(at, start=start.name, end=NONE), end is None),
            *(
                Choice(
                    label_in(each.labels, language), href(at, start=start.name, end=each.name), each is end
                )
                for each in dates
                if each.type == start.type and each is not start
            ),
        ),
        tuple(Choice(t(f"calendar.{each}"), href(at, mode=each), each == mode) for each in ("week", "month")),
        href(_step(at, mode, -1)),
        href(_step(at, mode, 1)),
        href(today),
        start.type == "datetime",
        call.zone,
        may_move,
        page.next_cursor is not None,
        most,
        fault,
    )


def _named(start: FieldDef, end: FieldDef | None) -> dict[str, str]:
    return {"start": start.name, "end": NONE if end is None else end.name}


def date_fields(
    desk: Desk, object: ObjectDef, start_name: str, end_name: str
) -> tuple[FieldDef, FieldDef | None]:
    """The date that places records, and the one at which they end; of those that may be read."""
    readable = desk.call.gate.readable(object)
    found, first = datable(readable), calendar_field(object, readable)
    if first is None:
        raise Invalid.of("pages.calendar.no_date", object=label_in(object.labels, desk.call.language))
    start = next((each for each in found if each.name == start_name), first)
    ends = (each for each in found if each.name == end_name)
    end = next((each for each in ends if each.type == start.type and each is not start), None)
    return start, end


def days_of(at: date, mode: str) -> tuple[date, ...]:
    """The days shown: a week from Monday, or the whole weeks of a month."""
    first = at if mode == "week" else at.replace(day=1)
    monday = first - timedelta(days=first.weekday())
    if mode == "week":
        return tuple(monday + timedelta(days=n) for n in range(7))
    last = _step(at.replace(day=1), "month", 1) - timedelta(days=1)
    weeks = (last - monday).days // 7 + 1
    return tuple(monday + timedelta(days=n) for n in range(weeks * 7))


def within(start: FieldDef, end: FieldDef | None, days: Sequence[date], zone: ZoneInfo) -> str:
    """The formula of records that lie on one of the days, by the clock of ``zone``."""

    def edge(day: date) -> str:
        if start.type == "date":
            return f"DATE({day.year}, {day.month}, {day.day})"
        instant = datetime.combine(day, time(), zone).astimezone(UTC)
        return f'DATETIMEVALUE("{instant:%Y-%m-%d %H:%M:%S}")'

    low, high = edge(days[0]), edge(days[-1] + timedelta(days=1))
    begins, after = f"{start.name} < {high}", f"{start.name} >= {low}"
    if end is None:
        return f"{begins} && {after}"
    return f"{begins} && ({end.name} >= {low} || (ISBLANK({end.name}) && {after}))"


def _name(desk: Desk, object: ObjectDef) -> str:
    return object.name_field if desk.call.gate.find(object, object.name_field) is not None else "id"


def _about(desk: Desk, object: ObjectDef) -> str:
    """Where records are called by a number: the path that tells people what each is about, what the admin put
    forward first; else "".
    """
    gate, model = desk.call.gate, desk.call.model
    if object.fields[object.name_field].type != "auto_number":
        return ""
    for field in sorted(gate.readable(object), key=lambda each: each.name not in object.highlights):
        path = ""
        if field.type in ("lookup", "master_detail") and field.target and not field.system:
            path = f"{field.name}.{model.objects[field.target].name_field}"
        elif field.type == "text" and not field.system and field.name != object.name_field:
            path = field.name
        if path:
            with suppress(Invalid):
                return gate.resolve(object, path).text
    return ""


@dataclass(frozen=True, slots=True)
class _Maker:
    desk: Desk
    object: ObjectDef
    start: FieldDef
    end: FieldDef | None
    zone: ZoneInfo
    marking: Marking
    about: str  # the path that says more than a number does; "" where the name says it

    def by_day(self, rows: Iterable[Mapping[str, Any]], days: Sequence[date]) -> dict[date, list[Entry]]:
        """The entries of each shown day; what takes several days stands on each of them."""
        found: dict[date, list[Entry]] = {}
        for row in rows:
            first, last = self._span(row)
            day = max(first, days[0])
            while day <= min(last, days[-1]):
                found.setdefault(day, []).append(self.entry(row, day))
                day += timedelta(days=1)
        return found

    def _local(self, value: Any) -> date | datetime:
        return moment(value, self.zone) if self.start.type == "datetime" else value

    def _span(self, row: Mapping[str, Any]) -> tuple[date, date]:
        first = _only_day(self._local(row[self.start.name]))
        given = row.get(self.end.name) if self.end is not None else None
        if given is None:
            return first, first
        end = self._local(given)
        last = _only_day(end)
        if isinstance(end, datetime) and end.time() == time() and last > first:
            last -= timedelta(days=1)  # what ends at midnight is not on the next day
        return first, max(first, last)

    def entry(self, row: Mapping[str, Any], day: date | None) -> Entry:
        """A record as it stands on a day; None: it has no date."""
        begins = row.get(self.start.name)
        ends = row.get(self.end.name) if self.end is not None else None
        first = self._local(begins) if begins is not None else None
        last = self._local(ends) if ends is not None else None
        is_continued = day is not None and first is not None and _only_day(first) < day
        said = ""
        if isinstance(first, datetime) and not is_continued:
            said = f"{first:%H:%M}"
            if isinstance(last, datetime) and last.date() == first.date():
                said += f" – {last:%H:%M}"
        name = name_of(self.desk.call, self.object, row)
        if self.about and row.get(self.about):
            name = f"{name} · {row[self.about]}"
        return Entry(
            str(row["id"]), name, int(row.get("revision") or 0),
            _text_of(first), _text_of(last), said, is_continued,
            self.marking.of_card(row),
        )  # fmt: skip


def _only_day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _text_of(value: date | datetime | None) -> str:
    """A moment as a form writes it."""
    if value is None:
        return ""
    return f"{value:%Y-%m-%dT%H:%M}" if isinstance(value, datetime) else value.isoformat()


def _form_text(day: date, field: FieldDef) -> str:
    return _text_of(datetime.combine(day, MORNING) if field.type == "datetime" else day)


def _day_of(given: str, today: date) -> date:
    """The day that an address names; today for what names none, or lies at the ends of time."""
    try:
        found = date.fromisoformat(given if len(given) > 7 else given + "-01")
    except ValueError:
        return today
    if not 1900 <= found.year <= 2200:
        return today
    if len(given) <= 7 and (found.year, found.month) == (today.year, today.month):
        return today
    return found


def _date_text(day: date, mode: str) -> str:
    return day.isoformat() if mode == "week" else f"{day:%Y-%m}"


def _step(at: date, mode: str, way: int) -> date:
    if mode == "week":
        return at + timedelta(days=7 * way)
    months = at.year * 12 + at.month - 1 + way
    return date(months // 12, months % 12 + 1, 1)


def day_label(day: date, language: Language) -> str:
    """A day in words."""
    if language == "zh":
        return f"{day.month} 月 {day.day} 日 {_DAYS['zh'][day.weekday()]}"
    return f"{_DAYS['en'][day.weekday()]}, {_MONTHS[day.month - 1]} {day.day}"


def title_of(at: date, days: Sequence[date], mode: str, language: Language) -> str:
    """What is shown: a month, or the days of a week."""
    if mode == "month":
        return f"{at.year} 年 {at.month} 月" if language == "zh" else f"{_MONTHS[at.month - 1]} {at.year}"
    first, last = days[0], days[-1]
    if language == "zh":
        until = f"{last.day} 日" if last.month == first.month else f"{last.month} 月 {last.day} 日"
        return f"{first.year} 年 {first.month} 月 {first.day} – {until}"
    until = f"{last.day}" if last.month == first.month else f"{_MONTHS[last.month - 1]} {last.day}"
    return f"{_MONTHS[first.month - 1]} {first.day} – {until}, {last.year}"
