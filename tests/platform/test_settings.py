"""What an operator sets, refused with the variable's name when it makes no sense; clock and ids."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tabwright.platform.clock import FixedClock, FixedIds, SystemClock, SystemIds
from tabwright.platform.errors import Invalid
from tabwright.platform.settings import Settings


def env(home: Path, **more: str) -> dict[str, str]:
    return {"TABWRIGHT_HOME": str(home), **{f"TABWRIGHT_{name}": value for name, value in more.items()}}


def test_the_first_start_makes_a_secret_for_its_owner_only(tmp_path: Path) -> None:
    home = tmp_path / "var"
    first = Settings.from_env(env(home))
    assert len(first.secret) >= 48 and first.secret not in repr(first)
    assert stat.S_IMODE(os.stat(home / "secret").st_mode) == 0o600
    assert Settings.from_env(env(home)).secret == first.secret
    assert Settings.from_env(env(tmp_path / "other")).secret != first.secret


@pytest.mark.parametrize("secret", ["", "secret", "changeme" * 8, "a" * 64])
def test_a_poor_secret_is_refused(tmp_path: Path, secret: str) -> None:
    with pytest.raises(Invalid, match="settings.secret"):
        Settings.from_env(env(tmp_path, SECRET=secret))


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("BASE_URL", "crm.example.com", "settings.base_url"),
        ("BASE_URL", "javascript://x", "settings.base_url"),
        ("DATABASE_URL", "mysql://x", "settings.database_url"),
        ("SCHEMA_PREFIX", 'a"b', "settings.schema_prefix"),
        ("LANGUAGE", "fr", "settings.language"),
        ("ZONE", "Mars/Base", "settings.zone"),
        ("PROXIES", "-1", "settings.proxies"),
        ("LIMIT_PAGE_ROWS", "0", "settings.number"),
        ("LIMIT_NOTHING", "1", "settings.unknown"),
        ("DATABSE_URL", "x", "settings.unknown"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(tmp_path: Path, name: str, value: str, code: str) -> None:
    with pytest.raises(Invalid, match=code) as caught:
        Settings.from_env(env(tmp_path, **{name: value}))
    assert caught.value.faults[0].params["name"] == "TABWRIGHT_" + name


def test_limits_are_read_by_name(tmp_path: Path) -> None:
    settings = Settings.from_env(env(tmp_path, LIMIT_PAGE_ROWS="50", BASE_URL="https://crm.example.com/"))
    assert settings.limits.page_rows == 50 and settings.limits.bulk_rows == 10_000
    assert settings.base_url == "https://crm.example.com" and settings.secure


def test_ids_are_version_7_and_rise() -> None:
    ids = SystemIds(SystemClock())
    made = ids.many(5000) + [ids.new() for _ in range(500)]
    assert made == sorted(set(made)) and {(each.version, each.variant) for each in made} == {
        (7, "specified in RFC 4122")
    }
    age = datetime.now(UTC).timestamp() * 1000 - (made[-1].int >> 80)
    assert -50 < age < 5000


def test_ids_rise_even_when_the_clock_goes_back() -> None:
    clock = FixedClock()
    ids = SystemIds(clock)
    first = ids.new()
    clock.advance(timedelta(hours=-2))
    assert ids.new() > first


def test_fixed_ids_are_the_same_each_time() -> None:
    assert FixedIds(3).many(4) == FixedIds(3).many(4) != FixedIds(4).many(4)
    assert FixedIds(3).many(0) == []


def test_a_fixed_clock_moves_when_told() -> None:
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC), step=timedelta(seconds=1))
    assert clock.now() < clock.now()
    with pytest.raises(ValueError):
        FixedClock(datetime(2026, 1, 1))
