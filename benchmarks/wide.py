"""The object of the page benchmark: sixty fields of all kinds, with what hangs on a record of it."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from typing import Any

from world import component, label, typed_field

COLOURS = ("blue", "teal", "green", "amber", "red", "purple")
STAGES = ("new", "talk", "offer", "won", "lost", "later")
SOURCES = tuple(f"source_{number}" for number in range(8))
KINDS = ("light", "heavy", "cooled", "long", "short", "double")
FITTINGS = ("radio", "crane", "lift", "camera", "heating")
RESULTS = ("good", "open", "bad")

MONEY = {"precision": 16, "scale": 2, "currency": "CNY"}


def picks(codes: Sequence[str]) -> dict[str, Any]:
    """The options of a picklist whose values have labels and colours of their own."""
    return {
        "values": [
            {"code": code, "label": label(words(code)), "colour": COLOURS[at % len(COLOURS)]}
            for at, code in enumerate(codes)
        ]
    }


def words(name: str) -> str:
    """What a code or a name is called on pages."""
    return name.replace("_", " ").capitalize()


# Name, type, body: sixty of them, ten to a section.
SECTIONS: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "Basics": [
        ("name", "text", {"required": True, "searchable": True, "sortable": True}),
        ("number", "auto_number", {"options": {"pattern": "M-{000000}"}}),
        ("stage", "picklist", {"options": picks(STAGES), "required": True}),
        ("account", "lookup", {"options": {"target": "account"}}),
        ("reseller", "lookup", {"options": {"target": "account"}}),
        ("about", "polymorphic", {"options": {"targets": ["account", "brand"]}}),
        ("keeper", "user", {}),
        ("source", "picklist", {"options": picks(SOURCES)}),
        ("kind", "picklist", {"options": picks(KINDS)}),
        ("active", "boolean", {}),
    ],
    "Money": [
        ("amount", "currency", {"options": {**MONEY, "min": "0"}}),
        ("cost", "currency", {"options": MONEY}),
        ("deposit", "currency", {"options": MONEY}),
        ("balance", "currency", {"options": MONEY}),
        ("budget", "currency", {"options": MONEY}),
        ("margin", "percent", {"options": {"precision": 5, "scale": 2}}),
        ("discount", "percent", {"options": {"precision": 5, "scale": 2}}),
        ("probability", "percent", {"options": {"precision": 5, "scale": 2}}),
        ("invoiced", "boolean", {}),
        ("approved", "boolean", {}),
    ],
    "Dates": [
        ("close_date", "date", {}),
        ("start_date", "date", {}),
        ("end_date", "date", {}),
        ("next_visit", "date", {}),
        ("met_at", "datetime", {}),
        ("checked_at", "datetime", {}),
        ("opens", "time", {}),
        ("progress", "progress", {}),
        ("rating", "rating", {"options": {"max": 5}}),
        ("region", "picklist", {"options": picks(SOURCES)}),
    ],
    "Sizes": [
        ("seats", "integer", {"options": {"min": "0"}}),
        ("doors", "integer", {}),
        ("age", "integer", {}),
        ("visits", "integer", {}),
        ("length", "decimal", {"options": {"precision": 12, "scale": 2}}),
        ("width", "decimal", {"options": {"precision": 12, "scale": 2}}),
        ("height", "decimal", {"options": {"precision": 12, "scale": 2}}),
        ("weight", "decimal", {"options": {"precision": 12, "scale": 3}}),
        ("paint", "colour", {}),
        ("tag", "barcode", {"options": {"max_length": 30}}),
    ],
    "Contact": [
        ("email", "email", {"searchable": True}),
        ("phone", "phone", {"searchable": True}),
        ("private_phone", "phone", {"options": {"mask": "phone"}}),
        ("website", "url", {}),
        ("site", "address", {}),
        ("place", "geolocation", {}),
        ("state", "picklist", {"options": picks(KINDS)}),
        ("fittings", "multi_picklist", {"options": picks(FITTINGS)}),
        ("channels", "multi_picklist", {"options": picks(KINDS)}),
        ("photo", "image", {"options": {"max_items": 1}}),
    ],
    "Texts": [
        ("code", "text", {"sortable": True}),
        ("maker", "text", {}),
        ("series", "text", {}),
        ("remark", "text", {"options": {"max_length": 500}}),
        ("city", "text", {}),
        ("summary", "long_text", {"options": {"max_length": 2000}}),
        ("story", "long_text", {"options": {"max_length": 2000}}),
        ("description", "long_text", {"options": {"rich_text": True, "max_length": 4000}}),
        ("settings", "json", {}),
        ("papers", "file", {}),
    ],
}
FIELDS = [field for fields in SECTIONS.values() for field in fields]
TYPES = {name: type for name, type, _ in FIELDS}
COLUMNS = ("name", "number", "account", "stage", "amount", "close_date", "probability", "keeper", "phone",
           "active", "fittings")  # fmt: skip
HIGHLIGHTS = ("stage", "amount", "close_date", "account", "keeper")
VISIT_COLUMNS = ("name", "day", "result", "amount")
assert len(FIELDS) == 60, len(FIELDS)


def documents() -> list[dict[str, Any]]:
    """The machine of sixty fields with its layout and its list; accounts, brands, visits; an app of them."""
    found = [
        component("object", "account", name_field="name", plural=label("Accounts"), icon="building"),
        typed_field("account.name", "text", required=True, searchable=True, sortable=True),
        component("object", "brand", name_field="name", plural=label("Brands"), icon="star"),
        typed_field("brand.name", "text", required=True),
        component("object", "machine", name_field="name", plural=label("Machines"), icon="truck",
                  highlights=list(HIGHLIGHTS)),
        component("object", "visit", name_field="name", plural=label("Visits"), icon="calendar"),
        typed_field("visit.name", "text", required=True),
        typed_field("visit.machine", "lookup", options={"target": "machine"}),
        typed_field("visit.day", "date"),
        typed_field("visit.result", "picklist", options=picks(RESULTS)),
        typed_field("visit.amount", "currency", options=MONEY),
        component("list_view", "machine.won", columns=list(COLUMNS), where='ISPICKVAL(stage, "won")',
                  order=[["close_date", "desc"]]),
        component("layout", "machine.standard", sections=[
            {"label": label(title), "fields": [name for name, _, _ in fields]}
            for title, fields in SECTIONS.items()
        ], related=[{"field": "visit.machine", "columns": list(VISIT_COLUMNS), "order": [["day", "desc"]]}]),
    ]  # fmt: skip
    for name, type, body in FIELDS:
        given = {**body, "label": label(words(name))}
        found.append(typed_field(f"machine.{name}", type, **given))
    for name in ("account", "brand", "machine", "visit"):
        found.append(component("tab", name, object=name))
    found.append(component("app", "works", tabs=["account", "brand", "machine", "visit"], default=True))
    return found


def machines(
    count: int, accounts: Sequence[str], brands: Sequence[str], people: Sequence[str], seed: int = 5
) -> Iterator[dict[str, Any]]:
    """Machines as the API takes them, every field filled but those of files; the same for the same seed."""
    rnd = random.Random(seed)
    han = "华中鑫恒远天瑞宏盛博蓝星海信金东明嘉泰卓科达通创源翔联力拓辉腾安汇凯润"
    first = dt.date(2026, 1, 1)

    def day() -> str:
        return (first + dt.timedelta(days=rnd.randrange(720))).isoformat()

    def money() -> str:
        return f"{rnd.randrange(1, 5_000_000)}.{rnd.randrange(100):02d}"

    for n in range(count):
        about = {"object": "brand", "id": rnd.choice(brands)} if n % 2 else {
            "object": "account", "id": rnd.choice(accounts)}  # fmt: skip
        yield {
            "name": "".join(rnd.choices(han, k=4)) + f"牵引车 {n}",
            "stage": rnd.choice(STAGES), "account": accounts[n % len(accounts)],
            "reseller": rnd.choice(accounts), "about": about, "keeper": rnd.choice(people),
            "source": rnd.choice(SOURCES), "kind": rnd.choice(KINDS), "active": n % 2 == 0,
            "amount": money(), "cost": money(), "deposit": money(), "balance": money(), "budget": money(),
            "margin": f"{rnd.randrange(60)}.5", "discount": str(rnd.randrange(30)),
            "probability": str(rnd.randrange(0, 101, 5)), "invoiced": n % 3 == 0, "approved": n % 5 != 0,
            "close_date": day(), "start_date": day(), "end_date": day(), "next_visit": day(),
            "met_at": f"2026-{rnd.randrange(1, 13):02d}-{rnd.randrange(1, 29):02d}T08:30:00Z",
            "checked_at": f"2026-{rnd.randrange(1, 13):02d}-{rnd.randrange(1, 29):02d}T03:15:00Z",
            "opens": f"{rnd.randrange(6, 12):02d}:30", "progress": rnd.randrange(101),
            "rating": rnd.randrange(1, 6), "region": rnd.choice(SOURCES), "seats": rnd.randrange(2, 60),
            "doors": rnd.randrange(2, 6), "age": rnd.randrange(20), "visits": rnd.randrange(2_000),
            "length": f"{rnd.randrange(3, 20)}.{rnd.randrange(100):02d}", "width": "2.55",
            "height": f"{rnd.randrange(2, 4)}.{rnd.randrange(100):02d}",
            "weight": f"{rnd.randrange(1_000, 40_000)}.125", "paint": f"#{rnd.randrange(2**24):06x}",
            "tag": f"690{n:010d}", "email": f"person{n}@example.com",
            "phone": f"+8613{rnd.randrange(10**9):09d}", "private_phone": f"+8615{rnd.randrange(10**9):09d}",
            "website": f"https://example.com/machines/{n}",
            "site": {"province": "上海市", "city": "上海市", "district": "浦东新区",
                     "street": f"世纪大道{rnd.randrange(2_000)}号", "postal_code": "200120"},
            "place": {"lat": 31 + rnd.randrange(10_000) / 10_000,
                      "lng": 121 + rnd.randrange(10_000) / 10_000},
            "state": rnd.choice(KINDS), "fittings": rnd.sample(FITTINGS, 2), "channels": [rnd.choice(KINDS)],
            "code": f"C{n:06d}", "maker": f"Northwind {rnd.randrange(500)}", "series": f"S{n % 40} & more",
            "remark": "Asks for a second visit; prefers the annual plan. 希望月底前签约。",
            "city": f"城市 {n % 90}", "summary": "First line.\nA second one, <with> marks & signs.\n第三行。",
            "story": "They came in spring and liked what they saw. " * 3,
            "description": "<h2>Plan</h2><p>Two <b>visits</b>, then a <i>test drive</i>.</p><ul><li>One</li>"
                           "<li>Two</li></ul>",
            "settings": {"axles": 3, "notes": ["rear", "front"], "n": n},
        }  # fmt: skip


def visits(machine: str, n: int) -> list[dict[str, Any]]:
    """The visits of the n-th machine, as the API takes them."""
    first = dt.date(2026, 3, 1)
    return [
        {"name": f"Visit {n}-{at}", "machine": machine, "result": RESULTS[(n + at) % 3],
         "day": (first + dt.timedelta(days=n % 90 + at)).isoformat(), "amount": f"{(n + 1) * (at + 1)}.50"}
        for at in range(8)
    ]  # fmt: skip


def changes(n: int) -> list[dict[str, Any]]:
    """What was changed of the n-th machine, one edit after the other."""
    return [
        {"amount": f"{(n + 1) * 1000 + at}.25", "stage": STAGES[(n + at) % 6],
         "close_date": f"2027-0{at + 1}-11"}
        for at in range(6)
    ]  # fmt: skip


def comments(n: int, person: str) -> list[tuple[str, int | None]]:
    """What was said about the n-th machine: texts, and which earlier one each of them answers."""
    return [
        (f"They asked for offer {n}; see https://example.com/offers/{n} before Friday.", None),
        (f"<@{person}> please call them back. 谢谢！", None),
        ("Done, they want the longer one & a test drive.", 1),
        ("Good.", 1),
        ("The frame of the last one was bent, so look at it twice.\nSecond line.", None),
        ("Agreed.", 4),
        (f"Price is fine for {n}.", None),
    ]
