"""Who may see and do what, by brute force: set logic over plain data, for the oracle (R1).

It shares no code with the product and imports nothing of it. It walks everything at each question and keeps
what it found. The semantics are decision 0038, with 0014 (rights) and 0021 (parts); ``facts`` is what
``organisations.py`` makes: dicts, lists and sets of ids (32 hex digits), names and values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Facts = Mapping[str, Any]

SYSTEM = ("id", "owner", "record_type", "created_at", "created_by", "updated_at", "updated_by", "revision")
LEVEL = {"off": 0, "read": 1, "edit": 2, "full": 3}
WORD = {"none": 0, "read": 1, "edit": 2}
IMPLIED = {
    "modify_all": {"view_all", "edit", "delete", "transfer"},
    "view_all": {"read"},
    "edit": {"read"},
    "delete": {"read"},
}
DIRECTORY = ("user", "queue")  # everybody reads id and name of these
BASE = (*DIRECTORY, "department")  # rights on these are always named, and no set here names them


@dataclass(frozen=True)
class Who:
    """Somebody who asks: a user, by a token with a scope (object -> operations) or without."""

    user: str
    scope: tuple[tuple[str, frozenset[str]], ...] | None = None


class Unknown(Exception):
    """A name that this person may not use: as if there were none."""


def closed_over(rights: Iterable[str]) -> set[str]:
    """Rights with all that they imply."""
    found = set(rights)
    while True:
        more = set().union(*(IMPLIED.get(each, set()) for each in found)) - found
        if not more:
            return found
        found |= more


class AccessModel:
    """Answers about one state of an organisation at one moment."""

    def __init__(self, facts: Facts, now: datetime) -> None:
        self.facts, self.now = facts, now
        self._rights: dict[Any, set[str]] = {}
        self._fields: dict[Any, str] = {}
        self._groups: dict[str, set[tuple[str, str]]] = {}
        self._may: dict[Any, bool] = {}

    # ---- rights ------------------------------------------------------------------------------------

    def sets(self, user: str) -> list[str]:
        """The permission sets that somebody holds now."""
        held = (
            each["set"]
            for each in self.facts["assignments"]
            if each["user"] == user and (each["expires"] is None or each["expires"] > self.now)
        )
        return sorted(set(held))

    def system_rights(self, who: Who) -> set[str]:
        found = set().union(*(self.facts["sets"][name]["system"] for name in self.sets(who.user)))
        return found if who.scope is None else set()

    def rights(self, who: Who, object: str) -> set[str]:
        """What somebody may do with an object at all."""
        if (who, object) not in self._rights:
            found: set[str] = set()
            for name in self.sets(who.user):
                body = self.facts["sets"][name]
                named = body["objects"].get(object)
                if named is None:
                    named = () if object in BASE else body["objects"].get("*", ())
                found |= closed_over(named)
            if who.scope is not None:
                scope = dict(who.scope)
                found &= closed_over(scope.get(object, scope.get("*", ())))
            if object in DIRECTORY:
                found |= {"read"}
            self._rights[who, object] = found
        return self._rights[who, object]

    def field_right(self, who: Who, object: str, field: str) -> str:
        """none, read or edit."""
        key = (who, object, field)
        if key not in self._fields:
            self._fields[key] = self._field_right(who, object, field)
        return self._fields[key]

    def _field_right(self, who: Who, object: str, field: str) -> str:
        rights = self.rights(who, object)
        if object in BASE:
            return "read" if object in DIRECTORY and field in ("id", "name") else "none"
        if "read" not in rights:
            return "none"
        about = self.facts["objects"][object]
        if field in SYSTEM:
            word = "edit" if field in ("owner", "record_type") else "read"
            if field == "owner" and about["master"] is not None:
                word = "read"
        else:
            if field not in about["fields"]:
                return "none"
            words = (self._word(name, object, field) for name in self.sets(who.user))
            word = max(words, key=WORD.__getitem__, default="none")
            path = about["fields"][field].get("path")
            if path is not None and word != "none" and not self._whole_path(who, object, path):
                word = "none"
            if "computed" in about["fields"][field] and word == "edit":
                word = "read"
        if word == "edit" and not rights & {"create", "edit"}:
            word = "read"
        return word

    def _word(self, name: str, object: str, field: str) -> str:
        words = self.facts["sets"][name]["fields"]
        for one, other in ((object, field), (object, "*"), ("*", field), ("*", "*")):
            if other in words.get(one, {}):
                return str(words[one][other])
        return "none"

    def _whole_path(self, who: Who, object: str, path: str) -> bool:
        for name in path.split("."):
            if "read" not in self.rights(who, object) or self.field_right(who, object, name) == "none":
                return False
            object = self.target(object, name) or object
        return True

    def readable_fields(self, who: Who, object: str) -> set[str]:
        names = (*SYSTEM, *self.facts["objects"][object]["fields"])
        return {name for name in names if self.field_right(who, object, name) != "none"}

    def target(self, object: str, field: str) -> str | None:
        """What a lookup leads to; of an owner, users (queues are asked beside)."""
        if field in ("owner", "created_by", "updated_by"):
            return "user"
        found = self.facts["objects"][object]["fields"].get(field, {}).get("target")
        return None if found is None else str(found)

    def record_types(self, who: Who, object: str) -> set[str]:
        """The record types with which somebody makes records."""
        all = set(self.facts["objects"][object]["record_types"])
        found: set[str] = set()
        for name in self.sets(who.user):
            words = self.facts["sets"][name]["record_types"]
            given = words.get(object, words.get("*", ()))
            found |= all if "*" in given else all & set(given)
        return found

    # ---- people ------------------------------------------------------------------------------------

    def positions(self, user: str) -> set[str]:
        own = self.facts["users"][user]["position"]
        found = {position for holder, position in self.facts["holders"] if holder == user}
        return {each for each in found | {own} if each in self.facts["positions"]}

    def above(self, kind: str, id: str, line: str) -> set[str]:
        """What stands above in one tree."""
        found: set[str] = set()
        at = self.facts[kind][id][line]
        while at is not None and at in self.facts[kind] and at not in found:
            found.add(at)
            at = self.facts[kind][at][line]
        return found

    def chiefs(self, position: str) -> set[str]:
        """The positions above one, by either line walked for itself."""
        return self.above("positions", position, "parent") | self.above("positions", position, "matrix")

    def groups(self, user: str) -> set[tuple[str, str]]:
        """Everything that names this user: (kind, id), with "+" where it is by what is below."""
        if user not in self._groups:
            found = {("user", user), ("everyone", "")}
            for each in self.positions(user):
                found.add(("position", each))
                found |= {("+position", up) for up in {each} | self.chiefs(each)}
            department = self.facts["users"][user]["department"]
            if department in self.facts["departments"]:
                found.add(("department", department))
                ups = {department} | self.above("departments", department, "parent")
                found |= {("+department", up) for up in ups}
            for kind in ("group", "queue"):
                for id in self.facts[kind + "s"]:
                    if user in self.people(kind, id):
                        found.add((kind, id))
            self._groups[user] = found
        return self._groups[user]

    def people(self, kind: str, id: str, seen: frozenset[str] = frozenset()) -> set[str]:
        """Everybody in a group or queue, through groups in it."""
        if id in seen:
            return set()
        found: set[str] = set()
        for line in self.facts["lines"]:
            if line["of"] != id:
                continue
            if line["user"] is not None:
                found.add(line["user"])
            if line["members_of"] in self.facts["groups"]:
                found |= self.people("group", line["members_of"], seen | {id})
            for user in self.facts["users"] if line["position"] is not None else ():
                for held in self.positions(user):
                    below = line["below"] and line["position"] in self.chiefs(held)
                    if held == line["position"] or below:
                        found.add(user)
        return found

    def named(self, grantee: Mapping[str, Any]) -> set[tuple[str, str]]:
        """The people that a rule names, by code (folded) or id."""
        kind, key = grantee["kind"], str(grantee.get("key", "")).strip().lower()
        if kind == "everyone":
            return {("everyone", "")}
        table = self.facts[{"user": "users"}.get(kind, kind + "s")]
        word = "address" if kind == "user" else "code"
        return {
            (("+" if grantee.get("below") else "") + kind, id)
            for id, row in table.items()
            if key in (id, str(row[word] or "").strip().lower())
        }

    # ---- records -----------------------------------------------------------------------------------

    def may(self, who: Who, object: str, id: str, operation: str) -> bool:
        """Whether somebody may read, edit, delete, share a record or give it away; in the bin or not."""
        key = (who, object, id, operation)
        if key not in self._may:
            self._may[key] = self._decide(who, object, self.facts["records"][object][id], operation)
        return self._may[key]

    def _decide(self, who: Who, object: str, record: Mapping[str, Any], operation: str) -> bool:
        rights, is_part = self.rights(who, object), self.facts["objects"][object]["master"] is not None
        needed = "edit" if operation == "transfer" else operation
        if needed not in rights or (is_part and operation in ("transfer", "share")):
            return False
        if "modify_all" in rights:
            return True
        if is_part:
            return self._may_part(who, object, record, operation)
        if self.is_closed(who, object, record):
            return False
        if operation == "read" and "view_all" in rights:
            return True
        wanted = {"read": 1, "edit": 2}.get(operation, 3)
        if operation == "transfer" and "transfer" in rights:
            wanted = 2
        return self.level(who, object, record) >= wanted

    def _may_part(self, who: Who, object: str, record: Mapping[str, Any], operation: str) -> bool:
        about = self.facts["objects"][object]
        parent_object, reads = self.target(object, about["master"]), about["parent_read"]
        assert parent_object is not None
        if self.is_closed(who, object, record):
            return False
        if operation == "read" and "view_all" in self.rights(who, object):
            return True
        needed = "read" if operation == "read" or reads else "edit"
        parent = self.facts["records"][parent_object].get(record.get(about["master"]) or "")
        if parent is not None:
            # A part in the bin keeps the owner that it had; whom a restriction touches asks the parent.
            copied = {} if self.is_limited(who, parent_object) else {"owner": record["owner"]}
            return self._decide(who, parent_object, {**parent, **copied}, needed)
        return self._decide(who, parent_object, orphan_of(record["owner"]), needed)

    def is_closed(self, who: Who, object: str, record: Mapping[str, Any]) -> bool:
        """Whether a restriction closes a record, or the one that it is a part of."""
        if "modify_all" in self.rights(who, object):
            return False
        about = self.facts["objects"][object]
        if about["master"] is not None:
            parent_object = self.target(object, about["master"])
            assert parent_object is not None
            parent = self.facts["records"][parent_object].get(record.get(about["master"]) or "")
            return self.is_closed(who, parent_object, parent or orphan_of(record["owner"]))
        me = {"id": who.user, **self.facts["users"][who.user]}
        held = set(self.sets(who.user))
        for each in about["restrictions"]:
            if each["applies_to"] is None or held & set(each["applies_to"]):
                if record.get("orphan") or holds(each["condition"], record, me) is not True:
                    return True
        return False

    def is_limited(self, who: Who, object: str) -> bool:
        """Whether a restriction on an object, or on what it is a part of, touches somebody."""
        if "modify_all" in self.rights(who, object):
            return False
        about, held = self.facts["objects"][object], set(self.sets(who.user))
        if about["master"] is not None:
            return self.is_limited(who, str(self.target(object, about["master"])))
        limits = [each["applies_to"] for each in about["restrictions"]]
        return any(each is None or held & set(each) for each in limits)

    def level(self, who: Who, object: str, record: Mapping[str, Any]) -> int:
        """The highest level that something opens: 0 none, 1 read, 2 edit, 3 everything."""
        return max((level for _, level in self.ways(who, object, record)), default=0)

    def ways(self, who: Who, object: str, record: Mapping[str, Any]) -> list[tuple[str, int]]:
        """What leads to a record (not of a part), each with its level."""
        about, user = self.facts["objects"][object], who.user
        mine, owner = self.groups(user), record["owner"]
        found = [("default", {"private": 0, "read": 1, "edit": 2}[about["sharing"]])]
        if owner == user:
            found.append(("owner", 3))
        if owner in self.facts["queues"] and ("queue", owner) in mine:
            found.append(("queue", LEVEL[self.facts["queues"][owner]["access"] or "full"]))
        if owner in self.facts["users"]:
            over = set().union(*(self.chiefs(each) for each in self.positions(owner)))
            if over & self.positions(user):
                found.append(("hierarchy", LEVEL[about["hierarchy"]]))
        for rule in about["sharing_rules"]:
            if not any(self.named(each) & mine for each in rule["to"]):
                continue
            if "when" in rule:
                fits = not record.get("orphan") and holds(rule["when"], record, {}) is True
            else:
                names = set().union(*(self.named(each) for each in rule["owned_by"]))
                whose = self.groups(owner) if owner in self.facts["users"] else {("queue", owner)}
                if owner in self.facts["users"]:  # a queue means itself, not its members
                    whose = {each for each in whose if each[0] != "queue"}
                fits = owner is not None and bool(names & whose)
            if fits:
                found.append((f"rule {rule['name']}", LEVEL[rule["access"]]))
        for share in self.facts["shares"]:
            lasts = share["expires"] is None or share["expires"] > self.now
            if share["record"] == record.get("id") and lasts and tuple(share["grantee"]) in mine:
                found.append(("share", LEVEL[share["level"]]))
        return found

    def told(self, who: Who, object: str, id: str) -> str:
        """The smallest facts about one record, for a report of a disagreement."""
        about, record = self.facts["objects"][object], self.facts["records"][object][id]
        said = [f"{object} {id} owner={record['owner']} deleted={record['deleted']}"]
        said += [f"rights={sorted(self.rights(who, object))} sets={self.sets(who.user)} scope={who.scope}"]
        said += [f"closed={self.is_closed(who, object, record)}"]
        if about["master"] is None:
            said += [f"ways={self.ways(who, object, record)} of sharing={about['sharing']}"]
        else:
            above = self.target(object, about["master"])
            parent = record[about["master"]]
            said += [f"parent_read={about['parent_read']} part of {above} {parent}"]
            if above is not None and parent in self.facts["records"][above]:
                said += [self.told(who, above, parent)]
        return "; ".join(said)

    # ---- what is shown -----------------------------------------------------------------------------

    def visible(self, who: Who, object: str) -> set[str]:
        """The living records that somebody may read."""
        found = self.facts["records"][object].items()
        return {id for id, row in found if not row["deleted"] and self.may(who, object, id, "read")}

    def resolve(self, who: Who, object: str, path: str) -> None:
        """Raises Unknown for a path that may not be named."""
        *hops, last = path.split(".")
        for hop in hops:
            if self.field_right(who, object, hop) == "none" or self.target(object, hop) is None:
                raise Unknown(path)
            object = str(self.target(object, hop))
            if "read" not in self.rights(who, object):
                raise Unknown(path)
        if self.field_right(who, object, last) == "none":
            raise Unknown(path)

    def value(self, who: Who, object: str, id: str, path: str) -> Any:
        """What somebody is shown of a record that they may read: over lookups blank where the record behind
        is hidden, but for its name. Raises Unknown.
        """
        self.resolve(who, object, path)
        return self._value(who, object, id, path.split("."), True)

    def _value(self, who: Who, object: str, id: str | None, names: list[str], is_open: bool) -> Any:
        for hop in names[:-1]:
            id = self._plain(who, object, id, hop) if is_open else None
            if id is None:
                return None
            object = self._kind(object, hop, id)
            if object in DIRECTORY:
                row = self.facts[object + "s"].get(id)
                is_open = row is not None and not row["deleted"]
            else:
                row = self.facts["records"][object].get(id)
                if row is None or row["deleted"]:
                    return None
                is_open = self.may(who, object, id, "read")
        if not is_open and names[-1] != "name":
            return None
        return self._plain(who, object, id, names[-1])

    def _kind(self, object: str, hop: str, id: str) -> str:
        return "queue" if hop == "owner" and id in self.facts["queues"] else str(self.target(object, hop))

    def _plain(self, who: Who, object: str, id: str | None, field: str) -> Any:
        if id is None:
            return None
        if field == "id":
            return id
        if object in DIRECTORY:
            return self.facts[object + "s"][id][field]
        about = self.facts["objects"][object]["fields"].get(field, {})
        if "path" in about:
            return self._value(who, object, id, about["path"].split("."), True)
        if "computed" in about:
            return self.computed(object, id, about["computed"])
        return self.facts["records"][object][id].get(field)

    def computed(self, object: str, id: str, how: tuple[Any, ...]) -> Any:
        """A value that the platform works out, past every right."""
        row = self.facts["records"][object][id]
        if how[0] == "upper":
            return (row[how[1]] or "").upper() or None
        children = [
            each
            for each in self.facts["records"][how[1]].values()
            if each[how[2]] == id and not each["deleted"]
        ]
        if how[0] == "count":
            return len(children)
        return sum(each[how[3]] or 0 for each in children)


def orphan_of(owner: str | None) -> dict[str, Any]:
    """What stands in for the parent of a part without one: its owner's, of which nothing else is known."""
    return {"id": None, "owner": owner, "orphan": True, "deleted": False}


def holds(condition: tuple[Any, ...], record: Mapping[str, Any], me: Mapping[str, Any]) -> bool | None:
    """A condition as ``organisations.text_of`` writes it; None: blank, or an error."""
    what = condition[0]
    if what == "not":
        inner = holds(condition[1], record, me)
        return None if inner is None else not inner
    if what in ("and", "or"):
        inner_ones = [holds(each, record, me) is True for each in condition[1:]]
        return all(inner_ones) if what == "and" else any(inner_ones)
    value = record.get(condition[1])
    if what == "is":
        return bool((value or "") == condition[2])
    if what == "pick":
        return bool(value == condition[2])
    if what == "over":
        return None if value is None else bool(value > condition[2])
    if what == "inverse":  # 60 / value > limit: an error where the value is zero or blank
        return None if not value else 60 / float(value) > condition[2]
    if what == "blank":
        return value in (None, "")
    assert what == "mine", what
    mine = me[condition[2]]
    if condition[2] in ("id", "department"):
        return None if mine is None or value is None else bool(value == mine)
    return bool((value or "") == (mine or ""))
