"""Random requests by somebody with few rights: every route of the product, with names of what there is and of
what they may not know in every place where a name, an id, a formula or a value can stand.

A route is walked because it is in the URL map, so a new one is walked without being listed. What its pages
look for in a query or a form is learnt from the requests themselves (``twins.Recording``).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Flask

from hiding import MINE, OBJECTS
from twins import Ask

# Not asked: what ends the session or a token, or makes a secret; and files of the product itself.
LEFT_OUT = frozenset((
    "pages.sign_out", "pages.sign_in", "pages.sign_in_form", "pages.sign_in_with_code", "account.change",
    "account.act", "account.factor", "account.end", "account.make", "account.revoke",
))  # fmt: skip
_slot = re.compile(r"<(?:(?P<kind>[a-z]+)(?:\((?P<choices>[^)]*)\))?:)?(?P<name>\w+)>")
_id = re.compile(rb"[0-9a-f]{8}-?[0-9a-f]{4}-?7[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}")
UNKNOWN = UUID(int=0x019B_0000_0000_7000_8000_0000_0000_0001)
WORDS = ("thing", "firm 1", "hush", "hushred", "138", "x", "", "T", "Thing 3", "ulm", "0", "2026-01-11")


def routes(app: Flask) -> list[tuple[str, str, str]]:
    """Every route that is asked: (endpoint, method, rule)."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint in LEFT_OUT or rule.endpoint.startswith("static:"):
            continue
        found += [
            (rule.endpoint, method, rule.rule)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        ]
    return sorted(found)


