"""One change of a plan as sentences: by its kind's teller, else property by property."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tabwright.admin_ui.telling import tellers
from tabwright.admin_ui.telling.words import Teller, Words
from tabwright.admin_ui.wording import title_of
from tabwright.metadata.diff import MISSING, Difference
from tabwright.metadata.world import World
from tabwright.platform.language import Language

# A kind's teller, and the keys of the body that it speaks of.
_TELLERS: Mapping[str, tuple[Teller, frozenset[str]]] = {
    "permission_set": (
        tellers.permission_set,
        frozenset({"system", "objects", "fields", "tabs", "apps", "record_types"}),
    ),
    "custom_label": (tellers.custom_label, frozenset({"text"})),
    "permission_set_group": (tellers.permission_set_group, frozenset({"sets"})),
    "layout": (tellers.layout, frozenset({"sections", "related"})),
    "list_view": (tellers.list_view, frozenset({"columns", "where", "order"})),
    "app": (tellers.app, frozenset({"tabs"})),
    "picklist": (tellers.picklist, frozenset({"values"})),
}
# Kinds of which a new or removed one is told in full: who gets which rights must not hide in a package.
_WHOLE = frozenset({"permission_set", "permission_set_group"})


def words_of(world: World, changes: Iterable[Difference], language: Language) -> Words:
    """The words for some changes; ``world`` is what stands around them."""
    changes = tuple(changes)
    new = {(e.new.kind, e.new.name): e.new for e in changes if e.new is not None}
    old = {(e.old.kind, e.old.name): e.old for e in changes if e.old is not None}
    return Words(world, new, old, language)


def sentences(words: Words, change: Difference) -> tuple[str, ...]:
    """What a change means, in sentences; none for a component that is new or gone and needs no more words."""
    return tuple(_sentences(words, change))


def _sentences(words: Words, change: Difference) -> Iterator[str]:
    component = change.component
    old: Mapping[str, Any] = change.old.body if change.old is not None else {}
    new: Mapping[str, Any] = change.new.body if change.new is not None else {}
    told, keys = _TELLERS.get(component.kind, (None, frozenset[str]()))
    if change.action != "changed":
        if component.kind in _WHOLE and told is not None:
            yield from told(words, component, old, new)
        return
    if old.get("label") != new.get("label"):
        yield from _labels(words, old.get("label") or {}, new.get("label") or {})
    if change.old is not None and change.old.name != component.name:
        yield words.say("renamed", old=change.old.local, new=component.local)
    if told is not None:
        yield from told(words, component, old, new)
    options = (old.get("options") or {}, new.get("options") or {})
    spoken = set(keys) | {"label", "name", "aliases"}
    if component.kind == "field" and options[0].get("values") != options[1].get("values"):
        yield from tellers.values(words, options[0].get("values") or (), options[1].get("values") or ())
    for each in change.properties:
        steps = each.pointer.split("/")
        if steps[1] in spoken or steps[1:3] == ["options", "values"]:
            continue
        if steps[1:] == ["options"] and (each.old is MISSING or each.new is MISSING):
            title = title_of(component, each.pointer, words.language)
            yield words.say("property_changed", title=title)
            continue
        yield words.property(component, each.pointer, each.old, each.new)


def _labels(words: Words, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for language in dict.fromkeys([*old, *new]):
        was, now = old.get(language), new.get(language)
        if was != now:
            tongue = words.say("in_" + language)
            if now is None:
                yield words.say("label_gone", language=tongue, old=was or "")
            else:
                yield words.say("label", language=tongue, old=was or words.say("none"), new=now)
