"""Where somebody is signed in, in words that they know the device by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tabwright.platform.language import format_date
from tabwright.platform.signin import SessionEntry, TokenEntry
from tabwright.runtime.desk import Call
from tabwright.runtime.pages.history import when_text
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import plural

# The first that is found in what a browser calls itself: they all claim to be each other.
_BROWSERS = (
    ("MicroMessenger", "WeChat"), ("DingTalk", "DingTalk"), ("Lark", "Feishu"), ("Edg", "Edge"),
    ("OPR", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("Chrome", "Chrome"), ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"),
    ("Windows", "Windows"), ("Macintosh", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip
_PHONES = ("HarmonyOS", "iPhone", "iPad", "Android")


@dataclass(frozen=True, slots=True)
class Device:
    """A session as a line."""

    id: str
    name: str
    icon: str
    remote: str
    since: str
    seen: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Token:
    """An API token as a line. ``state``: live, expired or revoked."""

    id: str
    name: str
    user: str
    scope: str
    made: str
    expires: str
    state: str


def devices(call: Call, found: Iterable[SessionEntry], here: str = "") -> list[Device]:
    """Sessions as lines; ``here`` is the id of the one that asks, which comes first."""
    lines = [_device(call, each, here) for each in found]
    return sorted(lines, key=lambda each: not each.is_here)


def _device(call: Call, entry: SessionEntry, here: str) -> Device:
    name = device_name(entry.agent)
    icon = "device-mobile" if any(each in name for each in _PHONES) else "device-desktop"
    return Device(
        entry.id,
        name or text(call.language)("account.unknown_device"),
        icon,
        entry.remote,
        _when(call, entry.created_at),
        _when(call, entry.seen_at),
        entry.id == here,
    )


def device_name(agent: str) -> str:
    """A browser and a system, as far as the browser says so: ``Chrome · Windows``."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return " · ".join(each for each in (browser, system) if each)


def tokens(call: Call, found: Iterable[TokenEntry], names: dict[Any, str] | None = None) -> list[Token]:
    """API tokens as lines; ``names``: of their users."""
    now, t = call.clock.now(), text(call.language)
    lines = []
    for each in found:
        state = "revoked" if each.revoked_at else "expired" if each.expires_at <= now else "live"
        expires = format_date(each.expires_at.astimezone(ZoneInfo(call.zone)).date(), call.language)
        user = (names or {}).get(each.user_id, "")
        made = _when(call, each.created_at)
        scope = _scope_said(call, each.scope) or t("account.scope_all")
        lines.append(Token(each.id.hex, each.name, user, scope, made, expires, state))
    return lines


def _scope_said(call: Call, scope: Any) -> str:
    """A scope in one line: objects by their label, with what may be done, and how many fields."""
    if not scope:
        return ""
    t, said = text(call.language), []
    fields = scope.get("fields") or {}
    for name, rights in sorted((scope.get("objects") or {}).items()):
        object = call.model.find(name)
        label = t("account.every_object") if name == "*" else name
        label = plural(object, call.language) if object is not None else label
        done = t("account.join").join(t(f"account.may_{each}") if each in SCOPED else each for each in rights)
        few = t("account.fields_only", count=len(fields[name])) if name in fields else ""
        said.append(t("account.scope_of", object=label, rights=done) + few)
    said += sorted(scope.get("system") or ())
    return "; ".join(said) or t("account.scope_nothing")


SCOPED = ("read", "create", "edit", "delete")


def _when(call: Call, at: datetime) -> str:
    return when_text(at, call.clock.now(), ZoneInfo(call.zone), call.language)
