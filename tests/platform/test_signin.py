"""Signing in: passwords, limits, sessions and tokens, each dead on the next request when it is ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from tabwright.platform import versions
from tabwright.platform.clock import FixedClock, FixedIds, SystemIds
from tabwright.platform.database import Stores, observe
from tabwright.platform.errors import Conflict, Invalid, LimitReached, NotFound, Unauthenticated
from tabwright.platform.identities import IDENTITY, Identities, Identity, usual_hasher
from tabwright.platform.settings import Limits
from tabwright.platform.signin import SESSION, TOKEN, Sessions, Tokens
from tabwright.platform.tenants import Tenants

LIMITS = Limits()
USER = UUID(int=77)
PASSWORD = "correct horse 电池"


class Door:
    """All that a sign-in needs, with quick hashes and a clock that tests move."""

    def __init__(self, stores: Stores) -> None:
        self.control = versions.open_control(stores)
        self.clock = FixedClock()
        self.tenants = Tenants(stores, self.clock, FixedIds())
        self.tenant = self.tenants.create("a", "A")
        self.identities = Identities(
            self.control, self.clock, SystemIds(self.clock), LIMITS, PasswordHasher(1, 8, 1)
        )
        self.sessions = Sessions(self.control, self.clock, LIMITS)
        self.tokens = Tokens(self.control, self.clock, FixedIds(3), LIMITS)

    def identity(self) -> Identity:
        return self.identities.get(self.identities.create("Li@Example.com", PASSWORD))


@pytest.fixture
def door(stores: Stores) -> Door:
    return Door(stores)


def test_an_address_is_folded(door: Door) -> None:
    identity = door.identity()
    assert identity.address == "li@example.com"
    assert door.identities.verify(" ＬＩ@example.COM", PASSWORD, "10.0.0.1") == identity
    with pytest.raises(Conflict, match="identity.exists"):
        door.identities.create("lI@example.com", PASSWORD)


def test_all_faults_of_a_new_identity_come_at_once(door: Door) -> None:
    with pytest.raises(Invalid) as caught:
        door.identities.create("two words", "short")
    assert [fault.code for fault in caught.value.faults] == ["identity.address", "identity.password_short"]
    for password in ("li@example.com", "aaaaaaaaaaaa", "x1y" * 100):
        with pytest.raises(Invalid, match="identity.password"):
            door.identities.create("li@example.com", password)


def test_wrong_unknown_and_switched_off_are_told_in_the_same_words(door: Door) -> None:
    identity = door.identity()
    door.identities.create("off@example.com", PASSWORD)
    door.identities.set_active(door.identities.find("off@example.com").id, False)
    said = []
    for n, (address, password) in enumerate(
        [
            (identity.address, "no " + PASSWORD),
            ("nobody@example.com", PASSWORD),
            ("off@example.com", PASSWORD),
        ]
    ):
        with pytest.raises(Unauthenticated) as caught:
            door.identities.verify(address, password, f"10.0.0.{n}")
        said.append(caught.value.faults)
    assert said[0] == said[1] == said[2]


class CountingHasher(PasswordHasher):
    """Counts what costs time."""

    work = 0

    def hash(self, *args: Any, **kwargs: Any) -> str:
        self.work += 1
        return super().hash(*args, **kwargs)

    def verify(self, *args: Any, **kwargs: Any) -> Literal[True]:
        self.work += 1
        return super().verify(*args, **kwargs)


class Statements:
    """Counts what reaches the database."""

    count = 0

    def __call__(self, how: str, text: str, rows: int) -> None:
        self.count += 1


def test_a_stranger_costs_what_a_wrong_password_costs(door: Door) -> None:
    """Nobody learns from the time who exists, not even from the first attempt after a start."""
    door.identity()
    costs = []
    for n, address in enumerate(["nobody@example.com", "li@example.com"]):
        hasher = CountingHasher(1, 8, 1)
        fresh = Identities(door.control, door.clock, SystemIds(door.clock), LIMITS, hasher)
        seen = Statements()
        with observe(seen), pytest.raises(Unauthenticated):
            fresh.verify(address, "wrong", f"10.0.3.{n}")
        costs.append((hasher.work, seen.count))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("address", ["li@example.com", "nobody@example.com"])
def test_five_failures_a_minute_of_an_account(door: Door, address: str) -> None:
    door.identity()
    for n in range(5):
        with pytest.raises(Unauthenticated):
            door.identities.verify(address, "wrong", f"10.0.1.{n}")
    with pytest.raises(LimitReached) as caught:
        door.identities.verify(address, PASSWORD, "10.0.1.99")
    assert caught.value.faults[0].params == {"limit": "sign_ins_per_minute", "value": 5}
    door.clock.advance(timedelta(seconds=61))
    with pytest.raises(Unauthenticated):
        door.identities.verify(address, "wrong", "10.0.1.99")


def test_five_failures_a_minute_of_a_remote_address(door: Door) -> None:
    door.identity()
    for n in range(5):
        with pytest.raises(Unauthenticated):
            door.identities.verify(f"guess{n}@example.com", "wrong", "10.0.0.9")
    with pytest.raises(LimitReached):
        door.identities.verify("li@example.com", PASSWORD, "10.0.0.9")
    assert door.identities.verify("li@example.com", PASSWORD, "10.0.0.8").address == "li@example.com"


def test_success_is_not_counted_and_a_crowd_is(door: Door) -> None:
    door.identity()
    for _ in range(8):
        door.identities.verify("li@example.com", PASSWORD, "10.0.0.1")

    def guess(n: int) -> type[BaseException]:
        try:
            door.identities.verify("li@example.com", f"guess {n}", f"10.0.2.{n}")
        except Exception as error:
            return type(error)
        raise AssertionError

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(guess, range(12)))
    assert found.count(Unauthenticated) == 5 and found.count(LimitReached) == 7


def test_a_hash_of_older_cost_is_renewed_at_sign_in(door: Door) -> None:
    identity = door.identity()
    costlier = Identities(door.control, door.clock, FixedIds(9), LIMITS, PasswordHasher(2, 16, 1))
    costlier.verify(identity.address, PASSWORD, "10.0.0.1")
    with door.control.read() as reader:
        kept = reader.execute(sa.select(IDENTITY.c.password_hash)).scalar_one()
    assert "m=16,t=2" in kept
    assert costlier.verify(identity.address, PASSWORD, "10.0.0.1") == identity
    hasher = usual_hasher()
    assert (hasher.memory_cost, hasher.time_cost, hasher.parallelism) == (19456, 2, 1)


def test_a_session_lives_until_it_is_ended(door: Door) -> None:
    identity = door.identity()
    cookie = door.sessions.start(identity, door.tenant.id, USER, {"language": "en"})
    session = door.sessions.find(cookie)
    assert session is not None
    assert (session.identity_id, session.user_id, session.location) == (identity.id, USER, door.tenant)
    assert session.data == {"language": "en"} and len(session.csrf) > 30
    other = door.sessions.start(identity, door.tenant.id, USER)
    assert other != cookie and door.sessions.find(other) is not None
    door.sessions.end(cookie)
    assert door.sessions.find(cookie) is None and door.sessions.find(other) is not None
    door.sessions.end_all(identity.id)
    assert door.sessions.find(other) is None


def test_neither_cookie_nor_token_stands_in_the_database(door: Door) -> None:
    cookie = door.sessions.start(door.identity(), door.tenant.id, USER)
    secret = door.tokens.create(door.tenant.id, USER, "sync")
    with door.control.read() as reader:
        dump = str(reader.execute(sa.select(SESSION)).all()) + str(reader.execute(sa.select(TOKEN)).all())
    assert cookie not in dump and secret not in dump


def test_a_session_ends_when_idle_and_at_last(door: Door) -> None:
    identity = door.identity()
    cookie = door.sessions.start(identity, door.tenant.id, USER)
    for _ in range(int(720 / 11)):
        door.clock.advance(timedelta(hours=11))
        assert door.sessions.find(cookie) is not None
    door.clock.advance(timedelta(hours=11))
    assert door.sessions.find(cookie) is None, "720 hours have passed"
    cookie = door.sessions.start(identity, door.tenant.id, USER)
    door.clock.advance(timedelta(hours=12))
    assert door.sessions.find(cookie) is None, "unused for 12 hours"


def test_a_session_ends_with_its_identity_or_tenant(door: Door) -> None:
    identity = door.identity()
    cookie = door.sessions.start(identity, door.tenant.id, USER)
    door.identities.set_active(identity.id, False)
    assert door.sessions.find(cookie) is None
    door.identities.set_active(identity.id, True)
    assert door.sessions.find(cookie) is not None
    door.tenants.delete("a")
    assert door.sessions.find(cookie) is None


def test_renew_changes_cookie_and_csrf(door: Door) -> None:
    cookie = door.sessions.start(door.identity(), door.tenant.id, USER)
    before = door.sessions.find(cookie)
    assert before is not None
    after = door.sessions.find(door.sessions.renew(before))
    assert door.sessions.find(cookie) is None
    assert after is not None and after.csrf != before.csrf and after.user_id == USER


def test_flashes_are_given_once(door: Door) -> None:
    cookie = door.sessions.start(door.identity(), door.tenant.id, USER)
    session = door.sessions.find(cookie)
    assert session is not None
    door.sessions.flash(session, "success", "record.saved", name="x")
    session = door.sessions.find(cookie)
    assert session is not None
    assert door.sessions.take_flashes(session) == [
        {"level": "success", "code": "record.saved", "params": {"name": "x"}}
    ]
    session = door.sessions.find(cookie)
    assert session is not None and door.sessions.take_flashes(session) == []


def test_a_cookie_of_nobody(door: Door) -> None:
    for cookie in ("", "x", "x" * 43, "\udcff" * 43, "a" * 10_000):
        assert door.sessions.find(cookie) is None


def test_a_token_lives_until_it_expires_or_is_revoked(door: Door) -> None:
    scope = {"objects": {"account": ["read"]}}
    soon = door.clock.now() + timedelta(hours=1)
    secret = door.tokens.create(door.tenant.id, USER, "sync", soon, scope)
    lasting = door.tokens.create(door.tenant.id, USER, "other")
    assert secret.startswith("tw_")
    token = door.tokens.find(secret)
    assert token is not None
    assert (token.user_id, token.location, token.scope, token.name) == (USER, door.tenant, scope, "sync")
    door.clock.advance(timedelta(hours=1))
    assert door.tokens.find(secret) is None
    other = door.tokens.find(lasting)
    assert other is not None and other.scope is None
    with pytest.raises(NotFound):
        door.tokens.revoke(uuid4(), other.id)
    door.tokens.revoke(door.tenant.id, other.id)
    assert door.tokens.find(lasting) is None
    with pytest.raises(NotFound):
        door.tokens.revoke(door.tenant.id, other.id)
    assert [entry.revoked_at is None for entry in door.tokens.list(door.tenant.id)] == [False, True]


def test_a_token_may_not_live_too_long(door: Door) -> None:
    for expires in (door.clock.now(), door.clock.now() + timedelta(days=366)):
        with pytest.raises(Invalid, match="token.expires"):
            door.tokens.create(door.tenant.id, USER, "x", expires)


def test_a_token_of_nobody(door: Door) -> None:
    for secret in ("", "tw_", "tw_" + "x" * 43, "tw_" + "x" * 1000, "bearer"):
        assert door.tokens.find(secret) is None


def test_row_15_ten_failures_lock_an_account_there_and_nowhere_else(door: Door) -> None:
    identity = door.identity()
    for n in range(10):
        if n == 5:
            door.clock.advance(timedelta(seconds=61))
        with pytest.raises(Unauthenticated):
            door.identities.verify(identity.address, "wrong", "10.0.0.1")
    door.clock.advance(timedelta(seconds=61))
    with pytest.raises(LimitReached, match=r"sign_in\.locked"):
        door.identities.verify(identity.address, PASSWORD, "10.0.0.1")
    assert door.identities.verify(identity.address, PASSWORD, "10.0.0.2") == identity
    trouble = door.identities.trouble([identity.address, "other@example.com"])
    assert set(trouble) == {identity.address}
    assert trouble[identity.address].failures == 10 and trouble[identity.address].locked_until is not None
    door.identities.unlock(identity.address)
    assert door.identities.trouble([identity.address]) == {}
    assert door.identities.verify(identity.address, PASSWORD, "10.0.0.1") == identity


@pytest.mark.parametrize("address", ["li@example.com", "nobody@example.com"])
def test_row_15_a_crowd_of_addresses_locks_an_account_everywhere_and_time_opens_it(
    door: Door, address: str
) -> None:
    identity = door.identity()
    for n in range(50):
        if n % 5 == 0:
            door.clock.advance(timedelta(seconds=61))
        with pytest.raises(Unauthenticated):
            door.identities.verify(address, "wrong", f"10.0.4.{n}")
    door.clock.advance(timedelta(seconds=61))
    with pytest.raises(LimitReached, match=r"sign_in\.locked"):
        door.identities.verify(address, PASSWORD, "10.0.5.1")
    door.clock.advance(timedelta(minutes=30))
    assert door.identities.verify(identity.address, PASSWORD, "10.0.5.1") == identity


@pytest.mark.parametrize(
    "password",
    ["password123", "P@ssw0rd2024!", "qwertyuiop", "1234567890", "woaini1314520", "Li@Example.com1",
     "asdfasdf1234", "tabwright2025", "aaaaaaaaaa1"],
)  # fmt: skip
def test_a_password_that_is_guessed_first_is_refused(door: Door, password: str) -> None:
    with pytest.raises(Invalid, match=r"identity\.password_simple"):
        door.identities.create("li@example.com", password)


def test_sessions_are_listed_and_ended_one_by_one(door: Door) -> None:
    identity = door.identity()
    cookies = [
        door.sessions.start(identity, door.tenant.id, USER, {"agent": f"A{n}", "remote": "10.0.0.1"})
        for n in range(3)
    ]
    here = door.sessions.find(cookies[0])
    assert here is not None
    listed = door.sessions.of_identity(identity.id)
    assert {each.agent for each in listed} == {"A0", "A1", "A2"}
    assert door.sessions.of_user(door.tenant.id, USER) == listed
    first = next(each.id for each in listed if each.agent == "A1")
    for wrong in ("", "%" * 24, first[:10]):
        with pytest.raises(NotFound):
            door.sessions.end_one(wrong, identity_id=identity.id)
    with pytest.raises(NotFound):
        door.sessions.end_one(first, identity_id=uuid4())
    door.sessions.end_one(first, identity_id=identity.id)
    assert door.sessions.find(cookies[1]) is None and door.sessions.find(cookies[2]) is not None
    door.sessions.end_others(here)
    assert [each.id for each in door.sessions.of_identity(identity.id)] == [door.sessions.id_of(here)]
