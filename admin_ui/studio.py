"""One request in Studio: who asks, their draft, and the frame that stands round every page.

``open_studio`` is the door of every Studio view; ``draft`` is the draft by itself, for designers that other
rooms' pages open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from flask import Response, request

from tabwright.admin_ui.drafting import Drafting
from tabwright.admin_ui.icons import Icon, icons
from tabwright.admin_ui.navigation import Entry, sections
from tabwright.admin_ui.rendering import render, text
from tabwright.metadata.documents import Component
from tabwright.metadata.model import label_in
from tabwright.platform.errors import Denied
from tabwright.platform.web import visit
from tabwright.runtime.desk import Call
from tabwright.runtime.pages import world
from tabwright.runtime.pages.history import names_of, when_text
from tabwright.runtime.pages.shell import Shell
from tabwright.runtime.pages.world import Desk, open_desk
from tabwright.runtime.publishing.service import Publishing

if TYPE_CHECKING:
    from tabwright.platform.jobs import Jobs
    from tabwright.runtime.publishing.releases import CompiledReleases

LOOK, CHANGE = "view_setup", "customise"


class Site(world.Site, Protocol):
    """What Studio needs of the doorway's site: ``program`` is its version, ``templates`` the folder of the
    packages that come with it.
    """

    @property
    def program(self) -> str: ...
    @property
    def templates(self) -> Path: ...
    @property
    def releases(self) -> CompiledReleases: ...
    @property
    def jobs(self) -> Jobs: ...


@dataclass(frozen=True, slots=True)
class Bar:
    """The violet bar: what is not published yet, and who else has a draft."""

    count: int
    clashes: int
    saved: str  # when the draft was saved last; "" where there is none
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands round a page of Studio."""

    shell: Shell
    at: str
    sections: tuple[tuple[str, tuple[Entry, ...]], ...]
    bar: Bar
    may_change: bool
    query: str


def draft(desk: Desk, site: Site) -> Drafting:
    """The draft of who sits at the desk."""
    call = desk.call
    return Drafting(call, Publishing(call.tenant, site.releases, call.clock, call.ids))


class Studio:
    """What a view of Studio works with."""

    def __init__(self, site: Site, desk: Desk) -> None:
        self.site = site
        self.desk = desk
        self.drafting = draft(desk, site)

    @property
    def call(self) -> Call:
        return self.desk.call

    @property
    def publishing(self) -> Publishing:
        return self.drafting.publishing

    @cached_property
    def s(self) -> Callable[..., str]:
        """``s("plan.title")``: a text of Studio in this person's language."""
        return text(self.call.language)

    @property
    def may_change(self) -> bool:
        """Whether this person may change metadata, or only look."""
        return self.call.gate.has(CHANGE)

    @property
    def icons(self) -> tuple[Icon, ...]:
        """What a picker of icons offers."""
        return icons(self.call.language)

    def label(self, component: Component) -> str:
        """What people call a component: its label, else its own name."""
        labels = component.body.get("label")
        return label_in(labels, self.call.language) if labels else component.local

    def title_of(self, kind: str, name: str) -> str:
        """The label of the component of that name, else the name."""
        found = self.drafting.find(kind, name)
        return self.label(found) if found is not None else name

    def people(self, ids: Any) -> dict[Any, str]:
        """Names of users by id; those that may not be read are left out."""
        return names_of(self.call, self.desk.reads, [("user", id) for id in ids if id is not None])

    def flash(self, code: str, kind: str = "success", **params: str | int) -> None:
        """Leave a line of Studio's for the next page."""
        self.site.sessions.flash(self.desk.session, kind, "studio." + code, **params)

    # ---- the page --------------------------------------------------------------------------------

    def frame(self, at: str, query: str = "") -> Frame:
        drafting = self.drafting
        return Frame(
            self.desk.shell("studio"), at, sections(self, at), self._bar(drafting), self.may_change, query
        )

    def _bar(self, drafting: Drafting) -> Bar:
        found = drafting.draft
        with self.call.tenant.store.read() as reader:
            authors = self.publishing.drafts.authors(reader)
        others = [each for each in authors if each != self.call.principal.user_id]
        names = self.people(others)
        saved = ""
        if found.updated_at is not None:
            saved = when_text(found.updated_at, self.call.clock.now(), self.zone, self.call.language)
        known = tuple(names.get(each) or self.s("bar.somebody") for each in others)
        return Bar(len(found.differences), len(found.clashes), saved, known)

    @cached_property
    def zone(self) -> ZoneInfo:
        """This person's clock."""
        return ZoneInfo(self.call.zone)

    def page(self, template: str, at: str, status: int = 200, query: str = "", **page: Any) -> Response:
        """A page of Studio. ``at`` is the navigation entry that it belongs to."""
        html = render(
            template, self.desk.look, {"frame": self.frame(at, query), "page": page, "studio": self}
        )
        response = Response(html, status, content_type="text/html; charset=utf-8")
        response.headers["X-Tabwright-Release"] = str(self.call.model.release)
        response.headers["Content-Language"] = self.desk.look.html_lang
        return response

    def piece(self, template: str, status: int = 200, **page: Any) -> Response:
        """A part of a page, for scripts that put it in place."""
        html = render(template, self.desk.look, {"page": page, "studio": self})
        return Response(html, status, content_type="text/html; charset=utf-8")


def open_studio(site: Site, *, change: bool = False) -> Studio:
    """The Studio of the request in hand.

    Raises Denied without the right to look (``view_setup`` or ``customise``), or, with ``change``, to change.
    """
    desk = open_desk(site, request, visit())
    gate = desk.call.gate
    if not (gate.has(LOOK) or gate.has(CHANGE)):
        raise Denied.of("studio.needs_look")
    if change and not gate.has(CHANGE):
        raise Denied.of("studio.needs_customise")
    return Studio(site, desk)
