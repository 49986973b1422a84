"""Formulas for tests: an object with a field of every type, generated formulas over it, and their values
in process, on
SQLite and on PostgreSQL.

As a program it runs the differential law at length:
    python tests/support/formulas.py PAIRS [SEED] [POSTGRES_URL]
"""

from __future__ import annotations

import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from datetime import time as clock
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa

from tabwright.formula.calendars import Calendar
from tabwright.formula.compiler import Formula, compile_formula
from tabwright.formula.datatypes import (
    BOOLEAN,
    DATE,
    DATETIME,
    TIME,
    Type,
    choices,
    number,
    picklist,
    reference,
    text,
)
from tabwright.formula.days import milliseconds
from tabwright.formula.environment import Env, Org
from tabwright.formula.faults import EvaluationError, FormulaError
from tabwright.formula.scope import Path, Place
from tabwright.formula.sqlite import register
from tabwright.formula.sqlite_writer import Moment
from tabwright.formula.treewalk import evaluate

ORG = Org("杉木工业", "fir", "zh", "Asia/Shanghai", 4)
LABELS = {"hello": "您好", "unit": "a"}
ENV = Env(
    date(2024, 2, 29), datetime(2024, 2, 29, 16, 30, 15, 123456, tzinfo=UTC), "Asia/Shanghai",
    org=ORG, labels=LABELS,
)  # fmt: skip
# A week of two shifts and a short Saturday; days off, one of them worked instead, one a half day.
SHIFTS = Calendar(
    "Europe/Berlin",
    (((540, 720), (780, 1080)),) * 5 + (((540, 720),), ()),
    {
        date(2024, 2, 28): (),
        date(2024, 2, 29): (),
        date(2024, 3, 3): ((540, 720), (780, 1080)),
        date(2024, 3, 15): ((540, 720),),
        date(2024, 3, 31): ((0, 1440),),
    },
)
# The same moment for others: elsewhere, with another fiscal year and another calendar.
ENVS = (
    ENV,
    replace(ENV, zone="America/New_York", fiscal=-3),
    replace(ENV, zone="Australia/Lord_Howe", calendar=SHIFTS.text, fiscal=6),
    replace(ENV, zone="America/Havana", calendar=SHIFTS.text, fiscal=-11, org=Org()),
    replace(ENV, zone="UTC", is_new=True, labels={"hello": "Hello", "unit": ""}),
)
SOMEONE = uuid.UUID("0190163d-8694-739b-aea5-966c26f8ad91")
ANOTHER = uuid.UUID("0190163d-8694-739b-aea5-966c26f8ad92")

FIELDS: dict[str, Type] = {
    "amount": number(2),
    "price": number(4),
    "fine": number(18),
    "n": number(0),
    "m": number(0),
    "rate": number(2, percent=True),
    "name": text(80),
    "note": text(),
    "account.name": text(200),
    "stage": picklist(["open", "won", "lost"]),
    "level": picklist(),
    "ok": BOOLEAN,
    "close": DATE,
    "born": DATE,
    "start": DATETIME,
    "finish": DATETIME,
    "opens": TIME,
    "shuts": TIME,
    "tags": choices(["a", "b", "vip", "客户"]),
    "owner": reference("user"),
    "account": reference("account"),
    "account.owner": reference("user"),
    "account.amount": number(2),
    "account.since": DATE,
    "account.vip": BOOLEAN,
    "account.level": picklist(["gold", "won", "lost"]),
    "account.tags": choices(["a", "b"]),
    "account.owner.seen": DATETIME,
    "account.owner.begins": TIME,
    "$user.id": reference("user"),
}
# Given by bind parameters, not by columns.
USER = {"$user.id": SOMEONE}


class Names:
    """The Scope of FIELDS."""

    def type_of(self, path: Path) -> Type | None:
        return FIELDS.get(".".join(path))

    def suggestions(self, path: Path) -> Iterable[str]:
        before = ".".join([*path, ""])
        return sorted({name[len(before) :].split(".")[0] for name in FIELDS if name.startswith(before)})

    def label(self, name: str) -> str | None:
        return name if name in LABELS else None

    def labels(self) -> Iterable[str]:
        return LABELS


@dataclass(frozen=True)
class Database:
    """A table with the records in it, on one database."""

    dialect: str
    connection: sa.Connection
    table: sa.Table

    def column_of(self, path: Path) -> sa.ColumnElement[Any]:
        name = ".".join(path)
        if name in USER:
            value = USER[name].bytes if self.dialect == "sqlite" else USER[name]
            return sa.bindparam("user_id", value, sa.LargeBinary() if self.dialect == "sqlite" else sa.Uuid())
        return self.table.c[name]


