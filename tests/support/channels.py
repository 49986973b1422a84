"""Every route of the product as a request that can be sent: where identifiers stand in it, what its body is.

Paths are filled from ``ARGUMENTS``, bodies from ``SAMPLES``; ``{record}`` stands for an identifier of that
kind (``halves.Half.ids``). A route whose path names something that no row knows fails the tests that use
this: add a row. A route that takes identifiers in its body or query deserves a sample.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import msgspec
from flask import Flask
from werkzeug.routing import Rule

from apisite import Person
from pagesite import HTML, Visitor

READS = ("GET",)
API = "/api/v1"

# (rule, argument, what stands there): the first that fits. A new route with a new kind of thing gets a row.
ARGUMENTS: tuple[tuple[str, str, str], ...] = (
    (r"^/exports/", "id", "{export}"),
    (r"^/imports/|^/api/v1/imports/|^/studio/imports/|^/studio/objects/new/file/", "id", "{import}"),
    (r"^/bulk/", "id", "{bulk}"),
    (r"^/files/", "id", "{photo}"),
    (r"^/api/v1/files/", "id", "{pending}"),
    (r"^/notices/", "id", "{notice}"),
    (r"/views/<uuid:id>", "id", "{view}"),
    (r"^/(account|people|api/v1)/tokens/", "id", "{token}"),
    (r"/shares/<grantee>", "grantee", "{user}"),
    (r"/access/<any", "who", ""),
    (r"^/people/<|^/api/v1/people/<", "id", "{user}"),
    (r"^/people/<", "what", "sign-out"),
    (r"^/rights/emergency/", "id", "{assignment}"),
    (r"^/studio/packages/offers/", "id", "{offer}"),
    (r"^/studio/replace-job/", "id", "{replace_job}"),
    (r"^/studio/samples-job/", "id", "{samples_job}"),
    (r"^/api/v1/jobs/", "id", "{job}"),
    (r"^/undo/", "operation", "{operation}"),
    (r"/restore$", "id", "{gone}"),
    (r"/comments/<", "comment", "{comment}"),
    (r"/attachments/<file>", "file", "{file}"),
    (r"^/o/<object>/<uuid:id>|^/palette/preview/|/objects/<object>/records/<id>", "id", "{record}"),
    (r"/releases/", "(a|b|n|number)", "{release}"),
    # Names are the same in both tenants: what they mean is decided by the tenant of the session.
    (r"^/o/<object>/<uuid:id>/links/", "link", "link.deal"),
    (r"^/studio/(layouts|assign)/", "name", "deal.main"),
    (r"^/studio/(views|view-order)/", "name", "deal.all"),
    (r"^/studio/(types)/", "name", "deal.main"),
    (r"^/studio/packages/", "name", "crm"),
    (r"^/studio/c/|^/studio/replace/|/metadata/draft/<kind>/<name>", "kind", "field"),
    (r"^/studio/c/|^/studio/replace/|/metadata/draft/<kind>/<name>", "name", "deal.stage"),
    (r"", "kind", "picklist"),
    (r"", "object", "deal"),
    (r"", "field", "account"),
    (r"^/static/", "name", "tokens.css"),
    (r"", "name", "deal"),
    (r"", "verb", ""),  # the first of those that the rule lists
    (r"", "size", ""),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One request of a route. ``path``: what its arguments are, where the table's are not meant."""

    route: str  # "POST /o/<object>/new"
    form: Mapping[str, Any] | None = None
    json: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    free: bool = (
        False  # takes an identifier that need not exist: what it names is looked for later, or by rule
    )
    everybody: bool = False  # a write that needs no right on the object: a person's own things

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    @property
    def rule(self) -> str:
        return self.route.partition(" ")[2]


DEAL = "/o/<object>"
ONE = DEAL + "/<uuid:id>"
RECORDS = API + "/objects/<object>/records"
RECORD = RECORDS + "/<id>"

