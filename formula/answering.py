"""Formulas with their fields' values on one line each, answered with their value: what ``tabwright formula
eval`` does. Serves suites of other people's cases, comparisons of the engines, and a quick question.

A question: ``{"id", "expr", "fields": {name: {"type", "value", "options"}}, "blanks", "dialect", "compat",
"now", "zone", "prior": {name: value}, "is_new", "is_clone", "returns"}``; all but ``expr`` may be left out.
An answer: ``{"id", "type", "value"}`` or ``{"id", "error": {"code", "message", "line", "column"}}``.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from tabwright.formula import datatypes, days, figures, places
from tabwright.formula.checker import Blanks
from tabwright.formula.compiler import Formula, compile_formula
from tabwright.formula.datatypes import Type
from tabwright.formula.environment import Env, Value
from tabwright.formula.faults import EvaluationError, Fault, FormulaError, Language, say
from tabwright.formula.figures import FIELD_DIGITS, LIMIT, SCALE
from tabwright.formula.parser import Dialect
from tabwright.formula.scope import Behind, Path, Place
from tabwright.formula.sqlite import key_of, register
from tabwright.formula.treewalk import evaluate
from tabwright.formula.typed import grafted, literal

Engine = Literal["python", "tree", "sqlite", "postgresql"]
_KIND_OF: Final[Mapping[str, str]] = {
    **dict.fromkeys("text textarea longtext long_text email phone url autonumber string".split(), "text"),
    **dict.fromkeys("auto_number encryptedtext richtext rich_text html".split(), "text"),
    **dict.fromkeys("number currency percent double integer int decimal".split(), "number"),
    **dict.fromkeys("boolean checkbox bool".split(), "boolean"),
    **dict.fromkeys("date dateonly".split(), "date"),
    **dict.fromkeys("datetime date_time".split(), "datetime"),
    **dict.fromkeys("time timeonly".split(), "time"),
    **dict.fromkeys("picklist enum".split(), "picklist"),
    **dict.fromkeys("multi-select multi_select multiselect multipicklist".split(), "choices"),
    **dict.fromkeys("multi_picklist choices".split(), "choices"),
    **dict.fromkeys("reference lookup id master_detail user owner".split(), "reference"),
    **dict.fromkeys("location geolocation".split(), "location"),
    "null": "null",
}  # fmt: skip
_ORIGIN: Final = datetime(1900, 1, 1, tzinfo=UTC)
_TIME: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.]([0-9]{1,6}))?)?Z?")
_BINDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "sqlite": {
        "number": sa.BigInteger(), "boolean": sa.Integer(), "date": sa.Text(), "datetime": sa.BigInteger(),
        "reference": sa.LargeBinary(),
    },
    "postgresql": {
        "number": sa.Numeric(), "boolean": sa.Boolean(), "date": sa.Date(),
        "datetime": sa.DateTime(timezone=True), "reference": sa.Uuid(),
    },
}  # fmt: skip
_BOTH: Final[Mapping[str, Any]] = {"time": sa.BigInteger(), "location": sa.BigInteger()}


class _Bad(ValueError):
    """A question that cannot be asked; ``fault`` says why."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.fault = Fault(code, params)


@dataclass(slots=True)
class _Cell:
    """A field: its type, its value and the one before the save; or the formula that it is."""

    name: str
    type: Type
    value: Value = None
    prior: Value = None
    formula: str | None = None
    blanks: Blanks | None = None


@dataclass(frozen=True, slots=True)
class _Within:
    """The names of the record at the end of ``hops``."""

    sheet: "_Sheet"
    hops: Path

    def type_of(self, path: Path) -> Type | None:
        return self.sheet.type_of((*self.hops, *path))

    def suggestions(self, path: Path) -> Iterable[str]:
        return self.sheet.suggestions((*self.hops, *path))

    def behind(self, path: Path) -> Behind | None:
        return self.sheet.behind((*self.hops, *path))


