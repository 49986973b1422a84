"""Functions on times of day, and on moments seen through the clock of a zone."""

from datetime import UTC, datetime, time
from decimal import Decimal

from tabwright.formula.datatypes import BOOLEAN, DATETIME, TIME, number
from tabwright.formula.days import EPOCH, MIDNIGHT, text_time
from tabwright.formula.faults import EvaluationError
from tabwright.formula.functions.registry import Example, Function, Signature, Use, Wrong
from tabwright.formula.typed import Node, literal, make, zone

_D = Decimal
_BEGINNING = datetime.min.replace(tzinfo=UTC)


def number_literal(value: Decimal | int, use: Use) -> Node:
    """A number as part of what a function becomes."""
    return literal(_D(value), number(0), use.at)


def _midnight(use: Use) -> Node:
    return literal(MIDNIGHT, TIME, use.at)


def _clock_of_text(use: Use) -> Node:
    text = use.args[0]
    if not text.literal or not text.data:
        return make("text_time", text, at=use.at)
    try:
        return literal(text_time(str(text.data).strip(), use.at), TIME, use.at)
    except EvaluationError:
        raise Wrong("FORMULA_NOT_A_TIME", use.written[0], value=str(text.data)[:40]) from None


def _clock(use: Use) -> Node:
    return make("local_time", use.args[0], zone(), at=use.at)


def _time_now(use: Use) -> Node:
    return make("local_time", make("now", at=use.at), zone(), at=use.at)


def _itself(use: Use) -> Node:
    return use.args[0]


def _part(op: str) -> tuple[Signature, ...]:
    """Of a time of day, or of what the user's clock shows at a moment."""

    def of_moment(use: Use) -> Node:
        return make(op, _clock(use), at=use.at)

    return (Signature(("time",), op), Signature(("datetime",), of_moment))


def _seconds_of(clock: Node, use: Use) -> Node:
    """Whole seconds since midnight."""
    count = make("ms_between", clock, _midnight(use), at=use.at)
    return make("trunc", _thousandth(count, use), number_literal(0, use), at=use.at)


def _thousandth(count: Node, use: Use) -> Node:
    return make("mul", count, literal(_D("0.001"), number(3), use.at), at=use.at)


def _unix_of_date(use: Use) -> Node:
    first = literal(EPOCH.date(), use.args[0].type, use.at)
    return make(
        "mul", make("days_between", use.args[0], first, at=use.at), number_literal(86_400, use), at=use.at
    )


