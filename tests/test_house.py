"""The house keeps its shape: rooms, doors and stairs are checked, not remembered."""

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOORWAY = ROOT / "src" / "tabwright"
# A room may import the rooms listed here, and itself; nothing else of ours.
STAIRS: dict[str, set[str]] = {
    "formula": set(),
    "platform": set(),
    "metadata": {"formula", "platform"},
    "runtime": {"formula", "platform", "metadata"},
    "workflow": {"formula", "platform", "metadata", "runtime"},
    "admin_ui": {"formula", "platform", "metadata", "runtime", "workflow"},
}
MODULES = sorted(path for room in STAIRS for path in (ROOT / room).rglob("*.py"))
DOORS = sorted(DOORWAY.glob("*.py"))
# A text that names a module of ours: importlib, lazy registries (a logger's name need not be one).
NAMED = re.compile(rf"^tabwright\.(?:{'|'.join([*STAIRS, *(door.stem for door in DOORS)])})\b[\w.]*")

# ---- what a file is called, and what it imports ------------------------------------------------------


def dotted(path: Path) -> str:
    """The name under which a file is imported: `runtime/pages/__init__.py` is `tabwright.runtime.pages`."""
    inside = path.relative_to(DOORWAY if path.is_relative_to(DOORWAY) else ROOT).with_suffix("")
    parts = inside.parts[:-1] if inside.name == "__init__" else inside.parts
    return ".".join(("tabwright", *parts))