_TYPES: dict[str, dict[str, Any]] = {
    "sqlite": {
        "text": sa.Text(),
        "picklist": sa.Text(),
        "boolean": sa.Integer(),
        "date": sa.Text(),
        "datetime": sa.BigInteger(),
        "time": sa.BigInteger(),
        "choices": sa.Text(),
        "reference": sa.LargeBinary(),
    },
    "postgresql": {
        "text": sa.Text(collation="C"),
        "picklist": sa.Text(collation="C"),
        "boolean": sa.Boolean(),
        "date": sa.Date(),
        "datetime": sa.DateTime(timezone=True),
        "time": sa.BigInteger(),
        "choices": sa.Text(collation="C"),
        "reference": sa.Uuid(),
    },
}


def stored(dialect: str, kind: Type, value: Any) -> Any:
    """A value as the column of a field keeps it."""
    if kind.kind == "time" and value is not None:
        return milliseconds(value)
    if value is None or dialect == "postgresql":
        return value
    if kind.kind == "number":
        return int(value.scaleb(kind.scale or 0))
    if kind.kind == "reference":
        return value.bytes
    if kind.kind == "date":
        return value.isoformat()
    return Moment().process_bind_param(value, None) if kind.kind == "datetime" else value  # type: ignore[arg-type]


def _column(dialect: str, name: str, kind: Type) -> sa.Column[Any]:
    if kind.kind != "number":
        return sa.Column(name, _TYPES[dialect][kind.kind])
    if dialect == "sqlite" or kind.scale == 0:
        return sa.Column(name, sa.BigInteger())
    return sa.Column(name, sa.Numeric(18, kind.scale))


@contextmanager
def database(dialect: str, url: str | None, records: Sequence[Mapping[str, Any]]) -> Iterator[Database]:
    """The records in a temporary table."""
    if dialect == "sqlite":
        engine = sa.create_engine("sqlite://")
        sa.event.listen(engine, "connect", lambda connection, _: register(connection))
    else:
        engine = sa.create_engine(url or "", connect_args={"options": "-c timezone=UTC"})
    columns = [_column(dialect, name, kind) for name, kind in FIELDS.items() if name not in USER]
    table = sa.Table("r", sa.MetaData(), sa.Column("id", sa.Integer), *columns, prefixes=["TEMPORARY"])
    rows = [
        {
            "id": index,
            **{
                column.name: stored(dialect, FIELDS[column.name], record.get(column.name))
                for column in columns
            },
        }
        for index, record in enumerate(records)
    ]
    with engine.connect() as connection:
        table.create(connection)
        connection.execute(table.insert(), rows)
        connection.commit()
        yield Database(dialect, connection, table)
    engine.dispose()


ERROR = "error"
# What every database runs, whatever it is given: LANGUAGE.md, 2.5 (a power needs a whole literal exponent).
PUSHED = frozenset(
    "+ - * / & = <> < <= > >= && || ! NOT AND OR XOR IF IFS CASE SWITCH ISBLANK ISNULL BLANKVALUE NULLVALUE"
    " COALESCE IN BETWEEN ISPICKVAL INCLUDES INCLUDESALL EXCLUDES PICKLISTCOUNT ABS ROUND TRUNC CEILING FLOOR"
    " MCEILING MFLOOR MOD MIN MAX LEN LEFT RIGHT MID TRIM CONTAINS BEGINS ENDS FIND SUBSTITUTE TEXT VALUE"
    " TODAY NOW TIMENOW DATE YEAR MONTH DAY WEEKDAY QUARTER DAYOFYEAR ISOWEEK ISOYEAR FISCALYEAR"
    " FISCALQUARTER ADDMONTHS ADDYEARS ADDDAYS EOMONTH STARTOF ENDOF DATEDIFF DATEVALUE DATETIMEVALUE"
    " TIMEVALUE HOUR MINUTE SECOND MILLISECOND UNIXTIMESTAMP FROMUNIXTIME FORMATDURATION ISWORKDAY"
    " WORKDAYDIFF COUNT SUM AVG ANY ALL FIRST LAST".split()
)
# What the checker may say of a formula that a Writer wrote.
ACCEPTED = {"FORMULA_LABEL_HERE", "FORMULA_TOO_BIG", "FORMULA_TOO_LONG", "FORMULA_NOT_A_TIME"}