# Requests that carry identifiers in a body, a query or a header. The more, the better.
SAMPLES: tuple[Sample, ...] = (
    # ---- records through the API
    Sample(f"POST {RECORDS}", json={"name": "x", "account": "{account}"}),
    Sample(f"POST {RECORDS}", json={"name": "x", "owner": "{user}"}),
    Sample(f"POST {RECORDS}", json={"name": "x", "owner": "{queue}"}),
    Sample(f"POST {RECORDS}", json={"name": "x", "photo": ["{pending}"]}),
    Sample(f"POST {RECORDS}", json={"name": "x", "photo": ["{photo}"]}),
    Sample(f"POST {RECORDS}", json={"name": "x", "deal": "{record}"}, path={"object": "line"}),
    Sample(
        f"POST {RECORDS}",
        json={"user": "{user}", "permission_set": "{permission_set}"},
        path={"object": "permission_assignment"},
    ),
    Sample(f"POST {RECORDS}", json={"queue": "{queue}", "user": "{user}"}, path={"object": "queue_member"}),
    Sample(f"PATCH {RECORD}", json={"account": "{account}"}),
    Sample(f"PATCH {RECORD}", json={"owner": "{user}"}),
    Sample(f"PATCH {RECORD}", json={"photo": ["{pending}"]}),
    Sample(
        f"POST {RECORDS}/bulk", json={"action": "create", "records": [{"name": "x", "account": "{account}"}]}
    ),
    Sample(f"POST {RECORDS}/bulk", json={"action": "update", "records": [{"id": "{record}", "name": "x"}]}),
    Sample(f"POST {RECORDS}/bulk", json={"action": "delete", "records": [{"id": "{record}"}]}),
    Sample(
        f"POST {RECORDS}/bulk",
        json={"action": "update", "records": [{"id": "{record}", "name": "x"}], "all_or_nothing": False},
        free=True,  # answers 200 with the fault of each record
    ),
    Sample(f"POST {RECORD}/comments", json={"body": "x", "parent": "{comment}"}, everybody=True),
    Sample(f"PATCH {RECORD}/comments/<comment>", json={"body": "x"}),
    Sample(f"POST {RECORD}/attachments", json={"files": ["{pending}"]}),
    Sample(f"POST {RECORD}/attachments", json={"files": ["{file}"]}),
    Sample(f"GET {RECORDS}", query={"where": 'account = "{account}"'}),
    Sample(f"GET {RECORDS}", query={"where": 'owner = "{user}"'}, free=True),
    Sample(f"GET {RECORDS}", query={"cursor": "{cursor}", "limit": "1", "order": "name"}),
    Sample(f"GET {RECORDS}", query={"where": 'id = "{record}"'}),
    Sample(f"GET {API}/search", query={"q": "{record}"}, free=True),
    Sample(f"GET {API}/objects/<object>/options", query={"field": "account", "for": "{record}"}, free=True),
    Sample(
        f"POST {API}/objects/<object>/aggregate",
        json={"measures": [{"function": "count", "name": "n"}], "where": 'account = "{account}"'},
        free=True,
    ),
    Sample(f"POST {API}/metadata/publish", json={"expected_release": "{release:int}"}, free=True),
    Sample(
        f"PATCH {API}/metadata/draft",
        json={"delete": [{"kind": "permission_set", "name": "x{permission_set}"}]},
    ),
    Sample(f"GET {API}/metadata/releases", query={"before": "{release}"}, free=True),
    Sample(f"POST {RECORD}/shares", json={"with": {"kind": "user", "id": "{user}"}, "level": "read"}),
    # ---- records on pages
    Sample(f"POST {DEAL}/new", form={"name": "x", "account": "{account}"}, free=True),
    Sample(f"POST {DEAL}/new", form={"name": "x", "owner": "{user}"}, free=True),
    Sample(f"POST {DEAL}/new", form={"name": "x", "_copy": "{record}"}, free=True),
    Sample(f"GET {DEAL}/new", query={"_copy": "{record}"}),
    Sample(f"GET {DEAL}/new", query={"account": "{account}"}),
    Sample(f"GET {DEAL}/new", query={"deal": "{record}"}, path={"object": "line"}),
    Sample(f"POST {DEAL}/new/panel", form={"name": "x", "account": "{account}"}, free=True),
    Sample(f"POST {DEAL}/new/draft", form={"name": "x", "account": "{account}"}, free=True, everybody=True),
    Sample(f"POST {ONE}/edit", form={"name": "x", "account": "{account}", "_revision": "1"}, free=True),
    Sample(f"POST {ONE}/draft", form={"name": "x", "account": "{account}"}, free=True, everybody=True),
    Sample(
        f"POST {ONE}/value", form={"field": "account", "account": "{account}", "revision": "1"}, free=True
    ),
    Sample(f"POST {ONE}/move", form={"by": "stage", "stage": "won", "revision": "1"}),
    Sample(f"POST {ONE}/comments", form={"body": "x", "parent": "{comment}"}, everybody=True),
    Sample(f"POST {ONE}/comments", form={"body": "x", "picked": "{user}"}, free=True, everybody=True),
    Sample(
        f"POST {ONE}/comments/draft", form={"body": "x", "parent": "{comment}"}, free=True, everybody=True
    ),
    Sample(f"POST {ONE}/comments/<uuid:comment>/edit", form={"body": "x"}),
    Sample(f"POST {ONE}/follow", form={"do": "follow"}, everybody=True),
    Sample(f"PUT {RECORD}/follow", everybody=True),
    Sample(f"DELETE {RECORD}/follow", everybody=True),
    Sample(f"POST {ONE}/links/<link>/<field>", form={"id": "{account}"}),
    Sample(f"POST {ONE}/links/<link>/<field>/remove", form={"id": "{link}"}),
    Sample(f"POST {ONE}/unmask", form={"field": "pin"}),
    Sample(f"GET {ONE}/timeline", query={"after": "{operation}"}, free=True),
    Sample(f"GET {ONE}", query={"comment": "{comment}"}, free=True),
    Sample(f"GET {ONE}/value", query={"field": "name", "place": "list"}),
    Sample(f"GET {DEAL}", query={"where": 'account = "{account}"'}),
    Sample(f"GET {DEAL}", query={"view": "{view}"}),
    Sample(f"GET {DEAL}", query={"cursor": "{cursor}", "order": "name"}, free=True),
    Sample(f"GET {DEAL}/totals", query={"columns": "amount", "where": 'account = "{account}"'}, free=True),
    Sample(f"GET {DEAL}/board", query={"view": "{view}"}, free=True),
    Sample(
        f"GET {DEAL}/board/cards", query={"by": "stage", "value": "open", "cursor": "{cursor}"}, free=True
    ),
    Sample(f"GET {DEAL}/calendar", query={"view": "{view}"}, free=True),
    Sample(f"GET {DEAL}/lookup/<field>", query={"q": "{account}", "for": "{record}"}, free=True),
    Sample(f"GET {DEAL}/alike", query={"field": "name", "text": "{record}", "id": "{record}"}, free=True),
    Sample(f"GET {DEAL}/filter", query={"where": 'account = "{account}"'}),
    Sample(f"GET {DEAL}/filter/row", query={"field": "account", "is": "is", "value": "{account}"}),
    Sample(f"GET {DEAL}/export", query={"where": 'account = "{account}"'}),
    Sample(
        f"POST {DEAL}/export",
        form={"format": "csv", "id": "{record}", "columns": "name"},
        free=True,  # a record that is gone since is left out
    ),
    Sample(f"POST {DEAL}/bulk", form={"do": "delete", "id": "{record}"}, free=True),
    Sample(f"POST {DEAL}/views/open", form={"view": "{view}"}, free=True, everybody=True),
    Sample(f"POST {DEAL}/views/pin", form={"view": "{view}", "do": "pin"}, everybody=True),
    Sample(f"POST {DEAL}/views/widths", form={"view": "{view}", "widths": "{}"}, everybody=True),
    Sample(f"POST {DEAL}/views/<uuid:id>", form={"do": "delete"}, everybody=True),
    Sample(
        "POST /bulk/<uuid:id>",
        form={"_do": "check", "_chosen": "account", "account": "{account}"},
        everybody=True,
    ),
    Sample("POST /imports/<uuid:id>/rows", form={"row": "2", "stage": "open"}, everybody=True),
    Sample(f"PATCH {API}/imports/<id>", json={"settings": {}}, everybody=True),
    Sample(
        f"POST {API}/imports/<id>/rows/replace",
        json={"column": "stage", "value": "nowhere", "becomes": "open"},
        everybody=True,
    ),
    Sample(f"POST {API}/imports/<id>/rows", json={"rows": [{"row": 2, "skip": True}]}, everybody=True),
    Sample("POST /notices", form={"do": "read", "id": "{notice}"}, free=True, everybody=True),
    Sample(
        "POST /favourites", form={"do": "add", "key": "{favourite}", "back": "/"}, free=True, everybody=True
    ),
    Sample("GET /palette", query={"q": "{record}"}, free=True),
    Sample("GET /search", query={"q": "{record}"}, free=True),
    Sample("GET /exports", query={"q": "{export}", "before": "{operation}"}, free=True),
    Sample("POST /settings", form={"zone": "Asia/Shanghai", "language": "en"}, everybody=True),
    Sample("POST /account/sessions", form={"id": "{session}"}, free=True, everybody=True),
    Sample("POST /account/tokens/<uuid:id>/revoke", everybody=True),
    Sample("POST /people/<uuid:id>/<what>", form={"session": "{session}"}, free=True),
    Sample(f"POST {API}/people/<id>/invitation", free=True),  # of who signs in already: a conflict
    Sample(f"POST {API}/people/<id>/password-reset", free=True),  # nobody signs in as the record
    Sample("POST /people/invite", form={"name": "x", "address": "x", "set": "{permission_set}"}, free=True),
    Sample("POST /studio/holders", form={"do": "take_back", "id": "{assignment}"}, free=True),
    Sample("GET /studio/holders", query={"user": "{user}", "set": "{permission_set}"}, free=True),
    # ---- Studio
    Sample("GET /studio/preview", query={"as": "{user}", "object": "deal", "record": "{record}"}, free=True),
    Sample(
        "GET /studio/preview/page",
        query={"as": "{user}", "object": "deal", "record": "{record}", "of": "record"},
    ),
    Sample("GET /studio/preview/people", query={"q": "{user}"}, free=True),
    Sample("GET /studio/preview/records/<object>", query={"q": "{record}", "as": "{user}"}, free=True),
    Sample("GET /studio/filter/<object>", query={"where": 'account = "{account}"'}),
    Sample("GET /studio/releases/diff", query={"a": "{release}", "b": "1"}, free=True),
    Sample("POST /studio/releases/<number>/restore", form={"expected": "{release}"}),
    Sample("POST /studio/revert", form={"uid": "{permission_set}"}, free=True),
    Sample("POST /studio/trash", form={"uid": "{permission_set}"}),
    Sample("POST /studio/trial", form={"object": "deal", "text": "1", "find": "{record}"}, free=True),
    Sample("POST /studio/try", form={"object": "deal", "text": "1 = 1", "find": "{record}"}, free=True),
    Sample("POST /studio/assign/<name>", form={"set": "{permission_set}"}, free=True),
)