@dataclass(slots=True)
class _Sheet:
    """The fields of a question: what their names mean to the checker, and where SQL finds them."""

    cells: dict[Path, _Cell]
    dialect: str = "python"
    compiling: Callable[[str, Any, Blanks | None], Formula] | None = None
    columns: dict[Path, Any] = field(default_factory=dict)
    formulas: dict[Path, Formula | None] = field(default_factory=dict)  # None: being compiled

    def type_of(self, path: Path) -> Type | None:
        cell = self.cells.get(path)
        if cell is None or cell.formula is None:
            return cell.type if cell else None
        return self._formula(path, cell).type

    def behind(self, path: Path) -> Behind | None:
        cell = self.cells.get(path)
        if cell is None or cell.formula is None:
            return None
        found = self._formula(path, cell)
        return Behind((), found.root, found.nested)

    def _formula(self, path: Path, cell: _Cell) -> Formula:
        found = self.formulas.get(path)
        if found is not None:
            return found
        if path in self.formulas or self.compiling is None:
            raise _Bad("FORMULA_OF_ITSELF", name=".".join(path))
        self.formulas[path] = None
        scope = _Within(self, path[:-1]) if len(path) > 1 else self
        made = self.compiling(cell.formula or "", scope, cell.blanks)
        if made.type.kind == "null":
            made = replace(made, type=cell.type, root=literal(None, cell.type))
        if len(path) > 1:  # read from where the outer formula stands
            made = replace(made, root=grafted(made.root, path[:-1], made.type, made.root.at))
        self.formulas[path] = made
        return made

    def suggestions(self, path: Path) -> Iterable[str]:
        return {
            known[len(path)] for known in self.cells if len(known) > len(path) and known[: len(path)] == path
        }

    def column_of(self, path: Path) -> Any:
        return self.columns[path]

    def table(self, paths: Iterable[Path]) -> Any:
        """One row with the values of these fields, as their columns would keep them."""
        binds = {
            path: sa.bindparam(
                f"f{n}", _kept(self.cells[path], self.dialect), _column(self.cells[path], self.dialect)
            )
            for n, path in enumerate(sorted(paths))
        }
        # PostgreSQL has to be told the type of a parameter that is blank.
        typed = {b: sa.cast(b, b.type) if self.dialect == "postgresql" else b for b in binds.values()}
        row = sa.select(*(value.label(bind.key) for bind, value in typed.items())).subquery("r")
        self.columns = {path: row.c[bind.key] for path, bind in binds.items()}
        return row


def _column(cell: _Cell, dialect: str) -> Any:
    if cell.type.kind == "number" and dialect == "sqlite" and _is_key(cell.type):
        return sa.Text()
    kind = cell.type.kind
    return _BOTH.get(kind) or _BINDS[dialect].get(kind) or sa.Text()


def _is_key(kind: Type) -> bool:
    return (kind.digits or 0) > FIELD_DIGITS


