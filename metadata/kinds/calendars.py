"""Business calendars: hours of the week, days off, days worked instead, the fiscal year."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from tabwright.formula.calendars import Calendar, Spans
from tabwright.metadata import limits
from tabwright.metadata.documents import Component
from tabwright.metadata.kinds.work import Work, labels_of
from tabwright.metadata.model import CalendarDef
from tabwright.platform.clock import is_zone

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def compile_calendar(work: Work, component: Component) -> CalendarDef:
    """A calendar with all that it takes from others."""
    body = component.body
    zone = body.get("zone")
    if zone is not None and not is_zone(zone):
        work.fault(component, "calendar.bad_zone", "zone", value=zone)
    week = _week(work, component)
    if body.get("default") and not any(week):
        work.fault(component, "calendar.no_hours", "hours")
    days = _days(work, component, week, (component.name,))
    if len(days) > limits.calendar_days:
        params = {"count": len(days), "limit": limits.calendar_days}
        work.fault(component, "calendar.too_many_days", "days_off", **params)
    first = body.get("fiscal_year_start", 1)
    shift = 1 - first
    if first > 1 and body.get("fiscal_year_named_by") == "end":
        shift += 12
    return CalendarDef(
        uid=component.uid,
        name=component.name,
        labels=labels_of(component),
        is_default=body.get("default", False),
        zone=zone,
        hours=Calendar(zone or "UTC", week, days),
        fiscal=shift,
    )


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _week(work: Work, component: Component) -> tuple[Spans, ...]:
    found: list[list[tuple[int, int]]] = [[] for _ in _WEEKDAYS]
    for number, line in enumerate(component.body.get("hours", ())):
        start, end = _minutes(line["from"]), _minutes(line["to"])
        of_day = found[_WEEKDAYS.index(line["weekday"])]
        if end <= start:
            work.fault(component, "calendar.ends_before", "hours", number, "to")
        elif any(start < other_end and other_start < end for other_start, other_end in of_day):
            work.fault(component, "calendar.hours_twice", "hours", number, "from")
        else:
            of_day.append((start, end))
    return tuple(tuple(sorted(spans)) for spans in found)


def _days(
    work: Work, component: Component, week: tuple[Spans, ...], above: tuple[str, ...]
) -> dict[date, Spans]:
    """The hours of single days: those of the calendars that this one includes, then its own."""
    found: dict[date, Spans] = {}
    for number, name in enumerate(component.body.get("includes", ())):
        full = work.named(component, "calendar", name, "includes", number)
        other = work.lens.part("calendar", full) if full else None
        if other is None:
            continue
        if other.name in above:
            ring = " > ".join((*above[above.index(other.name) :], other.name))
            work.fault(component, "calendar.ring", "includes", number, ring=ring)
            continue
        inner = Work(work.lens)
        found |= _days(inner, other, week, (*above, other.name))
        # What is wrong in it, its own compile says; but a ring is one of each calendar in it.
        for fault in inner.faults:
            if fault.code == "calendar.ring":
                work.fault(component, "calendar.ring", "includes", number, **fault.params)
    own: dict[date, Spans] = {}
    for number, line in enumerate(component.body.get("days_off", ())):
        first = _day(work, component, line, "days_off", number, "from")
        last = _day(work, component, line, "days_off", number, "to") if "to" in line else first
        if first is None or last is None:
            continue
        if last < first:
            work.fault(component, "calendar.ends_before", "days_off", number, "to")
        elif (last - first).days > limits.calendar_span:
            work.fault(
                component, "calendar.span_too_long", "days_off", number, "to", limit=limits.calendar_span
            )
        else:
            own |= {first + timedelta(count): () for count in range((last - first).days + 1)}
    usual = next((spans for spans in week if spans), ())
    for number, line in enumerate(component.body.get("days_worked", ())):
        day = _day(work, component, line, "days_worked", number, "day")
        if day is None:
            continue
        if day in own:
            work.fault(component, "calendar.day_twice", "days_worked", number, "day", day=day.isoformat())
        own[day] = week[_WEEKDAYS.index(line["like"])] if "like" in line else usual
    return found | own


def _day(work: Work, component: Component, line: Mapping[str, Any], *pointer: str | int) -> date | None:
    text = str(line[str(pointer[-1])])
    try:
        return date.fromisoformat(text)
    except ValueError:
        work.fault(component, "calendar.bad_date", *pointer, value=text)
        return None
