"""The addresses of the editors."""

from __future__ import annotations

from flask import Blueprint

from tabwright.admin_ui.editors import apps, assigning, here, list_views, picklists, record_types, view_order
from tabwright.admin_ui.editors.bench import mount
from tabwright.admin_ui.editors.start import mount_start
from tabwright.admin_ui.studio import Site

EDITORS = (
    list_views.EDITOR,
    apps.APP,
    apps.TAB,
    record_types.EDITOR,
    assigning.EDITOR,
    view_order.EDITOR,
    picklists.EDITOR,
)


def register(blueprint: Blueprint, site: Site) -> None:
    """Put the editors below /studio."""
    here.register(blueprint, site)
    for editor in EDITORS:
        mount(blueprint, site, editor)
    for begin in (list_views.BEGINNING, record_types.BEGINNING):
        mount_start(blueprint, site, begin, of_object=True)
    for begin in (apps.NEW_APP, apps.NEW_TAB, picklists.BEGINNING):
        mount_start(blueprint, site, begin, of_object=False)
