"""The addresses of Studio. ``register`` is the door of this room."""

from __future__ import annotations

from flask import Blueprint, Flask, Response

from tabwright.admin_ui import (
    commands,
    components,
    filters,
    formulas,
    from_file,
    home,
    import_options,
    linking,
    new_field,
    objects,
    plan,
    replace_views,
    searching,
    translations,
    trash,
)
from tabwright.admin_ui.access import holders, matrix
from tabwright.admin_ui.editors import routes as editors
from tabwright.admin_ui.layouts import routes as layouts
from tabwright.admin_ui.packages import leaving, listing, making, offers, sampling
from tabwright.admin_ui.previewing import routes as previewing
from tabwright.admin_ui.rendering import STATIC
from tabwright.admin_ui.studio import Site, open_studio
from tabwright.platform.static_files import static_files
from tabwright.platform.web import policy


def register(app: Flask, site: Site) -> None:
    """Put Studio on the application; with the view ``studio.home`` its links show on every page."""
    static_files(app, "/static/studio", STATIC)
    blueprint = Blueprint("studio", __name__, url_prefix="/studio")

    @blueprint.get("", endpoint="home")
    @policy("session")
    def home_page() -> Response:
        return home.page(open_studio(site))

    rooms = (
        components,
        formulas,
        filters,
        editors,
        layouts,
        from_file,
        matrix,
        holders,
        import_options,
        new_field,
        linking,
        objects,
        listing,
        offers,
        leaving,
        making,
        sampling,
        plan,
        previewing,
        replace_views,
        searching,
        trash,
        translations,
    )
    for room in rooms:
        room.register(blueprint, site)
    app.register_blueprint(blueprint)
    commands.register(app)
