"""R63: what the OpenAPI document says is what the API does: no 5xx, no answer that is not in it.

A larger run: ``TABWRIGHT_FUZZ=200 pytest tests/api/test_api_fuzzed.py`` (examples of each operation).
"""

import os
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from referencing import Registry
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apisite import ApiSite, make_api
from stores import DIALECTS

EXAMPLES = int(os.environ.get("TABWRIGHT_FUZZ", "4"))
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
OBJECTS = {
    "account": {"name": "text required", "industry": "picklist(tech,bank)"},
    "deal": {
        "name": "text",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "share": "percent(5,2)",
        "size": "integer",
        "closed": "date",
        "seen_at": "datetime",
        "won": "boolean",
        "note": "long_text",
        "mail": "email",
        "link": "url",
        "number": "auto_number(D-{000})",
        "seller": "user",
    },
    "line": {"name": "text", "deal": "master_detail(deal)", "size": "integer"},
}
# What a fuzzer may not do to its own tenant: take away the rights with which it asks.
LEFT_OUT = ("permission_assignment", "/objects/user/", "/metadata/publish", "/restore")


@pytest.fixture(scope="module", params=DIALECTS)
def fuzzed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with make_api(request.param, tmp_path_factory.mktemp("fuzz")) as made:
        made.publish(OBJECTS)
        acme = made.admin.post("/objects/account/records", {"name": "Acme", "industry": "tech"}).json["id"]
        some = {"line": [{"name": "a", "size": 1}, {"name": "b"}]}
        rows = [
            {"name": f"d{n}", "account": acme, "amount": n, "size": n, "won": n % 2 == 0, "lines": some}
            for n in range(5)
        ]
        made.admin.post("/objects/deal/records/bulk", {"action": "create", "records": rows})
        yield made


def test_the_document_is_openapi_and_its_schemas_are_schemas(fuzzed: ApiSite) -> None:
    document = fuzzed.admin.get("/openapi.json").json
    assert document["openapi"] == "3.1.0"
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name
    ids = [op["operationId"] for path in document["paths"].values() for op in path.values()]
    assert len(ids) == len(set(ids)) > 100
    fixed = {path for path in document["paths"] if "{" not in path}
    assert {"/search", "/metadata/draft", "/metadata/publish", "/objects/deal/aggregate"} <= fixed


def test_a_record_is_what_its_schema_says(fuzzed: ApiSite) -> None:
    described = fuzzed.admin.get("/objects/deal").json["json_schema"]
    validator = Draft202012Validator(described, registry=Registry())
    for record in fuzzed.admin.get("/objects/deal/records").json["records"]:
        assert list(validator.iter_errors(record)) == []


def operations(site: ApiSite) -> list[Any]:
    """Every operation of the document, of the objects above only."""
    document = site.admin.get("/openapi.json").json
    kept = {}
    for path, methods in document["paths"].items():
        own = not path.startswith("/objects/") or path.startswith(("/objects/deal", "/objects/account"))
        if own and not any(part in path for part in LEFT_OUT):
            kept[path] = methods
    document["paths"] = kept
    schema = schemathesis.openapi.from_dict(document)
    schema.app = site.app
    found: Iterable[Any] = schema.get_all_operations()  # what is not in order has no ``ok``
    return [each.ok() for each in found]


def explore(strategy: Any, headers: dict[str, str]) -> int:
    """Send generated requests of one operation, hold the answers against the document; how many."""
    called = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def run(data: st.DataObject) -> None:
        nonlocal called
        data.draw(strategy).call_and_validate(headers=headers, checks=CHECKS)
        called += 1

    try:
        run()
    except Unsatisfiable:
        return 0  # nothing negative can be made of an operation that takes nothing
    return called


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_generated_requests(fuzzed: ApiSite, mode: str) -> None:
    # In process nobody unpacks an answer.
    headers = {"Authorization": f"Bearer {fuzzed.admin.token}", "Accept-Encoding": "identity"}
    wanted = schemathesis.GenerationMode(mode)
    called = sum(explore(each.as_strategy(generation_mode=wanted), headers) for each in operations(fuzzed))
    assert called > EXAMPLES * 20
