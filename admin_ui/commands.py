"""Studio's pages as lines of the palette, for those who may look at it."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from tabwright.admin_ui.navigation import grouped_kinds, href_of, icon_of, kind_href, kind_title
from tabwright.metadata.model import label_in
from tabwright.platform.language import LANGUAGES, say
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.desk import Call
from tabwright.runtime.pages.palette.commands import Command, Labels, command, provide

_PAGES = (("home", "home", "/studio"), ("preview", "eye", "/studio/preview"),
          ("translations", "language", "/studio/translations"),
          ("packages", "package", "/studio/packages"), ("releases", "versions", "/studio/releases"),
          ("trash", "trash", "/studio/trash"))  # fmt: skip


def register(app: Flask) -> None:
    """Put them into the palette."""
    there = {rule.rule for rule in app.url_map.iter_rules()}
    provide(app, lambda call: _commands(call, there))


def _commands(call: Call, there: set[str]) -> Iterator[Command]:
    if not (call.gate.has("customise") or call.gate.has("view_setup")):
        return
    for key, icon, href in _PAGES:
        if href in there:
            labels: Labels = {each: say("studio.nav." + key, {}, each) for each in LANGUAGES}
            also = ("Studio",) if key == "home" else ()
            yield command(call, "settings", labels, icon, href, note="Studio", also=also)
    for _, kinds in grouped_kinds():
        for kind in kinds:
            labels = {each: kind_title(kind, each) for each in LANGUAGES}
            yield command(
                call, "settings", labels, icon_of(kind), kind_href(kind), note="Studio", also=("Studio",)
            )
    for object in call.model.objects.values():
        if object.package != BASE:
            titles: Labels = {
                each: f"{kind_title('object', each)} › {label_in(object.labels, each)}" for each in LANGUAGES
            }
            href = href_of("object", object.name)
            yield command(call, "settings", titles, object.icon, href, note="Studio", also=(object.name,))
