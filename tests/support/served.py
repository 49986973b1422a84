"""The served product for tests: an installation, its ``tabwright serve`` processes, and clients over HTTP.

``served`` is a fixture (one for all tests of a module, on each database); ``open_served`` is for scripts.
What a test needs of sizes it asks ``size`` for, so that a long run is the same test with other numbers.
"""

from __future__ import annotations

import html
import http.client
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from argon2 import PasswordHasher

from stores import DIALECTS, drop_everything, settings_for
from tabwright.app import Site, create_site
from tabwright.installing import create_tenant
from tabwright.people import add_person
from tabwright.platform.settings import Settings
from waiting import PATIENCE, until

API = "/api/v1"
PASSWORD = "correct horse battery"


def size(name: str, otherwise: int) -> int:
    """How large a run is: ``TABWRIGHT_REL_<NAME>``, else the size for the suite."""
    return int(os.environ.get(f"TABWRIGHT_REL_{name.upper()}", otherwise))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def serves(port: int) -> bool:
    """Whether somebody answers there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/health")
        with connection.getresponse() as answer:
            answer.read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


@dataclass(frozen=True)
class Response:
    """An answer, read whole."""

    status: int
    headers: Mapping[str, str]  # names in small letters
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def release(self) -> int:
        return int(self.headers["x-tabwright-release"])

    @property
    def code(self) -> str:
        """The problem document's code; '' where there is none."""
        return (
            str(self.json.get("code", "")) if "problem+json" in self.headers.get("content-type", "") else ""
        )


class Client:
    """Somebody's kept connection to one process; reconnects where the process is another one by now."""

    def __init__(self, port: int, token: str, cookie: str) -> None:
        self.port = port
        self._token = token
        self._cookie = cookie
        self._connection: http.client.HTTPConnection | None = None
        self.took: list[float] = []  # seconds of each answer

    def send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, **query: Any
    ) -> Response:
        """One API request, relative to /api/v1. OSError or HTTPException when there was no answer."""
        given = {"Authorization": f"Bearer {self._token}", "Accept": "application/json", **(headers or {})}
        data = None
        if body is not None:
            data, given["Content-Type"] = json.dumps(body).encode(), "application/json"
        return self._send(method, API + path + ("?" + urlencode(query) if query else ""), data, given)

    def page(self, path: str, form: Mapping[str, str] | None = None) -> Response:
        """A page, or the answer to a form."""
        given = {"Cookie": f"tw_session={self._cookie}", "Accept": "text/html", "Accept-Language": "en"}
        data = None
        if form is not None:
            data, given["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        return self._send("GET" if form is None else "POST", path, data, given)

    def form(self, path: str) -> dict[str, str]:
        """What the inputs of a page's record form hold, as a browser would send it."""
        page = self.page(path)
        assert page.status == 200, page.text[:500]
        return inputs_of(page.text)

    def _send(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> Response:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        began = time.perf_counter()
        try:
            self._connection.request(method, path, data, headers)
            answer = self._connection.getresponse()
            body = answer.read()
        except BaseException:
            self.close()
            raise
        self.took.append(time.perf_counter() - began)
        return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, body)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def inputs_of(page: str) -> dict[str, str]:
    """The inputs of a record form (no long text, no boxes that are not ticked)."""
    found: dict[str, str] = {}
    body = page[page.index('id="record-form"') :]
    for tag in re.findall(r"<input[^>]*>", body):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ("checkbox" not in tag or " checked" in tag):
            found[html.unescape(name[1])] = html.unescape(value[1]) if value else ""
    for name, inside in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', body, re.S):
        chosen = re.search(r'value="([^"]*)" selected', inside)
        found[name] = html.unescape(chosen[1]) if chosen else ""
    return found


@dataclass
class Served:
    """An installation with the tenant ``demo``. ``site`` is this process's own door to the same stores."""

    site: Site
    settings: Settings
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)  # by port
    people: dict[str, tuple[str, str, UUID]] = field(default_factory=dict)
    clients: list[Client] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.location = create_tenant(self.site, "demo", "Demo")
        self.person("admin", "administrator")

    @property
    def dialect(self) -> str:
        return self.site.stores.dialect

    @property
    def store(self) -> Any:
        return self.site.stores.tenant(self.location)

    def person(self, name: str, *sets: str) -> UUID:
        """A user with permission sets, a token and a session."""
        address = f"{name}@example.com"
        id = add_person(self.site, self.location, name=name, address=address, password=PASSWORD, sets=sets,
                        values={"language": "en"})  # fmt: skip
        token = self.site.tokens.create(self.location.id, id, "test")
        cookie = self.site.sessions.start(self.site.identities.find(address), self.location.id, id)
        self.people[name] = (token, cookie, id)
        return id

    def client(self, name: str = "admin", port: int | None = None) -> Client:
        """A new connection of a person, to the process at ``port`` or the first one."""
        token, cookie, _ = self.people[name]
        made = Client(port or next(iter(self.processes)), token, cookie)
        self.clients.append(made)
        return made

    @property
    def ports(self) -> list[int]:
        return list(self.processes)

    def start(self, *ports: int, arguments: Sequence[str] = ()) -> None:
        """Start a process for each port and wait until all answer."""
        for port in ports:
            self.processes[port] = subprocess.Popen(
                [sys.executable, "-m", "tabwright", "serve", "--port", str(port), *arguments],
                env=self.environment(), start_new_session=True,
            )  # fmt: skip
        for port in ports:
            until(lambda port=port: serves(port), "does not serve", self.processes[port])  # type: ignore[misc]

    def environment(self) -> dict[str, str]:
        """The environment of a ``tabwright`` command on this installation."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("TABWRIGHT_", "MALLOC_"))}
        env |= {"TABWRIGHT_HOME": str(self.settings.home), "TABWRIGHT_SECRET": self.settings.secret,
                "TABWRIGHT_LANGUAGE": "en"}  # fmt: skip
        if self.settings.database_url:
            env["TABWRIGHT_DATABASE_URL"] = self.settings.database_url
            env["TABWRIGHT_SCHEMA_PREFIX"] = self.settings.schema_prefix
        return env

    def kill(self, port: int) -> None:
        """kill -9 of a process and those below it."""
        process = self.processes.pop(port)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End every process as an operator would."""
        for client in self.clients:
            client.close()
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
        self.processes.clear()

    def publish(
        self,
        *documents: Mapping[str, Any],
        delete: Sequence[Mapping[str, str]] = (),
        client: Client | None = None,
    ) -> int:
        """Change the draft in one request and publish it in another; the release."""
        client = client or self.client()
        changed = client.send("PATCH", "/metadata/draft", {"put": list(documents), "delete": list(delete)})
        assert changed.status == 200, changed.text
        published = client.send("POST", "/metadata/publish", {})
        assert published.status == 200, published.text
        return int(published.json["release"])


