"""Random organisations for the oracle: made as plain data from a seed, then poured into a tenant through the
faces that everybody uses.

``make(random)`` gives facts with made-up ids; ``pour`` makes them true in a tenant and gives the same facts
with the ids that the tenant has chosen. ``access_model.AccessModel`` says what must follow from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import sqlalchemy as sa

import models
from pagesite import PASSWORD, PageSite
from tabwright.metadata.documents import read
from tabwright.people import add_person
from tabwright.runtime.access.tables import LEVELS, SHARES, below
from tabwright.runtime.records.batch import Intent

Facts = dict[str, Any]

CITIES = ("Oslo", "Lima", "Cairo", "Quito", "Hanoi")
STAGES = ("open", "won", "lost")
WORDS = ("amber", "birch", "cedar", "delta", "maple", "fjord", "grove", "heath", "inlet", "jetty")
SECRETS = ("zorvex", "quilmar", "brantol", "yexmir", "wolcryn")
RIGHTS = ("create", "edit", "delete", "view_all", "modify_all", "transfer", "share", "export", "import")
TOP = ("firm", "deal", "visit")  # objects that stand alone; the others are parts
OBJECTS = ("firm", "deal", "order", "line", "grain", "visit")
FIRST_DAY = date(2026, 3, 2)

FIELDS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "firm": {
        "name": {"as": "text(80) searchable sortable"},
        "city": {"as": "text(40) sortable"},
        "size": {"as": "integer"},
        "secret": {"as": "text(80) searchable sortable"},
        "code": {"as": "text(20) unique external_key"},
        "branch": {"as": "lookup(department)", "target": "department"},
    },
    "deal": {
        "name": {"as": "text(80) searchable sortable"},
        "firm": {"as": "lookup(firm)", "target": "firm"},
        "amount": {"as": "currency(16,2)"},
        "stage": {"as": f"picklist({','.join(STAGES)})"},
        "due": {"as": "date"},
        "hush": {"as": "text(80) searchable sortable"},
        "code": {"as": "text(20) unique external_key"},
        "town": {"as": {"type": "mirror", "options": {"path": "firm.city"}}, "path": "firm.city"},
        "loud": {
            "as": {"type": "formula", "options": {"returns": "text", "formula": "UPPER(hush)"}},
            "computed": ("upper", "hush"),
        },
        "orders": {
            "as": {
                "type": "roll_up",
                "options": {"relation": "order.deal", "function": "count", "returns": "integer"},
            },
            "computed": ("count", "order", "deal"),
        },
        "total": {
            "as": {
                "type": "roll_up",
                "options": {
                    "relation": "order.deal",
                    "function": "sum",
                    "value": "amount",
                    "returns": "currency",
                    "scale": 2,
                },
            },
            "computed": ("sum", "order", "deal", "amount"),
        },
    },
    "order": {
        "name": {"as": "text(80) searchable sortable"},
        "deal": {"as": "master_detail(deal)", "target": "deal"},
        "amount": {"as": "currency(16,2)"},
        "memo": {"as": "text(80) searchable sortable"},
    },
    "line": {
        "name": {"as": "text(80) searchable sortable"},
        "order": {"as": "master_detail(order)", "target": "order"},
        "amount": {"as": "integer"},
        "memo": {"as": "text(80) sortable"},
    },
    "grain": {
        "name": {"as": "text(80) searchable sortable"},
        "line": {"as": "master_detail(line)", "target": "line"},
        "amount": {"as": "integer"},
    },
    "visit": {
        "name": {"as": "text(80) searchable sortable"},
        "deal": {"as": "lookup(deal)", "target": "deal"},
        "firm": {"as": "lookup(firm)", "target": "firm"},
        "amount": {"as": "integer"},
        "due": {"as": "date"},
    },
}
MASTERS = {"order": "deal", "line": "order", "grain": "line"}
TITLES = {"firm": "city"}  # texts that a restriction holds against the person's title


# ---- facts -------------------------------------------------------------------------------------------------


def make(r: Random, start: datetime, people: int = 12, records: int = 24) -> Facts:
    """An organisation with so many people, and so many records of each object."""
    facts: Facts = {"departments": {}, "positions": {}, "groups": {}, "queues": {}, "users": {}}
    for n in range(4):
        up = r.choice([None, *facts["departments"]])
        facts["departments"][f"department{n}"] = {"code": _code(r, f"D{n}"), "parent": up}
    for n in range(8):
        ups = list(facts["positions"])
        facts["positions"][f"position{n}"] = {
            "code": _code(r, f"P{n}"),
            # Trees of up to six levels: the last positions hang on the ones before them.
            "parent": r.choice([*ups[-2:], None]) if ups else None,
            "matrix": r.choice([None, None, *ups]),
        }
    for n in range(6):
        # The last two share a code but for its case: a rule names both.
        facts["groups"][f"group{n}"] = {"code": ("g4" if n == 5 else "G4") if n > 3 else _code(r, f"G{n}")}
    for n in range(3):
        facts["queues"][f"queue{n}"] = {
            "code": _code(r, f"Q{n}"), "access": r.choice([None, "read", "edit", "full"]),
            "name": f"Queue {n}", "deleted": False,
        }  # fmt: skip
    for n in range(people):
        facts["users"][f"user{n}"] = {
            "name": f"Person {n}",
            "address": f"Person.{n}@example.com",
            "title": r.choice([None, *CITIES]),
            "position": r.choice([None, *facts["positions"]]),
            "department": r.choice([None, *facts["departments"]]),
            "active": n < people - 2,
            "deleted": n == people - 1,
        }
    users = list(facts["users"])
    facts["holders"] = sorted(
        {(r.choice(users[:-1]), r.choice(list(facts["positions"]))) for _ in range(people // 3)}
    )
    facts["lines"] = list(_lines(r, facts))
    facts["sets"] = {f"set{n}": _set(r) for n in range(7)}
    for line in facts["lines"]:
        if line["user"] is not None and facts["users"][line["user"]]["deleted"]:
            line["user"] = None  # who is deleted is a member of nothing, and holds no rights
    facts["assignments"] = list(_assignments(r, facts, start))
    facts["objects"] = {name: _object(r, facts, name) for name in OBJECTS}
    facts["records"] = {name: {} for name in OBJECTS}
    for name in OBJECTS:
        for n in range(records):
            facts["records"][name][f"{name}{n}"] = _record(r, facts, name, n)
    facts["orphans"] = {"order": 3, "grain": 2}
    for name, many in facts["orphans"].items():
        for n in range(many):
            row = _record(r, facts, name, records + n)
            row |= {MASTERS[name]: None, "owner": r.choice([*users, *facts["queues"]])}
            facts["records"][name][f"orphan_{name}{n}"] = row
    facts["shares"] = list(_shares(r, facts, start, records))
    return facts


def _code(r: Random, code: str) -> str | None:
    return r.choice([code, code.lower(), None])


def _lines(r: Random, facts: Facts) -> Iterator[dict[str, Any]]:
    seen = set()
    for _ in range(16):
        of = r.choice([*facts["groups"], *facts["groups"], *facts["queues"]])
        line: dict[str, Any] = {"of": of, "user": None, "members_of": None, "position": None, "below": False}
        what = r.choice(("user", "user", "members_of", "position"))
        pool = {"user": "users", "members_of": "groups", "position": "positions"}[what]
        line[what] = r.choice(list(facts[pool])[:-1])
        if what == "position":
            line["below"] = r.random() < 0.5
        if (of, line[what]) not in seen:
            seen.add((of, line[what]))
            yield line


def _set(r: Random) -> dict[str, Any]:
    objects: dict[str, list[str]] = {}
    fields: dict[str, dict[str, str]] = {}
    if r.random() < 0.4:
        objects["*"] = r.choice([["read"], ["read", "edit"], ["create", "read", "edit", "delete"]])
    for name in OBJECTS:
        chance = r.random()
        if chance < 0.55:
            objects[name] = ["read", *(each for each in RIGHTS if r.random() < _chance(each))]
        elif chance < 0.65:
            objects[name] = ["read"]
        if r.random() < 0.6:
            words = {"*": r.choice(("read", "edit", "edit"))} if r.random() < 0.85 else {"name": "read"}
            for field in FIELDS[name]:
                if r.random() < 0.2:
                    words[field] = r.choice(("none", "none", "read", "edit"))
            fields[name] = words
    if r.random() < 0.5:
        fields["*"] = {"*": r.choice(("read", "edit")), **({"amount": "none"} if r.random() < 0.3 else {})}
    return {
        "system": ["import"],
        "objects": objects,
        "fields": fields,
        "record_types": r.choice([{"*": ["*"]}, {"firm": ["big"]}, {}]),
    }


def _chance(right: str) -> float:
    return {"view_all": 0.12, "modify_all": 0.06, "transfer": 0.4, "create": 0.7, "edit": 0.7}.get(right, 0.5)


def _assignments(r: Random, facts: Facts, start: datetime) -> Iterator[dict[str, Any]]:
    for user in (user for user, row in facts["users"].items() if not row["deleted"]):
        for name in r.sample(sorted(facts["sets"]), r.choice((1, 2, 2, 3))):
            hours = r.choice((None, None, None, -5, 5, 30))
            expires = None if hours is None else start + timedelta(hours=hours)
            yield {"user": user, "set": name, "expires": expires}


def _object(r: Random, facts: Facts, name: str) -> dict[str, Any]:
    is_part = name in MASTERS
    return {
        "sharing": "private" if is_part else r.choice(("private", "private", "private", "read", "edit")),
        "hierarchy": r.choice(("off", "read", "edit", "edit")),
        "fields": FIELDS[name],
        "master": MASTERS.get(name),
        "parent_read": is_part and r.random() < 0.4,
        "record_types": ["big", "small"] if name == "firm" else [],
        "sharing_rules": [] if is_part else [_rule(r, facts, name, n) for n in range(r.choice((0, 1, 2, 3)))],
        "restrictions": [] if is_part else list(_restrictions(r, facts, name)),
    }


def _rule(r: Random, facts: Facts, name: str, n: int) -> dict[str, Any]:
    rule: dict[str, Any] = {"name": f"{name}.rule{n}", "access": r.choice(("read", "edit"))}
    rule["to"] = [_grantee(r, facts, True) for _ in range(r.choice((1, 1, 2)))]
    if r.random() < 0.5:
        rule["when"] = _condition(r, name)
    else:
        rule["owned_by"] = [_grantee(r, facts, False) for _ in range(r.choice((1, 1, 2)))]
    return rule


def _grantee(r: Random, facts: Facts, everyone: bool) -> dict[str, Any]:
    """Whom a rule names; by code in any case of letters, or by id."""
    kinds = ["group", "group", "position", "department", "queue", "user", *(["everyone"] if everyone else [])]
    kind = r.choice(kinds)
    if kind == "everyone":
        return {"kind": kind}
    table = facts[{"user": "users"}.get(kind, kind + "s")]
    id = r.choice(list(table))
    code = table[id]["address" if kind == "user" else "code"]
    found: dict[str, Any] = {"kind": kind, "key": r.choice([code.lower(), code.upper(), id]) if code else id}
    if kind in ("position", "department") and r.random() < 0.5:
        found["below"] = True
    return found


def _condition(r: Random, name: str) -> tuple[Any, ...]:
    choices: list[tuple[Any, ...]] = [("over", "amount", r.choice((10, 40)))]
    if name == "firm":
        choices = [
            ("is", "city", r.choice(CITIES)), ("over", "size", 40), ("inverse", "size", 1),
            ("not", ("inverse", "size", 1)), ("blank", "city"), ("not", ("is", "city", r.choice(CITIES))),
        ]  # fmt: skip
    if name == "deal":
        choices += [
            ("pick", "stage", r.choice(STAGES)), ("not", ("pick", "stage", r.choice(STAGES))),
            ("and", ("over", "amount", 20), ("pick", "stage", r.choice(STAGES))),
            ("or", ("over", "amount", 80), ("blank", "stage")),
        ]  # fmt: skip
    return r.choice(choices)


def _restrictions(r: Random, facts: Facts, name: str) -> Iterator[dict[str, Any]]:
    for n in range(r.choice((0, 0, 1, 1, 2))):
        condition: tuple[Any, ...] = ("not", _condition(r, name))
        if name == "firm" and r.random() < 0.6:
            condition = r.choice([("mine", "city", "title"), ("mine", "branch", "department")])
        if name != "firm" and r.random() < 0.2:
            condition = ("or", ("mine", "owner", "id"), _condition(r, name))
        sets = r.sample(sorted(facts["sets"]), r.choice((1, 2)))
        yield {
            "name": f"{name}.limit{n}",
            "condition": condition,
            "applies_to": None if r.random() < 0.15 else sets,
        }


def _record(r: Random, facts: Facts, name: str, n: int) -> dict[str, Any]:
    row: dict[str, Any] = {"deleted": False, "record_type": None}
    row["name"] = f"{r.choice(WORDS)} {name} {n}".title()
    owners = list(facts["users"])
    row["owner"] = r.choice([*owners, *owners, *facts["queues"]])
    for field, about in FIELDS[name].items():
        if field == "name" or "computed" in about or "path" in about:
            continue
        row[field] = _value(r, facts, name, field, n)
    if name in MASTERS:
        row["owner"] = facts["records"][MASTERS[name]][row[MASTERS[name]]]["owner"]
    if name == "firm":
        row["record_type"] = r.choice(("big", "small"))
    return row


def _value(r: Random, facts: Facts, name: str, field: str, n: int) -> Any:
    about = FIELDS[name][field]
    blank = r.random() < 0.2
    if "target" in about:
        target = about["target"]
        pool = facts["departments"] if target == "department" else facts["records"][target]
        chosen = r.choice(list(pool))
        return None if blank and MASTERS.get(name) != field else chosen
    if field == "code":
        return f"{name}-{n}"
    if blank:
        return None
    if field == "city":
        return r.choice(CITIES)
    if field == "stage":
        return r.choice(STAGES)
    if field == "due":
        return (FIRST_DAY + timedelta(days=r.randrange(28))).isoformat()
    if field in ("secret", "hush", "memo"):
        return r.choice(SECRETS)
    return r.choice((0, 1, 7, 15, 30, 45, 60, 90))


def _shares(r: Random, facts: Facts, start: datetime, records: int) -> Iterator[dict[str, Any]]:
    seen = set()
    for name in TOP:
        for _ in range(records // 2):
            row = {
                "object": name,
                "record": r.choice(list(facts["records"][name])),
                "grantee": _group(r, facts),
                "level": r.choice(("read", "edit", "full")),
                "expires": r.choice([None, start + timedelta(hours=6), start + timedelta(hours=40)]),
            }
            if (row["record"], row["grantee"]) not in seen:
                seen.add((row["record"], row["grantee"]))
                yield row


def _group(r: Random, facts: Facts) -> tuple[str, str]:
    kind = r.choice(("user", "group", "position", "+position", "department", "+department", "queue"))
    return kind, r.choice(list(facts[kind.strip("+") + "s"]))


# ---- what it is in documents -------------------------------------------------------------------------------


def text_of(condition: tuple[Any, ...]) -> str:
    """A condition as a formula."""
    what = condition[0]
    match what:
        case "not":
            return f"NOT({text_of(condition[1])})"
        case "and" | "or":
            return f"{what.upper()}({', '.join(map(text_of, condition[1:]))})"
        case "is":
            return f'{condition[1]} = "{condition[2]}"'
        case "pick":
            return f'ISPICKVAL({condition[1]}, "{condition[2]}")'
        case "over":
            return f"{condition[1]} > {condition[2]}"
        case "inverse":
            return f"60 / {condition[1]} > {condition[2]}"
        case "blank":
            return f"ISBLANK({condition[1]})"
    return f"{condition[1]} = $User.{condition[2]}"


def documents(facts: Facts) -> Iterator[Mapping[str, Any]]:
    """Everything of the facts that is metadata."""
    for name in OBJECTS:
        about = facts["objects"][name]
        body: dict[str, Any] = {"name_field": "name"}
        if name not in MASTERS:
            body |= {"sharing": about["sharing"], "hierarchy": about["hierarchy"]}
        yield {"kind": "object", "name": name, **body}
        for field, each in FIELDS[name].items():
            given = models.field_body(each["as"])
            if field == MASTERS.get(name) and about["parent_read"]:
                given["options"] = {**given["options"], "access": "parent_read"}
            yield {"kind": "field", "name": f"{name}.{field}", **given}
        for kind in about["record_types"]:
            yield {"kind": "record_type", "name": f"{name}.{kind}"}
        for rule in about["sharing_rules"]:
            given = {key: value for key, value in rule.items() if key != "when"}
            if "when" in rule:
                given["when"] = text_of(rule["when"])
            yield {"kind": "sharing_rule", **given}
        for rule in about["restrictions"]:
            given = {"name": rule["name"], "condition": text_of(rule["condition"])}
            if rule["applies_to"] is not None:
                given["applies_to"] = rule["applies_to"]
            yield {"kind": "restriction_rule", **given}
    for name, body in facts["sets"].items():
        yield {"kind": "permission_set", "name": name, "tabs": ["*"], "apps": ["*"], **body}


def documents_of_orphans(facts: Facts) -> Iterator[Mapping[str, Any]]:
    """The objects whose records came before they were parts."""
    for name in facts["orphans"]:
        yield {"kind": "object", "name": name, "name_field": "name"}
        yield {"kind": "field", "name": f"{name}.name", **models.field_body(FIELDS[name]["name"]["as"])}


# ---- made true ---------------------------------------------------------------------------------------------


def renamed(value: Any, ids: Mapping[str, str]) -> Any:
    """The same facts under other ids."""
    if isinstance(value, str):
        return ids.get(value, value)
    if isinstance(value, dict):
        return {renamed(key, ids): renamed(each, ids) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(renamed(each, ids) for each in value)
    return value


class Poured:
    """An organisation in a tenant: ``facts`` are what is true there, as far as this has changed it."""

    def __init__(self, site: PageSite, facts: Facts) -> None:
        self.site = site
        self._ids: dict[str, str] = {}
        self._people(facts)
        self.publish(documents_of_orphans(facts))
        for name in facts["orphans"]:
            rows = {key: row for key, row in facts["records"][name].items() if row[MASTERS[name]] is None}
            self._made(name, {key: {"name": row["name"], "owner": row["owner"]} for key, row in rows.items()})
        self.publish(documents(renamed(facts, self._ids)))
        for name in OBJECTS:
            rows = facts["records"][name]
            late = {key: _given(row) for key, row in rows.items() if key not in self._ids}
            self._made(name, late)
            known = [key for key in rows if key not in late]
            self._apply(
                name,
                [
                    Intent("update", UUID(self._ids[key]), renamed(_given(rows[key], False), self._ids))
                    for key in known
                ],
            )
        self.facts: Facts = renamed(facts, self._ids)
        for name in OBJECTS:
            for id, row in self.facts["records"][name].items():
                row["id"] = id
        self._assigned()
        for share in self.facts["shares"]:
            self.share(share)
        for id, row in self.facts["users"].items():
            if row["deleted"]:
                site.records.delete("user", UUID(id))
            elif not row["active"]:
                site.records.update("user", UUID(id), {"active": False})

    def publish(self, documents: Iterable[Mapping[str, Any]], gone: Iterable[tuple[str, str]] = ()) -> None:
        """Make a release with these on top of what is in force, without those that are ``gone``."""
        found = [
            read(
                {
                    "uid": models.uid_of(each["kind"], each["name"]),
                    "label": models.labels(each["name"]),
                    **each,
                }
            )
            for each in documents
        ]
        self.site.release(found, [models.uid_of(kind, name) for kind, name in gone])

    def _people(self, facts: Facts) -> None:
        lines = [("department", {"parent": "parent"}), ("position", {"parent": "parent"}), ("group", {})]
        for kind, links in lines:
            for key, row in facts[kind + "s"].items():
                values: dict[str, Any] = {"name": key, "code": row["code"]}
                values |= {field: row[name] for field, name in links.items()}
                if kind == "position":
                    values["matrix_parent"] = row["matrix"]
                self._made(kind, {key: values})
        self._made(
            "queue",
            {
                key: {"name": row["name"], "code": row["code"], "member_access": row["access"]}
                for key, row in facts["queues"].items()
            },
        )
        for key, row in facts["users"].items():
            values = {"language": "en", **{n: row[n] for n in ("title", "position", "department")}}
            id = add_person(
                self.site.site, self.site.location, name=row["name"], address=row["address"],
                password=PASSWORD, values=renamed(values, self._ids),
            )  # fmt: skip
            self._ids[key] = id.hex
        holders = facts["holders"]
        self._made("position_holder", {f"holder{n}": {"user": u, "position": p}
                                       for n, (u, p) in enumerate(holders)})  # fmt: skip
        for n, line in enumerate(facts["lines"]):
            kind = "group" if line["of"] in facts["groups"] else "queue"
            values = {key: value for key, value in line.items() if key != "of" and value is not None}
            self._made(f"{kind}_member", {f"member{n}": {kind: line["of"], **values}})

    def _made(self, object: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        if not rows:
            return
        found = self._apply(
            object, [Intent("create", values=renamed(row, self._ids)) for row in rows.values()]
        )
        self._ids.update({key: each.hex for key, each in zip(rows, found, strict=True)})

    def _apply(self, object: str, intents: Iterable[Intent]) -> list[UUID]:
        outcome = self.site.records.apply(object, list(intents))
        return [each.id for each in outcome.rows if each.id is not None]

    def _assigned(self) -> None:
        uids = {each.name: each.uid for each in self.site.call.model.permission_sets.values()}
        intents = []
        for each in self.facts["assignments"]:
            expires = None if each["expires"] is None else each["expires"].isoformat()
            values = {"user": each["user"], "permission_set": uids[each["set"]], "expires_at": expires}
            intents.append(Intent("create", values=values))
        self._apply("permission_assignment", intents)

    def share(self, share: Mapping[str, Any]) -> None:
        """Share a record as the platform: what is in the facts becomes true."""
        kind, id = share["grantee"]
        grantee = UUID(id) if not kind.startswith("+") else below(UUID(id))
        row = {
            "record_id": UUID(share["record"]), "grantee": grantee,
            "object": self.site.call.model.objects[share["object"]].uid, "level": LEVELS[share["level"]],
            "role": "", "reason": "", "expires_at": share["expires"],
            "created_at": self.site.site.clock.now(), "created_by": UUID(int=0),
        }  # fmt: skip
        with self.site.call.tenant.store.write() as writer:
            writer.execute(sa.insert(SHARES), row)

    # ---- changes -----------------------------------------------------------------------------------

    def change(self, r: Random) -> None:
        """Let the organisation, its records and the time move on, as the platform or an admin would do it."""
        for name in ("firm", "deal", "order", "visit"):
            for id in r.sample(self._alive(name), 2):
                if not self.facts["records"][name][id]["deleted"]:
                    self.site.records.delete(name, UUID(id))
                    self._gone(name, id)
        for name in TOP:
            for id in r.sample(self._alive(name), 4):
                owner = r.choice([*self._people_now(), *self.facts["queues"]])
                self.site.records.update(name, UUID(id), {"owner": owner})
                self._given_to(name, id, owner)
        self._reorganise(r)
        for share in _shares(r, self.facts, self.site.site.clock.now(), 6):
            known = [(each["record"], each["grantee"]) for each in self.facts["shares"]]
            if (share["record"], share["grantee"]) not in known:
                self.facts["shares"].append(share)
                self.share(share)
        self._rules(r)
        self.site.site.clock.advance(r.choice((timedelta(hours=7), timedelta(hours=33))))  # type: ignore[attr-defined]

    def _people_now(self) -> list[str]:
        return [id for id, row in self.facts["users"].items() if row["active"] and not row["deleted"]]

    def _alive(self, name: str) -> list[str]:
        return [id for id, row in self.facts["records"][name].items() if not row["deleted"]]

    def _gone(self, name: str, id: str) -> None:
        """A record is in the bin: its parts with it, and what named it names nothing."""
        self.facts["records"][name][id]["deleted"] = True
        for other, fields in FIELDS.items():
            for field, about in fields.items():
                if about.get("target") != name:
                    continue
                for each, row in self.facts["records"][other].items():
                    if row[field] == id and not row["deleted"]:
                        if MASTERS.get(other) == field:
                            self._gone(other, each)
                        else:
                            row[field] = None

    def _given_to(self, name: str, id: str, owner: str) -> None:
        """A record has another owner, and living parts follow."""
        self.facts["records"][name][id]["owner"] = owner
        for part, master in MASTERS.items():
            if FIELDS[part][master]["target"] == name:
                for each, row in self.facts["records"][part].items():
                    if row[master] == id and not row["deleted"]:
                        self._given_to(part, each, owner)

    def _reorganise(self, r: Random) -> None:
        """People move, and so do positions with all below them; groups and queues change."""
        facts, update = self.facts, self.site.records.update
        for user in r.sample(self._people_now(), 3):
            position, department = (
                r.choice([None, *facts["positions"]]),
                r.choice([None, *facts["departments"]]),
            )
            update("user", UUID(user), {"position": position, "department": department})
            facts["users"][user] |= {"position": position, "department": department}
        for line, field in (("parent", "parent"), ("matrix", "matrix_parent")):
            one, other = r.sample(list(facts["positions"]), 2)
            rows = facts["positions"]
            below = any(each == one for each in _line_above(rows, other, line))
            if not below and one != other:
                update("position", UUID(one), {field: other})
                rows[one][line] = other
        queue = r.choice(list(facts["queues"]))
        facts["queues"][queue]["access"] = r.choice(("read", "edit", "full"))
        update("queue", UUID(queue), {"member_access": facts["queues"][queue]["access"]})
        groups = list(facts["groups"])
        nested = {"of": groups[0], "user": None, "members_of": groups[-1], "position": None, "below": False}
        if not any(each["of"] == groups[0] and each["members_of"] == groups[-1] for each in facts["lines"]):
            self.site.records.create("group_member", {"group": groups[0], "members_of": groups[-1]})
            facts["lines"].append(nested)

    def _rules(self, r: Random) -> None:
        """A release with another default, other rules and restrictions for one object."""
        name = r.choice(TOP)
        before = self.facts["objects"][name]
        held = [[rule["name"] for rule in before[kind]] for kind in ("sharing_rules", "restrictions")]
        fresh = _object(r, self.facts, name)
        fresh = {**fresh, "sharing_rules": [*before["sharing_rules"][1:], *fresh["sharing_rules"][:1]]}
        for number, rule in enumerate(fresh["sharing_rules"]):
            rule["name"] = f"{name}.rule{number}"
        self.facts["objects"][name] = fresh
        stay = {each["name"] for each in (*fresh["sharing_rules"], *fresh["restrictions"])}
        gone = [("sharing_rule", each) for each in held[0] if each not in stay]
        gone += [("restriction_rule", each) for each in held[1] if each not in stay]
        self.publish(documents(self.facts), gone)


def _line_above(rows: Mapping[str, Any], id: str, line: str) -> Iterator[str]:
    at = rows[id][line]
    seen: set[str] = set()
    while at is not None and at not in seen:
        seen.add(at)
        yield at
        at = rows[at][line]


def _given(row: Mapping[str, Any], with_owner: bool = True) -> dict[str, Any]:
    skipped = {"deleted", "id", *(() if with_owner else ("owner",))}
    found = {key: value for key, value in row.items() if key not in skipped and value is not None}
    return found
