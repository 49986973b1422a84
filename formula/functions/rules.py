"""Rules that operators and functions share: which values can be compared, chosen between, or made into
text.
"""

from decimal import Decimal
from uuid import UUID

from tabwright.formula import nodes
from tabwright.formula.datatypes import TEXT, TEXT_LIKE, Type, common, number
from tabwright.formula.faults import nearest
from tabwright.formula.figures import At
from tabwright.formula.functions.registry import Wrong
from tabwright.formula.lexer import quote
from tabwright.formula.typed import Node, coerced, literal, make

_NATIVE = {"=": "eq", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_TEXT = {"=": "same", "<>": "other", "<": "text_lt", "<=": "text_le", ">": "text_gt", ">=": "text_ge"}
_ORDERED = frozenset({"number", "date", "datetime", "time"})


def compare(op: str, a: Node, b: Node, at: At, where: nodes.Tree) -> Node:
    """The comparison `a op b`; `where` is what is wrong when they cannot be compared."""
    if a.type.kind == "null" and b.type.kind == "null":
        a = literal(None, Type("number"), a.at)
    a, b = coerced(a, b.type), coerced(b, a.type)
    kinds = {a.type.kind, b.type.kind}
    if kinds <= TEXT_LIKE:
        check_value(a, b, where)
        check_value(b, a, where)
        return make(_TEXT[op], a, b, at=at)
    if kinds == {"choices"} and op in ("=", "<>"):
        return make(_TEXT[op], a, b, at=at)
    if "reference" in kinds and op in ("=", "<>"):
        return make(_TEXT[op], _record(a, b, where), _record(b, a, where), at=at)
    if len(kinds) == 1 and (kinds <= _ORDERED or (kinds == {"boolean"} and op in ("=", "<>"))):
        return make(_NATIVE[op], a, b, at=at)
    if len(kinds) == 1:
        raise Wrong("FORMULA_NO_ORDER", at, function=op, received=a.type.kind)
    raise Wrong("FORMULA_WRONG_TYPE", where, function=op, expected=a.type.kind, received=b.type.kind)


def check_value(field: Node, value: Node, where: nodes.Tree) -> None:
    """Raises Wrong when `value` is a literal that the picklist `field` does not have."""
    known = field.type.values
    if known is not None and value.literal and value.data and value.data not in known:
        near = nearest(value.data, known)
        raise Wrong("FORMULA_UNKNOWN_VALUE", where, near and quote(near), value=value.data)


def chosen(value: Node, expected: Type, where: nodes.Tree) -> Node:
    """The choices that a literal text names, written "a;b"."""
    codes = [code for each in str(value.data).split(";") if (code := each.strip())]
    for code in codes:
        check_value(literal("", expected), literal(code, TEXT, value.at), where)
    return literal(f";{';'.join(dict.fromkeys(codes))};" if codes else "", expected, value.at)


def _record(side: Node, other: Node, where: nodes.Tree) -> Node:
    """A side of a comparison of references: a literal text is read as an id."""
    if side.type.kind == "reference":
        return side
    if not side.literal or side.type.kind != "text":
        params = {"expected": "reference", "received": side.type.kind}
        raise Wrong("FORMULA_WRONG_TYPE", where, function="=", **params)
    if not side.data:
        return literal(None, other.type, side.at)
    try:
        return literal(UUID(side.data), other.type, side.at)
    except ValueError:
        raise Wrong("FORMULA_NOT_AN_ID", where, value=side.data) from None


def alike(picked: list[Node], written: list[nodes.Tree], at: At) -> None:
    """Raises Wrong when the values that a function chooses between have no type in common."""
    kind = picked[0].type
    for node, where in zip(picked[1:], written[1:], strict=True):
        both = common(kind, node.type)
        if both is None:
            params = {"expected": kind.kind, "received": node.type.kind}
            raise Wrong("FORMULA_WRONG_TYPE", where, function=at.function, **params)
        kind = both


def as_text(node: Node, at: At, where: nodes.Tree) -> Node:
    """The value as TEXT gives it."""
    kind = node.type.kind
    if kind == "null":
        return literal("", TEXT, at)
    if kind == "text":
        return node
    if kind == "picklist":
        return make("concat", node, at=at)
    if kind == "choices":  # without the separators round it
        start, ends = literal(Decimal(2), number(0), at), literal(Decimal(2), number(0), at)
        return make("mid", node, start, make("sub", make("len", node, at=at), ends, at=at), at=at)
    if kind in ("number", "date", "datetime", "time"):
        return make(f"{kind}_text", node, at=at)
    raise Wrong("FORMULA_WRONG_TYPE", where, function=at.function, expected="text", received=kind)


def stored(node: Node, *, always: bool = False) -> Node:
    """The value as it is stored: where blanks count as zero, a number field before that (not so in the
    dialect of imported files, unless ``always``).
    """
    return node.args[0] if node.op == "zero" and (always or not node.data) else node
