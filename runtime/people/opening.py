"""What a link opens: an invitation is accepted, a new password is set. And asking for such a link oneself."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tabwright.platform.errors import Conflict, NotFound, TabwrightError
from tabwright.platform.identities import Identity
from tabwright.platform.tenants import Tenant
from tabwright.platform.tickets import Ticket
from tabwright.runtime.people import letters
from tabwright.runtime.people.places import Membership, Site, places, system_call
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.service import Records

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """A live link: for whom, where. ``knows_password``: an account of this address is there already, so its
    password is asked for and none is set.
    """

    ticket: Ticket
    tenant: Tenant
    name: str
    address: str
    language: str | None
    knows_password: bool


def open_link(site: Site, secret: str, request_id: str) -> Opened:
    """What a link is for. Raises NotFound (``people.link_gone``) for one that is wrong, used or over."""
    ticket = site.tickets.find(secret, "invite", "reset")
    tenants = {each.id: each for each in site.tenants.list() if each.state == "active"}
    if ticket is None or ticket.tenant_id not in tenants:
        raise NotFound.of("people.link_gone")
    tenant = tenants[ticket.tenant_id]
    try:
        fields = ("name", "address", "language", "active", "identity_id")
        row = Reads(system_call(site, tenant.location, request_id)).get("user", ticket.user_id, fields)
    except NotFound:
        raise NotFound.of("people.link_gone") from None
    if not row["active"] or (ticket.purpose == "invite" and row["identity_id"]):
        raise NotFound.of("people.link_gone")
    address = str(row["address"])
    if ticket.identity_id is not None:
        address = site.identities.get(ticket.identity_id).address
    known = ticket.purpose == "invite" and _find(site, address) is not None
    return Opened(ticket, tenant, row["name"] or "", address, row["language"], known)


def accept(
    site: Site, opened: Opened, password: str, language: str | None, remote: str, request_id: str
) -> tuple[Identity, Membership]:
    """Use a link up: who is signed in by it, and where. All sessions there were are over after a reset.

    Raises Invalid (the password), Unauthenticated and LimitReached (the password of an account that is
    there), NotFound (``people.link_gone``).
    """
    if opened.ticket.purpose == "reset":
        identity = _reset(site, opened, password)
    else:
        identity = _join(site, opened, password, language, remote, request_id)
    return identity, Membership(opened.tenant, opened.ticket.user_id, language or opened.language)


def _reset(site: Site, opened: Opened, password: str) -> Identity:
    assert opened.ticket.identity_id is not None
    identity = site.identities.get(opened.ticket.identity_id)
    site.identities.check_password(identity.address, password)
    _use(site, opened.ticket)
    site.identities.set_password(identity.id, password)
    site.sessions.end_all(identity.id)
    return identity


def _join(
    site: Site, opened: Opened, password: str, language: str | None, remote: str, request_id: str
) -> Identity:
    if opened.knows_password:
        # Somebody may have this address elsewhere: the link alone does not open their account, nor does
        # their password alone open this tenant.
        identity = site.identities.verify(opened.address, password, remote)
        _use(site, opened.ticket)
    else:
        site.identities.check_password(opened.address, password)
        _use(site, opened.ticket)
        try:
            identity = site.identities.get(site.identities.create(opened.address, password))
        except Conflict:
            raise NotFound.of("people.link_gone") from None
    values = {"identity_id": identity.id.hex, **({"language": language} if language else {})}
    Records(system_call(site, opened.tenant.location, request_id)).update(
        "user", opened.ticket.user_id, values
    )
    site.memberships.add(identity.id, opened.tenant.id)
    return identity


def _use(site: Site, ticket: Ticket) -> None:
    if not site.tickets.use(ticket):
        raise NotFound.of("people.link_gone")


def send_reset(site: Site, address: str, request_id: str) -> None:
    """Send a link for a new password to whoever signs in with this address; nothing for anybody else.

    For after the answer, which says the same whether there is somebody: so it fails in silence.
    """
    try:
        _send_reset(site, address, request_id)
    except TabwrightError as error:
        _log.warning("a link for a new password was not sent: %s", error.code)


def _send_reset(site: Site, address: str, request_id: str) -> None:
    identity = _find(site, address)
    if site.post is None or site.settings.base_url is None or identity is None or not identity.active:
        return
    limits, since = site.settings.limits, site.clock.now() - timedelta(hours=1)
    if site.tickets.issued_since(identity.id, "reset", since) >= limits.reset_mails_per_hour:
        return
    for place in places(site, identity, request_id)[:1]:
        ticket = site.tickets.issue(
            "reset", place.tenant.id, place.user_id, timedelta(minutes=limits.reset_minutes),
            identity_id=identity.id,
        )  # fmt: skip
        letters.send_later(site.tenancy.open(place.tenant.location), ticket)


def _find(site: Site, address: str) -> Identity | None:
    try:
        return site.identities.find(address)
    except NotFound:
        return None


def identity_of(site: Site, id: UUID) -> Identity | None:
    """The identity of an id, if there is one that may sign in."""
    try:
        found = site.identities.get(id)
    except NotFound:
        return None
    return found if found.active else None
