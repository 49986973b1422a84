"""The truth tables of blanks, number by number and text by text."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from formulas import ENV, Database, compiled, database, in_database, in_process

BLANK: dict[str, Any] = dict.fromkeys(
    "amount price fine n m rate name note account.name stage level ok close born start finish owner account"
    " account.owner".split()
)
ONE = {**BLANK, "n": Decimal(1), "name": "x", "$user.id": None}
ALL = [{**BLANK, "$user.id": None}]

NUMBERS = [
    # formula, blank mode, zero mode
    ("amount", None, 0),
    ("amount + 1", None, 1),
    ("1 - amount", None, 1),
    ("amount * 2", None, 0),
    ("-amount", None, 0),
    ("ROUND(amount, 1)", None, 0),
    ("MAX(amount, -1)", None, 0),
    ("amount = 0", False, True),
    ("amount <> 0", False, False),
    ("amount < 1", False, True),
    ("NOT(amount < 1)", False, False),
    ("IF(amount < 1, 'a', 'b')", "b", "a"),
    ("ISBLANK(amount)", True, True),
    ("ISNULL(amount)", True, True),
    ("ISBLANK(amount + 1)", True, False),
    ("BLANKVALUE(amount, 7)", 7, 7),
    ("NULLVALUE(amount, 7)", 7, 7),
    ("ISBLANK(rate)", True, True),
    ("rate + 1", None, 1),
    ("1 / amount", None, "error"),
    ("MOD(1, amount)", None, "error"),
    ("TEXT(amount)", None, "0"),
    ("amount & 'x'", "x", "0x"),
    ("CASE(amount, 0, 'zero', 'none')", "none", "zero"),
    ("IN(amount, 0, 1)", False, True),
    ("BETWEEN(amount, 0, 1)", False, True),
    ("LEFT('abc', amount)", None, None),
    ("amount = NULL", False, False),
    ("amount + NULL", None, None),
    ("close + amount", None, None),
]
OTHERS = [
    ("name = ''", True),
    ("name <> ''", False),
    ("name = NULL", True),
    ("name = note", True),
    ("name = 'x'", False),
    ("name <> 'x'", True),
    ("NOT(name = 'x')", True),
    ("name < 'x'", False),
    ("NOT(name < 'x')", False),
    ("name >= ''", False),
    ("name & 'x'", "x"),
    ("name + 'x'", "x"),
    ("name & note", None),
    ("LEN(name)", 0),
    ("UPPER(name)", None),
    ("ISBLANK(name)", True),
    ("ISBLANK(name & note)", True),
    ("ISNULL(name)", False),
    ("BLANKVALUE(name, 'x')", "x"),
    ("NULLVALUE(name, 'x')", None),
    ("CONTAINS(name, '')", True),
    ("CONTAINS(name, 'a')", False),
    ("CONTAINS('abc', name)", True),
    ("BEGINS('abc', name)", True),
    ("FIND(name, 'abc')", 0),
    ("SUBSTITUTE('abc', name, 'x')", "abc"),
    ("SUBSTITUTE('abc', 'b', name)", "ac"),
    ("VALUE(name)", None),
    ("DATEVALUE(name)", None),
    ("CASE(name, '', 1, 2)", 1),
    ("IN(name, '', 'a')", True),
    ("BETWEEN(name, '', 'z')", False),
    ("stage = ''", True),
    ("ISPICKVAL(stage, '')", True),
    ("stage <> 'won'", True),
    ("ISBLANK(stage)", True),
    ("TEXT(stage) & 'x'", "x"),
    ("CASE(stage, 'won', 1, 2)", 2),
    ("close = close", False),
    ("close < TODAY()", False),
    ("NOT(close < TODAY())", False),
    ("close + 1", None),
    ("close - born", None),
    ("YEAR(close)", None),
    ("ISBLANK(close)", True),
    ("BLANKVALUE(close, TODAY())", ENV.today),
    ("TEXT(close)", None),
    ("ADDMONTHS(close, 1)", None),
    ("MAX(close, TODAY())", None),
    ("start - finish", None),
    ("DATEVALUE(start)", None),
    ("owner = account.owner", True),
    ("owner <> account.owner", False),
    ("owner = $user.id", True),
    ("owner = ''", True),
    ("ISBLANK(owner)", True),
    ("ok", False),
    ("NOT(ok)", True),
    ("ok = FALSE", True),
    ("ISBLANK(ok)", False),
    ("AND(TRUE, n = 1)", False),
    ("OR(n = 1, TRUE)", True),
    ("OR(n = 1, FALSE)", False),
    ("XOR(n = 1, TRUE)", True),
    ("NOT(n = 1)", False),
    ("NOT(AND(n = 1, TRUE))", True),
    ("(n = 1) = TRUE", False),
    ("IF(n = 1, 1, 2)", 2),
    ("IF(n = 1, 'x', NULL)", None),
    ("IF(TRUE, NULL, 1)", None),
    ("account.name & 'x'", "x"),
    ("n = 1", False),
]


@pytest.mark.parametrize("mode", ["blank", "zero"])
@pytest.mark.parametrize(("text", "blank", "zero"), NUMBERS)
def test_blank_numbers(text: str, blank: Any, zero: Any, mode: str, empty: Database) -> None:
    formula = compiled(text, blanks=mode)
    expected = blank if mode == "blank" else zero
    assert in_process(formula, ALL) == [expected]
    assert in_database(formula, empty) == [expected]


@pytest.mark.parametrize(("text", "expected"), OTHERS)
def test_blanks_of_other_types(text: str, expected: Any, empty: Database) -> None:
    formula = compiled(text)
    assert in_process(formula, ALL) == [expected]
    if "$user" not in text:  # there the table's own user is asked for
        assert in_database(formula, empty) == [expected]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest) -> Any:
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url").replace("postgresql://", "postgresql+psycopg://")
    with database(request.param, url, ALL) as found:
        yield found


@pytest.mark.parametrize(
    ("text", "new", "before", "now", "expected"),
    [
        ("ISCHANGED(name)", False, None, "", False),
        ("ISCHANGED(name)", False, None, "a", True),
        ("ISCHANGED(name)", False, "a\r\nb", "a\nb", False),
        ("ISCHANGED(name)", True, None, "a", False),
        ("PRIORVALUE(name)", False, "a", "b", "a"),
        ("PRIORVALUE(name)", True, None, "b", "b"),
        ("ISNEW()", True, None, None, True),
        ("ISCHANGED(amount)", False, Decimal("1.50"), Decimal("1.5"), False),
        ("ISCHANGED(amount)", False, None, Decimal(0), True),
        ("PRIORVALUE(amount) + amount", False, Decimal(1), Decimal(2), Decimal(3)),
        ("PRIORVALUE(rate)", False, Decimal(50), Decimal(25), Decimal("0.5")),
    ],
)
@pytest.mark.parametrize("mode", ["blank", "zero"])
def test_the_state_of_the_record(
    text: str, new: bool, before: Any, now: Any, expected: Any, mode: str
) -> None:
    formula = compiled(text, blanks=mode)
    env = replace(ENV, is_new=new)
    values = [before if read.prior else now for read in formula.reads]
    assert formula.evaluator()(values, env) == expected
    assert formula.pushable["sqlite"] is not None and formula.pushable["postgresql"] is not None


@pytest.mark.parametrize(
    ("text", "code", "function"),
    [
        ("1 + n / 0", "FORMULA_DIVISION_BY_ZERO", "/"),
        ("MOD(n, 0)", "FORMULA_DIVISION_BY_ZERO", "MOD"),
        ("n * 99999999999999999999 * 99", "FORMULA_TOO_BIG_NUMBER", "*"),
        ("(0 - n) ^ 0.5", "FORMULA_BAD_POWER", "^"),
        ("VALUE(name)", "FORMULA_NOT_A_NUMBER", "VALUE"),
        ("DATE(2023, 2, 29)", "FORMULA_NO_SUCH_DATE", "DATE"),
        ("DATEVALUE('2023-02-29')", "FORMULA_NO_SUCH_DATE", "DATEVALUE"),
        ("DATE(9999, 12, 31) + n", "FORMULA_DATE_RANGE", "+"),
        ("ADDMONTHS(DATE(1, 1, 1), 0 - n)", "FORMULA_DATE_RANGE", "ADDMONTHS"),
    ],
)
def test_an_error_has_a_code_and_a_place(text: str, code: str, function: str) -> None:
    from tabwright.formula.faults import EvaluationError, say

    formula = compiled(text)
    values = [ONE[".".join(read.path)] for read in formula.reads]
    with pytest.raises(EvaluationError) as caught:
        formula.evaluator()(values, ENV)
    error = caught.value
    assert (error.code, error.function) == (code, function)
    fault = error.fault(text)
    assert function in text[fault.start : fault.end]
    assert say(fault, "zh") != say(fault, "en")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IF(FALSE, 1 / 0, 37)", 37),
        ("AND(1 <> 1, 1 / 0 = 0)", False),
        ("OR(TRUE, 1 / 0 = 0)", True),
        ("CASE(2, 1, 1 / 0, 2, 5, 1 / 0)", 5),
        ("BLANKVALUE(3, 1 / 0)", 3),
        ("IF(n <> 0, 1 / n, 0)", 1),
    ],
)
def test_what_is_not_needed_is_not_worked_out(text: str, expected: Any, place: Database) -> None:
    formula = compiled(text)
    assert in_process(formula, [ONE]) == [expected]
    if not formula.reads:
        assert in_database(formula, place) == [expected]
