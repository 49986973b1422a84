"""Endpoints on Flask: reading a request, running its endpoint once, writing the answer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
from flask import Flask, Response, after_this_request, request
from werkzeug.exceptions import UnsupportedMediaType

from tabwright.platform.database import Writer
from tabwright.platform.errors import Malformed, Place, TabwrightError
from tabwright.platform.language import register_messages
from tabwright.platform.web import PROBLEM, policy, problem
from tabwright.runtime.api import idempotency
from tabwright.runtime.api.answers import Answer
from tabwright.runtime.api.callers import Site, caller
from tabwright.runtime.api.endpoints import Asked, Endpoint, Upload
from tabwright.runtime.api.reading import body_of, json_body, query_of
from tabwright.runtime.api.records import StaleRecord
from tabwright.runtime.desk import Call
from tabwright.runtime.records.moving import under_the_release_in_force

register_messages(Path(__file__).with_name("messages.json"))

BASE = "/api/v1"


class Api:
    """The endpoints of a site's API. Rooms above add theirs with ``add``, before the first request."""

    def __init__(self, app: Flask, site: Site) -> None:
        self._app = app
        self._site = site
        self.endpoints: dict[str, Endpoint] = {}

    def add(self, endpoints: Iterable[Endpoint]) -> None:
        """Open more endpoints. ValueError for an operation id that is taken."""
        for each in endpoints:
            if each.name in self.endpoints:
                raise ValueError(each.name)
            self.endpoints[each.name] = each
            self._app.add_url_rule(
                BASE + re.sub(r"\{(\w+)\}", r"<\1>", each.path),
                f"api:{each.name}",
                self._view(each),
                methods=[each.method],
                provide_automatic_options=False,
            )

    def _view(self, endpoint: Endpoint) -> Any:
        @policy("session or token", upload=bool(endpoint.uploads))
        def view(**path: str) -> Response:
            call = caller(self._site)

            @after_this_request
            def tell(response: Response) -> Response:
                response.headers.setdefault("X-Tabwright-Release", str(call.model.release))
                return response

            if endpoint.right:
                call.gate.require_right(endpoint.right)
            try:
                return _response(self._run(call, endpoint, path))
            except StaleRecord as stale:
                return _response(_refusal(call, stale))

        return view

    def _run(self, call: Call, endpoint: Endpoint, path: dict[str, str]) -> Answer:
        query = query_of(endpoint.query, request.args.items(multi=True))
        if endpoint.uploads:
            body, data = _upload()
        else:
            data = request.get_data(cache=False)
            body = self._body(endpoint, data)
        headers = request.headers
        given = Asked(path, query, body, headers.get("If-Match"), headers.get("If-None-Match"), BASE, _forget)
        key = headers.get(idempotency.HEADER)
        if endpoint.method != "POST" or key is None or not endpoint.replays:
            return _handled(call, endpoint, given)
        return _once(call, endpoint, given, key, idempotency.digest_of("POST", request.full_path, data))

    def _body(self, endpoint: Endpoint, data: bytes) -> Any:
        if not endpoint.takes_json and endpoint.body is None:
            if data:
                raise Malformed.of("api.no_body")
            return None
        if not data and endpoint.body_optional:
            return None if endpoint.body is None else body_of(endpoint.body, {})
        if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
            raise UnsupportedMediaType
        body = json_body(data)
        return body if endpoint.body is None else body_of(endpoint.body, body)


def _upload() -> tuple[Upload, bytes]:
    """The file of a multipart request and its other fields; and what tells the request from another."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType
    files = request.files.getlist("file")
    if len(files) != 1 or len(request.files) != 1:
        raise Malformed.of("api.no_file", Place(field="file"))
    fields: dict[str, str] = {}
    for given, text in request.form.items(multi=True):
        name = given or ""  # a part without a name has None here
        if name in fields:
            raise Malformed.of("api.parameter_twice", Place(field=name[:80]), name=name[:80])
        fields[name] = text
    content = cast(BinaryIO, files[0].stream)
    mark = hashlib.sha256(repr(sorted(fields.items())).encode("utf-8", "replace"))
    while piece := content.read(1 << 20):
        mark.update(piece)
    content.seek(0)
    return Upload(files[0].filename or "", content, fields), mark.digest()


def _forget(writer: Writer, answer: Answer) -> None:
    """Without an Idempotency-Key there is nothing to keep."""


def _handled(call: Call, endpoint: Endpoint, given: Asked) -> Answer:
    """The endpoint's answer, under a newer release where one came while it wrote."""

    def under(now: Call) -> Answer:
        answer = endpoint.handler(now, given)
        release = {} if now is call else {"X-Tabwright-Release": str(now.model.release)}
        return replace(answer, headers={**answer.headers, **release}) if release else answer

    return under_the_release_in_force(call, under)


def _once(call: Call, endpoint: Endpoint, given: Asked, key: str, digest: str) -> Answer:
    claim = idempotency.claim(call, key, digest)
    if isinstance(claim, Answer):
        return claim

    def keep(writer: Writer, answer: Answer) -> None:
        idempotency.keep(writer, call, claim, answer)

    try:
        answer = _handled(call, endpoint, replace(given, keep=keep))
    except TabwrightError as error:
        idempotency.answered(call, claim, _refusal(call, error))
        raise
    # After any other error nothing is known of the effect: the claim stands, the journal decides at a retry.
    idempotency.answered(call, claim, answer)
    return answer


def _refusal(call: Call, error: TabwrightError) -> Answer:
    more = error.more if isinstance(error, StaleRecord) else {}
    document = problem(error, call.language, call.request_id, **more)
    return Answer(error.status, msgspec.json.encode(document), type=PROBLEM)


def _response(answer: Answer) -> Response:
    headers = dict(answer.headers)
    if "ETag" in headers:  # may be kept, and is asked for again each time
        headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie", **headers}
    kind = headers.pop("Content-Type", answer.type)
    response = Response(answer.body, answer.status, headers, content_type=kind)
    if answer.body is None:
        del response.headers["Content-Type"]
    return response
