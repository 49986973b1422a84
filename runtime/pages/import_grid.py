"""The rows of a check that want to be put right, as a grid that a person types into."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tabwright.metadata.model import FieldDef
from tabwright.platform.errors import Fault
from tabwright.platform.language import format_number, say_fault
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange.correcting import KINDS, Change, GridRow
from tabwright.runtime.exchange.imports import Imports
from tabwright.runtime.exchange.matching import names_of
from tabwright.runtime.exchange.resolving import targets_of
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.pages.import_columns import Columns
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.query.options import MAX_TEXT, lookup_options

PAGE = 50
OFFERED = 300  # values that a column offers at once; of more, those like what is typed
SUGGESTED = 12


@dataclass(frozen=True, slots=True)
class GridColumn:
    """A column that goes into a field. ``options`` are offered to who types; ``asks``: by what is typed."""

    index: int
    name: str
    field: str
    options: tuple[str, ...]
    asks: bool

    @property
    def offers(self) -> bool:
        return bool(self.options) or self.asks


@dataclass(frozen=True, slots=True)
class GridCell:
    """``file`` is what the file says, where that was changed; ``same`` counts other bad rows that say it."""

    index: int
    column: str
    text: str
    changed: bool
    file: str
    faults: tuple[str, ...]
    suggestion: str
    same: int
    same_text: str

    @property
    def lines(self) -> bool:
        return "\n" in self.text


@dataclass(frozen=True, slots=True)
class GridLine:
    """``state`` is bad, good or skipped; ``reasons`` are faults that belong to no column."""

    number: int
    label: str
    state: str
    outcome: str
    corrected: bool
    cells: tuple[GridCell, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tab:
    kind: str
    label: str
    number: str
    href: str
    now: bool


@dataclass(frozen=True, slots=True)
class Grid:
    at: str
    show: str
    page: int
    tabs: tuple[Tab, ...]
    columns: tuple[GridColumn, ...]
    lines: tuple[GridLine, ...]
    span: str
    before: str
    after: str


class GridMaker:
    """Makes the grid of one checked import. ``said`` puts a fault into words with its field."""

    def __init__(self, call: Call, imports: Imports, run: Run, said: Callable[[Fault], str]) -> None:
        self._call = call
        self._imports = imports
        self._run = run
        self._said = said
        self._t = text(call.language)
        self._at = f"/imports/{run.id}"
        self._object = imports.object(run)
        self._names = Columns(call, run, self._object)
        self._shown = [
            (index, name, run.settings.columns[name].field)
            for index, name in enumerate(run.header)
            if name in run.settings.columns
        ]
        self._column_of = {field: index for index, _, field in self._shown}
        self._issues: dict[tuple[str, str], tuple[int, str]] = {}
        for issue in run.issues:
            count, suggestion = self._issues.get((issue.column, issue.value), (0, ""))
            best = suggestion or issue.suggestion or ""
            self._issues[issue.column, issue.value] = (max(count, issue.count), best)

    def grid(self, show: str, page: int) -> Grid | None:
        """A page of rows of one kind; None where there is nothing to look at."""
        counts = self._imports.grid_counts(self._run.id)
        if not any(counts.values()):
            return None
        show = show if counts.get(show) else next(kind for kind in KINDS if counts[kind])
        last = max(1, -(-counts[show] // PAGE))
        page = min(max(page, 1), last)
        rows = self._imports.grid(self._run.id, show, (page - 1) * PAGE, PAGE)
        first = (page - 1) * PAGE + 1
        span = self._t(
            "import.grid.span",
            first=self._number(first),
            last=self._number(first + len(rows) - 1),
            count=self._number(counts[show]),
        )
        return Grid(
            at=self._at,
            show=show,
            page=page,
            tabs=tuple(self._tab(kind, counts[kind], kind == show) for kind in KINDS),
            columns=self.columns(),
            lines=tuple(map(self.line, rows)),
            span=span,
            before=self._href(show, page - 1) if page > 1 else "",
            after=self._href(show, page + 1) if page < last else "",
        )

    def columns(self) -> tuple[GridColumn, ...]:
        """The columns of the file that go into fields, in its order."""
        return tuple(self._column(*each) for each in self._shown)

    def said(self, good: int, bad: int) -> str:
        """What became of rows that were put right, for whoever does not see it."""
        return self._t("import.grid.said", good=self._number(good), bad=self._number(bad))

    def tabs(self, show: str) -> tuple[Tab, ...]:
        """How many rows of each kind there are now."""
        counts = self._imports.grid_counts(self._run.id)
        return tuple(self._tab(kind, counts[kind], kind == show) for kind in KINDS)

    def line(self, row: GridRow) -> GridLine:
        """A row as the grid shows it."""
        faults: dict[int, list[str]] = {}
        reasons = []
        for fault in row.faults:
            index = self._column_of.get(fault.place.field or "")
            if index is None:
                reasons.append(self._said(fault))
            else:
                faults.setdefault(index, []).append(say_fault(fault, self._call.language))
        state = {"failed": "bad", "skipped": "skipped"}.get(row.outcome, "good")
        return GridLine(
            number=row.number,
            label=self._number(row.number),
            state=state,
            outcome=self._t("import.grid.outcome." + row.outcome),
            corrected=row.cells[: len(row.file)] != row.file or any(row.cells[len(row.file) :]),
            cells=tuple(self._cell(row, index, name, faults) for index, name, _ in self._shown),
            reasons=tuple(dict.fromkeys(reasons)),
        )

    def options(self, index: int, typed: str) -> Sequence[str]:
        """What a lookup's cell may say, like what is typed."""
        name = self._run.header[index] if 0 <= index < len(self._run.header) else ""
        column = self._run.settings.columns.get(name)
        field = self._names.field(column.field) if column is not None else None
        if column is None or field is None or not field.is_reference:
            return ()
        found: list[str] = []
        for target in targets_of(self._call.gate, field):
            match = target.find(column.match or target.name_field)
            if match is None or not self._call.gate.can_read(match):
                continue
            if match.name == target.name_field:
                own = field if "." not in column.field else None
                found += [
                    each.name
                    for each in lookup_options(self._call, target.name, typed[:MAX_TEXT], SUGGESTED, own)
                ]
            else:
                with self._call.tenant.store.read() as reader:
                    names = names_of(self._call, reader, target, match)
                found += [each for each in names if typed.casefold() in each.casefold()]
        return list(dict.fromkeys(filter(None, found)))[:SUGGESTED]

    # ---- inside -----------------------------------------------------------------------------------

    def _number(self, value: int) -> str:
        return format_number(value, self._call.language)

    def _href(self, show: str, page: int = 1) -> str:
        return f"{self._at}?show={show}&page={page}#rows"

    def _tab(self, kind: str, count: int, now: bool) -> Tab:
        return Tab(kind, self._t("import.grid." + kind), self._number(count), self._href(kind), now)

    def _column(self, index: int, name: str, path: str) -> GridColumn:
        field = self._names.field(path)
        label = self._names.label(path) or path
        if field is None:
            return GridColumn(index, name, label, (), False)
        known = self._offered(name, field)
        return GridColumn(index, name, label, known or (), known is None)

    def _offered(self, name: str, field: FieldDef) -> tuple[str, ...] | None:
        """Every value that the cells may say; none to offer: empty; too many: None."""
        if field.type == "boolean":
            return (self._t("import.grid.yes"), self._t("import.grid.no"))
        if field.picklist is None and not field.is_reference:
            return ()
        labels = [label for _, label in self._names.known_values(self._run.settings.columns[name])]
        if field.is_reference and not 0 < len(labels) <= OFFERED:
            return None
        return tuple(dict.fromkeys(labels[:OFFERED]))

    def _cell(self, row: GridRow, index: int, name: str, faults: Mapping[int, list[str]]) -> GridCell:
        own = row.cells[index] if index < len(row.cells) else ""
        file = row.file[index] if index < len(row.file) else ""
        wrong = tuple(dict.fromkeys(faults.get(index, ())))
        changed = own != file
        count = self._issues.get((name, file), (0, ""))[0] if changed and not wrong else 0
        suggestion = self._issues.get((name, own), (0, ""))[1] if wrong else ""
        said = self._t("import.grid.same", count=self._number(count), value=file[:40]) if count else ""
        return GridCell(index, name, own, changed, file, wrong, suggestion, count, said)


