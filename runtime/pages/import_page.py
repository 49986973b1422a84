"""What the pages of import show, as plain values: the start, and one import in whatever state it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from tabwright.metadata.model import FieldDef, ObjectDef, label_in
from tabwright.platform.errors import Fault, TabwrightError
from tabwright.platform.language import format_number, say_fault
from tabwright.runtime.exchange.dates import ORDERS
from tabwright.runtime.exchange.imports import Imports
from tabwright.runtime.exchange.matching import names_of
from tabwright.runtime.exchange.runs import Issue, Run
from tabwright.runtime.exchange.settings import (
    BLANKS,
    MISSING,
    MODES,
    Column,
    matchable,
    names_one,
    targets_of,
)
from tabwright.runtime.exchange.sources import ENCODINGS
from tabwright.runtime.pages.history import when_text
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import in_sentence, plural, singular
from tabwright.runtime.pages.world import Desk

ISSUES = 50  # groups of faults that a page shows
ROWS = 20
CHOICES = 300  # records that a select offers; beyond that their name is typed
BLANK = "-"  # of a select: this value becomes nothing
WORDS: Mapping[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_MOVING = ("checking", "running", "undoing")


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a select."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class MapRow:
    """A column of the file: a sample of it, the fields that it may go into, and what else can be said of
    it.
    """

    index: int
    column: str
    sample: str
    fields: tuple[Choice, ...]
    why: str
    match: tuple[Choice, ...]
    missing: tuple[Choice, ...]
    dates: tuple[Choice, ...]
    blank: tuple[Choice, ...]
    mapped: bool
    more: str  # heads what else can be said of the column
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A value of the file that was refused, and what it may become."""

    number: int
    column: str
    value: str
    count: str
    message: str
    choices: tuple[Choice, ...]
    typed: str


@dataclass(frozen=True, slots=True)
class BadRow:
    row: int
    cells: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    label: str
    number: str
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    percent: int
    text: str
    rate: str


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    state: str  # done, now, next


@dataclass(frozen=True, slots=True)
class Earlier:
    href: str
    name: str
    state: str
    css: str
    when: str


@dataclass(frozen=True, slots=True)
class StartPage:
    object: ObjectDef
    plural: str
    title: str
    faults: tuple[str, ...]
    limit: str
    earlier: tuple[Earlier, ...]


@dataclass(frozen=True, slots=True)
class ImportPage:
    object: ObjectDef
    plural: str
    title: str
    run: Run
    at: str
    steps: tuple[Step, ...]
    tags: tuple[str, ...]
    formats: tuple[tuple[str, tuple[Choice, ...]], ...]
    has_header: bool
    modes: tuple[Choice, ...]
    keys: tuple[Choice, ...]
    map: tuple[MapRow, ...]
    faults: tuple[str, ...]
    values: tuple[ValueRow, ...]
    more_values: str
    counts: tuple[Count, ...]
    speed: str
    bad: tuple[BadRow, ...]
    bad_title: str
    bad_columns: tuple[str, ...]
    progress: Progress | None
    said: str
    ready: str
    can: tuple[str, ...]
    left: tuple[str, ...]


def start_page(
    desk: Desk, imports: Imports, object: ObjectDef, error: TabwrightError | None = None
) -> StartPage:
    """Where a file is chosen."""
    call = desk.call
    t = text(call.language)
    zone, now = ZoneInfo(call.zone), call.clock.now()
    earlier = [
        Earlier(
            f"/imports/{run.id}",
            run.filename,
            t("import.state." + run.state),
            "is-ok" if run.state == "done" else "is-warn" if run.state in ("failed", "stopped") else "",
            when_text(run.created_at, now, zone, call.language),
        )
        for run in imports.recent(object.name)
    ]
    megabytes = desk.site.settings.limits.upload_bytes // 1_000_000
    return StartPage(
        object,
        plural(object, call.language),
        t("import.title", objects=in_sentence(plural(object, call.language), call.language)),
        tuple(say_fault(each, call.language) for each in error.faults) if error is not None else (),
        t("import.limit", megabytes=megabytes),
        tuple(earlier),
    )


