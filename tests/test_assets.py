"""The front-end files: each is the one that was vendored, and no page asks another host for anything."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ["platform", "metadata", "runtime", "formula", "workflow", "admin_ui"]
FOLDERS = [ROOT / "platform/static/vendor", ROOT / "tests/support/vendor"]
ENTRIES = [
    (folder, entry)
    for folder in FOLDERS
    for entry in json.loads((folder / "manifest.json").read_text("utf-8"))
]
# Everything that a browser is sent: pages, styles, scripts, pictures.
SENT = sorted(
    path
    for room in ROOMS
    for suffix in ("html", "jinja", "j2", "css", "js", "svg")
    for path in (ROOT / room).rglob(f"*.{suffix}")
)
# A reference that makes the browser fetch: not a link that a person may follow, nor a namespace or a comment.
FETCHES = [
    re.compile(r"""url\(\s*["']?(?:https?:)?//[^)]*"""),
    re.compile(r"""@import\s+["']?(?:https?:)?//[^"';]*"""),
    re.compile(
        r"""<(?:script|link|img|iframe|source|video|audio|embed|object|use|form)\b[^>]*["'\s=](?:https?:)?//[^"'>]*"""
    ),
    re.compile(r"""(?:fetch|import|importScripts|EventSource|Worker)\(\s*["'`](?:https?:)?//[^"'`]*"""),
]


def fetched(text: str) -> list[str]:
    """What in a file would make a browser ask another host."""
    return [match.group() for pattern in FETCHES for match in pattern.finditer(text)]


@pytest.mark.parametrize(
    ("folder", "entry"),
    ENTRIES,
    ids=lambda value: value["file"] if isinstance(value, dict) else value.parts[-3],
)
def test_a_vendored_file_is_the_one_in_the_manifest(folder: Path, entry: dict[str, str]) -> None:
    digest = hashlib.sha384((folder / entry["file"]).read_bytes()).digest()
    assert entry["sha384"] == "sha384-" + base64.b64encode(digest).decode()
    assert entry["name"] and re.fullmatch(r"\d+\.\d+\.\d+", entry["version"]) and entry["licence"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.parts[-3])
def test_nothing_stands_there_without_an_entry(folder: Path) -> None:
    stated = {entry["file"] for at, entry in ENTRIES if at == folder}
    assert {path.name for path in folder.iterdir() if path.is_file()} == stated | {"manifest.json"}


@pytest.mark.parametrize("path", SENT, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_asks_another_host(path: Path) -> None:
    assert fetched(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ('<script src="https://cdn.example/x.js"></script>', True),
        ("<link rel=stylesheet href=//fonts.example/css>", True),
        ("@import 'https://fonts.example/css';", True),
        ("a { background: url(http://x.example/a.png) }", True),
        ('fetch("https://x.example/")', True),
        ('<a href="https://x.example/">help</a>', False),
        ('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>', False),
        ('<script src="/static/htmx.min.js"></script>', False),
    ],
)
def test_the_guard_sees_a_foreign_reference(text: str, asks: bool) -> None:
    assert bool(fetched(text)) is asks


def test_every_file_and_icon_that_a_style_or_page_names_is_here() -> None:
    static = ROOT / "platform/static"
    for style in static.glob("*.css"):
        for name in re.findall(r"""url\(["']?([^"')#]+)["']?\)""", style.read_text("utf-8")):
            assert name.startswith("data:") or (static / name).is_file(), f"{style.name}: {name}"
    drawn = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (static / "vendor/icons.svg").read_text("utf-8")))
    named = {
        (path.name, icon)
        for path in SENT
        if path.suffix in {".html", ".jinja", ".j2", ".js"} and "vendor" not in path.parts
        for icon in re.findall(r"icons\.svg#([a-z0-9-]+)[\"']", path.read_text("utf-8"))
    }
    assert len(drawn) > 130 and {(page, icon) for page, icon in named if icon not in drawn} == set()
