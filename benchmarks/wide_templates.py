"""The floor's templates: the product's pages of one record, with blanks that plain Jinja fills from rows.

What stands still on a page stays as it is: whoever writes it by hand writes it once. What depends on the
record, the person or the address becomes an expression or a loop; the fields of a record and the inputs of a
form, which are alike, are macros, as one would write them. ``unrolled`` says what the same costs without macros,
each of the sixty fields written out: nobody does so by hand, it is what the product makes of a layout.
"""

# ruff: noqa: E501 (lines of HTML)
from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path

import wide

BLANK = '<span class="tw-3">—</span>'
NUMBER = '<span class="tw-num">{}</span>'
AVATAR = ('<span class="tw-person"><span class="tw-ava" data-c="{{ shade(row.$f) }}" aria-hidden="true">'
          "{{ initials(row.$f_name) }}</span><span class=tw-cut>{{ row.$f_name }}</span></span>")  # fmt: skip
CALL = '<a class="tw-num" href="tel:{{ row.$f }}">{{ called(row.$f) }}</a>'
KINDS = {"account": ("account", "building"), "brand": ("brand", "star")}

# How a value of each type is shown on the record's page; $f is the field, SPRITE the icons' address.
SHOWN = {
    "text": "{{ row.$f }}",
    "auto_number": NUMBER.format("{{ row.$f }}"),
    "picklist": "{{ CHIPS.$f[row.$f] }}",
    "multi_picklist": '<span class="tw-chips">{{ chips("$f", row.$f) }}</span>',
    "lookup": '<a href="/o/account/{{ row.$f }}">{{ row.$f_name }}</a>',
    "polymorphic": '<a class="tw-person" href="/o/{{ row.$f_kind }}/{{ row.$f }}"><span class="tw-objicon is-sm"'
    ' data-c="blue" title="{{ row.$f_kind }}"><svg class="icon" aria-hidden="true"><use href="SPRITE#'
    '{{ "star" if row.$f_kind == "brand" else "building" }}"/></svg><span class="tw-sr">{{ row.$f_kind }}</span>'
    "</span><span>{{ row.$f_name }}</span></a>",
    "user": AVATAR,
    "boolean": '{% if row.$f %}<svg class="icon icon-14 tw-up" aria-hidden="true"><use href="SPRITE#check"/></svg>'
    ' Yes{% else %}<span class="tw-3">No</span>{% endif %}',
    "currency": NUMBER.format("¥{{ '{:,.2f}'.format(row.$f) }}"),
    "percent": NUMBER.format("{{ percent(row.$f) }}"),
    "integer": NUMBER.format("{{ '{:,}'.format(row.$f) }}"),
    "decimal": NUMBER.format("{{ '{:,.2f}'.format(row.$f) }}"),
    "date": NUMBER.format("{{ row.$f }}"),
    "datetime": NUMBER.format("{{ local(row.$f).strftime('%Y-%m-%d %H:%M') }}"),
    "time": NUMBER.format("{{ row.$f }}"),
    "progress": '<span class="tw-progress"><progress max="100" value="{{ row.$f }}" aria-label="$l"></progress>'
    '<span class="tw-num">{{ row.$f }}%</span></span>',
    "rating": '<span class="tw-stars" role="img" aria-label="{{ row.$f }} / 5">{{ "★" * row.$f }}'
    '<i>{{ "☆" * (5 - row.$f) }}</i></span>',
    "colour": '<span class="tw-swatch"><svg class="tw-swatchbox" viewBox="0 0 14 14" aria-hidden="true"><rect'
    ' width="14" height="14" rx="3" fill="{{ row.$f }}"/></svg><span class="tw-num">{{ row.$f }}</span></span>',
    "barcode": '<span class="tw-barcode">{{ qr(row.$f) }}<span class="tw-num">{{ row.$f }}</span></span>',
    "email": '<a href="mailto:{{ row.$f }}">{{ row.$f }}</a>',
    "phone": CALL,
    "url": '<a href="{{ row.$f }}" rel="noopener noreferrer" target="_blank">{{ row.$f[8:] }}</a>',
    "address": "{{ row.$f }}",
    "geolocation": '{% set lat, lng = row.$f.split(", ") %}<a class="tw-row" href="https://www.openstreetmap.org/?mlat='
    '{{ lat }}&amp;mlon={{ lng }}&amp;zoom=16" target="_blank" rel="noopener noreferrer" title="Open on a map">'
    '<svg class="icon icon-14" aria-hidden="true"><use href="SPRITE#map-pin"/></svg><span class="tw-num">'
    "{{ row.$f }}</span></a>",
    "long_text": '<span class="tw-lines-kept">{{ row.$f }}</span>',
    "rich": '<div class="tw-rich">{{ row.$f|safe }}</div>',
    "json": '<details class="tw-json"><summary class="tw-mono">{{ row.$f[:60] }}</summary><pre>{{ pretty(row.$f) }}'
    "</pre></details>",
    "masked": '<span class="tw-row"><span class="tw-num tw-masked">{{ row.$f }}</span>EYE</span>',
}
# In lists and on cards, where that differs.
SHORT = {
    "lookup": '<a class="tw-person" href="/o/account/{{ row.$f }}"><span class="tw-ava is-co" aria-hidden="true">'
    '{{ initials(row.$f_name) }}</span><span class="tw-cut">{{ row.$f_name }}</span></a>',
    "multi_picklist": '<span class="tw-chips is-line">{{ chips("$f", row.$f) }}</span>',
}
# The text in the input of a form, where it is not the value as it is.
TYPED = {
    "percent": "{{ percent(row.$f)[:-1] }}",
    "datetime": "{{ local(row.$f).strftime('%Y-%m-%dT%H:%M') }}",
    "json": "{{ pretty(row.$f) }}",
}


