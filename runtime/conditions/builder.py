"""Rows and groups to a formula, and a formula back to rows and groups where it can be shown as such.

The law: ``read(write(group)) == normal(group)``, and what ``read`` gives means what the formula means, since
both go through the same templates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

from tabwright.formula import nodes
from tabwright.formula.faults import FormulaError
from tabwright.formula.nodes import Tree
from tabwright.formula.parser import parse
from tabwright.formula.places import text_point
from tabwright.formula.printer import print_formula
from tabwright.metadata.model import FieldDef
from tabwright.platform.errors import Fault, Invalid, Place
from tabwright.platform.language import register_messages
from tabwright.runtime.conditions.operators import Operator, operator, operators
from tabwright.runtime.records.coerce.written import read_written

register_messages(Path(__file__).with_name("messages.json"))

Join = Literal["all", "any", "none"]
JOINS: Final[tuple[Join, ...]] = ("all", "any", "none")
# What a path of names leads to for this person; None where it leads nowhere.
Resolve = Callable[[str], FieldDef | None]
MOST_DEPTH: Final = 4  # groups in groups
MOST_ROWS: Final = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A field, an operator, and texts as a person gives them: ``50`` for 50 %, ISO dates, codes."""

    path: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """All, any or none of its parts hold. An empty one says nothing."""

    join: Join
    parts: tuple[Row | Group, ...] = ()


EMPTY: Final = Group("all")


def kind_of(field: FieldDef) -> str:
    """The kind whose operators a field has."""
    if field.type in ("user", "owner"):
        return "person"
    if field.kinds:
        return "link"
    if field.type == "address":
        return "link"  # blank or not: its parts are asked for
    if "." in field.name and field.is_reference:
        return "narrowed"
    if field.into_tree:
        return "tree"
    return field.value_type.kind


# ---- to a formula ------------------------------------------------------------------------------------------


def write(group: Group, resolve: Resolve) -> str:
    """The formula of a condition; "" when it says nothing.

    Raises Invalid with a fault for each row that is wrong; ``place.row`` counts the rows from 1, as on the
    page.
    """
    writer = _Writer(resolve)
    tree = writer.group(group)
    if writer.faults:
        raise Invalid(writer.faults)
    return "" if tree is None else print_formula(tree)


class _Writer:
    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._number = 0
        self.faults: list[Fault] = []

    def group(self, group: Group) -> Tree | None:
        sign = "&&" if group.join == "all" else "||"
        parts: list[Tree] = []
        for part in group.parts:
            tree = self._part(part)
            if isinstance(tree, nodes.Many) and tree.op == sign:
                parts += tree.args  # all in all is all
            elif tree is not None:
                parts.append(tree)
        if not parts:
            return None
        tree = parts[0] if len(parts) == 1 else nodes.Many(sign, tuple(parts))
        return nodes.Unary("!", tree) if group.join == "none" else tree

    def _part(self, part: Row | Group) -> Tree | None:
        if isinstance(part, Group):
            return self.group(part)
        self._number += 1
        try:
            return self._row(part)
        except _Refused as refused:
            place = Place(field=part.path, row=self._number)
            self.faults.append(Fault(refused.code, refused.params, place))
            return None

    def _row(self, row: Row) -> Tree:
        field = self._resolve(row.path)
        if field is None:
            raise _Refused("condition.no_field", name=row.path[:80])
        found = operator(kind_of(field), row.operator)
        if found is None:
            raise _Refused("condition.no_operator", name=row.operator[:40], field=row.path)
        return _fill(found.tree, _bindings(found, row, field))


class _Refused(Exception):
    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def _bindings(found: Operator, row: Row, field: FieldDef) -> Mapping[str, Sequence[Tree]]:
    named: dict[str, Sequence[Tree]] = {"F": (nodes.Name(row.path),)}
    if not found.operands:
        return named
    kind = found.operands[0]
    if kind in ("codes", "ids"):
        if not row.values:
            raise _Refused("condition.no_value")
        return {**named, "VS": tuple(nodes.Text(value) for value in row.values)}
    if len(row.values) < len(found.operands) or not all(row.values):
        raise _Refused("condition.no_value")
    for name, kind, value in zip(("V", "W"), found.operands, row.values, strict=False):
        named[name] = (_literal(kind, value, field),)
    return named


