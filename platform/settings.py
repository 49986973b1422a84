"""What an operator sets: read once from the environment into a frozen value; every limit with a
name and a default.
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import urlsplit

from tabwright.platform.clock import is_zone
from tabwright.platform.errors import Invalid

PREFIX = "TABWRIGHT_"
_SHORTEST_SECRET = 32


def _limit(default: int, help: str) -> int:
    made: int = field(default=default, metadata={"help": help})
    return made


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit; the environment's name of one is ``TABWRIGHT_LIMIT_`` and its name in capitals."""

    body_bytes: int = _limit(50_000_000, "largest request body")
    upload_bytes: int = _limit(100_000_000, "largest request body where a file is uploaded")
    file_bytes: int = _limit(50_000_000, "largest file kept with a record")
    pending_files: int = _limit(200, "most files that a person has uploaded and put into no record yet")
    pending_file_hours: int = _limit(24, "hours that an uploaded file waits for its record")
    removed_file_days: int = _limit(30, "days that a removed attachment can be brought back")
    page_rows: int = _limit(200, "most rows of one page")
    count_rows: int = _limit(1_000, "a count stops here and says so")
    bulk_rows: int = _limit(10_000, "most rows of one bulk call")
    bulk_records: int = _limit(100_000, "most records of one bulk change")
    bulk_days: int = _limit(30, "days that the list of what a bulk change did is kept")
    export_inline_rows: int = _limit(5_000, "an export of more rows is made by a job")
    export_rows: int = _limit(1_000_000, "most rows of an export")
    export_alarm_rows: int = _limit(
        100_000, "administrators are told of a person who exports more rows within a day"
    )
    export_hours: int = _limit(24, "hours that the file of an export made by a job is kept")
    sign_ins_per_minute: int = _limit(5, "failed sign-ins a minute of one account, and of one address")
    lock_failures: int = _limit(10, "failed sign-ins of an account from an address until it is locked there")
    lock_everywhere_failures: int = _limit(
        50, "failed sign-ins of an account from anywhere until it is locked"
    )
    lock_minutes: int = _limit(30, "failed sign-ins count for this long")
    second_factor_failures: int = _limit(20, "wrong codes in a row until a second factor is closed")
    code_minutes: int = _limit(10, "minutes between the password and the code of a sign-in")
    invitation_hours: int = _limit(168, "an invitation can be accepted for this long")
    reset_minutes: int = _limit(60, "a link for a new password can be used for this long")
    reset_mails_per_hour: int = _limit(3, "mails for a new password that a person is sent in an hour")
    password_checks: int = _limit(2, "passwords being verified at once in a process")
    password_characters: int = _limit(10, "shortest password")
    session_idle_minutes: int = _limit(720, "a session unused for this long ends")
    session_hours: int = _limit(720, "a session ends after this, used or not")
    token_days: int = _limit(365, "longest life of an API token")
    import_file_days: int = _limit(30, "days that the file of an import is kept once nobody touches it")
    form_draft_days: int = _limit(30, "days that what is typed in a form and not saved is kept")
    expiry_notice_days: int = _limit(3, "days before a right expires that its holder is told")
    share_days: int = _limit(90, "days until a share of a record ends where nobody says when")
    notice_days: int = _limit(90, "days that a person's notices are kept")
    tenant_keep_days: int = _limit(30, "a deleted tenant can be brought back for this long")
    database_connections: int = _limit(10, "connections of a process to a PostgreSQL server")
    open_stores: int = _limit(64, "SQLite files of tenants that a process keeps open")
    wait_seconds: int = _limit(2, "wait for a database connection")
    write_wait_seconds: int = _limit(10, "wait for other writers")
    statement_seconds: int = _limit(30, "longest statement of a page or an API call")
    long_statement_seconds: int = _limit(600, "longest statement of a report, an export or a publish")
    lease_seconds: int = _limit(60, "a worker that is silent for this long loses its job")
    sweep_seconds: int = _limit(30, "between two looks at every tenant for due jobs")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is fixed while a process lives."""

    home: Path  # the folder of data: databases of SQLite, files, the secret
    secret: str = field(repr=False)  # signs what leaves the server and comes back
    database_url: str | None = field(default=None, repr=False)  # None: SQLite files under home
    schema_prefix: str = ""  # lets two installations share one PostgreSQL database
    base_url: str | None = None  # where people reach the product; links are made from this only
    proxies: int = 0  # how many proxies stand in front, each adding to X-Forwarded-For
    language: str = "zh"  # of a person about whom nothing is known
    zone: str = "Asia/Shanghai"  # time zone of a tenant and user that name none
    encryption_keys: tuple[str, ...] = field(default=(), repr=False)  # of values at rest, newest first
    files_url: str | None = field(default=None, repr=False)  # where files lie; None: ``files`` under home
    mail_url: str | None = field(default=None, repr=False)  # the server that takes mail; None: none is sent
    mail_from: str | None = None  # whom mail comes from
    limits: Limits = field(default_factory=Limits)

    @property
    def secure(self) -> bool:
        """Whether people reach the product over HTTPS."""
        return bool(self.base_url and self.base_url.startswith("https://"))

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read ``TABWRIGHT_*``; makes the home folder and, at the first start, the secret.

        Raises Invalid (``settings.*``) for a value that makes no sense, naming the variable.
        """
        known = {"HOME", "SECRET", "DATABASE_URL", "SCHEMA_PREFIX", "BASE_URL", "PROXIES", "LANGUAGE", "ZONE"}
        known |= {"ENCRYPTION_KEYS", "FILES_URL", "MAIL_URL", "MAIL_FROM"}
        home = Path(env.get(PREFIX + "HOME") or "var").resolve()
        base_url = (env.get(PREFIX + "BASE_URL") or "").rstrip("/") or None
        if base_url and (
            urlsplit(base_url).scheme not in ("http", "https") or not urlsplit(base_url).hostname
        ):
            raise Invalid.of("settings.base_url", name=PREFIX + "BASE_URL")
        database_url = env.get(PREFIX + "DATABASE_URL") or None
        if database_url and not re.match(r"postgresql(\+psycopg)?://", database_url):
            raise Invalid.of("settings.database_url", name=PREFIX + "DATABASE_URL")
        files_url = (env.get(PREFIX + "FILES_URL") or "").rstrip("/") or None
        if files_url and not re.fullmatch(r"[a-z][a-z0-9+.-]*://.+", files_url):
            raise Invalid.of("settings.files_url", name=PREFIX + "FILES_URL")
        mail_url, mail_from = _mail(env)
        prefix = env.get(PREFIX + "SCHEMA_PREFIX", "")
        if not re.fullmatch(r"([a-z][a-z0-9_]{0,14})?", prefix):
            raise Invalid.of("settings.schema_prefix", name=PREFIX + "SCHEMA_PREFIX")
        language = env.get(PREFIX + "LANGUAGE") or "zh"
        if language not in ("zh", "en"):
            raise Invalid.of("settings.language", name=PREFIX + "LANGUAGE")
        proxies = env.get(PREFIX + "PROXIES") or "0"
        if not re.fullmatch("[0-9]", proxies):
            raise Invalid.of("settings.proxies", name=PREFIX + "PROXIES")
        zone = env.get(PREFIX + "ZONE") or "Asia/Shanghai"
        if not is_zone(zone):
            raise Invalid.of("settings.zone", name=PREFIX + "ZONE")
        limits = _limits(env)
        for name in env:
            rest = name.removeprefix(PREFIX)
            if rest != name and rest not in known and not rest.startswith(("LIMIT_", "TEST_", "REQUIRE_")):
                raise Invalid.of("settings.unknown", name=name)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(
            home=home,
            secret=_secret(env, home),
            database_url=database_url,
            schema_prefix=prefix,
            base_url=base_url,
            language=language,
            zone=zone,
            proxies=int(proxies),
            encryption_keys=_listed(env.get(PREFIX + "ENCRYPTION_KEYS", "")),
            files_url=files_url,
            mail_url=mail_url,
            mail_from=mail_from,
            limits=limits,
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _mail(env: Mapping[str, str]) -> tuple[str | None, str | None]:
    url, sender = env.get(PREFIX + "MAIL_URL") or None, env.get(PREFIX + "MAIL_FROM") or None
    if url and (urlsplit(url).scheme not in ("smtp", "smtps") or not urlsplit(url).hostname):
        raise Invalid.of("settings.mail_url", name=PREFIX + "MAIL_URL")
    if (sender is None) != (url is None) or (sender and ("@" not in sender or not sender.isprintable())):
        raise Invalid.of("settings.mail_from", name=PREFIX + "MAIL_FROM")
    return url, sender


def _listed(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _limits(env: Mapping[str, str]) -> Limits:
    given = {}
    names = {PREFIX + "LIMIT_" + each.name.upper(): each.name for each in fields(Limits)}
    for name, text in env.items():
        if not name.startswith(PREFIX + "LIMIT_"):
            continue
        if name not in names:
            raise Invalid.of("settings.unknown", name=name)
        if not re.fullmatch(r"[1-9][0-9]{0,14}", text):
            raise Invalid.of("settings.number", name=name)
        given[names[name]] = int(text)
    return Limits(**given)


def _secret(env: Mapping[str, str], home: Path) -> str:
    secret = env.get(PREFIX + "SECRET")
    if secret is None:
        path = home / "secret"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            secret = path.read_text("ascii").strip()
        else:
            secret = secrets.token_urlsafe(48)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secret + "\n")
    # A short secret or one of few characters is one that somebody else knows.
    if len(secret) < _SHORTEST_SECRET or len(set(secret)) < 12:
        raise Invalid.of("settings.secret", name=PREFIX + "SECRET", least=_SHORTEST_SECRET)
    return secret
