"""Rows of a condition to the formula and back, in the browser that shows them: 200 generated conditions, over
every kind of field, negated, nested, relative to today (UX39).
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

import models
from browsing import answering, window
from pagesite import PageSite, make_pages
from tabwright.metadata.model import FieldDef
from tabwright.runtime.conditions import builder
from tabwright.runtime.conditions.operators import operators

pytestmark = pytest.mark.browser

MANY = 200
THING: dict[str, Any] = {
    "name": "text(60) required searchable",
    "notes": "long_text",
    "mail": "email",
    "size": "decimal(12,2)",
    "pieces": "integer",
    "price": "currency(16,2)",
    "share": "percent",
    "done": "boolean",
    "day": "date",
    "at": "datetime",
    "opens": "time",
    "stage": "picklist(new,won,lost)",
    "tags": {"type": "multi_picklist", "options": {"values": [{"code": each} for each in ("red", "green")]}},
    "other": "lookup(other)",
    "above": {"type": "lookup", "options": {"target": "thing", "tree": True}},
    "about": {"type": "polymorphic", "options": {"targets": ["thing", "other"]}},
    "helper": "user",
    "spot": "geolocation",
    "home": "address",
}
OBJECTS: models.Compact = {"other": {"name": "text(60) required searchable"}, "thing": THING}
PATHS = (*THING, "owner", "created_at", "record_type", "other.name", "other.owner", "above.day", "home.city")

# What the page's own scripts make of a condition: its formula, and the rows that they show for the formula.
ROUND = """async ({conditions, csrf}) => {
  const kit = window.tabwrightConditions, href = "/studio/filter/thing", found = [];
  const box = document.createElement("div");
  for (const condition of conditions) {
    const body = new URLSearchParams({_csrf: csrf, condition: JSON.stringify(condition)});
    const answer = await (await fetch(href, {method: "POST", body})).json();
    if (answer.where === undefined) { found.push({faults: answer}); continue; }
    box.innerHTML = await kit.get(href + "?where=" + encodeURIComponent(answer.where));
    const root = kit.root(box.querySelector("[data-builder]"));
    found.push({where: answer.where, back: root ? kit.read(root) : null});
  }
  return found;
}"""


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS)
        made.person("Admin", "administrator", language="en")
        with answering(made.app) as base:
            yield made, base


def resolver(made: PageSite) -> builder.Resolve:
    gate, model = made.call.gate, made.call.model

    def resolve(path: str) -> FieldDef | None:
        return gate.resolve(model.objects["thing"], path).field

    return resolve


class Writer:
    """Writes conditions, by the choices of a source of randomness."""

    def __init__(self, choices: random.Random, resolve: builder.Resolve, ids: dict[str, list[str]]) -> None:
        self._choices = choices
        self._resolve = resolve
        self._ids = ids

    def group(self, depth: int = 1) -> builder.Group:
        pick = self._choices
        nested = [self.group(depth + 1) for _ in range(pick.randint(0, 2))] if depth < 4 else []
        rows = [self.row() for _ in range(pick.randint(1, 3))]
        parts: list[builder.Row | builder.Group] = [*rows, *nested]
        pick.shuffle(parts)
        return builder.Group(pick.choice(builder.JOINS), tuple(parts))

    def row(self) -> builder.Row:
        path = self._choices.choice(PATHS)
        field = self._resolve(path)
        assert field is not None
        one = self._choices.choice(operators(builder.kind_of(field)))
        if one.operands == ("codes",):  # in the order in which they are ticked off
            codes = [each.code for each in field.picklist.values] if field.picklist else ["standard"]
            some = set(self._choices.choices(codes, k=2))
            return builder.Row(path, one.name, tuple(each for each in codes if each in some))
        values = [self._value(operand, field) for operand in one.operands]
        if one.operands == ("ids",):
            values += [self._value("ids", field) for _ in range(self._choices.randint(0, 2))]
            values = list(dict.fromkeys(values))
        return builder.Row(path, one.name, tuple(values))

    def _value(self, operand: str, field: FieldDef) -> str:
        pick = self._choices
        match operand:
            case "text":
                return pick.choice(["客户 A", 'a "b" \\', "';--", "{{7*7}}", "<b>", "x"])
            case "number":
                return pick.choice(["0", "-3.5", "1200", "0.01", "99999999"])
            case "date":
                return f"{pick.randint(1990, 2040)}-{pick.randint(1, 12):02}-{pick.randint(1, 28):02}"
            case "time":
                return f"{pick.randint(0, 23):02}:{pick.randint(0, 59):02}"
            case "count":
                return str(pick.randint(0, 400))
            case "place":
                return "31.23, 121.47"
        return pick.choice(self._ids[field.targets[0] if field.targets else "user"])


def test_200_conditions_come_back(site: tuple[PageSite, str], chrome: Browser) -> None:
    made, base = site
    ids = {
        name: [made.records.create(name, {"name": f"{name} {n}"}).id.hex for n in range(3)]
        for name in ("other", "thing")
    }
    ids["user"] = [made.person(f"p{n}", "administrator").user_id.hex for n in range(2)]  # type: ignore[union-attr]
    resolve = resolver(made)
    writer = Writer(random.Random(39), resolve, ids)
    groups = [writer.group() for _ in range(MANY)]
    context, page, said = window(chrome, base, "Admin")
    page.goto(base + "/studio/new/validation_rule?object=thing")
    csrf = page.locator("[name=_csrf]").first.input_value()
    found = page.evaluate(ROUND, {"conditions": [builder.to_json(each) for each in groups], "csrf": csrf})
    assert {row.path for group in groups for row in rows(group)} == set(PATHS)
    for group, each in zip(groups, found, strict=True):
        assert each.get("where") == builder.write(group, resolve), json.dumps(each)
        assert each["back"] is not None, each["where"]
        back = builder.from_json(each["back"])
        assert builder.write(back, resolve) == each["where"]
        assert back == builder.normal(group, resolve), each["where"]
    assert said == []
    context.close()


def rows(group: builder.Group) -> Iterator[builder.Row]:
    for part in group.parts:
        if isinstance(part, builder.Row):
            yield part
        else:
            yield from rows(part)
