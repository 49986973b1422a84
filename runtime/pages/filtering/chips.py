"""What narrows a list, told: a chip for each condition, and what is wrong with a formula that was typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tabwright.platform.errors import Invalid
from tabwright.platform.language import say_fault
from tabwright.runtime.conditions import builder
from tabwright.runtime.conditions.builder import Group
from tabwright.runtime.desk import Call
from tabwright.runtime.pages.filtering.sight import Sight
from tabwright.runtime.pages.rendering import text


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition that narrows the list; ``remove_href`` is the list without it."""

    subject: str
    predicate: str
    remove_href: str


@dataclass(frozen=True, slots=True)
class WhereFault:
    """What is wrong with a typed formula, and the text cut at the place of the first fault."""

    texts: tuple[str, ...]
    before: str
    bad: str
    after: str


def chips_of(where: str, sight: Sight, href: Callable[[str], str]) -> tuple[Chip, ...]:
    """What narrows a page, one chip for each condition that can be taken off by itself. ``href`` is the
    address of the same page under another filter.
    """
    if not where:
        return ()
    t = text(sight.call.language)
    group = builder.read(where, sight.resolve)
    if group is None:
        return (Chip(t("filter.formula"), where, href("")),)
    if group.join != "all":
        said = sight.say(group)
        return (Chip(said.subject, said.predicate, href("")),)
    chips = []
    for at, part in enumerate(group.parts):
        said = sight.say(part)
        rest = builder.write(Group("all", group.parts[:at] + group.parts[at + 1 :]), sight.resolve)
        chips.append(Chip(said.subject, said.predicate, href(rest)))
    return tuple(chips)


def where_fault(where: str, error: Invalid, call: Call) -> WhereFault:
    """The faults in words, and the formula cut so that the wrong part can be marked."""
    place = error.faults[0].place
    start = (place.column or 1) - 1 if place.column is not None else len(where)
    end = max(start + 1, (place.end or start + 2) - 1)
    return WhereFault(
        tuple(dict.fromkeys(say_fault(fault, call.language) for fault in error.faults)),
        where[:start],
        where[start:end],
        where[end:],
    )
