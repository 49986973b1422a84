"""A small organisation of which one person sees a part: objects, rights, records with a hidden side.

``OBJECTS`` and ``EXTRA`` are data: what is added there is walked by every test that asks whether something
of it can be learnt (tests/rel/noninference.py, tests/journeys/test_attacks_fields.py). Everything that the
person ``low`` may not know has ``hush`` in its name.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from models import Compact, document
from tabwright.runtime.access.rights import OPERATIONS

HUSH = "hush"


def formula(returns: str, text: str) -> dict[str, Any]:
    return {"type": "formula", "options": {"returns": returns, "formula": text}}


_LIST = {
    "options": {
        "values": [{"code": "red", "label": {"en": "Hushred"}}, {"code": "blue", "label": {"en": "Hushblue"}}]
    }
}
OBJECTS: Compact = {
    "vault": {"name": "text(80) searchable sortable", "code": "text(80) searchable"},
    "firm": {
        "name": "text(80) required searchable sortable",
        "town": "text(80) sortable",
        "parent": "lookup(firm)",
        "hush_rate": "integer",
        "hush_note": "text(80) searchable",
    },
    "anon": {"hush_title": "text(80) searchable sortable", "town": "text(80)"},
    "thing": {
        "name": "text(80) required searchable sortable",
        "stage": "picklist(open,won,lost)",
        "amount": "currency(16,2)",
        "due": "date",
        "firm": "lookup(firm)",
        "anon": "lookup(anon)",
        "vaulted": "lookup(vault)",
        "related": {"type": "polymorphic", "options": {"targets": ["firm", "vault"]}},
        "double": formula("currency", "amount * 2"),
        "firm_town": {"type": "mirror", "options": {"path": "firm.town"}},
        "firm_rate": {"type": "mirror", "options": {"path": "firm.hush_rate"}},
        "hush_text": "text(80) searchable sortable",
        "hush_long": "long_text",
        "hush_count": "integer",
        "hush_money": "currency(16,2)",
        "hush_day": "date",
        "hush_at": "datetime",
        "hush_flag": "boolean",
        "hush_kind": {"type": "picklist", **_LIST},
        "hush_kinds": {"type": "multi_picklist", **_LIST},
        "hush_mail": "email",
        "hush_phone": {"type": "phone", "options": {"mask": "phone"}},
        "hush_seal": {"type": "secret", "options": {"mask": "all"}},
        "hush_place": "geolocation",
        "hush_home": "address",
        "hush_json": "json",
        "hush_link": "lookup(vault)",
        "hush_sum": formula("currency", "hush_money * 2"),
        "hush_kept": {"type": "snapshot", "options": {"path": "firm.hush_note"}},
        "hush_parts": {
            "type": "roll_up",
            "options": {
                "relation": "part.thing", "function": "sum", "value": "hush_price", "returns": "integer",
            },
        },
    },
    "part": {
        "name": "text(80)", "thing": "master_detail(thing)", "pieces": "integer", "hush_price": "integer",
    },
    "memo": {
        "name": "text(80) searchable", "thing": "lookup(thing)", "firm": "lookup(firm)", "words": "integer",
    },
}  # fmt: skip
MINE = ("firm", "anon", "thing", "part", "memo")
WIDE = ("view_all", "modify_all", "skip_rules")
EXTRA: list[dict[str, Any]] = [
    {
        "kind": "permission_set", "name": "low", "label": {"en": "Low"}, "system": ["import"],
        "tabs": ["*"], "apps": ["*"],
        "objects": {each: [right for right in OPERATIONS if right not in WIDE] for each in MINE},
        "fields": {
            each: {"*": "edit", **{name: "none" for name in OBJECTS[each] if name.startswith(HUSH)}}
            for each in MINE
        },
    },
    {
        "kind": "list_view", "name": "thing.hush_view", "label": {"en": "Hush view"},
        "columns": ["name", "hush_text"],
        "where": "hush_count > 10", "order": [["hush_text", "asc"]],
    },
    {
        "kind": "layout", "name": "thing.main", "label": {"en": "Main"},
        "sections": [
            {"label": {"en": "All"}, "fields": list(OBJECTS["thing"])},
            {"label": {"en": "Parts"}, "fields": [], "lines": {
                "relation": "part.thing", "columns": ["name", "pieces", "hush_price"], "totals": ["pieces"]}},
        ],
        "related": [
            {"field": "memo.thing", "columns": ["name", "words", "firm.hush_note"]},
        ],
    },
]  # fmt: skip
# Mirrors of what may not be read are there in every document and absent for who may not read the other end.
ABSENT = ("firm_rate",)


class Writes(Protocol):
    """The write path, past every right."""

    def create(self, object: str, values: Mapping[str, Any]) -> Any: ...

    def delete(self, object: str, id: UUID) -> Any: ...

    def update(self, object: str, id: UUID, values: Mapping[str, Any]) -> Any: ...


@dataclass
class Planted:
    """The records: those that ``low`` may read and those that nobody tells them of, by object."""

    seen: dict[str, list[UUID]] = field(default_factory=dict)
    hidden: dict[str, list[UUID]] = field(default_factory=dict)


def secret(source: random.Random) -> str:
    """A hidden text that is found nowhere by chance."""
    return "hush" + "".join(source.choice("bcdfghjklmnpqrstvwxz") for _ in range(12))


def hidden_values(object: str, source: random.Random, vaults: Iterable[UUID] = ()) -> dict[str, Any]:
    """Values of the fields of an object that ``low`` may not read."""
    number, word = source.randint(10**8, 10**9), secret(source)
    made: dict[str, Any] = {
        "hush_rate": number, "hush_note": word, "hush_title": word, "hush_text": word, "hush_long": word * 3,
        "hush_count": source.randint(0, 40), "hush_money": f"{number}.25", "hush_price": number,
        "hush_day": f"{source.randint(1930, 1990)}-05-06", "hush_flag": source.random() < 0.5,
        "hush_at": f"{source.randint(1930, 1990)}-05-06T07:08:09Z",
        "hush_kind": source.choice(["red", "blue", None]),
        "hush_kinds": source.choice([["red"], ["blue"], ["red", "blue"], None]),
        "hush_mail": f"{word}@example.com", "hush_phone": f"138{source.randint(10**7, 10**8 - 1)}",
        "hush_seal": word, "hush_json": {"hush": word}, "hush_home": f"上海浦东新区{word}路",
        "hush_place": {"lat": source.randint(10, 40), "lng": source.randint(80, 120)},
    }  # fmt: skip
    known = [*vaults]
    if known:
        made["hush_link"] = source.choice(known)
    return {name: value for name, value in made.items() if name in OBJECTS[object]}


def plant(write: Writes, low: UUID, hidden: random.Random, later: Any = None) -> Planted:
    """The same records that ``low`` may see, and around them what ``hidden`` draws: values, and how many
    records of others there are. ``later`` is called between the two.
    """
    own, done = str(low), Planted()

    def make(object: str, values: Mapping[str, Any], *, seen: bool) -> UUID:
        extra = hidden_values(object, hidden, done.hidden.get("vault", ())[:2])
        owner = {} if object == "part" or not seen else {"owner": own}
        made: UUID = write.create(object, {**values, **extra, **owner}).id
        (done.seen if seen else done.hidden).setdefault(object, []).append(made)
        return made

    for _ in range(2):
        make("vault", {"name": secret(hidden), "code": secret(hidden)}, seen=False)
    firms = [make("firm", {"name": f"Firm {n}", "town": "Ulm"}, seen=True) for n in range(3)]
    anons = [make("anon", {"town": f"Town {n}"}, seen=True) for n in range(2)]
    for n in range(8):
        thing = make(
            "thing",
            {
                "name": f"Thing {n}", "stage": ("open", "won", "lost")[n % 3], "amount": n * 10,
                "due": f"2026-01-{n + 10}", "firm": firms[n % 3], "anon": anons[n % 2],
            },
            seen=True,
        )  # fmt: skip
        for m in range(n % 3):
            make("part", {"name": f"Part {n}.{m}", "thing": thing, "pieces": m}, seen=True)
        make("memo", {"name": f"Memo {n}", "thing": thing, "firm": firms[n % 3], "words": n}, seen=True)
    for id in done.seen["thing"]:
        write.update("thing", id, hidden_values("thing", hidden, done.hidden["vault"][:2]))
    if later is not None:
        later()
    for _ in range(hidden.randint(2, 6)):
        make("vault", {"name": secret(hidden), "code": secret(hidden)}, seen=False)
        firm = make("firm", {"name": secret(hidden), "town": secret(hidden), "parent": firms[0]}, seen=False)
        anon = make("anon", {"town": secret(hidden)}, seen=False)
        thing = make(
            "thing",
            {
                "name": secret(hidden), "stage": hidden.choice(["open", "won", "lost"]), "firm": firms[0],
                "amount": hidden.randint(1, 900), "anon": anon, "due": "2026-01-11",
            },
            seen=False,
        )  # fmt: skip
        make("part", {"name": secret(hidden), "thing": thing, "pieces": 7}, seen=False)
        for n in range(hidden.randint(0, 3)):
            memo = {"name": secret(hidden), "thing": done.seen["thing"][n], "firm": firm, "words": 3}
            make("memo", memo, seen=False)
    for object in ("thing", "memo"):  # old values and what is in the bin are hidden as well
        for id in done.hidden[object][: hidden.randint(0, 2)]:
            write.update(object, id, {"name": secret(hidden)})
            write.delete(object, id)
    return done


def admin_view() -> dict[str, Any]:
    """A document without effect on ``low``, for whoever wants another release."""
    return document("picklist", "hush_sizes", values=[{"code": "s"}])