def in_process(formula: Formula, records: Sequence[Mapping[str, Any]], env: Env = ENV) -> list[Any]:
    """The value for every record, ERROR where there is none; the tree walk has to say the same."""
    run, found = formula.evaluator(), []
    for index, record in enumerate(records):
        before = records[index - 1]  # the record before stands for this one before the save
        values = [(before if read.prior else record)[".".join(read.path)] for read in formula.reads]
        try:
            value: Any = run(values, env)
        except EvaluationError:
            value = ERROR
        try:
            walked: Any = evaluate(formula.root, formula.reads, values, env)
        except EvaluationError:
            walked = ERROR
        assert value == walked and type(value) is type(walked), (formula.text, record, value, walked)
        found.append(value)
    return found


def in_database(
    formula: Formula, place: Database, env: Env = ENV, refused: Counter[str] | None = None
) -> list[Any] | None:
    """The same in one statement; None when this database cannot run it, with the reason in `refused`."""
    try:
        sql = formula.sql(place, place.dialect)
    except FormulaError as error:
        (fault,) = error.faults
        assert fault.code == "FORMULA_SQL_TOO_BIG" or fault.params["function"] not in PUSHED, formula.text
        if refused is not None:
            refused[str(fault.params["function"]) or "too complex"] += 1
        return None
    given = env.parameters()
    query = sa.select(place.table.c.id, sql.column().label("v"), sql.error().label("e")).order_by(
        place.table.c.id
    )
    rows = place.connection.execute(query, given).all()
    values = [ERROR if row.e else _as_value(formula, sql.decode(row.v)) for row in rows]
    if formula.type.kind == "number":
        _check_rounded(formula, place, values, given)
    if formula.type.kind == "boolean":
        chosen = sa.select(place.table.c.id).where(sql.condition()).order_by(place.table.c.id)
        found = [row.id for row in place.connection.execute(chosen, given)]
        assert found == [index for index, value in enumerate(values) if value is True], (formula.text, found)
    return values


def _check_rounded(
    formula: Formula, place: Database, values: Sequence[Any], given: Mapping[str, Any]
) -> None:
    """Rounded in the database, as a list sorts by it, is the value rounded here."""
    try:
        sql = formula.sql(place, place.dialect, places=2)
    except FormulaError:
        return
    query = sa.select(sql.column().label("v")).select_from(place.table).order_by(place.table.c.id)
    for value, raw in zip(values, place.connection.execute(query, given).scalars(), strict=True):
        if value is None or value == ERROR or (raw is None and abs(value) > 10**16):
            assert raw is None, formula.text
            continue
        rounded = value.quantize(Decimal("0.01"), ROUND_HALF_UP, Context(prec=60))
        assert sql.decode(raw) == rounded and (place.dialect != "sqlite" or isinstance(raw, int)), (
            formula.text,
            value,
            raw,
        )


def _as_value(formula: Formula, value: Any) -> Any:
    kind = formula.type.kind
    if kind == "boolean":
        return bool(value)
    if kind == "reference" and isinstance(value, bytes):
        return uuid.UUID(bytes=value)
    return value


def compiled(source: str, **options: Any) -> Formula:
    """A formula over FIELDS, in a place where everything is legal."""
    return compile_formula(source, Names(), **{"place": Place.VALIDATION, **options})


PLACES = ("0", "1", "2", "5", "-1", "-3", "17", "-25", "n", "38")
ME = ("$User.Id", f'"{SOMEONE}"')


