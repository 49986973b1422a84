"""What both databases must run, named one by one; and nothing else is refused by the list of the law."""

import random

import pytest

from formulas import PUSHED, compiled, records
from formulas import Writer as FormulaWriter
from tabwright.formula.functions.catalogue import FUNCTIONS

# At least one formula for every function and operator of the list, over fields rather than constants.
MUST = {
    "+": ["amount + n", "name + note", "close + n", "start + amount", "opens + n"],
    "-": ["amount - n", "close - born", "close - n", "start - finish", "opens - shuts", "-amount"],
    "*": ["amount * price"],
    "/": ["amount / price", "fine / n"],
    "^": ["amount ^ 2", "fine ^ 16", "amount ^ 0", "price ^ -1", "price ^ -3"],
    "&": ["name & amount & close & start & opens & stage & tags"],
    "=": ["amount = n", "name = note", "stage = level", "tags = tags", "owner = account.owner", "ok = ok"],
    "<>": ["close <> born", "start <> finish", "opens <> shuts"],
    "<": ["amount < n", "name < note"],
    "<=": ["close <= born"],
    ">": ["start > finish"],
    ">=": ["opens >= shuts"],
    "&&": ["ok && amount > 1"],
    "||": ["ok || amount > 1"],
    "!": ["!ok"],
    "IF": ["IF(ok, amount, n)", "IF(ok, opens, NULL)"],
    "CASE": ['CASE(stage, "open", amount, "won", n, 0)', "CASE(n, m, name, note)"],
    "AND": ["AND(ok, amount > 1)"],
    "OR": ["OR(ok, amount > 1)"],
    "NOT": ["NOT(ok)"],
    "ISBLANK": ["ISBLANK(amount)", "ISBLANK(name)", "ISBLANK(tags)", "ISBLANK(owner)", "ISBLANK(opens)"],
    "BLANKVALUE": ["BLANKVALUE(amount, n)", "BLANKVALUE(name, note)", "BLANKVALUE(close, TODAY())"],
    "ISPICKVAL": ['ISPICKVAL(stage, "won")', 'ISPICKVAL(account.level, "won")'],
    "INCLUDES": ['INCLUDES(tags, "vip")', 'INCLUDES(account.tags, "a", "b")'],
    "ABS": ["ABS(amount)"],
    "ROUND": ["ROUND(fine, 2)", "ROUND(fine, n)"],
    "CEILING": ["CEILING(fine)"],
    "FLOOR": ["FLOOR(fine / n)"],
    "MOD": ["MOD(amount, price)"],
    "MIN": ["MIN(amount, n)", "MIN(close, born)", "MIN(opens, shuts)"],
    "MAX": ["MAX(amount, n)", "MAX(start, finish)"],
    "LEN": ["LEN(note)"],
    "LEFT": ["LEFT(note, n)"],
    "RIGHT": ["RIGHT(note, n)"],
    "MID": ["MID(note, n, m)"],
    "TRIM": ["TRIM(note)"],
    "CONTAINS": ["CONTAINS(note, name)"],
    "BEGINS": ["BEGINS(note, name)", 'BEGINS(note, "a")'],
    "FIND": ["FIND(name, note)", "FIND(name, note, n)"],
    "SUBSTITUTE": ["SUBSTITUTE(note, name, account.name)"],
    "TODAY": ["TODAY()"],
    "NOW": ["NOW()"],
    "DATE": ["DATE(n, m, n)"],
    "YEAR": ["YEAR(close)"],
    "MONTH": ["MONTH(close)"],
    "DAY": ["DAY(close)"],
    "WEEKDAY": ["WEEKDAY(close)"],
    "ADDMONTHS": ["ADDMONTHS(close, n)", "ADDMONTHS(start, n)"],
    "DATEVALUE": ["DATEVALUE(start)", "DATEVALUE(note)"],
    "lookup paths": ["account.amount + n", "account.owner.seen > start", "account.owner.begins = opens"],
}


@pytest.mark.parametrize("text", [text for texts in MUST.values() for text in texts])
def test_both_databases_run_it(text: str) -> None:
    for blanks in ("zero", "blank"):
        refused = compiled(text, blanks=blanks).pushable
        assert refused == {"sqlite": None, "postgresql": None}


def test_the_list_of_the_law_has_all_of_these() -> None:
    assert {name for name in MUST if name not in ("lookup paths", "^")} <= PUSHED
    assert {name for name in PUSHED if name.isalpha()} <= set(FUNCTIONS)


def test_generated_records_are_blank_behind_a_blank_lookup() -> None:
    """So that formulas over paths meet what a missing record means."""
    data = records(50, 1)
    assert any(each["account"] is None for each in data)
    for each in data:
        assert each["account"] is not None or each["account.owner.seen"] is None


def test_generated_formulas_use_every_kind_of_field() -> None:
    writer = FormulaWriter(random.Random(1), on_save=True)
    written = " ".join(writer.formula(3) for _ in range(400))
    for name in (
        "opens",
        "tags",
        "account.owner.seen",
        "PRIORVALUE(",
        "HOURSBETWEEN(",
        "PINYIN(",
        "STARTOF(",
    ):
        assert name in written
