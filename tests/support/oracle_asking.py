"""Somebody who asks an organisation, and what is wrong with the answers (R1): see ``oracle_ways``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any
from uuid import UUID

from access_model import AccessModel, Who
from apisite import Person
from organisations import Poured
from pagesite import PASSWORD, Visitor
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import Call

WRONG_KEPT = 400
UNKNOWN = ("field.unknown", "field.unknown_near", "FORMULA_UNKNOWN_FIELD", "FORMULA_UNKNOWN_FIELD_OF")


class Asking:
    """Questions of one person to an organisation, and what is wrong with the answers."""

    def __init__(
        self, poured: Poured, model: AccessModel, who: Who, r: Random, counts: Counter[str], wrong: list[Any]
    ) -> None:
        self.poured, self.model, self.who, self.r = poured, model, who, r
        self.counts, self.wrong = counts, wrong
        self.facts = poured.facts
        self.site = poured.site
        scope = None if who.scope is None else {"objects": {name: sorted(ops) for name, ops in who.scope}}
        site = self.site.site
        token = site.tokens.create(self.site.location.id, UUID(who.user), "oracle", scope=scope)
        self.api = Person(self.site.app.test_client(), token, UUID(who.user))
        self._visitor: Visitor | None = None
        self._call: Call | None = None
        self._names: dict[str, dict[tuple[str, str], str]] = {}

    # ---- means -------------------------------------------------------------------------------------

    @property
    def visitor(self) -> Visitor:
        """The person in a browser, signed in."""
        if self._visitor is None:
            self._visitor = self.site.stranger()
            self._visitor.get("/sign-in")
            given = {
                "address": self.facts["users"][self.who.user]["address"],
                "password": PASSWORD,
                "next": "/",
            }
            answer = self._visitor.post("/sign-in", given)
            assert answer.status_code == 303, answer.text
        return self._visitor

    @property
    def call(self) -> Call:
        """The person's call, as a request would make it."""
        if self._call is None:
            own = self.site.call
            scope = None if self.who.scope is None else {"objects": {n: list(o) for n, o in self.who.scope}}
            with own.tenant.store.read() as reader:
                principal = principals.load(
                    own.tenant, reader, own.model, UUID(self.who.user), own.clock.now(), scope
                )
            self._call = Call(
                own.tenant, principal, own.model, Gate(own.model, principal), own.clock, own.ids, "en", "UTC",
                "oracle", "api",
            )  # fmt: skip
        return self._call

    def tell(
        self, path: str, question: str, said: Any, expected: Any, about: tuple[str, str] | None = None
    ) -> None:
        """Keep a disagreement."""
        if len(self.wrong) < WRONG_KEPT:
            found = {"path": path, "user": self.who.user, "question": question, "said": str(said)[:300],
                     "model": str(expected)[:300]}  # fmt: skip
            if about is not None:
                found["facts"] = self.model.told(self.who, *about)
            self.wrong.append(found)
        else:
            self.wrong.append({"path": path})

    def same_set(
        self, path: str, question: str, object: str, said: Iterable[str], expected: set[str], fields: int = 1
    ) -> None:
        """Records that were answered, against those that should be."""
        self.counts[path] += len(self.facts["records"][object]) * fields
        said = list(said)
        if len(said) != len(set(said)):
            self.tell(path, question, "some twice", expected)
        for id in sorted(set(said) ^ expected):
            about = (object, id) if id in self.facts["records"][object] else None
            self.tell(path, question, "shown" if id in said else "not shown", id in expected, about)

    def readable(self, object: str) -> bool:
        return "read" in self.model.rights(self.who, object)

    def fields(self, object: str) -> set[str]:
        return self.model.readable_fields(self.who, object)

    def alive(self, object: str) -> list[str]:
        return [id for id, row in self.facts["records"][object].items() if not row["deleted"]]

    def some(self, object: str, part: float) -> list[tuple[str, dict[str, Any]]]:
        rows = list(self.facts["records"][object].items())
        return self.r.sample(rows, max(1, int(len(rows) * part)))

    def same_row(
        self, path: str, question: str, object: str, row: Mapping[str, Any], names: set[str]
    ) -> None:
        """The values of a row against what the model says of them."""
        id = row["id"]
        self.counts[path] += len(self.facts["objects"][object]["fields"])
        if set(row) != names:
            self.tell(path, question, sorted(set(row) ^ names), "keys", (object, id))
        for name in names & set(row):
            if name in ("revision", "created_at", "created_by", "updated_at", "updated_by"):
                continue
            expected = self.model.value(self.who, object, id, name)
            if not same(row[name], expected):
                self.tell(path, f"{question} {name}", row[name], expected, (object, id))

    def pages_of(self, object: str, **query: Any) -> list[dict[str, Any]]:
        """All rows of a list, page by page."""
        rows: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        while True:
            answer = self.api.get(f"/objects/{object}/records", **query, **cursor)
            if answer.status_code != 200:
                raise Refused(answer)
            rows += answer.json["records"]
            if not answer.json["next_cursor"]:
                return rows
            cursor = {"cursor": answer.json["next_cursor"]}

    def refused(self, path: str, question: str, answer: Any, *codes: str) -> None:
        """An answer that must be one of these faults."""
        said = (
            [each["code"] for each in (answer.json or {}).get("faults", ())]
            if answer.status_code >= 400
            else []
        )
        if not set(said) & set(codes):
            self.tell(path, question, f"{answer.status_code} {said}", codes)


class Refused(Exception):
    """A list that was refused."""

    def __init__(self, answer: Any) -> None:
        super().__init__(f"{answer.status_code} {answer.text[:300]}")


def same(said: Any, expected: Any) -> bool:
    """Whether a value of the API is the model's."""
    if said in (None, "") or expected in (None, ""):
        return (said if said != "" else None) == (expected if expected != "" else None)
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        return float(said) == float(expected)
    return str(said) == str(expected)
