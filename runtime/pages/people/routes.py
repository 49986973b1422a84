"""The addresses of those who manage users: ``/people``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, request

from tabwright.metadata.model import label_in
from tabwright.platform.errors import Conflict, Denied, Invalid, NotFound, TabwrightError
from tabwright.platform.language import LANGUAGES
from tabwright.platform.web import policy, visit
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.granting import check_assignment
from tabwright.runtime.pages.account.devices import devices, tokens
from tabwright.runtime.pages.history import when_text
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.signing import redirect, said
from tabwright.runtime.pages.world import Desk, Site, open_desk
from tabwright.runtime.people.managing import Colleague, Managing, Sent
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

_ROWS = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A user in the list. ``state``: in, invited, none (no way to sign in), off, locked."""

    id: str
    name: str
    address: str
    state: str
    has_factor: bool


def register(app: Flask, site: Site) -> None:
    """Put them on the application."""
    pages = Blueprint("people", __name__, url_prefix="/people")
    _list(pages, site)
    _one(pages, site)
    app.register_blueprint(pages)


def _open(site: Site) -> tuple[Desk, Managing]:
    desk = open_desk(site, request, visit())
    return desk, Managing(site, desk.call)


def _list(pages: Blueprint, site: Site) -> None:
    @pages.get("")
    @policy("session")
    def all() -> Response:
        desk, managing = _open(site)
        return _people(site, desk, managing)

    @pages.post("/invite")
    @policy("session")
    def invite() -> Response:
        desk, managing = _open(site)
        form = request.form
        language = form.get("language", "")
        try:
            sent = managing.invite(
                form.get("name", "")[:200], form.get("address", "")[:320], form.getlist("set"),
                language if language in LANGUAGES else None,
            )  # fmt: skip
        except (Invalid, Conflict, Denied) as error:
            return _people(site, desk, managing, error)
        return _sent(site, desk, managing, sent)

    @pages.get("/tokens")
    @policy("session")
    def all_tokens() -> Response:
        """Every API token of the tenant."""
        desk, _ = _open(site)
        found = site.tokens.list(desk.call.tenant.location.id)
        names = {each: _name(desk, each) for each in {entry.user_id for entry in found}}
        page = {"tokens": tokens(desk.call, found, names)}
        return desk.page("people_tokens.html", "people", page)

    @pages.post("/tokens/<uuid:id>/revoke")
    @policy("session")
    def revoke_token(id: UUID) -> Response:
        desk, managing = _open(site)
        managing.revoke_token(id)
        desk.flash("account.token_revoked_done")
        return redirect("/people/tokens")


def _one(pages: Blueprint, site: Site) -> None:
    @pages.get("/<uuid:id>")
    @policy("session")
    def one(id: UUID) -> Response:
        desk, managing = _open(site)
        return _person(site, desk, managing, id)

    @pages.post("/<uuid:id>/<what>")
    @policy("session")
    def act(id: UUID, what: str) -> Response:
        """Do something about a user's sign-in; a link that nobody mails stands on the page that answers."""
        desk, managing = _open(site)
        try:
            sent = _done(managing, id, what)
        except (Conflict, Denied) as error:
            return _person(site, desk, managing, id, error=error)
        if sent is not None:
            return _sent(site, desk, managing, sent)
        desk.flash("people.done_" + what.replace("-", "_"))
        return redirect(f"/people/{id}")


def _done(managing: Managing, id: UUID, what: str) -> Sent | None:
    if what == "invite":
        return managing.invite_again(id)
    if what == "reset":
        return managing.reset_password(id)
    if what == "revoke":
        managing.revoke_invitation(id)
    elif what == "factor":
        managing.reset_factor(id)
    elif what == "unlock":
        managing.unlock(id)
    elif what == "sign-out":
        managing.end_sessions(id, request.form.get("session") or None)
    else:
        raise NotFound.of("web.not_found")
    return None


def _sent(site: Site, desk: Desk, managing: Managing, sent: Sent) -> Response:
    """What came of a link: a line where a mail takes it, else the link itself, this once."""
    who = managing.find(sent.user_id)
    if sent.by_mail:
        desk.flash("people.mailed", address=who.address)
        return redirect(f"/people/{who.id}")
    return _person(site, desk, managing, who.id, link=sent.link)


