"""How far an import is, in words: rows, how fast, how long still, and what it made of them so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tabwright.platform.language import Language, format_number
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.pages.rendering import text

_MOVING = ("checking", "running", "undoing")
_SO_FAR = ("created", "updated", "unchanged", "failed", "skipped")


@dataclass(frozen=True, slots=True)
class Progress:
    percent: int
    text: str
    rate: str
    phase: str
    so_far: tuple[tuple[str, str], ...]  # (label, number) of what a run has done


def progress_of(run: Run, now: datetime, language: Language) -> Progress | None:
    """How far the job is; None when none is at work.

    The speed is that of the worker that is at it now: the time in which none was there counts for nothing.
    """
    job, t = run.job, text(language)
    if run.state not in _MOVING or job is None:
        return None

    def number(value: int) -> str:
        return format_number(value, language)

    total = job.progress_total or (0 if run.state == "undoing" else run.row_count) or 0
    percent = min(100, job.progress_done * 100 // total) if total else 0
    code = "import.progress.undo" if run.state == "undoing" else "import.progress"
    done = t(code, done=number(job.progress_done), total=number(total) if total else "…")
    phase = _phase(run, job.state)
    rate = ""
    since, before = (run.pace.since, run.pace.done) if run.pace is not None else (job.started_at, 0)
    worked = job.progress_done - before
    if since is not None and worked > 0 and total and phase != "reading":
        per_second = worked / max((now - since).total_seconds(), 0.1)
        left = _time(round((total - job.progress_done) / per_second), language)
        if run.state == "undoing":
            rate = t("import.left", left=left)
        else:
            rate = t("import.rate", rate=number(round(per_second)), left=left)
    so_far: tuple[tuple[str, str], ...] = ()
    if run.state == "running":
        counts = [(each, run.counts.get(each, 0)) for each in _SO_FAR]
        so_far = tuple((t("import.count." + each), number(count)) for each, count in counts if count)
    return Progress(percent, done, rate, t("import.phase." + phase), so_far)


def _phase(run: Run, job_state: str) -> str:
    if job_state == "waiting":
        return "queued"
    if run.state == "undoing":
        return "undo"
    return run.pace.phase if run.pace is not None else "queued"


def _time(seconds: int, language: Language) -> str:
    """How long something takes, in the two largest units that say something."""
    t = text(language)
    if seconds < 60:
        return t("import.seconds", seconds=max(seconds, 1))
    minutes, rest = divmod(seconds, 60)
    if minutes < 10 and rest:
        return t("import.minutes_seconds", minutes=minutes, seconds=rest)
    if minutes < 60:
        return t("import.minutes", minutes=minutes)
    return t("import.hours", hours=minutes // 60, minutes=minutes % 60)
