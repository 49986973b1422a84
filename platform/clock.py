"""Time and identity as arguments: what the clock says and which id comes next, so that tests can
freeze both.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Protocol
from uuid import UUID
from zoneinfo import available_timezones


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this IANA name. Looked up in a list: a path is none."""
    return name in _zones()


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class Ids(Protocol):
    """Gives ids: UUIDv7, each greater than all that this process gave before."""

    def new(self) -> UUID:
        """One id."""
        ...

    def many(self, n: int) -> list[UUID]:
        """``n`` ids in ascending order."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands, or moves ``step`` at each look; tests move it with ``advance``."""

    def __init__(self, start: datetime | None = None, step: timedelta = timedelta(0)) -> None:
        self._now = start or datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
        self._step = step
        if self._now.tzinfo is None:
            raise ValueError("the clock speaks UTC: start must be aware")

    def now(self) -> datetime:
        now = self._now
        self._now += self._step
        return now

    def advance(self, delta: timedelta) -> None:
        self._now += delta


_VERSION = 7 << 76
_VARIANT = 2 << 62
_LOW = (1 << 62) - 1
_TAIL = 1 << 74  # 12 bits of rand_a and 62 of rand_b
_STRIDE = 1 << 33  # room for a random step, so that the next id cannot be guessed from the last


class _Sequence:
    """UUIDv7 whose 74 free bits count up by random steps within a millisecond."""

    def __init__(self, milliseconds: Callable[[], int], bits: Callable[[int], int]) -> None:
        self._milliseconds = milliseconds
        self._bits = bits
        self._lock = threading.Lock()
        self._last = 0
        self._tail = 0

    def new(self) -> UUID:
        return self.many(1)[0]

    def many(self, n: int) -> list[UUID]:
        made = []
        with self._lock:
            now = self._milliseconds()
            if now > self._last:
                self._last, self._tail = now, self._bits(73)
            steps = self._bits(33 * n) if n else 0
            for _ in range(n):
                self._tail += (steps & (_STRIDE - 1)) + 1
                steps >>= 33
                if self._tail >= _TAIL:  # time is only ever taken from the future, never given twice
                    self._last, self._tail = self._last + 1, self._bits(73)
                tail = self._tail
                made.append(
                    UUID(int=self._last << 80 | _VERSION | (tail >> 62) << 64 | _VARIANT | tail & _LOW)
                )
        return made


class SystemIds(_Sequence):
    """Ids for real use: the clock's milliseconds and the system's randomness."""

    def __init__(self, clock: Clock) -> None:
        def milliseconds() -> int:
            return int(clock.now().timestamp() * 1000)

        def bits(count: int) -> int:
            return int.from_bytes(os.urandom((count + 7) // 8), "big") >> (-count % 8)

        super().__init__(milliseconds, bits)


class FixedIds(_Sequence):
    """The same ids at every run of a test, from a seed."""

    def __init__(self, seed: int = 1) -> None:
        source = random.Random(seed)
        super().__init__(lambda: 1_768_469_400_000, source.getrandbits)
