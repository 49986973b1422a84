"""Functions on fields with several choices."""

from decimal import Decimal

from tabwright.formula.datatypes import TEXT, number
from tabwright.formula.functions.registry import Build, Function, Signature, Use, Wrong
from tabwright.formula.functions.rules import check_value
from tabwright.formula.typed import Node, literal, make

_D = Decimal


def _each(join: str, negate: bool = False) -> Build:
    """Whether any or all of the codes are among the choices: each is looked for between its separators."""

    def build(use: Use) -> Node:
        field = use.args[0]
        tests = []
        for code, where in zip(use.args[1:], use.written[1:], strict=True):
            if not code.literal:
                raise Wrong("FORMULA_NEEDS_LITERAL", where, function=use.at.function)
            check_value(field, code, where)
            tests.append(make("contains", field, literal(f";{code.data};", TEXT, use.at), at=use.at))
        found = tests[0] if len(tests) == 1 else make(join, *tests, at=use.at)
        return make("not", found, at=use.at) if negate else found

    return build


def _count(use: Use) -> Node:
    """One less than the separators, of which every choice has one before it and the last one after it."""
    field, at = use.args[0], use.at
    one, none = literal(_D(1), number(0), at), literal(_D(0), number(0), at)
    bare = make("substitute", field, literal(";", TEXT, at), literal("", TEXT, at), at=at)
    separators = make("sub", make("len", field, at=at), make("len", bare, at=at), at=at)
    return make("if", make("blank", field, at=at), none, make("sub", separators, one, at=at), at=at)


FUNCTIONS = (
    Function(
        "INCLUDES",
        "logic",
        "choices, code, ...",
        "多选字段选了任一代码时为真。",
        "True when at least one of the codes is chosen.",
        (Signature(("choices", "text"), _each("or"), repeats=1),),
    ),
    Function(
        "INCLUDESALL",
        "logic",
        "choices, code, ...",
        "多选字段选了全部代码时为真。",
        "True when all of the codes are chosen.",
        (Signature(("choices", "text"), _each("and"), repeats=1),),
    ),
    Function(
        "EXCLUDES",
        "logic",
        "choices, code, ...",
        "多选字段一个代码都没选时为真；没有选任何值时也为真。",
        "True when none of the codes is chosen, also when nothing is.",
        (Signature(("choices", "text"), _each("or", negate=True), repeats=1),),
    ),
    Function(
        "PICKLISTCOUNT",
        "number",
        "choices",
        "多选字段选了几个值。",
        "How many values are chosen.",
        (Signature(("choices",), _count),),
    ),
)