# ---- what the grid sent ---------------------------------------------------------------------------


def changes_of(form: Mapping[str, str], known: Mapping[int, GridRow]) -> list[Change]:
    """The corrections that a posted grid says: ``cell.<row>.<column>`` where it differs from what is there,
    and the buttons ``skip``, ``take`` and ``restore`` with a row.
    """
    cells: dict[int, dict[int, str]] = {}
    for name, value in form.items():
        at = place_of(name, "cell.")
        if at is None or at[0] not in known:
            continue
        row = known[at[0]]
        typed = value.replace("\r\n", "\n").strip()
        if typed != (row.cells[at[1]] if at[1] < len(row.cells) else ""):
            cells.setdefault(at[0], {})[at[1]] = typed
    verbs: dict[int, dict[str, Any]] = {}
    for verb, said in (("skip", {"skip": True}), ("take", {"skip": False}), ("restore", {"restore": True})):
        given = form.get(verb, "")
        if given.isascii() and given.isdigit() and int(given) in known:
            verbs.setdefault(int(given), {}).update(said)
    return [
        Change(number, cells.get(number, {}), **verbs.get(number, {})) for number in sorted({*cells, *verbs})
    ]


def rows_named(form: Mapping[str, str]) -> list[int]:
    """The rows that a posted grid speaks of."""
    found = {at[0] for name in form if (at := place_of(name, "cell.")) is not None}
    for verb in ("skip", "take", "restore", "all", "suggest"):
        head = form.get(verb, "").partition(".")[0]
        if head.isascii() and head.isdigit():
            found.add(int(head))
    return sorted(each for each in found if each < 2**53)


def place_of(name: str, prefix: str = "") -> tuple[int, int] | None:
    """(row, column) of ``<prefix><row>.<column>``."""
    row, dot, column = name.removeprefix(prefix).partition(".")
    if not name.startswith(prefix) or not dot:
        return None
    if not (row.isascii() and row.isdigit() and column.isascii() and column.isdigit()):
        return None
    return int(row), int(column)
