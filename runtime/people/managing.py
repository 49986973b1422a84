"""What those who manage users do about the sign-ins of others: invite, reset, unlock, sign out.

Nobody gets at an account that may more than they may: whoever could set its password could use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tabwright.platform.errors import Conflict, Denied, Invalid, NotFound, Place
from tabwright.platform.tickets import Purpose, Ticket
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.granting import check_assignment, check_membership
from tabwright.runtime.desk import Call
from tabwright.runtime.journal.writing import record_event
from tabwright.runtime.people import letters
from tabwright.runtime.people.links import link_of, require_base_url
from tabwright.runtime.people.places import Site
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.service import Records

RIGHT = "manage_users"
_MOST = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """A link that was made. ``link`` is shown once, to who made it; "" where a mail takes it."""

    user_id: UUID
    link: str
    expires_at: datetime

    @property
    def by_mail(self) -> bool:
        return not self.link


@dataclass(frozen=True, slots=True)
class Colleague:
    """A user of the tenant as those who manage users see them."""

    id: UUID
    name: str
    address: str
    active: bool
    identity_id: UUID | None


class Managing:
    """What one caller does about the sign-ins of a tenant's users. Raises Denied without ``manage_users``."""

    def __init__(self, site: Site, call: Call) -> None:
        call.gate.require_right(RIGHT)
        self._site = site
        self._call = call
        # The right to manage users is enough for the records that this takes; the person is in the journal,
        # and what may be granted is checked against the person (``records.built_in``).
        self._own = replace(call, gate=Gate.system(call.model))

    # ---- invitations -----------------------------------------------------------------------------

    def invite(self, name: str, address: str, sets: Sequence[str] = (), language: str | None = None) -> Sent:
        """Make a user with permission sets (uids) and a link by which they choose a password.

        Raises Conflict (no configured address; address taken), Denied (a set beyond one's own), Invalid.
        """
        require_base_url(self._site)
        missing = [
            each for each in ("name", "address") if not {"name": name, "address": address}[each].strip()
        ]
        if missing:
            raise Invalid.of("value.required", Place(field=missing[0]))
        unknown = [each for each in sets if each not in self._call.model.grantable]
        if unknown:
            raise Invalid.of("people.no_set", Place(field="permission_sets"))
        check_assignment(self._call.principal, self._call.model, sets)
        values: dict[str, Any] = {"name": name.strip(), "address": address.strip()}
        if language:
            values["language"] = language
        records = Records(self._own)
        user_id = records.create("user", values).id
        for uid in dict.fromkeys(sets):
            records.create("permission_assignment", {"user": user_id.hex, "permission_set": uid})
        return self._issue("invite", self.find(user_id), timedelta(hours=self._limits.invitation_hours))

    def invite_again(self, user_id: UUID) -> Sent:
        """A new link for a user who has not signed in yet; the earlier one is dead."""
        require_base_url(self._site)
        who = self._require_over(user_id)
        if who.identity_id is not None:
            raise Conflict.of("people.signed_in_already", name=who.name)
        self._require_link_for(who)
        return self._issue("invite", who, timedelta(hours=self._limits.invitation_hours))

    def revoke_invitation(self, user_id: UUID) -> None:
        """Let an open invitation die. Raises NotFound."""
        self._site.tickets.revoke(self._tenant_id, user_id, "invite")
        self._note("revoke_invitation", user_id)

    def invitations(self) -> list[tuple[Ticket, Colleague]]:
        """The open invitations, newest first."""
        found = []
        for ticket in self._site.tickets.open(self._tenant_id, "invite")[:_MOST]:
            try:
                found.append((ticket, self.find(ticket.user_id)))
            except NotFound:
                continue
        return found

    # ---- what is done to a sign-in ---------------------------------------------------------------

    def reset_password(self, user_id: UUID) -> Sent:
        """A link by which a user sets a new password; once they have, all their sessions end.

        Without mail the caller gets it, so not for an account that opens other tenants too.
        """
        require_base_url(self._site)
        who = self._require_over(user_id)
        if who.identity_id is None:
            raise Conflict.of("people.no_sign_in", name=who.name)
        self._require_link_for(who)
        return self._issue("reset", who, timedelta(minutes=self._limits.reset_minutes))

    def reset_factor(self, user_id: UUID) -> None:
        """Take a user's second factor away, and sign them out everywhere."""
        who = self._require_over(user_id)
        self._require_only_here(who)
        if who.identity_id is None or not self._site.factors.remove(who.identity_id):
            raise Conflict.of("people.no_factor", name=who.name)
        self._site.sessions.end_all(who.identity_id)
        self._note("reset_factor", user_id)

    def unlock(self, user_id: UUID) -> None:
        """Forget the failed sign-ins and wrong codes of a user."""
        who = self.find(user_id)
        if who.identity_id is None:
            raise Conflict.of("people.no_sign_in", name=who.name)
        self._site.identities.unlock(self._site.identities.get(who.identity_id).address)
        self._site.factors.unlock(who.identity_id)
        self._note("unlock", user_id)

    def end_sessions(self, user_id: UUID, session: str | None = None) -> None:
        """Sign a user of this tenant out of it, or end one session. Raises NotFound."""
        self.find(user_id)
        if session is None:
            self._site.sessions.end_of_user(self._tenant_id, user_id)
        elif session in {each.id for each in self._site.sessions.of_user(self._tenant_id, user_id)}:
            self._site.sessions.end_one(session, tenant_id=self._tenant_id)
        else:
            raise NotFound.of("session.not_found")
        self._note("end_sessions", user_id)

    def revoke_token(self, token_id: UUID) -> None:
        """End a token of any user of the tenant. Raises NotFound."""
        self._site.tokens.revoke(self._tenant_id, token_id)
        self._note("revoke_token", None, token=token_id.hex)

    # ---- who -------------------------------------------------------------------------------------

    def find(self, user_id: UUID) -> Colleague:
        """A user of the tenant. Raises NotFound."""
        fields = ("name", "address", "active", "identity_id")
        row = Reads(self._own).get("user", user_id, fields)
        identity = UUID(row["identity_id"]) if row["identity_id"] else None
        return Colleague(user_id, row["name"] or "", row["address"] or "", bool(row["active"]), identity)

    @property
    def _tenant_id(self) -> UUID:
        return self._call.tenant.location.id

    @property
    def _limits(self) -> Any:
        return self._site.settings.limits

    def _require_over(self, user_id: UUID) -> Colleague:
        """The user, where the caller holds all that they hold. Raises Denied, NotFound."""
        who = self.find(user_id)
        check_assignment(self._call.principal, self._call.model, self._held(user_id))
        return who

    def _require_link_for(self, who: Colleague) -> None:
        """Where no mail takes it, the caller gets the link, and with it all that the user owns and sees: so
        only who may change every record anyway. Raises Denied.
        """
        if self._site.post is None:
            self._require_only_here(who)
            try:
                check_membership(self._call.principal, self._call.model, who.id)
            except Denied:
                raise Denied.of("people.beyond", name=who.name) from None

    def _held(self, user_id: UUID) -> list[str]:
        """The permission sets and groups of them that a user was given, over or not."""
        fields = ("permission_set",)
        query = Query("permission_assignment", fields=fields, where=f'user = "{user_id}"', limit=_MOST)
        found, reads = list[str](), Reads(self._own)
        while True:
            page = reads.list(query)
            found += [row["permission_set"] for row in page.rows]
            if page.next_cursor is None:
                return found
            query = replace(query, cursor=page.next_cursor)

    def _require_only_here(self, who: Colleague) -> None:
        if who.identity_id and self._site.memberships.of(who.identity_id) - {self._tenant_id}:
            raise Denied.of("people.elsewhere", name=who.name)

    def _issue(self, purpose: Purpose, who: Colleague, lifetime: timedelta) -> Sent:
        if not who.active:
            raise Conflict.of("people.inactive", name=who.name)
        ticket = self._site.tickets.issue(
            purpose, self._tenant_id, who.id, lifetime,
            identity_id=who.identity_id, by=self._call.principal.user_id,
        )  # fmt: skip
        self._note(purpose, who.id)
        if self._site.post is not None:
            letters.send_later(self._call.tenant, ticket)
            return Sent(who.id, "", ticket.expires_at)
        return Sent(who.id, link_of(self._site, ticket), ticket.expires_at)

    def _note(self, did: str, user_id: UUID | None, **more: str) -> None:
        about = {"did": did, **({"user": user_id.hex} if user_id else {}), **more}
        with self._call.tenant.store.write() as writer:
            record_event(self._call, writer, "sign_in", about)