def _literal(kind: str, value: str, field: FieldDef) -> Tree:
    if kind == "text":
        return nodes.Text(value)
    if kind == "time":
        try:
            given = time.fromisoformat(value)
        except ValueError:
            given = None
        if given is None or given.tzinfo is not None or ":" not in value:
            raise _Refused("condition.not_time", value=value[:40])
        return nodes.Text(value)
    if kind == "place":
        if text_point(value) is None:
            raise _Refused("condition.not_place", value=value[:40])
        return nodes.Text(value)
    if kind == "date":
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise _Refused("condition.not_date", value=value[:40]) from None
        return nodes.Call(
            "DATE", tuple(nodes.Number(Decimal(part)) for part in (day.year, day.month, day.day))
        )
    if kind == "count":
        if not (value.isascii() and value.isdigit() and len(value) <= 5):
            raise _Refused("condition.not_count", value=value[:40])
        return nodes.Number(Decimal(value))
    number = _number(value, field)
    if number is None:
        raise _Refused("condition.not_number", value=value[:40])
    if field.value_type.percent:
        number = number.scaleb(-2)
    return nodes.Unary("-", nodes.Number(-number)) if number < 0 else nodes.Number(number)


def _number(text: str, field: FieldDef) -> Decimal | None:
    percent = field.value_type.percent or field.type == "progress"
    try:
        number = read_written(text, percent=percent, currency=field.currency)
    except (ValueError, ArithmeticError):
        return None
    if number is None or abs(number.adjusted()) >= 20:
        return None
    return number if number else Decimal(0)  # there is no minus zero


def _fill(tree: Tree, named: Mapping[str, Sequence[Tree]]) -> Tree:
    if isinstance(tree, nodes.Name):
        return named[tree.written][0] if tree.written in named else tree
    if isinstance(tree, nodes.Call):
        args: list[Tree] = []
        for arg in tree.args:
            is_list = isinstance(arg, nodes.Name) and arg.written == "VS"
            args.extend(named["VS"] if is_list else (_fill(arg, named),))
        return replace(tree, args=tuple(args))
    if isinstance(tree, nodes.Many):
        return replace(tree, args=tuple(_fill(arg, named) for arg in tree.args))
    if isinstance(tree, nodes.Unary):
        return replace(tree, arg=_fill(tree.arg, named))
    if isinstance(tree, nodes.Binary):
        return replace(tree, left=_fill(tree.left, named), right=_fill(tree.right, named))
    return tree


# ---- from a formula ----------------------------------------------------------------------------------------


def read(text: str, resolve: Resolve) -> Group | None:
    """The rows and groups of a formula; None when it says what rows cannot, or is no formula."""
    if not text.strip():
        return EMPTY
    try:
        tree = parse(text)
    except FormulaError:
        return None
    part = _read(tree, resolve, 1)
    if part is None:
        return None
    return part if isinstance(part, Group) else Group("all", (part,))


def normal(group: Group, resolve: Resolve) -> Group:
    """A condition as reading shows it: groups of one part, and all in all, are gone. Raises Invalid."""
    found = read(write(group, resolve), resolve)
    assert found is not None  # what was written is read: the law
    return found


def _read(tree: Tree, resolve: Resolve, depth: int) -> Row | Group | None:
    row = _read_row(tree, resolve)
    if row is not None or depth > MOST_DEPTH:
        return row
    if isinstance(tree, nodes.Unary) and tree.op == "!":
        inner = tree.arg.args if isinstance(tree.arg, nodes.Many) and tree.arg.op == "||" else (tree.arg,)
        return _group("none", inner, resolve, depth)
    if isinstance(tree, nodes.Many) and tree.op in ("&&", "||"):
        return _group("all" if tree.op == "&&" else "any", tree.args, resolve, depth)
    return None


def _group(join: Join, trees: Sequence[Tree], resolve: Resolve, depth: int) -> Group | None:
    parts: list[Row | Group] = []
    for tree in trees:
        part = _read(tree, resolve, depth + 1)
        if part is None:
            return None
        same = isinstance(part, Group) and part.join == ("any" if join == "none" else join)
        parts += part.parts if same and isinstance(part, Group) else (part,)
    return Group(join, tuple(parts))


def _read_row(tree: Tree, resolve: Resolve) -> Row | None:
    field, path = _only_field(tree, resolve)
    if field is None:
        return None
    for each in operators(kind_of(field)):
        for template in each.trees:
            named: dict[str, tuple[Tree, ...]] = {}
            if _match(template, tree, named) and _is(named["F"][0], path):
                values = _values(each, named, field)
                if values is not None:
                    return Row(path, each.name, values)
    return None


def _only_field(tree: Tree, resolve: Resolve) -> tuple[FieldDef | None, str]:
    """The one field that a tree speaks of, beside globals; no row speaks of two."""
    names = {node.written for node, _ in nodes.walk(tree) if isinstance(node, nodes.Name)}
    fields = [name for name in names if not name.startswith("$")]
    return (resolve(fields[0]), fields[0]) if len(fields) == 1 else (None, "")


def _is(tree: Tree, path: str) -> bool:
    return isinstance(tree, nodes.Name) and tree.written == path


