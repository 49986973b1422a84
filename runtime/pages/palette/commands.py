"""What may be done and where one may go, as lines of the palette: by rights, and found by words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from flask import Flask, current_app

from tabwright.metadata.model import ObjectDef, label_in
from tabwright.platform.language import LANGUAGES, Language, say
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.desk import Call
from tabwright.runtime.finding import forms
from tabwright.runtime.pages.shell import LOOSE, apps_of, href_of, plural, singular

Kind = Literal["go", "do", "view", "settings"]
GROUPS: Final[tuple[Kind, ...]] = ("go", "do", "view", "settings")

Labels = dict[Language, str]


@dataclass(frozen=True, slots=True)
class Command:
    """One line. ``found`` are the forms of its labels in every language; a ``post`` is sent, not opened,
    with ``fields``.
    """

    kind: Kind
    label: str
    note: str
    icon: str
    href: str
    found: tuple[str, ...]
    colour: str = ""
    post: bool = False
    fields: tuple[tuple[str, str], ...] = ()


Provider = Callable[[Call], Iterable[Command]]
_EXTENSION: Final = "tabwright.palette"


def provide(app: Flask, provider: Provider) -> None:
    """Add lines of another room, such as those of Studio."""
    app.extensions.setdefault(_EXTENSION, []).append(provider)


def commands_of(call: Call) -> tuple[Command, ...]:
    """Every line that this person's rights give them, but for the views that people saved. Kept for a
    release.
    """
    who = call.principal
    key = (
        "palette", call.tenant.store.key, call.model.release, call.model.digest, who.permission_sets,
        who.kind, who.token_scope, call.language,
    )  # fmt: skip
    return call.tenant.pieces.get(key, lambda: tuple(_commands(call)), 40_000)


def command(
    call: Call, kind: Kind, labels: Labels, icon: str, href: str, *, note: str = "", also: Iterable[str] = (),
    colour: str = "", post: bool = False, fields: tuple[tuple[str, str], ...] = (),
) -> Command:  # fmt: skip
    """A line with labels in every language; ``also`` are further words that find it."""
    found = dict.fromkeys(
        form for text in (*labels.values(), *also) if text for form in forms(text.replace(" ", ""))
    )
    return Command(kind, labels[call.language], note, icon, href, tuple(found), colour, post, fields)


def said(code: str, **params: str) -> Labels:
    """A text of the palette in every language."""
    return {each: say("pages.palette." + code, params, each) for each in LANGUAGES}


def _commands(call: Call) -> Iterator[Command]:
    yield from _places(call)
    yield from _actions(call)
    yield from _own(call)
    for provider in current_app.extensions.get(_EXTENSION, ()):
        yield from provider(call)


def _places(call: Call) -> Iterator[Command]:
    gate, there = call.gate, set[str]()
    yield command(call, "go", said("home"), "home", "/")
    for app in apps_of(gate, call.language):
        for name in app.tabs:
            tab = next((each for each in gate.tabs() if each.name == name), None)
            if tab is None or tab.name in there:
                continue
            there.add(tab.name)
            object = gate.model.objects.get(tab.object or "")
            also = _names(object) if object is not None else ()
            labels: Labels = {each: label_in(tab.labels, each) for each in LANGUAGES}
            colour = object.colour if object is not None else ""
            yield command(call, "go", labels, tab.icon, href_of(tab), also=also, colour=colour)
    shown = {tab.object for tab in gate.tabs()}
    for object in _working(gate):
        if object.name not in shown and gate.may(object, "read"):
            labels = {each: plural(object, each) for each in LANGUAGES}
            href = f"/o/{object.name}"
            yield command(call, "go", labels, object.icon, href, also=_names(object), colour=object.colour)


def _names(object: ObjectDef) -> tuple[str, ...]:
    return (*(plural(object, each) for each in LANGUAGES), *object.labels.values())


def _working(gate: Gate) -> Iterator[ObjectDef]:
    """The objects that people work with: those of the platform are reached by its own pages."""
    for object in gate.objects():
        if object.package != BASE or object.name == "user":
            yield object


def _actions(call: Call) -> Iterator[Command]:
    for object in _working(call.gate):
        if call.gate.may(object, "create"):
            labels: Labels = {
                each: say("pages.list.new", {"object": singular(object, each)}, each) for each in LANGUAGES
            }
            yield command(call, "do", labels, "plus", f"/o/{object.name}/new", colour=object.colour)
    if "imports" in current_app.blueprints:
        for object in _working(call.gate):
            if call.gate.may(object, "import") and call.gate.may(object, "create"):
                labels = {
                    each: say("pages.palette.import", {"objects": plural(object, each)}, each)
                    for each in LANGUAGES
                }
                yield command(call, "do", labels, "upload", f"/o/{object.name}/import")


def _own(call: Call) -> Iterator[Command]:
    if any(call.gate.may(each, "delete") for each in call.gate.objects()):
        yield command(call, "settings", said("bin"), "trash", "/bin")
    yield command(call, "settings", said("settings"), "settings", "/settings")
    yield command(call, "settings", said("arrange"), "adjustments-horizontal", "/arrange")
    yield command(call, "settings", said("notices"), "bell", "/notices")
    yield command(call, "settings", said("help"), "help", "/help")
    for theme, icon in (("light", "sun"), ("dark", "moon")):
        fields = (("theme", theme),)
        yield command(
            call, "settings", said("theme_" + theme), icon, "/settings/look", post=True, fields=fields
        )
    other: Language = "en" if call.language == "zh" else "zh"
    yield command(
        call, "settings", said("language_" + other), "language", "/settings/look", post=True,
        fields=(("language", other),),
    )  # fmt: skip
    apps = apps_of(call.gate, call.language)
    for app in apps if len(apps) > 1 else ():
        labels: Labels = {
            each: say("pages.palette.app", {"app": label_in(app.labels, each)}, each) for each in LANGUAGES
        }
        icon = app.icon if app.name != LOOSE else "layout-grid"
        yield command(call, "settings", labels, icon, f"/?app={app.name}")
    yield command(call, "settings", said("sign_out"), "logout", "/sign-out", post=True)


# ---- what somebody typed ---------------------------------------------------------------------------


def matching(commands: Iterable[Command], text: str, most: int) -> list[tuple[int, Command]]:
    """The lines that every typed word is in, the best first, each with its rank: 0 the label itself, 1 its
    beginning, 2 the beginning of its pinyin or of its name in the other language, 3 within.
    """
    words = text.lower().split()
    if not words:
        return []
    whole = "".join(words)
    found = [
        (_rank(each, whole), each)
        for each in commands
        if all(any(word in form for form in each.found) for word in words)
    ]
    found.sort(key=lambda one: (one[0], GROUPS.index(one[1].kind), len(one[1].label)))
    return found[:most]


def _rank(command: Command, whole: str) -> int:
    label = command.label.lower().replace(" ", "")
    if label == whole:
        return 0
    if label.startswith(whole):
        return 1
    return 2 if any(form.startswith(whole) for form in command.found) else 3
