"""Functions on dates and datetimes."""

from datetime import UTC, date, datetime
from decimal import Decimal

from tabwright.formula.datatypes import TEXT, TIME, number
from tabwright.formula.days import MIDNIGHT
from tabwright.formula.faults import nearest
from tabwright.formula.functions.registry import Build, Example, Function, Signature, Use, Wrong
from tabwright.formula.lexer import quote
from tabwright.formula.typed import Node, fiscal, literal, make, zone

_D = Decimal
_OF_DATES = ("week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year")
_OF_MOMENTS = ("minute", "hour", "day", *_OF_DATES)
# In a difference: what one is counted in, and how many of those make it.
_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def _unit(use: Use, index: int, known: tuple[str, ...]) -> str:
    """The unit that an argument names, in singular or plural."""
    given = use.args[index]
    if not given.literal:
        raise Wrong("FORMULA_NEEDS_LITERAL", use.written[index], function=use.at.function)
    name = str(given.data or "").strip().lower()
    name = name if name in known else name.removesuffix("s")
    if name not in known:
        near = nearest(name, known)
        params = {"value": str(given.data)[:20], "known": ", ".join(known)}
        raise Wrong("FORMULA_NO_SUCH_UNIT", use.written[index], near and quote(near), **params)
    return name


def _written_unit(name: str, use: Use) -> Node:
    return literal(name, TEXT, use.at)


def _number(value: int, use: Use) -> Node:
    return literal(_D(value), number(0), use.at)


def _in_fiscal_year(day: Node, use: Use) -> Node:
    """The day whose calendar year and quarter are the fiscal ones of a day."""
    return make("add_months", day, fiscal(), at=use.at)


def _fiscal(op: str) -> Build:
    return lambda use: make(op, _in_fiscal_year(use.args[0], use), at=use.at)


def _edge_of_date(op: str, day: Node, name: str, use: Use) -> Node:
    shift = fiscal() if name.startswith("fiscal_") else _number(0, use)
    return make(op, day, _written_unit(name.removeprefix("fiscal_"), use), shift, at=use.at)


def _date_edge(op: str) -> Build:
    return lambda use: _edge_of_date(op, use.args[0], _unit(use, 1, _OF_DATES), use)


def _midnight_of(day: Node, use: Use) -> Node:
    return make("local_moment", day, literal(MIDNIGHT, TIME, use.at), zone(), at=use.at)


def _moment_edge(op: str) -> Build:
    """The first moment of a unit of the user's clock and calendar, or its last microsecond."""

    def build(use: Use) -> Node:
        name = _unit(use, 1, _OF_MOMENTS)
        if name in ("minute", "hour"):
            edge = "clock_start" if op == "start_of" else "clock_end"
            return make(edge, use.args[0], _written_unit(name, use), zone(), at=use.at)
        day = make("local_date", use.args[0], zone(), at=use.at)
        if name != "day":
            day = _edge_of_date(op, day, name, use)
        if op == "start_of":
            return _midnight_of(day, use)
        following = make("add_days", day, _number(1, use), at=use.at)
        return make("just_before", _midnight_of(following, use), at=use.at)

    return build


def _whole(count: Node, size: int, use: Use) -> Node:
    """How many times a size goes into a count, the fraction dropped."""
    if size == 1:
        return count
    return make("trunc", make("div", count, _number(size, use), at=use.at), _number(0, use), at=use.at)


def _months_apart(start: Node, end: Node, name: str, use: Use) -> Node:
    return _whole(make("months_between", end, start, at=use.at), _MONTHS[name], use)


def _date_difference(use: Use) -> Node:
    start, end = use.args[:2]
    name = _unit(use, 2, (*_DAYS, *_MONTHS)) if len(use.args) == 3 else "day"
    if name in _MONTHS:
        return _months_apart(start, end, name, use)
    return _whole(make("days_between", end, start, at=use.at), _DAYS[name], use)


