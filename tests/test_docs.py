"""The guides say what is there, in both languages, and their examples work."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import click
import pytest

from apisite import ApiSite, make_api
from tabwright.app import TEMPLATES
from tabwright.cli import main
from tabwright.formula.functions.catalogue import FUNCTIONS
from tabwright.installing import check_folder, install_package
from tabwright.metadata import schema
from tabwright.metadata.fieldtypes import COMPUTED
from tabwright.metadata.model import type_names
from tabwright.platform.settings import PREFIX, Limits, Settings
from tabwright.runtime.records.hooks import OPEN_STAGES, STAGES

ROOT = Path(__file__).parents[1]
GUIDES = ROOT / "docs" / "guide"
LANGUAGES = ("zh", "en")
READERS = ("admin", "user", "consultant", "operator", "developer")
PAGES = sorted(
    [
        *GUIDES.glob("*.md"),
        *(ROOT / "docs" / "reference").glob("*.md"),
        *ROOT.glob("*.md"),
        ROOT / "docs/reliability.md",
    ]
)


def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def guide(reader: str, language: str) -> str:
    return text_of(GUIDES / f"{reader}.{language}.md")


def reference(name: str, language: str) -> str:
    return text_of(ROOT / "docs" / "reference" / f"{name}.{language}.md")


def test_no_page_holds_two_sides_of_a_merge() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert [page.name for page in pages if re.search(r"^(<{7}|>{7}) ", text_of(page), re.M)] == []


def blocks(text: str, kind: str) -> list[str]:
    """The fenced blocks of a language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    return [body for language, body in found if language == kind]


def headings(text: str) -> list[int]:
    """The levels of headings in their order, code left out."""
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return [len(found) for found in re.findall(r"^(#+) ", plain, re.M)]


@cache
def commands() -> dict[str, click.Command]:
    """Every command of ``tabwright`` with its words."""

    def walk(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group):
            for key, inner in command.commands.items():
                yield from walk(inner, f"{name} {key}")
        else:
            yield name, command

    return dict(walk(main, "tabwright"))


# ---- links and shape ------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_are_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if not re.match(r"https?://|mailto:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), (page.name, target)


@pytest.mark.parametrize("reader", READERS)
def test_both_languages_say_the_same(reader: str) -> None:
    zh, en = (guide(reader, language) for language in LANGUAGES)
    assert headings(zh) == headings(en)
    assert blocks(zh, "sh") == blocks(en, "sh")
    assert [json.loads(each) for each in blocks(zh, "json")] == [
        json.loads(each) for each in blocks(en, "json")
    ]


def test_readmes_and_reference_pages_have_the_same_headings() -> None:
    assert headings(text_of(ROOT / "README.zh.md")) == headings(text_of(ROOT / "README.md"))
    names = {page.name.partition(".")[0] for page in (ROOT / "docs" / "reference").glob("*.md")}
    for name in names:
        assert headings(reference(name, "zh")) == headings(reference(name, "en")), name


def test_every_guide_and_reference_page_is_listed() -> None:
    listed = text_of(GUIDES / "README.md")
    for page in PAGES:
        if page.parent.name in ("guide", "reference") and page.name != "README.md":
            assert f"{page.name})" in listed, page.name


def test_every_picture_is_used() -> None:
    used = "".join(text_of(page) for page in (*PAGES, ROOT / "docs" / "screens" / "README.md"))
    for picture in (ROOT / "docs" / "screens").glob("*.png"):
        assert picture.name in used, picture.name


# ---- what there is, is said -----------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_and_option_is_in_the_guides(language: str) -> None:
    said = "\n".join(guide(reader, language) for reader in READERS)
    for name, command in commands().items():
        assert re.search(rf"{name}\b", said), name
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.required:
                used = [line for line in said.splitlines() if re.search(rf"{name}\b", line)]
                assert any(any(option in line for option in parameter.opts) for line in used), (
                    name,
                    parameter.name,
                )


