"""Where the services of the tests are, and whether they answer.

A test that needs one asks for it here. Where none answers the test is skipped, unless
TABWRIGHT_REQUIRE_SERVICES is 1 (CI): then it fails, so that no run is green for want of a server.
"""

import os
import shutil
import socket
from functools import cache
from typing import NamedTuple, NoReturn
from urllib.parse import urlsplit

import pytest


class Service(NamedTuple):
    """The variable that names it, and where it is when the variable is not set."""

    variable: str
    default: str
    port: int


SERVICES = {
    "postgres": Service("TABWRIGHT_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test", 5432),
    "redis": Service("TABWRIGHT_TEST_REDIS_URL", "redis://127.0.0.1:6379/15", 6379),
    "amqp": Service("TABWRIGHT_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//", 5672),
}


def absent(what: str) -> NoReturn:
    """Skip the test, or fail it where every service has to be there."""
    if os.environ.get("TABWRIGHT_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{what}, and TABWRIGHT_REQUIRE_SERVICES=1", pytrace=False)
    pytest.skip(what)


@cache
def answers(host: str, port: int) -> bool:
    """Whether anyone listens there."""
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def url_of(name: str) -> str:
    """The address of `postgres`, `redis` or `amqp`; skips or fails the test when nobody answers there."""
    service = SERVICES[name]
    url = os.environ.get(service.variable) or service.default
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or service.port
    if not answers(host, port):
        absent(f"{name} does not answer at {host}:{port} ({service.variable})")
    return url


def chromium() -> str:
    """The path of a Chromium; the test is skipped or fails when there is none."""
    own = os.environ.get("TABWRIGHT_TEST_CHROMIUM")
    for name in filter(None, [own, "chromium", "chromium-browser", "google-chrome"]):
        if path := shutil.which(name):
            return path
    absent("no Chromium is installed (TABWRIGHT_TEST_CHROMIUM)")