def kind_of(name: str) -> str:
    if name == "description":
        return "rich"
    return "masked" if name == "private_phone" else wide.TYPES[name]


def shown(name: str, short: bool = False) -> str:
    """The expression that shows a field, with its blank."""
    kind = kind_of(name)
    if kind in ("file", "image"):
        return BLANK
    text = (SHORT.get(kind) if short else None) or SHOWN[kind]
    if name == "weight":
        text = text.replace(".2f", ".3f")
    text = text.replace("$f", name).replace("$l", wide.words(name))
    return f"{{% if row.{name} is not none %}}{text}{{% else %}}{BLANK}{{% endif %}}"


def typed(name: str) -> str:
    """What stands in the input of a field."""
    if name == "weight" or kind_of(name) != "decimal":
        return TYPED.get(kind_of(name), "{{ row.$f }}").replace("$f", name)
    return "{{ '{:.2f}'.format(row.$f) }}".replace("$f", name)


def cut(page: str, start: str, end: str, inside: str) -> str:
    """The page with what stands between two marks replaced; fails where the marks are not there."""
    at = page.index(start) + len(start)
    return page[:at] + inside + page[page.index(end, at) :]


def frame(page: str) -> str:
    """What every page shares: the token of its forms, favourites, the bell."""
    assert not re.search(r"{{|{%|{#", page), "the page would be read as a template"
    token = re.search(r'name="_csrf" value="([0-9a-f]+)"', page)
    assert token is not None
    page = page.replace(token[1], "{{ csrf }}")
    if "data-favourite" not in page:
        return page
    first = re.search(r'<a href="[^"]*" data-favourite=.*?</a>', page, re.S)
    last = re.findall(r'<a href="[^"]*" data-favourite=.*?</a>', page, re.S)[-1]
    assert first is not None
    one = re.sub(r'href="[^"]*"', 'href="{{ each.href }}"', first[0], count=1)
    one = re.sub(r'title="[^"]*"', 'title="{{ each.label }}"', one, count=1)
    one = re.sub(r'tw-cut">.*?</span>', 'tw-cut">{{ each.label }}</span>', one, count=1)
    before, after = page[: first.start()], page[page.index(last) + len(last) :]
    page = before + "{% for each in favourites %}" + one + "{% endfor %}" + after
    return re.sub(r'(tw-bell-count" aria-hidden="true">)[^<]*', r"\1{{ unread }}", page)


