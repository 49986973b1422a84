"""Packages as one file: a zip or tar of documents, read in memory and never unpacked to a disk.

What a stranger sends is taken for hostile: names that reach out, links, bombs, two files of one name and more
than a package may hold are refused before anything of it is parsed.
"""

from __future__ import annotations

import io
import re
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from tabwright.metadata import limits
from tabwright.platform.errors import Fault, Invalid, Place, TooLarge

HEAD = "package.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file written, so that equal packages are equal bytes
_directory = b"PK\x01\x02"  # begins each entry of a zip's directory
_methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ours = re.compile(r"[a-z_]+/[^/]+\.json|samples/[^/]+\.csv")

Files = Mapping[str, bytes]
"""A package's files by path: ``package.json``, ``<kind>/<name>.json``, ``samples/<object>.csv``."""


def read_archive(data: bytes) -> dict[str, bytes]:
    """The files of a package in a zip, tar or tar.gz; everything else in it (notes, tests) is left out.

    They may stand in one folder. Raises TooLarge, and Invalid (``archive.*``) for what is no archive, holds
    no ``package.json``, or tries what no package needs.
    """
    if len(data) > limits.package_bytes:
        raise TooLarge.of("archive.too_large", limit="package_bytes", most=limits.package_bytes)
    try:
        found = _gathered(_zip(data) if data[:2] == b"PK" else _tar(_inflated(data)))
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError) as error:
        raise Invalid.of("archive.broken") from error
    except (ValueError, UnicodeDecodeError, OverflowError, RuntimeError) as error:
        raise Invalid.of("archive.broken") from error
    heads = sorted((each for each in found if PurePosixPath(each).name == HEAD), key=lambda e: e.count("/"))
    if not heads:
        raise Invalid.of("archive.no_package")
    start = heads[0].removesuffix(HEAD)
    inside = {each.removeprefix(start): data for each, data in found.items() if each.startswith(start)}
    return {each: data for each, data in inside.items() if each == HEAD or _ours.fullmatch(each)}


def write_archive(files: Files) -> bytes:
    """A zip of a package's files; the same bytes for the same files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            info = zipfile.ZipInfo(path, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, files[path])
    return made.getvalue()


def _gathered(members: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    seen: set[str] = set()
    total = 0
    for number, (name, data) in enumerate(members, 1):
        total += len(data)
        if number > limits.package_files:
            raise Invalid.of("archive.too_many", most=limits.package_files)
        if total > limits.package_unpacked_bytes:
            raise Invalid.of("archive.bomb", most=limits.package_unpacked_bytes)
        folded = unicodedata.normalize("NFC", name).casefold()
        if folded in seen:
            raise Invalid([_fault("archive.twins", name)])
        seen.add(folded)
        found[name] = data
    return found


def _zip(data: bytes) -> Iterator[tuple[str, bytes]]:
    # Counted before the directory is read: what reads it makes an object of every entry.
    if data.count(_directory) > limits.package_files:
        raise Invalid.of("archive.too_many", most=limits.package_files)
    left = limits.package_unpacked_bytes
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise Invalid([_fault("archive.link", info.filename)])
            if info.flag_bits & 0x1 or info.compress_type not in _methods:
                raise Invalid([_fault("archive.method", info.filename)])
            _check_name(info.orig_filename)
            if info.is_dir():
                continue
            with archive.open(info) as file:
                held = file.read(left + 1)
            left -= len(held)
            if left < 0:
                raise Invalid.of("archive.bomb", most=limits.package_unpacked_bytes)
            yield info.filename, held


def _inflated(data: bytes) -> bytes:
    if data[:2] != b"\x1f\x8b":
        return data
    most = limits.package_unpacked_bytes + limits.package_files * 1024  # a tar's own blocks
    inflater = zlib.decompressobj(wbits=31)
    made = inflater.decompress(data, most + 1)
    if len(made) > most:
        raise Invalid.of("archive.bomb", most=limits.package_unpacked_bytes)
    return made


def _tar(data: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for number, member in enumerate(archive):
            if number > limits.package_files * 2:
                raise Invalid.of("archive.too_many", most=limits.package_files)
            if not (member.isreg() or member.isdir()) or member.issparse():
                raise Invalid([_fault("archive.link", member.name)])
            _check_name(member.name)
            if member.isdir():
                continue
            if member.size > limits.package_unpacked_bytes:
                raise Invalid.of("archive.bomb", most=limits.package_unpacked_bytes)
            file = archive.extractfile(member)
            yield member.name.removeprefix("./"), file.read() if file else b""


def _check_name(name: str) -> None:
    steps = name.removesuffix("/").split("/")
    if steps[0] == "." and len(steps) > 1:  # how tar writes what stands in the folder it was made in
        steps = steps[1:]
    wrong = any(each in ("", "..") or (each == "." and len(steps) > 1) for each in steps)
    if wrong or len(name) > 400 or "\\" in name or ":" in name or any(ord(each) < 32 for each in name):
        raise Invalid([_fault("archive.path", name)])


def _fault(code: str, name: str) -> Fault:
    shown = "".join(each if each.isprintable() else "?" for each in name[:120])
    return Fault(code, {"name": shown}, Place(component=shown))
