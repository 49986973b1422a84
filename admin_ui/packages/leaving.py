"""Taking a package out: what goes, what stays and for how long, what stands in the way; then one release."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, request

from tabwright.admin_ui.components import REFUSALS
from tabwright.admin_ui.navigation import path
from tabwright.admin_ui.packages.listing import packaging_of
from tabwright.admin_ui.plan import fault_line, plan_context
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.platform.errors import Conflict, Denied, Fault
from tabwright.platform.web import policy
from tabwright.runtime.exchange import samples
from tabwright.runtime.pages.signing import redirect


def _page(studio: Studio, name: str, failed: Sequence[Fault] = ()) -> Response:
    packaging = packaging_of(studio)
    found, release = packaging.removal(name)
    plan = studio.publishing.preview_tree(found.tree, release) if found.tree is not None else None
    return studio.page(
        "package_remove.html",
        "packages",
        409 if failed else 200,
        name=name,
        count=len(found.components),
        objects=tuple(studio.label(each) for each in found.components if each.kind == "object"),
        ways=tuple(fault_line(studio, each) for each in found.ways),
        failed=tuple(fault_line(studio, each) for each in failed),
        samples=bool(samples.loaded(studio.call, name)),
        release=release,
        plan=plan_context(studio, plan) if plan is not None else None,
    )


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of removing."""

    @blueprint.get("/packages/<name>/remove")
    @policy("session")
    def remove_package_form(name: str) -> Response:
        return _page(open_studio(site, change=True), name)

    @blueprint.post("/packages/<name>/remove")
    @policy("session")
    def remove_package(name: str) -> Response:
        studio = open_studio(site, change=True)
        expected = request.form.get("expected", "")
        try:
            if expected != str(studio.call.model.release):
                raise Conflict.of("publish.moved", expected=expected[:20], current=studio.call.model.release)
            done = packaging_of(studio).remove(studio.call.principal, name, request_id=studio.call.request_id)
        except (*REFUSALS, Denied) as error:
            return _page(studio, name, error.faults)
        if done.waiting is not None:
            studio.flash("plan.waiting")
        else:
            studio.flash("packages.removed", name=name, release=done.release)
        return redirect(path("packages"))
