"""A table of lines as HTML: a body for each row, so that a row moves, opens and goes as one thing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from markupsafe import escape

from tabwright.metadata.model import FieldDef
from tabwright.platform.language import Language
from tabwright.runtime.currencies import symbol
from tabwright.runtime.desk import Call
from tabwright.runtime.forms.controls import GROUPS
from tabwright.runtime.forms.dependent import offered
from tabwright.runtime.forms.inputs import Entry
from tabwright.runtime.forms.marks import icon, number_text
from tabwright.runtime.forms.shown import Seen
from tabwright.runtime.pages import edit_page, visiting
from tabwright.runtime.pages.lines.plan import Column, LinesPlan, fresh_texts, is_wide
from tabwright.runtime.pages.lines.posting import AT, HAD, ID, REVISION, WAS
from tabwright.runtime.pages.lines.tables import Line, Table
from tabwright.runtime.pages.rendering import text

BLANK_KEY = "__row__"  # of the row that a script makes new ones from
# What people typed stands escaped, so that a quote here is always one of our own attributes.
_attributes = re.compile(r' (id|for|name|data-tint)="([^"]*)"')


def drawn(call: Call, table: Table) -> str:
    """The table with its inputs, what is wrong with it, its totals and the ways to change it."""
    plan, t = table.plan, text(call.language)
    relation = plan.relation
    rows = "".join(_row(call, table, line, number) for number, line in enumerate(table.lines, start=1))
    faults = "".join(f'<p class="tw-err" role="alert">{icon("alert-circle")}<span>{escape(each)}</span></p>'
                     for each in table.faults)  # fmt: skip
    had = json.dumps({id.hex: revision for id, revision in table.had.items()}, separators=(",", ":"))
    full = len(table.lines) >= plan.lines.maximum
    words = {
        "cell": t("lines.cell", number="{n}", field="{field}"),
        "grip": t("lines.move", number="{n}"),
        "copy": t("lines.copy", number="{n}"),
        "up": t("lines.up", number="{n}"),
        "down": t("lines.down", number="{n}"),
        "remove": t("lines.remove", number="{n}"),
        "removed": t("lines.removed", number="{n}"),
        "added": t("lines.added", number="{n}"),
        "moved": t("lines.moved", number="{n}"),
        "most": t("lines.most", count=plan.lines.maximum),
        "back": t("lines.back"),
        "away": t("lines.away"),
        "count": t("lines.count", count="{n}"),
    }
    blank = ""
    if plan.may_add:
        fresh = Line(BLANK_KEY, fresh_texts(call, plan), was=fresh_texts(call, plan))
        blank = f' data-blank="{escape(_row(call, table, fresh, 0))}"'
    made = [
        f'<div class="tw-linebox" data-lines="{relation}" data-max="{plan.lines.maximum}"'
        f' data-words="{escape(json.dumps(words, ensure_ascii=False))}"{blank}>',
        f'<input type="hidden" name="{plan.prefix}{HAD}" value="{escape(had)}" data-lines-had>',
        faults,
        f'<div class="tw-linewrap"><table class="tw-lines tw-linetable"><caption class="tw-sr">'
        f"{escape(plan.heading)}</caption>",
        _head(plan, call.language),
        rows,
        _totals(table, call.language),
        "</table></div>",
    ]
    if table.beyond:
        said = t("lines.beyond", shown=len(table.had), beyond=table.beyond)
        made.append(f'<p class="tw-hint tw-linenote">{escape(said)}</p>')
    made.append('<div class="tw-linefoot">')
    if plan.may_add:
        off = " disabled" if full else ""
        made.append(
            f'<button class="btn btn-quiet btn-sm" name="_line" value="add {relation}" data-line-add{off}>'
            f"{icon('plus')}{escape(t('lines.add'))}</button>"
            f'<span class="tw-hint tw-only-desk" hidden data-line-hint>{escape(t("lines.hint"))}</span>'
        )
    made.append(
        '<span class="tw-sr" role="status" data-line-said></span>'
        '<span class="tw-row tw-gap-6 tw-end tw-13" hidden data-line-gone><span></span>'
        f'<button class="btn btn-sm" type="button">{escape(words["back"])}</button></span></div></div>'
    )
    return "".join(made)


def _head(plan: LinesPlan, language: Language) -> str:
    t = text(language)
    made = ['<thead><tr><th scope="col" class="is-btn">']
    made.append(f'<span class="tw-sr">{escape(t("lines.order"))}</span></th>')
    for column in plan.columns:
        star = '<span class="tw-req" aria-hidden="true">*</span>' if column.required else ""
        css = " ".join(filter(None, ("is-num" if column.is_number else "", _size(column.field))))
        made.append(f'<th scope="col" class="{css}">{escape(column.label)}{star}</th>')
    made.append(f'<th scope="col"><span class="tw-sr">{escape(t("lines.actions"))}</span></th></tr></thead>')
    return "".join(made)


def _size(field: FieldDef) -> str:
    return "is-wide" if is_wide(field) else "is-narrow" if field.is_number else "is-mid"


def _row(call: Call, table: Table, line: Line, number: int) -> str:
    plan, t = table.plan, text(call.language)
    prefix = f"{plan.prefix}{line.key}."
    wrong = bool(line.errors or line.faults)
    hidden = [(ID, line.id.hex if line.id else ""), (REVISION, str(line.revision or ""))]
    hidden += [(WAS, edit_page.pack(line.was, line.was_names)), (AT, line.at)]
    inputs = "".join(
        f'<input type="hidden" name="{prefix}{name}" value="{escape(value)}">' for name, value in hidden
    )
    grip = ""
    if plan.may_move:
        said = escape(t("lines.move", number=number))
        grip = (
            '<button class="btn btn-quiet btn-icon btn-sm tw-linegrip" name="_line"'
            f' value="up {plan.relation} {line.key}" data-line-do="grip" aria-label="{said}" title="{said}">'
            f"{icon('grip-vertical', 'icon tw-grip')}</button>"
        )
    asked = {field.name for field in plan.asked(creating=line.id is None)} if line.may_edit else set()
    made: list[str] = [
        f'<tbody data-row="{line.key}"{" data-wrong" if wrong else ""} class="is-open">',
        f'<tr class="tw-linehead"><td colspan="{len(plan.columns) + 2}"><button class="tw-linecard"'
        ' type="button" data-line-open aria-expanded="true"><span class="tw-row"><b class="tw-grow tw-cut"'
        f'><span class="tw-sr">{escape(t("lines.open"))} </span><span data-line-title></span></b>'
        f"{icon('chevron-down', 'icon tw-3')}</span>"
        '<span class="tw-linefacts" data-line-facts></span></button></td></tr>',
        f'<tr class="tw-linecells"><td class="is-btn">{inputs}{grip}</td>',
    ]
    entry = Entry(
        line.texts,
        visiting.seen(call, line.row),
        line.errors,
        line.names,
        line.choices,
        offered=offered(plan.object, line.texts, line.row),
    )
    for column in plan.columns:
        made.append(_cell(column, entry, prefix, number, column.name in asked, call.language))
    made.append(f'<td class="is-btn is-do">{_buttons(plan, line, number, call.language)}</td></tr>')
    if line.faults:
        told = "<br>".join(str(escape(each)) for each in line.faults)
        made.append(
            f'<tr class="tw-linefault"><td></td><td colspan="{len(plan.columns) + 1}"><p class="tw-err"'
            f' id="{anchor(plan, line)}" tabindex="-1">{icon("alert-circle")}<span>{told}</span></p>'
            "</td></tr>"
        )
    made.append("</tbody>")
    return "".join(made)


def anchor(plan: LinesPlan, line: Line, field: str = "") -> str:
    """The id of a cell's input, or of what is said of the whole row."""
    start = f"f-{plan.relation.replace('.', '-')}-{line.key}"
    return f"{start}-{field}" if field else f"{start}-row"


