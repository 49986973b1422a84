"""Files against us: names, contents and ids that would do harm or tell what others may not know."""

from __future__ import annotations

import io
import struct
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apisite import ApiSite, Person, make_api
from filesamples import CONTENTS, picture, send, uploaded
from stores import DIALECTS
from tabwright.platform.settings import Limits
from tabwright.runtime.filing.names import disposition, plain_name

OBJECTS: dict[str, dict[str, Any]] = {
    "deal": {
        "name": "text",
        "contract": {"type": "file", "options": {"max_items": 5}},
        "photo": {"type": "image"},
        "sealed": {"type": "file"},
    },
    "vault": {"name": "text", "plan": {"type": "file"}},
}
SETS: list[dict[str, Any]] = [
    {
        "kind": "permission_set", "name": "seller",
        "objects": {"deal": ["create", "read", "edit", "delete"]},
        "fields": {"deal": {"*": "edit", "sealed": "none"}},
    },
    {
        "kind": "permission_set", "name": "reader",
        "objects": {"deal": ["read"]}, "fields": {"deal": {"*": "read"}},
    },
]  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def api(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    limits = Limits(file_bytes=200_000, pending_files=60)
    with tempfile.TemporaryDirectory() as folder, make_api(request.param, Path(folder), limits) as made:
        made.publish(OBJECTS, SETS)
        yield made


@pytest.fixture(scope="module")
def seller(api: ApiSite) -> Person:
    return api.person("seller", "seller")


@pytest.fixture(scope="module")
def other(api: ApiSite) -> Person:
    return api.person("other", "seller")


def made(who: Person, **values: Any) -> str:
    answer = who.post("/objects/deal/records", {"name": "a deal", **values})
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def codes(answer: Any) -> list[str]:
    return [each["code"] for each in answer.json["faults"]]


def held(api: ApiSite, id: str) -> bytes:
    """What lies in the store under an id."""
    from uuid import UUID

    return b"".join(api.tenant.files.pieces(api.location.id, UUID(id)))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\boot.txt", "boot.txt"),
        ("/abs/olute.txt", "olute.txt"),
        (".htaccess.txt", "htaccess.txt"),
        ("plan\u202etxt.txt", "plantxt.txt"),
        ("x" * 400 + ".txt", "x" * 196 + ".txt"),
        ("'><img src=x onerror=alert(1)>.txt", "'><img src=x onerror=alert(1)>.txt"),
        ("con.txt", "con.txt"),
        ("合同；终稿 v2.txt", "合同；终稿 v2.txt"),
    ],
)
def test_a_name_is_only_a_name(api: ApiSite, seller: Person, name: str, kept: str) -> None:
    """Content lies under an id of ours; the name is shown and sent back, and makes no path and no header."""
    stored = uploaded(seller, name, CONTENTS["txt"])
    assert stored["name"] == kept
    answer = seller.get(f"/files/{stored['id']}")
    assert answer.status_code == 200 and answer.data == CONTENTS["txt"]
    said = answer.headers["Content-Disposition"]
    assert said.startswith("attachment; filename=") and said.isascii() and "\r" not in said
    home = api.site.settings.home / "files"
    for path in (each for each in home.rglob("*") if each.is_file()):
        assert path.stem.isalnum() and path.resolve().is_relative_to(home.resolve())
    assert seller.delete(f"/files/{stored['id']}").status_code == 204


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\x00b\r\nSet-Cookie: x.txt", "abSet-Cookie: x.txt"),
        ('"><script>alert(1)</script>.txt', "script>.txt"),
        ('a";x="b.txt', 'a";x="b.txt'),
        ("....", "file"),
        ("", "file"),
        ("C:\\fakepath\\a.txt", "a.txt"),
    ],
)
def test_no_name_breaks_out_of_the_header(given: str, kept: str) -> None:
    assert plain_name(given) == kept
    said = disposition(kept)
    assert said.count('"') == 2 and said.isascii() and said.isprintable()


@pytest.mark.parametrize(
    ("name", "content", "type", "code"),
    [
        ("face.png", CONTENTS["html"], "image/png", "file.disguised"),
        ("face.png", CONTENTS["svg"], "image/png", "file.disguised"),
        ("face.jpg", picture("PNG"), "image/jpeg", "file.disguised"),
        ("contract.pdf", CONTENTS["exe"], "application/pdf", "file.program"),
        ("contract.pdf", b"#!/bin/sh\nrm -rf /\n", "application/pdf", "file.program"),
        ("contract.pdf.exe", CONTENTS["pdf"], "application/pdf", "file.program"),
        ("contract.exe. ", CONTENTS["pdf"], "application/pdf", "file.program"),
        ("run.bat", b"echo hello\n", "text/plain", "file.program"),
        ("page.js", b"alert(1)\n", "text/plain", "file.program"),
        ("book.xlsx", CONTENTS["html"], "text/html", "file.disguised"),
        ("empty.pdf", b"", "application/pdf", "file.empty"),
    ],
)
def test_what_is_not_what_its_name_says_is_refused(
    seller: Person, name: str, content: bytes, type: str, code: str
) -> None:
    answer = send(seller, name, content, type)
    assert answer.status_code == 422 and codes(answer) == [code], answer.text


