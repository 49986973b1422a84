"""An admin at the pages and at the API of one site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apisite import Person
from pagesite import PageSite, Visitor


@dataclass
class Desk:
    """A site with pages, an admin who sees them, and the API as that admin."""

    pages: PageSite
    admin: Visitor
    api: Person

    @property
    def tenant(self) -> Any:
        return self.pages.site.tenancy.open(self.pages.location)

    @property
    def site(self) -> Any:
        return self.pages.site

    @property
    def location(self) -> Any:
        return self.pages.location

    def create(self, object: str, **values: Any) -> str:
        answer = self.api.post(f"/objects/{object}/records", values)
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    def get(self, object: str, id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"/objects/{object}/records/{id}").json
        return found

    def found(self, where: str, person: Person | None = None, object: str = "task") -> set[str]:
        """The names of the records that a filter finds."""
        answer = (person or self.api).get(f"/objects/{object}/records", where=where)
        assert answer.status_code == 200, answer.text
        return {each["name"] for each in answer.json["records"]}

    def api_of(self, visitor: Visitor) -> Person:
        assert visitor.user_id is not None
        token = self.site.tokens.create(self.location.id, visitor.user_id, "test", scope=None)
        return Person(self.pages.app.test_client(), token, visitor.user_id)


def desk_of(pages: PageSite) -> Desk:
    """The desk of a new administrator."""
    admin = pages.person("admin", "administrator", "standard_user")
    assert admin.user_id is not None
    token = pages.site.tokens.create(pages.location.id, admin.user_id, "test", scope=None)
    return Desk(pages, admin, Person(pages.app.test_client(), token, admin.user_id))
