"""A site with pages for tests: a tenant with objects, people who sign in, and what they get to see.

``make_pages`` opens one for a database.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import models
from stores import drop_everything, settings_for
from tabwright.app import Site, create_app, create_site
from tabwright.installing import create_tenant
from tabwright.metadata.documents import Component, read
from tabwright.metadata.drafts import Put
from tabwright.people import add_person, system_call
from tabwright.platform.clock import Clock
from tabwright.platform.errors import Invalid
from tabwright.platform.mail import Post
from tabwright.runtime.access.disclosing import accepting
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Call
from tabwright.runtime.publishing.service import Publishing
from tabwright.runtime.records.service import Records

PASSWORD = "correct horse battery"
_addresses = itertools.count(1)  # tries to sign in are counted by where they come from
HTML = {"Accept": "text/html"}


class Visitor:
    """A browser without scripts: keeps cookies, sends the token of the page that it saw last."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.last = ""
        self.user_id: UUID | None = None

    def get(self, path: str) -> TestResponse:
        """A page; redirects are not followed."""
        return self._seen(self.client.get(path, headers=HTML))

    def post(self, path: str, data: Mapping[str, Any]) -> TestResponse:
        """A form of the page seen last."""
        token = re.search(r'name="_csrf" value="([^"]+)"', self.last)
        given = {"_csrf": token[1] if token else "", **data}
        return self._seen(self.client.post(path, data=given, headers=HTML))

    def follow(self, answer: TestResponse) -> TestResponse:
        """The page to which an answer leads."""
        assert answer.status_code == 303, (answer.status_code, readable(answer)[:500])
        return self.get(answer.headers["Location"])

    def form(self) -> dict[str, str]:
        """What the inputs of the form seen last hold, as a browser would send it."""
        found: dict[str, str] = {}
        body = self.last[self.last.index('id="record-form"') :]
        for tag in re.findall(r"<input[^>]*>", body):
            name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
            skipped = ("checkbox" in tag or "radio" in tag) and " checked" not in tag
            if name and not skipped:
                text = html.unescape(value[1]) if value else ""
                if " data-many" in tag:  # one of several boxes of one name
                    text = f"{found[name[1]]};{text}".strip(";")
                found[html.unescape(name[1])] = text
        for name, inside in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', body, re.S):
            found[name] = html.unescape(inside)
        for name, inside in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', body, re.S):
            chosen = re.search(r'value="([^"]*)" selected', inside)
            found[name] = html.unescape(chosen[1]) if chosen else ""
        return found

    def _seen(self, answer: TestResponse) -> TestResponse:
        if answer.content_type.startswith("text/html"):
            self.last = answer.text
        return answer


def readable(answer: TestResponse | str) -> str:
    """The words of a page, without tags."""
    text = answer if isinstance(answer, str) else answer.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


class PageSite:
    """One installation with one tenant; with another ``slug`` one more of the same installation."""

    def __init__(self, site: Site, slug: str = "test") -> None:
        self.site = site
        self.location = create_tenant(site, slug, "杉木工业")
        self.app = create_app(site)

    @property
    def call(self) -> Call:
        """The platform's own call."""
        return system_call(self.site, self.location)

    @property
    def records(self) -> Records:
        """The write path, past every right."""
        return Records(self.call)

    @property
    def publishing(self) -> Publishing:
        tenant = self.site.tenancy.open(self.location)
        return Publishing(tenant, self.site.releases, self.site.clock, self.site.ids)

    def publish(self, objects: models.Compact, extra: Iterable[Mapping[str, Any]] = ()) -> None:
        """Make the next release, with these on top of what is in force; what it shows is accepted."""
        self.release([read(each) for each in models.documents(objects, extra)])

    def release(self, put: Iterable[Component], gone: Iterable[str] = ()) -> None:
        """Make the next release with these on top of what is in force, without the uids that are ``gone``;
        what it shows is accepted.
        """
        with self.call.tenant.store.read() as reader:
            number = self.site.releases.current(reader)
            tree = self.site.releases.stored.tree(reader, number)
        wanted = tree.changed(put, gone)
        try:
            self.publishing.publish_tree(Principal.system(), wanted, number)
        except Invalid as error:
            self.publishing.publish_tree(Principal.system(), accepting(wanted, error.faults), number)

    def draft(self, author: UUID, *documents: Mapping[str, Any]) -> None:
        """Put documents into a person's draft."""
        with self.call.tenant.store.write() as writer:
            puts = [Put(each) for each in documents]
            self.publishing.drafts.patch(writer, author, puts, at=self.site.clock.now())

    def person(self, name: str, *sets: str, language: str = "zh") -> Visitor:
        """A new user with permission sets (by name), signed in."""
        address = f"{name}@example.com"
        id = add_person(
            self.site, self.location, name=name, address=address, password=PASSWORD, sets=sets,
            values={"language": language},
        )  # fmt: skip
        visitor = self.stranger()
        visitor.user_id = id
        visitor.get("/sign-in")
        answer = visitor.post("/sign-in", {"address": address, "password": PASSWORD, "next": "/"})
        assert answer.status_code == 303, readable(answer)
        return visitor

    def stranger(self) -> Visitor:
        """Somebody who is not signed in."""
        client = self.app.test_client()
        client.environ_base["REMOTE_ADDR"] = f"192.0.2.{next(_addresses) % 250}"
        return Visitor(client)


@contextmanager
def make_pages(
    dialect: str, home: Path, *, post: Post | None = None, clock: Clock | None = None, **settings: Any
) -> Iterator[PageSite]:
    """An installation with one tenant; dropped at the end. ``settings`` are those that it has otherwise."""
    given = replace(settings_for(dialect, home), **settings)
    site = create_site(given, hasher=PasswordHasher(1, 8, 1), post=post, clock=clock)
    try:
        yield PageSite(site)
    finally:
        drop_everything(site.stores)
        site.close()
