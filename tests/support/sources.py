"""What generated Python may be made of."""

import ast
import re

from tabwright.formula.operations import OPERATIONS, WRITTEN
from tabwright.formula.standing import ATTRIBUTES

NODES = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.If, ast.Expr,
    ast.Tuple, ast.Name, ast.Load, ast.Store, ast.Constant, ast.Call, ast.IfExp, ast.NamedExpr,
    ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.BinOp, ast.Add, ast.Sub, ast.Mult,
    ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In,
    ast.Attribute, ast.Try, ast.ExceptHandler,
)  # fmt: skip
NAME = re.compile(r"formula|v|e|[fkt]\d+")
HELPERS = {f"h_{name}" for name in [*OPERATIONS, *(f"{name}_written" for name in WRITTEN)]} | {
    f"h_{name}"
    for name in ("getcontext", "setcontext", "too_big", "quantize", "held", "decimal", "error", "label")
}
HELPERS |= {f"h_org_{name}" for name in ATTRIBUTES}


def _ours(name: str) -> bool:
    return bool(NAME.fullmatch(name)) or name in HELPERS


def check_source(source: str) -> None:
    """Fails when generated Python holds anything that the generator has no business to write."""
    for node in ast.walk(ast.parse(source)):
        assert isinstance(node, NODES), ast.dump(node)
        if isinstance(node, ast.Name):
            assert _ours(node.id), node.id
        elif isinstance(node, ast.arg):
            assert _ours(node.arg), node.arg
        elif isinstance(node, ast.Attribute):  # of the environment only
            assert isinstance(node.value, ast.Name) and node.value.id == "e"
            assert node.attr in ("today", "now", "zone", "is_new", "is_clone", "calendar", "fiscal")
        elif isinstance(node, ast.Constant):
            assert node.value in (None, True, False)
        elif isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name) and node.func.id.startswith("h_")
