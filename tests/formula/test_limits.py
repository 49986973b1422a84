"""What a formula may ask for: each limit refuses at once, in steps and memory (LANGUAGE.md, section 3).

Rows of that table that stand elsewhere: expansion through other formulas in tests/runtime/
test_computed_fields.py, sets of children in tests/formula/test_children.py, the generated source in
tests/formula/test_codegen.py, all of them under mutation in tests/rel/fuzz_formulas.py.
"""

import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from formulas import ENV, compiled
from tabwright.formula.compiler import Formula
from tabwright.formula.faults import EvaluationError, FormulaError
from tabwright.formula.parser import parse

MEGABYTES = 64
CALLS = (
    250_000  # of functions, ours and built-in ones: a formula at every limit makes fewer than half of these
)


@contextmanager
def soon() -> Iterator[None]:
    """What happens inside takes no more than the promised memory."""
    compiled("n + 1").evaluator()  # the parser is built once
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEGABYTES * 2**20


def quick(run: Callable[[], object]) -> None:
    """The run ends after a bounded number of steps. Steps are counted, not timed: a busy machine changes
    nothing.
    """
    count = 0

    def step(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1
            if count > CALLS:
                sys.setprofile(None)
                raise AssertionError(f"more than {CALLS} steps")

    before = sys.getprofile()
    sys.setprofile(step)
    try:
        run()
    finally:
        sys.setprofile(before)
    assert count <= CALLS


def refused(text: str) -> list[str]:
    try:
        compiled(text)
    except FormulaError as error:
        return [fault.code for fault in error.faults]
    return []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("n + " * 3_000 + "1", "FORMULA_TOO_LONG"),
        ("(" * 61 + "1" + ")" * 61, "FORMULA_TOO_DEEP"),
        ("(" * 4_000 + ")" * 3_000, "FORMULA_TOO_DEEP"),
        ("-" * 7_000 + "1", "FORMULA_TOO_BIG"),
        ("!" * 1_900 + "ok", "FORMULA_TOO_DEEP"),
        ("2^" * 900 + "2", "FORMULA_TOO_DEEP"),
        ("1*" * 3_000 + "1", "FORMULA_TOO_BIG"),
        ("n=" * 1_500 + "n", "FORMULA_TOO_BIG"),
        ("1*" * 500 + "1", "FORMULA_TOO_DEEP"),
        ("n-" * 500 + "n", "FORMULA_TOO_DEEP"),
        ("n+" * 250 + "n", "FORMULA_TOO_MANY_ARGUMENTS"),
        ("MAX(" + "n," * 250 + "n)", "FORMULA_TOO_MANY_ARGUMENTS"),
        ("IN(name" + ",''" * 501 + ")", "FORMULA_TOO_MANY_TEXTS"),
        ("ROUND(n, 1000000)", "FORMULA_BAD_PLACES"),
        ("REGEX(name, '(a{1000}){1000}')", "FORMULA_BAD_PATTERN"),
        ("REGEX(name, '(a)\\\\1')", "FORMULA_BAD_PATTERN"),
        ("REGEX(name, '(?=a)b')", "FORMULA_BAD_PATTERN"),
        ("9" * 5_000, "FORMULA_BAD_NUMBER"),
        ("'" * 7_999, "FORMULA_OPEN_TEXT"),
        ("/*" + " " * 7_900, "FORMULA_OPEN_COMMENT"),
        ("？" * 8_000, "FORMULA_BAD_CHARACTER"),
    ],
)
def test_a_text_beyond_a_limit_is_refused(text: str, code: str) -> None:
    with soon():
        assert code in refused(text)
    quick(lambda: refused(text))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 60 + "1" + ")" * 60,
        "-" * 100 + "1",
        "n+" * 199 + "n",
        "'a'&" * 199 + "'a'",
        "IF(ok, " * 60 + "1" + ", 0)" * 60,
        "MAX(" + "n," * 199 + "n)",
        "CASE(n, " + ", ".join(f"{i}, {i}" for i in range(90)) + ", 0)",
        "IFS(" + ", ".join(f"n / {i + 1} = 1, {i}" for i in range(90)) + ", 0)",
        "LEN(" * 1 + "name" + ")" * 1 + " + LEN(name)" * 150,
        "UPPER(" * 59 + "name" + ")" * 59,
        "1 + (" * 59 + "n / 3" + ")" * 59,
        "BLANKVALUE(n / 3, " * 59 + "1" + ")" * 59,
        "(n / 3 > 0) && (" * 59 + "ok" + ")" * 59,
        "n" + " * 1" * 110,
        "n" + " - 1" * 110,
    ],
)
def test_a_text_inside_the_limits_goes_all_the_way(text: str) -> None:
    formula = compiled(text)
    values: dict[str, Any] = {"n": Decimal(3), "name": "x", "ok": True}
    try:
        formula.evaluator()([values[read.path[0]] for read in formula.reads], ENV)
    except EvaluationError as error:
        pytest.fail(f"{error.code}")
    for dialect, fault in formula.pushable.items():
        if fault is None:  # what is not refused can also be written out, with frames to spare for the caller
            _deeper(300, partial(_written, formula, dialect))
        else:
            assert fault.code == "FORMULA_SQL_TOO_BIG", dialect


