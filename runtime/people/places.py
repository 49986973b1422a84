"""The tenants in which somebody is a user, and the platform's own call there before there is a principal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from tabwright.platform.language import register_messages
from tabwright.platform.tenants import Tenant, TenantLocation
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Call
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

if TYPE_CHECKING:
    from tabwright.platform.clock import Clock, Ids
    from tabwright.platform.factors import SecondFactors
    from tabwright.platform.identities import Identities, Identity
    from tabwright.platform.mail import Post
    from tabwright.platform.memberships import Memberships
    from tabwright.platform.settings import Settings
    from tabwright.platform.signin import Sessions, Tokens
    from tabwright.platform.tenants import Tenants
    from tabwright.platform.tickets import Tickets
    from tabwright.runtime.desk import Tenancy

register_messages(Path(__file__).with_name("messages.json"))


class Site(Protocol):
    """What signing in needs of the doorway's site."""

    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def ids(self) -> Ids: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def identities(self) -> Identities: ...
    @property
    def tickets(self) -> Tickets: ...
    @property
    def factors(self) -> SecondFactors: ...
    @property
    def post(self) -> Post | None: ...
    @property
    def tenants(self) -> Tenants: ...
    @property
    def memberships(self) -> Memberships: ...
    @property
    def tenancy(self) -> Tenancy: ...


@dataclass(frozen=True, slots=True)
class Membership:
    """A tenant in which the identity is an active user."""

    tenant: Tenant
    user_id: UUID
    language: str | None


def places(site: Site, identity: Identity, request_id: str, wanted: str | None = None) -> list[Membership]:
    """The tenants in which the identity is an active user, by name; looked for where the hints say, and in
    the one of the slug ``wanted``. Where that gives nothing, everywhere, and what is found becomes hints.
    """
    known = site.memberships.of(identity.id)
    everything = [each for each in site.tenants.list() if each.state == "active"]
    likely = [each for each in everything if each.id in known or each.slug == wanted]
    found = _among(site, identity, likely, request_id)
    if not found:
        found = _among(site, identity, everything, request_id)
    for each in found:
        if each.tenant.id not in known:
            site.memberships.add(identity.id, each.tenant.id)
    return sorted(found, key=lambda each: each.tenant.name)


def _among(site: Site, identity: Identity, tenants: Sequence[Tenant], request_id: str) -> list[Membership]:
    """The user's own row is the truth: active, and of this identity."""
    found = []
    for tenant in tenants:
        call = system_call(site, tenant.location, request_id)
        if "user" not in call.model.objects:
            continue
        ids = f'identity_id = "{identity.id}" || identity_id = "{identity.id.hex}"'
        query = Query("user", fields=("active", "language"), where=ids, limit=1)
        for row in Reads(call).list(query).rows:
            if row["active"]:
                found.append(Membership(tenant, row["id"], row.get("language")))
    return found


def system_call(site: Site, location: TenantLocation, request_id: str) -> Call:
    """The platform's own call in a tenant, for what precedes a principal."""
    opened = site.tenancy.open(location)
    model = opened.at_release()
    return Call(
        tenant=opened,
        principal=Principal.system(),
        model=model,
        gate=Gate.system(model),
        clock=site.clock,
        ids=site.ids,
        language="en",
        zone="UTC",
        request_id=request_id,
        cause="sign_in",
    )
