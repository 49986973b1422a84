"""Puts the API into the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from tabwright.platform.errors import NotFound, Place
from tabwright.runtime.api.answers import Answer
from tabwright.runtime.api.comments import CommentApi
from tabwright.runtime.api.corrections import CorrectionApi
from tabwright.runtime.api.endpoints import SIGNED_IN, Asked, Endpoint, uuid_in
from tabwright.runtime.api.files import FileApi
from tabwright.runtime.api.imports import ImportApi
from tabwright.runtime.api.metadata import MetadataApi
from tabwright.runtime.api.openapi import document
from tabwright.runtime.api.people import PeopleApi
from tabwright.runtime.api.reasons import ReasonApi
from tabwright.runtime.api.records import RecordApi
from tabwright.runtime.api.routing import Api
from tabwright.runtime.api.shares import ShareApi
from tabwright.runtime.desk import Call
from tabwright.runtime.storage.columns import encode

if TYPE_CHECKING:
    from tabwright.runtime.api.callers import Site

VERSION = "1"


def register(app: Flask, site: Site) -> Api:
    """Open the endpoints. Rooms that have more add them to the ``Api`` that this returns."""
    api = Api(app, site)
    api.add(RecordApi(site.settings.limits).endpoints())
    api.add(CommentApi().endpoints())
    api.add(ShareApi().endpoints())
    api.add(ReasonApi().endpoints())
    api.add(MetadataApi(site).endpoints())
    api.add(ImportApi(site.settings.limits).endpoints())
    api.add(CorrectionApi(site.settings.limits).endpoints())
    api.add(FileApi().endpoints())
    api.add(PeopleApi(site).endpoints())

    def openapi(call: Call, asked: Asked) -> Answer:
        who = call.principal
        grants = (who.kind, who.permission_sets, who.token_scope)
        key = ("openapi", call.model.digest, call.model.release, grants)
        made = call.tenant.pieces.get(
            key, lambda: encode(document(call.gate, api.endpoints.values(), VERSION)), 200_000
        )
        return Answer(200, made)

    def job(call: Call, asked: Asked) -> Answer:
        id = uuid_in(asked.path["id"])
        missing = NotFound.of("job.not_found", Place(), job=asked.path["id"][:80])
        if id is None:
            raise missing
        with call.tenant.store.read() as reader:
            found = site.jobs.get(reader, id)
        if found.created_by != call.principal.user_id and not call.gate.has("customise"):
            raise missing
        return Answer.of(
            {
                "id": found.id,
                "kind": found.kind,
                "state": found.state,
                "done": found.progress_done,
                "total": found.progress_total,
                "note": found.note,
                "result": found.result,
                "error": found.error,
                "created_at": found.created_at,
                "started_at": found.started_at,
                "finished_at": found.finished_at,
            }
        )

    api.add(
        (
            Endpoint("GET", "/openapi.json", "openapi", "This document", SIGNED_IN, openapi, "about",
                     answers={200: "OpenApi"}),
            Endpoint("GET", "/jobs/{id}", "get_job", "How far a job is", SIGNED_IN, job, "jobs",
                     answers={200: "Job"}, problems=(404,)),
        )
    )  # fmt: skip
    return api