class _Columns:
    def column_of(self, path: tuple[str, ...]) -> sa.ColumnElement[Any]:
        return sa.column("c")


def _written(formula: Formula, dialect: str) -> str:
    return str(formula.sql(_Columns(), dialect).column())


def _deeper(frames: int, run: Callable[[], object]) -> object:
    return _deeper(frames - 1, run) if frames else run()


@pytest.mark.parametrize(
    ("text", "values", "code"),
    [
        ("9^(9^9)", (), "FORMULA_TOO_BIG_NUMBER"),
        ("9^(9^8)", (), "FORMULA_TOO_BIG_NUMBER"),
        ("2^2^2^2^2", (), "FORMULA_TOO_BIG_NUMBER"),
        ("n^99999", (Decimal("1.0001"),), None),
        ("n^99999", (Decimal("1.000000000000000001"),), None),
        ("(0 - n)^99999999999", (Decimal("0.5"),), None),
        ("n^0.5", (Decimal(2),), None),
        ("n^n", (Decimal(10**17),), "FORMULA_TOO_BIG_NUMBER"),
        ("ROUND(1.5, n)", (Decimal(1_000_000),), None),
        ("DATE(n, n, n)", (Decimal(10**17),), "FORMULA_NO_SUCH_DATE"),
        ("TODAY() + n", (Decimal(10**17),), "FORMULA_DATE_RANGE"),
        ("ADDMONTHS(TODAY(), n)", (Decimal(10**17),), "FORMULA_DATE_RANGE"),
        ("NOW() + n", (Decimal(10**17),), "FORMULA_DATE_RANGE"),
        ("note & note", ("x" * 20_000,), "FORMULA_TEXT_TOO_LONG"),
        ("&".join(["note"] * 200), ("x" * 32_000,), "FORMULA_TEXT_TOO_LONG"),
        ("SUBSTITUTE(note, 'x', note)", ("x" * 20_000,), "FORMULA_TEXT_TOO_LONG"),
        ("SUBSTITUTE(" * 9 + "'xxxxxxxxxx'" + ", 'x', 'xxxxxxxxxx')" * 9, (), "FORMULA_TEXT_TOO_LONG"),
        ("REPT(note, 999999999)", ("x" * 32,), "FORMULA_TEXT_TOO_LONG"),
        ("LPAD(note, 999999999, 'ab')", ("x",), "FORMULA_TEXT_TOO_LONG"),
        ("RPAD(note, 10000000000)", ("x",), "FORMULA_TEXT_TOO_LONG"),
        ("REPT(REPT(REPT('xxxxxxxxxx', 3200), 3200), 3200)", (), "FORMULA_TEXT_TOO_LONG"),
        ("HTMLENCODE(note)", ("&" * 32_000,), "FORMULA_TEXT_TOO_LONG"),
        ("URLENCODE(note)", ("客" * 32_000,), "FORMULA_TEXT_TOO_LONG"),
        ("REGEX_REPLACE(note, '', note)", ("x" * 10_000,), "FORMULA_TEXT_TOO_LONG"),
        ("REGEX_REPLACE(note, '(a+)+b', 'c')", ("a" * 10_000,), None),
        ("REGEX_EXTRACT(note, '(a|aa)+c')", ("a" * 10_000,), None),
        ("LIKE(note, '%a%a%a%a%a%a%b')", ("a" * 1_000,), None),
        ("JOIN(note, note, note, note)", ("x" * 9_000,), "FORMULA_TEXT_TOO_LONG"),
        ("FORMAT('{0}{0}{0}{0}', note)", ("x" * 9_000,), "FORMULA_TEXT_TOO_LONG"),
        ("JSONVALUE(note, 'a')", ("[" * 30_000,), "FORMULA_TEXT_TOO_LONG"),
        ("PINYIN(note)", ("客" * 32_000,), "FORMULA_TEXT_TOO_LONG"),
        ("EXP(n)", (Decimal(10**17),), "FORMULA_TOO_BIG_NUMBER"),
        ("SPLIT(note, 'a', 99999999999)", ("a" * 32_000,), None),
        ("LEFT(note, 99999999999)", ("x",), None),
        ("MID(note, 99999999999, 99999999999)", ("x",), None),
        ("REGEX(note, '(a+)+b')", ("a" * 10_000,), None),
        ("REGEX(note, '(a|aa)+c')", ("a" * 10_000,), None),
        ("REGEX(note, 'a*')", ("a" * 10_001,), "FORMULA_TEXT_TOO_LONG"),
        ("REGEX_REPLACE(note, '(a+)+b', 'x')", ("a" * 10_000,), None),
        ("REGEX_REPLACE(note, '', 'xxxxxxxx')", ("a" * 10_000,), "FORMULA_TEXT_TOO_LONG"),
        ("REGEX_EXTRACT(note, '(a|aa)+c')", ("a" * 10_000,), None),
        ("LIKE(note, '%a%a%a%a%a%a%b')", ("a" * 10_000,), None),
        ("SPLIT(note, 'a', 99999999999)", ("a" * 32_000,), None),
        ("SUBSTITUTE(note, '', 'x')", ("a" * 32_000,), None),
        ("WORKDAYDIFF(DATE(1, 1, 1), DATE(9999, 12, 31))", (), None),
        ("WORKDAY(TODAY(), n)", (Decimal(10**6),), None),
        ("WORKDAY(TODAY(), n)", (Decimal(10**17),), "FORMULA_DATE_RANGE"),
        ("HOURSBETWEEN(DATETIMEVALUE(DATE(1, 1, 2)), DATETIMEVALUE(DATE(9999, 12, 30)))", (), None),
        ("TIMEVALUE('00:00') + n", (Decimal(10**17),), None),
        ("FROMUNIXTIME(n)", (Decimal(10**17),), "FORMULA_DATE_RANGE"),
        ("FORMATDURATION(n * 100)", (Decimal(10**17),), None),
        ("DATEDIFF(DATE(1, 1, 1), DATE(9999, 12, 31), 'month')", (), None),
        ("EXP(n)", (Decimal(10**17),), "FORMULA_TOO_BIG_NUMBER"),
        ("VALUE(note)", ("9" * 30_000,), "FORMULA_NOT_A_NUMBER"),
        ("VALUE(note)", ("1e999999999",), "FORMULA_NOT_A_NUMBER"),
        ("VALUE('1e99')", (), "FORMULA_TOO_BIG_NUMBER"),
    ],
)
def test_no_value_takes_long(text: str, values: tuple[Any, ...], code: str | None) -> None:
    run = compiled(text).evaluator()

    def outcome() -> str | None:
        try:
            run(values, ENV)
        except EvaluationError as error:
            return error.code
        return None

    with soon():
        assert outcome() == code
    quick(outcome)


def test_a_formula_of_the_usual_size_is_read_at_once() -> None:
    text = 'IF(ISBLANK(rate), amount, ROUND(amount * (1 - rate), 2)) + CASE(stage, "open", 1, "won", 2, 3)'
    parse(text)
    quick(lambda: compiled(text).evaluator())


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_nothing_that_was_typed_stands_in_sql(dialect: str) -> None:
    evil = "x'); DROP TABLE users; --"
    formula = compiled(
        f'IF(name = "{evil}", note & "{evil}", SUBSTITUTE(name, "{evil}", "%(tw_now)s :tw_now"))'
    )
    assert formula.pushable[dialect] is None
    written = _written(formula, dialect)
    assert "DROP" not in written and "tw_now" not in written