def list_template(page: str) -> tuple[str, dict[str, list[list[str]]]]:
    """The list's page, and the entries of its two menus."""
    page = frame(page)
    sorts = re.findall(
        r'<li class="tw-sortrow"><span class="tw-grow tw-cut">([^<]*)</span><a [^>]*order=(\w+)"', page
    )
    row = re.findall(r'<li class="tw-sortrow">.*?</li>', page, re.S)[1]
    row = re.sub(r'tw-cut">[^<]*<', 'tw-cut">{{ label }}<', row)
    row = re.sub(
        r'order=-?\w+"',
        lambda found: f'order={"-" if "=-" in found[0] else ""}{{{{ path }}}}&amp;stage={{{{ stage }}}}"',
        row,
    )
    row = re.sub(r' aria-current="true"', "", row)
    row = re.sub(r'aria-label="[^"]*, (\w+)"', r'aria-label="{{ label }}, \1"', row)
    start = page.index('<li class="tw-sortrow">')
    end = page.index("</ul>", start)
    page = page[:start] + "{% for label, path in SORTS %}" + row + "{% endfor %}" + page[end:]
    items = re.findall(r"<li data-column>.*?</li>", page, re.S)
    columns = [re.findall(r'value="([^"]+)"[^>]*><span class="tw-cut">([^<]*)<', item)[-1] for item in items]
    item = items[1].replace(columns[1][0], "{{ path }}").replace(columns[1][1], "{{ label }}")
    item = item.replace(" checked", "{% if path in COLUMNS %} checked{% endif %}")
    start = page.index("<li data-column>")
    end = page.index("</ul>", start)
    page = (
        page[:start] + items[0] + "{% for path, label in CHOICES[1:] %}" + item + "{% endfor %}" + page[end:]
    )
    head = re.search(r"<thead>.*?</thead>", page, re.S)
    assert head is not None
    heads = re.sub(r'order=(\w+)"', r'order=\1&amp;stage={{ stage }}"', head[0])
    page = page.replace(head[0], heads)
    name = (
        '<td class="is-check"><input class="form-check-input" type="checkbox" form="bulk-form" name="id"'
        ' value="{{ row.id }}" aria-label="Select {{ row.name }}"></td><th scope="row" class="is-name">'
        '<a class="tw-cut" href="/o/machine/{{ row.id }}" title="{{ row.name }}">{{ row.name }}</a></th>'
    )
    right = ("amount", "probability")
    cells = "".join(
        ('<td class="is-num">' if each in right else "<td>") + shown(each, short=True) + "</td>"
        for each in wide.COLUMNS[1:]
    )
    rows = f'{{% for row in rows %}}<tr data-href="/o/machine/{{{{ row.id }}}}/value">{name}{cells}</tr>{{% endfor %}}'
    page = cut(page, "<tbody>", "</tbody>", rows)
    page = re.sub(r"(<small>)[^<]*(</small>)", r"\1{{ count }}\2", page, count=1)
    page = re.sub(r"1 – 50 of [^<]*", "1 – 50 of {{ count }}", page)
    page = re.sub(r"Select all [^<]*", "Select all {{ count }}", page)
    menus = {"SORTS": [list(each) for each in sorts], "CHOICES": [list(each) for each in columns]}
    return sprites(page), menus


