"""Help in the product: the essentials by role, and the keys. It stands at the same place on every page."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Flask, Response, request

from tabwright.platform.web import policy, visit
from tabwright.runtime.pages.world import Site, open_desk


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of advice, by the code of its text; ``href`` is where it is done."""

    code: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    icon: str
    lines: tuple[Line, ...]


EVERYDAY = Part(
    "start", "book",
    (
        Line("find"), Line("lists"), Line("records", "/bin"), Line("star", "/arrange"),
        Line("own", "/settings"), Line("rights"),
    ),
)  # fmt: skip
ADMIN = Part("admin", "tools", (Line("build", "/studio"), Line("people"), Line("import")))


def register(app: Flask, site: Site) -> None:
    """Put it on the application."""
    pages = Blueprint("help", __name__)

    @pages.get("/help")
    @policy("session")
    def help() -> Response:
        desk = open_desk(site, request, visit())
        shell = desk.shell("help")
        parts = (EVERYDAY, ADMIN) if shell.studio else (EVERYDAY,)
        return desk.page("help.html", "help", {"parts": parts}, around=shell)

    app.register_blueprint(pages)
