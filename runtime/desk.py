"""One request's world: which tenant, which release, who asks, and what runtime has made of the model.

A ``Tenancy`` stands for the process, a ``TenantRuntime`` for one tenant in it, a ``Call`` for one request
(or job step, or command). Services take the call as their first argument and nothing from globals.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from cachetools import TTLCache

from tabwright.formula.calendars import placed, standard
from tabwright.formula.environment import NOBODY, Env, Org
from tabwright.metadata.model import Model, ObjectDef
from tabwright.platform.encryption import Keys
from tabwright.platform.files import FileStore
from tabwright.platform.settings import Limits
from tabwright.platform.tenants import name_of
from tabwright.runtime.records.hooks import Hooks

if TYPE_CHECKING:
    from tabwright.platform.clock import Clock, Ids
    from tabwright.platform.database import Reader, Store, Stores
    from tabwright.platform.jobs import Jobs
    from tabwright.platform.language import Language
    from tabwright.platform.tenants import TenantLocation
    from tabwright.runtime.access.gate import Gate
    from tabwright.runtime.access.principal import Principal
    from tabwright.runtime.storage.tables import RecordTable, Tables

Piece = TypeVar("Piece")
NO_LABELS: Mapping[str, str] = {}

DEFAULT_PIECES = 20_000
DEFAULT_PIECE_BYTES = 48 * 2**20
_SEEN, _SEEN_SECONDS = 50_000, 300  # numbers of records by person and object, and how long they are kept
MODELS_KEPT = 4  # releases that requests in flight may still hold
_MAKING_SECONDS = 5  # a piece takes some milliseconds


class Pieces:
    """What runtime compiled from a model, kept by what it was made of (decision 0010).

    Bounded by count and by the bytes that each piece says it takes; the piece unused longest goes first.
    A piece may be lost at any time, so ``make`` must give an equal one again. Threads that want the same
    piece wait for the first of them to make it: after a publish everybody asks for the same ones.
    """

    def __init__(self, most: int = DEFAULT_PIECES, most_bytes: int = DEFAULT_PIECE_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._making: dict[Hashable, threading.RLock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Piece], size: int = 1024) -> Piece:
        """The piece under ``key``; made on first use, by one thread. ``size`` in bytes."""
        with self._lock:
            found = self._find(key)
            if found is not None:
                return cast(Piece, found[0])
            making = self._making.setdefault(key, threading.RLock())
        # Who has waited too long makes one of its own: a maker that is stuck must not hold up everybody.
        alone = making.acquire(timeout=_MAKING_SECONDS)
        try:
            with self._lock:
                found = self._find(key)
            if found is not None:
                return cast(Piece, found[0])
            made = make()
            with self._lock:
                return self._keep(key, made, size)
        finally:
            with self._lock:
                self._making.pop(key, None)
            if alone:
                making.release()

    def _find(self, key: Hashable) -> tuple[Any, int] | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def _keep(self, key: Hashable, made: Piece, size: int) -> Piece:
        if key not in self._kept:
            self._kept[key] = (made, size)
            self._bytes += size
            while len(self._kept) > 1 and (len(self._kept) > self._most or self._bytes > self._most_bytes):
                self._bytes -= self._kept.popitem(last=False)[1][1]
        return cast(Piece, self._kept[key][0])

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    @property
    def count(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        return self._bytes


class Releases(Protocol):
    """Where models come from: the tenant's releases (``runtime.publishing`` gives the real one)."""

    def current(self, reader: Reader) -> int:
        """The number of the release in force, by one short statement."""
        ...

    def load(self, reader: Reader, number: int, previous: Model | None) -> tuple[Model, Tables]:
        """Compile release ``number`` and the tables it stands on."""
        ...