def record_template(page: str, id: str, name: str) -> str:
    """The record's page."""
    page = frame(page)
    eye = re.search(r'<button [^>]*form="unmask".*?</button>', page, re.S)
    assert eye is not None
    for each in wide.TYPES:
        page = re.sub(
            rf'(data-value="{each}"><dt>[^<]*</dt><dd><span>).*?(</span><a class="tw-pencil")',
            lambda found, each=each: found[1] + shown(each).replace("EYE", eye[0]) + found[2],  # type: ignore[misc]
            page, count=1, flags=re.S,
        )  # fmt: skip
    page = re.sub(
        r"(<dt>Number</dt><dd><span>).*?(</span></dd>)", lambda m: m[1] + shown("number") + m[2], page
    )
    start = page.index('<dl class="tw-high">')
    end = page.index("</dl>", start)
    heights = "".join(
        f"<div><dt>{wide.words(each)}</dt>"
        + ('<dd class="is-key">' if each == "amount" else "<dd>")
        + f"{shown(each)}</dd></div>"
        for each in wide.HIGHLIGHTS
    )
    page = page[:start] + '<dl class="tw-high">' + heights + page[end:]
    visit = (
        '{% for row in visits %}<tr data-href="/o/visit/{{ row.id }}/value"><th scope="row" class="is-name"><a'
        ' class="tw-cut" href="/o/visit/{{ row.id }}" title="{{ row.name }}">{{ row.name }}</a></th><td>'
        '<span class="tw-num">{{ row.day }}</span></td><td>{{ CHIPS.result[row.result] }}</td><td class="is-num">'
        '<span class="tw-num">¥{{ "{:,.2f}".format(row.amount) }}</span></td></tr>{% endfor %}'
    )
    page = cut(page, "<tbody>", "</tbody>", visit)
    page = re.sub(r'(Visits <span class="tw-3">)\d+', r"\1{{ visited }}", page)
    page = re.sub(r"See all \d+", "See all {{ visited }}", page)
    page = cut(page, "data-record-stamp>", "</p>", STAMP)
    page = re.sub(
        r"(data-count>).*?(</h2>)",
        r'\1<span aria-hidden="true">{{ count }}</span><span class="tw-sr">{{ count }} comments</span></span>\2',
        page,
        flags=re.S,
    )
    page = cut(page, "data-days>", "</aside>", DAYS + "</div>\n")
    page = page.replace(id, "{{ row.id }}").replace(name, "{{ row.name }}")
    return sprites(page)


STAMP = ("Created by {{ row.created_by }} on {{ local(row.created_at).strftime('%Y-%m-%d %H:%M') }}"
         " · last changed by {{ row.updated_by }} on {{ local(row.updated_at).strftime('%Y-%m-%d %H:%M') }}")  # fmt: skip
_line = (
    '<b>{{ c.who }}</b> <a class="tw-cwhen" href="/o/machine/{{ row.id }}?comment={{ c.id.hex }}#c-{{ c.id.hex }}">'
    '<time datetime="{{ local(c.at).isoformat(timespec="minutes") }}">{{ local(c.at).strftime("%H:%M") }}</time></a>'
    '<div class="tw-quote tw-cbody" data-comment-body>{{ told(c.body, people) }}</div><div class="tw-cacts"><a href='
    '"/o/machine/{{ row.id }}?reply={{ c.id.hex }}#composer" data-reply="{{ c.id.hex }}" aria-label="Reply to'
    ' {{ c.who }}">Reply</a><a href="/o/machine/{{ row.id }}/comments/{{ c.id.hex }}/delete" data-inplace="delete"'
    ' aria-label="Delete the comment by {{ c.who }}, {{ local(c.at).strftime("%H:%M") }}">Delete</a></div>'
)
_ava = '<span class="tw-ava" data-c="{{ shade(c.author) }}" aria-hidden="true">{{ initials(c.who) }}</span>'
DAYS = (
    '{% for date, items in days.items() %}<h3 data-day="{{ date }}">{{ "Today" if date == today else date }}</h3><ol>'
    "{% for at, kind, each in items %}{% if kind == 'comment' %}{% set c = each %}"
    '<li class="tw-event is-comment" id="c-{{ c.id.hex }}" data-thread="{{ c.id.hex }}" data-comment="{{ c.id.hex }}"'
    f' data-at="{{{{ c.at.timestamp() }}}}"><i class="tw-cava">{_ava}</i><div>{_line}'
    "{% if c.id in below %}"
    '<ol class="tw-creplies" aria-label="Answers to {{ c.who }}">{% for c in below[c.id] %}'
    '<li class="tw-creply" id="c-{{ c.id.hex }}" data-comment="{{ c.id.hex }}">'
    f"{_ava}<div>{_line}</div></li>{{% endfor %}}</ol>{{% endif %}}</div></li>"
    "{% else %}{% set change, values = each %}"
    '<li class="tw-event"><i class="{{ "" if values else "is-ok" }}"><svg class="icon" aria-hidden="true"><use href="'
    'SPRITE#{{ "pencil" if values else "plus" }}"/></svg></i><div><b>{{ change.who }}</b> {% if values %}changed'
    " {{ values|length }} fields{% else %}created this record{% endif %}"
    ' <time datetime="{{ at.isoformat(timespec="minutes") }}">{{ at.strftime("%H:%M") }}</time>'
    '{% if values %}<dl class="tw-change">{% for field, old, new in values %}<dt>{{ words(field) }}</dt><dd><del>'
    '{{ changed(field, old) }}</del> <span aria-hidden="true">→</span><span class="tw-sr">became</span> <ins>'
    "{{ changed(field, new) }}</ins></dd>{% endfor %}</dl>{% endif %}"
    '<a class="tw-13" href="/o/machine/{{ row.id }}?as_of={{ at.isoformat() }}">As it stood then<span class="tw-sr">'
    ' {{ at.isoformat(timespec="minutes") }}</span></a></div></li>{% endif %}{% endfor %}</ol>{% endfor %}'
)


