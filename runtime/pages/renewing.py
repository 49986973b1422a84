"""A session follows its person's rights: a new cookie where they change, and what they ask for first."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from flask import Response, after_this_request, current_app

from tabwright.metadata.model import Model
from tabwright.platform.identities import Identity
from tabwright.platform.signin import UNFINISHED, SessionRow
from tabwright.platform.web import Web
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.people.opening import identity_of
from tabwright.runtime.people.places import Site

SECOND_FACTOR = "/account/second-factor"  # where a session goes that asks for one
_RIGHTS = "rights"  # in a session's data: a mark of the permission sets that it was started or renewed with


def needs_factor(model: Model, principal: Principal) -> bool:
    """Whether a permission set that the person holds asks for a second factor."""
    return any(each.second_factor for each in model.sets_of(principal.permission_sets))


def by_rights(site: Site, identity: Identity, model: Model, principal: Principal) -> dict[str, Any]:
    """What a session keeps of its person's rights: a mark, and what they ask to be done first."""
    asked = needs_factor(model, principal) and site.factors.of(identity.id) is None
    return {_RIGHTS: _mark(model, principal), UNFINISHED: "second_factor" if asked else None}


def renewed(site: Site, session: SessionRow, model: Model, principal: Principal) -> SessionRow | None:
    """The session under a new cookie, which goes out with the answer, where its person's permission sets are
    not those that it was started with; None where they are.
    """
    known = session.data.get(_RIGHTS)
    if known is None or known == _mark(model, principal):
        return None
    identity = identity_of(site, session.identity_id)
    return None if identity is None else renew(site, session, **by_rights(site, identity, model, principal))


def _mark(model: Model, principal: Principal) -> str:
    """Another one where the sets are others, or where they begin to ask for a second factor."""
    facts = (*principal.permission_sets, str(needs_factor(model, principal)))
    return sha256(",".join(facts).encode()).hexdigest()[:16]


def renew(site: Site, session: SessionRow, **data: Any) -> SessionRow:
    """The session under a new cookie, which goes out with the answer; ``data`` is what it keeps from now."""
    cookie = site.sessions.renew(session, **data)
    found = site.sessions.find(cookie)
    assert found is not None

    @after_this_request
    def give(response: Response) -> Response:
        web: Web = current_app.extensions["tabwright"]
        web.start_session(response, cookie)
        return response

    return found
