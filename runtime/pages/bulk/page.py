"""The page of one bulk change, whatever its state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from tabwright.metadata.model import FieldDef, ObjectDef, label_in
from tabwright.platform.errors import TabwrightError
from tabwright.platform.language import say, say_fault
from tabwright.runtime.bulk import selection
from tabwright.runtime.bulk.runs import MOVING, Phase, Run, ids_in
from tabwright.runtime.bulk.service import Bulk
from tabwright.runtime.desk import Call
from tabwright.runtime.forms import texts
from tabwright.runtime.forms.shown import Seen, name_path, shower
from tabwright.runtime.pages import edit_page
from tabwright.runtime.pages.bulk.choosing import Choosing, Said, first, shown
from tabwright.runtime.pages.lookups import Lookups
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import in_sentence, plural
from tabwright.runtime.pages.visiting import as_uuid, name_of
from tabwright.runtime.records.rules import WARNING

SAMPLES = 8
LISTED = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plan or of a result."""

    css: str
    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    href: str
    old: tuple[Markup, ...]


@dataclass(frozen=True, slots=True)
class NewValue:
    label: str
    text: str
    cleared: bool


@dataclass(frozen=True, slots=True)
class Refused:
    name: str
    href: str | None
    text: str


@dataclass(frozen=True, slots=True)
class BulkPage:
    run: Run
    object: ObjectDef
    plural: str
    title: str
    at: str
    back: str
    choosing: Choosing | None
    lines: tuple[Line, ...]
    values: tuple[NewValue, ...]
    samples: tuple[Sample, ...]
    samples_text: str
    refused: tuple[Refused, ...]
    refused_title: str
    refused_more: str
    csv_href: str
    progress: str
    percent: int
    headline: str
    css: str
    icon: str
    faults: tuple[str, ...]
    button: str
    warned_text: str  # lets the warnings of the rehearsal pass; "" where there are none
    undo_text: str

    @property
    def is_moving(self) -> bool:
        return self.run.state in MOVING

    @property
    def verbs(self) -> tuple[str, ...]:
        return self.run.verbs


_PHASE: dict[str, Phase] = {
    "checking": "check", "checked": "check", "running": "run", "stopped": "run", "failed": "run",
    "done": "run", "undoing": "undo", "undo_stopped": "undo", "undone": "undo",
}  # fmt: skip
_LOOK = {
    "done": ("is-ok", "circle-check"),
    "undone": ("is-ok", "arrow-back-up"),
    "stopped": ("is-warn", "alert-triangle"),
    "undo_stopped": ("is-warn", "alert-triangle"),
    "failed": ("is-seal", "alert-circle"),
}


