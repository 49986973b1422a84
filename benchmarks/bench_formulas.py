"""Generated Python against functions written by hand, on the formulas F1 to F3 of docs/performance.md.

Both get the values of a record in a sequence and an Env, follow the same rules (exact decimals, blanks,
texts) and must give the same on every record. The best of several rounds over all records, in turns; the
command exits with 1 when a ratio is beyond the bar.

    python benchmarks/bench_formulas.py [--records 2000] [--rounds 60]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, getcontext, setcontext
from typing import Any

from tabwright.formula.compiler import compile_formula
from tabwright.formula.datatypes import DATE, Type, number, picklist
from tabwright.formula.environment import Env
from tabwright.formula.figures import CONTEXT
from tabwright.formula.scope import Path
from tabwright.formula.treewalk import evaluate

BAR = 1.5
LEVELS = ("junior", "senior", "lead")
FIELDS: dict[str, Type] = {
    "amount": number(2, 16),
    "bonus": number(2, 16),
    "discount": number(2, 5, percent=True),
    "stage": picklist(["open", "won", "lost"]),
    "rating": picklist(["hot", "warm", "cold", "dead", "new"]),
    "close_date": DATE,
    "account.owner.level": picklist(LEVELS),
}
FORMULAS = {
    "F1": "IF(ISBLANK(discount), amount, ROUND(amount * (1 - discount), 2))",
    "F2": (
        'IF(AND(NOT(ISPICKVAL(stage, "won")), close_date < TODAY()), '
        '"Overdue " & TEXT(TODAY() - close_date) & " days", '
        'CASE(rating, "hot", "Call today", "warm", "Call this week", "cold", "Write", "dead", "Leave", "-"))'
    ),
    "F3": (
        "IF(amount < 10000, amount * 0.02, IF(amount < 50000, 200 + (amount - 10000) * 0.03, "
        "IF(amount < 200000, 1400 + (amount - 50000) * 0.04, 7400 + (amount - 200000) * 0.05))) "
        '* CASE(account.owner.level, "junior", 0.8, "senior", 1, "lead", 1.2, 1) + BLANKVALUE(bonus, 0)'
    ),
}
Values = Sequence[Any]

_HUNDREDTH, _ONE, _CENT, _ZERO = Decimal("0.01"), Decimal(1), Decimal("0.01"), Decimal(0)


def by_hand_1(v: Values, e: Env) -> Any:
    """Reads discount, amount."""
    if getcontext() is not CONTEXT:
        setcontext(CONTEXT)
    discount, amount = v
    if discount is None:
        return amount
    if amount is None:
        return None
    return (amount * (_ONE - discount * _HUNDREDTH)).quantize(_CENT) or _ZERO


def by_hand_2(v: Values, e: Env) -> Any:
    """Reads stage, close_date, rating."""
    stage, close, rating = v
    if stage != "won" and close is not None and close < e.today:
        return f"Overdue {(e.today - close).days} days"
    if rating == "hot":
        return "Call today"
    if rating == "warm":
        return "Call this week"
    if rating == "cold":
        return "Write"
    if rating == "dead":
        return "Leave"
    return "-"


_T = [Decimal(each) for each in ("10000", "50000", "200000")]
_R = [Decimal(each) for each in ("0.02", "0.03", "0.04", "0.05")]
_B = [Decimal(each) for each in ("200", "1400", "7400")]
_JUNIOR, _LEAD = Decimal("0.8"), Decimal("1.2")


def by_hand_3(v: Values, e: Env) -> Any:
    """Reads amount, account.owner.level, bonus."""
    if getcontext() is not CONTEXT:
        setcontext(CONTEXT)
    amount, level, bonus = v
    if amount is None:
        return None
    if amount < _T[0]:
        share = amount * _R[0]
    elif amount < _T[1]:
        share = _B[0] + (amount - _T[0]) * _R[1]
    elif amount < _T[2]:
        share = _B[1] + (amount - _T[1]) * _R[2]
    else:
        share = _B[2] + (amount - _T[2]) * _R[3]
    if level == "junior":
        factor = _JUNIOR
    elif level == "senior":
        factor = _ONE
    elif level == "lead":
        factor = _LEAD
    else:
        factor = _ONE
    return share * factor + (_ZERO if bonus is None else bonus) or _ZERO


BY_HAND: dict[str, Callable[[Values, Env], Any]] = {"F1": by_hand_1, "F2": by_hand_2, "F3": by_hand_3}


class Names:
    """The Scope of FIELDS."""

    def type_of(self, path: Path) -> Type | None:
        return FIELDS.get(".".join(path))

    def suggestions(self, path: Path) -> Iterable[str]:
        return ()


def made(count: int, today: date) -> list[dict[str, Any]]:
    """Records as a team has them: one in eight values is blank."""
    choices = random.Random(20)

    def some(value: Any) -> Any:
        return None if choices.random() < 0.125 else value

    return [
        {
            "amount": some(Decimal(choices.randrange(100, 40_000_000)).scaleb(-2)),
            "bonus": some(Decimal(choices.randrange(0, 100_000)).scaleb(-2)),
            "discount": some(Decimal(choices.randrange(0, 4_000)).scaleb(-2)),
            "stage": some(choices.choice(("open", "won", "lost"))),
            "rating": some(choices.choice(("hot", "warm", "cold", "dead", "new"))),
            "close_date": some(today + timedelta(choices.randrange(-200, 200))),
            "account.owner.level": some(choices.choice(LEVELS)),
        }
        for _ in range(count)
    ]


def best(run: Callable[[Values, Env], Any], rows: Sequence[Values], env: Env) -> float:
    """Nanoseconds a record, once over all of them."""
    begun = time.perf_counter_ns()
    for row in rows:
        run(row, env)
    return (time.perf_counter_ns() - begun) / len(rows)


def main() -> int:
    reader = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    reader.add_argument("--records", type=int, default=2_000)
    reader.add_argument("--rounds", type=int, default=60)
    options = reader.parse_args()
    today = date(2024, 2, 29)
    env = Env(today, datetime(2024, 2, 29, 8, tzinfo=UTC))
    records = made(options.records, today)
    missed = False
    for name, text in FORMULAS.items():
        formula, hand = compile_formula(text, Names()), BY_HAND[name]
        run = formula.evaluator()
        rows = [tuple(record[".".join(read.path)] for read in formula.reads) for record in records]
        for row in rows:
            expected = hand(row, env)
            assert run(row, env) == expected == evaluate(formula.root, formula.reads, row, env), (name, row)
        times = [(best(hand, rows, env), best(run, rows, env)) for _ in range(options.rounds)]
        by_hand, generated = (min(each) for each in zip(*times, strict=True))
        ratio = generated / by_hand
        missed |= ratio > BAR
        print(
            f"{name}: generated {generated:.0f} ns, by hand {by_hand:.0f} ns, ratio {ratio:.2f} (bar {BAR})"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