def form_template(page: str, id: str, name: str) -> str:
    """The form's page."""
    page = frame(page)
    page = re.sub(r'name="_was" value="[^"]*"', 'name="_was" value="{{ memory(row) }}"', page)
    page = re.sub(r'name="_revision" value="[^"]*"', 'name="_revision" value="{{ row.rev }}"', page)
    for each, type in wide.TYPES.items():
        if type in ("file", "image"):
            continue
        if type == "auto_number":
            page = re.sub(
                r'(Number</span><div class="tw-ro">).*?(</div>)',
                lambda m: m[1] + shown("number") + m[2],
                page,
            )
        elif type in ("picklist", "multi_picklist", "rating", "boolean"):
            page = _choices(page, each, type)
        elif f'name="{each}" rows' in page:
            page = re.sub(
                rf'(<textarea [^>]*name="{each}"[^>]*>\n).*?(</textarea>)',
                lambda found, each=each: found[1] + typed(each) + found[2],  # type: ignore[misc]
                page, flags=re.S,
            )  # fmt: skip
        else:
            of = "{{ row." + each + "_name }}"
            page = re.sub(rf'(name="{each}.text"[^>]* value=")[^"]*', lambda m, of=of: m[1] + of, page)  # type: ignore[misc]
            text = typed(each)
            page = re.sub(rf'(name="{each}"[^>]* value=")[^"]*', lambda m, text=text: m[1] + text, page)  # type: ignore[misc]
            page = re.sub(rf'(data-tint="f-{each}" value=")[^"]*', lambda m, text=text: m[1] + text, page)  # type: ignore[misc]
    page = page.replace(id, "{{ row.id }}").replace(html.escape(name), "{{ row.name }}")
    return sprites(page)


def _choices(page: str, name: str, type: str) -> str:
    if type == "picklist":
        inside = re.search(rf'<select [^>]*name="{name}".*?</select>', page, re.S)
        assert inside is not None
        made = re.sub(
            r'<option value="(\w+)"(?: selected)?>',
            lambda m: f'<option value="{m[1]}"{{% if row.{name} == "{m[1]}" %}} selected{{% endif %}}>',
            inside[0],
        )
        return page.replace(inside[0], made)
    test = {
        "boolean": f"row.{name}",
        "rating": f"row.{name} == $v",
        "multi_picklist": f'"$v" in row.{name}.split(";")',
    }[type]

    def box(found: re.Match[str]) -> str:
        value = found[2] or "none"
        return found[1] + "{% if " + test.replace("$v", value) + " %} checked{% endif %}"

    return re.sub(
        rf'(<input [^>]*type="(?:checkbox|radio)"[^>]*name="{name}"[^>]*value="(\w*)")(?: checked)?',
        box,
        page,
    )


