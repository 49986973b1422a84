"""What changes of a kind mean, kind by kind. What no teller speaks of is told property by property."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from tabwright.admin_ui.telling.words import Listed, Words, listed
from tabwright.metadata import schema, walk
from tabwright.metadata.documents import Component
from tabwright.runtime.access.rights import BASE, Operation, with_implied

Body = Mapping[str, Any]
_OPERATIONS = get_args(Operation)


# ---- rights ----------------------------------------------------------------------------------------


def permission_set(words: Words, set: Component, old: Body, new: Body) -> Iterator[str]:
    who = words.title("permission_set", set.name)
    yield from _system(words, who, old.get("system", ()), new.get("system", ()))
    was, now = old.get("objects", {}), new.get("objects", {})
    for object in dict.fromkeys([*now, *was]):
        thing = words.title("object", object)
        more, less = _both(_effective(words, was, object), _effective(words, now, object))
        if more:
            yield words.say("may", who=who, what=_operations(words, more), thing=thing)
        if less:
            yield words.say("may_not", who=who, what=_operations(words, less), thing=thing)
    was, now = old.get("fields", {}), new.get("fields", {})
    for object in dict.fromkeys([*now, *was]):
        yield from _fields(words, who, object, was.get(object, {}), now.get(object, {}))
    for key, kind in (("tabs", "tab"), ("apps", "app")):
        more, less = _both(old.get(key, ()), new.get(key, ()))
        if more:
            yield words.say("sees_" + key, who=who, names=_titles(words, kind, more))
        if less:
            yield words.say("sees_no_" + key, who=who, names=_titles(words, kind, less))
    was, now = old.get("record_types", {}), new.get("record_types", {})
    for object in dict.fromkeys([*now, *was]):
        more, less = _both(was.get(object, ()), now.get(object, ()))
        for code, names in (("may_type", more), ("may_not_type", less)):
            if names:
                full = [each if each == "*" else f"{object}.{each}" for each in names]
                titles = [words.title("record_type", each) for each in full]
                yield words.say(code, who=who, thing=words.title("object", object), names=words.join(titles))


def custom_label(words: Words, label: Component, old: Body, new: Body) -> Iterator[str]:
    was, now = old.get("text", {}), new.get("text", {})
    for language in dict.fromkeys([*was, *now]):
        if was.get(language) != now.get(language):
            none = words.say("none")
            yield words.say(
                "custom_label",
                language=words.say("in_" + language),
                old=was.get(language) or none,
                new=now.get(language) or none,
            )


def permission_set_group(words: Words, group: Component, old: Body, new: Body) -> Iterator[str]:
    who = words.title("permission_set_group", group.name)
    more, less = _both(old.get("sets", ()), new.get("sets", ()))
    if more:
        yield words.say("group_gives", who=who, names=_titles(words, "permission_set", more))
    if less:
        yield words.say("group_gives_no_more", who=who, names=_titles(words, "permission_set", less))


def _system(words: Words, who: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    more, less = _both(old, new)
    for code, rights in (("may_system", more), ("may_not_system", less)):
        if rights:
            named = [_enum_word(words, "permission_set", "system", each) for each in rights]
            yield words.say(code, who=who, what=words.join(named))


def _fields(
    words: Words, who: str, object: str, old: Mapping[str, str], new: Mapping[str, str]
) -> Iterator[str]:
    """By what becomes of them, so that ten fields are one sentence."""
    thing = words.title("object", object)
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys([*new, *old]):
        was, now = old.get(name), new.get(name)
        if was != now:
            # A word about a field stands against what "*" says; without one nothing is given.
            right = now or ("default" if name != "*" else "none")
            title = words.say("all_fields") if name == "*" else words.field(object, name)
            found.setdefault(right, []).append(title)
    for right in ("edit", "read", "none", "default"):
        if names := found.get(right):
            yield words.say("fields_" + right, who=who, names=words.join(names), thing=thing)


def _operations(words: Words, rights: Sequence[str]) -> str:
    return words.join([words.say("do_" + each) for each in rights])


def _titles(words: Words, kind: str, names: Sequence[str]) -> str:
    return words.join([words.title(kind, each) for each in names])


def _effective(words: Words, objects: Mapping[str, Sequence[str]], object: str) -> list[str]:
    """What a set allows with an object: its own word or that of "*", and what follows from it."""
    rights = objects.get(object)
    if rights is None:
        found = words.part("object", object)
        is_own = found is None or found.body.get("package") != BASE
        rights = objects.get("*", ()) if is_own else ()
    implied = with_implied(rights)
    return [each for each in _OPERATIONS if each in implied]


def _both(old: Sequence[str], new: Sequence[str]) -> tuple[list[str], list[str]]:
    return [each for each in new if each not in old], [each for each in old if each not in new]


def _enum_word(words: Words, kind: str, key: str, value: str) -> str:
    root = schema.shared_schema_of(kind)
    node = root["properties"][key]
    labels = walk.mark(walk.nodes_for(node["items"], value, root), "x-labels", {})
    return str(labels.get(value, {}).get(words.language, value))


# ---- layouts ---------------------------------------------------------------------------------------


def layout(words: Words, layout: Component, old: Body, new: Body) -> Iterator[str]:
    object = layout.object or ""
    before, after = old.get("sections", ()), new.get("sections", ())
    pairs = _paired(words, before, after)
    titles = {at: _section(words, each, at) for at, each in enumerate(after)}
    gone = [at for at in range(len(before)) if at not in pairs.values()]
    for at in range(len(after)):
        if at not in pairs:
            names = [words.field(object, each) for each in _names(after[at])]
            if lines := after[at].get("lines"):
                names.append(_lines_of(words, lines))
            yield words.say("section_added", name=titles[at], fields=words.join(names))
    for at in gone:
        yield words.say("section_removed", name=_section(words, before[at], at))
    order = listed([str(each) for each in sorted(pairs.values())], [str(pairs[at]) for at in sorted(pairs)])
    back = {str(was): at for at, was in pairs.items()}
    for name, behind in order.moved:
        yield _moved(words, "section", titles[back[name]], titles[back[behind]] if behind else None)
    for at, was in pairs.items():
        yield from _section_changes(words, layout, titles[at], before[was], after[at])
    yield from _placed(words, object, before, after, titles, pairs)
    yield from _related(words, old.get("related", ()), new.get("related", ()))


def _section(words: Words, section: Body, at: int) -> str:
    return words.label(section.get("label")) or words.say("section", number=at + 1)


def _names(section: Body) -> list[str]:
    """The fields of a section; elements that are no field have no name here."""
    found = []
    for each in section.get("fields", ()):
        name = each if isinstance(each, str) else each.get("field")
        if isinstance(name, str):
            found.append(name)
    return found


def _held(section: Body) -> set[str]:
    """What tells a section from others: its fields, and the relation of its lines."""
    lines = section.get("lines")
    return {*_names(section), *([str(lines["relation"])] if lines else [])}


def _paired(words: Words, before: Sequence[Body], after: Sequence[Body]) -> dict[int, int]:
    """Which section was which: those of one label, then those that share most fields."""
    pairs: dict[int, int] = {}
    for at, each in enumerate(after):
        for was, other in enumerate(before):
            if was not in pairs.values() and each.get("label") and each.get("label") == other.get("label"):
                pairs[at] = was
                break
    scores = sorted(
        (
            (-len(_held(each) & _held(other)), at, was)
            for at, each in enumerate(after)
            for was, other in enumerate(before)
        ),
    )
    for score, at, was in scores:
        if score < 0 and at not in pairs and was not in pairs.values():
            pairs[at] = was
    return dict(sorted(pairs.items()))


def _section_changes(words: Words, layout: Component, title: str, old: Body, new: Body) -> Iterator[str]:
    was, now = words.label(old.get("label")), words.label(new.get("label"))
    if was != now:
        yield words.say("section_renamed", old=was or words.say("none"), new=now or words.say("none"))
    if old.get("columns", 2) != new.get("columns", 2):
        yield words.say("section_columns", name=title, count=new.get("columns", 2))
    if old.get("collapsed", False) != new.get("collapsed", False):
        yield words.say("section_closed" if new.get("collapsed") else "section_open", name=title)
    yield from _lines(words, title, old.get("lines"), new.get("lines"))


def _lines(words: Words, title: str, old: Body | None, new: Body | None) -> Iterator[str]:
    """What becomes of the table of lines in a section."""
    if old == new:
        return
    if old is None or new is None or old["relation"] != new["relation"]:
        for code, each in (("lines_removed", old), ("lines_added", new)):
            if each is not None:
                yield words.say(code, name=title, thing=_lines_of(words, each))
        return
    object = str(new["relation"]).partition(".")[0]
    yield from _columns(words, object, old, new, _lines_of(words, new), "in_lines")
    if any(old.get(key) != new.get(key) for key in {*old, *new} - {"columns"}):
        yield words.say("lines_changed", thing=_lines_of(words, new))


def _lines_of(words: Words, lines: Body) -> str:
    return words.title("object", str(lines["relation"]).partition(".")[0])


def _placed(
    words: Words, object: str, before: Sequence[Body], after: Sequence[Body],
    titles: Mapping[int, str], pairs: Mapping[int, int],
) -> Iterator[str]:  # fmt: skip
    was = {name: at for at, each in enumerate(before) for name in _names(each)}
    now = {name: at for at, each in enumerate(after) for name in _names(each)}
    for at in sorted(pairs):
        fresh = [words.field(object, name) for name in _names(after[at]) if name not in was]
        if fresh:
            yield words.say("fields_shown", names=words.join(fresh), name=titles[at])
        came = [n for n in _names(after[at]) if n in was and was[n] != pairs[at]]
        if came:
            names = words.join([words.field(object, name) for name in came])
            yield words.say("fields_moved", names=names, name=titles[at])
        here = [name for name in _names(before[pairs[at]]) if now.get(name) == at]
        moved = listed(here, [name for name in _names(after[at]) if name in here]).moved
        for name, behind in moved:
            place = words.field(object, behind) if behind else None
            yield _moved(words, "field", words.field(object, name), place)
    gone = [words.field(object, name) for name in was if name not in now]
    if gone:
        yield words.say("fields_hidden", names=words.join(gone))
    settings = (_settings(before), _settings(after))
    for name in now:
        if name in was and settings[0][name] != settings[1][name]:
            yield from _setting(words, words.field(object, name), settings[0][name], settings[1][name])


def _settings(sections: Sequence[Body]) -> dict[str, Body]:
    found: dict[str, Body] = {}
    for section in sections:
        for each in section.get("fields", ()):
            if isinstance(each, str):
                found[each] = {}
            elif isinstance(each.get("field"), str):
                found[each["field"]] = each
    return found


# What a condition of a layout's field is told as: with a formula, and without.
_CONDITIONS = {
    "visible": ("shown_if", "shown_always"),
    "required_when": ("required_if", "required_if_off"),
    "read_only_when": ("read_only_if", "read_only_if_off"),
}


def _setting(words: Words, title: str, old: Body, new: Body) -> Iterator[str]:
    for key in ("required", "read_only"):
        if old.get(key, False) != new.get(key, False):
            yield words.say(f"{key}_on" if new.get(key) else f"{key}_off", name=title)
    for key, (under, without) in _CONDITIONS.items():
        if old.get(key) != new.get(key):
            formula = new.get(key)
            yield words.say(under, name=title, formula=formula) if formula else words.say(without, name=title)
    was, now = old.get("offered_when", {}), new.get("offered_when", {})
    for code in dict.fromkeys([*now, *was]):
        if was.get(code) != now.get(code):
            formula = now.get(code)
            if formula:
                yield words.say("offered_if", name=title, value=code, formula=formula)
            else:
                yield words.say("offered_always", name=title, value=code)
    if old.get("span", 1) != new.get("span", 1):
        yield words.say("spans", name=title, count=new.get("span", 1))


def _related(words: Words, old: Sequence[Body], new: Sequence[Body]) -> Iterator[str]:
    def name(each: Body) -> str:
        object = str(each.get("field", "")).partition(".")[0]
        return words.label(each.get("label")) or words.title("object", object)

    was = {str(each.get("field")): each for each in old}
    now = {str(each.get("field")): each for each in new}
    found = listed(list(was), list(now))
    if found.added:
        yield words.say("related_added", names=words.join([name(now[each]) for each in found.added]))
    if found.removed:
        yield words.say("related_removed", names=words.join([name(was[each]) for each in found.removed]))
    for each, behind in found.moved:
        yield _moved(words, "related", name(now[each]), name(now[behind]) if behind else None)
    for each in found.kept:
        if was[each] == now[each]:
            continue
        object = each.partition(".")[0]
        yield from _columns(words, object, was[each], now[each], name(now[each]))
        rest = [{k: v for k, v in side.items() if k != "columns"} for side in (was[each], now[each])]
        if rest[0] != rest[1]:
            yield words.say("related_changed", name=name(now[each]))


# ---- lists, apps, picklists ------------------------------------------------------------------------


def list_view(words: Words, view: Component, old: Body, new: Body) -> Iterator[str]:
    object = view.object or ""
    yield from _columns(words, object, old, new, "")
    if old.get("where") != new.get("where"):
        formula = new.get("where")
        yield words.say("shows_where", formula=formula) if formula else words.say("shows_all")
    if old.get("order") != new.get("order"):
        order = [
            words.say("order_" + direction, name=words.field(object, name))
            for name, direction in new.get("order", ())
        ]
        yield words.say("sorted_by", names=words.join(order)) if order else words.say("unsorted")


def _columns(
    words: Words, object: str, old: Body, new: Body, of: str, where: str = "in_related"
) -> Iterator[str]:
    def names(body: Body) -> list[str]:
        return [each if isinstance(each, str) else str(each.get("field")) for each in body.get("columns", ())]

    def told(code: str, **params: str) -> str:
        said = words.say(code, **params)
        return words.say(where, name=of, what=said) if of else said

    found: Listed = listed(names(old), names(new))
    if found.added:
        yield told("columns_added", names=words.join([words.field(object, each) for each in found.added]))
    if found.removed:
        yield told("columns_removed", names=words.join([words.field(object, each) for each in found.removed]))
    for name, behind in found.moved:
        place = words.field(object, behind) if behind else None
        said = _moved(words, "column", words.field(object, name), place)
        yield words.say(where, name=of, what=said) if of else said
    if not (found.added or found.removed or found.moved) and old.get("columns") != new.get("columns"):
        yield told("columns_width")


def app(words: Words, app: Component, old: Body, new: Body) -> Iterator[str]:
    def title(name: str) -> str:
        found = words.title("tab", name)
        return found if found != name else words.title("object", name)

    found = listed(old.get("tabs", ()), new.get("tabs", ()))
    if found.added:
        yield words.say("tabs_added", names=words.join([title(each) for each in found.added]))
    if found.removed:
        yield words.say("tabs_removed", names=words.join([title(each) for each in found.removed]))
    for name, behind in found.moved:
        yield _moved(words, "tab", title(name), title(behind) if behind else None)


def picklist(words: Words, picklist: Component, old: Body, new: Body) -> Iterator[str]:
    yield from values(words, old.get("values", ()), new.get("values", ()))


def values(words: Words, old: Sequence[Body], new: Sequence[Body]) -> Iterator[str]:
    """What becomes of the values of a picklist."""
    was, now = {each["code"]: each for each in old}, {each["code"]: each for each in new}

    def title(value: Body) -> str:
        return words.label(value.get("label")) or str(value["code"])

    found = listed(list(was), list(now))
    if found.added:
        yield words.say("values_added", names=words.join([title(now[each]) for each in found.added]))
    if found.removed:
        yield words.say("values_removed", names=words.join([title(was[each]) for each in found.removed]))
    off = [c for c in found.kept if was[c].get("active", True) and not now[c].get("active", True)]
    on = [c for c in found.kept if now[c].get("active", True) and not was[c].get("active", True)]
    for code, codes in (("values_off", off), ("values_on", on)):
        if codes:
            yield words.say(code, names=words.join([title(now[each]) for each in codes]))
    for each in found.kept:
        a, b = was[each], now[each]
        if a.get("label") != b.get("label"):
            yield words.say("value_renamed", old=_all_labels(a), new=_all_labels(b))
        if a.get("default", False) != b.get("default", False):
            yield words.say("value_default" if b.get("default") else "value_no_default", name=title(b))
        if a.get("colour") != b.get("colour"):
            yield words.say("value_colour", name=title(b))
        spoken = ("code", "label", "default", "colour", "active")
        rest = [{k: v for k, v in side.items() if k not in spoken} for side in (a, b)]
        if rest[0] != rest[1]:
            yield words.say("value_changed", name=title(b))
    for name, behind in found.moved:
        yield _moved(words, "value", title(now[name]), title(now[behind]) if behind else None)


def _all_labels(value: Body) -> str:
    labels = value.get("label") or {}
    return " / ".join(str(each) for each in labels.values()) or str(value["code"])


def _moved(words: Words, what: str, name: str, behind: str | None) -> str:
    if behind is None:
        return words.say(f"{what}_first", name=name)
    return words.say(f"{what}_moved", name=name, behind=behind)
