"""A sales team's spreadsheets go in over HTTP: four objects, a wrong product name mapped, figures, undo.

The files have the shape (and the dirt) of a public CRM data set; their contents are made here.
"""

from __future__ import annotations

import io
import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

import models
from apisite import ApiSite, api  # noqa: F401 - a fixture
from importing import csv_of

OBJECTS: models.Compact = {
    "account": {
        "name": "text(120) required unique sortable",
        "sector": "text(40)",
        "revenue": "decimal(12,2)",
        "parent": "lookup(account)",
    },
    "product": {"name": "text(60) required unique", "sales_price": "currency(12,2)"},
    "agent": {"name": "text(60) required unique", "manager": "text(60)"},
    "opportunity": {
        "opportunity_id": "text(20) required unique external_key",
        "agent": "lookup(agent)",
        "product": "lookup(product)",
        "account": "lookup(account)",
        "deal_stage": "picklist(prospecting,engaging,won,lost)",
        "engage_date": "date",
        "close_date": "date",
        "close_value": "currency(12,2)",
    },
}
PRODUCTS = ["GTX Basic", "GTX Pro", "MG Special"]
ROWS = 2_400
HEADER = [
    "opportunity_id", "sales_agent", "product", "account", "deal_stage", "engage_date", "close_date",
    "close_value",
]  # fmt: skip


def pipeline() -> list[list[str]]:
    """Deals: some products misspelt, some without account, open ones without date and value."""
    chance = random.Random(7)
    rows = []
    for n in range(ROWS):
        stage = chance.choice(["Won", "Won", "Lost", "Engaging", "Prospecting"])
        closed = stage in ("Won", "Lost")
        value = str(chance.randrange(30, 9000)) if stage == "Won" else "0" if closed else ""
        rows.append(
            [
                f"OP{n:05}",
                f"Agent {chance.randrange(9)}",
                chance.choice([*PRODUCTS, "GTXPro"]),
                "" if chance.random() < 0.2 else f"Account {chance.randrange(40)}",
                stage,
                "" if stage == "Prospecting" else f"2017-{chance.randrange(1, 10):02}-11",
                f"2017-{chance.randrange(3, 13):02}-{chance.randrange(1, 28):02}" if closed else "",
                value,
            ]
        )
    return rows


class Hand:
    """What an admin does, by HTTP alone."""

    def __init__(self, api: ApiSite) -> None:  # noqa: F811 - the class's own argument
        self.api = api
        self.admin = api.admin

    def upload(self, object: str, name: str, text: str, status: int = 201) -> dict[str, Any]:
        answer = self.api.client.post(
            "/api/v1/imports",
            data={"object": object, "file": (io.BytesIO(text.encode()), name)},
            headers={"Authorization": f"Bearer {self.admin.token}", "Accept-Language": "en"},
        )
        assert answer.status_code == status, answer.text
        assert answer.json is not None
        found: dict[str, Any] = answer.json
        return found

    def go(self, id: str, verb: str) -> dict[str, Any]:
        """A verb, its job, and the import after it."""
        begun = self.admin.post(f"/imports/{id}/{verb}")
        assert begun.status_code == 202, begun.text
        assert self.admin.get(f"/jobs/{begun.json['job']}").json["state"] == "waiting"
        self.api.site.runner.run_due(self.api.location)
        assert self.admin.get(f"/jobs/{begun.json['job']}").json["state"] == "done"
        found: dict[str, Any] = self.admin.get(f"/imports/{id}").json
        return found

    def groups(self, **body: Any) -> list[dict[str, Any]]:
        answer = self.admin.post("/objects/opportunity/aggregate", body)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json["groups"]
        return found


def bring(hand: Hand, object: str, text: str, **patch: Any) -> None:
    made = hand.upload(object, f"{object}s.csv", text)
    if patch:
        assert hand.admin.patch(f"/imports/{made['id']}", patch).status_code == 200
    checked = hand.go(made["id"], "check")
    done = hand.go(made["id"], "run")
    assert done["state"] == "done" and done["counts"] == checked["checked"]["counts"]
    assert done["counts"]["failed"] == 0


