"""Who holds which permission set: what expires, what nobody confirmed for long; confirmed or taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, request

from tabwright.admin_ui.components import REFUSALS, FaultLine
from tabwright.admin_ui.navigation import href_of, path
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.model import PermissionSetGroupDef, label_in
from tabwright.platform.errors import Fault
from tabwright.platform.language import say_fault
from tabwright.platform.web import policy
from tabwright.runtime.grants import holding
from tabwright.runtime.grants.holding import STATES, Holding, State
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.visiting import as_uuid


@dataclass(frozen=True, slots=True)
class Line:
    id: UUID
    user: str
    user_href: str
    given: str
    given_href: str | None
    since: str
    by: str
    until: str
    is_soon: bool
    emergency: bool
    reason: str
    confirmed: str


def _lines(studio: Studio, found: Sequence[Holding]) -> tuple[Line, ...]:
    names = studio.people(
        {each.by for each in found} | {each.confirmed_by for each in found} | {each.user for each in found}
    )
    now, zone, language = studio.call.clock.now(), studio.zone, studio.call.language

    def day(moment: datetime | None, how: str = "%Y-%m-%d") -> str:
        return f"{moment.astimezone(zone):{how}}" if moment is not None else ""

    made = []
    for each in found:
        kind = "permission_set_group" if isinstance(each.given, PermissionSetGroupDef) else "permission_set"
        confirmed = day(each.confirmed_at)
        if confirmed and (who := names.get(each.confirmed_by)):
            confirmed = f"{confirmed} {who}"
        made.append(
            Line(
                each.id,
                each.user_name,
                f"/o/user/{each.user}",
                label_in(each.given.labels, language) if each.given is not None else studio.s("holders.gone"),
                href_of(kind, each.given.name) if each.given is not None else None,
                day(each.since),
                names.get(each.by, ""),
                day(each.expires_at, "%Y-%m-%d %H:%M"),
                each.expires_at is not None and now < each.expires_at <= now + holding.SOON,
                each.emergency,
                each.reason,
                confirmed,
            )
        )
    return tuple(made)


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of the list."""

    @blueprint.get("/holders")
    @policy("session")
    def holders() -> Response:
        return _page(open_studio(site), ())

    @blueprint.post("/holders")
    @policy("session")
    def judge() -> Response:
        """Confirm the ticked ones, or take them back (``do``)."""
        studio = open_studio(site)
        ids = [id for each in request.form.getlist("id") if (id := as_uuid(each)) is not None]
        verb = {"confirm": holding.confirm, "take_back": holding.take_back}.get(request.form.get("do", ""))
        if verb is None or not ids:
            return redirect(_here())
        try:
            outcome = verb(studio.call, ids[: holding.MOST])
        except REFUSALS as error:
            return _page(studio, error.faults)
        failed = [fault for row in outcome.failed for fault in row.faults]
        if failed:
            return _page(studio, tuple({(each.code, str(each.params)): each for each in failed}.values()))
        done = len(outcome.rows)
        studio.flash(f"holders.{request.form['do']}_done", count=done)
        return redirect(_here())

    def _here() -> str:
        return path("holders") + (f"?{request.query_string.decode()}" if request.query_string else "")

    def _page(studio: Studio, faults: tuple[Fault, ...]) -> Response:
        said = request.args.get("state", "all")
        state: State = next((each for each in STATES if each == said), "all")
        user, uid = as_uuid(request.args.get("user") or None), request.args.get("set") or None
        found = holding.everybody(studio.call, state, user=user, uid=uid)
        model, language = studio.call.model, studio.call.language
        labels = sorted((label_in(each.labels, language), each.uid) for each in model.grantable.values())
        return studio.page(
            "holders.html",
            "holders",
            409 if faults else 200,
            lines=_lines(studio, found),
            states=STATES,
            state=state,
            sets=labels,
            set=uid or "",
            user=str(user or ""),
            most=holding.MOST,
            is_cut=len(found) == holding.MOST,
            may_judge=studio.call.gate.has("manage_users"),
            here=_here(),
            faults=tuple(FaultLine(say_fault(each, language)) for each in faults),
        )
