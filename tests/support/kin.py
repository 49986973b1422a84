"""Records with children and children's children, for formulas that ask something of them: in process, on
SQLite and on PostgreSQL.

As a program it runs the law of child aggregates at length:
    python tests/support/kin.py FORMULAS [SEED] [POSTGRES_URL]
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from formulas import ACCEPTED, ENV, ERROR, FIELDS, USER, Names, Writer, _as_value, _column, record, stored
from tabwright.formula.aggregates import Aggregate, Relation, with_inner
from tabwright.formula.compiler import Formula, compile_formula
from tabwright.formula.faults import EvaluationError, FormulaError
from tabwright.formula.scope import Path, Place
from tabwright.formula.sqlite import register
from tabwright.formula.treewalk import Walk, aggregated, evaluate
from tabwright.formula.typed import Node, Read

LEVELS = ("head", "kid", "toy")


@dataclass
class Person:
    """A record with those that name it, in the order of their ids."""

    id: int
    values: Mapping[str, Any]
    children: list[Person]


class KinNames(Names):
    """The names of a record of one level: FIELDS, and a relation to the next level."""

    def __init__(self, level: int = 0) -> None:
        self.level = level

    def relation(self, path: Path) -> tuple[Relation, KinNames] | None:
        if self.level + 1 == len(LEVELS):
            return None
        below = LEVELS[self.level + 1]
        if path not in ((below,), (below, "parent")):
            return None
        return Relation(below, "parent", LEVELS[self.level]), KinNames(self.level + 1)

    def relations(self) -> Iterable[str]:
        return LEVELS[self.level + 1 : self.level + 2]


class KinColumns:
    """The columns of one level, in a table of its own in the statement."""

    def __init__(self, house: House, level: int, table: sa.FromClause) -> None:
        self.house, self.level, self.table = house, level, table

    @property
    def id(self) -> sa.ColumnElement[Any]:
        return self.table.c.id

    def column_of(self, path: Path) -> sa.ColumnElement[Any]:
        name = ".".join(path)
        if name in USER:
            lite = self.house.dialect == "sqlite"
            value = USER[name].bytes if lite else USER[name]
            return sa.bindparam("user_id", value, sa.LargeBinary() if lite else sa.Uuid())
        return self.table.c[name]

    def children(self, relation: Relation) -> KinColumns:
        self.house.aliases += 1
        return KinColumns(
            self.house,
            self.level + 1,
            self.house.tables[self.level + 1].alias(f"{relation.object}{self.house.aliases}"),
        )

    def of(self, parent: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        return self.table.c.parent == parent

    def select(self, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        alive = self.table.c.gone.is_(None)
        return sa.select(*columns).select_from(self.table).where(alive).correlate_except(self.table)


@dataclass
class House:
    """The tables of a family on one database."""

    dialect: str
    connection: sa.Connection
    tables: tuple[sa.Table, ...]
    aliases: int = 0

    @property
    def columns(self) -> KinColumns:
        return KinColumns(self, 0, self.tables[0])


def family(count: int, seed: int) -> list[Person]:
    """Some heads: the first without children, the others with up to six."""
    choices = random.Random(seed)
    ids = iter(range(1, 10**6))

    def made(level: int, most: int) -> Person:
        person = Person(next(ids), record(choices), [])
        if level + 1 < len(LEVELS):
            person.children = [made(level + 1, 3) for _ in range(choices.randint(0, most))]
        return person

    return [made(0, 0 if n == 0 else 6) for n in range(count)]


@contextmanager
def house(dialect: str, url: str | None, heads: Sequence[Person]) -> Iterator[House]:
    """The family in temporary tables; of each level there is a deleted record too."""
    if dialect == "sqlite":
        engine = sa.create_engine("sqlite://")
        sa.event.listen(engine, "connect", lambda connection, _: register(connection))
    else:
        engine = sa.create_engine(url or "", connect_args={"options": "-c timezone=UTC"})
    tables: list[sa.Table] = []
    with engine.connect() as connection:
        people: list[tuple[int | None, Person]] = [(None, head) for head in heads]
        for level in LEVELS:
            columns = [_column(dialect, name, kind) for name, kind in FIELDS.items() if name not in USER]
            own = [
                sa.Column("id", sa.Integer),
                sa.Column("parent", sa.Integer),
                sa.Column("gone", sa.Integer),
            ]
            table = sa.Table(level, sa.MetaData(), *own, *columns, prefixes=["TEMPORARY"])
            table.create(connection)
            rows = [
                {
                    "id": person.id,
                    "parent": parent,
                    "gone": None,
                    **{
                        each.name: stored(dialect, FIELDS[each.name], person.values[each.name])
                        for each in columns
                    },
                }
                for parent, person in people
            ]
            deleted = [{**row, "id": -row["id"], "gone": 1} for row in rows[:5]] if level != "head" else []
            connection.execute(table.insert(), [*rows, *deleted])
            tables.append(table)
            people = [(person.id, child) for _, person in people for child in person.children]
        connection.commit()
        yield House(dialect, connection, tuple(tables))
    engine.dispose()


def compiled(text: str, **options: Any) -> Formula:
    return compile_formula(text, KinNames(), **{"place": Place.VALIDATION, **options})


Outer = Sequence[Callable[[], Any]]


def _inputs(
    inputs: Sequence[Any], person: Person, asked: Mapping[Aggregate, Node], outer: Outer = ()
) -> list[Any]:
    """What the evaluator is given for a record: fields, and what the tree walk finds about its children.

    ``asked`` are the nodes of the questions, ``outer`` what is given of the record around.
    """
    found: dict[Any, Any] = {
        each: None if each.path == ("id",) else person.values[".".join(each.path)]
        for each in inputs
        if isinstance(each, Read)
    }
    walk = Walk(found, ENV, outer)
    for each in inputs:
        if isinstance(each, Aggregate):
            given = [partial(walk.value, arg) for arg in asked[each].args[1:]]
            children = [_inputs(each.inputs, child, asked, given) for child in person.children]
            found[each] = aggregated(each, children, ENV, given)
    return [found[each] for each in inputs]


def in_process(formula: Formula, heads: Sequence[Person]) -> list[Any]:
    """The value for every head, ERROR where there is none: generated code and tree walk agree."""
    found = []
    asked = {node.data: node for node in with_inner(formula.root) if node.op == "aggregate"}
    for head in heads:
        values = _inputs(formula.inputs, head, asked)
        try:
            value: Any = formula.evaluator()(values, ENV)
        except EvaluationError:
            value = ERROR
        try:
            walked: Any = evaluate(formula.root, formula.inputs, values, ENV)
        except EvaluationError:
            walked = ERROR
        assert value == walked and type(value) is type(walked), (formula.text, value, walked)
        found.append(value)
    return found


def in_database(formula: Formula, place: House) -> list[Any] | None:
    """The same in one statement; None when this database cannot run it."""
    try:
        sql = formula.sql(place.columns, place.dialect)
    except FormulaError:
        return None
    table = place.tables[0]
    query = sa.select(sql.column().label("v"), sql.error().label("e")).select_from(table).order_by(table.c.id)
    rows = place.connection.execute(query, ENV.parameters()).all()
    return [ERROR if row.e else _as_value(formula, sql.decode(row.v)) for row in rows]


class KinWriter(Writer):
    """Writes formulas that ask of children."""

    def __init__(self, choices: random.Random, level: int = 0) -> None:
        super().__init__(choices)
        self.level = level

    def leaf(self, kind: str) -> str:
        """Inside a question now and then a field of the record that the whole formula is about."""
        if self.level and self.choices.random() < 0.25:
            return f"$Record.{self.field(kind)}"
        return super().leaf(kind)

    def formula(self, depth: int) -> str:
        kind = self.pick("number", "number", "text", "boolean", "date")
        asked = self.asked(kind, depth)
        around = {
            "number": f"ROUND({asked} * 2 + n, 3)",
            "text": f"LEFT({asked}, 40) & name",
            "boolean": f"IF({asked}, amount, 0)",
            "date": f"{asked} + 1",
        }
        return self.pick(asked, asked, around[kind], f"IF(ok, {asked}, NULL)")

    def asked(self, kind: str, depth: int) -> str:
        below = LEVELS[self.level + 1]
        relation = self.pick(below, f"{below}.parent")
        inner = KinWriter(self.choices, self.level + 1)
        also = f", {inner.inner('boolean', depth - 1)}" if self.choices.random() < 0.5 else ""
        number, value = inner.inner("number", depth), inner.inner(kind, depth)
        any_kind = inner.inner(self.pick("number", "text", "date", "boolean"), depth)
        order = inner.field("number", "date", "text")
        first = f"{self.pick('FIRST', 'LAST')}({relation}, {value}, {order}{also})"
        return {
            "number": lambda: self.pick(
                f"COUNT({relation}{also})",
                f"COUNTDISTINCT({relation}, {any_kind}{also})",
                f"{self.pick('SUM', 'AVG', 'SUM', 'MIN', 'MAX')}({relation}, {number}{also})",
                f"{self.pick('SUM', 'AVG')}({relation}, {inner.field('number')}{also})",
                first,
            ),
            "text": lambda: self.pick(f'JOIN({relation}, {value}, "; "{also})', first),
            "boolean": lambda: self.pick(
                f"ANY({relation}, {value}{also})", f"ALL({relation}, {value}{also})", first
            ),
            "date": lambda: self.pick(f"{self.pick('MIN', 'MAX')}({relation}, {value}{also})", first),
        }[kind]()

    def inner(self, kind: str, depth: int) -> str:
        """Something about a child; now and then about its own children."""
        if self.level + 1 < len(LEVELS) and self.choices.random() < 0.2 and depth > 0:
            return self.asked(kind, 0)
        return self.of(kind, max(depth - 1, 0))


ALLOWED = ACCEPTED | {"FORMULA_NOT_IN_SQL", "FORMULA_SQL_TOO_BIG", "FORMULA_NOT_HERE", "FORMULA_LABEL_HERE"}


def main(count: int, seed: int, url: str) -> int:
    heads = family(12, seed)
    choices = random.Random(seed)
    writer = KinWriter(choices)
    done = refused = 0
    wrong: list[str] = []
    begun = time.monotonic()
    with house("sqlite", None, heads) as sqlite, house("postgresql", url, heads) as postgresql:
        while done < count and len(wrong) < 20:
            text, mode = writer.formula(choices.randint(1, 3)), choices.choice(["zero", "blank"])
            try:
                formula = compiled(text, blanks=mode)
            except FormulaError as error:
                assert {fault.code for fault in error.faults} <= ALLOWED, (text, error)
                refused += 1
                continue
            done += 1
            expected = in_process(formula, heads)
            for place in (sqlite, postgresql):
                try:
                    found = in_database(formula, place)
                except Exception as error:
                    place.connection.rollback()
                    wrong.append(f"{place.dialect} {text}: {str(error)[:600]}")
                    continue
                if found is not None and found != expected:
                    at = next(
                        n for n, pair in enumerate(zip(expected, found, strict=False)) if pair[0] != pair[1]
                    )
                    wrong.append(f"{place.dialect} {mode} {text}\n  {expected[at]!r} / {found[at]!r}")
    took = time.monotonic() - begun
    print(f"{done} formulas on {len(heads)} records, {refused} refused, {len(wrong)} differ, {took:.0f} s")
    print("\n".join(sorted(wrong, key=len)[:8]))
    return 1 if wrong else 0


if __name__ == "__main__":
    defaults = ["2000", "1", "postgresql+psycopg://postgres@127.0.0.1:5432/test"]
    chosen = [*sys.argv[1:], *defaults[len(sys.argv) - 1 :]]
    sys.exit(main(int(chosen[0]), int(chosen[1]), chosen[2]))