class Asking:
    """A stream of requests. ``seen`` and ``hidden``: ids by object; deterministic for a source."""

    def __init__(
        self, app: Flask, source: random.Random, seen: dict[str, list[UUID]], hidden: Iterable[UUID]
    ) -> None:
        self._source = source
        self._routes = routes(app)
        self._seen = seen
        self._hidden = list(hidden)
        self._found: dict[UUID, None] = {}  # ids that answers brought
        self._asked: dict[str, dict[str, None]] = {}  # endpoint -> names of parameters
        self._of_api: dict[str, list[str]] = {}

    def read(self, openapi: Mapping[str, Any]) -> None:
        """The names of the parameters of the API, from its document."""
        for methods in openapi["paths"].values():
            for each in methods.values():
                if isinstance(each, dict) and "operationId" in each:
                    names = [one["name"] for one in each.get("parameters", ()) if one.get("in") == "query"]
                    self._of_api.setdefault(f"api:{each['operationId']}", names)

    def learn(self, endpoint: str, asked: Iterable[str], body: bytes) -> None:
        """What a request was looked through for, and the ids in its answer."""
        known = self._asked.setdefault(endpoint, {})
        known.update(dict.fromkeys(sorted(asked)))
        for each in _id.findall(body)[:40]:
            self._found[UUID(each.decode())] = None
        while len(self._found) > 400:
            del self._found[next(iter(self._found))]

    def next(self) -> tuple[str, Ask]:
        """The endpoint and a request to it."""
        ours = self._source.random() < 0.9  # of Studio, which is closed to this person, a little will do
        while True:
            endpoint, method, rule = self._source.choice(self._routes)
            if not (ours and rule.startswith(("/studio", "/api/v1/metadata"))):
                break
        object = self._object()
        path = _slot.sub(lambda slot: self._filled(slot, object), rule)
        if endpoint.startswith("api:"):
            return endpoint, Ask(
                method,
                path,
                self._query_of_api(endpoint, object),
                (),
                self._body(endpoint, method, object),
                page=False,
            )
        named = [each for each in self._asked.get(endpoint, ()) if each != "_csrf"]
        chosen = [each for each in named if self._source.random() < 0.5]
        given = tuple((name, self._value(name, object)) for name in chosen)
        if method == "POST" and self._source.random() < 0.7:
            given += tuple((name, self._value(name, object)) for name in self._fields(object, 3))
        return endpoint, Ask(
            method, path, () if method == "POST" else given, given if method == "POST" else ()
        )

    # ---- what stands in a place -------------------------------------------------------------------------

    def _pick(self, *ways: Callable[[], str]) -> str:
        return self._source.choice(ways)()

    def _object(self) -> str:
        return self._source.choice((*MINE * 2, *("thing",) * 12, "vault", "nought", "user", "queue"))

    def _field(self, object: str) -> str:
        known = [*OBJECTS.get(object, {"name": "text"}), "owner", "created_at", "id", "nought"]
        first = self._source.choice(known)
        if self._source.random() < 0.2:
            behind = self._source.choice([*OBJECTS["firm"], "owner.name", "nought"])
            way = self._source.choice(("firm", "related.firm", "thing", "related.vault", "vaulted"))
            return f"{way}.{behind}"
        return first

    def _fields(self, object: str, most: int) -> list[str]:
        return [self._field(object) for _ in range(self._source.randint(1, most))]

    def _id(self, object: str) -> UUID:
        pools: list[Sequence[UUID]] = [self._seen.get(object, ()), self._seen.get("thing", ()), self._hidden]
        pools += [list(self._found), [UNKNOWN]]
        pool = self._source.choices(pools, (24, 4, 3, 2, 1))[0]
        return self._source.choice(pool) if pool else UNKNOWN

    def _filled(self, slot: re.Match[str], object: str) -> str:
        kind, name = slot["kind"], slot["name"]
        if kind == "any":
            return self._source.choice([each.strip() for each in str(slot["choices"]).split(",")])
        if name == "object":
            return object
        if name == "link":
            return self._source.choice(("part", "memo", "thing", "vault"))
        if kind == "uuid" or name in ("id", "file", "comment", "operation"):
            id = self._id(object)
            return str(id) if kind == "uuid" else id.hex
        if name == "field":
            return self._field(object)
        if name == "kind":
            return self._source.choice(("field", "object", "layout", "permission_set"))
        if name in ("a", "b", "n", "number"):
            return str(self._source.randint(1, 3))
        return f"{object}.{self._field(object)}" if self._source.random() < 0.5 else object

    def _formula(self, object: str) -> str:
        one, other = self._field(object), self._field(object)
        word = self._source.choice(WORDS).replace('"', "")
        return self._source.choice((
            f"NOT ISBLANK({one})", f"{one} > 10", f'{one} = "{word}"', f'CONTAINS({one}, "{word}")',
            f"AND(NOT ISBLANK({one}), ISBLANK({other}))", f"{one} = {other}", "COUNT(memo.thing) > 1",
            f"SUM(part.thing, {one}) > 3", f"COUNT(memo, {one} = 3) > 0", f"$user.{one} = 3", f"{one} >",
        ))  # fmt: skip

    def _value(self, name: str, object: str) -> str:
        source = self._source
        if name in ("where", "formula", "filter", "when") or "where" in name:
            return self._formula(object)
        if name in ("order",):
            return ",".join(each + source.choice(("", ":desc")) for each in self._fields(object, 2))
        if name in ("columns", "fields", "column", "picked"):
            return ",".join(self._fields(object, 4))
        return self._pick(
            lambda: self._field(object), lambda: str(self._id(object)), lambda: source.choice(WORDS),
            lambda: self._formula(object), lambda: str(source.randint(0, 30)),
            lambda: ",".join(self._fields(object, 3)),
        )  # fmt: skip

    # ---- the API --------------------------------------------------------------------------------------

    def _query_of_api(self, endpoint: str, object: str) -> tuple[tuple[str, str], ...]:
        source = self._source
        values: dict[str, Callable[[], str]] = {
            "count": lambda: "true", "limit": lambda: str(source.randint(1, 5)),
            "q": lambda: source.choice(WORDS), "as_of": lambda: "2026-01-15T09:40:00Z",
            "objects": lambda: self._object(),
        }  # fmt: skip
        found = []
        for name in self._of_api.get(endpoint, ()):
            if source.random() < (0.1 if name in ("cursor", "as_of", "unmask", "upsert") else 0.4):
                found.append((name, values.get(name, lambda name=name: self._value(name, object))()))
        return tuple(found)

    def _typed(self, object: str) -> Any:
        source = self._source
        return source.choice(("x", 3, None, "2026-01-11", str(self._id(object)), True, "open", "hushx"))

    def _record(self, object: str) -> dict[str, Any]:
        source = self._source
        made = {name: self._typed(object) for name in self._fields(object, 2) if source.random() < 0.4}
        if source.random() < 0.8:
            made["name"] = f"N{source.randint(0, 99)}"
        return made

    def _body(self, endpoint: str, method: str, object: str) -> Any:
        if method in ("GET", "DELETE"):
            return None
        source, name = self._source, endpoint.removeprefix("api:")
        if name in ("create_record", "update_record"):
            return self._record(object)
        if name == "aggregate":
            made: dict[str, Any] = {}
            if source.random() < 0.7:
                made["group"] = [{"field": self._field(object)}]
            if source.random() < 0.7:
                made["measures"] = [
                    {
                        "function": source.choice(("count", "sum", "max", "count_distinct")),
                        "field": self._field(object),
                    }
                ]
            if source.random() < 0.3:
                made["where"] = self._formula(object)
            return made
        if name == "bulk":
            action = source.choice(("create", "update", "upsert", "delete"))
            rows = [
                {**(self._record(object) if action != "delete" else {}),
                 **({"id": self._id(object).hex} if action != "create" else {})}
                for _ in range(source.randint(1, 3))
            ]  # fmt: skip
            key = {"key": self._field(object)} if action == "upsert" else {}
            return {"action": action, "records": rows, "all_or_nothing": source.random() < 0.5, **key}
        if name in ("create_comment", "edit_comment"):
            return {"body": f"hello @[low]({self._id('user')})" if source.random() < 0.3 else "hello"}
        return {
            source.choice(("name", "field", "columns", "note", "follows", "ids", "key")): self._typed(object)
        }
