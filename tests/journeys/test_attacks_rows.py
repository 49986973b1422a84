"""Attacks that were carried out on comparable platforms, by their row in RELIABILITY.md, section 1.

Rows 4, 6 and 7 are the tests of every route: tests/api/test_api_assigned.py,
tests/rel/test_promise_tenants.py, tests/rel/test_promise_denied.py. Row 5 is tests/api/test_api_hidden.py.
"""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from channels import arguments, filled, path_of, routes
from desks import Desk, desk_of
from pagesite import HTML, make_pages
from stores import DIALECTS
from tabwright.platform.database import observe
from tabwright.platform.web import Policy

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("formula", "metadata", "platform", "runtime", "workflow", "admin_ui", "src/tabwright")
# Who may run text, and who may speak to the network or start a process: by module, and why.
RUNS_TEXT = {"formula/codegen.py": "functions that it wrote itself from a checked tree"}
REACHES_OUT: dict[str, str] = {
    "src/tabwright/serving.py": "starts the server's own processes",
    "platform/runner.py": "the name of this machine",
    "platform/mail.py": "the operator's mail server",
}
NETWORK = {
    "requests", "urllib.request", "http.client", "httpx", "aiohttp", "ftplib", "socket", "smtplib",
    "telnetlib", "xmlrpc", "subprocess", "pickle", "marshal", "shelve",
}  # fmt: skip

OBJECTS = {"deal": {"name": "text(80) required sortable searchable", "amount": "currency(16,2)"}}
SEES = {
    "kind": "permission_set", "name": "sees", "label": {"en": "Sees"},
    "objects": {"deal": ["read", "view_all"]},
    "fields": {"deal": {"*": "read"}}, "tabs": ["*"], "apps": ["*"],
}  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS, [SEES])
        yield desk_of(made)


