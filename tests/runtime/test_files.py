"""Files from upload to removal: in fields, as attachments, on pages, in history, through bin and sweep."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

import models
from apisite import Person
from filesamples import CONTENTS, picture, send, uploaded
from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.filing import sweeping
from tabwright.runtime.filing.tables import FILE
from tabwright.runtime.publishing.engine import PURGE
from tabwright.runtime.storage.tables import physical

OBJECTS: models.Compact = {
    "deal": {
        "name": "text required searchable",
        "contract": {"type": "file", "options": {"max_items": 3, "accept": ["document"]}, "searchable": True},
        "photo": {"type": "image", "options": {"max_items": 2}},
        "amount": "decimal",
    },
}
SETS: list[dict[str, Any]] = [
    {
        "kind": "permission_set", "name": "seller",
        "objects": {"deal": ["create", "read", "edit", "delete", "view_all", "export"]},
        "fields": {"deal": {"*": "edit"}}, "tabs": ["*"], "apps": ["*"],
    },
    {
        "kind": "permission_set", "name": "reader", "objects": {"deal": ["read", "view_all"]},
        "fields": {"deal": {"*": "read"}}, "tabs": ["*"], "apps": ["*"],
    },
]  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS, SETS)
        yield made


@pytest.fixture(scope="module")
def visitor(site: PageSite) -> Visitor:
    return site.person("seller", "seller")


@pytest.fixture(scope="module")
def seller(site: PageSite, visitor: Visitor) -> Person:
    assert visitor.user_id is not None
    token = site.site.tokens.create(site.location.id, visitor.user_id, "test", scope=None)
    return Person(site.app.test_client(), token, visitor.user_id)


def made(who: Person, **values: Any) -> str:
    answer = who.post("/objects/deal/records", {"name": "Anshan", **values})
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def contract(who: Person, name: str = "contract 合同.pdf") -> str:
    return str(uploaded(who, name, CONTENTS["pdf"])["id"])


def sweep(site: PageSite) -> set[str]:
    """Run what is due, whenever it was to be; the ids that are left."""
    tenant = site.call.tenant
    with tenant.store.write() as writer:
        sweeping.ask(tenant.jobs, writer, site.site.clock.now() - timedelta(hours=2))
    site.site.runner.run_due(site.location)
    with tenant.store.read() as reader:
        return {id.hex for id in reader.execute(sa.select(FILE.c.id)).scalars()}


def aged(site: PageSite, id: str, **values: Any) -> None:
    with site.call.tenant.store.write() as writer:
        writer.execute(sa.update(FILE).where(FILE.c.id == UUID(id)).values(**values))


def kept(site: PageSite, id: str) -> list[str]:
    """What lies in the store of a file."""
    home = site.site.settings.home / "files"
    return sorted(each.name.removeprefix(id) for each in home.rglob(f"{id}*"))


# ---- in a field --------------------------------------------------------------------------------------


def test_a_file_goes_from_upload_into_its_record_and_out_again(site: PageSite, seller: Person) -> None:
    stored = uploaded(seller, "front.png", picture(), object="deal", field="photo")
    assert stored["type"] == "image/png" and (stored["width"], stored["height"]) == (40, 20)
    assert len(stored["sha256"]) == 64 and kept(site, stored["id"]) == ["", ".preview", ".thumb"]
    id = made(seller, photo=[stored["id"]])
    record = seller.get(f"/objects/deal/records/{id}").json
    assert record["photo"] == [
        {"id": stored["id"], "name": "front.png", "type": "image/png", "size": len(picture())}
    ]
    answer = seller.get(f"/files/{stored['id']}")
    assert answer.data == picture() and answer.headers["Content-Type"] == "image/png"
    small = seller.get(f"/files/{stored['id']}/preview", size="thumb")
    again = seller.get(
        f"/files/{stored['id']}/preview", {"If-None-Match": small.headers["ETag"]}, size="thumb"
    )
    assert small.status_code == 200 and again.status_code == 304 and again.data == b""


def test_the_upload_says_at_once_what_the_field_would_refuse(seller: Person) -> None:
    answer = send(seller, "sheet.csv", CONTENTS["csv"], object="deal", field="contract")
    assert answer.status_code == 422 and "documents (PDF, Word, text)" in answer.json["detail"]
    unknown = send(seller, "a.pdf", CONTENTS["pdf"], object="deal", field="nothing")
    assert unknown.status_code == 422 and unknown.json["code"] == "field.unknown"
    number = send(seller, "a.pdf", CONTENTS["pdf"], object="deal", field="amount")
    assert number.status_code == 422 and number.json["code"] == "file.no_such_field"


def test_what_stands_stays_when_the_admin_takes_less(site: PageSite, seller: Person) -> None:
    id = made(seller, contract=[contract(seller)])
    stricter = {"deal": {**OBJECTS["deal"], "contract": {"type": "file", "options": {"accept": ["image"]}}}}
    site.publish(stricter)
    record = seller.get(f"/objects/deal/records/{id}").json
    path = f"/objects/deal/records/{id}"
    assert seller.patch(path, {"contract": record["contract"], "amount": 1}).status_code == 200
    added = seller.patch(path, {"contract": [*record["contract"], contract(seller, "b.pdf")]})
    assert added.status_code == 422 and added.json["code"] == "file.not_taken"
    site.publish(OBJECTS)


def test_history_names_files_and_undo_brings_them_back(
    site: PageSite, seller: Person, visitor: Visitor
) -> None:
    first = contract(seller)
    id = made(seller, contract=[first])
    path = f"/objects/deal/records/{id}"
    seller.patch(path, {"contract": None})
    history = seller.get(f"{path}/history").json["history"]
    assert history[0]["fields"][0]["old"][0]["name"] == "contract 合同.pdf"
    page = readable(visitor.get(f"/o/deal/{id}"))
    assert page.count("contract 合同.pdf") == 1, "in the history, not in the field"
    assert first in sweep(site) and seller.get(f"/files/{first}").status_code == 200
    visitor.get(f"/o/deal/{id}")
    undone = visitor.post(f"/undo/{UUID(history[0]['operation'])}", {})
    assert undone.status_code == 303
    assert [each["id"] for each in seller.get(path).json["contract"]] == [first]


def test_content_lives_as_long_as_its_record_can_come_back(site: PageSite, seller: Person) -> None:
    file, attached = contract(seller), contract(seller, "attached.pdf")
    id = made(seller, contract=[file])
    path = f"/objects/deal/records/{id}"
    assert seller.post(f"{path}/attachments", {"files": [attached]}).status_code == 200
    assert seller.delete(path).status_code == 204
    assert {file, attached} <= sweep(site)
    site.records.restore("deal", id)
    assert seller.get(f"/files/{file}").status_code == 200
    assert seller.get(f"/files/{attached}").status_code == 200
    seller.delete(path)
    site.records.purge("deal", id)
    assert not {file, attached} & sweep(site)
    assert kept(site, file) == kept(site, attached) == []


def test_what_no_record_took_goes_after_a_day(site: PageSite, seller: Person) -> None:
    waiting, old = contract(seller), uploaded(seller, "old.png", picture())["id"]
    aged(site, old, uploaded_at=site.site.clock.now() - timedelta(hours=25))
    left = sweep(site)
    assert waiting in left and old not in left
    assert kept(site, old) == [] and kept(site, waiting) == [""]
    late = seller.post("/objects/deal/records", {"name": "x", "photo": [old]})
    assert late.status_code == 422 and late.json["code"] == "file.not_yours"
    assert seller.delete(f"/files/{waiting}").status_code == 204
    assert waiting not in sweep(site) and kept(site, waiting) == []


def test_a_field_that_is_removed_for_good_takes_its_files_along(site: PageSite, seller: Person) -> None:
    plan = {"type": "file", "options": {"max_items": 1}}
    site.publish({"deal": {**OBJECTS["deal"], "plan": plan}})
    file = contract(seller)
    made(seller, plan=[file])
    tenant = site.call.tenant
    with tenant.store.read() as reader:
        number = site.site.releases.current(reader)
        tree = site.site.releases.stored.tree(reader, number)
    gone = next(each.uid for each in tree if (each.kind, each.name) == ("field", "deal.plan"))
    site.publishing.publish_tree(Principal.system(), tree.changed((), [gone]), number)
    assert file in sweep(site), "the field can be brought back"
    with tenant.store.write() as writer:
        long_ago = site.site.clock.now() - timedelta(days=31)
        dropped = sa.update(physical).where(physical.c.state == "dropped")
        writer.execute(dropped.values(dropped_at=long_ago))
        tenant.jobs.add(writer, PURGE, {})
    site.site.runner.run_due(site.location)
    assert file not in sweep(site) and kept(site, file) == []


# ---- on pages ------------------------------------------------------------------------------------------


def test_a_form_that_is_refused_keeps_the_files_that_were_chosen(visitor: Visitor, seller: Person) -> None:
    file = uploaded(seller, "front.png", picture())
    visitor.get("/o/deal/new")
    assert 'data-files="deal.contract"' in visitor.last and 'accept=".pdf,' in visitor.last
    answer = visitor.post("/o/deal/new", {**visitor.form(), "name": "", "photo": file["id"]})
    assert answer.status_code == 422
    # A script keeps the whole value; what is kept either way is what was sent.
    held = f'[["{file["id"]}","front.png","image/png",{file["size"]},true]]'
    answer = visitor.post("/o/deal/new", {**visitor.form(), "name": "", "photo": held})
    assert answer.status_code == 422 and f'data-file="{file["id"]}"' in answer.text
    assert visitor.form()["photo"] == held
    saved = visitor.post("/o/deal/new", {**visitor.form(), "name": "Anshan"})
    assert saved.status_code == 303
    page = visitor.get(saved.headers["Location"])
    assert f'src="/files/{file["id"]}/thumb"' in page.text and "front.png" in readable(page)
    listed = visitor.get("/o/deal?columns=name,photo,contract")
    assert f'src="/files/{file["id"]}/thumb"' in listed.text


def test_names_are_words_on_every_page(site: PageSite, visitor: Visitor, seller: Person) -> None:
    name = "<img src=x onerror=alert(1)>.pdf"
    id = made(seller, contract=[contract(seller, name)])
    seller.post(f"/objects/deal/records/{id}/attachments", {"files": [contract(seller, "b" + name)]})
    seller.patch(f"/objects/deal/records/{id}", {"contract": None})
    for path in (
        f"/o/deal/{id}",
        f"/o/deal/{id}/edit",
        "/o/deal?columns=name,contract",
        f"/o/deal/{id}/peek",
    ):
        page = visitor.get(path)
        assert "<img src=x" not in page.text, path
    assert name in readable(visitor.get(f"/o/deal/{id}").text.replace("&lt;", "‹")).replace("‹", "<")


def test_downloads_and_pictures_by_the_page(visitor: Visitor, seller: Person, site: PageSite) -> None:
    file = uploaded(seller, "front.png", picture())
    made(seller, photo=[file["id"]])
    answer = visitor.get(f"/files/{file['id']}")
    assert answer.data == picture() and answer.headers["Content-Disposition"].startswith("attachment")
    assert visitor.get(f"/files/{file['id']}/thumb").headers["Content-Type"] == "image/webp"
    assert visitor.get(f"/files/{file['id']}/huge").status_code == 404
    assert site.stranger().get(f"/files/{file['id']}").status_code in (303, 401)


def test_a_copied_record_shares_no_file(visitor: Visitor, seller: Person) -> None:
    id = made(seller, contract=[contract(seller)])
    visitor.get(f"/o/deal/new?_copy={id}")
    assert visitor.form()["contract"] == "" and visitor.form()["name"] == "Anshan"


def test_an_export_names_the_files(visitor: Visitor, seller: Person) -> None:
    files = [contract(seller, "one.pdf"), contract(seller, "two.pdf")]
    made(seller, name="exported", contract=files)
    visitor.get("/o/deal")
    asked = {"where": 'name = "exported"', "columns": "name,contract", "format": "csv", "_all": "yes"}
    answer = visitor.post("/o/deal/export", asked)
    assert "one.pdf; two.pdf" in answer.text


# ---- attachments ---------------------------------------------------------------------------------------


def test_attachments_come_and_go_and_come_back(site: PageSite, seller: Person, visitor: Visitor) -> None:
    id = made(seller)
    path = f"/objects/deal/records/{id}/attachments"
    pdf, photo = contract(seller), uploaded(seller, "site.png", picture())["id"]
    listed = seller.post(path, {"files": [pdf, photo]}).json["attachments"]
    assert {each["name"] for each in listed} == {"contract 合同.pdf", "site.png"}
    assert seller.get(f"/objects/deal/records/{id}").json["revision"] == 1, "the record itself is as it was"
    page = visitor.get(f"/o/deal/{id}")
    assert f'data-href="/api/v1/objects/deal/records/{id}/attachments"' in page.text
    words = readable(page)
    assert "添加了附件 site.png" in words and "附件 2" in words
    assert seller.delete(f"{path}/{pdf}").status_code == 204
    assert seller.get(f"/files/{pdf}").status_code == 404
    words = readable(visitor.get(f"/o/deal/{id}"))
    assert "删除了附件 contract 合同.pdf" in words and "附件 1" in words
    assert pdf in sweep(site)
    assert len(seller.post(f"{path}/{pdf}/restore").json["attachments"]) == 2
    seller.delete(f"{path}/{pdf}")
    aged(site, pdf, removed_at=site.site.clock.now() - timedelta(days=31))
    assert pdf not in sweep(site) and seller.post(f"{path}/{pdf}/restore").status_code == 404


def test_attaching_leaves_the_past_and_undo_as_they_were(site: PageSite, seller: Person) -> None:
    id = made(seller, amount=1)
    path = f"/objects/deal/records/{id}"
    seller.patch(path, {"amount": 2})
    operation = seller.get(f"{path}/history").json["history"][0]["operation"]
    seller.post(f"{path}/attachments", {"files": [contract(seller)]})
    history = seller.get(f"{path}/history").json["history"]
    assert [each["action"] for each in history] == ["attach", "update", "create"]
    now = site.site.clock.now().isoformat()
    past = seller.get(path, as_of=now)
    assert past.status_code == 200 and past.json["amount"] == 2 and past.json["revision"] == 2
    site.records.undo(UUID(operation))
    assert seller.get(path).json["amount"] == 1
    assert len(seller.get(f"{path}/attachments").json["attachments"]) == 1


def test_who_only_reads_sees_attachments_without_the_buttons(site: PageSite, seller: Person) -> None:
    id = made(seller)
    seller.post(f"/objects/deal/records/{id}/attachments", {"files": [contract(seller)]})
    reader = site.person("reader", "reader")
    page = reader.get(f"/o/deal/{id}")
    assert "contract 合同.pdf" in readable(page)
    assert "data-attachment-delete" not in page.text and 'id="attach"' not in page.text


def test_a_layout_hides_the_attachments(site: PageSite, seller: Person, visitor: Visitor) -> None:
    id = made(seller)
    assert "data-attachments" in visitor.get(f"/o/deal/{id}").text
    layout: dict[str, Any] = {
        "kind": "layout", "name": "deal.plain", "sections": [{"fields": ["name"]}], "attachments": False,
    }  # fmt: skip
    site.publish({}, [layout])
    assert "data-attachments" not in visitor.get(f"/o/deal/{id}").text


def test_a_tenant_that_is_removed_leaves_no_file(tmp_path: Path) -> None:
    with make_pages("sqlite", tmp_path) as pages:
        pages.publish(OBJECTS, SETS)
        person = pages.person("seller", "seller")
        assert person.user_id is not None
        token = pages.site.tokens.create(pages.location.id, person.user_id, "test", scope=None)
        made(Person(pages.app.test_client(), token, person.user_id),
             contract=[contract(Person(pages.app.test_client(), token, person.user_id))])  # fmt: skip
        folder = pages.site.settings.home / "files" / pages.location.id.hex
        assert any(each.is_file() for each in folder.rglob("*"))
        pages.site.tenants.purge("test")
        assert not folder.exists()
