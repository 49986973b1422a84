"""Publish what one editor changed and go back to the page that it was opened from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import urlencode

from flask import Response

from tabwright.admin_ui.navigation import path
from tabwright.admin_ui.studio import Studio
from tabwright.metadata.tree import Key
from tabwright.runtime.pages.signing import redirect


def publish_here(
    studio: Studio, mine: Callable[[Key], bool], note: str, back: str, otherwise: str
) -> Response:
    """Publish the draft where all in it is ``mine`` and nothing has to be weighed; else show the plan.

    ``back`` is where to go ("" for none: ``otherwise``). That there is nothing to publish is shown as a plan.
    """
    plan = studio.publishing.preview(studio.call.principal.user_id)
    here: Collection[Key] = {(each.component.kind, each.component.name) for each in plan.differences}
    simple = plan.publishable and not plan.waits and all(e.weight == "info" for e in plan.consequences)
    if not here or not all(map(mine, here)) or not simple:
        return redirect(path("plan") + "?" + urlencode({"back": back}))
    studio.publishing.publish(
        studio.call.principal, note=note, expected=plan.release, request_id=studio.call.request_id
    )
    studio.flash("layout.published")
    return redirect(back or otherwise)