def modules() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).glob("*.py" if room.startswith("src") else "**/*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def test_row_1_what_looks_like_a_template_is_shown_as_it_was_typed(desk: Desk) -> None:
    word = "{{ 1234 * 5 }}{% raw %}"
    desk.create("deal", name=word)
    assert desk.admin.user_id is not None
    desk.pages.records.update("user", desk.admin.user_id, {"name": word})
    for path in ("/o/deal", "/search?q=1234", "/exports", "/settings"):
        text = desk.admin.get(path).text
        assert "6170" not in text and ("{{ 1234 * 5 }}" in text or path == "/exports"), path


def test_row_2_no_text_runs_but_what_the_language_wrote() -> None:
    found = {
        path
        for path, tree in modules()
        for each in ast.walk(tree)
        if isinstance(each, ast.Call)
        and isinstance(each.func, ast.Name)
        and each.func.id in ("eval", "exec", "__import__")
    }
    assert found <= RUNS_TEXT.keys()


def test_row_3_nothing_that_is_typed_becomes_sql(desk: Desk) -> None:
    canary = "zqx9canary"
    seen: list[str] = []
    with observe(lambda how, text, rows: seen.append(text)):
        for text in (canary, f"{canary}' OR '1'='1", f'{canary}"; DROP TABLE deal; --', f"{canary}%_\\"):
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
            desk.api.get("/objects/deal/records", where=f'name = "{quoted}"')
            desk.api.get("/objects/deal/records", where=f'CONTAINS(name, "{quoted}")')
            for name in ("order", "fields", "cursor", "as_of"):
                desk.api.get("/objects/deal/records", None, **{name: text})
            desk.api.get("/search", q=text)
            desk.api.get(f"/objects/{canary}/records")
            desk.api.post("/objects/deal/records", {"name": text})
            desk.api.post("/objects/deal/aggregate", {"measures": [{"function": "count", "name": canary}]})
            desk.admin.get(f"/o/deal?view={canary}&order={canary}&columns={canary}")
    assert len(seen) > 20 and not [each for each in seen if canary in each]


def test_row_8_nothing_reaches_out_but_what_is_named_here() -> None:
    found: set[str] = set()
    for path, tree in modules():
        for each in ast.walk(tree):
            names = [alias.name for alias in each.names] if isinstance(each, ast.Import) else []
            names += [each.module or ""] if isinstance(each, ast.ImportFrom) else []
            if any(name == one or name.startswith(one + ".") for name in names for one in NETWORK):
                found.add(path)
    assert found <= REACHES_OUT.keys()


def test_row_13_no_spelling_of_an_address_goes_round_its_policy(desk: Desk) -> None:
    """Nobody is signed in: every route that is not public says so, however its address is written."""
    app, client = desk.pages.app, desk.pages.stranger().client
    ids = dict.fromkeys(
        ("record", "user", "import", "export", "bulk", "photo", "pending", "notice", "view", "offer", "gone",
         "replace_job", "samples_job", "job", "operation", "comment", "file", "token", "assignment"),
        "0" * 32,
    )  # fmt: skip
    ids["release"] = "1"
    tried = 0
    for route, rule in routes(app):
        declared = getattr(app.view_functions[rule.endpoint], "tabwright_policy", Policy("public"))
        if declared.name == "public":
            continue
        method = route.partition(" ")[0]
        path = path_of(rule.rule, {key: filled(each, ids) for key, each in arguments(rule).items()})
        for spelled in (path, path + "?next=/sign-in", path + ";/sign-in", "/static/.." + path, path.upper()):
            answer = client.open(spelled, method=method, headers={"Accept": "application/json"})
            assert answer.status_code in (400, 401, 403, 404, 405, 415), (method, spelled, answer.status_code)
            tried += 1
        for header in ("X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL"):
            answer = client.open(
                path, method=method, headers={header: "/sign-in", "Accept": "application/json"}
            )
            assert answer.status_code in (401, 403, 405), (method, path, header, answer.status_code)
    assert tried > 800


def test_row_14_what_is_taken_away_is_gone_at_the_next_request(desk: Desk) -> None:
    id = desk.create("deal", name="seen")
    visitor = desk.pages.person("stale", "sees")
    api = desk.api_of(visitor)
    assert api.get(f"/objects/deal/records/{id}").status_code == 200
    assert visitor.get(f"/o/deal/{id}").status_code == 200
    where = f'user = "{api.id.hex}"'
    [held] = desk.api.get("/objects/permission_assignment/records", where=where).json["records"]
    assert desk.api.delete(f"/objects/permission_assignment/records/{held['id']}").status_code == 204
    assert api.get(f"/objects/deal/records/{id}").status_code == 404
    assert visitor.get(f"/o/deal/{id}").status_code == 404
    # Switched off altogether: the session and the token end with it.
    assert desk.api.patch(f"/objects/user/records/{api.id.hex}", {"active": False}).status_code == 200
    assert api.get("/objects").status_code == 401
    assert visitor.client.get("/", headers=HTML).status_code in (302, 303, 401)


def test_row_19_a_secret_is_not_had_by_writing_around_it(desk: Desk) -> None:
    """What people were shown of a secret is not written back, and another mask shows nothing of it."""
    field = {"kind": "field", "name": "deal.pin", "label": {"en": "Pin"}, "type": "secret"}
    desk.pages.publish({}, [{**field, "options": {"mask": "all"}}])
    id = desk.create("deal", name="kept", pin="4711-0815")
    shown = desk.get("deal", id)["pin"]
    assert "4711" not in shown
    assert desk.api.patch(f"/objects/deal/records/{id}", {"pin": shown}).status_code == 422
    desk.pages.publish({}, [{**field, "options": {"mask": "bank_card"}}])
    assert "0815" not in desk.get("deal", id)["pin"], "sealed under the other mask"
    for path in (f"/o/deal/{id}", f"/o/deal/{id}/edit", "/o/deal?columns=name,pin"):
        assert "4711" not in desk.admin.get(path).text and "0815" not in desk.admin.get(path).text
