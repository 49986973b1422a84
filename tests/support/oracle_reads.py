"""The API's ways of reading, held against the model (R1): see ``oracle_ways``."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from access_model import Unknown
from oracle_asking import UNKNOWN, Asking, Refused, same
from organisations import SECRETS, STAGES, WORDS, text_of

PATHS = {
    "firm": ("owner.name", "branch.name"),
    "deal": ("firm.name", "firm.city", "firm.secret", "firm.owner", "firm.owner.name"),
    "order": ("deal.name", "deal.amount", "deal.hush", "deal.firm.city", "deal.town"),
    "line": ("order.name", "order.memo", "order.deal.amount", "order.deal.firm.name"),
    "grain": ("line.name", "line.amount", "line.order.amount"),
    "visit": ("deal.name", "deal.hush", "deal.total", "deal.firm.secret", "firm.city", "firm.owner.name"),
}
CHILDREN = {"deal": "visit", "firm": "deal", "order": "line"}
NUMBERS = {"firm": "size"}


class Reads(Asking):
    """Lists, records and what is beside them."""

    def by_list(self, object: str) -> None:
        path = "list"
        if not self.readable(object):
            self.counts[path] += len(self.facts["records"][object])
            answer = self.api.get(f"/objects/{object}/records")
            if answer.status_code not in (403, 404):
                self.tell(path, object, answer.status_code, 404)
            return
        try:
            rows = self.pages_of(object, limit=self.r.choice((3, 7, 50, 200)))
        except Refused as refused:
            self.tell(path, object, refused, "a list")
            return
        self.same_set(path, f"list {object}", object, [row["id"] for row in rows],
                      self.model.visible(self.who, object))  # fmt: skip
        for row in rows:
            self.same_row(path, f"list {object}", object, row, self.fields(object))

    def by_get(self, object: str) -> None:
        path, names = "get", self.fields(object)
        for id, row in self.some(object, 0.5):
            answer = self.api.get(f"/objects/{object}/records/{id}")
            is_open = not row["deleted"] and self.model.may(self.who, object, id, "read")
            self.counts[path] += 1
            if (answer.status_code == 200) != is_open:
                self.tell(path, f"get {object}", answer.status_code, is_open, (object, id))
            elif is_open:
                self.same_row(path, f"get {object}", object, answer.json, names)
            elif answer.status_code not in (404, 403 if not self.readable(object) else 404):
                self.tell(path, f"get {object}", answer.status_code, 404, (object, id))

    def by_filter(self, object: str) -> None:
        """Filters on own fields and over lookups: who may not read a field may not name it."""
        path = "filter"
        if not self.readable(object):
            return
        for name in (*self.facts["objects"][object]["fields"], *PATHS[object], "owner"):
            condition = self._condition(object, name)
            if condition is None:
                continue
            where = text_of(condition)
            try:
                self.model.resolve(self.who, object, name)
            except Unknown:
                self.counts[path] += len(self.facts["records"][object])
                self.refused(
                    path, f"{object} where {where}",
                    self.api.get(f"/objects/{object}/records", where=where), *UNKNOWN,
                )  # fmt: skip
                continue
            expected = {
                id
                for id in self.model.visible(self.who, object)
                if fits(condition, self.model.value(self.who, object, id, name))
            }
            try:
                rows = self.pages_of(object, where=where, fields="id", limit=self.r.choice((3, 50)))
            except Refused as refused:
                self.tell(path, f"{object} where {where}", refused, "a list")
                continue
            self.same_set(path, f"{object} where {where}", object, [row["id"] for row in rows], expected)

    def _condition(self, object: str, name: str) -> tuple[Any, ...] | None:
        """A simple condition on a field, or a field behind lookups."""
        if name in ("deal.total", "total", "orders"):
            return ("over", name, self.r.choice((0, 30, 90)))
        last = name.rpartition(".")[2]
        if last in ("city", "town"):
            return self.r.choice([("is", name, self.r.choice(("Oslo", "Lima"))), ("blank", name)])
        if last in ("secret", "hush", "memo"):
            return self.r.choice([("is", name, self.r.choice(SECRETS)), ("blank", name)])
        if last == "loud":
            return ("is", name, self.r.choice(SECRETS).upper())
        if last == "stage":
            return ("pick", name, self.r.choice(STAGES))
        if last in ("amount", "size"):
            return ("over", name, self.r.choice((0, 30)))
        if last in ("name", "owner", "branch", "firm", "deal", "due", "order", "line"):
            return ("blank", name)
        return None

    def by_sort(self, object: str) -> None:
        path = "sort"
        if not self.readable(object):
            return
        sortable = [
            n for n, f in self.facts["objects"][object]["fields"].items() if "sortable" in str(f["as"])
        ]
        numbers = [n for n in ("amount", "size") if n in self.facts["objects"][object]["fields"]]
        behind = [
            each for each in PATHS[object] if each.rpartition(".")[2] in ("city", "secret", "amount", "hush")
        ]
        for name in (*sortable, *numbers, *behind):
            way = self.r.choice(("asc", "desc"))
            limit = self.r.choice((4, 50))
            query: dict[str, Any] = {"order": f"{name}:{way}", "limit": limit, "fields": "id"}
            try:
                self.model.resolve(self.who, object, name)
            except Unknown:
                self.counts[path] += len(self.facts["records"][object])
                answer = self.api.get(f"/objects/{object}/records", **query)
                self.refused(path, f"{object} order {name}", answer, *UNKNOWN)
                continue
            try:
                rows = self.pages_of(object, **query)
            except Refused as refused:
                self.tell(path, f"{object} order {name}", refused, "a list")
                continue
            ids = [row["id"] for row in rows]
            self.same_set(path, f"{object} order {name}", object, ids, self.model.visible(self.who, object))
            known = [id for id in ids if id in self.facts["records"][object]]
            values = [self.model.value(self.who, object, id, name) for id in known]
            there = [v.lower() if isinstance(v, str) else v for v in values if v is not None]
            if there != sorted(there, reverse=way == "desc"):
                self.tell(path, f"{object} order {name} {way}", there, "in order")
            blanks = [n for n, v in enumerate(values) if v is None]
            if blanks and blanks[-1] - blanks[0] != len(blanks) - 1:
                self.tell(path, f"{object} order {name} {way}", values, "blanks together")

    def by_count(self, object: str) -> None:
        if not self.readable(object):
            return
        answer = self.api.get(f"/objects/{object}/records", count="true", limit=1, fields="id")
        expected = len(self.model.visible(self.who, object))
        self.counts["count"] += len(self.facts["records"][object])
        if answer.status_code != 200 or answer.json["count"] != expected:
            self.tell("count", object, answer.text[-200:], expected)

    def by_aggregate(self, object: str) -> None:
        """Groups and sums, by own fields and by what is behind lookups."""
        path = "aggregate"
        if not self.readable(object):
            return
        number = NUMBERS.get(object, "amount")
        own = [n for n in ("stage", "city", "town") if n in self.facts["objects"][object]["fields"]]
        behind = [p for p in PATHS[object] if p.endswith((".city", ".hush", ".secret", ".name"))]
        for name in (*own, *behind):
            body = {
                "group": [{"field": name, "name": "g"}],
                "measures": [
                    {"function": "count", "name": "n"},
                    {"function": "sum", "field": number, "name": "s"},
                ],
                "limit": 500,
            }
            answer = self.api.post(f"/objects/{object}/aggregate", body)
            question = f"{object} group {name} sum {number}"
            try:
                self.model.resolve(self.who, object, name)
                self.model.resolve(self.who, object, number)
            except Unknown:
                self.counts[path] += len(self.facts["records"][object])
                self.refused(path, question, answer, *UNKNOWN)
                continue
            groups: dict[Any, list[Any]] = defaultdict(lambda: [0, 0.0])
            for id in self.model.visible(self.who, object):
                mine = groups[self.model.value(self.who, object, id, name) or None]
                mine[0] += 1
                mine[1] += self.model.value(self.who, object, id, number) or 0
            self.counts[path] += len(self.facts["records"][object]) * 2
            if answer.status_code != 200:
                self.tell(path, question, answer.text[:200], dict(groups))
                continue
            said = {row["g"] or None: [row["n"], float(row["s"] or 0)] for row in answer.json["groups"]}
            if said != dict(groups):
                self.tell(path, question, said, dict(groups))

    def by_expansion(self, object: str) -> None:
        """Fields behind lookups: guarded by the right to the record that they lead to, but for its name."""
        path = "expansion"
        if not self.readable(object):
            return
        for name in PATHS[object]:
            query: dict[str, Any] = {"fields": f"id,{name}", "limit": 200}
            try:
                self.model.resolve(self.who, object, name)
            except Unknown:
                self.counts[path] += len(self.facts["records"][object])
                answer = self.api.get(f"/objects/{object}/records", **query)
                self.refused(path, f"{object} shows {name}", answer, *UNKNOWN)
                continue
            try:
                rows = self.pages_of(object, **query)
            except Refused as refused:
                self.tell(path, f"{object} shows {name}", refused, "a list")
                continue
            self.same_set(path, f"{object} shows {name}", object, [row["id"] for row in rows],
                          self.model.visible(self.who, object))  # fmt: skip
            for row in rows:
                if row["id"] not in self.facts["records"][object]:
                    continue
                expected = self.model.value(self.who, object, row["id"], name)
                if not same(row[name], expected):
                    self.tell(path, f"{object} shows {name}", row[name], expected, (object, row["id"]))

    def by_formula(self, object: str) -> None:
        """Formulas typed by the person that ask of children: only those that may be read count."""
        path, child = "formula", CHILDREN.get(object)
        if child is None or not self.readable(object):
            return
        lookup = next(
            f for f, each in self.facts["objects"][child]["fields"].items() if each.get("target") == object
        )
        for what, most in (("COUNT", 0), ("COUNT", 1), ("SUM", 30)):
            asked = f"COUNT({child}.{lookup})" if what == "COUNT" else f"SUM({child}.{lookup}, amount)"
            where = f"{asked} > {most}"
            answer = self.api.get(f"/objects/{object}/records", where=where, fields="id", limit=200)
            self.counts[path] += len(self.facts["records"][object])
            names = {"read"} <= self.model.rights(self.who, child) and lookup in self.fields(child)
            if not names or (what == "SUM" and "amount" not in self.fields(child)):
                if answer.status_code != 422:
                    self.tell(path, f"{object} where {where}", answer.text[:200], 422)
                continue
            totals: Counter[str] = Counter()
            for id in self.model.visible(self.who, child):
                row = self.facts["records"][child][id]
                if row[lookup] is not None:
                    totals[row[lookup]] += 1 if what == "COUNT" else row["amount"] or 0
            expected = {id for id in self.model.visible(self.who, object) if totals[id] > most}
            if answer.status_code != 200:
                self.tell(path, f"{object} where {where}", answer.text[:200], sorted(expected))
                continue
            said = [row["id"] for row in answer.json["records"]]
            self.same_set(path, f"{object} where {where}", object, said, expected, 0)

    # ---- search, options ---------------------------------------------------------------------------

    def by_search(self, object: str) -> None:
        """Words in names and in hidden texts: found by what may be read alone."""
        path = "search"
        texts = [
            n for n, f in self.facts["objects"][object]["fields"].items() if " searchable" in str(f["as"])
        ]
        for word in (*self.r.sample(WORDS, 4), *SECRETS):
            if not self.readable(object):
                continue
            answer = self.api.get("/search", q=word, objects=object, limit=50)
            mine = [name for name in texts if name in self.fields(object)]
            expected = {
                id
                for id in self.model.visible(self.who, object)
                if any(
                    word in str(self.facts["records"][object][id].get(name) or "").lower() for name in mine
                )
            }
            if answer.status_code != 200:
                self.tell(path, f"search {word} in {object}", answer.text[:200], expected)
                continue
            hits = answer.json["hits"]
            self.same_set(path, f"search {word} in {object}", object, [each["id"] for each in hits], expected,
                          max(1, len(texts)))  # fmt: skip
            for each in hits:
                name = self.facts["records"][object].get(each["id"], {}).get("name")
                if each["name"] != (name if "name" in self.fields(object) else ""):
                    self.tell(path, f"search {word}", each, name, (object, each["id"]))

    def by_options(self, object: str) -> None:
        path = "options"
        for word in ("", *self.r.sample(WORDS, 3)):
            answer = self.api.get(f"/objects/{object}/options", q=word, limit=50)
            self.counts[path] += len(self.facts["records"][object])
            if not self.readable(object) or "name" not in self.fields(object):
                if answer.status_code < 400 and answer.json["options"]:
                    self.tell(path, f"options {word} of {object}", answer.text[:200], "none")
                continue
            expected = {
                id
                for id in self.model.visible(self.who, object)
                if word in str(self.facts["records"][object][id]["name"]).lower()
            }
            if answer.status_code != 200:
                self.tell(path, f"options {word} of {object}", answer.text[:200], expected)
                continue
            said = [each["id"] for each in answer.json["options"]]
            self.same_set(path, f"options {word} of {object}", object, said, expected, 0)

    # ---- what a record has beside ------------------------------------------------------------------

    def by_history(self, object: str) -> None:
        """A record's history, deleted ones too: no entry about a field that may not be read."""
        path, names = "history", self.fields(object)
        for id, _ in self.some(object, 0.5):
            answer = self.api.get(f"/objects/{object}/records/{id}/history")
            is_open = self.model.may(self.who, object, id, "read")
            self.counts[path] += len(self.facts["objects"][object]["fields"])
            if (answer.status_code == 200) != is_open:
                self.tell(path, f"history {object}", answer.status_code, is_open, (object, id))
            elif is_open:
                for entry in answer.json["history"]:
                    hidden = {each["field"] for each in entry["fields"]} - names
                    if hidden:
                        self.tell(path, f"history {object}", hidden, names, (object, id))

    def by_as_of(self, object: str) -> None:
        """A record as it stands at a moment: under the rights of today."""
        path, names = "as_of", {n for n in self.fields(object) if not self._is_worked_out(object, n)}
        at = self.site.site.clock.now().isoformat()
        for id, row in self.some(object, 0.35):
            if row["deleted"]:
                continue
            answer = self.api.get(f"/objects/{object}/records/{id}", as_of=at)
            is_open = self.model.may(self.who, object, id, "read")
            self.counts[path] += len(self.facts["objects"][object]["fields"])
            if (answer.status_code == 200) != is_open:
                self.tell(path, f"as of {object}", answer.status_code, is_open, (object, id))
            elif is_open:
                self.same_row(path, f"as of {object}", object, {"id": id, **answer.json}, names | {"id"})

    def _is_worked_out(self, object: str, name: str) -> bool:
        about = self.facts["objects"][object]["fields"].get(name, {})
        return "path" in about or about.get("computed", ("",))[0] == "upper"

    def by_comments(self, object: str) -> None:
        path = "comments"
        for id, row in self.some(object, 0.6):
            answer = self.api.get(f"/objects/{object}/records/{id}/comments")
            is_open = not row["deleted"] and self.model.may(self.who, object, id, "read")
            self.counts[path] += 1
            if (answer.status_code == 200) != is_open:
                self.tell(path, f"comments {object}", answer.status_code, is_open, (object, id))


def fits(condition: tuple[Any, ...], value: Any) -> bool:
    """A simple condition of a filter about one value."""
    match condition[0]:
        case "is":
            return bool((value or "") == condition[2])
        case "pick":
            return bool(value == condition[2])
        case "over":
            return bool((value or 0) > condition[2])
    return value in (None, "")