def _moment_difference(use: Use) -> Node:
    start, end = use.args[:2]
    name = _unit(use, 2, (*_SECONDS, *_MONTHS)) if len(use.args) == 3 else "day"
    if name in _MONTHS:
        first, last = (make("local_date", moment, zone(), at=use.at) for moment in (start, end))
        return _months_apart(first, last, name, use)
    return _whole(make("seconds_between", end, start, at=use.at), _SECONDS[name], use)


def _years_later(op: str) -> Build:
    def build(use: Use) -> Node:
        years = use.args[1]
        if years.scale:
            years = make("trunc", years, _number(0, use), at=use.at)
        return make(op, use.args[0], make("mul", years, _number(12, use), at=use.at), at=use.at)

    return build


def _at_time(use: Use) -> Node:
    return make("local_moment", *use.args, zone(), at=use.at)


def _itself(use: Use) -> Node:
    return use.args[0]


def _local(use: Use) -> Node:
    return make("local_date", use.args[0], zone(), at=use.at)


def _of_day(operation: str) -> Build:
    """The same of the day on which a moment lies in the user's time zone."""
    return lambda use: make(operation, _local(use), at=use.at)


def _end_of_month(use: Use) -> Node:
    months = use.args[1] if len(use.args) == 2 else literal(_D(0), number(0), use.at)
    return make("end_of_month", use.args[0], months, at=use.at)


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
        (
            Example('DATEVALUE("2024-02-29")', date(2024, 2, 29)),
            Example('DATEVALUE(" 2024-2-9")', date(2024, 2, 9)),
        ),
    ),
    Function(
        "DATETIMEVALUE",
        "date",
        "text, date, or date and time",
        "文本所写的 UTC 时间（yyyy-mm-dd hh:mm:ss），或日期在 UTC 的零点，或日期与时刻在用户时区的时间。",
        "The moment that the text writes (yyyy-mm-dd hh:mm:ss, UTC), midnight UTC of a date, or a date and a"
        " time of day in the user's time zone.",
        (
            Signature(("text",), "text_datetime"),
            Signature(("date",), "date_datetime"),
            Signature(("date", "time"), _at_time),
            Signature(("datetime",), _itself),
        ),
        (
            Example('DATETIMEVALUE("2024-02-29 23:59:58")', datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC)),
            Example('DATETIMEVALUE("2024-2-9 1:02:03 ")', datetime(2024, 2, 9, 1, 2, 3, tzinfo=UTC)),
            Example(
                'FLOOR((DATETIMEVALUE("2024-01-01 09:01:00") - DATETIMEVALUE("2024-01-01 09:00:00"))'
                " * 24 * 60)",
                _D(1),
            ),
        ),
    ),
    Function(
        "DATEDIFF",
        "date",
        "start, end, [unit]",
        '从开始到结束相隔多少个完整单位：日期可用 "day"（默认）、"week"、"month"、"quarter"、"year"，'
        '时间还可用 "second"、"minute"、"hour"；结束在前时为负数。月末总算满一个月。',
        'How many whole units lie between: of dates "day" (unless said), "week", "month", "quarter", "year",'
        ' of datetimes also "second", "minute", "hour"; negative when the end comes first. The last day of'
        " a month always completes one.",
        (
            Signature(("date", "date", "text"), _date_difference, optional=1),
            Signature(("datetime", "datetime", "text"), _moment_difference, optional=1),
        ),
        (
            Example("DATEDIFF(DATE(2024, 2, 1), DATE(2024, 3, 1))", _D(29)),
            Example('DATEDIFF(DATE(2024, 1, 31), DATE(2024, 2, 29), "months")', _D(1)),
            Example('DATEDIFF(DATE(2024, 3, 15), DATE(2020, 3, 16), "year")', _D(-3)),
            Example(
                'DATEDIFF(DATETIMEVALUE("2024-01-01 00:00:00"), FROMUNIXTIME(1704074399), "hour")',
                _D(1),
            ),
        ),
    ),
    Function(
        "STARTOF",
        "date",
        "date or datetime, unit",
        '所在周期的第一天："week"（星期一起）、"month"、"quarter"、"year"、"fiscal_quarter"、"fiscal_year"；'
        '时间还可用 "day"、"hour"、"minute"，为用户时区中该周期的第一个时刻。',
        'The first day of the "week" (a Monday), "month", "quarter", "year", "fiscal_quarter", "fiscal_year";'
        ' of a datetime, also of the "day", "hour" or "minute", the first moment in the user\'s time zone.',
        (
            Signature(("date", "text"), _date_edge("start_of")),
            Signature(("datetime", "text"), _moment_edge("start_of")),
        ),
        (
            Example('STARTOF(DATE(2024, 2, 29), "week")', date(2024, 2, 26)),
            Example('STARTOF(DATE(2024, 5, 31), "quarter")', date(2024, 4, 1)),
        ),
    ),
    Function(
        "ENDOF",
        "date",
        "date or datetime, unit",
        "所在周期的最后一天，单位同 STARTOF；时间则为该周期的最后一个时刻。",
        "The last day of the unit, as in STARTOF; of a datetime, its last moment.",
        (
            Signature(("date", "text"), _date_edge("end_of")),
            Signature(("datetime", "text"), _moment_edge("end_of")),
        ),
        (
            Example('ENDOF(DATE(2024, 2, 3), "month")', date(2024, 2, 29)),
            Example('ENDOF(DATE(2024, 2, 3), "year")', date(2024, 12, 31)),
        ),
    ),
    Function(
        "ADDYEARS",
        "date",
        "date, years",
        "若干整年以后；月末仍为月末。",
        "Later by whole years. The last day of a month stays the last.",
        (
            Signature(("date", "number"), _years_later("add_months")),
            Signature(("datetime", "number"), _years_later("add_months_time")),
        ),
        (
            Example("ADDYEARS(DATE(2024, 2, 29), 1)", date(2025, 2, 28)),
            Example("ADDYEARS(DATE(2024, 3, 15), -1.9)", date(2023, 3, 15)),
        ),
    ),
    Function(
        "DAYOFYEAR",
        "date",
        "date",
        "一年中的第几天，1 到 366。",
        "The day of the year, 1 to 366.",
        (Signature(("date",), "day_of_year"), Signature(("datetime",), _of_day("day_of_year"))),
        (Example("DAYOFYEAR(DATE(2024, 12, 31))", _D(366)),),
    ),
    Function(
        "ISOWEEK",
        "date",
        "date",
        "ISO 8601 的周次，1 到 53；含当年第一个星期四的一周为第 1 周。",
        "The week by ISO 8601, 1 to 53; week 1 has the first Thursday of the year.",
        (Signature(("date",), "iso_week"), Signature(("datetime",), _of_day("iso_week"))),
        (Example("ISOWEEK(DATE(2021, 1, 3))", _D(53)),),
    ),
    Function(
        "ISOYEAR",
        "date",
        "date",
        "ISO 8601 周次所属的年份。",
        "The year to which the ISO week belongs.",
        (Signature(("date",), "iso_year"), Signature(("datetime",), _of_day("iso_year"))),
        (Example("ISOYEAR(DATE(2021, 1, 3))", _D(2020)),),
    ),
    Function(
        "FISCALYEAR",
        "date",
        "date",
        "按企业工作日历所设财年起始月份的财年。",
        "The fiscal year, by the first month that the business calendar sets.",
        (Signature(("date",), _fiscal("year")),),
        (Example("FISCALYEAR(DATE(2024, 3, 31))", _D(2024)),),
    ),
    Function(
        "FISCALQUARTER",
        "date",
        "date",
        "财年的季度，1 到 4。",
        "The quarter of the fiscal year, 1 to 4.",
        (Signature(("date",), _fiscal("quarter")),),
        (Example("FISCALQUARTER(DATE(2024, 3, 31))", _D(1)),),
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
