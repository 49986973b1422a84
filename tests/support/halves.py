"""Two tenants of one shape in one installation, and everything in each that has an identifier.

``make_twins`` gives both; ``Half.ids`` names an identifier of each kind of thing (record, file, comment,
import, notice...), all of them the tenant's admin's own. Every text of a half holds its ``canary``, so an
answer that shows one to the other half is seen at once.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from argon2 import PasswordHasher

import models
from apisite import Person
from desks import Desk
from importing import Importer, call_of
from pagesite import PageSite, Visitor, readable
from stores import drop_everything, settings_for
from tabwright.app import create_site
from tabwright.platform.settings import Limits
from tabwright.runtime.exporting.service import Asked, Exports
from tabwright.runtime.journal.tables import changes
from tabwright.runtime.personal.notices import notify
from tabwright.runtime.personal.tables import NOTICE

OBJECTS: models.Compact = {
    "account": {"name": "text(80) required sortable searchable", "code": "text unique external_key"},
    "deal": {
        "name": "text(80) required sortable searchable",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "stage": "picklist(open,won)",
        "due": "date",
        "photo": "file",
        "pin": {"type": "secret", "options": {"mask": "all"}},
    },
    "line": {
        "name": "text(80) required",
        "deal": "master_detail(deal)",
        "amount": "currency(16,2)",
    },
    "link": {
        "code": "auto_number(L-{000})",
        "deal": "lookup(deal) required",
        "account": "lookup(account) required",
    },
}
EVERYTHING = {
    "*": ["create", "read", "edit", "delete", "view_all", "modify_all", "transfer", "import", "export"]
}
LOOKS = {"deal": ["read"], "account": ["read"]}
# The limits of a long run: nobody is shut out for asking often.
LIMITS = Limits(sign_ins_per_minute=10_000, pending_files=10_000)


class Half(Desk):
    """One of the two: its pages, its admin there and at the API, its identifiers."""

    def __init__(self, pages: PageSite, canary: str) -> None:
        self.canary = canary
        sets = [
            {
                "kind": "permission_set", "name": name, "label": {"en": f"{canary} {name}"},
                "uid": uuid4().hex, "objects": rights, "fields": {"*": {"*": "edit"}}, "tabs": ["*"],
                "apps": ["*"],
            }
            for name, rights in (("all_rights", EVERYTHING), ("looks", LOOKS))
        ]  # fmt: skip
        pages.publish(OBJECTS, sets)
        admin = pages.person(f"admin-{canary}", "administrator", "all_rights", language="en")
        assert admin.user_id is not None
        token = pages.site.tokens.create(pages.location.id, admin.user_id, "test", scope=None)
        super().__init__(pages, admin, Person(pages.app.test_client(), token, admin.user_id))
        self.uids = {each["name"]: str(each["uid"]) for each in sets}
        self.person = pages.person(f"colleague-{canary}", "all_rights", language="en")
        self.api_of(self.person)
        self.ids = self.make()

    def call(self, of: Person | None = None) -> Any:
        """The call of the admin, or of somebody else."""
        return call_of(self, of or self.api)  # type: ignore[arg-type]

    def make(self) -> dict[str, str]:
        """One of everything anew; the identifiers."""
        word, admin, api = self.canary, self.admin, self.api
        account = self.create("account", name=f"{word} account", code=f"{word}-{uuid4().hex[:8]}")
        deal = self.create("deal", name=f"{word} deal", account=account, stage="open", pin=word)
        ids = {"record": deal, "account": account, "line": self.create("line", name=word, deal=deal)}
        ids["link"] = self.create("link", deal=deal, account=account)
        ids["gone"] = self.create("deal", name=f"{word} gone")
        assert api.delete(f"/objects/deal/records/{ids['gone']}").status_code == 204
        ids["user"] = UUID(str(self.person.user_id)).hex
        ids["queue"] = self.create("queue", name=f"{word} queue {uuid4().hex[:6]}")
        ids["permission_set"] = self.uids["looks"]
        ids["pending"], ids["file"] = self.upload(), self.upload()
        path = f"/objects/deal/records/{deal}"
        assert api.patch(path, {"photo": [self.upload()]}).status_code == 200, api.get(path).text
        assert api.post(path + "/attachments", {"files": [ids["file"]]}).status_code in (200, 201)
        ids["photo"] = api.get(path).json["photo"][0]["id"]
        ids["comment"] = api.post(path + "/comments", {"body": f"{word} says"}).json["id"]
        importer = Importer(self, api)  # type: ignore[arg-type]
        ids["import"] = importer.start("deal", f"name,stage\n{word} one,open\n{word} two,nowhere\n").id.hex
        kept = Exports(self.call()).start(Asked("deal", ("name",)))
        ids["export"], ids["job"] = kept.id.hex, str(kept.job)
        self.site.runner.run_due(self.location)
        ids["bulk"] = self._bulk(deal)
        ids["operation"], ids["notice"] = self._operation(deal), self._notice(deal)
        ids["view"] = self._view()
        ids["release"] = str(api.get("/metadata/releases").json["current"])
        ids["cursor"] = self._cursor()
        admin.get("/studio/packages")
        answer = admin.post("/studio/packages/template", {"name": "crm"})
        assert answer.status_code == 303, readable(answer)[:800]
        ids["offer"] = _last_id(answer.headers["Location"])
        tenant = self.location.id
        ids["token"] = str(self.site.tokens.list(tenant, self.person.user_id or self.api.id)[0].id)
        ids["session"] = self.site.sessions.of_user(tenant, self.person.user_id)[0].id
        other = self.create("user", name=word, address=f"{uuid4().hex[:8]}@example.com")
        given = {"user": other, "permission_set": self.uids["looks"]}
        ids["assignment"] = self.create("permission_assignment", **given)
        with self.tenant.store.write() as writer:
            for kind, name in (("studio.replace", "replace_job"), ("samples.load", "samples_job")):
                job = self.tenant.jobs.add(writer, kind, {}, created_by=admin.user_id)
                self.tenant.jobs.cancel(writer, job)
                ids[name] = str(job)
        ids["favourite"] = f"record:deal:{deal}"
        return ids

    def upload(self) -> str:
        """A file that is in no record yet."""
        name = f"{self.canary}.txt"
        data = {"file": (io.BytesIO(self.canary.encode()), name)}
        client = self.pages.app.test_client()
        answer = client.post(
            "/api/v1/files", data=data, headers={"Authorization": f"Bearer {self.api.token}"}
        )
        assert answer.status_code == 201, answer.text
        return str((answer.json or {})["id"])

    def _bulk(self, deal: str) -> str:
        self.admin.get("/o/deal")
        answer = self.admin.post("/o/deal/bulk", {"do": "edit", "id": [deal]})
        return _last_id(answer.headers["Location"])

    def _operation(self, deal: str) -> str:
        chosen = sa.select(changes.c.operation_id).where(changes.c.record_id == UUID(deal))
        with self.tenant.store.read() as reader:
            return str(reader.execute(chosen.order_by(changes.c.revision.desc())).scalars().first())

    def _notice(self, deal: str) -> str:
        object = self.call().model.objects["deal"]
        with self.tenant.store.write() as writer:
            at = self.site.clock.now()
            notify(writer, [self.api.id], "assigned", {"by": None}, object.uid, UUID(deal), at, group=deal)
            return str(writer.execute(sa.select(NOTICE.c.id).order_by(NOTICE.c.at.desc())).scalars().first())

    def _view(self) -> str:
        self.admin.get("/o/deal")
        answer = self.admin.post(
            "/o/deal/views", {"name": f"{self.canary} {uuid4().hex[:6]}", "where": "amount > 1"}
        )
        return _last_id(answer.headers["Location"])

    def _cursor(self) -> str:
        for n in range(2):
            self.create("deal", name=f"{self.canary} more {n}")
        found = self.api.get("/objects/deal/records", limit=1, order="name").json["next_cursor"]
        return str(found)


def _last_id(path: str) -> str:
    found = re.findall(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", path)
    assert found, path
    return str(found[-1])


@contextmanager
def make_twins(dialect: str, home: Path) -> Iterator[tuple[Half, Half]]:
    """Two tenants in one installation; dropped at the end."""
    site = create_site(settings_for(dialect, home, LIMITS), hasher=PasswordHasher(1, 8, 1))
    try:
        first = Half(PageSite(site, "alder"), "Quagmire")
        for _ in range(2):  # one is a release that the other has not reached
            first.pages.publish(
                {}, [models.document("picklist", f"list_{uuid4().hex[:6]}", values=[{"code": "a"}])]
            )
        first.ids["release"] = str(first.api.get("/metadata/releases").json["current"])
        yield first, Half(PageSite(site, "birch"), "Zephyr")
    finally:
        drop_everything(site.stores)
        site.close()


def second(half: Half) -> Visitor:
    """Somebody else of the same half who may only look."""
    return half.pages.person(f"looker-{uuid4().hex[:6]}", "looks", language="en")