class Writer:
    """Writes well-typed formulas, by the choices of a source of randomness."""

    def __init__(self, choices: random.Random, *, on_save: bool = False) -> None:
        self.choices, self.on_save = choices, on_save

    def formula(self, depth: int) -> str:
        kind = self.pick("number", "number", "text", "boolean", "boolean", "date", "datetime", "time")
        return self.of(kind, depth)

    def of(self, kind: str, depth: int) -> str:
        if self.on_save and self.choices.random() < 0.05:
            return self.recorded(kind)
        make = getattr(self, kind)
        found: str = make(depth - 1) if depth > 0 else self.leaf(kind)
        return found

    def pick(self, *options: str) -> str:
        return self.choices.choice(options)

    def one(self, options: Sequence[Callable[[], str]]) -> str:
        return self.choices.choice(options)()

    def field(self, *kinds: str) -> str:
        return self.choice_of(
            [name for name, kind in FIELDS.items() if kind.kind in kinds and name not in USER]
        )

    def choice_of(self, options: Sequence[str]) -> str:
        return self.choices.choice(options)

    def leaf(self, kind: str) -> str:
        if kind == "boolean":
            return self.pick("ok", "TRUE", "FALSE", f"ISBLANK({self.field('number', 'text', 'date')})", "ok")
        if self.choices.random() < 0.7:
            return self.field(kind)
        return {
            "number": lambda: self.pick(
                "0",
                "1",
                "2",
                "7",
                "0.5",
                "100",
                "12.345",
                "3",
                "0.000000000000000001",
                "99999999999",
                "-1",
                "$Org.fiscal_year_start",
                "$Record.amount",
            ),
            "text": lambda: self.pick(
                '""',
                '"a"',
                '"客户"',
                '"-"',
                '"b "',
                '"2024-02-29"',
                '"1.50"',
                '"Straße"',
                '"x1"',
                "$Org.name",
                "$Org.zone",
                "$Label.hello",
                "$Label.unit",
                "$Record.name",
            ),
            "date": lambda: self.pick("TODAY()", "DATE(2024, 1, 31)", "DATE(1999, 12, 31)"),
            "datetime": lambda: self.pick("NOW()", 'DATETIMEVALUE("2024-03-01 23:59:59")'),
            "time": lambda: self.pick("TIMENOW()", 'TIMEVALUE("00:00")', 'TIMEVALUE("23:59:59.999")'),
        }[kind]()

    def count(self, d: int, *options: str) -> str:
        return self.of("number", d) if self.choices.random() < 0.5 else self.pick(*options)

    def choice(self, kind: str, d: int) -> str:
        of = self.of
        if kind == "boolean":
            return f"IF({of('boolean', d)}, {of('boolean', d)}, {of('boolean', d)})"
        return self.pick(
            f"IF({of('boolean', d)}, {of(kind, d)}, {of(kind, d)})",
            f"IF({of('boolean', d)}, {of(kind, d)}, NULL)",
            f"IFS({of('boolean', d)}, {of(kind, d)}, {of('boolean', d)}, {of(kind, d)}, {of(kind, d)})",
            f"BLANKVALUE({of(kind, d)}, {of(kind, d)})",
            f"NULLVALUE({of(kind, d)}, {of(kind, d)})",
            f'CASE(stage, "open", {of(kind, d)}, "won", {of(kind, d)}, {of(kind, d)})',
            f"CASE({of('number', d)}, 0, {of(kind, d)}, n, {of(kind, d)}, {of(kind, d)})",
            f'SWITCH({of("text", d)}, "", {of(kind, d)}, "a", {of(kind, d)})',
            f"COALESCE({of(kind, d)}, {of(kind, d)}, {of(kind, d)})",
        )

    def number(self, d: int) -> str:
        of = self.of
        x = partial(of, "number", d)
        return self.one(
            [
                lambda: f"({x()} {self.pick('+', '-', '*', '/', '+', '*')} {x()})",
                lambda: f"({x()} {self.pick('+', '-', '*', '/')} {x()})",
                lambda: f"({x()} + {x()} + {x()})",
                lambda: f"({self.field('number')} ^ {self.pick('0', '1', '2', '3', '-1', '0.5', 'n')})",
                lambda: f"-{x()}",
                lambda: f"{self.pick('ABS', 'CEILING', 'FLOOR', 'MCEILING', 'MFLOOR', 'TRUNC')}({x()})",
                lambda: f"{self.pick('ROUND', 'TRUNC')}({x()}, {self.pick(*PLACES)})",
                lambda: f"MOD({x()}, {x()})",
                lambda: f"{self.pick('MIN', 'MAX')}({x()}, {x()})",
                lambda: f"LEN({of('text', d)})",
                lambda: f"FIND({of('text', d)}, {of('text', d)})",
                lambda: f"FIND({of('text', d)}, {of('text', d)}, {x()})",
                lambda: f"VALUE({of('text', d)})",
                lambda: f"{self.pick('YEAR', 'MONTH', 'DAY', 'WEEKDAY', 'QUARTER')}({of('date', d)})",
                lambda: f"DATEDIFF({of('date', d)}, {of('date', d)})",
                lambda: f"DATEDIFF({of('date', d)}, {of('date', d)}, {self.unit(*_DATE_UNITS)})",
                lambda: (
                    f"DATEDIFF({of('datetime', d)}, {of('datetime', d)}, "
                    f"{self.unit('second', 'minute', 'hour', 'day', *_DATE_UNITS)})"
                ),
                lambda: f"{self.pick('HOUR', 'MINUTE', 'SECOND', 'MILLISECOND')}({of('time', d)})",
                lambda: f"{self.pick('HOUR', 'MINUTE', 'SECOND', 'MILLISECOND')}({of('datetime', d)})",
                lambda: f"({of('time', d)} - {of('time', d)})",
                lambda: f"UNIXTIMESTAMP({of(self.pick('date', 'datetime', 'time'), d)})",
                lambda: f"{self.pick('DAYOFYEAR', 'ISOWEEK', 'ISOYEAR')}({of('date', d)})",
                lambda: f"{self.pick('FISCALYEAR', 'FISCALQUARTER')}({of('date', d)})",
                lambda: f"WORKDAYDIFF({of('date', d)}, {of('date', d)})",
                lambda: f"HOURSBETWEEN({of('datetime', d)}, {of('datetime', d)})",
                lambda: f"PICKLISTCOUNT({self.field('choices')})",
                lambda: f"{self.pick('ROUNDUP', 'ROUNDDOWN')}({x()}, {self.pick(*PLACES)})",
                lambda: f"{self.pick(*_CURVES)}({x()})",
                lambda: f"{self.pick('ATAN2', 'POWER')}({x()}, {self.pick('1', '2', '0.5', 'm', '-3')})",
                lambda: f"ASCII({of('text', d)})",
                lambda: f"IFERROR({x()}, {x()})",
                lambda: f"({of('date', d)} - {of('date', d)})",
                lambda: f"({of('datetime', d)} - {of('datetime', d)})",
                lambda: self.choice("number", d),
                lambda: self.choice("number", d),
            ]
        )

    def text(self, d: int) -> str:
        of = self.of
        x = partial(of, "text", d)
        return self.one(
            [
                lambda: f"({x()} & {x()})",
                lambda: f"({x()} & {of('number', d)})",
                lambda: f"({x()} + {x()})",
                lambda: f"TEXT({of(self.pick('number', 'date', 'datetime', 'time'), d)})",
                lambda: f"TEXT({self.field('choices')})",
                lambda: f"{self.pick('LPAD', 'RPAD')}({x()}, {self.count(d, '5', '80', '-1')}, {x()})",
                lambda: f"REPT({x()}, {self.count(d, '0', '2', '300')})",
                lambda: f"{self.pick(*_WORDING)}({x()})",
                lambda: f"SUBSTR({x()}, {self.count(d, '1', '0', '-2')}, {self.count(d, '1', '3')})",
                lambda: f"SPLIT({x()}, {self.pick('%-%', '% %', '%a%')}, {self.count(d, '1', '2')})".replace(
                    "%", '"'
                ),
                lambda: f"JOIN({self.leaf('text')}, {x()}, {of('number', d)}, {x()})",
                lambda: f'FORMATCURRENCY("{self.pick("CNY", "USD", "JPY")}", {of("number", d)})',
                lambda: f"RMBUPPER({of('number', d)})",
                lambda: f"CHR({self.count(d, '65', '23458', '0')})",
                lambda: f'REGEX_REPLACE({x()}, "{self.pick("[a-z]+", "b", "(a)(.)")}", {self.pick(*_TEXTS)})',
                lambda: f'REGEX_EXTRACT({x()}, "{self.pick("[0-9]+", "(a)(.)")}")',
                lambda: f"IFERROR({x()}, {x()})",
                lambda: f"FORMATDURATION({of('number', d)}, {of('boolean', d)})",
                lambda: f"FORMATDURATION({of('number', d)})",
                lambda: f"FORMATDURATION({of('datetime', d)}, {of('datetime', d)})",
                lambda: f"FORMATDURATION({of('time', d)}, {of('time', d)})",
                lambda: f"TEXT({self.pick('stage', 'level')})",
                lambda: f"{self.pick('LEFT', 'RIGHT')}({x()}, {of('number', d)})",
                lambda: f"{self.pick('LEFT', 'RIGHT')}({x()}, {self.pick('0', '1', '2', '-1', '99')})",
                lambda: f"MID({x()}, {of('number', d)}, {of('number', d)})",
                lambda: f"MID({x()}, {self.pick('0', '1', '2')}, {self.pick('1', '3', '1000')})",
                lambda: f"{self.pick('TRIM', 'UPPER', 'LOWER')}({x()})",
                lambda: f"SUBSTITUTE({x()}, {x()}, {x()})",
                lambda: self.choice("text", d),
            ]
        )

    def boolean(self, d: int) -> str:
        of = self.of
        kind = self.pick("number", "text", "date", "datetime", "number", "time")
        order = self.pick("=", "<>", "<", "<=", ">", ">=", "=", "=")
        return self.one(
            [
                lambda: f"({of(kind, d)} {order} {of(kind, d)})",
                lambda: f"({self.field(kind)} {order} {self.leaf(kind)})",
                lambda: f"({of('boolean', d)} {self.pick('=', '<>')} {of('boolean', d)})",
                lambda: (
                    f"{self.pick('AND', 'OR', 'XOR')}({of('boolean', d)}, "
                    f"{of('boolean', d)}, {of('boolean', d)})"
                ),
                lambda: f"({of('boolean', d)} {self.pick('&&', '||')} {of('boolean', d)})",
                lambda: f"NOT({of('boolean', d)})",
                lambda: f"{self.pick('ISBLANK', 'ISNULL')}({of(kind, d)})",
                lambda: f"{self.pick('CONTAINS', 'BEGINS', 'ENDS')}({of('text', d)}, {of('text', d)})",
                lambda: f"BEGINS({self.field('text')}, {self.leaf('text')})",
                lambda: f"IN({of(kind, d)}, {of(kind, d)}, {of(kind, d)})",
                lambda: f"IN({self.field(kind)}, {self.leaf(kind)}, {self.leaf(kind)})",
                lambda: f"BETWEEN({of(kind, d)}, {of(kind, d)}, {of(kind, d)})",
                lambda: f"ISPICKVAL({self.field('picklist')}, {self.pick('%won%', '%%')})".replace("%", '"'),
                lambda: f'({self.field("picklist")} {self.pick("=", "<>")} "lost")',
                lambda: f"({self.field('reference')} {self.pick('=', '<>')} {self.field('reference')})",
                lambda: f"({self.field('reference')} {self.pick('=', '<>')} {self.pick(*ME)})",
                lambda: f'IN({self.field("reference")}, "{SOMEONE}", $user.id, {self.field("reference")})',
                lambda: f"ISBLANK({self.field('reference', 'picklist', 'choices')})",
                lambda: f"{self.pick('INCLUDES', 'INCLUDESALL', 'EXCLUDES')}(tags, {self.pick(*_TAGS)})",
                lambda: f"(tags {self.pick('=', '<>')} tags)",
                lambda: f"ISWORKDAY({of('date', d)})",
                lambda: f"{self.pick('ISNUMBER', 'IDCARDCHECK', 'USCCCHECK')}({of('text', d)})",
                lambda: f'REGEX({of("text", d)}, "{self.pick("[a-z]+", "a.*", ".*[0-9]")}")',
                lambda: f'LIKE({of("text", d)}, "{self.pick("a%", "_b%", "%1%")}")',
                lambda: f"IFERROR({of('boolean', d)}, {of('boolean', d)})",
                lambda: self.choice("boolean", d),
            ]
        )

    def date(self, d: int) -> str:
        of = self.of
        n = partial(self.count, d, "1", "-1", "30", "0.7", "-400", "n")
        return self.one(
            [
                lambda: (
                    f"DATE({self.pick('2024', '1999', 'n', of('number', d))}, "
                    f"{self.pick('1', '2', '12', 'm', of('number', d))}, {self.pick('28', '29', '31', 'n')})"
                ),
                lambda: f"({of('date', d)} {self.pick('+', '-')} {n()})",
                lambda: f"ADDMONTHS({of('date', d)}, {n()})",
                lambda: f"ADDDAYS({of('date', d)}, {n()})",
                lambda: f"EOMONTH({of('date', d)}, {n()})",
                lambda: f"DATEVALUE({of('datetime', d)})",
                lambda: f"DATEVALUE({of('text', d)})",
                lambda: f"{self.pick('MIN', 'MAX')}({of('date', d)}, {of('date', d)})",
                lambda: f"{self.edge()}({of('date', d)}, {self.unit(*_DATE_UNITS, *_FISCAL_UNITS)})",
                lambda: f"ADDYEARS({of('date', d)}, {n()})",
                lambda: f"WORKDAY({of('date', d)}, {n()})",
                lambda: self.choice("date", d),
            ]
        )

    def datetime(self, d: int) -> str:
        of = self.of
        n = partial(self.count, d, "1", "-1.5", "0.000011574", "400", "n")
        return self.one(
            [
                lambda: f"({of('datetime', d)} {self.pick('+', '-')} {n()})",
                lambda: f"ADDMONTHS({of('datetime', d)}, {n()})",
                lambda: f"ADDDAYS({of('datetime', d)}, {n()})",
                lambda: f"DATETIMEVALUE({of('date', d)})",
                lambda: f"DATETIMEVALUE({of('date', d)}, {of('time', d)})",
                lambda: (
                    f"{self.edge()}({of('datetime', d)}, "
                    f"{self.unit('minute', 'hour', 'day', 'day', *_DATE_UNITS, *_FISCAL_UNITS)})"
                ),
                lambda: f"ADDYEARS({of('datetime', d)}, {n()})",
                lambda: f"FROMUNIXTIME({of('number', d)})",
                lambda: f"{self.pick('MIN', 'MAX')}({of('datetime', d)}, {of('datetime', d)})",
                lambda: f"DATETIMEVALUE({of('text', d)})",
                lambda: self.choice("datetime", d),
            ]
        )

    def time(self, d: int) -> str:
        of = self.of
        n = partial(self.count, d, "1", "-1.5", "3600000", "-86400001", "n")
        return self.one(
            [
                lambda: f"({of('time', d)} {self.pick('+', '-')} {n()})",
                lambda: f"TIMEVALUE({of('datetime', d)})",
                lambda: f"TIMEVALUE({of('text', d)})",
                lambda: f"TIMEVALUE(TEXT({of('time', d)}))",
                lambda: f"{self.pick('MIN', 'MAX')}({of('time', d)}, {of('time', d)})",
                lambda: self.choice("time", d),
            ]
        )

    def recorded(self, kind: str) -> str:
        """Something about the record and what it was before the save."""
        if kind == "boolean":
            field = self.own_field("number", "text", "date", "boolean", "picklist", "time")
            return self.pick("ISNEW()", f"ISCHANGED({field})", "ISCLONE()")
        return f"PRIORVALUE({self.own_field(kind)})"

    def own_field(self, *kinds: str) -> str:
        return self.choice_of(
            [name for name, kind in FIELDS.items() if kind.kind in kinds and "." not in name]
        )

    def unit(self, *names: str) -> str:
        return f'"{self.pick(*names)}"'

    def edge(self) -> str:
        return self.pick("STARTOF", "ENDOF")