@pytest.mark.parametrize(("name", "content"), [("p.html", CONTENTS["html"]), ("p.svg", CONTENTS["svg"])])
def test_what_a_browser_would_run_goes_out_as_bytes(seller: Person, name: str, content: bytes) -> None:
    stored = uploaded(seller, name, content)
    id = made(seller, contract=[stored["id"]])
    answer = seller.get(f"/files/{stored['id']}")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert seller.get(f"/files/{stored['id']}/preview").status_code == 404
    taken = seller.patch(f"/objects/deal/records/{id}", {"photo": [uploaded(seller, name, content)["id"]]})
    assert taken.status_code == 422 and codes(taken) == ["file.not_taken"]


def test_a_polyglot_picture_is_drawn_anew(seller: Person) -> None:
    """A GIF that is a script too, a PNG with a page behind it: what is shown was made here."""
    script = b"GIF89a=1;alert(document.cookie)//" + b"\x00" * 20
    stored = uploaded(seller, "both.gif", script)
    assert stored["has_preview"] is False and seller.get(f"/files/{stored['id']}/preview").status_code == 404
    assert codes(send(seller, "both.gif", script, object="deal", field="photo")) == ["file.no_picture"]
    page = picture("PNG") + b"<script>alert(1)</script>"
    stored = uploaded(seller, "page.png", page)
    shown = seller.get(f"/files/{stored['id']}/preview")
    assert shown.status_code == 200 and shown.headers["Content-Type"] == "image/webp"
    assert shown.data[8:12] == b"WEBP" and b"script" not in shown.data
    assert shown.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_pictures_are_turned_upright_and_say_nothing_of_where_they_were_taken(seller: Person) -> None:
    from PIL import Image

    source = Image.new("RGB", (60, 30), "blue")
    facts = source.getexif()
    facts[0x0112] = 6  # lies on its side
    facts[0x010F] = "SpyCam"
    facts.get_ifd(0x8825)[1] = "N"
    packed = io.BytesIO()
    source.save(packed, "JPEG", exif=facts)
    stored = uploaded(seller, "holiday.jpg", packed.getvalue())
    assert (stored["width"], stored["height"]) == (30, 60)
    shown = seller.get(f"/files/{stored['id']}/preview").data
    with Image.open(io.BytesIO(shown)) as image:
        assert image.size == (30, 60) and not dict(image.getexif())
    assert b"SpyCam" not in shown and b"SpyCam" in seller.get(f"/files/{stored['id']}").data


