"""What is in the house is in the wheel: a file that packaging forgets is missed in nobody's checkout."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ["platform", "metadata", "runtime", "formula", "workflow", "admin_ui", "templates"]
PARTS = ["pyproject.toml", "README.md", "LICENSE", "src", *ROOMS]


def test_the_wheel_holds_every_file_of_every_room_and_nothing_else(tmp_path: Path) -> None:
    copy = tmp_path / "source"
    copy.mkdir()
    clutter = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, copy / part, symlinks=True, ignore=clutter)
        else:
            shutil.copy2(ROOT / part, copy / part)
    build = "from setuptools import build_meta; build_meta.build_wheel('wheel')"
    (copy / "wheel").mkdir()
    run = subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    (wheel,) = (copy / "wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {
        f"tabwright/{path.relative_to(copy)}"
        for room in ROOMS
        for path in (copy / room).rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    wanted |= {f"tabwright/{path.name}" for path in (copy / "src/tabwright").iterdir() if path.is_file()}
    assert held == wanted
