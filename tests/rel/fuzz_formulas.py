"""Promise R51: whatever is typed as a formula, the answer is a formula or its faults; nothing else comes out.

Well-typed formulas, the examples of every function and odd texts are cut, joined, doubled and sprinkled with
signs. Of each result: the parser and checker give faults of known codes at places inside the text, sayable in
both languages, or a formula; a formula's generated Python holds only what is on the list; it gives the same
as the tree walk or the same error, on records of extremes; its SQL is refused or written, and no text that
was typed stands in it.

    python tests/rel/fuzz_formulas.py [--minutes 10] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from formulas import ENVS, USER, Names, Writer, records
from sources import check_source
from tabwright.formula.codegen import write
from tabwright.formula.compiler import Formula, compile_formula
from tabwright.formula.faults import EvaluationError, FormulaError, messages, say
from tabwright.formula.functions.catalogue import FUNCTIONS
from tabwright.formula.scope import Path as FieldPath
from tabwright.formula.scope import Place
from tabwright.formula.treewalk import evaluate

DIALECTS: dict[str, sa.Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(paramstyle="named"),  # type: ignore[no-untyped-call]
}
SIGNS: list[str] = [
    *"()[]{},;.:#$&|=<>!+-*/^\"\'\\ \n\t\0\u3000\u200b\ufeff（），＝“”%@`~?", *"eE0ß客İ", "\ud800", "😀",
    "&&", "||", "<>", "/*", "*/", "''", '""', "\\\\", "\\n", "..", "::", "9" * 30, "1e99",
    "0.0000000000000000001",
    "NULL", "TRUE", "NOT", "and", "$User.Id", "$user", "$Org", "$Org.nmae", "$Org.zone", "$Record",
    "$Record.amount", "$Record.no", "$Label", "$Label.helo", "$Label.hello", "name.name",
    "account.owner.owner", "客户",
    "self", "None", "lambda", "__class__", "__import__", "k0", "f0", "t1", "h_add", "{0}", "%s", "%%",
    ":tw_now", "--", "';DROP TABLE r;--",
]  # fmt: skip
ODD: list[str] = [
    "", " ", "/* */", "((((((((((1))))))))))", "-" * 50 + "1", "!" * 50 + "ok", "'\\", '"' * 7, "a" * 300,
    "1" * 400, "IF(,,)", "CASE()", "SUM(name)", "name(1)", "(1)(2)", "1 2", "name name", "#", "𝟙𝟚𝟛", "١٢",
    "１２", "ｎａｍｅ", "Ⅷ", "__builtins__", "().__class__", "name.__class__", "'%(x)s' & name",
    "'tw_sentinel' & name", "2^2^2^2^2", "9^9^9^9", "0^-1", "0.1^99999",
    "CHR(55296)", "CHR(0)", "REGEX(CHR(55297), '.*')", "PINYIN(CHR(1114111))", "CHR(1114112)",
    "REPT(REPT('x', 32000), 32000)", "LPAD('x', 99999999999, 'y')", "REGEX(name, '(((((a+)+)+)+)+)+$')",
    "FORMAT('{0.__class__.__mro__}', name)", "FORMAT('{0[__class__]}', name)",
    "REGEX_REPLACE(note, '.*', note & note)", "JSONVALUE(note, '$..a')", "JSONVALUE('[[[[[[[[[[[[', '$')",
    "WORKDAY(close, 99999999999999999)", "DATE(99999999999999999, -1, 0.5)",
    'DATETIMEVALUE("9999-12-31 23:59:59") + 0.1', "ADDMONTHS(start, -99999999999)",
]  # fmt: skip
FEW = records(6, 51)


class Typed:
    """Texts as somebody would type them who means no good."""

    def __init__(self, choices: random.Random) -> None:
        self.choices = choices
        self.writer = Writer(choices, on_save=True)
        self.examples = [example.formula for each in FUNCTIONS.values() for example in each.examples]

    def text(self) -> str:
        found = self.seed()
        for _ in range(self.choices.choice((0, 1, 1, 1, 2, 3, 6))):
            found = self.changed(found)
        return found

    def seed(self) -> str:
        roll = self.choices.random()
        if roll < 0.5:
            return self.writer.formula(self.choices.randint(1, 3))
        if roll < 0.8:
            return self.choices.choice(self.examples)
        if roll < 0.9:
            name = self.choices.choice(list(FUNCTIONS))
            count = self.choices.randint(0, 5)
            kinds = ["number", "text", "boolean", "date", "datetime", "time"]
            args = [self.writer.of(self.choices.choice(kinds), 1) for _ in range(count)]
            return f"{name}({', '.join(args)})"
        return self.choices.choice(ODD)

    def changed(self, text: str) -> str:
        choices = self.choices
        here, there = sorted(choices.randint(0, len(text)) for _ in range(2))
        piece = text[here:there]
        match choices.randrange(9):
            case 0:
                return text[:here] + text[there:][:10_000]
            case 1:
                return text[:here] + choices.choice(SIGNS) + text[here:]
            case 2:
                return text[:here] + choices.choice(SIGNS) + text[here + 1 :]
            case 3:
                return (text[:there] + piece + text[there:])[:9_000]
            case 4:
                return text[:here] + self.seed() + text[there:]
            case 5:
                return f"{text} {choices.choice(['+', '&', '=', '^', '-', '&&', ','])} {self.seed()}"
            case 6:
                return f"{choices.choice(list(FUNCTIONS))}({text})"
            case 7:
                return "".join(choices.sample(piece, len(piece))).join((text[:here], text[there:]))
            case _:
                times = choices.choice((2, 5, 70, 300))
                return (text[:here] + piece[:40] * times + text[there:])[:9_000]


class Columns:
    """A table that is nowhere."""

    def column_of(self, path: FieldPath) -> sa.ColumnElement[Any]:
        name = ".".join(path)
        return sa.bindparam("user_id", USER[name]) if name in USER else sa.column("c")


def try_out(text: str, options: dict[str, Any], seen: Counter[str]) -> None:
    """One text, all the way. Raises what a person would have met."""
    try:
        formula = compile_formula(text, Names(), **options)
    except FormulaError as error:
        assert error.faults
        for fault in error.faults:
            assert fault.code in messages() and 0 <= fault.start <= fault.end <= len(text), fault
            assert fault.line >= 1 and fault.column >= 1, fault
            assert all(say(fault, language) for language in ("zh", "en"))
            seen[fault.code] += 1
        return
    seen["formula"] += 1
    check_source(write(formula.root, formula.reads)[0])
    _values(formula, seen)
    _sql(formula, text, seen)


def _values(formula: Formula, seen: Counter[str]) -> None:
    run = formula.evaluator()
    for index, record in enumerate(FEW):
        values = [record[".".join(read.path)] for read in formula.reads]
        env = ENVS[index % len(ENVS)]
        found = []
        for engine in (run, partial(evaluate, formula.root, formula.reads)):
            try:
                value: Any = engine(values, env)
                assert not isinstance(value, str) or len(value) <= 32_000
                found.append((type(value), value))
            except EvaluationError as error:
                fault = error.fault(formula.text)
                assert all(say(fault, language) for language in ("zh", "en"))
                found.append((EvaluationError, error.code))
                seen[error.code] += 1
        assert found[0][0] == found[1][0], found
        assert found[0] == found[1] or found[0][0] is EvaluationError, found


def _sql(formula: Formula, text: str, seen: Counter[str]) -> None:
    for name, dialect in DIALECTS.items():
        try:
            sql = formula.sql(Columns(), name)
        except FormulaError as error:
            (fault,) = error.faults
            assert fault.code in ("FORMULA_NOT_IN_SQL", "FORMULA_SQL_TOO_BIG"), fault
            seen[fault.code] += 1
            continue
        written = str(sa.select(sql.column(), sql.error()).compile(dialect=dialect))
        for value in formula.literals:
            assert not isinstance(value, str) or len(value) < 4 or value not in written or value in _OURS
        seen[name] += 1


# Words of SQL that a formula may have as texts, too.
_OURS = frozenset(
    ("hour", "minute", "week", "month", "quarter", "year", "date", "text", "days", "null", "time")
)


def attack(seed: int, *, count: int = 0, seconds: float = 0) -> tuple[Counter[str], list[str]]:
    """What came of `count` texts, or of `seconds` of them; and a report of each that brought more."""
    choices = random.Random(seed)
    typed, seen, wrong = Typed(choices), Counter[str](), []
    end = time.monotonic() + seconds
    while (seen["texts"] < count) if count else (time.monotonic() < end):
        seen["texts"] += 1
        text = typed.text()
        options = {
            "place": choices.choice((Place.VALIDATION, Place.VALIDATION, Place.WHERE, Place.FORMULA_FIELD)),
            "blanks": choices.choice(("zero", "blank")),
            "dialect": choices.choice(("tabwright", "tabwright", "sf")),
        }
        try:
            try_out(text, options, seen)
        except Exception:
            wrong.append(f"{text!r} {options}\n{traceback.format_exc(limit=-4)}")
            if len(wrong) > 20:
                break
    return seen, wrong


def main(given: Sequence[str] | None = None) -> int:
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("--minutes", type=float, default=10)
    reader.add_argument("--seed", type=int, default=1)
    options = reader.parse_args(given)
    seen, wrong = attack(options.seed, seconds=options.minutes * 60)
    print(
        f"{seen['texts']} texts, {seen['formula']} of them formulas, seed {options.seed}: {len(wrong)} wrong"
    )
    print(", ".join(f"{code} {count}" for code, count in seen.most_common()))
    print("\n".join(wrong[:10]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