def _cell(column: Column, entry: Entry, prefix: str, number: int, asked: bool, language: Language) -> str:
    field, name = column.field, column.name
    css = " ".join(filter(None, ("is-num" if column.is_number else "", _size(field))))
    label = escape(column.label)
    if column.control is None or not asked:
        stored = entry.seen.row.get(name)
        figure = f' data-figure="{stored}"' if column.is_number and stored is not None else ""
        shown = column.show(entry.seen) or '<span class="tw-3">—</span>'
        return f'<td class="is-ro {css}" data-field="{name}" data-label="{label}"{figure}>{shown}</td>'
    said = escape(text(language)("lines.cell", number=number, field=column.label))
    more = f' aria-label="{said}"' + (" required" if column.required and field.type != "boolean" else "")
    start = f"{prefix[:-1].replace('lines.', '', 1).replace('.', '-')}"
    told = ""
    if name in entry.errors:
        more += f' aria-invalid="true" aria-describedby="e-{start}-{name}"'
        lines = "<br>".join(str(escape(each)) for each in entry.errors[name])
        told = f'<p class="tw-err" id="e-{start}-{name}">{icon("alert-circle")}<span>{lines}</span></p>'
    made = _apart(column.control(entry.texts.get(name, ""), more, entry), prefix, start)
    if field.type in GROUPS:
        made = f'<div role="group" aria-label="{said}">{made}</div>'
    return f'<td class="{css}" data-field="{name}" data-label="{label}">{made}{told}</td>'


def _apart(html: str, prefix: str, start: str) -> str:
    """Names and ids of the row's own: the same fields stand in every row."""

    def renamed(found: re.Match[str]) -> str:
        if found[1] == "name":
            return f' name="{prefix}{found[2]}"'
        return f' {found[1]}="f-{start}-{found[2].removeprefix("f-")}"'

    return _attributes.sub(renamed, html)


