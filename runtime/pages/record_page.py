"""The record page: title, highlights, sections, related lists, timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from tabwright.metadata.model import FieldDef, ListColumn, ObjectDef, RelatedList, label_in
from tabwright.platform.errors import Invalid
from tabwright.runtime.access.asking import may, open_among
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.access.sharing import Shares
from tabwright.runtime.desk import Call
from tabwright.runtime.forms.shown import icon, moment, name_path
from tabwright.runtime.forms.unroll import paths_of
from tabwright.runtime.lists.table import Column, Table, make_table
from tabwright.runtime.pages import visibility, visiting
from tabwright.runtime.pages.access_page import ShownShare, shown_shares
from tabwright.runtime.pages.behind import Getting
from tabwright.runtime.pages.files import AttachmentPart, attachment_part
from tabwright.runtime.pages.lines.shown import read_tables
from tabwright.runtime.pages.list_cells import NOWHERE, Editing
from tabwright.runtime.pages.preview import NO_MARKS, Marks, Reading
from tabwright.runtime.pages.related.links import far_end, may_link
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import plural, singular
from tabwright.runtime.query.asked import Query
from tabwright.runtime.unmasking import may_unmask

if TYPE_CHECKING:
    from tabwright.runtime.pages.history import ShownChange
    from tabwright.runtime.pages.timeline.pieces import Timeline

COUNTED = 1_000  # the count of a related list is told up to here


@dataclass(frozen=True, slots=True)
class Related:
    object: ObjectDef
    label: str
    new_label: str
    count_text: str
    heads: tuple[Column, ...]
    rows: Markup
    new_href: str | None
    panel_href: str
    all_href: str | None
    cell_columns: str = ""  # the columns, where values are edited in place
    cells: frozenset[str] = frozenset()  # those that are
    add_href: str | None = None  # where existing records are linked
    takes_off: bool = False  # rows have a button that lets their link go


@dataclass(frozen=True, slots=True)
class PastBanner:
    """What stands above a record of the past, with what is different now. ``now_href`` is None where the
    record is in the bin.
    """

    text: str
    now_href: str | None
    changes: tuple[ShownChange, ...]


@dataclass(frozen=True, slots=True)
class RecordPage:
    object: ObjectDef
    id: UUID
    label: str
    plural: str
    name: str
    type_label: str | None
    highlights: Markup | None
    sections: Markup
    related: tuple[Related, ...]
    timeline: Timeline | None
    stamp: str
    edit_href: str | None
    clone_href: str | None
    delete_href: str | None
    print_href: str | None
    draft_fields: str
    past: PastBanner | None = None
    unmask_href: str | None = None
    layout: str = ""  # the full name of the layout that arranges it
    revision: int = 0
    access_href: str | None = None
    team: tuple[ShownShare, ...] = ()
    attachments: AttachmentPart | None = None  # None where the layout hides it, and for the past


def record_page(
    call: Call,
    reads: Reading,
    object: ObjectDef,
    id: UUID,
    timeline: Timeline | None,
    marks: Marks = NO_MARKS,
    *,
    is_preview: bool = False,
    whole: Mapping[str, str | None] | None = None,
    inplace: bool = False,
    all: Getting | None = None,
) -> RecordPage:
    """One record. Raises NotFound where it does not exist or may not be known.

    ``whole``: masked values that were asked for, {} for none; None where none may be.
    ``marks``: under a preview, the names of fields (by object) that no release has yet. ``inplace``: its
    values are edited where they stand, as far as this person may. ``all``: see ``visibility.asked``.
    """
    call.gate.require(object, "read")
    row = read_record(call, reads, object, id)
    parts = row_parts(call, object, row, marks)
    masks = any(field.mask is not None for field in visiting.shown_fields(parts))
    unmasks = masks and whole is not None and may_unmask(call)
    asked = visibility.stands(call, parts, row, is_preview=is_preview, all=all)
    tables = read_tables(call, reads, parts, id, asked.hidden)
    filled = visiting.seen(call, row, asked, whole if unmasks else None, tables)
    heights = visiting.highlights(call, parts)
    may_edit = call.gate.may(object, "edit") and may(call, object, "edit", row)
    may_delete = call.gate.may(object, "delete") and may(call, object, "delete", row)
    at = f"/o/{object.name}/{id}"
    shown = [field for field in visiting.shown_fields(parts) if field.name in parts.marked]
    t = text(call.language)
    return RecordPage(
        object=object,
        unmask_href=f"{at}/unmask" if unmasks else None,
        layout=f"{object.name}.{parts.layout.name}",
        id=id,
        label=label_in(object.labels, call.language),
        plural=plural(object, call.language),
        name=visiting.name_of(call, object, row),
        type_label=label_in(parts.record_type.labels, call.language) if parts.record_type else None,
        highlights=heights.render(filled) if heights is not None else None,
        sections=visiting.sections(call, parts, inplace=inplace and may_edit).render(filled),
        related=tuple(
            made
            for each in parts.layout.related
            if (made := related(call, reads, each, id, is_preview=is_preview)) is not None
        ),
        timeline=timeline,
        stamp=stamp(call, row),
        edit_href=at + "/edit" if may_edit and not is_preview else None,
        clone_href=f"/o/{object.name}/new?_copy={id}"
        if call.gate.may(object, "create") and not is_preview
        else None,
        delete_href=at + "/delete" if may_delete and not is_preview else None,
        print_href=at + "/print" if call.gate.may(object, "print") and not is_preview else None,
        access_href=None if is_preview else at + "/access",
        team=() if is_preview else team(call, object, id),
        draft_fields=t("preview.join").join(label_in(field.labels, call.language) for field in shown),
        revision=int(row.get("revision") or 0),
        attachments=attachment_part(call, reads, object, id, row)
        if parts.layout.attachments and not is_preview
        else None,
    )


def team(call: Call, object: ObjectDef, id: UUID) -> tuple[ShownShare, ...]:
    """The team of a record that was read: with whom it is shared in a role."""
    if object.master is not None or object.package == BASE:
        return ()
    with call.tenant.store.read() as reader:
        shares = Shares(call).of_readable(reader, id)
    return shown_shares(call, [each for each in shares if each.terms.role])


def row_parts(
    call: Call, object: ObjectDef, row: Mapping[str, Any], marks: Marks = NO_MARKS
) -> visiting.Parts:
    """The parts by which this record is shown: its record type's layout."""
    record_type = visiting.type_of(call, object, row.get("record_type")) if object.record_types else None
    return visiting.parts_for(call, object, record_type, marks)


