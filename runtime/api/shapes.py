"""The fixed shapes of the API as marshmallow schemas: what is checked is what OpenAPI says."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields, validate

from tabwright.runtime.access.share_rows import KINDS
from tabwright.runtime.access.sharing import MOST, MOST_TEXT
from tabwright.runtime.access.tables import LEVELS
from tabwright.runtime.api.reading import Flag, Names, Order_
from tabwright.runtime.query.aggregate import MAX_GROUPS, MAX_MEASURES, MAX_ROWS

_FORMULA = validate.Length(max=8000)
_NAME = validate.Length(min=1, max=200)


def _about(text: str) -> dict[str, str]:
    return {"description": text}


class ListQuery(ma.Schema):
    where = fields.String(validate=_FORMULA, metadata=_about("A formula that must be true of each record."))
    order = Order_(metadata=_about("Fields with commas between them, `:desc` for descending."))
    fields_ = Names(data_key="fields", metadata=_about("Fields, over lookups too: `name,account.name`."))
    limit = fields.Integer(
        validate=validate.Range(min=1, max=10_000),
        metadata=_about("Records of a page; 50 when it is not given, or as many as the operator allows."),
    )
    cursor = fields.String(
        validate=validate.Length(max=4000), metadata=_about("`next_cursor` of the last page.")
    )
    count = Flag(load_default=False, metadata=_about("Also count, up to a limit."))
    as_of = fields.String(
        validate=validate.Length(max=40),
        metadata=_about("Refused: only one record can be read as of a moment."),
    )


class RecordQuery(ma.Schema):
    unmask = Names(
        metadata=_about("Masked fields to show whole; takes the right `unmask` and stands in the journal.")
    )
    fields_ = Names(data_key="fields", metadata=_about("Fields, over lookups too: `name,account.name`."))
    as_of = fields.String(
        validate=validate.Length(max=40),
        metadata=_about(
            "A moment (ISO 8601) or a date (its end): the record as it stood then, own fields only, "
            "under your rights of today."
        ),
    )


class WriteQuery(ma.Schema):
    confirm = fields.String(
        load_default="",
        validate=validate.Length(max=8000),
        metadata=_about(
            "Warnings to let pass: their tokens, with commas between them. A 409 whose faults have the code "
            "`record.warning` gives them in `confirm`; each stands for that warning about these very values."
        ),
    )


class HistoryQuery(ma.Schema):
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(
        validate=validate.Length(max=4000), metadata=_about("`next_cursor` of the last page.")
    )


class SearchQuery(ma.Schema):
    q = fields.String(
        required=True, validate=validate.Length(min=1, max=200), metadata=_about("What to look for.")
    )
    objects = Names(metadata=_about("Only in these objects."))
    limit = fields.Integer(load_default=20, validate=validate.Range(min=1, max=50))


class OptionsQuery(ma.Schema):
    q = fields.String(load_default="", validate=validate.Length(max=200), metadata=_about("Part of a name."))
    limit = fields.Integer(load_default=20, validate=validate.Range(min=1, max=50))
    for_ = fields.String(
        data_key="for",
        validate=validate.Length(max=200),
        metadata=_about(
            "The lookup to fill, as `object.field`: only what its filter lets through is offered."
        ),
    )


class BulkBody(ma.Schema):
    action = fields.String(required=True, validate=validate.OneOf(("create", "update", "upsert", "delete")))
    records = fields.List(
        fields.Raw(metadata={"type": "object"}),
        required=True,
        metadata=_about(
            "Values by field; `id` names the record of an update or delete, `revision` guards it."
        ),
    )
    key = fields.String(validate=_NAME, metadata=_about("Upsert: the unique or external key field."))
    all_or_nothing = fields.Boolean(
        load_default=True, truthy={True}, falsy={False}, metadata=_about("false: each record by itself.")
    )
    confirm = fields.List(
        fields.String(validate=validate.Length(max=64)),
        load_default=(),
        validate=validate.Length(max=20_000),
        metadata=_about("Tokens of warnings to let pass, as the `confirm` of a refusal gave them."),
    )


class GroupShape(ma.Schema):
    field = fields.String(required=True, validate=_NAME)
    part = fields.String(
        validate=validate.OneOf(("year", "quarter", "month", "week", "day")),
        metadata=_about("Part of a date."),
    )
    name = fields.String(validate=_NAME, metadata=_about("Key in the answer and name in `having`."))


class MeasureShape(ma.Schema):
    function = fields.String(
        required=True, validate=validate.OneOf(("count", "sum", "avg", "min", "max", "count_distinct"))
    )
    field = fields.String(validate=_NAME)
    name = fields.String(validate=_NAME, metadata=_about("Key in the answer and name in `having`."))


class AggregateBody(ma.Schema):
    group = fields.List(fields.Nested(GroupShape), validate=validate.Length(max=MAX_GROUPS))
    measures = fields.List(fields.Nested(MeasureShape), validate=validate.Length(min=1, max=MAX_MEASURES))
    where = fields.String(validate=_FORMULA, metadata=_about("A formula that must be true of each record."))
    having = fields.String(
        validate=_FORMULA, metadata=_about("A formula over the names of groups and measures.")
    )
    order = Order_(metadata={"type": "array", "description": '`[["total", "desc"], "stage"]`'})
    limit = fields.Integer(strict=True, load_default=200, validate=validate.Range(min=1, max=MAX_ROWS))


class PublishBody(ma.Schema):
    note = fields.String(load_default="", validate=validate.Length(max=2000), metadata=_about("Why."))
    expected_release = fields.Integer(
        strict=True, metadata=_about("Refuse when another release is in force by now.")
    )


class ReleasesQuery(ma.Schema):
    before = fields.Integer(
        validate=validate.Range(min=1, max=999_999_999), metadata=_about("Only older ones than this.")
    )
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))


class DraftBody(ma.Schema):
    put = fields.List(
        fields.Raw(metadata={"type": "object"}),
        load_default=list,
        validate=validate.Length(max=5000),
        metadata=_about("Components, each a document with `kind` and `name`."),
    )
    delete = fields.List(
        fields.Raw(metadata={"type": "object"}),
        load_default=list,
        validate=validate.Length(max=5000),
        metadata=_about("Components to delete: `{kind, name}`."),
    )
    rename = fields.List(
        fields.Raw(metadata={"type": "object"}),
        load_default=list,
        validate=validate.Length(max=5000),
        metadata=_about("Components to give another name: `{kind, name, to}`; what names them follows."),
    )


class CommentsQuery(ma.Schema):
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))
    cursor = fields.String(
        validate=validate.Length(max=4000), metadata=_about("`next_cursor` of the last page.")
    )


class CommentBody(ma.Schema):
    body = fields.String(
        required=True,
        metadata=_about("Plain text; `<@` with the id of a user and `>` mentions somebody."),
    )


class NewCommentBody(CommentBody):
    parent = fields.String(
        validate=validate.Regexp(r"^[0-9a-f]{32}\Z"),
        metadata={"pattern": "^[0-9a-f]{32}$", "description": "The id of the comment that this one answers."},
    )


_ID = validate.Regexp(r"^[0-9a-f]{32}\Z")
_ID_ABOUT = {"pattern": "^[0-9a-f]{32}$"}


class WhomShape(ma.Schema):
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    id = fields.String(required=True, validate=_ID, metadata=_ID_ABOUT)
    below = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata=_about("Of a position or department: all below it as well."),
    )


class ShareBody(ma.Schema):
    with_ = fields.Nested(WhomShape, data_key="with", required=True)
    level = fields.String(required=True, validate=validate.OneOf(tuple(LEVELS)))
    role = fields.String(
        load_default="",
        validate=validate.Length(max=MOST_TEXT),
        metadata=_about("In the record's team; blank: shared, and no member of the team."),
    )
    reason = fields.String(load_default="", validate=validate.Length(max=MOST_TEXT))
    expires_at = fields.AwareDateTime(
        format="iso",
        allow_none=True,
        metadata={
            "description": "When it ends; null: never. Left out: after the days that the operator says.",
            "format": "date-time",
        },
    )


class SharesBody(ShareBody):
    records = fields.List(
        fields.String(validate=_ID, metadata=_ID_ABOUT),
        required=True,
        validate=validate.Length(min=1, max=MOST),
    )


class TakeBackBody(ma.Schema):
    grantee = fields.String(
        required=True, validate=_ID, metadata={**_ID_ABOUT, "description": "`grantee` of a share."}
    )
    records = fields.List(
        fields.String(validate=_ID, metadata=_ID_ABOUT),
        required=True,
        validate=validate.Length(min=1, max=MOST),
    )


class InvitationBody(ma.Schema):
    name = fields.String(required=True, validate=_NAME)
    address = fields.String(required=True, validate=validate.Length(min=1, max=254))
    permission_sets = fields.List(
        fields.String(validate=_NAME),
        load_default=list,
        validate=validate.Length(max=100),
        metadata=_about("Names of permission sets and groups; none that gives more than you hold."),
    )
    language = fields.String(validate=validate.OneOf(("zh", "en")))


class TokensQuery(ma.Schema):
    all = Flag(load_default=False, metadata=_about("Of everybody; takes the right `manage_users`."))