def nodes(tree: ast.AST, *, with_type_checking: bool) -> Iterator[ast.AST]:
    """Every node of a file; on request without what stands under `if TYPE_CHECKING`."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and not with_type_checking and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def imports(source: str, module: str, package: str, *, with_type_checking: bool = True) -> list[str]:
    """Every absolute name that a file imports, wherever the import stands; `from . import x` included."""
    names: list[str] = []
    for node in nodes(ast.parse(source), with_type_checking=with_type_checking):
        if isinstance(node, ast.Import):
            assert "tabwright" not in {a.name for a in node.names}, f"{module}: import a module of a room"
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names += NAMED.findall(node.value)
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= 1, f"{module}:{node.lineno}: say tabwright.<room>, not dots"
            start = ".".join(filter(None, [package if node.level else "", node.module]))
            names += [f"{start}.{alias.name}" for alias in node.names]
    return names


def imports_of(path: Path, *, with_type_checking: bool = True) -> list[str]:
    """`imports` of a file that stands in the house."""
    module = dotted(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return imports(path.read_text("utf-8"), module, package, with_type_checking=with_type_checking)


def strays(room: str, names: list[str]) -> list[str]:
    """Which of the imported names a module of this room may not import, and why."""
    found = []
    for name in names:
        first, _, rest = name.partition(".")
        target = rest.partition(".")[0]
        if first in STAIRS and first != "platform":
            found.append(f"{name}: say tabwright.{name}")
        elif first == "tabwright" and target != room and target not in STAIRS[room]:
            found.append(f"{room} may not import {target} ({name})")
    return found


def graph(imported: dict[str, list[str]]) -> dict[str, set[str]]:
    """Module -> modules of ours that it imports, each name cut to the longest prefix that is a module."""
    edges: dict[str, set[str]] = {}
    for module, names in imported.items():
        edges[module] = set()
        for name in names:
            while name and name not in imported:
                name = name.rpartition(".")[0]
            if name and name not in (module, "tabwright"):
                edges[module].add(name)
    return edges


# ---- the shape ---------------------------------------------------------------------------------------


def test_the_standard_library_keeps_its_platform() -> None:
    """As gunicorn, celery, flask and python -m do: the root stands first on sys.path."""
    code = "import os, platform; assert os.path.dirname(platform.__file__) == os.path.dirname(os.__file__)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("room", STAIRS)
def test_a_room_has_a_door_and_no_init(room: str) -> None:
    assert not (ROOT / room / "__init__.py").exists(), "an __init__.py here would shadow a top-level name"
    assert not (ROOT / f"{room}.py").exists()
    assert (DOORWAY / room).is_symlink() and (DOORWAY / room).readlink() == Path("../..") / room
    assert (ROOT / room / "README.md").is_file(), "a room says what lives in it"


def test_the_templates_are_data_behind_a_door() -> None:
    assert (DOORWAY / "templates").readlink() == Path("../../templates")
    assert list((ROOT / "templates").rglob("*.py")) == []


def test_the_doorway_holds_nothing_but_doors_and_its_own_files() -> None:
    links = {path.name for path in DOORWAY.iterdir() if path.is_symlink()}
    assert links == {*STAIRS, "templates"}
    folders = [p.name for p in DOORWAY.iterdir() if p.is_dir() and not p.is_symlink()]
    assert [name for name in folders if name != "__pycache__"] == []


def test_a_floor_of_a_room_has_an_init_and_tests_have_none() -> None:
    folders = {path.parent for path in MODULES} - {ROOT / room for room in STAIRS}
    assert [f for f in folders if not (f / "__init__.py").is_file()] == []
    assert list((ROOT / "tests").rglob("__init__.py")) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_stays_in_its_room(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    assert path.stem not in sys.stdlib_module_names, "named like a standard library module"
    assert strays(room, imports_of(path)) == []


def test_the_module_graph_has_no_cycle() -> None:
    everything = {dotted(path): imports_of(path, with_type_checking=False) for path in [*DOORS, *MODULES]}
    graphlib.TopologicalSorter(graph(everything)).prepare()  # CycleError names the ring


@pytest.mark.parametrize(
    ("room", "source", "wrong"),
    [
        ("platform", "from tabwright.runtime.records import Records", True),
        ("platform", "def f():\n    import tabwright.metadata.model", True),
        ("formula", "importlib.import_module('tabwright.platform.clock')", True),
        ("formula", "logging.getLogger('tabwright.slow')", False),
        ("runtime", "import metadata.model", True),
        ("runtime", "from tabwright.app import create_app", True),
        ("runtime", "import platform\nfrom tabwright.metadata.model import Model", False),
        ("platform", "from .errors import Invalid", False),
    ],
)
def test_the_guard_sees_a_wrong_import(room: str, source: str, wrong: bool) -> None:
    assert bool(strays(room, imports(source, f"tabwright.{room}.x", f"tabwright.{room}"))) is wrong


def test_the_guard_sees_dots_and_rings() -> None:
    with pytest.raises(AssertionError, match="not dots"):
        imports("from ..metadata import model", "tabwright.runtime.x", "tabwright.runtime")
    ring = {"tabwright.a.x": ["tabwright.a.y.Name"], "tabwright.a.y": ["tabwright.a.x"]}
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(graph(ring)).prepare()
    lazy = "if TYPE_CHECKING:\n    from tabwright.a.x import Name"
    assert imports(lazy, "tabwright.a.y", "tabwright.a", with_type_checking=False) == []
    assert imports("from . import x", "tabwright.a.y", "tabwright.a") == ["tabwright.a.x"]


# ---- what our code may not do (R62) ------------------------------------------------------------------

# Rule -> the full names of calls that break it, whatever they are imported as.
FORBIDDEN_CALLS = {
    "exec": {"eval", "exec", "compile", "__import__", "builtins.eval", "builtins.exec", "builtins.compile"},
    "yaml": {"yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.unsafe_load_all", "yaml.full_load"},
    "shell": {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"},
}
# Rule -> modules that may not be imported.
FORBIDDEN_MODULES = {
    "pickle": {"pickle", "_pickle", "cloudpickle", "dill", "marshal", "shelve", "jsonpickle"},
    "network": {"requests", "httpx", "aiohttp", "urllib3", "urllib.request", "http.client"},
}
# Calls that take SQL as text: the first argument may be a name or a plain string, never made on the spot.
SQL_TEXT = {"sqlalchemy.text", "sqlalchemy.literal_column", "sqlalchemy.DDL", "sqlalchemy.sql.text"}
SQL_METHODS = {"exec_driver_sql"}

# The only places that may break a rule, and why. An entry that nothing needs any more fails the test below.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("formula/codegen.py", "exec"): "compiles text that only our generator wrote, from a checked tree; "
    "a test re-parses every generated function against a white list of nodes",
    (
        "runtime/storage/ddl.py",
        "sql",
    ): "LOCK TABLE, which SQLAlchemy does not have; its one name is a generated "
    "o<n> in the tenant's schema, quoted by the dialect",
}


def full_names(tree: ast.AST) -> dict[str, str]:
    """Local name -> full dotted name, for everything that a file imports."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return known