def read_record(call: Call, reads: Reading, object: ObjectDef, id: UUID) -> Mapping[str, Any]:
    """The record with all that any of its layouts shows, in one read."""
    held = call.gate.set_names if object.layout_rules else ()  # layouts go by permission set
    key = ("record paths", call.tenant.store.key, object.digest, call.gate.footprint(object), held)
    paths = call.tenant.pieces.get(key, lambda: _paths(call, object), 2_000)
    return reads.get(object.name, id, paths)


def _paths(call: Call, object: ObjectDef) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for record_type in (None, *object.record_types.values()):
        parts = visiting.parts_for(call, object, record_type)
        found.update(dict.fromkeys((*visiting.record_paths(call, parts), *visibility.paths(call, parts))))
    if object.record_types and "record_type" in object.fields:
        found["record_type"] = None
    return tuple(found)


def stamp(call: Call, row: Mapping[str, Any]) -> str:
    """Who made the record and who changed it last, in a line; "" where that may not be known."""
    zone = ZoneInfo(call.zone)
    t = text(call.language)
    if row.get("created_at") is None or row.get("updated_at") is None:
        return ""
    return t(
        "record.stamp",
        created_by=str(row.get("created_by.name") or t("record.somebody")),
        updated_by=str(row.get("updated_by.name") or t("record.somebody")),
        created_at=f"{moment(row['created_at'], zone):%Y-%m-%d %H:%M}",
        updated_at=f"{moment(row['updated_at'], zone):%Y-%m-%d %H:%M}",
    )


