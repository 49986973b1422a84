"""The pages, read as text and held against the model (R1): see ``oracle_ways``."""

from __future__ import annotations

import csv
import io
import re

from oracle_asking import Asking
from organisations import OBJECTS, WORDS

NAMED = re.compile(
    rf"\b({'|'.join(each.title() for each in WORDS)}) ({'|'.join(o.title() for o in OBJECTS)}) (\d+)\b"
)


class Pages(Asking):
    """What stands on pages and in exported files."""

    def named_in(self, text: str, object: str) -> set[str]:
        """The records of an object whose names stand in a text."""
        if object not in self._names:
            self._names[object] = {
                (object, row["name"].rpartition(" ")[2]): id
                for id, row in self.facts["records"][object].items()
            }
        return {
            self._names[object][object, number]
            for _, kind, number in NAMED.findall(text)
            if kind.lower() == object and (object, number) in self._names[object]
        }

    def by_list_page(self, object: str) -> None:
        path = "list_page"
        answer = self.visitor.get(f"/o/{object}?columns=name")
        if not self.readable(object) or "name" not in self.fields(object):
            self.counts[path] += len(self.facts["records"][object])
            if self.named_in(answer.text, object):
                self.tell(path, object, self.named_in(answer.text, object), "no names")
            return
        self.same_set(path, f"page {object}", object, self.named_in(answer.text, object),
                      self.model.visible(self.who, object))  # fmt: skip

    def by_record_page(self, object: str) -> None:
        """A record's page with its related lists: what names it, as far as may be seen."""
        path = "record_page"
        shows_names = "name" in self.fields(object)
        for id, row in self.some(object, 0.25):
            answer = self.visitor.get(f"/o/{object}/{id}")
            is_open = not row["deleted"] and self.model.may(self.who, object, id, "read")
            self.counts[path] += len(self.facts["objects"][object]["fields"])
            if (answer.status_code == 200) != is_open:
                self.tell(path, f"page {object}", answer.status_code, is_open, (object, id))
                continue
            if (id in self.named_in(answer.text, object)) != (is_open and shows_names):
                self.tell(path, f"page {object}", "named", is_open and shows_names, (object, id))
            if not is_open:
                continue
            for secret in ("secret", "hush", "memo"):
                value = row.get(secret)
                if value is not None and secret in self.facts["objects"][object]["fields"]:
                    self._secrets(answer.text, object, id, value)
            for child, about in self.facts["objects"].items():
                for field, each in about["fields"].items():
                    if each.get("target") == object:
                        self._related(answer.text, object, id, child, field)

    def _secrets(self, text: str, object: str, id: str, value: str) -> None:
        """A word on a page has to come from something that the person may read there."""
        row, names = self.facts["records"][object][id], self.fields(object)
        shown = value in text.lower()
        own = any(row.get(name) == value for name in ("secret", "hush", "memo") if name in names)
        own = own or ("loud" in names and row.get("hush") == value)
        if shown and not own and object == "line":
            self.tell("record_page", f"{object} shows {value}", shown, own, (object, id))

    def _related(self, text: str, object: str, id: str, child: str, field: str) -> None:
        found = re.search(rf'id="related-{child}-{field}".*?</section>', text, re.S)
        mine = {
            each
            for each in self.model.visible(self.who, child)
            if self.facts["records"][child][each][field] == id
        }
        self.counts["related"] += len(self.facts["records"][child])
        if field not in self.fields(child) or not self.readable(child):
            mine = set()
        said = self.named_in(found[0], child) if found else self.named_in(text, child) & mine
        if "name" not in self.fields(child):
            mine = set()
        if said != mine and len(mine) <= 3:
            for each in said ^ mine:
                self.tell(
                    "related", f"{child}.{field} of {object}", each in said, each in mine, (child, each)
                )

    def by_board(self, object: str) -> None:
        if object != "deal":
            return
        self._page_of("board", object, "/o/deal/board?by=stage", "stage")

    def by_calendar(self, object: str) -> None:
        if object not in ("deal", "visit"):
            return
        self._page_of("calendar", object, f"/o/{object}/calendar?start=due&date=2026-03", "due")

    def _page_of(self, path: str, object: str, address: str, field: str) -> None:
        answer = self.visitor.get(address)
        known = self.readable(object) and {"name", field} <= self.fields(object)
        said = self.named_in(answer.text, object)
        expected = self.model.visible(self.who, object) if known else set()
        if known:
            self.same_set(path, address, object, said, expected, 2)
        elif not self.readable(object) and said:
            self.tell(path, address, said, "nothing")

    def by_search_page(self, object: str) -> None:
        if object != "firm":
            return
        for word in self.r.sample(WORDS, 3):
            answer = self.visitor.get(f"/search?q={word}")
            for each in OBJECTS:
                visible = self.model.visible(self.who, each) if self.readable(each) else set()
                if "name" not in self.fields(each):
                    visible = set()
                said = self.named_in(answer.text, each)
                self.counts["search_page"] += len(self.facts["records"][each])
                for id in said - visible:
                    self.tell("search_page", f"search {word}", "named", "hidden", (each, id))

    def by_bin(self, object: str) -> None:
        """The recycle bin shows what one might have deleted."""
        path, answer = "bin", self.visitor.get(f"/bin?object={object}")
        gone = {id for id, row in self.facts["records"][object].items() if row["deleted"]}
        expected = {id for id in gone if self.model.may(self.who, object, id, "delete")}
        if "name" not in self.fields(object):
            expected = set()
        if "delete" not in self.model.rights(self.who, object):
            expected = set()
        self.same_set(path, f"bin {object}", object, self.named_in(answer.text, object), expected)

    def by_export(self, object: str) -> None:
        """An exported file, the values of its columns."""
        path, names = "export", [n for n in self.facts["objects"][object]["fields"] if n not in ("due",)]
        if not self.readable(object):
            return
        self.visitor.get(f"/o/{object}")
        if not self.fields(object) & set(names):
            return
        form = {
            "format": "csv",
            "names": "api",
            "where": "",
            "order": "",
            "columns": ",".join(names),
            "_all": "yes",
        }
        answer = self.visitor.post(f"/o/{object}/export", form)
        if "export" not in self.model.rights(self.who, object):
            self.counts[path] += len(self.facts["records"][object])
            if answer.status_code not in (403, 404):
                self.tell(path, f"export {object}", answer.status_code, 403)
            return
        if answer.status_code != 200 or "csv" not in answer.content_type:
            told = re.sub(r"<[^>]+>|\s+", " ", answer.text.partition("<main")[2])
            self.tell(path, f"export {object}", f"{answer.status_code} {told}", "a file")
            return
        rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
        head = set(rows[0]) if rows else set()
        hidden = {name for name in head if name in names} - self.fields(object)
        if hidden:
            self.tell(path, f"export {object}", hidden, "no such columns")
        if "name" not in self.fields(object):
            self.counts[path] += len(self.facts["records"][object])
            if len(rows) != len(self.model.visible(self.who, object)):
                self.tell(path, f"export {object}", len(rows), len(self.model.visible(self.who, object)))
            return
        said = {id: row for row in rows for id in self.named_in(row["name"], object)}
        self.same_set(
            path, f"export {object}", object, said, self.model.visible(self.who, object), len(names)
        )
        for id, row in said.items():
            for name in ("city", "secret", "hush", "memo", "loud", "town", "code"):
                if name in row and name in self.fields(object) and id in self.facts["records"][object]:
                    expected = self.model.value(self.who, object, id, name)
                    if (row[name] or None) != (expected or None):
                        self.tell(path, f"export {object} {name}", row[name], expected, (object, id))