def test_the_spreadsheets_of_a_sales_team_go_in(api: ApiSite) -> None:  # noqa: F811
    api.publish(OBJECTS)
    hand = Hand(api)
    bring(hand, "product", csv_of(["product", "sales_price"], [[name, 55] for name in PRODUCTS]))
    parents = [[f"Account {n}", "technolgy", "1.5", f"Account {n + 20}" if n < 15 else ""] for n in range(40)]
    header = ["account", "sector", "revenue", "subsidiary_of"]
    bring(hand, "account", csv_of(header, parents), columns={"subsidiary_of": {"field": "parent"}})
    bring(hand, "agent", csv_of(["sales_agent", "manager"], [[f"Agent {n}", "Boss"] for n in range(9)]))

    rows = pipeline()
    made = hand.upload("opportunity", "sales_pipeline.csv", csv_of(HEADER, rows))
    proposed = {name: each["field"] for name, each in made["settings"]["columns"].items()}
    assert proposed == {"sales_agent": "agent", **{name: name for name in HEADER if name != "sales_agent"}}
    wrong = sum(row[2] == "GTXPro" for row in rows)
    checked = hand.go(made["id"], "check")
    assert checked["checked"]["counts"]["created"] == ROWS - wrong
    assert checked["checked"]["counts"]["failed"] == wrong
    [issue] = checked["checked"]["issues"]
    assert (issue["column"], issue["value"], issue["count"], issue["suggestion"]) == (
        "product", "GTXPro", wrong, "GTX Pro",
    )  # fmt: skip
    assert hand.groups(measures=[{"function": "count", "name": "n"}]) == [{"n": 0}]

    values = {issue["value"]: issue["suggestion"]}
    patched = hand.admin.patch(f"/imports/{made['id']}", {"columns": {"product": {"values": values}}})
    assert patched.json["state"] == "mapping"
    checked = hand.go(made["id"], "check")
    done = hand.go(made["id"], "run")
    assert done["counts"] == checked["checked"]["counts"]
    assert (done["counts"]["created"], done["counts"]["failed"]) == (ROWS, 0)

    count = {"function": "count", "name": "n"}
    total = {"function": "sum", "field": "close_value", "name": "value"}
    [blank] = hand.groups(measures=[count], where="ISBLANK(account)")
    assert blank["n"] == sum(not row[3] for row in rows)
    stages = Counter(row[4].lower() for row in rows)
    by_stage = {
        row["deal_stage"]: row
        for row in hand.groups(group=[{"field": "deal_stage"}], measures=[count, total])
    }
    assert {stage: row["n"] for stage, row in by_stage.items()} == stages
    won = [row for row in rows if row[4] == "Won"]
    assert Decimal(str(by_stage["won"]["value"])) == sum(int(row[7]) for row in won)
    [june] = hand.groups(
        group=[{"field": "close_date", "part": "month", "name": "month"}],
        measures=[total],
        where='ISPICKVAL(deal_stage, "won")',
        having='month = "2017-06"',
    )
    assert Decimal(str(june["value"])) == sum(int(row[7]) for row in won if row[6].startswith("2017-06"))

    undone = hand.go(made["id"], "undo")
    assert undone["state"] == "undone"
    assert hand.admin.get(f"/imports/{made['id']}/problems", phase="undo").json["problems"] == []
    assert hand.groups(measures=[count]) == [{"n": 0}]
    assert hand.admin.get("/objects/account/records", count="true").json["count"] == 40


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "import.empty_file"), ("a,b\n", "import.only_header"), ("a\x00", "import.not_a_table")],
)
def test_files_that_hold_nothing_are_problems(api: ApiSite, text: str, code: str) -> None:  # noqa: F811
    api.publish({"product": OBJECTS["product"]})
    found = Hand(api).upload("product", "f.csv", text, status=422)
    assert found["code"] == code and found["faults"][0]["message"] != code


def test_an_upload_beyond_the_limit_is_a_problem(api: ApiSite) -> None:  # noqa: F811
    answer = api.client.post(
        "/api/v1/imports",
        headers={
            "Authorization": f"Bearer {api.admin.token}",
            "Content-Type": "multipart/form-data; boundary=x",
        },
        environ_overrides={"CONTENT_LENGTH": "200000000"},
        input_stream=io.BytesIO(b"--x\r\n"),
    )
    assert answer.status_code == 413
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None and answer.json["code"] == "web.body_too_large"


def test_an_upload_without_a_file_is_a_problem(api: ApiSite) -> None:  # noqa: F811
    head = {"Authorization": f"Bearer {api.admin.token}"}
    bare = api.client.post(
        "/api/v1/imports",
        data={"object": "user", "file": "text"},
        headers=head,
        content_type="multipart/form-data",
    )
    assert bare.json is not None
    assert (bare.status_code, bare.json["code"]) == (400, "api.no_file")
    assert api.client.post("/api/v1/imports", json={"object": "user"}, headers=head).status_code == 415
