"""Sign-ins over the API: invitations, sessions of users, API tokens.

Tokens are made on a page only: a program that holds one must not make itself another.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tabwright.platform.errors import Denied, Invalid, NotFound, Place
from tabwright.platform.signin import SessionEntry, TokenEntry
from tabwright.runtime.api.answers import Answer
from tabwright.runtime.api.endpoints import SIGNED_IN, Asked, Endpoint, uuid_in
from tabwright.runtime.api.shapes import InvitationBody, TokensQuery
from tabwright.runtime.desk import Call
from tabwright.runtime.people.managing import RIGHT, Managing, Sent
from tabwright.runtime.people.places import Site


class PeopleApi:
    """The endpoints of people's sign-ins."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def endpoints(self) -> tuple[Endpoint, ...]:
        tag, one = "people", "/people/{id}"
        return (
            Endpoint("GET", "/invitations", "list_invitations", "Invitations that are open", RIGHT,
                     self.list_invitations, tag, answers={200: "Invitations"}),
            Endpoint("POST", "/invitations", "invite", "Make a user and a link to choose a password",
                     RIGHT, self.invite, tag, body=InvitationBody, answers={201: "Invitation"},
                     problems=(403, 409, 415, 422), replays=False),
            Endpoint("POST", one + "/invitation", "invite_again", "A new link; the earlier one is dead",
                     RIGHT, self.invite_again, tag, answers={201: "Invitation"}, problems=(403, 404, 409),
                     replays=False),
            Endpoint("DELETE", one + "/invitation", "revoke_invitation", "Let an open invitation die", RIGHT,
                     self.revoke_invitation, tag, answers={204: ""}, problems=(404,)),
            Endpoint("POST", one + "/password-reset", "reset_password", "A link for a new password", RIGHT,
                     self.reset_password, tag, answers={201: "Invitation"}, problems=(403, 404, 409),
                     replays=False),
            Endpoint("DELETE", one + "/second-factor", "reset_second_factor",
                     "Take a user's second factor away", RIGHT, self.reset_factor, tag, answers={204: ""},
                     problems=(403, 404, 409)),
            Endpoint("DELETE", one + "/lock", "unlock", "Let a locked user sign in again", RIGHT, self.unlock,
                     tag, answers={204: ""}, problems=(404, 409)),
            Endpoint("GET", one + "/sessions", "list_sessions", "Where a user is signed in", RIGHT,
                     self.list_sessions, tag, answers={200: "Sessions"}, problems=(404,)),
            Endpoint("DELETE", one + "/sessions", "end_sessions", "Sign a user out everywhere", RIGHT,
                     self.end_sessions, tag, answers={204: ""}, problems=(404,)),
            Endpoint("GET", "/tokens", "list_tokens", "Your API tokens; with the right to it, everybody's",
                     SIGNED_IN, self.list_tokens, tag, query=TokensQuery, answers={200: "Tokens"},
                     problems=(403,)),
            Endpoint("DELETE", "/tokens/{id}", "revoke_token", "End an API token now", SIGNED_IN,
                     self.revoke_token, tag, answers={204: ""}, problems=(403, 404)),
        )  # fmt: skip

    def list_invitations(self, call: Call, asked: Asked) -> Answer:
        found = Managing(self._site, call).invitations()
        return Answer.of(
            {
                "invitations": [
                    {
                        "user": who.id,
                        "name": who.name,
                        "address": who.address,
                        "expires_at": ticket.expires_at,
                    }
                    for ticket, who in found
                ]
            }
        )

    def invite(self, call: Call, asked: Asked) -> Answer:
        body, known = asked.body, call.model.grantable_uids
        unknown = [each for each in body["permission_sets"] if each not in known]
        if unknown:
            raise Invalid.of("people.no_set", Place(field="permission_sets"))
        uids = [known[each] for each in body["permission_sets"]]
        sent = Managing(self._site, call).invite(body["name"], body["address"], uids, body.get("language"))
        return _sent(sent)

    def invite_again(self, call: Call, asked: Asked) -> Answer:
        return _sent(Managing(self._site, call).invite_again(_user(asked)))

    def revoke_invitation(self, call: Call, asked: Asked) -> Answer:
        Managing(self._site, call).revoke_invitation(_user(asked))
        return Answer(204)

    def reset_password(self, call: Call, asked: Asked) -> Answer:
        return _sent(Managing(self._site, call).reset_password(_user(asked)))

    def reset_factor(self, call: Call, asked: Asked) -> Answer:
        Managing(self._site, call).reset_factor(_user(asked))
        return Answer(204)

    def unlock(self, call: Call, asked: Asked) -> Answer:
        Managing(self._site, call).unlock(_user(asked))
        return Answer(204)

    def list_sessions(self, call: Call, asked: Asked) -> Answer:
        user = Managing(self._site, call).find(_user(asked)).id
        found = self._site.sessions.of_user(call.tenant.location.id, user)
        return Answer.of({"sessions": [_session(each) for each in found]})

    def end_sessions(self, call: Call, asked: Asked) -> Answer:
        Managing(self._site, call).end_sessions(_user(asked))
        return Answer(204)

    def list_tokens(self, call: Call, asked: Asked) -> Answer:
        if asked.query["all"]:
            call.gate.require_right(RIGHT)
            found = self._site.tokens.list(call.tenant.location.id)
        else:
            _require_whole(call)
            found = self._site.tokens.list(call.tenant.location.id, call.principal.user_id)
        return Answer.of({"tokens": [_token(each) for each in found]})

    def revoke_token(self, call: Call, asked: Asked) -> Answer:
        id = uuid_in(asked.path["id"])
        if id is None:
            raise NotFound.of("token.not_found", token=asked.path["id"][:80])
        if call.gate.has(RIGHT):
            Managing(self._site, call).revoke_token(id)
        else:
            _require_whole(call)
            self._site.tokens.revoke(call.tenant.location.id, id, call.principal.user_id)
        return Answer(204)


def _require_whole(call: Call) -> None:
    """A token that was narrowed knows nothing of its person's other tokens."""
    if call.principal.token_scope is not None:
        raise Denied.of("people.narrowed")


def _user(asked: Asked) -> UUID:
    id = uuid_in(asked.path["id"])
    if id is None:
        place = Place(object="user", record=asked.path["id"][:80])
        raise NotFound.of("record.not_found", place, object="user")
    return id


def _sent(sent: Sent) -> Answer:
    said = {"user": sent.user_id, "link": sent.link or None, "by_mail": sent.by_mail}
    return Answer.of({**said, "expires_at": sent.expires_at}, 201)


def _session(entry: SessionEntry) -> dict[str, Any]:
    return {
        "id": entry.id, "agent": entry.agent, "remote": entry.remote, "created_at": entry.created_at,
        "seen_at": entry.seen_at,
    }  # fmt: skip


def _token(entry: TokenEntry) -> dict[str, Any]:
    return {
        "id": entry.id, "user": entry.user_id, "name": entry.name, "scope": entry.scope,
        "created_at": entry.created_at, "expires_at": entry.expires_at, "revoked_at": entry.revoked_at,
    }  # fmt: skip
