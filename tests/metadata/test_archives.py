"""Packages as one file: what is read, and what a hostile one is refused for before anything is parsed."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from tabwright.metadata import limits
from tabwright.metadata.archives import read_archive, write_archive
from tabwright.platform.errors import Invalid, TooLarge

HEAD = b'{"name": "demo"}'


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return made.getvalue()


def tarred(*members: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:  # type: ignore[call-overload]
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def plain(name: str) -> tarfile.TarInfo:
    return tarfile.TarInfo(name)


def test_what_is_written_is_read_again() -> None:
    files = {"package.json": HEAD, "field/a.b.json": b"{}", "samples/a.csv": b"@key\n"}
    made = write_archive(files)
    assert read_archive(made) == files
    assert write_archive(dict(reversed(files.items()))) == made, "equal files are equal bytes"


@pytest.mark.parametrize("pack", ["zip", "tar", "tar.gz"])
def test_files_may_stand_in_one_folder_and_others_are_left_out(pack: str) -> None:
    members = {
        "./demo/package.json" if pack != "zip" else "demo/package.json": HEAD,
        "demo/object/a.json": b"{}",
        "demo/README.md": b"hello",
        "demo/object/deep/b.json": b"{}",
        "__MACOSX/x": b"",
    }
    if pack == "zip":
        data = zipped(*members.items())
    else:
        data = tarred(*((plain(n), d) for n, d in members.items()), mode="w:gz" if pack == "tar.gz" else "w")
    expected = {"package.json": HEAD, "object/a.json": b"{}"}
    assert read_archive(data) == expected


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def special(name: str, type: bytes, target: str = "/etc/passwd") -> bytes:
    info = plain(name)
    info.type, info.linkname = type, target
    return tarred((plain("package.json"), HEAD), (info, b""))


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "dots": (lambda: zipped(("package.json", HEAD), ("../x.json", b"")), "archive.path"),
    "inner dots": (lambda: zipped(("package.json", HEAD), ("field/../../x.json", b"")), "archive.path"),
    "absolute": (lambda: zipped(("package.json", HEAD), ("/etc/x.json", b"")), "archive.path"),
    "drive": (lambda: zipped(("package.json", HEAD), ("C:/x.json", b"")), "archive.path"),
    "backslash": (lambda: zipped(("package.json", HEAD), ("field\\..\\x.json", b"")), "archive.path"),
    "tar dots": (lambda: tarred((plain("package.json"), HEAD), (plain("../x"), b"")), "archive.path"),
    "tar absolute": (lambda: tarred((plain("package.json"), HEAD), (plain("/x"), b"")), "archive.path"),
    "link": (lambda: zipped(("package.json", HEAD), (link("field/a.json"), b"/etc/passwd")), "archive.link"),
    "tar link": (lambda: special("field/a.json", tarfile.SYMTYPE), "archive.link"),
    "tar hard link": (lambda: special("field/a.json", tarfile.LNKTYPE), "archive.link"),
    "device": (lambda: special("field/a.json", tarfile.CHRTYPE), "archive.link"),
    "case twins": (
        lambda: zipped(("package.json", HEAD), ("field/a.json", b""), ("field/A.json", b"")),
        "archive.twins",
    ),
    "form twins": (
        lambda: zipped(("package.json", HEAD), ("field/é.json", b""), ("field/e\u0301.json", b"")),
        "archive.twins",
    ),
    "method": (
        lambda: zipped(("package.json", HEAD), method=zipfile.ZIP_LZMA),
        "archive.method",
    ),
    "no head": (lambda: zipped(("field/a.json", b"{}")), "archive.no_package"),
    "empty": (lambda: b"", "archive.broken"),
    "text": (lambda: b"PK hello", "archive.broken"),
    "half a zip": (lambda: zipped(("package.json", HEAD * 1000))[:60], "archive.broken"),
    "half a gzip": (lambda: tarred((plain("package.json"), HEAD * 9999))[:60], "archive.broken"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused(name: str) -> None:
    build, code = HOSTILE[name]
    with pytest.raises(Invalid) as caught:
        read_archive(build())
    assert caught.value.code == code


def test_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "package_unpacked_bytes", 100_000)
    bomb = b"0" * 150_000
    many = [(plain(f"n{number}"), b"0" * 60_000) for number in range(3)]
    for data in (
        zipped(("package.json", HEAD), ("field/a.json", bomb)),
        zipped(("package.json", HEAD), *((f"n{number}", b"0" * 60_000) for number in range(3))),
        tarred((plain("package.json"), HEAD), (plain("field/a.json"), bomb)),
        tarred((plain("package.json"), HEAD), *many),
        tarred((plain("package.json"), b" " * 40_000_000)),
    ):
        with pytest.raises(Invalid) as caught:
            read_archive(data)
        assert caught.value.code == "archive.bomb"


def test_too_many_files_and_too_large_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "package_files", 5)
    for data in (
        zipped(*((f"n{number}", b"") for number in range(6))),
        tarred(*((plain(f"n{number}"), b"") for number in range(6))),
    ):
        with pytest.raises(Invalid) as caught:
            read_archive(data)
        assert caught.value.code == "archive.too_many"
    monkeypatch.setattr(limits, "package_bytes", 10)
    with pytest.raises(TooLarge):
        read_archive(b"x" * 11)


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(zipped(("package.json", HEAD), method=zipfile.ZIP_STORED))
    data[6] |= 1  # the flag in the file's own head
    data[data.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    with pytest.raises(Invalid) as caught:
        read_archive(bytes(data))
    assert caught.value.code == "archive.method"
