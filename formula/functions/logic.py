"""Conditions, choices, blanks, and the state of the record."""

from dataclasses import replace
from decimal import Decimal

from tabwright.formula.datatypes import BOOLEAN, EMPTY_IS_BLANK, NULL
from tabwright.formula.functions.registry import Example, Function, Signature, Use, Wrong
from tabwright.formula.functions.rules import alike, check_value, compare, stored
from tabwright.formula.scope import ON_SAVE
from tabwright.formula.typed import Node, Read, literal, make


def _if(use: Use) -> Node:
    alike(list(use.args[1:]), list(use.written[1:]), use.at)
    return make("if", *use.args, at=use.at)


def _ifs(use: Use) -> Node:
    picked = [*use.args[1::2], use.args[-1]]
    alike(picked, [*use.written[1::2], use.written[-1]], use.at)
    for condition, where in zip(use.args[:-1:2], use.written[:-1:2], strict=True):
        if condition.type.kind not in ("boolean", "null"):
            params = {"expected": "boolean", "received": condition.type.kind}
            raise Wrong("FORMULA_WRONG_TYPE", where, function=use.at.function, **params)
    result = use.args[-1]
    for index in range(len(use.args) - 3, -1, -2):
        result = make("if", use.args[index], use.args[index + 1], result, at=use.at)
    return result


def _case(use: Use) -> Node:
    args, written = list(use.args), list(use.written)
    if len(args) % 2:  # SWITCH without an else
        args.append(literal(None, NULL, use.at))
        written.append(use.written[-1])
    seen: set[object] = set()
    labels = []
    for label, where in zip(args[1:-1:2], written[1:-1:2], strict=True):
        equal = compare("=", args[0], label, use.at, where)
        labels.append(equal.args[1])
        if label.literal:
            if label.data in seen:
                raise Wrong("FORMULA_LABEL_TWICE", where, function=use.at.function)
            seen.add(label.data)
        args[0] = equal.args[0]
    alike([*args[2::2], args[-1]], [*written[2::2], written[-1]], use.at)
    args[1:-1:2] = labels
    return make("case", *args, at=use.at)


def _is_blank(use: Use) -> Node:
    value = stored(use.args[0])
    if value.op == "shift":  # a percent field is blank when what is stored is
        value = value.args[0]
    if value.type.kind == "boolean" and not value.nullable:
        return literal(False, BOOLEAN, use.at)
    return make("blank", value, at=use.at)


def _is_null(use: Use) -> Node:
    if use.args[0].type.kind in EMPTY_IS_BLANK:
        return literal(False, BOOLEAN, use.at)
    return _is_blank(use)


def _blank_value(use: Use) -> Node:
    args = [stored(arg) for arg in use.args[:-1]] + [use.args[-1]]
    alike(args, list(use.written), use.at)
    result = args[-1]
    for arg in reversed(args[:-1]):
        result = make("fallback", arg, result, at=use.at)
    return result


def _null_value(use: Use) -> Node:
    alike(list(use.args), list(use.written), use.at)
    return use.args[0] if use.args[0].type.kind in EMPTY_IS_BLANK else _blank_value(use)


def _in(use: Use) -> Node:
    first, values = use.args[0], []
    for value, where in zip(use.args[1:], use.written[1:], strict=True):
        equal = compare("=", first, value, use.at, where)
        first = equal.args[0]
        values.append(equal.args[1])
    among = make("in", first, *values, at=use.at)
    if use.compat and first.type.kind in EMPTY_IS_BLANK:  # there a blank is nowhere
        filled = make("not", make("blank", first, at=use.at), at=use.at)
        return make("and", filled, among, at=use.at)
    return among


def _between(use: Use) -> Node:
    x, low, high = use.args
    above = compare(">=", x, low, use.at, use.written[1])
    below = compare("<=", above.args[0], high, use.at, use.written[2])
    return make("between", below.args[0], above.args[1], below.args[1], at=use.at)


def _is_value(use: Use) -> Node:
    field, value = use.args
    if not value.literal:
        raise Wrong("FORMULA_NEEDS_LITERAL", use.written[1], function=use.at.function)
    check_value(field, value, use.written[1])
    return make("same", field, value, at=use.at)


def _prior(node: Node) -> Node:
    """The same value before the save."""
    if node.op == "read":
        return replace(node, data=Read(node.data.path, prior=True))
    return replace(node, args=tuple(_prior(arg) for arg in node.args))


