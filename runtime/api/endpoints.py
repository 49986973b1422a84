"""What an endpoint is: a row of data from which routing, checks and the OpenAPI document are made.

Deny by default: an endpoint names the system right that it needs, or says ``SIGNED_IN`` where the access gate
decides by object. There is no way to add one without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal
from uuid import UUID

import marshmallow as ma

from tabwright.platform.database import Writer
from tabwright.runtime.api.answers import Answer
from tabwright.runtime.desk import Call

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Schema = Mapping[str, Any]

SIGNED_IN = ""
_PATH: Mapping[str, Schema] = {
    "id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "file": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "comment": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "grantee": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "n": {"type": "integer", "minimum": 1},
    "a": {"type": "integer", "minimum": 1},
    "b": {"type": "integer", "minimum": 1},
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, read and checked as far as its fixed shape goes."""

    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any  # decoded JSON, Decimals exact; an Upload where the endpoint takes one; None without a body
    if_match: str | None
    if_none_match: str | None
    base: str  # "/api/v1"
    keep: Callable[[Writer, Answer], None]  # stores the answer for an Idempotency-Key, with the effect


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent, with the other fields of its form. ``content`` can be read from anywhere."""

    filename: str
    content: BinaryIO
    fields: Mapping[str, str]


Handler = Callable[[Call, Asked], Answer]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path.

    ``path`` is relative to /api/v1, with ``{names}``. ``answers`` gives the component schema of each success,
    ``problems`` the statuses of problem documents besides those that any request may get.
    """

    method: Method
    path: str
    name: str  # operationId
    summary: str
    right: str
    handler: Handler
    tag: str
    query: type[ma.Schema] | None = None
    body: type[ma.Schema] | None = None  # fixed shapes; None with ``takes_json`` for free ones
    takes_json: bool = False
    body_optional: bool = False
    answers: Mapping[int, str] = field(
        default_factory=dict
    )  # status -> name of a component schema, "" for none
    problems: tuple[int, ...] = ()
    body_schema: str = ""  # name of a component schema of the body, where ``body`` is None
    replays: bool = True  # a POST answers again for the same Idempotency-Key
    uploads: str = ""  # multipart/form-data with a part "file": name of a component schema of its fields
    text: str = ""  # media type of an answer that is no JSON

    @property
    def path_schemas(self) -> Mapping[str, Schema]:
        """The names in the path, other than the object's, with the JSON Schema of each."""
        names = [name for name in re.findall(r"\{(\w+)\}", self.path) if name != "object"]
        return {name: _PATH.get(name, {"type": "string"}) for name in names}


def uuid_in(text: str) -> UUID | None:
    """The id in a path: 32 hex digits, hyphens allowed. None for anything else."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if text.replace("-", "").lower() == found.hex else None