class Maker:
    """Makes the page of one import."""

    def __init__(self, desk: Desk, imports: Imports, run: Run, error: TabwrightError | None) -> None:
        self._desk = desk
        self._call = desk.call
        self._language = desk.call.language
        self._imports = imports
        self._run = run
        self._error = error
        self._object = imports.object(run)
        self._t = text(desk.call.language)
        self._known: dict[str, list[tuple[str, str]]] = {}

    def page(self) -> ImportPage:
        run, object, t = self._run, self._object, self._t
        editing = "change" in run.verbs
        faults = self._error.faults if self._error is not None else ()
        if not faults and editing:
            faults = run.error or tuple(self._imports.faults(run))
        elif not faults:
            faults = run.error
        phase = (
            "undo" if run.state in ("undoing", "undo_stopped", "undone") else self._imports.last_phase(run)
        )
        problems = self._imports.problems(run.id, phase, limit=ROWS) if run.state != "checking" else ()
        notes = self._imports.problems(run.id, "note", limit=ROWS) if run.state == "done" else ()
        good = run.counts["created"] + run.counts["updated"]
        shown = [] if phase == "undo" else list(problems)
        return ImportPage(
            object=object,
            plural=plural(object, self._language),
            title=t("import.title", objects=in_sentence(plural(object, self._language), self._language)),
            run=run,
            at=f"/imports/{run.id}",
            steps=self._steps(),
            tags=self._tags(),
            formats=self._formats() if editing else (),
            has_header=run.format.header,
            modes=tuple(
                Choice(m, t("import.mode." + m), m == run.settings.mode) for m in MODES if self._may(m)
            ),
            keys=self._keys(),
            map=tuple(self._map()) if editing else (),
            faults=tuple(dict.fromkeys(self._said(each) for each in faults)),
            values=tuple(self._values()) if run.state == "checked" else (),
            more_values=self._number(max(0, len(run.issues) - ISSUES)) if len(run.issues) > ISSUES else "",
            counts=self._counts() if run.state not in ("mapping", "checking") else (),
            speed=self._speed(),
            bad=tuple(BadRow(p.row, tuple(p.cells[:3]), tuple(map(self._said, p.faults))) for p in shown),
            bad_title=t("import.bad_rows", count=self._number(run.counts["failed"])),
            bad_columns=run.header[:3],
            progress=self.progress(),
            said=t("import.said." + run.state),
            ready=t("import.run_one" if good == 1 else "import.run", count=self._number(good)),
            can=run.verbs,
            left=tuple(
                self._said(each) for p in (problems if phase == "undo" else notes) for each in p.faults
            ),
        )

    def _number(self, value: int) -> str:
        return format_number(value, self._language)

    def _said(self, fault: Fault) -> str:
        said = say_fault(fault, self._language)
        field = self._object.find(fault.place.field) if fault.place.field else None
        label = label_in(field.labels, self._language) if field is not None else None
        if label is None or label in said:
            return said
        return f"{label}{'：' if self._language == 'zh' else ': '}{said}"

    def _may(self, mode: str) -> bool:
        gate, object = self._call.gate, self._object
        needed = {"create": ("create",), "update": ("edit",), "upsert": ("create", "edit")}[mode]
        return all(gate.may(object, right) for right in needed)

    def _steps(self) -> tuple[Step, ...]:
        at = {"mapping": 1, "checking": 2, "checked": 2}.get(self._run.state, 3)
        done = self._run.state in ("done", "undone")
        names = ("file", "columns", "check", "run")
        return tuple(
            Step(self._t("import.step." + name), "done" if n < at or done else "now" if n == at else "next")
            for n, name in enumerate(names)
        )

    def _tags(self) -> tuple[str, ...]:
        form, t = self._run.format, self._t
        tags = (
            [form.sheet or ""]
            if form.kind == "sheet"
            else [form.encoding.upper(), t(_delimiter(form.delimiter))]
        )
        if self._run.row_count is not None:
            tags.append(t("import.rows", count=self._number(self._run.row_count)))
        return tuple(tags)

    def _formats(self) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
        form = self._run.format
        if form.kind == "sheet":
            return (("sheet", tuple(Choice(name, name, name == form.sheet) for name in form.sheets)),)
        encodings = tuple(Choice(each, each.upper(), each == form.encoding) for each in ENCODINGS)
        delimiters = tuple(
            Choice(name, self._t(_delimiter(sign)), sign == form.delimiter) for name, sign in WORDS.items()
        )
        return (("encoding", encodings), ("delimiter", delimiters))

    def _keys(self) -> tuple[Choice, ...]:
        key = self._run.settings.key
        fields = [each for each in self._call.gate.readable(self._object) if names_one(self._object, each)]
        return tuple(
            Choice(each.name, label_in(each.labels, self._language), each.name == key) for each in fields
        )

    def _map(self) -> Iterator[MapRow]:
        gate, settings, t = self._call.gate, self._run.settings, self._t
        writable = [each for each in gate.editable(self._object) if not each.system or each.name == "owner"]
        keys = [self._object.fields[key.value] for key in self._keys()]
        fields = list({each.name: each for each in (*writable, *keys)}.values())
        for index, name in enumerate(self._run.header):
            column = settings.columns.get(name)
            field = self._object.find(column.field) if column is not None else None
            samples = (row[index] for row in self._run.sample if index < len(row) and row[index])
            choices = [Choice("", t("import.skip"), column is None)]
            choices += [
                Choice(each.name, self._field_label(each), column is not None and each is field)
                for each in fields
            ]
            empty: tuple[Choice, ...] = ()
            yield MapRow(
                index=index,
                column=name,
                sample=next(samples, ""),
                fields=tuple(choices),
                why=t("import.why." + (column.why or "chosen")) if column is not None else "",
                match=self._match(field, column) if field is not None and column is not None else empty,
                missing=self._missing(field, column) if field is not None and column is not None else empty,
                dates=self._dates(field, column) if field is not None and column is not None else empty,
                blank=self._blank(column) if column is not None else empty,
                mapped=column is not None,
                more=self._more(field, column),
                values=tuple(column.values.items()) if column is not None else (),
            )

    def _more(self, field: FieldDef | None, column: Column | None) -> str:
        chosen = () if field is None or column is None else self._match(field, column)
        by = next((each.label for each in chosen if each.chosen), None)
        return self._t("import.more") if by is None else self._t("import.found_by", field=by)

    def _field_label(self, field: FieldDef) -> str:
        label = label_in(field.labels, self._language)
        return label + " *" if field.required else label

    def _match(self, field: FieldDef, column: Column) -> tuple[Choice, ...]:
        if not field.is_reference:
            return ()
        found: dict[str, Choice] = {}
        for target in targets_of(self._call.gate, field):
            for each in matchable(self._call.gate, target):
                chosen = each.name == (column.match or target.name_field)
                found.setdefault(each.name, Choice(each.name, label_in(each.labels, self._language), chosen))
        return tuple(found.values())

    def _missing(self, field: FieldDef, column: Column) -> tuple[Choice, ...]:
        if not field.is_reference:
            return ()
        target = next(iter(targets_of(self._call.gate, field)), None)
        if target is None:
            return ()
        made = [each for each in MISSING if each != "create" or self._call.gate.may(target, "create")]
        name = singular(target, self._language)
        return tuple(
            Choice(each, self._t("import.missing." + each, object=name), each == column.missing)
            for each in made
        )

    def _dates(self, field: FieldDef, column: Column) -> tuple[Choice, ...]:
        if field.type not in ("date", "datetime"):
            return ()
        return tuple(Choice(each, self._t("import.dates." + each), each == column.dates) for each in ORDERS)

    def _blank(self, column: Column) -> tuple[Choice, ...]:
        return tuple(Choice(each, self._t("import.blank." + each), each == column.blank) for each in BLANKS)

    def _values(self) -> Iterator[ValueRow]:
        for number, issue in enumerate(self._run.issues[:ISSUES]):
            yield ValueRow(
                number=number,
                column=issue.column or issue.field,
                value=issue.value,
                count=self._number(issue.count),
                message=say_fault(issue.fault, self._language),
                choices=self._choices(issue) if issue.mappable and issue.column else (),
                typed=issue.suggestion or "",
            )

    def _choices(self, issue: Issue) -> tuple[Choice, ...]:
        """What the value may become; none where there are too many to offer, and a text is typed."""
        if issue.column not in self._known:
            self._known[issue.column] = self._known_values(issue.column)
        known = self._known[issue.column]
        if not known or len(known) > CHOICES:
            return ()
        wanted = issue.suggestion
        first = [
            Choice("", self._t("import.stays"), not wanted),
            Choice(BLANK, self._t("import.becomes_blank"), False),
        ]
        return (*first, *(Choice(value, label, wanted in (value, label)) for value, label in known))

    def _known_values(self, name: str) -> list[tuple[str, str]]:
        """(value, label) of what the cells of a column may say."""
        column = self._run.settings.columns.get(name)
        field = self._object.find(column.field) if column is not None else None
        if column is None or field is None:
            return []
        if field.picklist is not None:
            active = (each for each in field.picklist.values if each.active)
            return [(each.code, label_in(each.labels, self._language)) for each in active]
        if not field.is_reference:
            return []
        known: list[tuple[str, str]] = []
        with self._call.tenant.store.read() as reader:
            for target in targets_of(self._call.gate, field):
                match = target.find(column.match or target.name_field)
                if match is not None and self._call.gate.can_read(match):
                    known += [(each, each) for each in names_of(self._call, reader, target, match)]
        return sorted(set(known))

    def _counts(self) -> tuple[Count, ...]:
        counts, t = self._run.counts, self._t
        names = ["created", "updated", "unchanged", "failed"]
        names += [name for name in ("made", "noted") if counts.get(name)]
        return tuple(
            Count(
                t("import.count." + name),
                self._number(counts.get(name, 0)),
                name == "failed" and counts[name] > 0,
            )
            for name in names
        )

    def _speed(self) -> str:
        checked = self._run.checked
        if checked is None or self._run.state != "checked":
            return ""
        rate = round((self._run.row_count or 0) / max(checked["seconds"], 0.1))
        return self._t("import.speed", seconds=str(checked["seconds"]), rate=self._number(rate))

    def progress(self) -> Progress | None:
        """How far the job is; None when none is at work."""
        run, job = self._run, self._run.job
        if run.state not in _MOVING or job is None:
            return None
        total = job.progress_total or 0
        percent = min(100, job.progress_done * 100 // total) if total else 0
        code = "import.progress.undo" if run.state == "undoing" else "import.progress"
        done = self._t(
            code, done=self._number(job.progress_done), total=self._number(total) if total else "…"
        )
        rate = ""
        if job.started_at is not None and job.progress_done and total and run.state != "undoing":
            seconds = max((self._call.clock.now() - job.started_at).total_seconds(), 0.1)
            per_second = job.progress_done / seconds
            left = round((total - job.progress_done) / per_second)
            rate = self._t("import.rate", rate=self._number(round(per_second)), left=left)
        return Progress(percent, done, rate)


def _delimiter(sign: str) -> str:
    return "import.delimiter." + next(name for name, each in WORDS.items() if each == sign)
