"""Text to tree: precedence, dialects, and where a fault of syntax is."""

import pytest

from formulas import compiled
from tabwright.formula.faults import FormulaError, say
from tabwright.formula.parser import parse
from tabwright.formula.printer import print_formula


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("1+2*3", "1 + 2 * 3"),
        ("(1+2)*3", "(1 + 2) * 3"),
        ("1-(2-3)", "1 - (2 - 3)"),
        ("(1-2)-3", "1 - 2 - 3"),
        ("-2^2", "-2 ^ 2"),
        ("(-2)^2", "(-2) ^ 2"),
        ("2^3^2", "2 ^ 3 ^ 2"),
        ("(2^3)^2", "(2 ^ 3) ^ 2"),
        ("not a || b && c = d", "NOT a || b && c = d"),
        ("(a || b) && c", "(a || b) && c"),
        ("a & b + c", "a & b + c"),
        ("a == b != c", "a = b <> c"),
        ("IF ( a , 'it\\'s' , \"q\\\"\\n\" )", 'IF(a, "it\'s", "q\\"\\n")'),
        ("/* why */ Account.Owner.Name /* 名 */", "Account.Owner.Name"),
        ("金额\u3000+\u200b客户.名称", "金额 + 客户.名称"),
        ("True && NULL = nullable", "TRUE && NULL = nullable"),
    ],
)
def test_reads_and_prints(text: str, printed: str) -> None:
    assert print_formula(parse(text)) == printed
    assert parse(printed) == parse(text)


@pytest.mark.parametrize(
    ("text", "ours", "sf"),
    [("2*3^4", 162, 1296), ("2^3^2", 512, 64), ("-2^2", -4, 4), ("1+2^3", 9, 9)],
)
def test_the_dialects_differ_in_powers(text: str, ours: int, sf: int) -> None:
    for dialect, value in (("tabwright", ours), ("sf", sf)):
        formula = compiled(text, dialect=dialect)
        assert formula.evaluator()((), None) == value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "code", "start", "end", "hint"),
    [
        ("", "FORMULA_EMPTY", 0, 0, None),
        ("  /* nothing */ ", "FORMULA_EMPTY", 0, 16, None),
        ("IF(amount, 1", "FORMULA_MISSING_BRACKET", 2, 3, None),
        ("(1 + (2)", "FORMULA_MISSING_BRACKET", 0, 1, None),
        ("1 + 2)", "FORMULA_EXTRA_BRACKET", 5, 6, None),
        ("f(1))", "FORMULA_EXTRA_BRACKET", 4, 5, None),
        ("a b", "FORMULA_MISSING_OPERATOR", 2, 3, None),
        ("f(a b)", "FORMULA_MISSING_OPERATOR", 4, 5, None),
        ("f(1,,2)", "FORMULA_UNEXPECTED", 4, 5, None),
        ("= 1", "FORMULA_UNEXPECTED", 0, 1, None),
        ("1 +", "FORMULA_UNFINISHED", 3, 3, None),
        ('"abc', "FORMULA_OPEN_TEXT", 0, 1, None),
        ('"a\nb"', "FORMULA_OPEN_TEXT", 0, 1, None),
        ("1 /* x", "FORMULA_OPEN_COMMENT", 2, 4, None),
        ('"\\d+"', "FORMULA_BAD_ESCAPE", 1, 3, "\\\\d"),
        ("a ? b", "FORMULA_BAD_CHARACTER", 2, 3, None),
        ('"a\ud800"', "FORMULA_BAD_CHARACTER", 2, 3, None),
        ("a /* \x00 */", "FORMULA_BAD_CHARACTER", 5, 6, None),
        ("a，b", "FORMULA_WIDE_SIGN", 1, 2, ","),
        ("金额 ≥ 5", "FORMULA_WIDE_SIGN", 3, 4, ">="),
    ],
)
def test_a_fault_of_syntax_has_its_place(
    text: str, code: str, start: int, end: int, hint: str | None
) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(text)
    fault = caught.value.faults[0]
    assert (fault.code, fault.start, fault.end, fault.hint) == (code, start, end, hint)
    assert say(fault, "zh") != say(fault, "en")


def test_every_stray_character_is_told_at_once_with_line_and_column() -> None:
    with pytest.raises(FormulaError) as caught:
        parse("a ？\n 【b】 + “c”")
    found = [(fault.line, fault.column) for fault in caught.value.faults]
    assert found == [(1, 3), (2, 2), (2, 4), (2, 8), (2, 10)]
