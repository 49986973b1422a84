"""The links of invitations and new passwords.

The secret stands behind the ``#``: browsers send that part to nobody, so it is in no log and no Referer.
"""

from __future__ import annotations

from tabwright.platform.errors import Conflict
from tabwright.platform.tickets import Ticket
from tabwright.runtime.people.places import Site

PATH = "/link"


def link_of(site: Site, ticket: Ticket) -> str:
    """What a person opens. Made from the configured address only, never from what a request says."""
    return f"{require_base_url(site)}{PATH}#{site.tickets.secret_of(ticket.id)}"


def require_base_url(site: Site) -> str:
    """The address of the product. Raises Conflict (``people.no_base_url``) where none is configured."""
    if site.settings.base_url is None:
        raise Conflict.of("people.no_base_url")
    return site.settings.base_url
