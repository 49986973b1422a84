"""The letters of invitations and new passwords: a job each, which works the link out when it sends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tabwright.platform.errors import NotFound
from tabwright.platform.language import choose_language, say
from tabwright.platform.mail import Letter
from tabwright.platform.tickets import Ticket
from tabwright.runtime.people.links import link_of
from tabwright.runtime.people.places import Site, system_call
from tabwright.runtime.query.reads import Reads

if TYPE_CHECKING:
    from tabwright.platform.jobs import JobRun, Jobs
    from tabwright.runtime.desk import TenantRuntime

KIND = "people.letter"


def register(jobs: Jobs, site: Site) -> None:
    """Tell how a letter is sent."""
    jobs.register(KIND, _handler(site), runs_as="system")


def send_later(tenant: TenantRuntime, ticket: Ticket) -> None:
    """Have the link of a ticket sent to its person; the job's row holds nothing that opens anything."""
    with tenant.store.write() as writer:
        tenant.jobs.add(writer, KIND, {"ticket": ticket.id.hex}, created_by=ticket.created_by)


def _handler(site: Site) -> Callable[[JobRun], Any]:
    def run(job: JobRun) -> Any:
        ticket = site.tickets.by_id(UUID(job.payload["ticket"]))
        if ticket is None or ticket.tenant_id != job.location.id or site.post is None:
            return {"sent": False}  # used, revoked or expired meanwhile
        letter = letter_of(site, ticket)
        if letter is None:
            return {"sent": False}
        site.post.send(letter)
        return {"sent": True}

    return run


def letter_of(site: Site, ticket: Ticket) -> Letter | None:
    """The letter of a ticket in its person's language; None where the person is gone."""
    tenant = next((each for each in site.tenants.list() if each.id == ticket.tenant_id), None)
    if tenant is None:
        return None
    call = system_call(site, tenant.location, ticket.id.hex)
    try:
        user = Reads(call).get("user", ticket.user_id, ("name", "address", "language", "active"))
    except NotFound:
        return None
    to = site.identities.get(ticket.identity_id).address if ticket.identity_id else str(user["address"])
    if not user["active"]:
        return None
    language = choose_language((user.get("language"), site.settings.language))
    said = {
        "name": str(user["name"] or to), "tenant": tenant.name, "link": link_of(site, ticket),
        "hours": round((ticket.expires_at - ticket.created_at).total_seconds() / 3600, 1).__format__("g"),
    }  # fmt: skip
    subject = say(f"people.{ticket.purpose}_subject", said, language)
    return Letter(to, subject, say(f"people.{ticket.purpose}_text", said, language))
