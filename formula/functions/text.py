"""Functions on text."""

from dataclasses import replace
from decimal import Decimal

from tabwright.formula.datatypes import TEXT, number
from tabwright.formula.functions.registry import Example, Function, Signature, Use, Wrong
from tabwright.formula.functions.rules import as_text
from tabwright.formula.scope import EVERYWHERE, ONLY_SQL
from tabwright.formula.strings import pattern
from tabwright.formula.typed import Node, literal, make

_D = Decimal


def _left(use: Use) -> Node:
    node = make("left", *use.args, at=use.at)
    count = use.args[1]
    if count.literal and count.data is not None:
        return replace(node, length=min(node.length, max(int(min(count.data, _D(32_000))), 0)))
    return node


def _text(use: Use) -> Node:
    return as_text(use.args[0], use.at, use.written[0])


def _regex(use: Use) -> Node:
    text, expression = use.args
    if not expression.literal:
        raise Wrong("FORMULA_NEEDS_LITERAL", use.written[1], function=use.at.function)
    try:
        pattern(expression.data)
    except ValueError as error:
        raise Wrong("FORMULA_BAD_PATTERN", use.written[1], reason=str(error)) from None
    return make("matches", text, expression, at=use.at)


def _constant_text(value: str) -> Signature:
    return Signature((), lambda use: literal(value, TEXT, use.at))


FUNCTIONS = (
    Function(
        "LEN",
        "text",
        "text",
        "文本的字符数，空白为 0。",
        "The number of characters; 0 of a blank text.",
        (Signature(("text",), "len"),),
        (Example('LEN("客户")', _D(2)), Example('LEN("")', _D(0))),
    ),
    Function(
        "LEFT",
        "text",
        "text, count",
        "文本开头的若干个字符。",
        "The first characters of the text.",
        (Signature(("text", "number"), _left),),
        (Example('LEFT("abcdef", 2)', "ab"), Example('LEFT("abc", -1)', None)),
    ),
    Function(
        "RIGHT",
        "text",
        "text, count",
        "文本末尾的若干个字符。",
        "The last characters of the text.",
        (Signature(("text", "number"), "right"),),
        (Example('RIGHT("abcdef", 2)', "ef"), Example('RIGHT("abc", 9)', "abc")),
    ),
    Function(
        "MID",
        "text",
        "text, start, count",
        "从第 start 个字符起的若干个字符，位置从 1 数起。",
        "Characters from the place `start`, counted from 1.",
        (Signature(("text", "number", "number"), "mid"),),
        (Example('MID("abcdef", 2, 3)', "bcd"), Example('MID("abc", 0, 2)', "ab")),
    ),
    Function(
        "TRIM",
        "text",
        "text",
        "去掉两端的空格（含全角空格）、制表符和换行。",
        "The text without spaces (the full-width one, too), tabs and line breaks at its ends.",
        (Signature(("text",), "trim"),),
        (Example('TRIM("  a b  ")', "a b"),),
    ),
    Function(
        "CONTAINS",
        "text",
        "text, part",
        "文本中含有该部分时为真；空白的部分总是含有。",
        "True when the part stands in the text; a blank part always does.",
        (Signature(("text", "text"), "contains"),),
        (
            Example('CONTAINS("quarter", "art")', True),
            Example('CONTAINS("", "a")', False),
            Example('CONTAINS("a", "")', True),
        ),
    ),
    Function(
        "BEGINS",
        "text",
        "text, part",
        "文本以该部分开头时为真。",
        "True when the text begins with the part.",
        (Signature(("text", "text"), "begins"),),
        (Example('BEGINS("quarter", "qu")', True), Example('BEGINS("a", "b")', False)),
    ),
    Function(
        "ENDS",
        "text",
        "text, part",
        "文本以该部分结尾时为真。",
        "True when the text ends with the part.",
        (Signature(("text", "text"), "ends"),),
        (Example('ENDS("quarter", "er")', True), Example('ENDS("a", "ba")', False)),
    ),
    Function(
        "FIND",
        "text",
        "part, text, [start]",
        "部分在文本中的位置，从 1 数起；找不到为 0。",
        "The place of the part in the text, counted from 1; 0 when it is not there.",
        (
            Signature(
                ("text", "text"), lambda use: make("find", *use.args, literal(_D(1), number()), at=use.at)
            ),
            Signature(("text", "text", "number"), "find"),
        ),
        (
            Example('FIND("b", "abcb")', _D(2)),
            Example('FIND("b", "abcb", 3)', _D(4)),
            Example('FIND("x", "abc")', _D(0)),
        ),
    ),
    Function(
        "SUBSTITUTE",
        "text",
        "text, old, new",
        "把文本中的旧文字全部换成新文字。",
        "The text with every `old` replaced by `new`.",
        (Signature(("text", "text", "text"), "substitute"),),
        (Example('SUBSTITUTE("a-b-c", "-", "")', "abc"), Example('SUBSTITUTE("aaa", "aa", "b")', "ba")),
    ),
    Function(
        "UPPER",
        "text",
        "text",
        "逐字换成大写；没有单个大写字母的字符不变（ß 仍为 ß）。",
        "In capitals, letter by letter; a letter without one capital of its own stays (ß stays ß).",
        (Signature(("text",), "upper"),),
        (Example('UPPER("straße é")', "STRAßE É"),),
    ),
    Function(
        "LOWER",
        "text",
        "text",
        "逐字换成小写。",
        "In small letters, letter by letter.",
        (Signature(("text",), "lower"),),
        (Example('LOWER("ÀB")', "àb"),),
    ),
    Function(
        "TEXT",
        "text",
        "value",
        "数字、日期、时间或选项的文字形式：数字不带多余的零，日期为 yyyy-mm-dd，时间为 UTC。",
        "A number without spare zeros, a date as yyyy-mm-dd, a datetime in UTC, the code of a picklist.",
        (Signature(("any",), _text),),
        (
            Example("TEXT(1.50)", "1.5"),
            Example("TEXT(DATE(2024, 2, 9))", "2024-02-09"),
            Example('TEXT(DATETIMEVALUE("2024-02-09 01:02:03"))', "2024-02-09 01:02:03Z"),
            Example("TEXT(1000000 * 1000000)", "1000000000000"),
        ),
    ),
    Function(
        "VALUE",
        "text",
        "text",
        "文本所写的数字；不是数字时出错，空白仍为空白。",
        "The number that the text writes; an error when it is none, blank when it is blank.",
        (Signature(("text",), "text_number"),),
        (Example('VALUE("-1.5e2")', _D(-150)), Example('VALUE("")', None)),
    ),
    Function(
        "BR",
        "text",
        "",
        "换行。",
        "A line break.",
        (_constant_text("\n"),),
        (Example('"a" & BR() & "b"', "a\nb"),),
    ),
    Function(
        "REGEX",
        "text",
        "text, pattern",
        "整个文本符合给定的模式（RE2 语法）时为真；不能用于列表筛选等由数据库执行的地方。",
        "True when the whole text fits the pattern (RE2 syntax). Not where the database runs the formula.",
        (Signature(("text", "text"), _regex),),
        (Example('REGEX("a12", "[a-z][0-9]+")', True), Example('REGEX("a12b", "[a-z][0-9]+")', False)),
        places=EVERYWHERE - ONLY_SQL,
    ),
)