# Routes that neither end a session of the test nor mean anything but their own path.
SKIPPED = {
    "GET /forgot", "GET /link", "GET /session", "GET /sign-in", "POST /account/password",
    "POST /account/second-factor", "POST /forgot", "POST /link", "POST /session", "POST /sign-in",
    "POST /sign-in/code", "POST /sign-out",
}  # fmt: skip
# Writes of a person's own things: whoever is signed in may, and nobody else's data are reached.
OWN = {
    "POST /account/sessions", "POST /account/tokens", "POST /notices", "POST /favourites", "POST /tabs",
    "POST /settings", "POST /settings/look",
    f"POST {DEAL}/views", f"POST {API}/files", f"POST {DEAL}/colours", f"POST {DEAL}/filter",
}  # fmt: skip

# Names under which identifiers are sent to every route, whether it knows them or not.
NAMES: Mapping[str, str] = {
    "id": "record", "record": "record", "deal": "record", "account": "account", "line": "line",
    "_copy": "record", "copy": "record", "owner": "user", "user": "user", "as": "user", "who": "user",
    "person": "user", "queue": "queue", "group": "queue", "permission_set": "permission_set",
    "set": "permission_set", "sets": "permission_set", "uid": "permission_set", "file": "file",
    "files": "pending", "photo": "photo", "comment": "comment", "parent": "comment", "picked": "user",
    "import": "import", "export": "export", "job": "job", "bulk": "bulk", "operation": "operation",
    "notice": "notice", "view": "view", "cursor": "cursor", "after": "operation", "before": "operation",
    "offer": "offer", "key": "favourite", "for": "record", "from": "record", "find": "record", "q": "record",
}  # fmt: skip


