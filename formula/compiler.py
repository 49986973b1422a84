"""The one door: a text becomes a Formula, which gives Python, SQL and what it reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import sqlalchemy as sa

from tabwright.formula import nodes
from tabwright.formula.aggregates import Aggregate, Relation, with_inner
from tabwright.formula.budget import SQL_NODES
from tabwright.formula.checker import Blanks, check
from tabwright.formula.codegen import Evaluator, generate
from tabwright.formula.datatypes import EMPTY_IS_BLANK, Type, number
from tabwright.formula.faults import Fault, FormulaError, fault_at
from tabwright.formula.figures import CONTEXT, use_context
from tabwright.formula.lifting import Bind, Lifted, Lifting, NotLiftable
from tabwright.formula.parser import Dialect, parse
from tabwright.formula.postgresql import PostgresqlWriter
from tabwright.formula.scope import Behind, Columns, Path, Place, Scope
from tabwright.formula.sqlite import number_of
from tabwright.formula.sqlite_writer import Num, SqliteWriter
from tabwright.formula.sqlwriter import NotPushable, Sql, Writer
from tabwright.formula.standing import USER
from tabwright.formula.typed import Node, Read, literal, make, nodes_of

WRITERS: Final[Mapping[str, type[Writer]]] = {"sqlite": SqliteWriter, "postgresql": PostgresqlWriter}
_LISTS: Final = {"clauselist": 2, "expression_clauselist": 2}
# What one level of SQL takes on the stack of SQLite's parser, and on Python's while it is written out.
_PARSER: Final = {"case": 6, "function": 2, "cast": 3, "binary": 2, **_LISTS}
_FRAMES: Final = {
    "case": 2,
    "function": 6,
    "cast": 2,
    "binary": 4,
    "grouping": 2,
    "unary": 4,
    "clauselist": 3,
    "expression_clauselist": 7,
}
# SQLite's parser has 100 places, some of which belong to the statement around; Python has 1,000 frames.
_LEVELS: Final = {"sqlite": ((_PARSER, 76), (_FRAMES, 600)), "postgresql": ((_FRAMES, 600),)}


@dataclass(frozen=True, slots=True)
class SqlValue:
    """A formula in SQL.

    `value` is the raw value (on SQLite: a number as an integer times 10^scale, or as a key text, see
    sqlite.py); where `guard` holds, the process would raise, and `value` means nothing. `truth` of a
    condition holds exactly when it does. `binds` are the parameters of lifted literals.
    """

    value: Sql
    guard: Sql | None
    scale: int | None
    type: Type
    truth: Sql | None = None
    binds: tuple[Bind, ...] = ()

    def condition(self) -> Sql:
        """For WHERE: the formula is true and has no error."""
        if self.truth is None:
            raise ValueError(f"a formula of type {self.type.kind} is no condition")
        if self.guard is None:
            return self.truth
        return sa.and_(self.truth, sa.not_(sa.func.coalesce(self.guard, sa.false(), type_=sa.Boolean())))

    def column(self) -> Sql:
        """The raw value, NULL where there is an error."""
        return self.value if self.guard is None else sa.case((self.guard, sa.null()), else_=self.value)

    def error(self) -> Sql:
        """Whether there is an error."""
        return (
            sa.false() if self.guard is None else sa.func.coalesce(self.guard, sa.false(), type_=sa.Boolean())
        )

    def decode(self, raw: Any) -> Any:
        """What the database gave for `column()` as a value of the language."""
        if raw is None or self.scale is None:
            return raw
        return number_of(raw) if isinstance(raw, str) else Decimal(raw).scaleb(-self.scale, CONTEXT)


@dataclass(frozen=True)
class Formula:
    """A checked formula. Equal text in an equal scope gives an equal formula; hold on to it, it is
    immutable.
    """

    text: str
    type: Type
    root: Node = field(repr=False, compare=False)
    blanks: Blanks = "blank"
    nested: int = field(default=1, compare=False)  # formulas inside each other in it, itself counted

    def behind(self, hops: Path, kept: bool = False) -> Behind:
        """The formula as that of a field, for the formulas that name the field: not rounded, not cut."""
        root = self.root.args[0] if self.type.percent else self.root  # a percent reads as a fraction
        return Behind(hops, root, self.nested, kept)

    def finished(self, *, digits: int | None, places: int | None, length: int | None) -> "Formula":
        """The formula as a field shows it: its number rounded to `places`, its text cut to `length`.

        A number that needs more than `digits` before and after the point together is an error; None: any.
        """
        root = self.root
        if root.type.kind == "number" and places is not None:
            if root.scale > places:
                root = make("round", root, literal(Decimal(places), number()), at=root.at)
            if digits is not None and root.bound >= 10 ** (digits - places):
                root = make("fit", root, literal(Decimal(10 ** (digits - places)), number()), at=root.at)
        elif root.type.kind == "text" and length is not None and root.length > length:
            root = replace(make("left", root, literal(Decimal(length), number()), at=root.at), length=length)
        return self if root is self.root else replace(self, root=root)

    @cached_property
    def reads(self) -> tuple[Read, ...]:
        """What the evaluator takes its values for, in their order; `aggregates` stand behind."""
        return tuple(dict.fromkeys(node.data for node in nodes_of(self.root) if node.op == "read"))

    @cached_property
    def aggregates(self) -> "tuple[Formula, ...]":
        """What it asks of children, each as a formula of its own that only a database runs. Its `root.data`
        is the question, its one read the record whose children they are.
        """
        found = (node for node in nodes_of(self.root) if node.op == "aggregate")
        return tuple(Formula(self.text, node.type, node, self.blanks) for node in dict.fromkeys(found))

    @cached_property
    def inputs(self) -> tuple[Read | Aggregate, ...]:
        """`reads`, and behind them the questions of `aggregates`."""
        return (*self.reads, *(each.root.data for each in self.aggregates))

    @cached_property
    def paths(self) -> frozenset[Path]:
        """The fields that the formula depends on, previous values left out."""
        return frozenset(read.path for read in self.reads if not read.prior)

    @cached_property
    def uses_record_state(self) -> bool:
        """Whether it asks for previous values or if the record is new."""
        return any(read.prior for read in self.reads) or not self._operations.isdisjoint(
            {"is_new", "is_clone"}
        )

    @cached_property
    def uses_now(self) -> bool:
        """Whether its value changes with the moment: time, the user's zone, the organisation's calendar and
        name, the language of who reads.
        """
        moment = {"today", "now", "zone", "calendar", "fiscal", "org", "label"}
        return not self._operations.isdisjoint(moment)

    @cached_property
    def uses_reader(self) -> bool:
        """Whether its value depends on who reads it, or on what the organisation is called."""
        return not self._operations.isdisjoint({"org", "label"}) or any(
            node.op == "read" and node.data.path[0] == USER for node in with_inner(self.root)
        )

    @cached_property
    def trees(self) -> frozenset[str]:
        """The objects whose records it asks for by what they hang on."""
        found = (node.args[0].type.target for node in with_inner(self.root) if node.op == "below")
        return frozenset(target or "" for target in found)

    @cached_property
    def literals(self) -> tuple[Any, ...]:
        """The constants in it, in order."""
        return tuple(node.data for node in nodes_of(self.root) if node.literal)

    @cached_property
    def _operations(self) -> frozenset[str]:
        return frozenset(node.op for node in with_inner(self.root))

    @cached_property
    def _evaluator(self) -> Evaluator:
        return generate(self.root, self.inputs)

    def evaluator(self) -> Evaluator:
        """The formula as a function of the values of `inputs`, in their order, and an Env.

        An aggregate that has no value is given as Failed. Numbers are Decimal, datetimes aware and in UTC,
        references UUID, blanks None; a condition is never None. Raises EvaluationError. Sets the thread's
        decimal context to the number model.
        """
        return self._evaluator

    @cached_property
    def pushable(self) -> Mapping[str, Fault | None]:
        """Per database: None when it can run the formula, or why not."""
        return {dialect: self._refusal(dialect) for dialect in WRITERS}

    def _refusal(self, dialect: str) -> Fault | None:
        try:
            self.sql(_Anything(), dialect)
        except FormulaError as error:
            return error.faults[0]
        return None

    def sql(
        self,
        columns: Columns,
        dialect: str,
        *,
        places: int | None = None,
        lifted: Lifted | None = None,
        prefix: str = "l",
    ) -> SqlValue:
        """The formula in SQL for "sqlite" or "postgresql".

        TODAY, NOW, the user's zone and the calendar are the parameters of ``Env.parameters``. `places` rounds
        a number, which then is an INTEGER at that scale on SQLite and can be sorted and stored. `lifted` is
        this formula's text with its literals lifted: they become parameters, whose names begin with `prefix`.
        Raises FormulaError when this database cannot run it, and NotLiftable when that needs the literals in
        their places.
        """
        use_context()
        root = self.root
        if places is not None and self.type.kind == "number" and root.scale > places:
            root = make("round", root, literal(Decimal(places), Type("number")), at=root.at)
        lifting = Lifting(lifted, prefix)
        if not lifting.look(root):
            raise NotLiftable(self.text)
        writer = WRITERS[dialect](columns, lifting)
        try:
            found = self._written(writer, root, places)
        except NotPushable as error:
            at = error.node.at
            raise self._refused(
                "FORMULA_NOT_IN_SQL", at.start, at.end, at.function or error.node.op
            ) from None
        parts = [part for part in (found.value, found.guard, found.truth) if part is not None]
        if not _fits(parts, _LEVELS[dialect]):
            raise self._refused("FORMULA_SQL_TOO_BIG", 0, len(self.text), "")
        return replace(found, binds=tuple(lifting.binds.values())) if lifting.binds else found

    def _refused(self, code: str, start: int, end: int, function: str) -> FormulaError:
        return FormulaError([fault_at(self.text, code, start, end, function=function)])

    def _written(self, writer: Writer, root: Node, places: int | None) -> SqlValue:
        value, guard = writer.value(root), writer.guard(root)
        if isinstance(value, Num):
            return _scaled(value, guard, places, self.type)
        if root.type.kind in EMPTY_IS_BLANK:
            return SqlValue(sa.func.nullif(value, writer.text(""), type_=sa.Text()), guard, None, self.type)
        if root.type.kind == "boolean":
            return SqlValue(writer.certain(root), guard, None, self.type, writer.truth(root))
        return SqlValue(value, guard, None, self.type)


def _scaled(value: Num, guard: Sql | None, places: int | None, kind: Type) -> SqlValue:
    if places is None:
        if value.fast is None or value.safe:
            return SqlValue(value.any_form, guard, value.scale, kind)
        real = sa.func.typeof(value.fast) == sa.literal("real", sa.Text())
        found = sa.case((real, sa.type_coerce(value.slow, value.fast.type)), else_=value.fast)
        return SqlValue(found, guard, value.scale, kind)
    scaled = value.at(places) if value.fast is not None else value
    slow = sa.func.tw_at_scale(value.slow, places, type_=sa.BigInteger())
    if scaled.fast is None:
        return SqlValue(slow, guard, places, kind)
    if scaled.safe:
        return SqlValue(scaled.fast, guard, places, kind)
    real = sa.func.typeof(scaled.fast) == sa.literal("real", sa.Text())
    return SqlValue(sa.case((real, slow), else_=scaled.fast), guard, places, kind)


class _Anything:
    """Columns of a table that does not exist, to see what SQL a formula would become."""

    def column_of(self, path: Path) -> Sql:
        return sa.column("c")

    def below(self, target: str, records: Sequence[Sql]) -> sa.Select[tuple[Any]]:
        return sa.select(*records[:1])

    def children(self, relation: Relation) -> "_AnyChildren":
        return _AnyChildren()


class _AnyChildren(_Anything):
    """Children in a table that does not exist."""

    id: Sql = sa.column("id")

    def of(self, parent: Sql) -> sa.ColumnElement[bool]:
        return sa.column("p") == parent

    def select(self, *columns: Sql) -> sa.Select[Any]:
        return sa.select(*columns).select_from(sa.table("t"))


def _fits(parts: list[Sql], levels: Sequence[tuple[Mapping[str, int], int]]) -> bool:
    """Whether SQL has few enough elements, each counted as often as it is written, and no spot of it lies
    too deep: the levels above it, each as heavy as its weights say, or 1.
    """
    first, *more = levels
    weights, most = first
    others, other_most = more[0] if more else (weights, most)
    stack: list[tuple[Any, int, int]] = [(part, 0, 0) for part in parts]
    count = 0
    while stack:
        element, above, other_above = stack.pop()
        count += 1
        name = element.__visit_name__
        depth, other = above + weights.get(name, 1), other_above + others.get(name, 1)
        if count > SQL_NODES or depth > most or other > other_most:
            return False
        stack += [(child, depth, other) for child in element.get_children()]
    return True


def compile_formula(
    text: str,
    scope: Scope,
    *,
    place: Place = Place.FORMULA_FIELD,
    expected: Type | None = None,
    blanks: Blanks = "blank",
    dialect: Dialect = "tabwright",
    compat: bool = False,
) -> Formula:
    """Reads, checks and types `text`.

    `blanks` says how number fields read when they are blank. `dialect` is of the language ("sf" for imported
    files); with `compat` a number field that counts as zero is never blank to ISBLANK and its like, as in
    those files. Raises FormulaError with every fault that can be found at once.
    """
    use_context()
    tree: nodes.Tree = parse(text, dialect)
    root, nested = check(text, tree, scope, place, expected, blanks, compat)
    kind = root.type
    if expected is not None and expected.percent:
        kind = expected
    made = Formula(text, kind, root, blanks, nested)
    refused = [why for each in made.aggregates for why in each.pushable.values() if why is not None]
    if refused:  # only databases look through children
        raise FormulaError(refused[:1])
    return made