_CURVES = ("EXP", "LN", "LOG", "SQRT", "SIN", "COS", "TAN", "ASIN", "ACOS", "ATAN")
_WORDING = (
    "REVERSE", "PROPER", "INITCAP", "HTMLENCODE", "JSENCODE", "JSINHTMLENCODE", "URLENCODE", "PINYIN",
    "CASESAFEID",
)  # fmt: skip
_TEXTS = ('"x"', '""', '"\\\\1"')
_DATE_UNITS = ("week", "month", "quarter", "year")
_FISCAL_UNITS = ("fiscal_quarter", "fiscal_year")
_TAGS = ('"a"', '"b"', '"vip", "客户"', '"客户"')
_DIGITS = 10**18 - 1
_VALUES: dict[str, list[Any]] = {
    "text": [
        None,
        None,
        "a",
        "Ab",
        "客户",
        " x ",
        "straße É",
        "1.5",
        "-2e3",
        "1e99",
        "2024-02-29",
        "2023-02-29",
        "2024-02-29 23:59:58",
        "a-b-c",
        "😀b",
        "\u3000全角\n",
        "b ",
        "0",
        "aaa",
        "ǅ",
        "09:30",
        "24:00:00",
        "23:59:59.5",
        "x" * 60,
    ],
    "boolean": [True, False, None],
    "date": [
        None,
        date(2024, 2, 29),
        date(2024, 1, 31),
        date(2023, 4, 30),
        date(2024, 3, 15),
        date.min,
        date.max,
        date(1969, 12, 31),
        date(1900, 2, 28),
        date(2024, 2, 28),
        date(2024, 3, 10),
        date(2024, 11, 3),
        date(2024, 10, 6),
        date(2021, 1, 3),
    ],
    "datetime": [
        None,
        datetime(2024, 2, 29, 16, 30, 15, 123456, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        datetime(2024, 1, 31, tzinfo=UTC),
        datetime(2024, 3, 1, 15, 59, 59, tzinfo=UTC),
        datetime(1950, 6, 1, 12, tzinfo=UTC),
        # Days on which clocks change: New York and Havana, Lord Howe (by half an hour), Berlin.
        datetime(2024, 3, 10, 4, 59, 59, 999999, tzinfo=UTC),
        datetime(2024, 3, 10, 7, 30, tzinfo=UTC),
        datetime(2024, 11, 3, 4, 30, tzinfo=UTC),
        datetime(2024, 11, 3, 5, 30, tzinfo=UTC),
        datetime(2024, 11, 3, 6, 30, 1, tzinfo=UTC),
        datetime(2024, 4, 6, 15, 10, tzinfo=UTC),
        datetime(2024, 10, 5, 15, 31, tzinfo=UTC),
        datetime(2024, 3, 31, 1, 30, tzinfo=UTC),
    ],
    "time": [None, clock(), clock(9, 30), clock(23, 59, 59, 999000), clock(1, 30, 0, 1000), clock(2, 15)],
    "choices": [None, ";a;", ";a;b;", ";vip;客户;", ";b;vip;"],
    "reference": [None, SOMEONE, ANOTHER],
}
_PICKS = {
    "stage": [None, "open", "won", "lost"],
    "level": [None, "a", "won", "lost"],
    "account.level": [None, "gold", "won"],
    "account.tags": [None, ";a;", ";b;a;"],
}
_WHOLE = [0, 1, -1, 2, 3, 5, 12, 29, 100, -250, 4990, 123456, -99999, 2024, _DIGITS, -_DIGITS, 5 * 10**17 + 1]


def record(choices: random.Random) -> dict[str, Any]:
    """A record, of values where things go wrong."""
    found: dict[str, Any] = {}
    for name, kind in FIELDS.items():
        if name in USER:
            found[name] = USER[name]
        elif name in _PICKS:
            found[name] = choices.choice(_PICKS[name])
        elif kind.kind != "number":
            found[name] = choices.choice(_VALUES[kind.kind])
        elif choices.random() < 0.15:
            found[name] = None
        else:
            whole = choices.choice(_WHOLE) if choices.random() < 0.7 else choices.randint(-(10**9), 10**9)
            found[name] = Decimal(whole).scaleb(-(kind.scale or 0))
    # What a blank lookup names is blank with all that stands behind it.
    for lookup in ("account", "account.owner"):
        if found[lookup] is None:
            found |= {name: None for name in FIELDS if name.startswith(lookup + ".")}
    return found


def records(count: int, seed: int) -> list[dict[str, Any]]:
    choices = random.Random(seed)
    return [record(choices) for _ in range(count)]


def main(pairs: int, seed: int, url: str) -> int:
    data = records(200, seed)
    choices = random.Random(seed)
    writers = [Writer(choices), Writer(choices), Writer(choices), Writer(choices, on_save=True)]
    done = {"python": 0, "sqlite": 0, "postgresql": 0}
    refused: dict[str, Counter[str]] = {"sqlite": Counter(), "postgresql": Counter()}
    wrong: list[str] = []
    begun = time.monotonic()
    with database("sqlite", None, data) as sqlite, database("postgresql", url, data) as postgresql:
        while done["python"] < pairs:
            source = choices.choice(writers).formula(choices.randint(1, 4))
            options = {"blanks": choices.choice(["zero", "blank"])}
            env = choices.choice(ENVS)
            try:
                formula = compiled(source, **options)
            except FormulaError as error:
                assert {fault.code for fault in error.faults} <= ACCEPTED, (source, error)
                continue
            try:
                expected = in_process(formula, data, env)
            except Exception as error:
                wrong.append(f"process {source}: {error!r:.300}")
                continue
            done["python"] += len(data)
            for place in (sqlite, postgresql):
                try:
                    found = in_database(formula, place, env, refused[place.dialect])
                except Exception as error:
                    place.connection.rollback()
                    wrong.append(f"{place.dialect} {source}: {str(error)[:300]}")
                    continue
                if found is None:
                    continue
                done[place.dialect] += len(data)
                for index, (value, other) in enumerate(zip(expected, found, strict=True)):
                    if value != other:
                        reads = {".".join(r.path): data[index][".".join(r.path)] for r in formula.reads}
                        where = f"{place.dialect} {options} {env.zone}"
                        wrong.append(f"{where} {source}\n   {reads}\n   {value!r} / {other!r}")
                        break
            if len(wrong) > 20:
                break
    print(f"{done} pairs, {len(wrong)} formulas differ, {time.monotonic() - begun:.0f} s, seed {seed}")
    for dialect, reasons in refused.items():
        told = ", ".join(f"{name} {count}" for name, count in reasons.most_common())
        print(f"refused on {dialect}: {told or 'none'}")
    print("\n".join(sorted(wrong, key=len)[:12]))
    return 1 if wrong else 0


if __name__ == "__main__":
    defaults = ["100000", "1", "postgresql+psycopg://postgres@127.0.0.1:5432/test"]
    chosen = [*sys.argv[1:], *defaults[len(sys.argv) - 1 :]]
    sys.exit(main(int(chosen[0]), int(chosen[1]), chosen[2]))