@pytest.mark.parametrize("reader", READERS)
def test_every_command_in_the_guides_can_be_parsed(reader: str, tmp_path: Path) -> None:
    for line in "\n".join(blocks(guide(reader, "en"), "sh")).splitlines():
        words = shlex.split(line, comments=True)
        if "tabwright" not in words or not line.startswith("tabwright"):
            continue
        name = max(
            (each for each in commands() if f"{' '.join(words)} ".startswith(f"{each} ")), key=len, default=""
        )
        assert name, line
        given = words[len(name.split()) :]
        given = ["0" * 32 if word == "ID" else word for word in given]
        given = [str(tmp_path) if word in ("events", "FOLDER", "templates/crm") else word for word in given]
        commands()[name].make_context(name, given).close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_and_limit_is_in_the_reference(language: str) -> None:
    said = reference("settings", language)
    for each in fields(Settings):
        if each.name != "limits":
            assert f"`{PREFIX}{each.name.upper()}`" in said, each.name
    for each in fields(Limits):
        assert f"`{PREFIX}LIMIT_{each.name.upper()}`" in said, each.name
    for named in re.findall(rf"{PREFIX}[A-Z_]+", "".join(guide(reader, language) for reader in READERS)):
        assert f"`{named}`" in said, named


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_function_kind_and_type_is_in_the_reference(language: str) -> None:
    functions = reference("functions", language)
    for name, function in FUNCTIONS.items():
        assert f"### {name}({function.usage})" in functions, name
        assert all(f"`{example.formula}`" in functions for example in function.examples), name
    assert all(f"`{kind}`\n" in reference("kinds", language) for kind in schema.kinds())
    assert all(f"`{type}`\n" in reference("field-types", language) for type in (*type_names, *COMPUTED))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_stage_is_in_the_developers_guide(language: str) -> None:
    said = guide("developer", language)
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", said, re.M)
    stages = [(name, text) for name, text in rows if name in STAGES]
    assert [name for name, _ in stages] == list(STAGES)
    word = "开放" if language == "zh" else "open"
    assert {name for name, text in stages if word in text} == set(OPEN_STAGES)


def test_every_family_of_codes_raised_is_in_the_reference() -> None:
    raised = set()
    for room in ("platform", "metadata", "runtime", "src/tabwright"):
        for path in (ROOT / room).rglob("*.py"):
            if path.is_symlink() or any(parent.is_symlink() for parent in path.relative_to(ROOT).parents):
                continue
            for node in ast.walk(ast.parse(text_of(path))):
                if not isinstance(node, ast.Call) or not node.args:
                    continue
                called, first = node.func, node.args[0]
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                if name in ("of", "at", "Fault") and isinstance(first, ast.Constant):
                    if isinstance(first.value, str) and re.fullmatch(r"[a-z_]+\.[a-z_]+", first.value):
                        raised.add(first.value.partition(".")[0])
    assert len(raised) > 15
    for language in LANGUAGES:
        for family in raised:
            assert f"| `{family}` |" in reference("errors", language), family


def test_every_endpoint_is_in_the_reference(site: ApiSite) -> None:
    for language in LANGUAGES:
        said = reference("api", language)
        for endpoint in site.api.endpoints.values():
            assert f"`{endpoint.method} {endpoint.path}`" in said, endpoint.name


# ---- the examples work ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    """A tenant with the CRM, as the demo has it."""
    with make_api("sqlite", tmp_path_factory.mktemp("docs")) as made:
        install_package(made.site, made.location, TEMPLATES / "crm")
        yield made


def test_the_administrators_examples_publish_one_after_the_other(site: ApiSite) -> None:
    for block in blocks(guide("admin", "en"), "json"):
        changed = site.admin.patch("/metadata/draft", json.loads(block))
        assert changed.status_code == 200, (block, changed.text)
        plan = site.admin.get("/metadata/draft/plan")
        assert plan.status_code == 200, plan.text
        assert plan.json["publishable"], plan.json["faults"]
        published = site.admin.post("/metadata/publish", {})
        assert published.status_code == 200, published.text
    described = site.admin.get("/objects/visit").json
    assert {"subject", "account", "visit_date", "result"} <= {each["name"] for each in described["fields"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_formulas_for_users_filter(site: ApiSite, language: str) -> None:
    text = guide("user", language)
    formulas = [*blocks(text, ""), *re.findall(r"^\| [^`|]+ \| `(.+)` \|$", text, re.M)]
    assert len(formulas) > 5
    for formula in formulas:
        found = site.admin.get("/objects/opportunity/records", where=formula.strip())
        assert found.status_code == 200, (formula, found.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_consultants_package_is_one(tmp_path: Path, language: str) -> None:
    text = guide("consultant", language)
    folder = tmp_path / "events"
    files = re.findall(r"^`([\w./]+\.json)`[:：]\n\n```json\n(.*?)^```$", text, re.M | re.S)
    for name, body in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(body, "utf-8")
    (folder / "samples").mkdir()
    sample = next(each for each in blocks(text, "") if each.startswith("@key"))
    (folder / "samples" / "event.csv").write_text(sample, "utf-8")
    tree = next(each for each in blocks(text, "") if each.startswith("events/"))
    assert {path.rsplit("/", 1)[-1] for path in tree.split()[1:]} == {
        each.name for each in folder.rglob("*.*")
    }
    assert len(check_folder(folder).components) == len(files) - 1