def _unix_of_moment(use: Use) -> Node:
    # Counted from the first moment there is, so that dropping the fraction always goes back in time.
    count = make("seconds_between", use.args[0], literal(_BEGINNING, DATETIME, use.at), at=use.at)
    return make("sub", count, number_literal((EPOCH - _BEGINNING) // _SECOND, use), at=use.at)


_SECOND = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC) - EPOCH


def _unix_of_time(use: Use) -> Node:
    return _seconds_of(use.args[0], use)


def _duration(use: Use) -> Node:
    seconds = use.args[0]
    with_days = use.args[1] if len(use.args) == 2 else literal(False, BOOLEAN, use.at)
    if with_days.literal:
        return make("days_text" if with_days.data else "duration_text", seconds, at=use.at)
    days, hours = make("days_text", seconds, at=use.at), make("duration_text", seconds, at=use.at)
    return make("if", with_days, days, hours, at=use.at)


def _between_moments(use: Use) -> Node:
    passed = make("seconds_between", use.args[1], use.args[0], at=use.at)
    return make("days_text", make("abs", passed, at=use.at), at=use.at)


def _between_times(use: Use) -> Node:
    counts = [make("ms_between", arg, _midnight(use), at=use.at) for arg in use.args]
    passed = make("abs", make("sub", *counts, at=use.at), at=use.at)
    seconds = make("trunc", _thousandth(passed, use), number_literal(0, use), at=use.at)
    return make("duration_text", seconds, at=use.at)


FUNCTIONS = (
    Function(
        "TIMEVALUE",
        "date",
        "text or datetime",
        "文字所写的时刻（hh:mm、hh:mm:ss 或 hh:mm:ss.mmm），或某个时间在用户时区的时刻。",
        "The time of day that the text writes (hh:mm, hh:mm:ss or hh:mm:ss.mmm), or that the clock shows in"
        " the user's time zone at a moment.",
        (
            Signature(("text",), _clock_of_text),
            Signature(("datetime",), _clock),
            Signature(("time",), _itself),
        ),
        (
            Example('TIMEVALUE("09:30") < TIMEVALUE("10:00:00")', True),
            Example('TIMEVALUE("23:59:59.500") + 1500', time(0, 0, 1)),
            Example('TIMEVALUE("08:00") - 1', time(7, 59, 59, 999000)),
            Example('TIMEVALUE("00:00:01") - TIMEVALUE("23:59:59")', _D(2000)),
        ),
    ),
    Function(
        "TIMENOW",
        "date",
        "",
        "用户所在时区现在的时刻。",
        "The present time of day in the user's time zone.",
        (Signature((), _time_now),),
    ),
    Function(
        "HOUR",
        "date",
        "time or datetime",
        "时刻的小时，0 到 23；时间取用户时区的小时。",
        "The hour of a time of day, 0 to 23; of a datetime, the one in the user's time zone.",
        _part("hour"),
        (Example('HOUR(TIMEVALUE("17:05:09.250"))', _D(17)),),
    ),
    Function(
        "MINUTE",
        "date",
        "time or datetime",
        "时刻的分钟，0 到 59。",
        "The minute, 0 to 59.",
        _part("minute"),
        (Example('MINUTE(TIMEVALUE("17:05:09.250"))', _D(5)),),
    ),
    Function(
        "SECOND",
        "date",
        "time or datetime",
        "时刻的秒，0 到 59。",
        "The second, 0 to 59.",
        _part("second"),
        (Example('SECOND(TIMEVALUE("17:05:09.250"))', _D(9)),),
    ),
    Function(
        "MILLISECOND",
        "date",
        "time or datetime",
        "时刻的毫秒，0 到 999。",
        "The millisecond, 0 to 999.",
        _part("millisecond"),
        (Example('MILLISECOND(TIMEVALUE("17:05:09.250"))', _D(250)),),
    ),
    Function(
        "UNIXTIMESTAMP",
        "date",
        "date, datetime or time",
        "自 1970 年 1 月 1 日零点（UTC）起的秒数；时刻则自当天零点起；不足一秒的部分舍去。",
        "The seconds since the beginning of 1970 in UTC, of a time of day since midnight; whole ones.",
        (
            Signature(("datetime",), _unix_of_moment),
            Signature(("date",), _unix_of_date),
            Signature(("time",), _unix_of_time),
        ),
        (
            Example("UNIXTIMESTAMP(DATE(1970, 1, 2))", _D(86_400)),
            Example('UNIXTIMESTAMP(DATETIMEVALUE("1969-12-31 23:59:58"))', _D(-2)),
            Example('UNIXTIMESTAMP(TIMEVALUE("01:00:01.900"))', _D(3_601)),
        ),
    ),
    Function(
        "FROMUNIXTIME",
        "date",
        "seconds",
        "自 1970 年 1 月 1 日零点（UTC）起若干秒后的时间，精确到秒。",
        "The moment so many seconds after the beginning of 1970 in UTC, to the second.",
        (Signature(("number",), "from_unix"),),
        (Example("FROMUNIXTIME(86399)", datetime(1970, 1, 1, 23, 59, 59, tzinfo=UTC)),),
    ),
    Function(
        "FORMATDURATION",
        "date",
        "seconds, [days] or start, end",
        "秒数的文字 时:分:秒（不带正负号），第二个参数为真时为 天:时:分:秒；"
        "或两个时间之差（天:时:分:秒）、两个时刻之差（时:分:秒），不论先后。",
        "Seconds as h:mm:ss without sign, with days before them when the second argument is true; or what"
        " lies between two datetimes (with days) or two times of day, whichever comes first.",
        (
            Signature(("number", "boolean"), _duration, optional=1),
            Signature(("datetime", "datetime"), _between_moments),
            Signature(("time", "time"), _between_times),
        ),
        (
            Example("FORMATDURATION(3725.9)", "01:02:05"),
            Example("FORMATDURATION(90061, TRUE)", "1:01:01:01"),
            Example("FORMATDURATION(-60)", "00:01:00"),
            Example(
                'FORMATDURATION(DATETIMEVALUE("2024-01-01 09:00:00"), DATETIMEVALUE("2024-01-01 08:30:00"))',
                "0:00:30:00",
            ),
            Example('FORMATDURATION(TIMEVALUE("08:30"), TIMEVALUE("10:00"))', "01:30:00"),
        ),
    ),
)
