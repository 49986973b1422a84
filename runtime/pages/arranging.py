"""Where favourites are kept and let go, and where the sidebar is put into an order of one's own (U1)."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, request

from tabwright.platform.errors import Malformed, NotFound
from tabwright.platform.web import policy, visit
from tabwright.runtime.pages import favouring
from tabwright.runtime.pages.shell import apps_of, arranged, tabs_of
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import Desk, Site, local_path, open_desk
from tabwright.runtime.personal.favourites import MOST, Favourite, Favourites, read_favourite
from tabwright.runtime.personal.frame import TABS
from tabwright.runtime.personal.settings import Personal

_STEPS = {"up": -1, "down": 1}


def register(app: Flask, site: Site) -> None:
    """Put the addresses of favourites and of the sidebar's order on the application."""
    pages = Blueprint("favourites", __name__)

    def asked() -> Desk:
        return open_desk(site, request, visit())

    def back() -> Response:
        return redirect(local_path(request.form.get("back", "/")))

    @pages.post("/favourites")
    @policy("session")
    def change() -> Response:
        """Keep, let go or move one (``do``: add, remove, up, down), or put all into an order (arrange)."""
        desk, do = asked(), request.form.get("do", "add")
        favourites = Favourites(desk.call)
        if do == "arrange":
            favourites.arrange([read_favourite(each) for each in request.form.getlist("key")[:MOST]])
            return back()
        one = read_favourite(request.form.get("key", ""))
        if do == "add":
            _known(desk, one)
            favourites.add(one)
        elif do == "remove":
            favourites.remove(one)
        elif do in _STEPS:
            favourites.move(one, _STEPS[do])
        else:
            raise Malformed.of("favourite.bad_verb", verb=do[:40])
        return back()

    @pages.post("/tabs")
    @policy("session")
    def tabs() -> Response:
        """Put the tabs of an app into an own order, move one (up, down), or take the order back (reset)."""
        desk, form = asked(), request.form
        apps = apps_of(desk.call.gate, desk.call.language)
        app = next((each for each in apps if each.name == form.get("app")), None)
        if app is None:
            raise NotFound.of("pages.page.no_app", app=form.get("app", "")[:100])
        kept = dict(desk.frame.tabs)
        names = [each.name for each in arranged(tabs_of(desk.call.gate, app), kept.get(app.name, ()))]
        do, key = form.get("do", "arrange"), form.get("key", "")
        if do == "reset":
            kept.pop(app.name, None)
        elif do in _STEPS and key in names:
            at = names.index(key)
            names.insert(max(0, min(at + _STEPS[do], len(names) - 1)), names.pop(at))
            kept[app.name] = names
        else:
            wanted = [each for each in dict.fromkeys(form.getlist("key")) if each in names]
            kept[app.name] = [*wanted, *(each for each in names if each not in wanted)]
        Personal(desk.call).put(TABS, kept)
        return back()

    @pages.get("/arrange")
    @policy("session")
    def arrange() -> Response:
        """The sidebar in an order of one's own: tabs and favourites."""
        desk = asked()
        return desk.page("arrange.html", "arrange", None)

    app.register_blueprint(pages)


def _known(desk: Desk, favourite: Favourite) -> None:
    """Only what one may see is kept. Raises NotFound."""
    if not favouring.shown(desk.call, (favourite,)):
        raise NotFound.of("favourite.not_found")
