"""A board: the values of a picklist as columns, a record as a card in one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from markupsafe import Markup

from tabwright.metadata import ways
from tabwright.metadata.model import FieldDef, ObjectDef, PicklistValue, label_in
from tabwright.metadata.ways import board_sum, boardable, summable
from tabwright.platform.errors import Invalid
from tabwright.runtime.currencies import symbol
from tabwright.runtime.forms.marks import chip
from tabwright.runtime.forms.shown import number_text
from tabwright.runtime.lists.marking import marking_for, read_rules, rules_text
from tabwright.runtime.pages.boards.cards import Cards, cards_for, fields_in
from tabwright.runtime.pages.boards.frame import Frame, frame_of, marking_of, where_or_fault
from tabwright.runtime.pages.filtering.chips import WhereFault
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.ways import WayState, remember
from tabwright.runtime.pages.world import Desk
from tabwright.runtime.personal.views import Opening, SavedViews
from tabwright.runtime.query.aggregate import aggregate
from tabwright.runtime.query.asked import Aggregation, GroupBy, Measure, Order, Query
from tabwright.runtime.query.page import Page
from tabwright.runtime.query.reads import Reads

CARDS = 25  # of a column at first, and by each "more"
MOST_LANES = 60
NONE = "-"  # "no sum" in an address
BLANK = ""  # the column of records without a value


@dataclass(frozen=True, slots=True)
class Lane:
    """One column. ``limit`` is how many cards it should hold at most, 0 for any number."""

    code: str
    label: str
    chip: Markup
    count: int
    total: str
    limit: int
    cards: Markup
    more_href: str | None
    new_href: str | None
    is_takable: bool  # cards may be moved here

    @property
    def is_over(self) -> bool:
        return 0 < self.limit < self.count


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class BoardPage:
    frame: Frame
    lanes: tuple[Lane, ...]
    by: str
    cards: str  # the fields that the view puts on cards, by commas
    by_label: str
    sum_label: str
    bys: tuple[Choice, ...]
    sums: tuple[Choice, ...]
    may_move: bool
    types: dict[str, list[str]]  # record type uid -> the values that it allows
    fault: WhereFault | None
    hidden_lanes: int


def board_page(desk: Desk, object: ObjectDef, state: WayState, opening: Opening) -> BoardPage:
    """The board of an object. Four statements, however many columns and cards.

    Raises Invalid ``pages.board.no_picklist`` where no picklist may be read.
    """
    call = desk.call
    call.gate.require(object, "read")
    by = board_field(desk, object, state.get("by"))
    measure = _measure(desk, object, state.get("sum"))
    look, adds = opening.look, _sum_name(measure)
    usual = {"by": board_field(desk, object, look.ways.get("by", "")).name}
    usual["sum"] = _sum_name(_measure(desk, object, look.ways.get("sum", "")))
    remember(SavedViews(call, object), look, state, {"by": by.name, "sum": adds}, usual)
    state = state.showing(by=by.name, sum=adds)
    marking = marking_of(desk, object, state, opening)
    cards = cards_for(call, object, (by.name,), marking, fields_in(state.get("cards")))
    (where, fault, counted) = where_or_fault(
        call, state.get("where"), lambda given: _counted(desk, object, by, measure, given)
    )
    values, left = _columns(desk, object, by, counted)
    reads = Reads(call)
    codes = tuple(value.code or None for value in values)
    query = Query(object.name, cards.paths, where, _order(desk, object, state), CARDS, marks=marking.formulas)
    pages = reads.lanes(query, by.name, codes, {code: count for code, (count, _) in counted.items()})
    limits = limits_of(state.get("limits"))
    may_move = by.name in {field.name for field in call.gate.editable(object)} and not by.read_only
    may_move = may_move and call.gate.may(object, "edit")
    lanes = tuple(
        _lane(
            desk, state, by, measure, value, counted.get(value.code or None, (0, None)),
            limits.get(value.code, 0), pages[value.code or None], cards,
        )
        for value in values
    )  # fmt: skip
    t = text(call.language)
    number_fields = _numbers(desk, object)
    return BoardPage(
        frame_of(desk, object, state, opening, fault, marking),
        lanes,
        by.name,
        state.get("cards"),
        label_in(by.labels, call.language),
        label_in(measure.labels, call.language) if measure is not None else t("board.no_sum"),
        tuple(
            Choice(
                each.name,
                label_in(each.labels, call.language),
                state.href(by=each.name, limits=""),
                each is by,
            )
            for each in boardable(call.gate.readable(object))
        ),
        (
            *(
                Choice(
                    each.name,
                    label_in(each.labels, call.language),
                    state.href(sum=each.name),
                    each is measure,
                )
                for each in number_fields
            ),
            Choice(NONE, t("board.no_sum"), state.href(sum=NONE), measure is None),
        ),
        may_move,
        {
            each.uid: list(each.picklists[by.name])
            for each in object.record_types.values()
            if by.name in each.picklists
        },
        fault,
        left,
    )


def more_cards(
    desk: Desk, object: ObjectDef, state: WayState, code: str, cursor: str
) -> tuple[Markup, str | None]:
    """The next cards of one column, and where those after them are."""
    call = desk.call
    call.gate.require(object, "read")
    by = board_field(desk, object, state.get("by"))
    marking = marking_for(call, object, read_rules(state.get("colours")))
    cards = cards_for(call, object, (by.name,), marking, fields_in(state.get("cards")))
    quoted = code.replace("\\", "\\\\").replace('"', '\\"')
    own = f'ISPICKVAL({by.name}, "{quoted}")' if code else f"ISBLANK({by.name})"
    conditions = tuple(each for each in (state.get("where"), own) if each)
    order = _order(desk, object, state)
    asked = Query(object.name, cards.paths, conditions, order, CARDS, cursor or None, marks=marking.formulas)
    page = Reads(call).list(asked)
    return _shown(desk, cards, page), _more_href(state, by, code, page, cards)


def board_field(desk: Desk, object: ObjectDef, name: str) -> FieldDef:
    """The picklist of that name that may be read; else the one that matters (``metadata.ways``)."""
    readable = desk.call.gate.readable(object)
    chosen = next((each for each in boardable(readable) if each.name == name), None)
    found = chosen or ways.board_field(object, readable)
    if found is None:
        raise Invalid.of("pages.board.no_picklist", object=label_in(object.labels, desk.call.language))
    return found


def limits_of(texts: str) -> dict[str, int]:
    """``code:8,other:3`` as numbers; what is none is left out."""
    found = {}
    for part in texts.split(","):
        code, _, number = part.rpartition(":")
        if code and number.isascii() and number.isdigit() and 0 < int(number[:6]) <= 9_999:
            found[code] = int(number)
    return found


def _numbers(desk: Desk, object: ObjectDef) -> tuple[FieldDef, ...]:
    return summable(desk.call.gate.readable(object))


def _sum_name(measure: FieldDef | None) -> str:
    return NONE if measure is None else measure.name


def _measure(desk: Desk, object: ObjectDef, name: str) -> FieldDef | None:
    """What each column adds up: the field of that name, else the first amount of money."""
    if name == NONE:
        return None
    found = _numbers(desk, object)
    named = next((each for each in found if each.name == name), None)
    return named or board_sum(found)


def _counted(
    desk: Desk, object: ObjectDef, by: FieldDef, measure: FieldDef | None, where: str
) -> dict[str | None, tuple[int, Any]]:
    """Code -> how many records have it, and their sum: one statement for all columns."""
    measures: tuple[Measure, ...] = (Measure("count", None, "n"),)
    if measure is not None:
        measures += (Measure("sum", measure.name, "total"),)
    groups = aggregate(
        desk.call, Aggregation(object.name, (GroupBy(by.name, None, "lane"),), measures, where, limit=500)
    )
    return {row["lane"]: (row["n"], row.get("total")) for row in groups.rows}


def _columns(
    desk: Desk, object: ObjectDef, by: FieldDef, counted: dict[str | None, tuple[int, Any]]
) -> tuple[tuple[PicklistValue, ...], int]:
    """The columns in the admin's order, and how many are left out: values that a record type allows, those
    that hold records all the same, and one for records without a value.
    """
    assert by.picklist is not None
    types = [each for each in object.record_types.values() if each.active]
    subsets = [each.picklists.get(by.name) for each in types]
    allowed = None if not subsets or None in subsets else {code for each in subsets if each for code in each}
    shown = [
        value
        for value in by.picklist.values
        if value.code in counted or (value.active and (allowed is None or value.code in allowed))
    ]
    known = {value.code for value in by.picklist.values}
    shown += [
        PicklistValue(code, {}, None, False) for code in counted if code is not None and code not in known
    ]
    if None in counted:
        said = text(desk.call.language)("board.no_value")
        shown.insert(0, PicklistValue(BLANK, {"zh": said, "en": said}, None, not by.required))
    return tuple(shown[:MOST_LANES]), max(0, len(shown) - MOST_LANES)


def _order(desk: Desk, object: ObjectDef, state: WayState) -> Order:
    """The order of cards within a column."""
    given = state.get("order")
    path = given.lstrip("-")
    if not path or desk.call.gate.find(object, path) is None:
        return ()
    return ((path, "desc" if given.startswith("-") else "asc"),)


def _shown(desk: Desk, cards: Cards, page: Page) -> Markup:
    zone = ZoneInfo(desk.call.zone)
    return Markup("").join(cards.show(row, zone) for row in page.rows)


def _more_href(state: WayState, by: FieldDef, code: str, page: Page, cards: Cards) -> str | None:
    if page.next_cursor is None:
        return None
    given = {"where": state.get("where"), "by": by.name, "order": state.get("order")}
    given |= {"value": code, "cursor": page.next_cursor, "colours": rules_text(cards.marking.rules)}
    given["cards"] = state.get("cards")
    return f"/o/{state.object.name}/board/cards?" + urlencode(
        {k: v for k, v in given.items() if v or k == "value"}
    )


def _lane(
    desk: Desk, state: WayState, by: FieldDef, measure: FieldDef | None, value: PicklistValue,
    counted: tuple[int, Any], limit: int, page: Page, cards: Cards,
) -> Lane:  # fmt: skip
    object, language = state.object, desk.call.language
    label = label_in(value.labels, language) if value.labels else value.code
    new_href = None
    if desk.call.gate.may(object, "create") and value.active and value.code:
        back = {"_back": state.href()}
        new_href = f"/o/{object.name}/new?" + urlencode({by.name: value.code, **back})
    return Lane(
        value.code,
        label,
        Markup(chip(label, value.colour)),
        counted[0],
        money(measure, counted[1]) if measure is not None else "",
        limit,
        _shown(desk, cards, page),
        _more_href(state, by, value.code, page, cards),
        new_href,
        value.active,
    )


def money(field: FieldDef, value: Any) -> str:
    """A sum as people read it."""
    shown = number_text(value if value is not None else 0, field.scale)
    return symbol(field.currency) + shown if field.currency else shown
