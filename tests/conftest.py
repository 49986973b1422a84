"""What every test may ask for. Nothing is skipped here: services.py decides about what is not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from routing import share_routes
from services import SERVICES, chromium, url_of

if TYPE_CHECKING:  # a third of a second, which only the browser tests should pay
    from playwright.sync_api import Browser, Page


share_routes()
pytest_plugins = ("stores", "world")

# A busy machine is no fault of a law: no example is failed for its time.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked `postgres` or `redis` needs that service, whether or not it asks for its address."""
    for name in SERVICES:
        if item.get_closest_marker(name):
            url_of(name)


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A PostgreSQL database: make schemas, databases and roles of your own name there, and drop them."""
    return url_of("postgres")


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A Redis database for tests."""
    return url_of("redis")


@pytest.fixture(scope="session")
def amqp_url() -> str:
    """A RabbitMQ for tests."""
    return url_of("amqp")


@pytest.fixture(scope="session")
def one_browser() -> Iterator[Browser]:
    """The headless browser of all tests of a worker."""
    from browsing import browser

    with browser(chromium()) as opened:
        yield opened


@pytest.fixture
def chrome(one_browser: Browser) -> Iterator[Browser]:
    """A headless browser without windows; those that a test opens are closed after it. Mark it `browser`."""
    try:
        yield one_browser
    finally:
        for context in one_browser.contexts:
            context.close()


@pytest.fixture
def page(chrome: Browser) -> Page:
    """A page of a fresh profile, 1440 x 900; `page.set_viewport_size` makes it a phone."""
    context = chrome.new_context(
        viewport={"width": 1440, "height": 900}, locale="zh-CN", reduced_motion="reduce"
    )
    context.set_default_timeout(10_000)
    return context.new_page()
