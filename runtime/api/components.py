"""JSON Schemas of the answers that are the same for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tabwright.runtime.api.record_schema import ID
from tabwright.runtime.exchange.correcting import KINDS
from tabwright.runtime.exchange.dates import ORDERS
from tabwright.runtime.exchange.runs import VERBS
from tabwright.runtime.exchange.settings import BLANKS, EXISTING, MISSING, MODES, WARNINGS
from tabwright.runtime.exchange.sources import DELIMITERS, ENCODINGS

Schema = Mapping[str, Any]


def _object(required: str = "", **properties: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": required.split()}


def _list(items: Any) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


_text: Schema = {"type": "string"}
_whole: Schema = {"type": "integer"}
_flag: Schema = {"type": "boolean"}
_moment: Schema = {"type": "string", "format": "date-time"}
_labels: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
_id: Schema = ID
_any: Schema = {}

_fault = _object(
    "code message",
    code=_text,
    message=_text,
    component=_text,
    object=_text,
    record=_text,
    field=_text,
    rule=_text,
    step=_text,
    row=_whole,
    pointer=_text,
    line=_whole,
    column=_whole,
    end=_whole,
    confirm={"type": "string", "description": "Of a warning: what lets it pass."},
)
_document = {
    "type": "object",
    "properties": {"kind": _text, "uid": _text, "name": _text},
    "additionalProperties": True,
}
_difference = _object(
    "action kind name uid",
    action={"enum": ["added", "removed", "changed"]},
    kind=_text,
    name=_text,
    uid=_text,
    properties=_list(_object("pointer", pointer=_text, old=_any, new=_any)),
)

_comment = _object(
    "id author parent body mentions created_at edited_at deleted",
    id=_id,
    author=_id,
    parent=_or_null(_id),
    body=_text,
    mentions=_list(_id),
    created_at=_moment,
    edited_at=_or_null(_moment),
    deleted=_flag,
)
_line_result = _object("id revision outcome", id=_id, revision=_whole, outcome=_text)
_import_key: Schema = {
    "oneOf": [_text, _list(_text), {"type": "null"}],
    "description": "A field that names one record, or the fields of a unique rule.",
}
_counts: Schema = {"type": "object", "additionalProperties": _whole}
_file = _object(
    "id name type size",
    id=_id,
    name=_text,
    type=_text,
    size=_whole,
    sha256=_text,
    width=_or_null(_whole),
    height=_or_null(_whole),
    has_preview=_flag,
    uploaded_by=_id,
    uploaded_at=_moment,
)
_import_row = _object(
    "row outcome cells file faults",
    row=_whole,
    outcome={"enum": ["created", "updated", "unchanged", "failed", "skipped"]},
    cells={**_list(_text), "description": "What would go in, in the order of the header."},
    file={**_list(_text), "description": "What the file says."},
    faults=_list(_fault),
)
_import_counts: Schema = {
    "type": "object",
    "properties": {
        "parents": {
            "type": "object",
            "additionalProperties": _counts,
            "description": "By object, what columns `lookup.field` of the rows made or changed.",
        }
    },
    "additionalProperties": _whole,
}

COMPONENTS: Mapping[str, Schema] = {
    "Problem": {
        **_object(
            "type title status detail code request_id faults",
            type=_text,
            title=_text,
            status=_whole,
            detail=_text,
            code=_text,
            request_id=_text,
            faults=_list(_fault),
            current=_any,
            confirm={**_list(_text), "description": "What lets all warnings among the faults pass."},
        ),
        "additionalProperties": False,
    },
    "Objects": _object(
        "objects",
        objects=_list(
            _object(
                "name label operations",
                name=_text,
                label=_labels,
                plural=_labels,
                icon=_text,
                operations=_list(_text),
            )
        ),
    ),
    "Description": _object(
        "name label fields operations json_schema",
        name=_text,
        label=_labels,
        plural=_labels,
        icon=_text,
        colour=_text,
        name_field={"type": ["string", "null"]},
        operations=_list(_text),
        json_schema={"type": "object"},
        record_types=_list(_object("name label", name=_text, label=_labels)),
        fields=_list(
            _object("name label type editable", name=_text, label=_labels, type=_text, editable=_flag)
        ),
        lines=_list(
            _object("name object field", name=_text, object=_text, field=_text, operations=_list(_text))
        ),
    ),
    "History": _object(
        "history next_cursor",
        next_cursor={"type": ["string", "null"]},
        history=_list(
            _object(
                "operation at cause revision action fields",
                operation=_id,
                at=_moment,
                by=_or_null(_id),
                by_kind=_text,
                cause=_text,
                release=_whole,
                revision=_whole,
                action=_text,
                fields=_list(_object("field old new", field=_text, old=_any, new=_any)),
            )
        ),
    ),
    "Comment": _comment,
    "Comments": _object(
        "comments next_cursor count",
        comments=_list(_comment),
        next_cursor={"type": ["string", "null"]},
        count=_whole,
    ),
    "Shared": _object(
        "operation",
        operation={**_or_null(_id), "description": "Of the journal, to undo it; null: all was so already."},
        grantee=_id,
    ),
    "Shares": _object(
        "shares",
        shares=_list(
            _object(
                "grantee with level role reason expires_at created_at created_by",
                grantee={**_id, "description": "Names these people when the share is taken back."},
                level=_text,
                role={"type": "string", "description": "In the record's team; blank: not in it."},
                reason=_text,
                expires_at=_or_null(_moment),
                created_at=_moment,
                created_by=_id,
                **{
                    "with": _object(
                        "kind id below name", kind=_text, id=_id, below=_flag, name=_or_null(_text)
                    )
                },
            )
        ),
    ),
    "Explanation": _object(
        "user user_name object record field operation allowed layers changes",
        user=_id,
        user_name=_text,
        object=_text,
        record=_or_null(_id),
        field=_or_null(_text),
        operation=_text,
        allowed=_flag,
        layers=_list(
            _object(
                "layer ok parts",
                layer=_text,
                ok={**_or_null(_flag), "description": "null: it has no say in this question."},
                parts=_list(
                    _object(
                        "code text ok gives until ids",
                        code=_text,
                        text=_text,
                        ok=_or_null(_flag),
                        gives={**_or_null(_text), "description": "The level that it gives."},
                        until=_or_null(_moment),
                        ids=_labels,
                    )
                ),
            )
        ),
        changes={
            **_list(
                _object(
                    "steps people records rights",
                    steps=_list(_object("kind text ids", kind=_text, text=_text, ids=_labels)),
                    people={**_whole, "description": "Whose access it widens."},
                    records={**_whole, "description": "Records that the user reaches besides."},
                    rights={**_whole, "description": "Rights on objects that the user gets besides."},
                )
            ),
            "description": "Of a no: what would open it, the smallest first; for who may explain.",
        },
    ),
    "Follow": _object("follows", follows=_flag),
    "Invitation": _object(
        "user link by_mail expires_at",
        user=_id,
        link={"type": ["string", "null"], "description": "Given this once; null where a mail takes it."},
        by_mail=_flag,
        expires_at=_moment,
    ),
    "Invitations": _object(
        "invitations",
        invitations=_list(
            _object("user name address expires_at", user=_id, name=_text, address=_text, expires_at=_moment)
        ),
    ),
    "Sessions": _object(
        "sessions",
        sessions=_list(
            _object(
                "id agent remote created_at seen_at",
                id=_text,
                agent=_text,
                remote=_text,
                created_at=_moment,
                seen_at=_moment,
            )
        ),
    ),
    "Tokens": _object(
        "tokens",
        tokens=_list(
            _object(
                "id user name scope created_at expires_at revoked_at",
                id=_id,
                user=_id,
                name=_text,
                scope={"type": ["object", "null"], "description": "Null: all that its user may."},
                created_at=_moment,
                expires_at=_moment,
                revoked_at=_or_null(_moment),
            )
        ),
    ),
    "BulkResult": _object(
        "results",
        operation=_or_null(_id),
        failed=_whole,
        results=_list(
            _object(
                "outcome",
                row=_whole,
                outcome=_text,
                id=_id,
                revision=_whole,
                faults=_list(_fault),
                warnings={**_list(_fault), "description": "Warnings that were let pass."},
                lines={"type": "object", "additionalProperties": _list(_line_result)},
            )
        ),
    ),
    "Effect": _object(
        "operation results",
        operation=_id,
        results=_list(_object("id revision action", id=_id, revision=_whole, action=_text)),
    ),
    "Groups": _object("groups", groups=_list({"type": "object"})),
    "Options": _object("options", options=_list(_object("id name", id=_id, name=_text))),
    "Hits": _object(
        "hits",
        hits=_list(
            _object(
                "object id name",
                object=_text,
                id=_id,
                name=_text,
                beside={
                    **_object("kind id text", kind={"enum": ["comment", "file"]}, id=_id, text=_text),
                    "description": "The comment, or attachment, that holds what was looked for.",
                },
            )
        ),
    ),
    "Document": _document,
    "OpenApi": {"type": "object"},
    "Draft": _object(
        "release revision changes clashes",
        release=_whole,
        revision=_whole,
        updated_at=_or_null(_moment),
        changes=_list(_difference),
        clashes=_list(_object("kind name properties", kind=_text, name=_text, properties=_list(_text))),
    ),
    "Plan": _object(
        "release publishable waits changes operations consequences rights steps faults clashes",
        release=_whole,
        publishable=_flag,
        waits=_flag,
        changes=_list(_difference),
        clashes=_list({"type": "object"}),
        faults=_list(_fault),
        operations=_list(_object("code name message", code=_text, name=_text, message=_text)),
        consequences=_list(
            _object(
                "weight code message count",
                weight=_text,
                code=_text,
                message=_text,
                count=_whole,
                accepts=_object("field input", field=_text, input=_text),
            )  # fmt: skip
        ),
        rights=_list(_object("object right gain lose", object=_text, right=_text, gain=_whole, lose=_whole)),
        steps=_list(_object("kind object name when rows seconds", kind=_text, rows=_whole, seconds=_whole)),
    ),
    "Published": _object("release", release=_whole, waiting=_or_null(_id), jobs=_list(_id)),
    "Releases": _object(
        "releases current",
        current=_whole,
        releases=_list(
            _object(
                "number at note",
                number=_whole,
                at=_moment,
                note=_text,
                author=_or_null(_id),
                base={"type": ["integer", "null"]},
                building={"type": "object"},
            )
        ),
    ),
    "Differences": _object(
        "from to changes", **{"from": _whole, "to": _whole, "changes": _list(_difference)}
    ),
    "Job": _object(
        "id kind state",
        id=_id,
        kind=_text,
        state={"enum": ["waiting", "running", "done", "failed", "cancelled"]},
        done={"type": ["integer", "null"]},
        total={"type": ["integer", "null"]},
        note={"type": ["string", "null"]},
        result=_any,
        error=_any,
        created_at=_moment,
        started_at=_or_null(_moment),
        finished_at=_or_null(_moment),
    ),
    "Import": _object(
        "id object filename size has_file state verbs format header sample settings counts faults",
        id=_id,
        object=_text,
        filename=_text,
        size=_whole,
        has_file=_flag,
        created_by=_or_null(_id),
        state={"enum": sorted(VERBS)},
        verbs=_list(_text),
        format={"type": "object"},
        header=_list(_text),
        sample=_list(_list(_text)),
        rows=_or_null(_whole),
        settings=_object(
            "mode key columns parents",
            mode=_text,
            key=_import_key,
            columns={"type": "object"},
            parents={"type": "object"},
            before=_or_null(_object("filename at own", filename=_text, at=_moment, own=_flag)),
            warnings={"enum": list(WARNINGS)},
        ),
        counts=_import_counts,
        checked=_or_null(
            _object(
                "counts issues",
                counts=_import_counts,
                seconds={"type": "number"},
                since={"type": "integer", "description": "Rows that were put right since the check."},
                issues=_list(
                    _object(
                        "column field value count row code message suggestion",
                        column=_text,
                        field=_text,
                        value=_text,
                        count=_whole,
                        row=_whole,
                        code=_text,
                        message=_text,
                        suggestion=_or_null(_text),
                    )
                ),
            )
        ),
        job=_or_null(_id),
        faults=_list(_fault),
        created_at=_moment,
    ),
    "File": _file,
    "FileUpload": _object(
        "file",
        file={"type": "string", "format": "binary"},
        object={"type": "string", "description": "With `field`: refuse now what that field would refuse."},
        field=_text,
    ),
    "Attachments": _object("attachments", attachments=_list(_file)),
    "ImportFile": _object("object file", object=_text, file={"type": "string", "format": "binary"}),
    "ImportPatch": {
        **_object(
            format={
                **_object(
                    encoding={"enum": list(ENCODINGS)},
                    delimiter={"enum": list(DELIMITERS)},
                    header=_flag,
                    sheet=_text,
                ),
                "additionalProperties": False,
            },
            mode={"enum": list(MODES)},
            key=_import_key,
            columns={
                "type": "object",
                "description": "By name of the file's column; null leaves a column out.",
                "additionalProperties": {
                    **_object(
                        field={
                            "type": "string",
                            "description": "A field, or `lookup.field`, of the record that a lookup names.",
                        },
                        match=_or_null(_text),
                        values={
                            "type": ["object", "null"],
                            "additionalProperties": _or_null(_text),
                            "description": "Texts of the file and what they become, before anything else.",
                        },
                        missing={"enum": list(MISSING), "description": "What an unknown lookup becomes."},
                        blank={
                            "enum": list(BLANKS),
                            "description": "Whether a blank cell empties the field.",
                        },
                        dates={"enum": list(ORDERS), "description": "The order of days with the year last."},
                        skip={
                            "type": ["array", "null"],
                            "items": _text,
                            "description": "Texts whose rows are left out.",
                        },
                        make={
                            "type": ["array", "null"],
                            "items": _text,
                            "description": "Texts that become records, of a lookup.",
                        },
                    ),
                    "type": ["object", "null"],
                },
            },
            parents={
                "type": "object",
                "description": "By lookup: how the records are found that columns `lookup.field` fill.",
                "additionalProperties": {
                    **_object(
                        key=_import_key,
                        existing={
                            "enum": list(EXISTING),
                            "description": "What becomes of a record that is there already.",
                        },
                    ),
                    "type": ["object", "null"],
                    "additionalProperties": False,
                },
            },
            warnings={
                "enum": list(WARNINGS),
                "description": "Whether rows that a rule warns of stay out, or go in and are listed.",
            },
        ),
        "additionalProperties": False,
    },
    "ImportRows": _object(
        "kind rows counts next_cursor",
        kind={"enum": list(KINDS)},
        rows=_list(_import_row),
        counts=_counts,
        next_cursor={"type": ["string", "null"]},
    ),
    "ImportCorrected": {
        **_object(
            "import rows", **{"import": {"$ref": "#/components/schemas/Import"}}, rows=_list(_import_row)
        ),
        "description": "The rows as they are now; a check of all of them where its state is `checking`.",
    },
    "ImportProblems": _object(
        "phase problems",
        phase=_text,
        problems=_list(_object("row cells faults", row=_whole, cells=_list(_text), faults=_list(_fault))),
    ),
}
