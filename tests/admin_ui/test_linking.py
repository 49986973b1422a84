"""Many to many: one form makes the object between two others, and both ends list the far record."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import models
from pagesite import PageSite, make_pages, readable
from tabwright.platform.errors import Conflict

OBJECTS: models.Compact = {
    "project": {"name": "text required"},
    "member": {"name": "text required"},
}
LAYOUT = {"kind": "layout", "name": "member.page", "sections": [{"fields": ["name"]}]}
WORKER = {
    "kind": "permission_set",
    "name": "worker",
    "label": {"zh": "员工权限", "en": "Worker"},
    "objects": {"project": ["create", "read", "edit"], "member": ["create", "read", "edit"]},
    "fields": {"project": {"*": "edit"}, "member": {"*": "edit"}},
    "tabs": ["*"],
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS, [LAYOUT, WORKER])
        yield made


def test_one_form_links_two_objects_and_both_ends_show_the_far_record(site: PageSite) -> None:
    admin = site.person("管理员", "administrator")
    worker, other = site.person("员工", "worker"), site.person("同事", "worker")
    assert "/studio/objects/project/link" in admin.get("/studio/objects/project").text
    assert "Member" in readable(admin.get("/studio/objects/project/link"))
    nothing = admin.post("/studio/objects/project/link", {"other": ""})
    assert nothing.status_code == 422 and "请选择要关联的另一个对象" in readable(nothing)
    made = admin.post(
        "/studio/objects/project/link", {"other": "member", "/label/zh": "参与", "sets": "worker"}
    )
    assert made.headers["Location"] == "/studio/objects/project_member"
    admin.get("/studio/plan")
    assert admin.post("/studio/publish", {}).status_code == 303
    records, owner = site.records, str(worker.user_id)
    project = records.create("project", {"name": "极光计划", "owner": owner}).id
    member = records.create("member", {"name": "王小明", "owner": owner}).id
    worker.get("/o/project_member/new")
    form = {**worker.form(), "project.text": "极光计划", "member.text": "王小明"}
    saved = worker.post("/o/project_member/new", form)
    assert saved.status_code == 303, readable(saved)
    assert "王小明" in readable(worker.get(f"/o/project/{project}"))
    assert "极光计划" in readable(worker.get(f"/o/member/{member}")), (
        "also where a layout says what is listed"
    )
    link = saved.headers["Location"]
    assert other.get(link).status_code == 404, "a link is seen by who sees its first end"
    with pytest.raises(Conflict, match="unique.taken"):
        records.create("project_member", {"project": project, "member": member})
    records.delete("member", member)
    assert worker.get(link).status_code == 404
    records.restore("member", member)
    assert worker.get(link).status_code == 200


def test_who_may_not_customise_makes_no_link(site: PageSite) -> None:
    worker = site.person("员工", "worker")
    assert worker.get("/studio/objects/project/link").status_code in (403, 404)
    assert worker.post("/studio/objects/project/link", {"other": "member"}).status_code in (403, 404)
