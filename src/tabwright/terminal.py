"""What every command shares: what it says to a person and to a program, and what it ends with.

``--json`` everywhere; 0 done, 1 refused, 2 wrong usage, 3 later.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from tabwright.platform.errors import StorageFull, TabwrightError, Unavailable
from tabwright.platform.language import Language, choose_language, register_messages, say_fault
from tabwright.platform.settings import Settings

if TYPE_CHECKING:
    from tabwright.app import Site

register_messages(Path(__file__).with_name("messages.json"))

REFUSED, LATER = 1, 3

TENANT = click.option("--tenant", "slug", required=True, help="The tenant's slug.")
FOLDER = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))


@dataclass(frozen=True, slots=True)
class Said:
    """What a command has to say: lines for a person, a value for ``--json``, and how it ends."""

    lines: Sequence[str]
    data: Any
    code: int = 0


def language() -> Language:
    """The language of the terminal."""
    return choose_language((os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")), None, "en")


Command = Callable[..., Said | None]
# What a command may open: stores of the installation, one tenant that it names, or nothing but files. Whoever
# can start one is the operator, so commands act as the platform itself.
Reach = Literal["installation", "tenant", "nothing"]
Callback = TypeVar("Callback", bound=Callable[..., Any])


def reaches(what: Reach) -> Callable[[Callback], Callback]:
    """Declare what a command may open; ``check_commands`` wants it of each."""

    def declare(command: Callback) -> Callback:
        command.tabwright_reach = what  # type: ignore[attr-defined]
        return command

    return declare


def check_commands(group: click.Group, path: str = "tabwright") -> None:
    """Raise RuntimeError naming every command that does not say what it may open, or says that it opens one
    tenant and does not ask which.
    """
    wrong = [
        name
        for name, command in commands(group, path)
        if (reach := getattr(command.callback, "tabwright_reach", None)) is None
        or (reach == "tenant" and not any(each.name == "slug" and each.required for each in command.params))
    ]
    if wrong:
        raise RuntimeError("commands without a policy: " + ", ".join(sorted(wrong)))


def commands(group: click.Group, path: str = "tabwright") -> Iterator[tuple[str, click.Command]]:
    """Every command below a group, with the words that start it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def saying(refused: int = REFUSED) -> Callable[[Command], Callable[..., None]]:
    """Give a command ``--json``, print what it says, and turn our errors into words and exit codes."""

    def decorate(command: Command) -> Callable[..., None]:
        @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
        @wraps(command)
        def run(*args: Any, as_json: bool, **kwargs: Any) -> None:
            try:
                said = command(*args, **kwargs)
            except TabwrightError as error:
                _tell_error(error, as_json)
                sys.exit(LATER if isinstance(error, (Unavailable, StorageFull)) else refused)
            if said is None:
                return
            if as_json:
                click.echo(json.dumps(said.data, ensure_ascii=False, indent=2, default=str))
            else:
                for line in said.lines:
                    click.echo(line)
            if said.code:
                sys.exit(said.code)

        return run

    return decorate


says = saying()


def _tell_error(error: TabwrightError, as_json: bool) -> None:
    spoken = language()
    faults = [
        {"code": each.code, "message": say_fault(each, spoken), **each.place.known()} for each in error.faults
    ]
    if as_json:
        click.echo(json.dumps({"error": error.code, "faults": faults}, ensure_ascii=False, indent=2))
        return
    for fault in faults:
        click.echo(_line_of(fault), err=True)


def _line_of(fault: dict[str, Any]) -> str:
    """A fault in one line; in a file as ``file:line: ...``, which editors make a link of."""
    message = str(fault["message"])
    rest = {k: v for k, v in fault.items() if k not in ("code", "message")}
    if str(rest.get("component", "")).endswith(".json"):
        at = f":{rest.pop('line')}" if "line" in rest else ""
        message = f"{rest.pop('component')}{at}: {message}"
    place = ", ".join(f"{key} {value}" for key, value in rest.items())
    return message + (f" [{place}]" if place else "")


def tell(line: str) -> None:
    """How far a command is: on the error stream, so that what it says stays clean."""
    click.echo(line, err=True)


def settings() -> Settings:
    """The settings of this terminal. Raises Invalid."""
    return Settings.from_env(os.environ)


def open_site() -> Site:
    """The installation; it is closed when the command ends."""
    from tabwright.app import create_site

    context = click.get_current_context()
    if getattr(context.command.callback, "tabwright_reach", None) not in ("installation", "tenant"):
        raise RuntimeError(f"{context.command_path} said that it opens no store")
    site = create_site(settings())
    context.call_on_close(site.close)
    return site