def bulk_page(
    call: Call, reads: Reading, bulk: Bulk, run: Run, said: Said | None = None,
    faults: Sequence[edit_page.FaultLine] = (), errors: Any = None,
) -> BulkPage:  # fmt: skip
    """The page of a run; ``said`` is a form that was posted and not taken."""
    object, t = bulk.object(run), text(call.language)
    choosing = None
    if said is not None or (run.state == "choosing" and run.action != "delete"):
        choosing = shown(call, object, run, said or first(call, reads, object, run), faults, errors)
    phase = _PHASE.get(run.state)
    counts = run.counted(phase) if phase is not None else {}
    many = in_sentence(plural(object, call.language), call.language)
    shows_plan = run.state == "checked" and choosing is None
    css, image = _LOOK.get(run.state, ("", ""))
    done = run.job.progress_done if run.job is not None else 0
    refused = [] if phase is None or choosing is not None else bulk.problems(run.id, phase, LISTED)
    failed = counts.get("failed", 0)
    held = _held(counts) if phase == "check" else 0  # what a warning alone stands against
    listed = "warned" if held and held == failed else phase
    return BulkPage(
        run=run,
        object=object,
        plural=plural(object, call.language),
        title=t(f"bulk.title_{run.action}", count=f"{run.row_count:,}", objects=many),
        at=f"/bulk/{run.id}",
        back=run.back,
        choosing=choosing,
        lines=_lines(call, run, phase, counts, t) if phase and choosing is None else (),
        values=_values(call, reads, object, run) if shows_plan and run.action != "delete" else (),
        samples=_samples(call, reads, object, run) if shows_plan else (),
        samples_text=t("bulk.samples", count=min(SAMPLES, run.row_count)),
        refused=tuple(_refused(call, object, each, run) for each in refused),
        refused_title=t(f"bulk.refused_{listed}", count=f"{failed:,}") if failed else "",
        refused_more=t("bulk.refused_more", count=f"{failed - LISTED:,}") if failed > LISTED else "",
        csv_href=f"/bulk/{run.id}/refused.csv?phase={phase}" if failed else "",
        progress=t(f"bulk.{run.state}", done=f"{done:,}", of=f"{run.row_count:,}")
        if run.state in MOVING
        else "",
        percent=min(100, done * 100 // max(run.row_count, 1)),
        headline=t(f"bulk.headline_{run.state}") if run.state in _LOOK else "",
        css=css,
        icon=image,
        faults=tuple(dict.fromkeys(say_fault(each, call.language) for each in run.error)),
        button=t(f"bulk.do_{run.action}", count=f"{counts.get('changed', 0):,}") if shows_plan else "",
        warned_text=t("bulk.let_pass", count=f"{held:,}") if held and run.state == "checked" else "",
        undo_text=t("bulk.undo", count=f"{run.counted('run')['changed']:,}"),
    )


def _held(counts: Any) -> int:
    """How many records a warning holds up."""
    reasons = counts.get("reasons", {})
    return sum(count for reason, count in reasons.items() if reason.partition(":")[2] == WARNING)


def _lines(call: Call, run: Run, phase: Phase, counts: Any, t: Any) -> tuple[Line, ...]:
    signs = {"edit": ("is-mod", "~"), "transfer": ("is-mod", "~"), "delete": ("is-del", "−")}
    css, sign = signs[run.action] if phase != "undo" else ("is-add", "+")
    kind = "undo" if phase == "undo" else f"{phase}_{run.action}"
    lines = [Line(css, sign, t(f"bulk.count_{kind}", count=f"{counts['changed']:,}"))]
    if counts["unchanged"]:
        lines.append(Line("is-add", "=", t("bulk.count_unchanged", count=f"{counts['unchanged']:,}")))
    held = _held(counts) if phase == "check" else 0
    if counts["failed"] > held:
        lines.append(
            Line("is-del", "!", t(f"bulk.count_failed_{phase}", count=f"{counts['failed'] - held:,}"))
        )
    if held:
        lines.append(Line("is-mod", "!", t("bulk.count_held", count=f"{held:,}")))
    if counts["warned"]:
        lines.append(Line("is-mod", "!", t("bulk.count_warned", count=f"{counts['warned']:,}")))
    left = run.row_count - counts["rows"]
    if phase == "run" and left > 0:
        lines.append(Line("", "…", t("bulk.count_left", count=f"{left:,}")))
    return (*lines, *_followed(call, counts["followed"], t))


def _followed(call: Call, followed: dict[str, int], t: Any) -> list[Line]:
    """What else changes with the records, by object; what this person may not know of is other records."""
    numbers = {call.tables.of(object).number: object for object in call.model.objects.values()}
    sums: dict[tuple[str, str], int] = {}
    for key, count in followed.items():
        number, _, action = key.partition(":")
        object = numbers.get(int(number))
        known = object is not None and call.gate.may(object, "read")
        name = in_sentence(plural(object, call.language), call.language) if known and object else ""
        of = (name or t("bulk.other_records"), "delete" if action == "delete" else "update")
        sums[of] = sums.get(of, 0) + count
    return [
        Line(
            "is-del" if action == "delete" else "is-mod",
            "−" if action == "delete" else "~",
            t(f"bulk.also_{action}", count=f"{count:,}", objects=name),
        )
        for (name, action), count in sums.items()
    ]


def _fields(object: ObjectDef, run: Run) -> list[FieldDef]:
    return [object.fields[name] for name in run.values if name in object.fields]


def _values(call: Call, reads: Reading, object: ObjectDef, run: Run) -> tuple[NewValue, ...]:
    t, finder = text(call.language), Lookups(call, reads)
    made = []
    for field in _fields(object, run):
        value = run.values[field.name]
        typed = texts.to_text(field, value, ZoneInfo(call.zone)) if value is not None else ""
        id = as_uuid(typed) if field.is_reference and typed else None
        names = {field.name: (finder.name(field, id) or "…") if id is not None else "…"}
        said = edit_page.plain(field, typed, names, call) if value is not None else t("bulk.cleared")
        made.append(NewValue(label_in(field.labels, call.language), said[:200], value is None))
    return tuple(made)


def _samples(call: Call, reads: Reading, object: ObjectDef, run: Run) -> tuple[Sample, ...]:
    """The first records as they are now."""
    fields = [] if run.action == "delete" else _fields(object, run)
    with call.tenant.store.read() as reader:
        ids = selection.unpack(ids_in(reader, run.id, 0))[:SAMPLES]
    paths = [object.name_field] if call.gate.find(object, object.name_field) else []
    for field in fields:
        at = name_path(field, field.name, call.model)
        paths += [field.name] if at is None or not _may(call, object, at) else [field.name, at]
    shows = [shower(field, field.name, call.model, call.language, short=True) for field in fields]
    blank = Markup('<span class="tw-3">—</span>')
    made = []
    for id in ids:
        try:
            row = reads.get(object.name, id, tuple(dict.fromkeys(paths)))
        except TabwrightError:  # gone since
            continue
        seen = Seen(row, ZoneInfo(call.zone))
        made.append(
            Sample(
                name_of(call, object, row),
                f"/o/{object.name}/{id}",
                tuple(Markup(show(seen)) or blank for show in shows),
            )
        )
    return tuple(made)


def _may(call: Call, object: ObjectDef, path: str) -> bool:
    try:
        call.gate.resolve(object, path)
    except TabwrightError:
        return False
    return True


def _refused(call: Call, object: ObjectDef, problem: Any, run: Run) -> Refused:
    texts_ = dict.fromkeys(said(call, object, fault) for fault in problem.faults)
    href = f"/o/{object.name}/{problem.record}" if problem.record is not None else None
    return Refused(problem.name or say("pages.record.nameless", {}, call.language), href, "；".join(texts_)
                   if call.language == "zh" else "; ".join(texts_))  # fmt: skip


def said(call: Call, object: ObjectDef, fault: Any) -> str:
    """A fault in words, with the field that it is about."""
    words = say_fault(fault, call.language)
    field = object.find(fault.place.field) if fault.place.field else None
    if field is None or not call.gate.can_read(field):
        return words
    label = label_in(field.labels, call.language)
    return words if label in words else f"{label}{'：' if call.language == 'zh' else ': '}{words}"