def board_template(page: str) -> str:
    """The board's page."""
    page = frame(page)
    lanes = re.findall(r'<section class="tw-kcol".*?</section>', page, re.S)
    lane = lanes[1]
    card = re.search(r"<li data-card=.*?</li>", lane, re.S)
    assert card is not None
    one = re.sub(
        r'data-card="[^"]*" data-revision="[^"]*"',
        'data-card="{{ row.id }}" data-revision="{{ row.rev }}"',
        card[0],
    )
    one = re.sub(
        r'aria-label="[^"]*" data-peek="[^"]*"', 'aria-label="{{ row.name }}" data-peek="{{ row.id }}"', one
    )
    one = re.sub(
        r"<h3>.*?</h3>",
        '<h3><a href="/o/machine/{{ row.id }}" class="tw-cut" title="{{ row.name }}" draggable="false">{{ row.name }}</a></h3>',
        one,
    )
    for each in ("amount", "close_date", "account", "keeper"):
        label = wide.words(each)
        one = re.sub(
            rf"({label}: </span>).*?(</p>)",
            lambda m, each=each: m[1] + shown(each, short=True) + m[2],
            one,
            count=1,
        )  # type: ignore[misc]
    start, end = lane.index("<li data-card="), lane.index("</ol>")
    made = lane[:start] + "{% for row in rows %}" + one + "{% endfor %}" + lane[end:]
    made = re.sub(r'id="lane\d+"', 'id="lane{{ loop.index }}"', made).replace(
        'aria-labelledby="lane2"', 'aria-labelledby="lane{{ loop.index }}"'
    )
    made = made.replace(
        'data-lane="talk" data-label="Talk"', 'data-lane="{{ code }}" data-label="{{ words(code) }}"'
    )
    made = re.sub(r"(<h2 [^>]*>).*?(</h2>)", r"\1{{ CHIPS.stage[code] }}\2", made)
    made = re.sub(r"[\d,]+ records</span>", "{{ '{:,}'.format(counts[code][0]) }} records</span>", made)
    made = re.sub(
        r'<span aria-hidden="true">[\d,]+</span>',
        "<span aria-hidden=\"true\">{{ '{:,}'.format(counts[code][0]) }}</span>",
        made,
        count=1,
    )
    made = re.sub(
        r'<b class="tw-num">[^<]*',
        "<b class=\"tw-num\">¥{{ '{:,.2f}'.format(counts[code][1]) }}",
        made,
        count=1,
    )
    made = made.replace("stage=talk", "stage={{ code }}").replace("in Talk", "in {{ words(code) }}")
    made = re.sub(r"value=talk&amp;cursor=[^\"]*", "value={{ code }}&amp;after={{ rows[-1].id }}", made)
    start, end = page.index(lanes[0]), page.index(lanes[-1]) + len(lanes[-1])
    page = page[:start] + "{% for code, rows in lanes.items() %}" + made + "{% endfor %}" + page[end:]
    return sprites(page)


def value_template(page: str, id: str) -> str:
    """The editor of one value."""
    token = re.search(r'name="_csrf" value="([0-9a-f]+)"', page)
    assert token is not None
    page = page.replace(token[1], "{{ csrf }}").replace(id, "{{ row.id }}")
    page = re.sub(r'name="revision" value="[^"]*"', 'name="revision" value="{{ row.rev }}"', page)
    page = re.sub(r'name="_was" value="[^"]*"', 'name="_was" value="{{ row.amount }}"', page)
    return re.sub(r'(name="amount" type[^>]* value=")[^"]*', r"\1{{ row.amount }}", page)


def sprites(page: str) -> str:
    """With the icons' address in the expressions."""
    at = re.search(r"/static/vendor/icons\.svg\?v=\w+", page)
    assert at is not None
    return page.replace("SPRITE", at[0])


def with_macros(name: str, page: str) -> str:
    """A page of a record or its form with what is alike as macros."""
    return _fields_as_macros(page) if name == "record" else _inputs_as_macros(page)


