"""What may be written, tried and rolled back, held against the model (R1): see ``oracle_ways``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args
from uuid import UUID

from oracle_asking import Asking, same
from organisations import MASTERS, STAGES, TOP
from tabwright.platform.errors import Denied, NotFound
from tabwright.runtime.access.asking import Asked, allowed
from tabwright.runtime.access.gate import Level
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records


class Writes(Asking):
    """Verdicts about records, and what a refusal tells."""

    def by_writes(self, object: str) -> None:
        """What may be done with each record, by trying it and rolling it back."""
        records = self.facts["records"][object]
        about = self.facts["objects"][object]
        alive = self.alive(object)
        new_owner = self.r.choice([u for u, row in self.facts["users"].items() if row["active"]])
        tries: list[tuple[str, str, list[Intent]]] = [
            ("edit", "edit", [Intent("update", UUID(id), {}) for id in alive]),
            ("delete", "delete", [Intent("delete", UUID(id)) for id in alive]),
        ]
        if about["master"] is None:
            give = [Intent("update", UUID(id), {"owner": new_owner}) for id in alive]
            tries.append(("transfer", "transfer", give))
        for path, operation, intents in tries:
            verdicts = self._tried(object, intents)
            for id, said in zip(alive, verdicts, strict=True):
                self.counts[path] += 1
                expected = self._verdict(object, id, operation)
                if operation == "transfer" and records[id]["owner"] == new_owner:
                    expected = self._verdict(object, id, "edit")
                if (
                    operation == "transfer"
                    and expected == "ok"
                    and self._leaves(object, id, {"owner": new_owner})
                ):
                    expected = "denied"
                if said != expected and not (said == "blocked" and expected == "ok"):
                    self.tell(path, f"{operation} {object}", said, expected, (object, id))
        with self.call.tenant.store.read() as reader:
            asked = [Asked(UUID(id), UUID(row["owner"])) for id, row in records.items()]
            given = self.call.model.objects[object]
            for level in get_args(Level):
                said_ids = allowed(self.call.tenant, self.call.gate, reader, given, level, asked)
                for id in records:
                    self.counts["verdict"] += 1
                    expected_yes = self.model.may(self.who, object, id, level)
                    if about["master"] is not None and level in ("transfer", "share"):
                        continue
                    if (UUID(id) in said_ids) != expected_yes:
                        self.tell(
                            "verdict", f"{level} {object}", UUID(id) in said_ids, expected_yes, (object, id)
                        )

    def _verdict(self, object: str, id: str, operation: str) -> str:
        if not self.readable(object):
            return "hidden"
        needed = "edit" if operation == "transfer" else operation
        if needed not in self.model.rights(self.who, object):
            return "denied"  # said of the object, before the record
        if not self.model.may(self.who, object, id, "read"):
            return "hidden"
        if operation == "transfer" and not self.model.may(self.who, object, id, "edit"):
            return "denied"
        return "ok" if self.model.may(self.who, object, id, operation) else "denied"

    def _tried(self, object: str, intents: list[Intent]) -> list[str]:
        try:
            outcome = Records(self.call).rehearse(object, intents)
        except NotFound:
            return ["hidden"] * len(intents)
        except Denied:
            return ["denied"] * len(intents)
        words: dict[Any, str] = {None: "ok", NotFound: "hidden", Denied: "denied"}
        return [words.get(row.error, "blocked") for row in outcome.rows]

    def _leaves(self, object: str, id: str, change: Mapping[str, Any]) -> bool:
        """Whether a change would put a record where the person's restrictions hide it."""
        return self.model.is_closed(self.who, object, {**self.facts["records"][object][id], **change})

    def by_leaving(self, object: str) -> None:
        """A save after which the writer would not see the record is refused; so is making such a record."""
        if object not in TOP or not {"edit", "create"} & self.model.rights(self.who, object):
            return
        path = "leaving"
        for field in ("city", "stage", "amount", "size", "branch"):
            if field not in self.facts["objects"][object]["fields"]:
                continue
            if self.model.field_right(self.who, object, field) != "edit":
                continue
            options = {"city": ("Oslo", "Lima", None), "stage": (*STAGES, None), "amount": (5, 50, None),
                       "size": (0, 30, 90, None), "branch": (None, *self.facts["departments"])}  # fmt: skip
            value = self.r.choice(options[field])
            if field == "branch" and value is not None:
                value = None  # departments are not open to all
            alive = self.alive(object)
            for id, said in zip(
                alive, self._tried(object, [Intent("update", UUID(id), {field: value}) for id in alive]),
                strict=True,
            ):  # fmt: skip
                self.counts[path] += 1
                expected = self._verdict(object, id, "edit")
                changes = not same(self.facts["records"][object][id][field], value)
                if expected == "ok" and changes and self._leaves(object, id, {field: value}):
                    expected = "denied"
                if said != expected:
                    self.tell(path, f"{object} {field} := {value}", said, expected, (object, id))
            if "create" in self.model.rights(self.who, object):
                said = self._tried(object, [Intent("create", values={field: value})])[0]
                made = {"id": None, "owner": self.who.user, "deleted": False, field: value}
                closed = self.model.is_closed(self.who, object, made)
                self.counts[path] += 1
                if said != ("denied" if closed else "ok"):
                    self.tell(path, f"make {object} {field} := {value}", said, f"closed {closed}")

    def by_parts(self, object: str) -> None:
        """Making a part asks what may be done with the record that gets it."""
        master = MASTERS.get(object)
        if master is None:
            return
        path, parent = "make_part", self.facts["objects"][object]["fields"][master]["target"]
        rights, right = self.model.rights(self.who, object), self.model.field_right(self.who, object, master)
        if "create" in rights and right != "edit":
            return
        parents = self.alive(parent)
        said = self._tried(object, [Intent("create", values={master: id}) for id in parents])
        needed = "read" if self.facts["objects"][object]["parent_read"] else "edit"
        for id, one in zip(parents, said, strict=True):
            self.counts[path] += 1
            expected: tuple[str, ...]
            if "create" not in rights:
                expected = ("denied", "hidden")
            elif not self.model.may(self.who, parent, id, "read"):
                expected = ("blocked",)  # no such record
            else:
                expected = ("ok",) if self.model.may(self.who, parent, id, needed) else ("denied",)
            if one not in expected:
                self.tell(path, f"make {object} of {parent}", one, expected, (parent, id))

    def by_key(self, object: str) -> None:
        """An import that matches by key, and the error of a taken key: neither tells of a hidden record."""
        if "code" not in self.facts["objects"][object]["fields"]:
            return
        rights = self.model.rights(self.who, object)
        word = self.model.field_right(self.who, object, "code")
        alive = [id for id in self.alive(object) if self.facts["records"][object][id]["code"] is not None]
        codes = [self.facts["records"][object][id]["code"] for id in alive]
        if {"create", "edit"} <= rights and word == "edit":
            said = self._tried(object, [Intent("upsert", values={}, key=("code", code)) for code in codes])
            for id, one in zip(alive, said, strict=True):
                self.counts["import_key"] += 1
                expected = self._verdict(object, id, "edit").replace("hidden", "blocked")
                if one != expected:
                    self.tell("import_key", f"upsert {object}", one, expected, (object, id))
        if "create" in rights and word == "edit":
            outcome = Records(self.call).rehearse(
                object, [Intent("create", values={"code": c}) for c in codes]
            )
            for id, row in zip(alive, outcome.rows, strict=True):
                self.counts["unique"] += 1
                is_open = self.model.may(self.who, object, id, "read")
                said_codes = {fault.code for fault in row.faults}
                wanted = "unique.taken" if is_open else "unique.not_allowed"
                told = " ".join(str(value) for fault in row.faults for value in fault.params.values())
                name = self.facts["records"][object][id]["name"]
                tells = is_open and "name" in self.fields(object)
                if "record.beyond_restriction" in said_codes:
                    continue
                if wanted not in said_codes or (name in told) != tells:
                    self.tell("unique", f"{object} code", (said_codes, told), (wanted, tells), (object, id))
