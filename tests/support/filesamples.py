"""Files for tests: contents by what their name says, and a way to upload them."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from PIL import Image

from apisite import Person

CONTENTS = {
    "txt": "第一行\nsecond line\n".encode(),
    "csv": b"a,b\n1,2\n",
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    "html": b"<!doctype html><script>alert(1)</script>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>',
    "exe": b"MZ\x90\x00\x03\x00\x00\x00",
    "zip": b"PK\x03\x04\x14\x00\x00\x00\x08\x00",
}


@cache
def picture(form: str = "PNG", width: int = 40, height: int = 20, colour: str = "red", **more: Any) -> bytes:
    """A picture of one colour."""
    made = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(made, form, **more)
    return made.getvalue()


def content_of(name: str) -> bytes:
    """What a file of this name holds; a broken picture where it is called so."""
    extension = name.rpartition(".")[2]
    if name.startswith("broken"):
        return picture()[:30] + b"\x00" * 30
    if extension in ("png", "jpg", "gif", "webp", "bmp"):
        return picture("JPEG" if extension == "jpg" else extension.upper())
    return CONTENTS[extension]


def send(person: Person, name: str, content: bytes, type: str = "", **form: str) -> Any:
    """The answer to an upload; ``type`` is what the sender declares."""
    part = (io.BytesIO(content), name, type) if type else (io.BytesIO(content), name)
    headers = {"Authorization": f"Bearer {person.token}", "Accept-Language": "en"}
    return person._client.post("/api/v1/files", data={**form, "file": part}, headers=headers)


def uploaded(person: Person, name: str, content: bytes | None = None, **form: str) -> dict[str, Any]:
    """A file that was uploaded, as the API answers it."""
    answer = send(person, name, content_of(name) if content is None else content, **form)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found