@contextmanager
def open_served(dialect: str, home: Path, processes: int = 1) -> Iterator[Served]:
    """An installation that is being served; everything of it is gone at the end."""
    settings = settings_for(dialect, home)
    site = create_site(settings, hasher=PasswordHasher(1, 8, 1))
    try:
        made = Served(site, settings)
        try:
            made.start(*(free_port() for _ in range(processes)))
            yield made
        finally:
            made.stop()
    finally:
        drop_everything(site.stores)
        site.close()


@pytest.fixture(scope="module", params=DIALECTS)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """Two processes of one installation, on each database. Each test makes objects of its own there."""
    with tempfile.TemporaryDirectory() as folder, open_served(request.param, Path(folder), 2) as made:
        yield made


def document(kind: str, name: str, **body: Any) -> dict[str, Any]:
    """A document with a label."""
    last = name.rpartition(".")[2].replace("_", " ").capitalize()
    return {"kind": kind, "name": name, "label": {"en": last, "zh": last}, **body}


def an_object(name: str, **fields: Any) -> list[dict[str, Any]]:
    """The documents of an object: a name, and fields given as a type or as a body."""
    found = [document("object", name, name_field="name"),
             document("field", f"{name}.name", type="text", required=True, searchable=True)]  # fmt: skip
    for each, body in fields.items():
        found.append(
            document("field", f"{name}.{each}", **({"type": body} if isinstance(body, str) else body))
        )
    return found


def together(*work: Callable[[], None]) -> None:
    """Run these at once, each in a thread; the first error is raised when all have ended."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(work))

    def run(one: Callable[[], None]) -> None:
        try:
            barrier.wait()
            one()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if errors:
        raise errors[0]


def percentile(seconds: Iterable[float], part: float = 0.99) -> float:
    """Milliseconds below which that part of the times lies."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000 if ordered else 0.0


def tell(**figures: Any) -> None:
    """One line of figures, seen with ``pytest -s``."""
    print("\n" + json.dumps(figures, default=str), flush=True)


def word(length: int = 6) -> str:
    """A name that no other test has."""
    return "x" + secrets.token_hex(length // 2)
