"""An object out of a file: upload, look at the guesses, make, publish, and the file becomes records."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import models
from pagesite import PageSite, Visitor, make_pages, readable
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

OBJECTS: models.Compact = {"account": {"name": "text required"}}
WORKER = {
    "kind": "permission_set",
    "name": "worker",
    "label": {"zh": "员工权限", "en": "Worker"},
    "objects": {"account": ["read"]},
    "tabs": [],
}
FILE = """合同编号,客户名称,account,签订日期,金额,状态,备注
HT-001,华东机械一期,Acme,2017年3月1日,"1,100.04",执行中,<script>alert(1)</script>
HT-002,华东机械二期,Acme,2017/10/20,20.5,已完成,=cmd|'/c calc'!A1
HT-003,南方电子,Betasoloin,2018-01-02,7,执行中,三
HT-004,北京云科,Acme,20180203,9,已完成,四
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS, [WORKER])
        yield made


def take(person: Visitor, content: bytes, name: str = "合同.csv") -> str:
    """Upload a file; the address of its table."""
    person.get("/studio/objects/new/file")
    answer = person.post("/studio/objects/new/file", {"file": (io.BytesIO(content), name)})
    assert answer.status_code == 303, readable(answer)
    return answer.headers["Location"]


def form_of(page: str) -> dict[str, str]:
    """What the form would send as it stands."""
    found: dict[str, str] = {}
    body = page[page.index('id="object-form"') :]
    for tag in re.findall(r"<input[^>]*>", body):
        name, value = re.search(r' name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
        if name and not (("checkbox" in tag or "radio" in tag) and " checked" not in tag):
            found[name[1]] = value[1] if value else "on"
    for name, inside in re.findall(r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', body, re.S):
        chosen = re.search(r'value="([^"]*)" selected', inside) or re.search(r'value="([^"]*)"', inside)
        found[name] = chosen[1] if chosen else ""
    return found


def test_a_file_becomes_an_object_and_then_its_records(site: PageSite) -> None:
    admin, worker = site.person("管理员", "administrator"), site.person("员工", "worker")
    acme = site.records.create("account", {"name": "Acme"}).id
    site.records.create("account", {"name": "Betasoloin"})
    assert "/studio/objects/new/file" in admin.get("/studio/objects").text
    address = take(admin, FILE.encode("gb18030"))
    form = form_of(admin.get(address).text)
    types = [form[f"type.{at}"] for at in range(7)]
    assert types == ["text", "text", "lookup:account", "date", "currency", "picklist", "text"]
    assert form["naming"] == "1" and form["key.0"] == "on" and form["/label/zh"] == "合同"
    del form["use.6"]  # the notes are left out
    made = admin.post(address, {**form, "en.4": "Amount", "type.4": "currency", "sets": "worker"})
    assert made.status_code == 303, readable(made)
    plan = made.headers["Location"]
    waiting = plan.partition("back=")[2]
    assert admin.get(waiting).status_code == 404, "the object is not in force yet"
    page = admin.get(plan)
    assert page.status_code == 200 and f'name="back" value="{waiting}"' in page.text
    published = admin.post("/studio/publish", {"back": waiting})
    assert published.headers["Location"] == waiting, readable(published)
    object = site.call.model.objects["he_tong"]
    assert {each.name: each.type for each in object.fields.values() if not each.system} == {
        "he_tong_bian_hao": "text", "ke_hu_ming_cheng": "text", "account": "lookup",
        "qian_ding_ri_qi": "date", "amount": "currency", "zhuang_tai": "picklist",
    }  # fmt: skip
    assert object.name_field == "ke_hu_ming_cheng" and object.fields["he_tong_bian_hao"].external_key
    assert admin.get(waiting).status_code == 200
    assert admin.post(f"{waiting}/run", {}).status_code == 303
    site.site.runner.run_due(site.location)
    fields = ("he_tong_bian_hao", "account", "qian_ding_ri_qi", "amount", "zhuang_tai")
    found = Reads(site.call).list(Query("he_tong", fields)).rows
    assert len(found) == 4
    first = next(each for each in found if each["he_tong_bian_hao"] == "HT-001")
    assert str(first["qian_ding_ri_qi"]) == "2017-03-01" and str(first["amount"]) == "1100.04"
    assert first["account"] == acme and first["zhuang_tai"] == "zhi_xing_zhong"
    assert worker.get("/o/he_tong").status_code == 200, "the chosen set may use it"
    assert admin.get(address).status_code == 404, "a file is used once"


def test_headers_of_any_kind_make_fields_or_say_what_is_wrong(site: PageSite) -> None:
    admin = site.person("boss", "administrator", language="en")
    header = '"<img src=x onerror=alert(1)>",id,owner,,名称,名称,"=1+1",★,created_at'
    rows = "".join(f"a{n},b{n},c{n},d{n},e{n},f{n},g{n},h{n},i{n}\n" for n in range(3))
    address = take(admin, f"{header}\n{rows}".encode(), "../../<b>.csv")
    page = admin.get(address)
    assert (
        "<img src=x" not in page.text
        and "<b>" not in page.text.partition("<form")[2].partition("<b>a")[0][:2000]
    )
    made = admin.post(address, {**form_of(page.text), "/label/en": "Odd", "/label/zh": ""})
    assert made.status_code == 303, readable(made)
    admin.get("/studio/plan")
    assert admin.post("/studio/publish", {}).status_code == 303
    fields = [each for each in site.call.model.objects["odd"].fields.values() if not each.system]
    assert len(fields) == 9 and len({each.name for each in fields}) == 9


def test_what_cannot_be_made_says_so_and_keeps_what_was_typed(site: PageSite) -> None:
    admin = site.person("boss", "administrator", language="en")
    admin.get("/studio/objects/new/file")
    nothing = admin.post("/studio/objects/new/file", {})
    assert nothing.status_code == 422 and "Choose a file first" in readable(nothing)
    wide = ",".join(f"c{n}" for n in range(151)) + "\n" + ",".join("x" * 151) + "\n"
    refused = admin.post("/studio/objects/new/file", {"file": (io.BytesIO(wide.encode()), "wide.csv")})
    assert refused.status_code == 422 and "151 columns" in readable(refused)
    address = take(admin, b"thing,n\none,1\ntwo,2\n", "things.csv")
    form = form_of(admin.get(address).text)
    number = admin.post(address, {**form, "naming": "1", "en.1": "How many"})
    assert number.status_code == 422 and "cannot name records" in readable(number)
    assert 'value="How many"' in number.text
    unnamed = admin.post(address, {**form, "/label/en": ""})
    assert unnamed.status_code == 422 and "Say what the object is called" in readable(unnamed)
    none = admin.post(address, {"/label/en": "Thing", "naming": "number", "pattern": "T-{000}"})
    assert none.status_code == 422 and "at least one column" in readable(none)


def test_a_waiting_file_is_its_owners_alone(site: PageSite) -> None:
    admin, other = site.person("boss", "administrator"), site.person("other", "administrator")
    worker = site.person("员工", "worker")
    address = take(admin, b"thing,n\none,1\ntwo,2\n")
    assert other.get(address).status_code == 404 and other.post(address, {}).status_code == 404
    assert worker.get("/studio/objects/new/file").status_code in (403, 404)