def made_on_the_spot(node: ast.expr) -> bool:
    """Whether an expression builds a text: an f-string with holes, `+`, `%`, `.format`, `.join`..."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return not all(isinstance(leaf, ast.Constant | ast.BinOp | ast.operator) for leaf in ast.walk(node))
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"format", "format_map", "join", "replace"}
    )


def offences(source: str) -> list[tuple[str, str]]:
    """(rule, line and text) for everything in a file that our code may not do."""
    tree = ast.parse(source)
    known = full_names(tree)
    found: list[tuple[str, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{name}" for name in names)]
            for rule, modules in FORBIDDEN_MODULES.items():
                if any(name == bad or name.startswith(f"{bad}.") for name in names for bad in modules):
                    found.append((rule, f"line {node.lineno}: {ast.unparse(node)}"))
        if not isinstance(node, ast.Call):
            continue
        here = f"line {node.lineno}: {ast.unparse(node)[:90]}"
        first, _, rest = ast.unparse(node.func).partition(".")
        name = ".".join(filter(None, [known.get(first, first), rest]))
        last = name.rpartition(".")[2]
        found += [(rule, here) for rule, names_ in FORBIDDEN_CALLS.items() if name in names_]
        for keyword in node.keywords:
            if keyword.arg == "shell" and not (
                isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            ):
                found.append(("shell", here))
        checks_documents = re.fullmatch(r"(Draft\w*)?Validator", last) or name == "jsonschema.validate"
        if checks_documents and "registry" not in {keyword.arg for keyword in node.keywords}:
            found.append(("registry", here))  # without one, a $ref may fetch
        if (name in SQL_TEXT or last in SQL_METHODS) and node.args and made_on_the_spot(node.args[0]):
            found.append(("sql", here))
    return found


@pytest.mark.parametrize("path", [*DOORS, *MODULES], ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_does_nothing_forbidden(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    found = offences(path.read_text("utf-8"))
    assert [f"{rule}: {what}" for rule, what in found if (place, rule) not in EXCEPTIONS] == []


@pytest.mark.parametrize(("place", "rule"), EXCEPTIONS)
def test_an_exception_is_still_needed(place: str, rule: str) -> None:
    path = ROOT / place
    assert path.is_file() and rule in {found for found, _ in offences(path.read_text("utf-8"))}, (
        "take the entry out of EXCEPTIONS"
    )
    assert len(EXCEPTIONS[place, rule]) > 20, "an exception has a reason"


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("eval(text)", "exec"),
        ("import builtins as b\nb.exec(text)", "exec"),
        ("import pickle", "pickle"),
        ("def f():\n    from pickle import loads", "pickle"),
        ("import yaml\nyaml.load(f)", "yaml"),
        ("from yaml import load as read\nread(f)", "yaml"),
        ("import urllib.request", "network"),
        ("from urllib import request", "network"),
        ("import requests", "network"),
        ("subprocess.run(cmd, shell=True)", "shell"),
        ("import os\nos.system(cmd)", "shell"),
        ("from jsonschema import Draft202012Validator\nDraft202012Validator(schema)", "registry"),
        ("import jsonschema\njsonschema.validate(doc, schema)", "registry"),
        ("import sqlalchemy as sa\nsa.text(f'select {x}')", "sql"),
        ("from sqlalchemy import text\ntext('select ' + x)", "sql"),
        ("from sqlalchemy import text\ntext('select %s' % x)", "sql"),
        ("connection.exec_driver_sql('select {}'.format(x))", "sql"),
        ("import re\nre.compile(pattern)", None),
        ("subprocess.run(cmd, shell=False)", None),
        ("from jsonschema import Draft202012Validator\nDraft202012Validator(s, registry=EMPTY)", None),
        ("import sqlalchemy as sa\nsa.text('select ' 'one')", None),
        ("import sqlalchemy as sa\nsa.text('select ' + 'one')", None),
        ("statement.compile(dialect=d)", None),
        ("def text(x): ...\ntext(f'{x}')", None),
        ("from urllib.parse import quote", None),
    ],
)
def test_the_rules_see_what_they_forbid(source: str, rule: str | None) -> None:
    assert {found for found, _ in offences(source)} == ({rule} if rule else set())


# ---- packaging ---------------------------------------------------------------------------------------


def names_in(lines: list[str]) -> set[str]:
    """Distribution names, as the registry compares them, with their extras."""
    found = [re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?", line.strip()) for line in lines]
    return {re.sub(r"[-_.]+", "-", match.group()).lower() for match in found if match}


def listed(file: str) -> list[str]:
    """The requirement lines of a file: no comments, no options, no hashes."""
    lines = (ROOT / "requirements" / file).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith((" ", "#", "-"))]


def test_the_project_and_the_lock_name_the_same_libraries() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert names_in(project["project"]["dependencies"]) == names_in(listed("runtime.in"))
    assert names_in(project["build-system"]["requires"]) == names_in(listed("build.in"))
    assert project["project"]["requires-python"] == ">=3.11"


@pytest.mark.parametrize("name", ["build", "runtime", "dev"])
def test_a_lock_is_exact_hashed_and_names_no_address(name: str) -> None:
    lines = listed(f"{name}.lock")
    assert lines and [line for line in lines if not re.match(r"[\w.-]+(\[[\w,]+\])?==[\w.!+]+ ", line)] == []
    text = (ROOT / "requirements" / f"{name}.lock").read_text("utf-8")
    assert text.count("--hash=sha256:") >= len(lines)
    assert not re.search(r"://|--index|--extra-index|--find-links", text)
    wanted = {re.sub(r"\[.*", "", wish) for wish in names_in(listed(f"{name}.in"))}
    assert wanted - {re.sub(r"\[.*", "", pin) for pin in names_in(lines)} == set()


def test_the_locks_agree() -> None:
    pins = [{line.split(" ")[0] for line in listed(f"{name}.lock")} for name in ("build", "runtime", "dev")]
    assert pins[0] | pins[1] <= pins[2], "tools/lock compiles all three"