def _prior_value(use: Use) -> Node:
    now = stored(use.args[0], always=True)
    found = make("if", make("is_new", at=use.at), now, _prior(now), at=use.at)
    if now is use.args[0]:
        return found
    return make("zero", found, data=use.args[0].data, at=use.at)


def _is_changed(use: Use) -> Node:
    now = stored(use.args[0])
    fresh = make("not", make("is_new", at=use.at), at=use.at)
    return make("and", fresh, make("differs", now, _prior(now), at=use.at), at=use.at)


def _if_error(use: Use) -> Node:
    alike(list(use.args), list(use.written), use.at)
    return make("rescue", *use.args, at=use.at)


def _changed_to(use: Use) -> Node:
    now, value = use.args
    equal = compare("=", now, value, use.at, use.written[1])
    return make("and", _is_changed(Use((now,), use.written[:1], use.at)), equal, at=use.at)


_D = Decimal
FUNCTIONS = (
    Function(
        "IF",
        "logic",
        "condition, value, otherwise",
        "条件成立时取前一个值，否则取后一个值；空白的条件视为不成立。",
        "The first value when the condition holds, else the second. A blank condition does not hold.",
        (Signature(("boolean", "any", "any"), _if),),
        (
            Example('IF(1 < 2, "a", "b")', "a"),
            Example("IF(NULL = 1, 1, 2)", _D(2)),
            Example("IF(FALSE, 1 / 0, 37)", _D(37)),
        ),
    ),
    Function(
        "IFS",
        "logic",
        "condition, value, ..., otherwise",
        "依次判断条件，取第一个成立的条件所对应的值，都不成立时取最后一个值。",
        "The value of the first condition that holds, else the last value.",
        (Signature(("boolean", "any", "any"), _ifs, repeats=2),),
        (Example("IFS(1 > 2, 10, 2 > 1, 20, 30)", _D(20)),),
    ),
    Function(
        "CASE",
        "logic",
        "value, label, result, ..., otherwise",
        "取与值相等的第一个标签所对应的结果，都不相等时取最后一个。",
        "The result of the first label that equals the value, else the last argument.",
        (Signature(("any", "any", "any", "any"), _case, repeats=2),),
        (Example('CASE(2, 1, "one", 2, "two", "many")', "two"), Example('CASE("", "a", 1, 0)', _D(0))),
    ),
    Function(
        "SWITCH",
        "logic",
        "value, label, result, ..., [otherwise]",
        "同 CASE，最后的默认值可以省略，省略时为空白。",
        "As CASE; the last argument may be left out and is then blank.",
        (Signature(("any", "any", "any"), _case, repeats=1),),
        (Example('SWITCH(3, 1, "one", 2, "two")', None), Example('SWITCH(1, 1, "one")', "one")),
    ),
    Function(
        "AND",
        "logic",
        "condition, ...",
        "全部条件成立时为真；空白视为不成立；遇到不成立的条件即停止。",
        "True when all hold; blank does not hold. Stops at the first that does not.",
        (Signature(("boolean",), "and", repeats=1),),
        (Example("AND(1 < 2, 2 < 3)", True), Example("AND(FALSE, 1 / 0 = 1)", False)),
    ),
    Function(
        "OR",
        "logic",
        "condition, ...",
        "任一条件成立时为真；空白视为不成立；遇到成立的条件即停止。",
        "True when one holds; blank does not hold. Stops at the first that does.",
        (Signature(("boolean",), "or", repeats=1),),
        (Example("OR(1 > 2, 2 < 3)", True), Example("OR(TRUE, 1 / 0 = 1)", True)),
    ),
    Function(
        "NOT",
        "logic",
        "condition",
        "条件不成立时为真；空白仍为空白。也可以不写括号：NOT a、!a。",
        "True when the condition is false; blank stays blank. Also without brackets: NOT a, !a.",
        (Signature(("boolean",), "not"),),
        (Example("NOT(1 > 2)", True), Example("NOT(NULL = 1)", False)),
    ),
    Function(
        "XOR",
        "logic",
        "condition, ...",
        "成立的条件为奇数个时为真。",
        "True when an odd number of the conditions hold.",
        (Signature(("boolean",), "xor", repeats=1),),
        (Example("XOR(TRUE, FALSE)", True), Example("XOR(TRUE, TRUE)", False)),
    ),
    Function(
        "ISBLANK",
        "logic",
        "value",
        "值为空白时为真；空文本也是空白；数字字段看存储的值。",
        "True when the value is blank. The empty text is blank; of a number field the stored value counts.",
        (Signature(("any",), _is_blank),),
        (Example('ISBLANK("")', True), Example("ISBLANK(0)", False), Example("ISBLANK(NULL)", True)),
    ),
    Function(
        "ISNULL",
        "logic",
        "value",
        "同 ISBLANK，但对文本总是假；新的公式请用 ISBLANK。",
        "As ISBLANK, but always false for text. Prefer ISBLANK.",
        (Signature(("any",), _is_null),),
        (Example('ISNULL("")', False), Example("ISNULL(1)", False)),
    ),
    Function(
        "BLANKVALUE",
        "logic",
        "value, substitute",
        "值不为空白时取其本身，否则取替代值。",
        "The value, or the substitute when it is blank.",
        (Signature(("any", "any"), _blank_value),),
        (Example('BLANKVALUE("", "none")', "none"), Example("BLANKVALUE(3, 4)", _D(3))),
    ),
    Function(
        "NULLVALUE",
        "logic",
        "value, substitute",
        "同 BLANKVALUE，但对文本从不替代；新的公式请用 BLANKVALUE。",
        "As BLANKVALUE, but never substitutes a text. Prefer BLANKVALUE.",
        (Signature(("any", "any"), _null_value),),
        (Example('NULLVALUE("", "none")', None), Example("NULLVALUE(3, 4)", _D(3))),
    ),
    Function(
        "COALESCE",
        "logic",
        "value, ...",
        "第一个不为空白的值。",
        "The first value that is not blank.",
        (Signature(("any", "any"), _blank_value, repeats=1),),
        (Example('COALESCE("", "", "c")', "c"), Example("COALESCE(NULL, 2)", _D(2))),
    ),
    Function(
        "IN",
        "logic",
        "value, candidate, ...",
        "值等于任一候选值时为真。",
        "True when the value equals one of the candidates.",
        (Signature(("any", "any"), _in, repeats=1),),
        (Example('IN("b", "a", "b")', True), Example("IN(3, 1, 2)", False)),
    ),
    Function(
        "BETWEEN",
        "logic",
        "value, lowest, highest",
        "值在两者之间（含两端）时为真。",
        "True when the value lies between the two, both included.",
        (Signature(("any", "any", "any"), _between),),
        (
            Example("BETWEEN(2, 1, 2)", True),
            Example("BETWEEN(DATE(2024,1,1), DATE(2024,1,2), DATE(2024,2,1))", False),
        ),
    ),
    Function(
        "ISPICKVAL",
        "logic",
        "picklist, code",
        "选项列表字段的代码等于给定的文字时为真。",
        "True when the picklist field has this code.",
        (Signature(("picklist", "text"), _is_value),),
    ),
    Function(
        "ISNEW",
        "record",
        "",
        "记录正在新建时为真。",
        "True while the record is being created.",
        (Signature((), "is_new"),),
        places=ON_SAVE,
    ),
    Function(
        "ISCHANGED",
        "record",
        "field",
        "字段的值在本次保存中改变时为真；新建记录时为假。",
        "True when this save changes the field; false for a new record.",
        (Signature(("field",), _is_changed),),
        places=ON_SAVE,
    ),
    Function(
        "PRIORVALUE",
        "record",
        "field",
        "字段在本次保存之前的值；新建记录时为当前值。",
        "The value of the field before this save; of a new record, its present value.",
        (Signature(("field",), _prior_value),),
        places=ON_SAVE,
    ),
    Function(
        "CHANGEDTO",
        "record",
        "field, value",
        "字段在本次保存中变为该值时为真；新建记录时为假。",
        "True when this save changes the field to the value; false for a new record.",
        (Signature(("field", "any"), _changed_to),),
        places=ON_SAVE,
    ),
    Function(
        "ISCLONE",
        "record",
        "",
        "记录正在由复制另一条而新建时为真。",
        "True while the record is being created as a copy of another one.",
        (Signature((), "is_clone"),),
        places=ON_SAVE,
    ),
    Function(
        "IFERROR",
        "logic",
        "value, otherwise",
        "算得出时取前一个值，出错时取后一个值。",
        "The first value; the second when the first has an error.",
        (Signature(("any", "any"), _if_error),),
        (Example("IFERROR(1 / 0, 7)", _D(7)), Example('IFERROR(VALUE("12"), 0)', _D(12))),
    ),
)