def related_table(call: Call, object: ObjectDef, entry: RelatedList) -> Table:
    """The unrolled table of a related list, from the cache."""
    gate = call.gate

    def resolve(path: str) -> tuple[FieldDef, tuple[FieldDef, ...]] | None:
        try:
            found = gate.resolve(object, path)
        except Invalid:
            return None
        return found.field, found.hops

    place = (call.tenant.store.key, object.digest, entry.field, entry.columns, gate.footprint(object))
    key = ("related", *place, call.language)
    columns = [ListColumn(path) for path in entry.columns if path != entry.field]
    return call.tenant.pieces.get(
        key, lambda: make_table(object, columns, resolve, call.model, call.language), 4_000
    )


def related(
    call: Call,
    reads: Reading,
    entry: RelatedList,
    parent: UUID,
    *,
    is_preview: bool = False,
) -> Related | None:
    """One related list; None where its object or its lookup may not be read."""
    object = call.model.objects.get(entry.object)
    if object is None or not call.gate.may(object, "read") or call.gate.find(object, entry.field) is None:
        return None
    table = related_table(call, object, entry)
    editing = NOWHERE if is_preview else Editing.of(call, object, table.columns)
    far = far_end(object, entry.field)
    paths = (*table.paths, "owner") if call.gate.find(object, "owner") else table.paths
    if far is not None:
        paths = (*paths, *paths_of((far,), call.model))
    page = reads.list(
        Query(
            object.name,
            fields=tuple(dict.fromkeys(paths)),
            order=entry.order,
            limit=entry.rows,
            count=True,
            parent=(entry.field, parent),
        )
    )
    count = page.count or 0
    count_text = f"{count:,}" + ("+" if page.count_is_capped else "")
    filter_text = urlencode({"where": f'{entry.field} = "{parent}"'})
    head = call.model.objects[object.fields[entry.field].target or object.name]
    at = f"/o/{head.name}/{parent}/links/{object.name}/{entry.field}"
    takes_off = far is not None and not is_preview and call.gate.may(object, "delete")
    return Related(
        object=object,
        label=label_in(entry.labels or object.plural, call.language),
        new_label=singular(object, call.language),
        count_text=count_text,
        heads=table.columns,
        rows=_rows(call, object, table, page.rows, editing, far if takes_off else None, at),
        new_href=f"/o/{object.name}/new?{urlencode({entry.field: parent})}"
        if call.gate.may(object, "create") and not is_preview
        else None,
        panel_href=f"/o/{object.name}/new/panel?{urlencode({entry.field: parent})}",
        all_href=f"/o/{object.name}?{filter_text}" if count else None,
        cell_columns=",".join(column.path for column in table.columns) if editing.fields else "",
        cells=editing.fields,
        add_href=at if may_link(call, object, entry.field) is not None and not is_preview else None,
        takes_off=takes_off,
    )


def _rows(
    call: Call,
    object: ObjectDef,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    editing: Editing,
    far: FieldDef | None,
    at: str,
) -> Markup:
    """The rows; of links (``far``) with the button that lets each go, for who may."""
    zone = ZoneInfo(call.zone)
    if far is None:
        return table.rows(rows, zone, editing.among(call, object, rows))
    name_at = name_path(far, far.name, call.model)
    t, made = text(call.language), []
    cells = editing.among(call, object, rows)
    taken_off = open_among(call, object, "delete", rows)
    for row in rows:
        button = ""
        if row["id"] in taken_off:
            said = escape(t("links.remove", name=str((name_at and row.get(name_at)) or "…")))
            button = (
                f'<button class="btn btn-quiet btn-icon btn-sm" form="unlink" formaction="{at}/remove"'
                f' name="id" value="{row["id"]}" aria-label="{said}" title="{said}">'
                f"{icon('link-off')}</button>"
            )
        one = str(table.rows((row,), zone, cells)).removesuffix("</tr>")
        made.append(f'{one}<td class="is-unlink">{button}</td></tr>')
    return Markup("".join(made))
