"""Single-use links and second factors: each works once, for its own purpose, until it ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from tabwright.platform import versions
from tabwright.platform.clock import FixedClock, SystemIds
from tabwright.platform.database import Stores
from tabwright.platform.encryption import Keys
from tabwright.platform.errors import Conflict, Invalid, LimitReached, NotFound
from tabwright.platform.factors import FACTOR, RECOVERY, STEP_SECONDS, SecondFactors, code_at, uri_of
from tabwright.platform.settings import Limits
from tabwright.platform.tickets import TICKET, Tickets

TENANT, USER, WHO = UUID(int=1), UUID(int=2), UUID(int=3)
HOUR = timedelta(hours=1)


class Desk:
    def __init__(self, stores: Stores) -> None:
        self.control = versions.open_control(stores)
        self.clock = FixedClock()
        self.tickets = Tickets(self.control, self.clock, SystemIds(self.clock), "x" * 40)
        self.factors = SecondFactors(self.control, self.clock, Limits(), Keys((), "y" * 40))

    def enrolled(self) -> tuple[str, list[str]]:
        secret = self.factors.begin(WHO)
        codes = self.factors.confirm(WHO, self.code(secret))
        self.clock.advance(timedelta(seconds=STEP_SECONDS * 2))
        return secret, codes

    def code(self, secret: str, steps: int = 0) -> str:
        return code_at(secret, int(self.clock.now().timestamp()) // STEP_SECONDS + steps)


@pytest.fixture
def desk(stores: Stores) -> Desk:
    return Desk(stores)


def test_a_ticket_is_used_once_for_its_purpose(desk: Desk) -> None:
    made = desk.tickets.issue("reset", TENANT, USER, HOUR, identity_id=WHO)
    secret = desk.tickets.secret_of(made.id)
    assert desk.tickets.find(secret, "invite") is None
    assert desk.tickets.find(secret, "invite", "reset") == made == desk.tickets.by_id(made.id)
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(desk.tickets.use, [made] * 4)) == [False, False, False, True]
    assert desk.tickets.find(secret, "reset") is None
    assert desk.tickets.issued_since(WHO, "reset", desk.clock.now() - HOUR) == 1


def test_a_ticket_ends_by_time_by_the_next_one_and_by_being_revoked(desk: Desk) -> None:
    first = desk.tickets.issue("invite", TENANT, USER, HOUR)
    second = desk.tickets.issue("invite", TENANT, USER, HOUR)
    assert desk.tickets.by_id(first.id) is None and not desk.tickets.use(first)
    assert desk.tickets.open(TENANT, "invite") == [second] and desk.tickets.open(USER, "invite") == []
    desk.tickets.revoke(TENANT, USER, "invite")
    assert desk.tickets.by_id(second.id) is None
    with pytest.raises(NotFound):
        desk.tickets.revoke(TENANT, USER, "invite")
    third = desk.tickets.issue("invite", TENANT, USER, HOUR)
    desk.clock.advance(HOUR)
    assert desk.tickets.by_id(third.id) is None and not desk.tickets.use(third)


def test_no_secret_stands_in_the_control_store(desk: Desk) -> None:
    made = desk.tickets.issue("reset", TENANT, USER, HOUR)
    secret, codes = desk.enrolled()
    with desk.control.read() as reader:
        dump = "".join(str(reader.execute(sa.select(each)).all()) for each in (TICKET, FACTOR, RECOVERY))
    for each in (desk.tickets.secret_of(made.id), secret, codes[0], codes[0].replace("-", "")):
        assert each not in dump


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, the last six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert code_at(secret, 59 // 30) == "287082" and code_at(secret, 20000000000 // 30) == "353130"
    assert uri_of(secret, "li@example.com").startswith("otpauth://totp/Tabwright:li%40example.com?secret=")


def test_a_factor_is_in_force_after_a_code_of_it(desk: Desk) -> None:
    secret = desk.factors.begin(WHO)
    assert desk.factors.begin(WHO) == secret and desk.factors.of(WHO) is None
    desk.factors.accept(WHO, "whatever")  # not in force: nothing is asked
    with pytest.raises(Invalid, match=r"factor\.wrong"):
        desk.factors.confirm(WHO, "000000" if desk.code(secret) != "000000" else "111111")
    codes = desk.factors.confirm(WHO, desk.code(secret))
    factor = desk.factors.of(WHO)
    assert factor is not None and len(set(codes)) == factor.codes_left == 10
    with pytest.raises(Conflict, match=r"factor\.there"):
        desk.factors.begin(WHO)


def test_a_code_is_accepted_once_and_near_its_time(desk: Desk) -> None:
    secret, codes = desk.enrolled()
    code = desk.code(secret)
    desk.factors.accept(WHO, code[:3] + " " + code[3:])
    for again in (code, desk.code(secret, -1), desk.code(secret, 2), "", "١٢٣٤٥٦"):
        with pytest.raises(Invalid):
            desk.factors.accept(WHO, again)
    desk.factors.accept(WHO, desk.code(secret, 1))
    desk.factors.accept(WHO, codes[3].upper())
    with pytest.raises(Invalid):
        desk.factors.accept(WHO, codes[3])
    fresh = desk.factors.new_codes(WHO)
    with pytest.raises(Invalid):
        desk.factors.accept(WHO, codes[4])
    desk.factors.accept(WHO, fresh[4])


def test_one_code_sent_many_times_at_once_is_accepted_once(desk: Desk) -> None:
    secret, _ = desk.enrolled()
    code = desk.code(secret)

    def send(_: int) -> bool:
        try:
            desk.factors.accept(WHO, code)
        except Invalid:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(send, range(8))).count(True) == 1


def test_row_15_after_twenty_wrong_codes_no_more_are_taken(desk: Desk) -> None:
    secret, codes = desk.enrolled()
    for _ in range(20):
        with pytest.raises(Invalid):
            desk.factors.accept(WHO, "wrong")
    for right in (desk.code(secret), codes[0]):
        with pytest.raises(LimitReached, match=r"factor\.closed"):
            desk.factors.accept(WHO, right)
    desk.factors.unlock(WHO)
    desk.factors.accept(WHO, desk.code(secret))
    assert desk.factors.remove(WHO) and not desk.factors.remove(WHO) and desk.factors.of(WHO) is None