def _bomb(side: int) -> bytes:
    """A PNG of side x side white dots: kilobytes that unpack to gigabytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    rows = zlib.compressobj(9)
    body = b"".join(rows.compress(b"\x00" * (side // 8 + 1)) for _ in range(side)) + rows.flush()
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_a_picture_that_would_fill_the_memory_is_not_unpacked(seller: Person) -> None:
    bomb = _bomb(8_000)
    assert len(bomb) < 50_000
    stored = uploaded(seller, "white.png", bomb)  # as a file it does no harm
    assert stored["has_preview"] is False and (stored["width"], stored["height"]) == (8_000, 8_000)
    assert codes(send(seller, "white.png", bomb, object="deal", field="photo")) == ["file.no_picture"]
    answer = seller.post("/objects/deal/records", {"name": "x", "photo": [stored["id"]]})
    assert answer.status_code == 422 and codes(answer) == ["file.no_picture"]


def test_too_large_is_413_and_leaves_nothing(api: ApiSite, seller: Person) -> None:
    files = api.site.settings.home / "files"
    before = sum(1 for each in files.rglob("*") if each.is_file())
    answer = send(seller, "big.txt", b"x" * 200_001)
    assert answer.status_code == 413 and codes(answer) == ["file.too_large"]
    assert sum(1 for each in files.rglob("*") if each.is_file()) == before


# ---- whose, and where ----------------------------------------------------------------------------------


def test_nobody_takes_what_somebody_else_uploaded(seller: Person, other: Person) -> None:
    stored = uploaded(seller, "mine.txt", CONTENTS["txt"])
    id = made(other)
    for answer in (
        other.patch(f"/objects/deal/records/{id}", {"contract": [stored["id"]]}),
        other.post(f"/objects/deal/records/{id}/attachments", {"files": [stored["id"]]}),
    ):
        unknown = answer.json["faults"][0]["message"].replace(stored["id"], "")
        assert answer.status_code == 422 and codes(answer) == ["file.not_yours"], answer.text
        none = other.patch(f"/objects/deal/records/{id}", {"contract": ["0" * 32]})
        assert none.json["faults"][0]["message"].replace("0" * 32, "") == unknown
    assert other.get(f"/files/{stored['id']}").status_code == 404
    assert other.delete(f"/files/{stored['id']}").status_code == 404
    assert made(seller, contract=[stored["id"]])


def test_a_file_of_one_record_is_put_into_no_other(seller: Person) -> None:
    stored = uploaded(seller, "once.txt", CONTENTS["txt"])
    made(seller, contract=[stored["id"]])
    second = made(seller)
    path = f"/objects/deal/records/{second}"
    assert codes(seller.patch(path, {"contract": [stored["id"]]})) == ["file.not_yours"]
    assert codes(seller.post(f"{path}/attachments", {"files": [stored["id"]]})) == ["file.not_yours"]
    shared = uploaded(seller, "twice.txt", CONTENTS["txt"])["id"]
    rows = [{"name": "a", "contract": [shared]}, {"name": "b", "contract": [shared]}]
    both = {"action": "create", "records": rows, "all_or_nothing": True}
    assert seller.post("/objects/deal/records/bulk", both).status_code == 409
    each = seller.post("/objects/deal/records/bulk", {**both, "all_or_nothing": False}).json["results"]
    assert [row["outcome"] for row in each] == ["created", "failed"]


def test_a_file_is_read_by_who_may_read_its_record_and_field(
    api: ApiSite, seller: Person, other: Person
) -> None:
    """Unreadable is as unknown as none, for the file and for its picture."""
    stored, photo = uploaded(seller, "a.txt", CONTENTS["txt"]), uploaded(seller, "a.png", picture())
    id = made(seller, contract=[stored["id"]], photo=[photo["id"]])
    reader = api.person("reader", "reader")
    assert [seller.get(f"/files/{each['id']}").status_code for each in (stored, photo)] == [200, 200]
    for stranger in (other, reader):  # deals are private
        for path in (f"/files/{stored['id']}", f"/files/{photo['id']}/preview"):
            answer = stranger.get(path)
            nothing = stranger.get(path.replace(stored["id"], "f" * 32).replace(photo["id"], "f" * 32))
            assert answer.status_code == nothing.status_code == 404
            assert codes(answer) == codes(nothing)
    secret = uploaded(api.admin, "s.txt", CONTENTS["txt"])
    sealed = api.admin.patch(f"/objects/deal/records/{id}", {"sealed": [secret["id"]]})
    assert sealed.status_code == 200, sealed.text
    assert api.admin.get(f"/files/{secret['id']}").status_code == 200
    assert seller.get(f"/files/{secret['id']}").status_code == 404
    seller.delete(f"/objects/deal/records/{id}")
    assert seller.get(f"/files/{stored['id']}").status_code == 404, "in the bin"


def test_a_token_reads_and_brings_no_more_than_its_scope(api: ApiSite, seller: Person) -> None:
    stored = uploaded(seller, "a.txt", CONTENTS["txt"])
    id = made(seller, contract=[stored["id"]])

    def narrowed(objects: dict[str, list[str]]) -> Person:
        scope = {"objects": objects}
        return Person(
            api.client, api.site.tokens.create(api.location.id, seller.id, "narrow", scope=scope), seller.id
        )

    blind, looking = narrowed({"vault": ["read", "edit"]}), narrowed({"deal": ["read"]})
    assert blind.get(f"/files/{stored['id']}").status_code == 404
    assert looking.get(f"/files/{stored['id']}").status_code == 200
    assert send(looking, "b.txt", CONTENTS["txt"]).status_code == 403
    attach = f"/objects/deal/records/{id}/attachments"
    assert looking.post(attach, {"files": [stored["id"]]}).status_code == 403
    assert blind.get(attach).status_code == 404


def test_who_only_reads_attaches_and_removes_nothing(api: ApiSite, seller: Person) -> None:
    id = made(seller)
    path = f"/objects/deal/records/{id}/attachments"
    stored = uploaded(seller, "note.txt", CONTENTS["txt"])
    assert seller.post(path, {"files": [stored["id"]]}).status_code == 200
    viewer = api.person("viewer", "reader")
    assert viewer.get(path).status_code == 404
    assert viewer.delete(f"{path}/{stored['id']}").status_code == 404
    assert send(viewer, "x.txt", CONTENTS["txt"]).status_code == 403
    elsewhere = made(seller)
    wrong = f"/objects/deal/records/{elsewhere}/attachments/{stored['id']}"
    assert seller.delete(wrong).status_code == 404
    assert seller.post(f"{wrong}/restore").status_code == 404
    assert held(api, stored["id"]) == CONTENTS["txt"]
