"""Functions on dates and datetimes."""

from datetime import UTC, date, datetime
from decimal import Decimal

from tabwright.formula.datatypes import number
from tabwright.formula.functions.registry import Example, Function, Signature, Use
from tabwright.formula.typed import Node, literal, make, zone

_D = Decimal


def _itself(use: Use) -> Node:
    return use.args[0]


def _local(use: Use) -> Node:
    return make("local_date", use.args[0], zone(), at=use.at)


def _end_of_month(use: Use) -> Node:
    months = use.args[1] if len(use.args) == 2 else literal(_D(0), number(0), use.at)
    return make("end_of_month", use.args[0], months, at=use.at)


def _from_start(use: Use) -> Node:
    start, end = use.args
    return make("days_between", end, start, at=use.at)


FUNCTIONS = (
    Function(
        "TODAY",
        "date",
        "",
        "用户所在时区的今天。",
        "The present day in the user's time zone.",
        (Signature((), "today"),),
    ),
    Function(
        "NOW",
        "date",
        "",
        "当前时间。",
        "The present moment.",
        (Signature((), "now"),),
    ),
    Function(
        "DATE",
        "date",
        "year, month, day",
        "由年、月、日组成的日期；没有这样的日期时出错。",
        "The date of a year, month and day; an error when there is no such date.",
        (Signature(("number", "number", "number"), "make_date"),),
        (Example("DATE(2024, 2, 29)", date(2024, 2, 29)),),
    ),
    Function(
        "YEAR",
        "date",
        "date",
        "年份。",
        "The year.",
        (Signature(("date",), "year"),),
        (Example("YEAR(DATE(2024, 2, 29))", _D(2024)),),
    ),
    Function(
        "MONTH",
        "date",
        "date",
        "月份，1 到 12。",
        "The month, 1 to 12.",
        (Signature(("date",), "month"),),
        (Example("MONTH(DATE(2024, 2, 29))", _D(2)),),
    ),
    Function(
        "DAY",
        "date",
        "date",
        "日，1 到 31。",
        "The day of the month, 1 to 31.",
        (Signature(("date",), "day"),),
        (Example("DAY(DATE(2024, 2, 29))", _D(29)),),
    ),
    Function(
        "WEEKDAY",
        "date",
        "date",
        "星期几，星期日为 1，星期六为 7。",
        "The day of the week: Sunday is 1, Saturday 7.",
        (Signature(("date",), "weekday"),),
        (Example("WEEKDAY(DATE(2024, 2, 25))", _D(1)), Example("WEEKDAY(DATE(2024, 3, 2))", _D(7))),
    ),
    Function(
        "QUARTER",
        "date",
        "date",
        "季度，1 到 4。",
        "The quarter, 1 to 4.",
        (Signature(("date",), "quarter"),),
        (Example("QUARTER(DATE(2024, 12, 1))", _D(4)),),
    ),
    Function(
        "ADDMONTHS",
        "date",
        "date, months",
        "若干个月以后；月末仍为月末，其他日期不超出该月。",
        "Later by calendar months. The last day of a month stays the last; others are held inside.",
        (Signature(("date", "number"), "add_months"), Signature(("datetime", "number"), "add_months_time")),
        (
            Example("ADDMONTHS(DATE(2004, 2, 29), 1)", date(2004, 3, 31)),
            Example("ADDMONTHS(DATE(2004, 1, 30), 1.9)", date(2004, 2, 29)),
            Example("ADDMONTHS(DATE(2004, 3, 15), -2)", date(2004, 1, 15)),
        ),
    ),
    Function(
        "ADDDAYS",
        "date",
        "date, days",
        "若干天以后；日期舍去天数的小数，时间精确到秒。",
        "Later by days. A date drops their fraction, a datetime counts to the second.",
        (Signature(("date", "number"), "add_days"), Signature(("datetime", "number"), "add_time")),
        (Example("ADDDAYS(DATE(2024, 2, 28), 2)", date(2024, 3, 1)),),
    ),
    Function(
        "DATEVALUE",
        "date",
        "text or datetime",
        "文本所写的日期（yyyy-mm-dd），或时间在用户时区的日期。",
        "The date that the text writes (yyyy-mm-dd), or the day of a datetime in the user's time zone.",
        (Signature(("text",), "text_date"), Signature(("datetime",), _local), Signature(("date",), _itself)),
        (Example('DATEVALUE("2024-02-29")', date(2024, 2, 29)),),
    ),
    Function(
        "DATETIMEVALUE",
        "date",
        "text or date",
        "文本所写的 UTC 时间（yyyy-mm-dd hh:mm:ss），或日期在 UTC 的零点。",
        "The moment that the text writes (yyyy-mm-dd hh:mm:ss, UTC), or midnight UTC of a date.",
        (
            Signature(("text",), "text_datetime"),
            Signature(("date",), "date_datetime"),
            Signature(("datetime",), _itself),
        ),
        (Example('DATETIMEVALUE("2024-02-29 23:59:58")', datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC)),),
    ),
    Function(
        "DATEDIFF",
        "date",
        "start, end",
        "从开始日期到结束日期的天数。",
        "The days from one date to another.",
        (Signature(("date", "date"), _from_start),),
        (Example("DATEDIFF(DATE(2024, 2, 1), DATE(2024, 3, 1))", _D(29)),),
    ),
    Function(
        "EOMONTH",
        "date",
        "date, [months]",
        "该月（或若干个月以后）的最后一天。",
        "The last day of the month, or of the month so many months later.",
        (Signature(("date", "number"), _end_of_month, optional=1),),
        (
            Example("EOMONTH(DATE(2024, 2, 3))", date(2024, 2, 29)),
            Example("EOMONTH(DATE(2024, 1, 31), 1)", date(2024, 2, 29)),
        ),
    ),
)
