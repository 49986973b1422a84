"""Generated Python: nothing of the user's in it, and nothing but a few kinds of node."""

import ast
import random
import re
from decimal import Context, Decimal, setcontext

import pytest

from formulas import ENV, Writer, compiled
from tabwright.formula.codegen import write
from tabwright.formula.faults import FormulaError

NODES = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.If, ast.Expr,
    ast.Tuple, ast.Name, ast.Load, ast.Store, ast.Constant, ast.Call, ast.IfExp, ast.NamedExpr,
    ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.BinOp, ast.Add, ast.Sub, ast.Mult,
    ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In,
    ast.Attribute,
)  # fmt: skip
NAME = re.compile(r"formula|v|e|[fkt]\d+|h_[a-z_]+")


def check_source(source: str) -> None:
    for node in ast.walk(ast.parse(source)):
        assert isinstance(node, NODES), ast.dump(node)
        if isinstance(node, ast.Name):
            assert NAME.fullmatch(node.id), node.id
        elif isinstance(node, ast.arg):
            assert NAME.fullmatch(node.arg), node.arg
        elif isinstance(node, ast.Attribute):  # of the environment only
            assert isinstance(node.value, ast.Name) and node.value.id == "e"
            assert node.attr in ("today", "now", "zone", "is_new", "calendar", "fiscal")
        elif isinstance(node, ast.Constant):
            assert node.value in (None, True, False)
        elif isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name) and node.func.id.startswith("h_")


def test_the_source_holds_only_what_is_on_the_list() -> None:
    writer = Writer(random.Random(7))
    for _ in range(300):
        try:
            formula = compiled(writer.formula(4))
        except FormulaError:
            continue
        check_source(write(formula.root, formula.reads)[0])


@pytest.mark.parametrize(
    "text",
    [
        '\'__import__("os").system("x")\' & name',
        '"\'); raise SystemExit #" & name',
        "IF(name = 'f0', 'k0', '{0.__class__}')",
    ],
)
def test_what_a_user_types_stays_a_constant(text: str) -> None:
    formula = compiled(text)
    source, constants = write(formula.root, formula.reads)
    check_source(source)
    for word in ("import", "raise", "class", "SystemExit"):
        assert word not in source
    assert any(isinstance(value, str) and value in text for value in constants.values())


def test_a_chain_of_any_length_is_compiled() -> None:
    assert compiled(" + ".join(["n"] * 200)).evaluator()((Decimal(2),), ENV) == 400
    assert compiled(" & ".join(["name"] * 200)).evaluator()(("ab",), ENV) == "ab" * 200
    deep = "IF(n = 1, 0, " * 55 + "1 / n" + ")" * 55
    assert compiled(deep).evaluator()((Decimal(2),), ENV) == Decimal("0.5")
    wide = "IFS(" + ", ".join(f"ROUND(n / {i}, 2) = 1, {i}" for i in range(1, 80)) + ", 0)"
    assert compiled(wide).evaluator()((Decimal(77),), ENV) == 77
    sums = "(1 + " * 58 + "n / 3" + ")" * 58
    assert compiled(sums).evaluator()((Decimal(3),), ENV) == 59


def test_the_number_model_is_the_context_of_whoever_evaluates() -> None:
    setcontext(Context(prec=5))
    value = compiled("n / 3 + 12345678901").evaluator()((Decimal(1),), ENV)
    assert value == Decimal("12345678901.333333333333333333")
    setcontext(Context(prec=5))
    exact = compiled("-12345678901.123456789 + n")
    assert exact.evaluator()((Decimal(0),), ENV) == Decimal("-12345678901.123456789")


def test_the_same_formula_is_compiled_once() -> None:
    formula = compiled("amount + 1")
    assert formula.evaluator() is formula.evaluator()
    one, other = (compiled(text).evaluator() for text in ("amount + 2", "price + 3"))
    assert one.__code__ is other.__code__
    assert one((Decimal(1),), ENV) != other((Decimal(1),), ENV)
