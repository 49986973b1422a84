"""Who belongs to what, worked out; and which single records are shared with whom (decision 0038).

A **group** here is anything that names people: a public group, a position, a department, a queue, each also
with all below it. ``access_member`` has every user of every group, however deep; it follows in the
transaction that writes a user, a position and the rest (``people``).
"""

from __future__ import annotations

import uuid
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import Grantee
from tabwright.platform.tables import TENANT, CodeText, Instant, Uuid

GROUPS = sa.Table(
    "access_group",
    TENANT,
    sa.Column("key", CodeText, primary_key=True),  # as sharing rules name it: see ``key_of``
    # Codes that differ in case, a leaver's address that somebody else has now: all of them are named.
    sa.Column("group_id", Uuid, primary_key=True, index=True),
)
MEMBERS = sa.Table(
    "access_member",
    TENANT,
    sa.Column("user_id", Uuid, primary_key=True),  # of the group OWNED of a queue: the queue
    sa.Column("group_id", Uuid, primary_key=True),
    sa.Index("access_member_of", "group_id", "user_id"),
)
SHARES = sa.Table(
    "access_share",
    TENANT,
    sa.Column("record_id", Uuid, primary_key=True),
    sa.Column("grantee", Uuid, primary_key=True),  # a user or a group
    sa.Column("object", CodeText, nullable=False),  # uid
    sa.Column("level", sa.SmallInteger, nullable=False),  # LEVELS
    sa.Column("role", CodeText, nullable=False),  # in the record's team; "": shared by hand
    sa.Column("reason", CodeText, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("created_by", Uuid, nullable=False),
    sa.Index("access_share_with", "grantee", "record_id", "level", "expires_at"),  # what a list asks for
)

READ, EDIT, FULL = 1, 2, 3
LEVELS = {"read": READ, "edit": EDIT, "full": FULL}

EVERYONE = UUID("00000000-0000-8000-8000-000000000001")
_BELOW, _UNDER, _OWNED = "below", "under", "owned"


def below(id: UUID) -> UUID:
    """The group of who is in a position or department or below it."""
    return uuid.uuid5(id, _BELOW)


def under(id: UUID) -> UUID:
    """The group of who is below a position, whose holders see their records."""
    return uuid.uuid5(id, _UNDER)


def owned(id: UUID) -> UUID:
    """The group that has a queue itself as its member: the owner of the queue's records."""
    return uuid.uuid5(id, _OWNED)


def key_of(kind: str, code: str, is_below: bool = False) -> str:
    """How sharing rules name a group: ``position:sales``, ``+position:sales`` with all below it."""
    return f"{'+' if is_below else ''}{kind}:{code.lower()}"


def key_of_grantee(grantee: Grantee) -> str:
    """The key of the people that a rule shares with."""
    return key_of(grantee.kind, grantee.key, grantee.below)


def key_of_owner(grantee: Grantee) -> str:
    """The key of the owners whose records a rule shares: a queue owns records itself."""
    return key_of("owner" if grantee.kind == "queue" else grantee.kind, grantee.key, grantee.below)