def _kept(cell: _Cell, dialect: str) -> Any:
    """The value as its column keeps it."""
    value, kind = cell.value, cell.type.kind
    if isinstance(value, places.Point):
        return value.packed
    if isinstance(value, time):
        return days.milliseconds(value)
    if value is None or dialect != "sqlite":
        return value
    if isinstance(value, Decimal):
        return (
            key_of(value) if _is_key(cell.type) else int(value.scaleb(cell.type.scale or 0, figures.CONTEXT))
        )
    if isinstance(value, datetime):
        return days.microseconds(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.bytes if isinstance(value, UUID) else int(value) if kind == "boolean" else value


class Answers:
    """Answers questions by one engine: generated Python, the tree walk, or a database.

    ``url`` of the PostgreSQL server, for that engine. Close it after use.
    """

    def __init__(self, engine: Engine, language: Language = "en", url: str | None = None) -> None:
        self.engine, self.language = engine, language
        self._connection: sa.Connection | None = None
        self._database: sa.Engine | None = None
        if engine == "sqlite":
            self._database = sa.create_engine("sqlite://")
            sa.event.listen(self._database, "connect", lambda connection, _: register(connection))
        elif engine == "postgresql":
            self._database = sa.create_engine(url or "", connect_args={"options": "-c timezone=UTC"})

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._database is not None:
            self._database.dispose()

    def line(self, text: str) -> str:
        """The answer to a line, as a line. Raises nothing, whatever the line holds."""
        return json.dumps(self._parsed(text), ensure_ascii=False, separators=(",", ":"))

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            asked = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            return {"id": None, "error": self._said(Fault("FORMULA_BAD_LINE", {"reason": str(error)[:100]}))}
        if not isinstance(asked, dict):
            fault = Fault("FORMULA_BAD_LINE", {"reason": "not an object"})
            return {"id": None, "error": self._said(fault)}
        return self.answer(asked)

    def answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a question."""
        key = asked.get("id")
        key = str(key) if isinstance(key, Decimal) else key
        text = asked.get("expr")
        if not isinstance(text, str):
            fault = Fault("FORMULA_BAD_LINE", {"reason": "expr is not a text"})
            return {"id": key, "error": self._said(fault)}
        try:
            return {"id": key, **self._valued(text, asked)}
        except FormulaError as error:
            fault = error.faults[0]
        except EvaluationError as error:
            fault = error.fault(text)
        except _Bad as error:
            fault = error.fault
        except Exception as error:  # a fault of ours; the other lines still count
            fault = Fault("FORMULA_FAILED", {"reason": f"{type(error).__name__}: {error}"[:200]})
        return {"id": key, "error": self._said(fault)}

    def _said(self, fault: Fault) -> dict[str, Any]:
        return {
            "code": fault.code,
            "message": say(fault, self.language),
            "line": fault.line,
            "column": fault.column,
        }

    def _valued(self, text: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        figures.use_context()
        dialect: Dialect = _one_of(asked, "dialect", ("tabwright", "sf"))
        blanks: Blanks = _one_of(asked, "blanks", ("blank", "zero"))
        returns = _returned(asked.get("returns"))
        compat = bool(asked.get("compat", dialect == "sf"))

        def compiling(text: str, scope: Any, own: Blanks | None, expected: Type | None = None) -> Formula:
            return compile_formula(
                text,
                scope,
                place=Place.VALIDATION,
                expected=expected,
                blanks=own or blanks,
                dialect=dialect,
                compat=compat,
            )

        sheet = _Sheet(_cells(asked), self.engine, compiling)
        formula = compiling(text, sheet, None, returns)
        found = self._run(formula, sheet, _moment(asked))
        if returns is not None and returns.scale is not None and isinstance(found, Decimal):
            found = found.quantize(figures.QUANTA[returns.scale], ROUND_HALF_UP)
        name = asked["returns"] if isinstance(asked.get("returns"), str) else formula.type.kind
        return {"type": name, "value": _shown(found, formula.type.kind)}

    def _run(self, formula: Formula, sheet: _Sheet, env: Env) -> Value:
        if self._database is not None:
            return self._selected(formula, sheet, env)
        cells = sheet.cells
        values = [cells[read.path].prior if read.prior else cells[read.path].value for read in formula.reads]
        if self.engine == "tree":
            return evaluate(formula.root, formula.reads, values, env)
        return formula.evaluator()(values, env)

    def _selected(self, formula: Formula, sheet: _Sheet, env: Env) -> Value:
        """The value that the database gives for a row with the fields in it."""
        paths = {read.path for read in formula.reads}
        row = sheet.table(paths) if paths else None
        sql = formula.sql(sheet, self.engine)
        given = env.parameters()

        def asked(column: Any) -> Any:
            query = sa.select(column)
            return self._execute(query if row is None else query.select_from(row), given)

        found = asked(sql.column())
        # A guard is long: it is asked for by itself, where it can have been the reason.
        if found is None and sql.guard is not None and asked(sql.error()):
            self._why(formula, sheet, env)
        value = sql.decode(found)
        if formula.type.kind == "reference" and isinstance(value, bytes):
            return UUID(bytes=value)
        return bool(value) if formula.type.kind == "boolean" else value

    def _execute(self, query: Any, given: Mapping[str, Any]) -> Any:
        assert self._database is not None
        if self._connection is None:
            self._connection = self._database.connect().execution_options(
                isolation_level="AUTOCOMMIT", compiled_cache=None
            )
        return self._connection.execute(query, given).scalar_one()

    def _why(self, formula: Formula, sheet: _Sheet, env: Env) -> None:
        """The database says only that there is an error; the process knows which."""
        cells = sheet.cells
        with suppress(KeyError):
            evaluate(formula.root, formula.reads, [cells[read.path].value for read in formula.reads], env)
        raise _Bad("FORMULA_ONLY_HERE")


# ---- what comes in -----------------------------------------------------------------------------------------


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _one_of(asked: Mapping[str, Any], name: str, known: tuple[str, ...]) -> Any:
    """One of the values that a key can have; the first where it is left out."""
    found = asked.get(name) or known[0]
    if found not in known:
        raise _Bad("FORMULA_BAD_LINE", reason=f"{name} {found}")
    return found


def _cells(asked: Mapping[str, Any]) -> dict[Path, _Cell]:
    fields, prior = asked.get("fields") or {}, asked.get("prior") or {}
    if not isinstance(fields, dict) or not isinstance(prior, dict):
        raise _Bad("FORMULA_BAD_LINE", reason="fields and prior are objects")
    before = {name.lower(): value for name, value in prior.items()}
    origin = _Cell("$System.originDateTime", datatypes.DATETIME, _ORIGIN, _ORIGIN)
    found: dict[Path, _Cell] = {("$system", "origindatetime"): origin}
    for name, given in fields.items():
        if not isinstance(given, dict):
            raise _Bad("FORMULA_BAD_LINE", reason=f"field {name}")
        path = tuple(name.lower().split("."))
        found[path] = _cell(name, given, before.get(name.lower(), given.get("value")))
    return found


def _cell(name: str, given: Mapping[str, Any], before: Any) -> _Cell:
    options = given.get("options") or {}
    asked = str(given.get("type", "text")).lower()
    kind = _KIND_OF.get(asked)
    if kind is None:
        raise _Bad("FORMULA_BAD_VALUE", name=name, type=asked)
    read = _READERS[kind]
    try:
        values = [read(None if each == "" else each) for each in (given.get("value"), before)]
    except (ValueError, ArithmeticError, TypeError, KeyError):
        raise _Bad("FORMULA_BAD_VALUE", name=name, type=asked) from None
    if kind == "reference" and any(isinstance(each, str) for each in values):
        kind = "text"  # an id of somebody else
    typed = _type(kind, asked, options, values)
    formula = options.get("formula")
    return _Cell(name, typed, values[0], values[1], formula, options.get("blanks"))


def _type(kind: str, asked: str, options: Mapping[str, Any], values: list[Any]) -> Type:
    if kind == "number":
        numbers = [each for each in values if each is not None]
        scale = max([min(int(options.get("scale") or 0), FIELD_DIGITS), *map(_places_of, numbers)])
        fits = all(abs(each) < 10 ** (FIELD_DIGITS - scale) for each in numbers)
        digits = FIELD_DIGITS if fits else FIELD_DIGITS + 20
        return datatypes.number(scale, digits, percent=asked == "percent")
    if kind in ("picklist", "choices"):
        known = options.get("values")
        codes = None
        if known is not None:
            codes = {str(each["code"] if isinstance(each, dict) else each) for each in known}
            for each in values:
                codes |= set(each.strip(";").split(";")) if each else set()
        return Type(kind, values=None if codes is None else frozenset(codes))
    if kind == "reference":
        return datatypes.reference(options.get("target"))
    return Type(kind)


def _places_of(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _number(value: Any) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool):
        raise ValueError(value)
    found = Decimal(str(value).strip())
    if not found.is_finite() or abs(found) > LIMIT:
        raise ValueError(value)
    if _places_of(found) > SCALE:
        found = found.quantize(figures.QUANTA[SCALE], ROUND_HALF_UP, figures.CONTEXT)
    whole = found.to_integral_value()
    return whole + figures.ZERO if found == whole else found


def _text(value: Any) -> str | None:
    return None if value is None else str(value) or None


def _boolean(value: Any) -> bool | None:
    known = {"true": True, "false": False, "1": True, "0": False}
    return None if value is None else known[str(value).strip().lower()]


def _date(value: Any) -> date | None:
    return None if value is None else date.fromisoformat(str(value).strip()[:10])


def _datetime(value: Any) -> datetime | None:
    if value is None:
        return None
    found = datetime.fromisoformat(str(value).strip())
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _time(value: Any) -> time | None:
    if value is None:
        return None
    if isinstance(value, int):
        return days.from_milliseconds(value)
    match = _TIME.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(value)
    hour, minute, second, rest = match.groups()
    return time(int(hour), int(minute), int(second or 0), int((rest or "0").ljust(6, "0")) // 1000 * 1000)


def _choices(value: Any) -> str | None:
    parts = value if isinstance(value, list) else str(value or "").split(";")
    codes = dict.fromkeys(code for part in parts if (code := str(part).strip()))
    return f";{';'.join(codes)};" if codes else None


def _record(value: Any) -> UUID | str | None:
    if value is None:
        return None
    try:
        return UUID(str(value))
    except ValueError:
        return str(value)


def _location(value: Any) -> places.Point | None:
    if value is None:
        return None
    if isinstance(value, dict):
        value = [value.get("latitude", value.get("lat")), value.get("longitude", value.get("lng"))]
    if isinstance(value, list):
        first, second = (_number(each) for each in value)
        if first is None or second is None:
            return None
        found = places.point(first, second)
    else:
        found = places.text_point(str(value))
    if found is None:
        raise ValueError(value)
    return found


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "text": _text, "number": _number, "boolean": _boolean, "date": _date, "datetime": _datetime,
    "time": _time, "picklist": _text, "choices": _choices, "reference": _record, "location": _location,
    "null": lambda value: None,
}  # fmt: skip


def _returned(given: Any) -> Type | None:
    """The type that is asked for: its name, or an object with its scale too."""
    if given is None:
        return None
    options = given if isinstance(given, dict) else {}
    name = str(options.get("type") if isinstance(given, dict) else given).lower()
    kind = _KIND_OF.get(name)
    if kind is None:
        raise _Bad("FORMULA_BAD_LINE", reason=f"returns {name}")
    scale = options.get("scale")
    if kind == "number":
        scale = None if scale is None else min(max(int(scale), 0), SCALE)
        return datatypes.number(scale, percent=name == "percent")
    return Type(kind)


def _moment(asked: Mapping[str, Any]) -> Env:
    zone = asked.get("zone") or "UTC"
    try:
        now = _datetime(asked.get("now")) or datetime.now(UTC)
        today = now.astimezone(ZoneInfo(zone)).date()
    except (ValueError, TypeError, OSError, KeyError):
        raise _Bad("FORMULA_BAD_LINE", reason="now or zone") from None
    return Env(today, now, zone, bool(asked.get("is_new")), bool(asked.get("is_clone")))


# ---- what goes out -----------------------------------------------------------------------------------------


def _shown(value: Any, kind: str) -> Any:
    """A value in JSON: numbers as texts without zeros at the end, moments in UTC."""
    if isinstance(value, Decimal):
        return figures.number_text(value)
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None)
        rest = f".{moment.microsecond // 1000:03d}" if moment.microsecond >= 1000 else ""
        return moment.isoformat(timespec="seconds") + rest + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat("milliseconds")
    if isinstance(value, places.Point):
        latitude, longitude = value.degrees
        return {"latitude": f"{latitude:f}", "longitude": f"{longitude:f}"}
    if isinstance(value, UUID):
        return str(value)
    if kind == "choices" and isinstance(value, str):
        return value.strip(";").split(";")
    return value
