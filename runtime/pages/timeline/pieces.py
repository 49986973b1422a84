"""The timeline of a record: its changes and its comments in one column, newest first, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Reader
from tabwright.platform.errors import Malformed, NotFound
from tabwright.platform.language import register_messages
from tabwright.platform.tables import instant_of, microseconds
from tabwright.runtime.comments.reading import Comment, Position, Reading, Summary
from tabwright.runtime.comments.service import may_delete, may_edit, may_write
from tabwright.runtime.desk import Call
from tabwright.runtime.forms.shown import colour_of, initials
from tabwright.runtime.journal.reading import HistoryEntry, history
from tabwright.runtime.pages.history import Event, day_label, event_of, named_in, when_text
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.timeline import words
from tabwright.runtime.query import cursors
from tabwright.runtime.query.naming import named

register_messages(Path(__file__).with_name("messages.json"))

SHOWS: Final = ("all", "comments", "changes")
PIECE: Final = 20
UNFOLDED: Final = 5  # of many answers the last ones stand open


@dataclass(frozen=True, slots=True)
class ShownComment:
    """One comment with its answers; ``body`` is None where it was deleted."""

    id: str
    who: str
    initials: str
    colour: str
    mine: bool
    body: Markup | None
    at: int  # microseconds: where it stands among the others
    iso: str
    when: str
    edited: str
    edit_href: str | None
    delete_href: str | None
    reply_href: str | None
    href: str
    folded: tuple[ShownComment, ...] = ()
    replies: tuple[ShownComment, ...] = ()

    @property
    def lines(self) -> tuple[ShownComment, ...]:
        """The comment itself and its answers."""
        return (self, *self.folded, *self.replies)


@dataclass(frozen=True, slots=True)
class Item:
    """A comment or a change."""

    comment: ShownComment | None
    event: Event | None


@dataclass(frozen=True, slots=True)
class Day:
    date: str
    label: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some days of the timeline; ``cursor`` leads to what comes before, None at the end."""

    days: tuple[Day, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form of a comment: kept from before, or refused just now."""

    text: str = ""
    picked: str = ""
    parent: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The column as the record page shows it at first. ``at`` is the address of the record."""

    at: str
    show: str
    piece: Piece
    is_start: bool
    count: int
    mark: str
    follows: bool
    may_write: bool
    typed: Typed
    reply: Typed | None  # an answer that was begun and not sent
    answered: ShownComment | None  # the comment that the form answers
    linked: ShownComment | None  # a comment that an address leads to, where it is not among the first
    is_gone: bool  # it leads to one that was deleted


class Telling:
    """Makes comments and changes of one record into what is shown, names looked up once."""

    def __init__(self, call: Call, object: ObjectDef, record: UUID) -> None:
        self._call = call
        self._object = object
        self._record = record
        self._zone = ZoneInfo(call.zone)
        self._names: dict[UUID, str] = {}
        self._may_write = may_write(call, object)

    def learn(
        self, reader: Reader, comments: Iterable[Comment], entries: Iterable[HistoryEntry] = ()
    ) -> None:
        """Look up whom these name; one statement an object."""
        model = self._call.model
        wanted = dict(named_in(self._object, entries))
        for each in comments:
            for id in (each.author_id, *each.mentions):
                wanted[("user", id)] = None
        known = [(model.objects[name].uid, id) for name, id in wanted if name in model.objects]
        found = named(self._call, known, reader)
        self._names |= {id: each.name for id, each in found.items() if each.name}

    def comment(self, comment: Comment, replies: Sequence[Comment] = ()) -> ShownComment:
        """A comment with its answers, oldest first."""
        shown = tuple(self._one(each) for each in replies)
        folded, last = (shown[:-UNFOLDED], shown[-UNFOLDED:]) if len(shown) > UNFOLDED + 1 else ((), shown)
        return replace(self._one(comment), folded=folded, replies=last)

    def _one(self, comment: Comment) -> ShownComment:
        call, t = self._call, text(self._call.language)
        at = f"/o/{self._object.name}/{self._record}"
        local, now = comment.created_at.astimezone(self._zone), call.clock.now()
        who = self._names.get(comment.author_id) or t("record.somebody")
        is_gone, hex = comment.deleted_at is not None, comment.id.hex
        edited = ""
        if comment.edited_at is not None and not is_gone:
            edited = t(
                "timeline.edited_at", when=f"{comment.edited_at.astimezone(self._zone):%Y-%m-%d %H:%M}"
            )
        me = call.principal.user_id
        body = None if is_gone else words.shown(comment.body, self._names, me, t("record.somebody"))
        edits = self._may_write and may_edit(call, comment)
        deletes = self._may_write and may_delete(call, self._object, comment)
        is_reply = comment.parent_id is not None
        when = when_text(comment.created_at, now, self._zone, call.language) if is_reply else f"{local:%H:%M}"
        return ShownComment(
            id=hex,
            who=who,
            initials=initials(who),
            colour=colour_of(str(comment.author_id)),
            mine=comment.author_id == me,
            body=body,
            at=microseconds(comment.created_at),
            iso=local.isoformat(timespec="minutes"),
            when=when,
            edited=edited,
            edit_href=f"{at}/comments/{hex}/edit" if edits else None,
            delete_href=f"{at}/comments/{hex}/delete" if deletes else None,
            reply_href=f"{at}?reply={hex}#composer" if self._may_write and not is_gone else None,
            href=f"{at}?comment={hex}#c-{hex}",
        )

    def event(self, entry: HistoryEntry) -> Event:
        """A change."""
        return event_of(self._call, self._object, self._record, entry, self._names)

    def day(self, moment: datetime) -> tuple[str, str]:
        """The date of a moment here, and what it is called today."""
        today = self._call.clock.now().astimezone(self._zone).date()
        day = moment.astimezone(self._zone).date()
        return day.isoformat(), day_label(day, today, self._call.language)


def piece(
    call: Call, reader: Reader, object: ObjectDef, record: UUID, show: str = "all", cursor: str | None = None
) -> Piece:
    """A piece of the timeline. Raises Malformed for a cursor that is none, NotFound (the record)."""
    tenant, about = call.tenant.location.id, f"timeline {record.hex} {show}"
    before, after = _after(cursors.unseal(tenant, about, cursor)) if cursor else (None, None)
    entries: list[HistoryEntry] = []
    comments: list[Comment] = []
    reading = Reading(call, reader, object, record)
    if show != "comments":
        entries = history(call, object.name, record, reader, most=PIECE + 1, before=before)
    if show != "changes":
        comments = reading.threads(PIECE + 1, after)
    chosen: list[Comment | HistoryEntry] = []
    changed, said = iter(entries), iter(comments)
    entry, comment = next(changed, None), next(said, None)
    while (entry is not None or comment is not None) and len(chosen) < PIECE:
        # Each kind in its own order: two clocks may differ, and nothing may be left out.
        if comment is None or (entry is not None and entry.at > comment.created_at):
            assert entry is not None
            chosen.append(entry)
            before, entry = (entry.revision, entry.operation_id), next(changed, None)
        else:
            chosen.append(comment)
            after, comment = comment.position, next(said, None)
    is_end = entry is None and comment is None
    threads = [each for each in chosen if isinstance(each, Comment)]
    replies = reading.replies(each.id for each in threads)
    telling = Telling(call, object, record)
    telling.learn(
        reader,
        [*threads, *(each for many in replies.values() for each in many)],
        [each for each in chosen if isinstance(each, HistoryEntry)],
    )
    days: list[Day] = []
    for each in chosen:
        if isinstance(each, Comment):
            item = Item(telling.comment(each, replies.get(each.id, ())), None)
            date, label = telling.day(each.created_at)
        else:
            item = Item(None, telling.event(each))
            date, label = telling.day(each.at)
        if days and days[-1].date == date:
            days[-1] = replace(days[-1], items=(*days[-1].items, item))
        else:
            days.append(Day(date, label, (item,)))
    return Piece(tuple(days), None if is_end else cursors.seal(tenant, about, _place(before, after)))


def _place(before: tuple[int, UUID] | None, after: Position | None) -> list[Any]:
    return [
        None if before is None else [before[0], before[1].hex],
        None if after is None else [microseconds(after[0]), after[1].hex],
    ]


def _after(values: Sequence[Any]) -> tuple[tuple[int, UUID] | None, Position | None]:
    if len(values) != 2:
        raise Malformed.of("query.cursor")
    before, after = values
    return (
        None if before is None else (int(before[0]), UUID(before[1])),
        None if after is None else (instant_of(after[0]), UUID(after[1])),
    )


def threads(
    call: Call, reader: Reader, object: ObjectDef, record: UUID, ids: Iterable[UUID]
) -> list[tuple[ShownComment, str, str]]:
    """The comments of some ids, each whole: the one that an answer belongs to, with date and day.

    What is not there, or was deleted and has no answers, is left out.
    """
    reading, telling = Reading(call, reader, object, record), Telling(call, object, record)
    firsts = reading.firsts(ids)
    replies = reading.replies(each.id for each in firsts)
    telling.learn(reader, [*firsts, *(each for many in replies.values() for each in many)])
    found = [each for each in firsts if each.deleted_at is None or replies.get(each.id)]
    return [
        (telling.comment(each, replies.get(each.id, ())), *telling.day(each.created_at)) for each in found
    ]


def is_among(piece: Piece, id: str) -> bool:
    """Whether a comment stands in a piece, also as an answer."""
    for day in piece.days:
        for item in day.items:
            comment = item.comment
            if comment is not None and any(line.id == id for line in comment.lines):
                return True
    return False


def timeline(
    call: Call,
    reader: Reader,
    object: ObjectDef,
    record: UUID,
    about: Summary,
    asked: Mapping[str, str],
    typed: Typed,
    reply: Typed | None,
) -> Timeline:
    """The column at first; ``asked``: the arguments of the address (show, after, comment, reply)."""
    show = asked.get("show", "all") if asked.get("show") in SHOWS else "all"
    cursor = asked.get("after")
    try:
        made = piece(call, reader, object, record, show, cursor)
    except Malformed:  # an address of another day: from the start
        cursor, made = None, piece(call, reader, object, record, show)
    linked, is_gone = None, False
    if (id := _id(asked.get("comment"))) is not None and not is_among(made, id.hex):
        linked = _thread(call, reader, object, record, id)
        is_gone = linked is None
    answered = None
    if typed.parent or asked.get("reply"):
        parent = _id(typed.parent or asked.get("reply"))
        thread = _thread(call, reader, object, record, parent) if parent is not None else None
        if thread is not None and parent is not None:
            lines = (each for each in thread.lines if each.id == parent.hex and each.body is not None)
            answered = next(lines, None)
        typed = replace(typed, parent=answered.id if answered is not None else "")
    return Timeline(
        at=f"/o/{object.name}/{record}",
        show=show,
        piece=made,
        is_start=cursor is None,
        count=about.count,
        mark=about.mark,
        follows=about.follows(call.principal.user_id),
        may_write=may_write(call, object),
        typed=typed,
        reply=reply,
        answered=answered,
        linked=linked,
        is_gone=is_gone,
    )


def _thread(call: Call, reader: Reader, object: ObjectDef, record: UUID, id: UUID) -> ShownComment | None:
    try:
        found = threads(call, reader, object, record, [id])
    except NotFound:
        return None
    return found[0][0] if found else None


def _id(given: str | None) -> UUID | None:
    try:
        return UUID(given or "")
    except ValueError:
        return None
