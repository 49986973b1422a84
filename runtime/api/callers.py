"""From a visit to a call: the principal of a session or a token, under the release in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flask import request

from tabwright.platform.errors import Unauthenticated
from tabwright.platform.language import choose_language
from tabwright.platform.web import visit
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import Call
from tabwright.runtime.people import places

if TYPE_CHECKING:
    from tabwright.platform.jobs import Jobs
    from tabwright.runtime.publishing.releases import CompiledReleases


class Site(places.Site, Protocol):
    """What the API needs of the doorway's site."""

    @property
    def jobs(self) -> Jobs: ...
    @property
    def releases(self) -> CompiledReleases: ...


def caller(site: Site, cause: str = "api") -> Call:
    """The call of the request in hand: the release and the principal, by one short statement.

    The person's own language is spoken unless the request wishes another.
    """
    here = visit()
    who = here.token or here.session
    if who is None:
        raise Unauthenticated.of("web.session")
    scope = here.token.scope if here.token is not None else None
    tenant = site.tenancy.open(who.location)
    with tenant.store.read() as reader:
        model, principal = principals.arrive(tenant, reader, who.user_id, site.clock.now(), scope)
    if "Accept-Language" not in request.headers and here.session is None:
        here.language = choose_language((principal.language,), None, here.language)
    return Call(
        tenant=tenant,
        principal=principal,
        model=model,
        gate=Gate(model, principal),
        clock=site.clock,
        ids=site.ids,
        language=here.language,
        zone=principal.zone,
        request_id=here.request_id,
        cause=cause,
    )
