"""The same 100,000 deals twice: in a tenant of the product, and in the floor's own table."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import uuid
from collections.abc import Iterator
from typing import Any

STAGES = ("new", "talk", "offer", "won", "lost")
CHOICES = tuple(f"choice {number}" for number in range(6))


def label(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


def _uid(kind: str, name: str) -> str:
    return hashlib.sha256(f"benchmark:{kind}:{name}".encode()).hexdigest()[:32]


def component(kind: str, name: str, **body: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "uid": _uid(kind, name),
        "name": name,
        "label": label(name.rpartition(".")[2]),
        **body,
    }


def typed_field(name: str, type: str, **body: Any) -> dict[str, Any]:
    return component("field", name, type=type, **body)


def _picklist(codes: tuple[str, ...]) -> dict[str, Any]:
    return {"values": [{"code": code, "label": label(code)} for code in codes]}


def documents() -> list[dict[str, Any]]:
    """The objects of the benchmark: a deal of 12 fields with its account, and a sheet of 30 fields."""
    money = {"precision": 16, "scale": 2, "currency": "CNY"}
    found = [
        component("object", "account", name_field="name", sharing="read"),
        typed_field("account.name", "text", required=True, searchable=True, sortable=True),
        component("object", "deal", name_field="name", sharing="private"),
        typed_field("deal.name", "text", required=True, searchable=True, sortable=True),
        typed_field("deal.company", "text", searchable=True),
        typed_field("deal.stage", "picklist", options=_picklist(STAGES), required=True),
        typed_field("deal.amount", "currency", options={**money, "min": "0"}),
        typed_field("deal.discount", "percent",
                    options={"precision": 5, "scale": 2, "min": "0", "max": "100"}),
        typed_field("deal.quantity", "integer", options={"min": "0"}),
        typed_field("deal.close_date", "date"),
        typed_field("deal.met_at", "datetime"),
        typed_field("deal.active", "boolean"),
        typed_field("deal.email", "email", searchable=True),
        typed_field("deal.notes", "text", options={"max_length": 500}),
        typed_field("deal.account", "lookup", options={"target": "account"}),
        component("validation_rule", "deal.discount_cap", condition="discount > 0.9 && amount > 1000000",
                   message=label("Too much discount"), field="discount"),
        component("validation_rule", "deal.won_needs_amount",
                   condition='ISPICKVAL(stage, "won") && BLANKVALUE(amount, 0) <= 0',
                   message=label("Won needs an amount"), field="amount"),
        component("list_view", "deal.won", columns=["name", "account", "stage", "amount", "close_date"],
                   where='ISPICKVAL(stage, "won")', order=[["close_date", "desc"]]),
        component("object", "sheet", name_field="t0", sharing="private"),
    ]  # fmt: skip
    found += [typed_field(f"sheet.t{n}", "text") for n in range(12)]
    found += [typed_field(f"sheet.n{n}", "decimal", options={"precision": 16, "scale": 2}) for n in range(8)]
    found += [typed_field(f"sheet.d{n}", "date") for n in range(4)]
    found += [typed_field(f"sheet.p{n}", "picklist", options=_picklist(CHOICES)) for n in range(4)]
    found += [typed_field(f"sheet.b{n}", "boolean") for n in range(2)]
    return found


def deals(count: int, accounts: list[str], seed: int = 7) -> Iterator[dict[str, Any]]:
    """Deals as the API takes them; the same for the same seed."""
    rnd = random.Random(seed)
    han = "华中鑫恒远天瑞宏盛博蓝星海信金东明嘉泰卓科达通创源翔联力拓辉腾安汇凯润"
    day = dt.date(2026, 1, 1)
    for number in range(count):
        yield {
            "name": "".join(rnd.choices(han, k=4)) + f"项目 {number}",
            "company": f"Northwind {rnd.randrange(5000)}",
            "stage": rnd.choice(STAGES),
            "amount": f"{rnd.randrange(1, 5_000_000)}.{rnd.randrange(100):02d}",
            "discount": str(rnd.randrange(0, 60)),
            "quantity": rnd.randrange(1, 500),
            "close_date": (day + dt.timedelta(days=rnd.randrange(0, 720))).isoformat(),
            "met_at": f"2026-{rnd.randrange(1, 13):02d}-{rnd.randrange(1, 29):02d}T08:30:00Z",
            "active": rnd.random() < 0.5,
            "email": f"person{number}@example.com",
            "notes": "Asks for a second visit; prefers the annual plan. 希望月底前签约。",
            "account": accounts[number % len(accounts)],
        }


def sheet(number: int) -> dict[str, Any]:
    """A sheet with every field filled."""
    return {
        **{f"t{n}": f"text {number} {n}" for n in range(12)},
        **{f"n{n}": f"{number}.{n}5" for n in range(8)},
        **{f"d{n}": f"2026-0{n + 1}-15" for n in range(4)},
        **{f"p{n}": CHOICES[(number + n) % 6] for n in range(4)},
        **{f"b{n}": bool((number + n) % 2) for n in range(2)},
    }


def new_id() -> str:
    return str(uuid.uuid4())
