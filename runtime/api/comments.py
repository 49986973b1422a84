"""Comments of a record, and following it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Malformed, NotFound, Place
from tabwright.runtime.api.answers import Answer
from tabwright.runtime.api.endpoints import SIGNED_IN, Asked, Endpoint, uuid_in
from tabwright.runtime.api.shapes import CommentBody, CommentsQuery, NewCommentBody
from tabwright.runtime.comments.reading import Comment, Reading, summary
from tabwright.runtime.comments.service import Comments
from tabwright.runtime.desk import Call

_ONE = "/objects/{object}/records/{id}"


class CommentApi:
    """The endpoints of comments."""

    def endpoints(self) -> tuple[Endpoint, ...]:
        many, one, tag = _ONE + "/comments", _ONE + "/comments/{comment}", "comments"
        return (
            Endpoint("GET", many, "list_comments", "The comments of a record, newest first", SIGNED_IN,
                     self.list_comments, tag, query=CommentsQuery, answers={200: "Comments"},
                     problems=(403, 404)),
            Endpoint("POST", many, "create_comment", "Write a comment, or answer one", SIGNED_IN,
                     self.create_comment, tag, body=NewCommentBody, answers={201: "Comment"},
                     problems=(403, 404, 415, 422)),
            Endpoint("GET", one, "get_comment", "One comment", SIGNED_IN, self.get_comment, tag,
                     answers={200: "Comment"}, problems=(403, 404)),
            Endpoint("PATCH", one, "edit_comment", "Change the text of your own comment", SIGNED_IN,
                     self.edit_comment, tag, body=CommentBody, answers={200: "Comment"},
                     problems=(403, 404, 415, 422)),
            Endpoint("DELETE", one, "delete_comment", "Delete a comment; answers to it stay", SIGNED_IN,
                     self.delete_comment, tag, answers={204: ""}, problems=(403, 404)),
            Endpoint("GET", _ONE + "/follow", "get_follow", "Whether you hear of a record's comments",
                     SIGNED_IN, self.get_follow, tag, answers={200: "Follow"}, problems=(403, 404)),
            Endpoint("PUT", _ONE + "/follow", "follow", "Hear of a record's comments", SIGNED_IN,
                     self.follow, tag, answers={200: "Follow"}, problems=(403, 404)),
            Endpoint("DELETE", _ONE + "/follow", "unfollow", "Hear only of comments that mention you",
                     SIGNED_IN, self.unfollow, tag, answers={200: "Follow"}, problems=(403, 404)),
        )  # fmt: skip

    def list_comments(self, call: Call, asked: Asked) -> Answer:
        object, record = _record(call, asked)
        with call.tenant.store.read() as reader:
            about = summary(call, object, record, reader)
            reading = Reading(call, reader, object, record)
            found, cursor = reading.page(asked.query["limit"], asked.query.get("cursor"))
        return Answer.of(
            {"comments": [_shown(each) for each in found], "next_cursor": cursor, "count": about.count}
        )

    def get_comment(self, call: Call, asked: Asked) -> Answer:
        object, record = _record(call, asked)
        with call.tenant.store.read() as reader:
            summary(call, object, record, reader)
            return Answer.of(_shown(Reading(call, reader, object, record).one(_comment_id(asked, object))))

    def create_comment(self, call: Call, asked: Asked) -> Answer:
        object, record = _record(call, asked)
        given = asked.body.get("parent")
        parent = None if given is None else uuid_in(given)
        if given is not None and parent is None:
            raise Malformed.of(
                "api.parameter_wrong", Place(pointer="/parent"), name="parent", reason="Not an id."
            )
        with call.tenant.store.write() as writer:
            made = Comments(call).add_in(writer, object.name, record, asked.body["body"], parent)
            at = f"{asked.base}/objects/{object.name}/records/{record.hex}/comments/{made.id.hex}"
            answer = Answer(201, Answer.of(_shown(made)).body, {"Location": at})
            asked.keep(writer, answer)
        return answer

    def edit_comment(self, call: Call, asked: Asked) -> Answer:
        object, record = _record(call, asked)
        id = _comment_id(asked, object)
        return Answer.of(_shown(Comments(call).edit(object.name, record, id, asked.body["body"])))

    def delete_comment(self, call: Call, asked: Asked) -> Answer:
        object, record = _record(call, asked)
        Comments(call).delete(object.name, record, _comment_id(asked, object))
        return Answer(204)

    def get_follow(self, call: Call, asked: Asked) -> Answer:
        object, record = _record(call, asked)
        return Answer.of({"follows": summary(call, object, record).follows(call.principal.user_id)})

    def follow(self, call: Call, asked: Asked) -> Answer:
        return self._follow(call, asked, True)

    def unfollow(self, call: Call, asked: Asked) -> Answer:
        return self._follow(call, asked, False)

    def _follow(self, call: Call, asked: Asked, follows: bool) -> Answer:
        object, record = _record(call, asked)
        Comments(call).follow(object.name, record, follows)
        return Answer.of({"follows": follows})


def _record(call: Call, asked: Asked) -> tuple[ObjectDef, UUID]:
    object = call.gate.object(asked.path["object"])
    call.gate.require(object, "read")
    id = uuid_in(asked.path["id"])
    if id is None:
        place = Place(object=object.name, record=asked.path["id"][:80])
        raise NotFound.of("record.not_found", place, object=object.name)
    return object, id


def _comment_id(asked: Asked, object: ObjectDef) -> UUID:
    id = uuid_in(asked.path["comment"])
    if id is None:
        raise NotFound.of("comment.not_found", Place(object=object.name, record=asked.path["id"][:80]))
    return id


def _shown(comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "author": comment.author_id,
        "parent": comment.parent_id,
        "body": comment.body,
        "mentions": list(comment.mentions),
        "created_at": comment.created_at,
        "edited_at": comment.edited_at,
        "deleted": comment.deleted_at is not None,
    }
