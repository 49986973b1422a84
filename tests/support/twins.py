"""Two installations that differ in nothing but what one person may not know, asked the same questions.

Clock and ids are the same in both, so whatever differs in an answer comes from what is hidden.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from flask.wrappers import Request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.test import TestResponse

import pagesite
from hiding import EXTRA, OBJECTS, Planted, plant
from pagesite import PageSite
from stores import drop_everything, settings_for
from tabwright.app import create_site
from tabwright.platform.clock import FixedClock, _Sequence

_token = re.compile(rb"[0-9a-f]{64,}")
KEPT_HEADERS = (
    "Location",
    "ETag",
    "Content-Type",
    "Content-Disposition",
    "X-Tabwright-Release",
    "Allow",
    "Link",
)


class Reseeded:
    """Ids that begin anew at each request, so that what one installation made more of in the background does
    not shift those that come after.
    """

    def __init__(self) -> None:
        self.again(0)

    def again(self, turn: int) -> None:
        """The ids of a turn, all of them above those of the turns before."""
        now, source = 1_768_469_400_000 + turn, random.Random(turn)
        self._inner = _Sequence(lambda: now, source.getrandbits)

    def new(self) -> UUID:
        return self._inner.new()

    def many(self, n: int) -> list[UUID]:
        return self._inner.many(n)


class Recording(ImmutableMultiDict[str, str]):
    """Query or form values that remember which names a page asks for."""

    asked: set[str] = set()  # noqa: RUF012 - one for all: a test looks at one request at a time

    def get(self, key: Any, default: Any = None, type: Any = None) -> Any:  # type: ignore[override]
        Recording.asked.add(str(key))
        return super().get(key, default, type) if type is not None else super().get(key, default)

    def getlist(self, key: Any, type: Any = None) -> Any:
        Recording.asked.add(str(key))
        return super().getlist(key, type) if type is not None else super().getlist(key)

    def __getitem__(self, key: Any) -> Any:
        Recording.asked.add(str(key))
        return super().__getitem__(key)

    def __contains__(self, key: Any) -> bool:
        Recording.asked.add(str(key))
        return super().__contains__(key)


class _Request(Request):
    parameter_storage_class = Recording


@dataclass(frozen=True)
class Ask:
    """One request. ``data`` is a form's, ``json`` the body of an API call; ``page``: as a browser asks."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    data: tuple[tuple[str, str], ...] = ()
    json: Any = None
    page: bool = True


@dataclass
class Twin:
    """One of the two, and ``low`` signed in there."""

    site: PageSite
    clock: FixedClock
    ids: Reseeded
    planted: Planted
    low: UUID
    visitor: Any = None
    token: str = ""
    csrf: str = ""
    asked: set[str] = field(default_factory=set)
    turn: int = 10

    def ask(self, each: Ask) -> TestResponse:
        """The answer; ``asked`` is what the request was looked through for."""
        self._turned()
        Recording.asked = self.asked = set()
        given: dict[str, Any] = {"query_string": list(each.query) or None}
        headers: dict[str, str] = {"Accept": "text/html" if each.page else "application/json"}
        if not each.page:
            headers["Authorization"] = f"Bearer {self.token}"
            if each.json is not None:
                given["json"] = each.json
        elif each.method != "GET":
            data: dict[str, list[str]] = {"_csrf": [self.csrf]}
            for name, value in each.data:
                data.setdefault(name, []).append(value)
            given["data"] = data
        client = self.visitor.client if each.page else self.site.app.test_client()
        answer: TestResponse = client.open(each.path, method=each.method, headers=headers, **given)
        return answer

    def _turned(self) -> None:
        self.turn += 1
        self.ids.again(self.turn)
        self.clock.advance(timedelta(seconds=1))

    def work(self) -> None:
        """Run the jobs that are due."""
        self._turned()
        self.site.site.runner.run_due(self.site.location)


def told(answer: TestResponse) -> tuple[Any, ...]:
    """All of an answer but the token that stands in each page anew."""
    headers = tuple((name, answer.headers.get(name)) for name in KEPT_HEADERS)
    return answer.status_code, headers, _token.sub(b"TOKEN", answer.data)


@contextmanager
def twins(
    dialect: str,
    home: Path,
    seeds: tuple[int, int],
    extra: Callable[[], list[Mapping[str, Any]]] | None = None,
) -> Iterator[tuple[Twin, Twin]]:
    """Two installations whose hidden side is drawn from two seeds. ``extra``: further documents."""
    with ExitStack() as stack:
        secret = "one secret of both, as long as it has to be 0123456789"
        made = []
        for n, seed in enumerate(seeds):
            folder = home / str(n)
            folder.mkdir()
            clock, ids = FixedClock(), Reseeded()
            settings = replace(settings_for(dialect, folder), secret=secret)
            site = create_site(settings, clock=clock, ids=ids, hasher=PasswordHasher(1, 8, 1))
            stack.callback(site.close)
            stack.callback(drop_everything, site.stores)
            made.append(_grown(PageSite(site), clock, ids, seed, extra))
        yield made[0], made[1]


def _grown(
    pages: PageSite,
    clock: FixedClock,
    ids: Reseeded,
    seed: int,
    extra: Callable[[], list[Mapping[str, Any]]] | None,
) -> Twin:
    pages.app.request_class = _Request
    pages.publish(OBJECTS, [*EXTRA, *(extra() if extra is not None else ())])
    pagesite._addresses = itertools.count(1)  # both sign in from one place
    visitor = pages.person("low", "low", language="en")
    low = visitor.user_id
    assert low is not None
    token = pages.site.tokens.create(pages.location.id, low, "test", scope=None)
    source = random.Random(seed)
    planted = plant(pages.records, low, source, lambda: ids.again(2))
    ids.again(3)
    twin = Twin(pages, clock, ids, planted, low, visitor, token)
    twin.work()
    clock.advance(timedelta(hours=1))
    page = visitor.get("/settings")
    found = re.search(r'name="_csrf" value="([^"]+)"', page.text)
    assert found is not None
    twin.csrf = found[1]
    return twin
