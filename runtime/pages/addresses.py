"""What the input of an address asks for: the regions, a line taken apart, and regions by name or pinyin."""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import Blueprint, Flask, Response, request

from tabwright.platform.web import policy, visit
from tabwright.runtime.forms.marks import colour_of, initials
from tabwright.runtime.pages.rendering import render
from tabwright.runtime.pages.world import Site, open_desk
from tabwright.runtime.regions.tree import Region, address_of, regions

MOST_TEXT = 700


@dataclass(frozen=True, slots=True)
class _Found:
    """A region as the list of the combobox shows it."""

    id: str
    name: str
    before: str
    hit: str
    after: str
    hint: str
    initials: str
    colour: str


def register(app: Flask, site: Site) -> None:
    """Put them beside the forms."""
    pages = Blueprint("addresses", __name__)

    @pages.get("/address/regions")
    @policy("session")
    def tree() -> Response:
        """Every region and country, by code, in the language of who asks."""
        desk = open_desk(site, request, visit())
        second = 0 if desk.call.language == "zh" else 1
        countries = sorted(
            ([code, names[second]] for code, names in regions().countries.items()),
            key=lambda each: (each[0] != "CN", each[1]),
        )
        answer = _json({"regions": regions().data, "countries": countries})
        answer.headers["Cache-Control"] = "private, max-age=86400"
        answer.headers["Vary"] = "Cookie"
        return answer

    @pages.get("/address/parts")
    @policy("session")
    def parts() -> Response:
        """The parts of a line that somebody typed or pasted."""
        open_desk(site, request, visit())
        return _json(address_of(request.args.get("line", "")[:MOST_TEXT])._asdict())

    @pages.get("/address/search")
    @policy("session")
    def search() -> Response:
        """Regions as items of the combobox's list."""
        desk = open_desk(site, request, visit())
        found = [_shown(each) for each in regions().search(request.args.get("q", "")[:60])]
        prefix = request.args.get("prefix", "x")[:20]
        context = {"options": found, "prefix": prefix, "people": False, "new": None}
        return Response(render("lookup.html", desk.look, context), content_type="text/html; charset=utf-8")

    app.register_blueprint(pages)


def _shown(region: Region) -> _Found:
    above = " ".join(dict.fromkeys(region.names[:-1]))
    colour = colour_of(region.code[:2])
    return _Found(region.code, region.name, region.name, "", "", above, initials(region.name), colour)


def _json(body: object) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, content_type="application/json")
