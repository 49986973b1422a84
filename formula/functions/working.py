"""Functions on working days and hours, by the organisation's business calendar."""

from datetime import date
from decimal import Decimal

from tabwright.formula.functions.registry import Build, Example, Function, Signature, Use
from tabwright.formula.typed import Node, calendar, make

_D = Decimal


def _by_calendar(op: str) -> Build:
    def build(use: Use) -> Node:
        return make(op, *use.args, calendar(), at=use.at)

    return build


def _from_start(op: str) -> Build:
    """With the end first, as the operation takes them."""

    def build(use: Use) -> Node:
        start, end = use.args
        return make(op, end, start, calendar(), at=use.at)

    return build


FUNCTIONS = (
    Function(
        "ISWORKDAY",
        "date",
        "date",
        "按企业工作日历，这一天上班时为真。",
        "True when the business calendar has working hours on the day.",
        (Signature(("date",), _by_calendar("is_workday")),),
        (Example("ISWORKDAY(DATE(2024, 3, 1))", True), Example("ISWORKDAY(DATE(2024, 3, 2))", False)),
    ),
    Function(
        "WORKDAY",
        "date",
        "date, days",
        "若干个工作日以后（负数为以前）的工作日；0 为该日期本身。",
        "The working day so many working days later (earlier, when negative); 0 is the date itself.",
        (Signature(("date", "number"), _by_calendar("workday")),),
        (
            Example("WORKDAY(DATE(2024, 3, 1), 1)", date(2024, 3, 4)),
            Example("WORKDAY(DATE(2024, 3, 3), -1)", date(2024, 3, 1)),
        ),
    ),
    Function(
        "WORKDAYDIFF",
        "date",
        "start, end",
        "开始日期之后到结束日期（含）的工作日数；结束在前时为负数。WORKDAYDIFF(d, WORKDAY(d, n)) = n。",
        "The working days after the start up to the end; negative when the end comes first."
        " WORKDAYDIFF(d, WORKDAY(d, n)) = n.",
        (Signature(("date", "date"), _from_start("workdays_between")),),
        (
            Example("WORKDAYDIFF(DATE(2024, 3, 1), DATE(2024, 3, 11))", _D(6)),
            Example("WORKDAYDIFF(DATE(2024, 3, 4), DATE(2024, 3, 1))", _D(-1)),
        ),
    ),
    Function(
        "HOURSBETWEEN",
        "date",
        "start, end",
        "两个时间之间按企业工作日历的工作小时数；结束在前时为负数。",
        "The working hours from one moment to another by the business calendar; negative when the end comes"
        " first.",
        (Signature(("datetime", "datetime"), _from_start("hours_between")),),
        (
            Example(
                'HOURSBETWEEN(DATETIMEVALUE("2024-03-01 17:30:00"), DATETIMEVALUE("2024-03-04 10:00:00"))',
                _D("1.5"),
            ),
        ),
    ),
)