def _fields_as_macros(page: str) -> str:
    block = re.compile(
        r'<div class="tw-field([^"]*)" data-value="(\w+)"><dt>([^<]*)</dt><dd><span>(.*?)</span>(<a class="tw-pencil".*?</a>)</dd></div>',
        re.S,
    )
    first = block.search(page)
    assert first is not None
    pencil = (
        first[5].replace(f"#f-{first[2]}", "#f-{{ name }}").replace(f"Edit {first[3]}", "Edit {{ label }}")
    )
    macro = (
        '{% macro field(name, label, css="") %}<div class="tw-field{{ css }}" data-value="{{ name }}"><dt>{{ label }}'
        "</dt><dd><span>{{ caller() }}</span>" + pencil + "</dd></div>{% endmacro %}"
    )

    def call(found: re.Match[str]) -> str:
        css = f', "{found[1]}"' if found[1] else ""
        return f'{{% call field("{found[2]}", "{found[3]}"{css}) %}}{found[4]}{{% endcall %}}'

    return macro + block.sub(call, page)


def _inputs_as_macros(page: str) -> str:
    line = re.compile(
        r'<div class="tw-f"><label for="f-(\w+)">([^<]*)</label><input class="([^"]*)" id="f-\1" name="\1" ([^>]*?) value="{{ ([^"]*?) }}"></div>'
    )
    macros = (
        '{% macro line(name, label, value, css, more) %}<div class="tw-f"><label for="f-{{ name }}">{{ label }}</label>'
        '<input class="{{ css }}" id="f-{{ name }}" name="{{ name }}" {{ more|safe }} value="{{ value }}"></div>{% endmacro %}'
        '{% macro choice(name, value, more="") %}<select class="form-select" id="f-{{ name }}" name="{{ name }}"{{ more }}>'
        '<option value="">(none)</option>{% for code, label in OPTIONS[name] %}<option value="{{ code }}"'
        "{% if code == value %} selected{% endif %}>{{ label }}</option>{% endfor %}</select>{% endmacro %}"
    )
    page = line.sub(lambda m: f'{{{{ line("{m[1]}", "{m[2]}", {m[5]}, "{m[3]}", \'{m[4]}\') }}}}', page)
    page = re.sub(
        r'<select class="form-select" id="f-\w+" name="(\w+)"([^>]*)>.*?</select>',
        lambda m: f'{{{{ choice("{m[1]}", row.{m[1]}, "{m[2]}") }}}}' if m[1] in wide.TYPES else m[0],
        page,
        flags=re.S,
    )
    lookup = re.compile(
        r'<div class="tw-f"><label for="f-(\w+)">([^<]*)</label><div class="tw-lookup".*?</div></div></div>',
        re.S,
    )
    first = lookup.search(page)
    assert first is not None
    body = (
        first[0]
        .replace("{{ row." + first[1] + "_name }}", "{{ text }}")
        .replace("{{ row." + first[1] + " }}", "{{ id }}")
    )
    body = re.sub(rf"(?<=f-){first[1]}|(?<=lookup/){first[1]}|(?<=name=\"){first[1]}", "{{ name }}", body)
    body = body.replace(f">{first[2]}<", ">{{ label }}<").replace(f"Clear {first[2]}", "Clear {{ label }}")
    macros += "{% macro lookup(name, label, id, text) %}" + body + "{% endmacro %}"
    page = lookup.sub(lambda m: f'{{{{ lookup("{m[1]}", "{m[2]}", row.{m[1]}, row.{m[1]}_name) }}}}', page)
    return macros + page


def write(folder: Path, pages: Mapping[str, str], id: str, name: str) -> None:
    """Write every template, those without macros into ``unrolled``. ``pages``: the product's, by name; ``id``
    and ``name`` of the record they show.
    """
    made, menus = list_template(pages["list"])
    texts = {
        "list.html": made,
        "record.html": record_template(pages["record"], id, name),
        "form.html": form_template(pages["form"], id, name),
        "board.html": board_template(pages["board"]),
        "value.html": value_template(pages["value"], id),
        "menus.json": json.dumps({**menus, "COLUMNS": list(wide.COLUMNS)}),
    }
    by_hand = {f"{each}.html": with_macros(each, texts[f"{each}.html"]) for each in ("record", "form")}
    for at, files in ((folder, {**texts, **by_hand}), (folder / "unrolled", texts)):
        at.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (at / file).write_text(text, "utf-8")
