"""A draft shown on real records: the draft's model over the rows of the release in force.

What the draft added has no column yet, so it reads as blank and is marked; what it renamed is read under
the name that the release knows; what it gave another type is blank too: its values are not converted yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, Model, ObjectDef
from tabwright.platform.errors import Invalid
from tabwright.runtime.access.gate import CALLED, Gate
from tabwright.runtime.query.asked import Query


class Reading(Protocol):
    """The part of the read path that pages need."""

    def get(self, object: str, id: UUID, fields: Sequence[str] = ()) -> Mapping[str, Any]: ...

    def list(self, query: Query) -> Listed: ...

    def count(self, query: Query) -> tuple[int, bool]: ...


class Listed(Protocol):
    """One page of rows."""

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]: ...

    @property
    def next_cursor(self) -> str | None: ...

    @property
    def count(self) -> int | None: ...

    @property
    def count_is_capped(self) -> bool: ...


class Rows:
    """A page whose rows were put under the draft's names."""

    def __init__(
        self, rows: Sequence[Mapping[str, Any]], next_cursor: str | None = None, count: int | None = 0,
        count_is_capped: bool = False,
    ) -> None:  # fmt: skip
        self.rows = rows
        self.next_cursor = next_cursor
        self.count = count
        self.count_is_capped = count_is_capped


Marks = Mapping[str, frozenset[str]]
NO_MARKS: Marks = {}


def object_now(draft: ObjectDef, current: Model) -> ObjectDef | None:
    """The object as the release in force knows it, by uid."""
    return next((each for each in current.objects.values() if each.uid == draft.uid), None)


def field_now(field: FieldDef, current: ObjectDef) -> FieldDef | None:
    """The field as the release in force knows it; None where it is new or of another type."""
    found = next((each for each in current.fields.values() if each.uid == field.uid), None)
    return found if found is not None and (found.type, found.targets) == (field.type, field.targets) else None


def marks(draft: Model, current: Model) -> dict[str, frozenset[str]]:
    """Object name -> names of its fields that no row can fill yet."""
    found: dict[str, frozenset[str]] = {}
    for object in draft.objects.values():
        now = object_now(object, current)
        new = frozenset(
            name for name, field in object.fields.items() if now is None or field_now(field, now) is None
        )
        if new:
            found[object.name] = new
    return found


class PreviewReads:
    """Reads in the draft's names, answered by the release in force.

    ``gate`` is the gate of ``reads``: what it does not let through is blank, whatever the draft grants.
    """

    def __init__(self, reads: Reading, draft: Model, gate: Gate) -> None:
        self._reads = reads
        self._draft = draft
        self._current = gate.model
        self._gate = gate

    def get(self, object: str, id: UUID, fields: Sequence[str] = ()) -> Mapping[str, Any]:
        """One record. An object that is only in the draft has none."""
        now, names = self._names(object, fields)
        if now is None:
            return {"id": id}
        row = self._reads.get(now.name, id, tuple(names))
        return {names.get(path, path): value for path, value in row.items()}

    def list(self, query: Query) -> Listed:
        """One page; order and conditions over what is only in the draft are left out."""
        now, names = self._names(query.object, query.fields)
        if now is None or not self._gate.may(now, "read"):
            return Rows(())
        back = {mine: theirs for theirs, mine in names.items()}
        order = tuple((self._open(now, query.object, path), way) for path, way in query.order)
        parent = query.parent and (self._open(now, query.object, query.parent[0]), query.parent[1])
        if parent is not None and parent[0] is None:
            return Rows(())
        asked = replace(
            query,
            object=now.name,
            fields=tuple(back.values()),
            order=tuple((path, way) for path, way in order if path is not None),
            parent=parent,  # type: ignore[arg-type]
        )
        try:
            page = self._reads.list(asked)
        except Invalid:  # a condition over what only the draft has
            page = self._without(asked)
        rows = [{names.get(path, path): value for path, value in row.items()} for row in page.rows]
        return Rows(rows, page.next_cursor, page.count, page.count_is_capped)

    def _without(self, asked: Query) -> Listed:
        """Without the colours that the release in force does not understand, or without the filter too."""
        try:
            return self._reads.list(replace(asked, marks=()))
        except Invalid:
            return self._reads.list(replace(asked, where=(), marks=()))

    def count(self, query: Query) -> tuple[int, bool]:
        """How many; zero for what is only in the draft."""
        now, _ = self._names(query.object, ())
        if now is None or not self._gate.may(now, "read"):
            return 0, False
        asked = replace(query, object=now.name)
        try:
            return self._reads.count(asked)
        except Invalid:
            return self._reads.count(replace(asked, where=()))

    def _names(self, object: str, paths: Sequence[str]) -> tuple[ObjectDef | None, dict[str, str]]:
        """The object now, and the paths that can be read: name now -> name in the draft."""
        draft = self._draft.objects[object]
        now = object_now(draft, self._current)
        found = {}
        for path in paths:
            there = self._open(now, object, path) if now is not None else None
            if there is not None:
                found[there] = path
        return now, found

    def _open(self, now: ObjectDef, object: str, path: str) -> str | None:
        """The path in the names of now, where it may be read."""
        there = self._path(object, path)
        if there is None:
            return None
        try:
            self._gate.resolve(now, there)
        except Invalid:
            return None
        return there

    def _path(self, object: str, path: str) -> str | None:
        here: ObjectDef | None = self._draft.objects.get(object)
        words: list[str] = []
        kinds: tuple[str, ...] = ()  # of the polymorphic field before
        for name in path.split("."):
            if kinds:
                here = self._draft.objects.get(name) if name in kinds else None
                there = object_now(here, self._current) if here is not None else None
                if there is None and name not in (CALLED, *kinds):
                    return None
                words.append(there.name if there is not None else name)
                kinds = ()
                continue
            now = object_now(here, self._current) if here is not None else None
            field = here.fields.get(name) if here is not None else None
            known = field_now(field, now) if field is not None and now is not None else None
            if field is None or known is None:
                return None
            words.append(known.name)
            kinds = field.targets if field.kinds else TYPES[field.type].parts
            here = self._draft.objects.get(field.target or "")
        return ".".join(words)