def _match(template: Tree, tree: Tree, named: dict[str, tuple[Tree, ...]]) -> bool:
    """Whether the tree is the template with something put in; what was put in goes to ``named``."""
    if isinstance(template, nodes.Name):
        if template.written in ("F", "V", "W"):
            return named.setdefault(template.written, (tree,)) == (tree,)
        return isinstance(tree, nodes.Name) and tree.path == template.path
    if isinstance(template, nodes.Call):
        if not isinstance(tree, nodes.Call) or tree.function.upper() != template.function:
            return False
        return _match_args(template.args, tree.args, named)
    if type(template) is not type(tree):
        return False
    if isinstance(template, (nodes.Many, nodes.Unary, nodes.Binary)):
        mine, theirs = nodes.children(template), nodes.children(tree)
        same = template.op == tree.op and len(mine) == len(theirs)  # type: ignore[union-attr]
        return same and all(_match(a, b, named) for a, b in zip(mine, theirs, strict=True))
    return template == tree


def _match_args(mine: Sequence[Tree], theirs: Sequence[Tree], named: dict[str, tuple[Tree, ...]]) -> bool:
    if mine and isinstance(mine[-1], nodes.Name) and mine[-1].written == "VS":
        fixed = len(mine) - 1
        if len(theirs) <= fixed:
            return False
        named["VS"] = tuple(theirs[fixed:])
        mine, theirs = mine[:-1], theirs[:fixed]
    return len(mine) == len(theirs) and all(_match(a, b, named) for a, b in zip(mine, theirs, strict=True))


def _values(
    found: Operator, named: Mapping[str, tuple[Tree, ...]], field: FieldDef
) -> tuple[str, ...] | None:
    """What was put in, as texts; None where it is no plain value."""
    if not found.operands:
        return ()
    given = named.get("VS") or tuple(tree for name in ("V", "W") for tree in named.get(name, ()))
    kinds = (
        (found.operands * len(given))[: len(given)]
        if found.operands[0] in ("codes", "ids")
        else found.operands
    )
    texts = [_shown(kind, tree, field) for kind, tree in zip(kinds, given, strict=True)]
    return None if None in texts else tuple(text for text in texts if text is not None)


def _shown(kind: str, tree: Tree, field: FieldDef) -> str | None:
    if kind in ("text", "codes", "ids", "place", "time"):
        return tree.value if isinstance(tree, nodes.Text) and tree.value else None
    if kind == "date":
        return _shown_day(tree)
    sign = 1
    if isinstance(tree, nodes.Unary) and tree.op == "-" and kind == "number":
        sign, tree = -1, tree.arg
    if not isinstance(tree, nodes.Number) or (sign < 0 and not tree.value):
        return None
    number = tree.value * sign
    if kind == "count":
        return str(int(number)) if number == int(number) and number < 100_000 else None
    if field.value_type.percent:
        number = number.scaleb(2)
    return f"{number:f}"


def _shown_day(tree: Tree) -> str | None:
    if not isinstance(tree, nodes.Call) or tree.function.upper() != "DATE" or len(tree.args) != 3:
        return None
    parts = [arg.value for arg in tree.args if isinstance(arg, nodes.Number)]
    if len(parts) != 3 or any(part != int(part) for part in parts):
        return None
    try:
        return date(*(int(part) for part in parts)).isoformat()
    except (ValueError, OverflowError):
        return None


# ---- as JSON -----------------------------------------------------------------------------------------------


def to_json(group: Group) -> dict[str, Any]:
    """``{"all": [{"field": ..., "is": ..., "values": [...]}, {"any": [...]}]}``"""
    return {
        group.join: [
            to_json(part)
            if isinstance(part, Group)
            else {"field": part.path, "is": part.operator, "values": list(part.values)}
            for part in group.parts
        ]
    }


def from_json(value: Any, depth: int = 1) -> Group:
    """The condition of such a JSON value. Raises Invalid where it is none or too big."""
    if depth > MOST_DEPTH or not isinstance(value, Mapping) or len(value) != 1:
        raise _bad_shape()
    [(join, parts)] = value.items()
    if join not in JOINS or not isinstance(parts, list) or len(parts) > MOST_ROWS:
        raise _bad_shape()
    return Group(join, tuple(_part_from_json(part, depth) for part in parts))


def _part_from_json(part: Any, depth: int) -> Row | Group:
    if isinstance(part, Mapping) and "field" in part:
        values = part.get("values", [])
        path, name = part["field"], part.get("is")
        if (
            isinstance(path, str)
            and isinstance(name, str)
            and isinstance(values, list)
            and all(isinstance(each, str) for each in values)
        ):
            return Row(path, name, tuple(values))
        raise _bad_shape()
    return from_json(part, depth + 1)


def _bad_shape() -> Invalid:
    return Invalid.of("condition.bad_shape")
