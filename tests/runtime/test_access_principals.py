"""Who asks, and under which release: one statement, and never an old answer."""

from __future__ import annotations

import pytest

from apisite import ApiSite, Person
from apisite import api as api
from tabwright.metadata.model import Model
from tabwright.platform.database import observe
from tabwright.platform.errors import Unauthenticated
from tabwright.runtime.access import principals
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.records.service import Records


def arrive(api: ApiSite, person: Person) -> tuple[Model, Principal, int]:
    told: list[str] = []
    with observe(lambda how, text, rows: told.append(text)), api.tenant.store.read() as reader:
        model, principal = principals.arrive(api.tenant, reader, person.id, api.site.clock.now())
    return model, principal, len(told)


def test_one_statement_answers_until_a_release_comes(api: ApiSite) -> None:
    rep = api.person("rep", "administrator")
    before, principal, statements = arrive(api, rep)
    assert statements == 1 and len(principal.permission_sets) == 1
    api.publish({"visit": {"name": "text"}})
    api.tenant.last_model = before  # what another process knows that has not looked since
    after, _, statements = arrive(api, rep)
    assert after.release == before.release + 1 and "visit" in after.objects and statements > 1
    assert arrive(api, rep)[0] is after and arrive(api, rep)[2] == 1


def test_what_is_taken_away_is_gone_at_the_next_look(api: ApiSite) -> None:
    rep = api.person("rep", "administrator")
    assert arrive(api, rep)[2] == 1
    Records(api.call).update("user", rep.id, {"active": False})
    with pytest.raises(Unauthenticated):
        arrive(api, rep)