def _people(site: Site, desk: Desk, managing: Managing, error: TabwrightError | None = None) -> Response:
    call, form = desk.call, request.form
    q = request.args.get("q", "")[:200].strip()
    found, following = _users(desk, q, request.args.get("cursor") if error is None else None)
    open_ones = managing.invitations()
    invited = {who.id for _, who in open_ones}
    page = {
        "lines": _lines(site, found, invited),
        "next": following,
        "q": q,
        "open": [
            {
                "id": str(who.id), "name": who.name, "address": who.address,
                "until": _when(desk, ticket.expires_at),
            }
            for ticket, who in open_ones
        ],
        "sets": _sets(desk, form.getlist("set")),
        "name": form.get("name", ""),
        "address": form.get("address", ""),
        "language": form.get("language", call.language),
        "can_link": site.settings.base_url is not None,
        "can_mail": site.post is not None,
        "error": said(error, visit()) if error else "",
    }  # fmt: skip
    return desk.page("people.html", "people", page, error.status if error else 200)


def _users(desk: Desk, q: str, cursor: str | None) -> tuple[list[Colleague], str | None]:
    """A page of users by name. Who manages users sees who there is, whatever else they may read."""
    own = replace(desk.call, gate=Gate.system(desk.call.model))
    quoted = q.replace("\\", "\\\\").replace('"', '\\"')
    likes = [f'CONTAINS(LOWER({name}), LOWER("{quoted}"))' for name in ("name", "address")]
    where = " || ".join(likes) if q else None
    fields = ("name", "address", "active", "identity_id")
    query = Query("user", fields=fields, where=where, order=(("name", "asc"),), limit=_ROWS, cursor=cursor)
    page = Reads(own).list(query)
    found = [
        Colleague(
            row["id"], row["name"] or "", row["address"] or "", bool(row["active"]),
            UUID(row["identity_id"]) if row["identity_id"] else None,
        )
        for row in page.rows
    ]  # fmt: skip
    return found, page.next_cursor


def _lines(site: Site, found: list[Colleague], invited: set[UUID]) -> list[Line]:
    trouble = site.identities.trouble([each.address for each in found])
    locked = {address for address, each in trouble.items() if each.locked_until is not None}
    confirmed = site.factors.confirmed([each.identity_id for each in found if each.identity_id])
    lines = []
    for each in found:
        state = "in" if each.identity_id else "invited" if each.id in invited else "none"
        state = "off" if not each.active else "locked" if each.address.casefold() in locked else state
        lines.append(Line(str(each.id), each.name, each.address, state, each.identity_id in confirmed))
    return lines


def _person(
    site: Site, desk: Desk, managing: Managing, id: UUID,
    error: TabwrightError | None = None, link: str = "",
) -> Response:  # fmt: skip
    call, who = desk.call, managing.find(id)
    tenant_id = call.tenant.location.id
    address = site.identities.get(who.identity_id).address if who.identity_id else who.address
    trouble = site.identities.trouble([address]).get(address)
    invitation = next((ticket for ticket, each in managing.invitations() if each.id == id), None)
    page = {
        "id": str(id),
        "who": who,
        "address": address,
        "locked": _when(desk, trouble.locked_until) if trouble and trouble.locked_until else "",
        "failures": trouble.failures if trouble else 0,
        "factor": site.factors.of(who.identity_id) if who.identity_id else None,
        "closed": site.factors.is_closed(who.identity_id) if who.identity_id else False,
        "invitation": _when(desk, invitation.expires_at) if invitation else "",
        "devices": devices(call, site.sessions.of_user(tenant_id, id)),
        "tokens": tokens(call, site.tokens.list(tenant_id, id)),
        "link": link,
        "can_link": site.settings.base_url is not None,
        "can_mail": site.post is not None,
        "error": said(error, visit()) if error else "",
    }
    return desk.page("people_one.html", "people", page, error.status if error else 200)


def _sets(desk: Desk, ticked: list[str]) -> list[tuple[str, str, bool]]:
    """The permission sets that this person may give: uid, label, ticked."""
    call, found = desk.call, []
    for each in call.model.grantable.values():
        try:
            check_assignment(call.principal, call.model, [each.uid])
        except Denied:
            continue
        found.append((each.uid, label_in(each.labels, call.language), each.uid in ticked))
    return sorted(found, key=lambda one: one[1])


def _name(desk: Desk, user_id: UUID) -> str:
    own = replace(desk.call, gate=Gate.system(desk.call.model))
    try:
        return str(Reads(own).get("user", user_id, ("name",))["name"] or "")
    except TabwrightError:
        return text(desk.call.language)("record.somebody")


def _when(desk: Desk, at: Any) -> str:
    call = desk.call
    return when_text(at, call.clock.now(), ZoneInfo(call.zone), call.language)
