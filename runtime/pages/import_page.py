"""What the pages of import show, as plain values: the start, and one import in whatever state it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Fault, TabwrightError
from tabwright.platform.language import format_number, say, say_fault
from tabwright.runtime.exchange import sources
from tabwright.runtime.exchange.imports import Imports
from tabwright.runtime.exchange.runs import Issue, Problem, Run
from tabwright.runtime.exchange.settings import MODES
from tabwright.runtime.exchange.sources import ENCODINGS
from tabwright.runtime.pages.history import when_text
from tabwright.runtime.pages.import_columns import Choice, Columns, MapRow, ParentRow
from tabwright.runtime.pages.import_grid import Grid, GridMaker
from tabwright.runtime.pages.import_progress import Progress, progress_of
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import in_sentence, plural
from tabwright.runtime.pages.world import Desk

ISSUES = 50  # groups of faults that a page shows
ROWS = 20
CHOICES = 300  # records that a select offers; beyond that their name is typed
BLANK, SKIP, MAKE = "-", "--skip", "--make"  # of a select: nothing, no row, a record of that name
WORDS: Mapping[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


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
    acts: tuple[Choice, ...]  # what may become of it where the value is typed


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
    unnamed: tuple[str, ...]  # columns without a title that go nowhere
    parents: tuple[ParentRow, ...]
    faults: tuple[str, ...]
    values: tuple[ValueRow, ...]
    more_values: str
    counts: tuple[Count, ...]
    beside: tuple[tuple[str, tuple[Count, ...]], ...]  # of other objects that the rows fill
    speed: str
    bad: tuple[BadRow, ...]
    bad_title: str
    warned: tuple[BadRow, ...]  # rows that go in though a rule warns of them
    warned_title: str
    asks_warnings: bool
    bad_columns: tuple[str, ...]
    progress: Progress | None
    said: str
    ready: str
    can: tuple[str, ...]
    left: tuple[str, ...]
    before: str  # whose settings were taken over
    no_file: str
    relations: tuple[str, ...]  # what lookups did not find
    note: str  # what the counts are worth
    options_href: str  # where unknown options are made
    grid: Grid | None
    corrected: str  # what reading the file in another way would give up


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
        self._columns = Columns(desk.call, run, self._object)
        self._known: dict[str, list[tuple[str, str]]] = {}

    def page(self, show: str = "bad", number: int = 1) -> ImportPage:
        """The page; of a grid the rows of a kind, from a page of them on."""
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
        correcting = "correct" in run.verbs
        shown = [] if phase == "undo" or correcting else list(problems)
        rows = tuple(self._columns.rows()) if editing else ()
        letters = sources.unnamed(run.header) if run.format.header else ()
        warned = run.counts.get("warned", 0)
        passing = self._imports.problems(run.id, "warned", limit=ROWS) if warned else ()
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
            keys=self._columns.keys(),
            map=rows,
            unnamed=tuple(row.column for row in rows if not row.mapped and row.column in letters),
            parents=tuple(self._columns.parents()) if editing else (),
            faults=tuple(dict.fromkeys(self._said(each) for each in faults)),
            values=tuple(self._values()) if run.state == "checked" and editing else (),
            more_values=self._number(max(0, len(run.issues) - ISSUES)) if len(run.issues) > ISSUES else "",
            counts=self.counts() if run.state not in ("mapping", "checking") else (),
            beside=self._beside() if run.state not in ("mapping", "checking") else (),
            speed=self._speed(),
            bad=tuple(self._row(each) for each in shown),
            bad_title=t("import.bad_rows", count=self._number(run.counts["failed"])),
            bad_columns=run.header[:3],
            warned=tuple(self._row(each) for each in passing),
            warned_title=t("import.warned_rows", count=self._number(warned)),
            asks_warnings=any(each.severity == "warning" for each in object.validation_rules),
            progress=self.progress(),
            said=t("import.said." + run.state),
            ready=self.ready(),
            can=run.verbs,
            before=self._before() if editing else "",
            no_file=self._no_file(),
            relations=tuple(self._relations()) if run.state == "checked" else (),
            note=self.note(),
            options_href=self._options_href() if correcting else "",
            grid=self.grid_maker().grid(show, number) if correcting else None,
            corrected=self._corrected() if editing else "",
            left=tuple(
                self._said(each) for p in (problems if phase == "undo" else notes) for each in p.faults
            ),
        )

    def _row(self, problem: Problem) -> BadRow:
        return BadRow(problem.row, tuple(problem.cells[:3]), tuple(map(self._said, problem.faults)))

    def ready(self) -> str:
        """The button that begins the import."""
        good = self._run.counts["created"] + self._run.counts["updated"]
        return self._t("import.run_one" if good == 1 else "import.run", count=self._number(good))

    def note(self) -> str:
        """What the counts of a check are worth: exact, or for corrected rows by themselves only."""
        if self._run.state != "checked" or self._run.checked is None:
            return ""
        return self._t("import.since" if self._run.checked.get("since") else "import.same_counts")

    def grid_maker(self) -> GridMaker:
        """Makes the rows that want to be put right."""
        return GridMaker(self._call, self._imports, self._run, self._said)

    def _corrected(self) -> str:
        counts = self._imports.grid_counts(self._run.id)
        count = counts["corrected"] + counts["skipped"]
        return self._t("import.gives_up", count=self._number(count)) if count else ""

    def _relations(self) -> Iterator[str]:
        """Column by column how many names were not found, and in how many rows."""
        for code in ("import.unknown_record", "import.ambiguous"):
            found: dict[str, tuple[int, int]] = {}
            for issue in self._run.issues:
                if issue.fault.code == code:
                    names, rows = found.get(issue.column or issue.field, (0, 0))
                    found[issue.column or issue.field] = (names + 1, rows + issue.count)
            for column, (names, rows) in found.items():
                said = "import.relations." + code.rpartition(".")[2]
                yield self._t(said, column=column, names=self._number(names), rows=self._number(rows))

    def _options_href(self) -> str:
        """Where someone who designs the object adds the options that the file has and the field has not."""
        unknown = any(issue.fault.code == "import.unknown_choice" for issue in self._run.issues)
        may = unknown and self._call.gate.has("customise")
        return f"/studio/imports/{self._run.id}/options" if may else ""

    def _before(self) -> str:
        before = self._run.settings.before
        if before is None:
            return ""
        zone, now = ZoneInfo(self._call.zone), self._call.clock.now()
        when = when_text(datetime.fromisoformat(before.at), now, zone, self._language)
        code = "import.before_own" if before.own else "import.before_other"
        return self._t(code, file=before.filename, when=when)

    def _no_file(self) -> str:
        if self._run.has_file or self._run.state not in ("mapping", "checked", "stopped", "failed"):
            return ""
        days = self._desk.site.settings.limits.import_file_days
        return say("import.file_removed", {"days": days}, self._language)

    def _number(self, value: int) -> str:
        return format_number(value, self._language)

    def _said(self, fault: Fault) -> str:
        said = say_fault(fault, self._language)
        label = self._columns.label(fault.place.field) if fault.place.field else None
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
                acts=tuple(self._acts(issue, "import.typed")) if issue.mappable and issue.column else (),
            )

    def _choices(self, issue: Issue) -> tuple[Choice, ...]:
        """What the value may become; none where there are too many to offer, and a text is typed."""
        if issue.column not in self._known:
            column = self._run.settings.columns.get(issue.column)
            self._known[issue.column] = self._columns.known_values(column) if column is not None else []
        known = self._known[issue.column]
        if not known or len(known) > CHOICES:
            return ()
        wanted = issue.suggestion
        values = (Choice(value, label, wanted in (value, label)) for value, label in known)
        return (*self._acts(issue, "import.stays", not wanted), *values)

    def _acts(self, issue: Issue, first: str, chosen: bool = True) -> Iterator[Choice]:
        """What may become of a value beside another value."""
        yield Choice("", self._t(first), chosen)
        yield Choice(BLANK, self._t("import.becomes_blank"), False)
        yield Choice(SKIP, self._t("import.skip_rows"), False)
        if issue.fault.code == "import.unknown_record" and self._columns.makes(issue.column):
            yield Choice(MAKE, self._t("import.make_record", value=issue.value[:40]), False)

    def counts(self) -> tuple[Count, ...]:
        """What became of the rows, or would."""
        counts, t = self._run.counts, self._t
        names = ["created", "updated", "unchanged", "failed"]
        names += [name for name in ("skipped", "made", "noted", "warned") if counts.get(name)]
        return tuple(
            Count(
                t("import.count." + name),
                self._number(counts.get(name, 0)),
                name == "failed" and counts[name] > 0,
            )
            for name in names
        )

    def _beside(self) -> tuple[tuple[str, tuple[Count, ...]], ...]:
        found = []
        for name, counts in self._run.counts.get("parents", {}).items():
            object = self._call.model.find(name)
            label = plural(object, self._language) if object is not None else name
            found.append(
                (
                    label,
                    tuple(Count(self._t("import.count." + n), self._number(c)) for n, c in counts.items()),
                )
            )
        return tuple(found)

    def _speed(self) -> str:
        checked = self._run.checked
        if checked is None or self._run.state != "checked":
            return ""
        rate = round((self._run.row_count or 0) / max(checked["seconds"], 0.1))
        return self._t("import.speed", seconds=str(checked["seconds"]), rate=self._number(rate))

    def progress(self) -> Progress | None:
        """How far the job is; None when none is at work."""
        return progress_of(self._run, self._call.clock.now(), self._language)


def _delimiter(sign: str) -> str:
    return "import.delimiter." + next(name for name, each in WORDS.items() if each == sign)