def routes(app: Flask) -> Iterator[tuple[str, Rule]]:
    """Every method of every route."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield f"{method} {rule.rule}", rule


def arguments(rule: Rule, given: Mapping[str, str] = {}) -> dict[str, str]:
    """What stands at each argument of a rule, with placeholders. AssertionError for one that no row knows."""
    found: dict[str, str] = {}
    for name in sorted(rule.arguments):
        value = given.get(name)
        if value is None:
            fits = [
                value
                for pattern, argument, value in ARGUMENTS
                if re.search(pattern, rule.rule) and re.fullmatch(argument, name)
            ]
            assert fits, f"{rule.rule}: say in channels.ARGUMENTS what <{name}> is"
            value = fits[0]
        if not value:
            choices = re.search(rf"<any\(([^)]*)\):{name}>", rule.rule)
            assert choices, rule.rule
            value = choices[1].split(",")[0].strip()
        found[name] = value
    return found


def path_of(rule: str, values: Mapping[str, str]) -> str:
    """The path of a rule with its arguments in place."""
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda each: values[each[1]], rule)


def kinds_in(value: Any) -> list[str]:
    """The kinds of identifiers that stand in a part of a request."""
    return sorted(set(re.findall(r"\{(\w+)(?::int)?\}", msgspec.json.encode(value).decode())))


def filled(value: Any, ids: Mapping[str, str]) -> Any:
    """The part of a request with identifiers in place."""
    if isinstance(value, str):
        if number := re.fullmatch(r"\{(\w+):int\}", value):
            return int(ids[number[1]])
        return re.sub(r"\{(\w+)\}", lambda each: ids.get(each[1], each[0]), value)
    if isinstance(value, Mapping):
        return {key: filled(each, ids) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [filled(each, ids) for each in value]
    return value


def nowhere(ids: Mapping[str, str]) -> dict[str, str]:
    """Identifiers of the same forms that exist nowhere."""
    made: dict[str, str] = {}
    for kind, value in ids.items():
        fresh = uuid4()
        if kind == "release":
            made[kind] = "987654"
        elif kind == "favourite":
            made[kind] = f"record:deal:{fresh.hex}"
        elif kind == "cursor":
            made[kind] = value[:-6] + "AAAAAA"
        else:
            made[kind] = str(fresh) if "-" in value else fresh.hex
    return made


@dataclass(frozen=True, slots=True)
class Shot:
    """One request, ready to be sent with any identifiers. ``kinds``: those that may be swapped."""

    sample: Sample
    arguments: Mapping[str, str]
    in_path: tuple[str, ...]
    in_body: tuple[str, ...]

    def send(
        self, client: Visitor, person: Person, path_ids: Mapping[str, str], body_ids: Mapping[str, str],
        more: Mapping[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        """Send it as a browser with its session, or under /api/v1 as a program with its token."""
        sample = self.sample
        path = path_of(sample.rule, {key: filled(each, path_ids) for key, each in self.arguments.items()})
        query = {**filled(sample.query, body_ids), **((more or {}) if sample.method == "GET" else {})}
        headers = filled(sample.headers, body_ids)
        if path.startswith(API):
            body = filled(sample.json, body_ids)
            if more and sample.method != "GET":
                body = {**more, **(body or {})}
            return person.send(sample.method, path.removeprefix(API), body, headers, **query)
        if sample.method == "GET":
            return client.client.get(path, query_string=query, headers=HTML)
        form = {**(more or {}), **filled(sample.form or {}, body_ids), "_csrf": _token(client)}
        return client.post(path, form)


_tokens: dict[int, str] = {}


def _token(client: Visitor) -> str:
    """What the forms of this session carry; read once."""
    if id(client) not in _tokens:
        found = re.search(r'name="_csrf" value="([^"]+)"', client.client.get("/help", headers=HTML).text)
        assert found
        _tokens[id(client)] = found[1]
    return _tokens[id(client)]


def shots(app: Flask) -> list[Shot]:
    """Every route with its own sample, or as its path alone says."""
    rules = dict(routes(app))
    unknown = {each.route for each in SAMPLES} - rules.keys()
    assert not unknown, f"samples of routes that are gone: {sorted(unknown)}"
    made = []
    sampled = {each.route for each in SAMPLES}
    for sample in (*SAMPLES, *(Sample(route) for route in rules if route not in sampled | SKIPPED)):
        found = arguments(rules[sample.route], sample.path)
        body = kinds_in([sample.form, sample.json, dict(sample.query), dict(sample.headers)])
        made.append(Shot(sample, found, tuple(kinds_in(found)), tuple(body)))
    return made


def bare(shot: Shot) -> Shot:
    """The same route with nothing but its path."""
    return replace(shot, sample=replace(shot.sample, form=None, json=None, query={}, headers={}), in_body=())


_UUID = re.compile(r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}")
_CSRF = re.compile(r'(name=\\?"_csrf\\?" value=|data-csrf=|"csrf":\s*)\\?"[^"]*"')


def seen(answer: Any, *hidden: str) -> tuple[int, str, str, str]:
    """What an answer tells: status, type, where to, and its text without what differs each time."""
    text = answer.get_data(as_text=True) if answer.content_type != "application/octet-stream" else ""
    for each in sorted({each for each in hidden if len(each) > 5}, key=len, reverse=True):
        once = quote(each, safe="")
        for form in (each, each.replace("-", ""), escape(each), once, quote(once, safe=""), quote(each)):
            text = text.replace(form, "…")
    text = _CSRF.sub("", _UUID.sub("…", text))
    text = re.sub(r"\d\d:\d\d(:\d\d)?", "…", text)
    where = _UUID.sub("…", answer.headers.get("Location", ""))
    return answer.status_code, answer.content_type or "", where, text