class TenantRuntime:
    """One tenant in this process: its store, its models, its compiled pieces."""

    def __init__(
        self,
        location: TenantLocation,
        store: Store,
        pieces: Pieces,
        releases: Releases,
        jobs: Jobs,
        hooks: Hooks | None = None,
        limits: Limits | None = None,
        keys: Keys | None = None,
        files: FileStore | None = None,
        zone: str = "Asia/Shanghai",
        language: str = "en",
        name: str = "",
    ) -> None:
        self.zone = zone  # where the days of stored formulas begin
        self.language = language  # of the installation
        self.name = name  # of the organisation, as the control store has it
        self.keys = keys or Keys((), secrets.token_urlsafe(32))  # of sealed values
        self.files = files or FileStore(f"memory://{secrets.token_hex(8)}")  # the content of files
        self.limits = limits or Limits()  # the operator's
        self.location = location
        self.store = store
        self.pieces = pieces
        self.jobs = jobs
        self.hooks = hooks or Hooks()
        self.seal_asked = datetime(
            1970, 1, 1, tzinfo=UTC
        )  # when the sealer was last asked for (journal.sealer)
        self.forgetting_asked: date | None = None  # the last day asked for (personal.telling)
        self.seen: TTLCache[Hashable, int] = TTLCache(_SEEN, _SEEN_SECONDS)  # see ``query.sizing``
        self.last_model: Model | None = None  # of the release that was in force at the last look
        self._releases = releases
        self._known: OrderedDict[int, tuple[Model, Tables]] = OrderedDict()
        self._lock = threading.Lock()
        self._loading = threading.Lock()

    def at_release(self, reader: Reader | None = None) -> Model:
        """The model of the release in force. The number is read each time; the model is compiled once."""
        if reader is None:
            with self.store.read() as own:
                return self.at_release(own)
        number = self._releases.current(reader)
        known = self._known.get(number)
        self.last_model = known[0] if known is not None else self._load(reader, number)[0]
        return self.last_model

    def tables(self, model: Model) -> Tables:
        """The tables that ``model`` stands on."""
        known = self._known.get(model.release)
        if known is not None and known[0] is model:
            return known[1]
        with self.store.read() as reader:
            return self._load(reader, model.release)[1]

    def org(self, model: Model) -> Org:
        """What ``$Org`` names."""
        shift = model.calendar.fiscal if model.calendar is not None else 0
        return Org(self.name, self.location.slug, self.language, self.zone, -shift % 12 + 1)

    def keep(self, model: Model, tables: Tables) -> None:
        """Make a model known without loading it: a publish has just compiled it, a preview shows a
        draft's.
        """
        with self._lock:
            if self._known:
                tables.take_over(next(reversed(self._known.values()))[1])
            self._known[model.release] = (model, tables)
            while len(self._known) > MODELS_KEPT:
                self._known.popitem(last=False)

    def _load(self, reader: Reader, number: int) -> tuple[Model, Tables]:
        with self._loading:  # after a publish elsewhere every thread comes for it at once
            with self._lock:
                known = self._known.get(number)
                previous = next(reversed(self._known.values()))[0] if self._known else None
            if known is not None:
                return known
            loaded = self._releases.load(reader, number, previous)
            self.keep(*loaded)
            return loaded

    def piece(
        self, what: str, object: ObjectDef, table: RecordTable, make: Callable[[], Piece], *further: Hashable
    ) -> Piece:
        """A piece made of one object: keyed by its digest, its table's, and ``further`` arguments."""
        return self.pieces.get((what, self.store.key, object.digest, table.digest, *further), make)


class Tenancy:
    """All tenants that this process has opened. Thread-safe."""

    def __init__(
        self,
        stores: Stores,
        releases: Releases,
        jobs: Jobs,
        pieces: Pieces | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        self.stores = stores
        settings = stores.settings
        self.keys = Keys(settings.encryption_keys, settings.secret)
        self.files = FileStore.of(settings)
        self.jobs = jobs
        self.hooks = hooks or Hooks()
        self.pieces = pieces or Pieces()
        self._releases = releases
        self._open: dict[UUID, TenantRuntime] = {}
        self._lock = threading.Lock()

    def open(self, location: TenantLocation) -> TenantRuntime:
        """The runtime of the tenant at ``location``; the same one each time while the location is the
        same.
        """
        with self._lock:
            tenant = self._open.get(location.id)
            if tenant is None or tenant.location != location:
                store = self.stores.tenant(location)
                settings = self.stores.settings
                limits = settings.limits
                tenant = TenantRuntime(
                    location, store, self.pieces, self._releases, self.jobs, self.hooks, limits, self.keys,
                    self.files, settings.zone, settings.language, name_of(self.stores, location.id),
                )  # fmt: skip
                self._open[location.id] = tenant
            return tenant

    def forget(self, location: TenantLocation) -> None:
        """Drop what is kept of a tenant that was deleted or has moved."""
        with self._lock:
            self._open.pop(location.id, None)


def env_of(
    model: Model,
    now: datetime,
    zone: str,
    *,
    is_new: bool = False,
    org: Org = NOBODY,
    labels: Mapping[str, str] = NO_LABELS,
) -> Env:
    """What formulas see of a moment in a zone: the person's, or for what is stored the tenant's. That depends
    neither on the organisation's names nor on a language.
    """
    today, own = now.astimezone(UTC if zone == "UTC" else ZoneInfo(zone)).date(), model.calendar
    if own is None:
        hours, fiscal = standard(zone), 0
    else:
        hours, fiscal = own.hours if own.zone else placed(own.hours, zone), own.fiscal
    return Env(today, now, zone, is_new, calendar=hours.text, fiscal=fiscal, org=org, labels=labels)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the first argument of every service. Holds one release from start to end."""

    tenant: TenantRuntime
    principal: Principal
    model: Model
    gate: Gate
    clock: Clock
    ids: Ids
    language: Language
    zone: str  # IANA name
    request_id: str
    cause: str  # form api bulk import rule roll_up undo publish sign_in export view system
    confirmed: frozenset[str] = frozenset()  # the warnings that the caller lets pass (records.rules)

    @property
    def tables(self) -> Tables:
        return self.tenant.tables(self.model)

    def env(self, now: datetime, *, is_new: bool = False) -> Env:
        """What formulas see of a moment: its day and zone for the person who asks, the calendar of all."""
        org, labels = self.tenant.org(self.model), self.model.texts(self.language)
        return env_of(self.model, now, self.zone, is_new=is_new, org=org, labels=labels)

    def because(self, cause: str) -> Call:
        """The same call with another cause: what an import, a rule or an undo does on a person's behalf."""
        return replace(self, cause=cause)

    def confirming(self, confirmed: Iterable[str]) -> Call:
        """The same call by somebody who has seen these warnings and lets them pass (``records.rules``)."""
        return replace(self, confirmed=frozenset(confirmed))