_DO: Sequence[tuple[str, str]] = (
    ("copy", "copy"),
    ("up", "arrow-up"),
    ("down", "arrow-down"),
    ("remove", "trash"),
)


def _buttons(plan: LinesPlan, line: Line, number: int, language: Language) -> str:
    t = text(language)
    may: Mapping[str, bool] = {
        "copy": plan.may_add,
        "up": plan.may_move,
        "down": plan.may_move,
        "remove": line.id is None or line.may_delete,
    }
    made: list[str] = []
    for do, sign in _DO:
        if may[do]:
            said = escape(t(f"lines.{do}", number=number))
            phone = " tw-only-phone" if do in ("up", "down") else ""
            made.append(
                f'<button class="btn btn-quiet btn-icon btn-sm{phone}" name="_line"'
                f' value="{do} {plan.relation} {line.key}" data-line-do="{do}" aria-label="{said}"'
                f' title="{said}">{icon(sign)}</button>'
            )
    return "".join(made)


# ---- totals --------------------------------------------------------


def _totals(table: Table, language: Language) -> str:
    plan = table.plan
    if not plan.totalled:
        return ""
    t = text(language)
    made = ["<tfoot><tr><td></td>"]
    said = False
    for column in plan.columns:
        if column.name in plan.lines.totals:
            label = f'<span class="tw-3 tw-linesumlabel">{escape(t("lines.total"))}</span> '
            before, scale, after = figures(column.field)
            sum = figure(column.field, table.total(column.name))
            rest = table.rest.get(column.name, Decimal(0))
            made.append(
                f'<td class="is-num tw-strong" data-label="{escape(column.label)}"'
                f' data-total="{column.name}" data-scale="{scale}"'
                f' data-before="{escape(before)}" data-after="{after}" data-rest="{rest}">'
                f"{'' if said else label}<span>{escape(sum)}</span></td>"
            )
            said = True
        else:
            made.append("<td></td>")
    made.append("<td></td></tr></tfoot>")
    return "".join(made)


def figures(field: FieldDef) -> tuple[str, int, str]:
    """What stands before a sum, its decimal places, and what stands after it."""
    if field.type == "currency":
        return symbol(field.currency), 2 if field.scale is None else field.scale, ""
    scale = field.scale or 0 if field.type in ("decimal", "percent") else 0
    return "", scale, "%" if field.type in ("percent", "progress") else ""


def figure(field: FieldDef, total: Decimal | None) -> str:
    """A sum as it is shown: at least the field's decimal places, and every digit."""
    if total is None:
        return ""
    before, scale, after = figures(field)
    exponent = total.as_tuple().exponent
    places = max(scale, -exponent if isinstance(exponent, int) else 0)
    return f"{before}{number_text(total, places)}{after}"


# ---- to be read --------------------------------------------------------


def read_table(call: Call, table: Table) -> str:
    """The table on the record's page; '' where the record has no lines and none are asked for."""
    plan, t = table.plan, text(call.language)
    if not table.lines:
        return f'<p class="tw-hint tw-linenote">{escape(t("lines.none"))}</p>'
    heads = "".join(
        f'<th scope="col"{" class=is-num" if column.is_number else ""}>{escape(column.label)}</th>'
        for column in plan.columns
    )
    rows = []
    for line in table.lines:
        seen: Seen = visiting.seen(call, line.row)
        cells = []
        for place, column in enumerate(plan.columns):
            shown = column.show(seen) or '<span class="tw-3">—</span>'
            if not place and not column.field.is_reference:
                shown = f'<a href="/o/{plan.object.name}/{line.id}">{shown}</a>'
            css = ' class="is-num"' if column.is_number else ""
            cells.append(f'<td{css} data-label="{escape(column.label)}">{shown}</td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    foot = ""
    if plan.totalled:
        cells = []
        for column in plan.columns:
            shown = ""
            if column.name in plan.lines.totals:
                stored = {line.id: line.row.get(column.name) for line in table.lines}
                figures_ = [Decimal(str(each)) for each in stored.values() if each is not None]
                total = sum(figures_, table.rest.get(column.name, Decimal(0)))
                shown = str(escape(figure(column.field, total))) if figures_ else ""
            cells.append(f'<td class="is-num tw-strong" data-label="{escape(column.label)}">{shown}</td>')
        foot = f'<tfoot><tr aria-label="{escape(t("lines.total"))}">{"".join(cells)}</tr></tfoot>'
    more = ""
    if table.beyond:
        said = t("lines.beyond", shown=len(table.lines), beyond=table.beyond)
        more = f'<p class="tw-hint tw-linenote">{escape(said)}</p>'
    return (
        f'<div class="tw-relwrap" tabindex="0" role="region" aria-label="{escape(plan.heading)}">'
        f'<table class="tw-table is-flush tw-linesread"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody>{foot}</table></div>{more}"
    )
