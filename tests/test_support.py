"""The helpers of the tests do what the tests rely on."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from browsing import barriers
from services import SERVICES, chromium, url_of
from tabwright.platform.settings import Settings


def test_a_service_that_does_not_answer_skips_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SERVICES["redis"].variable, "redis://127.0.0.1:1/0")
    monkeypatch.delenv("TABWRIGHT_REQUIRE_SERVICES", raising=False)
    with pytest.raises(pytest.skip.Exception, match="does not answer at 127.0.0.1:1"):
        url_of("redis")
    monkeypatch.setenv("TABWRIGHT_REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception, match="TABWRIGHT_REQUIRE_SERVICES=1"):
        url_of("redis")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("TABWRIGHT_TEST_CHROMIUM", raising=False)
    with pytest.raises(pytest.fail.Exception, match="no Chromium"):
        chromium()


def test_the_variables_of_the_tests_do_not_stop_the_product(tmp_path: Path) -> None:
    variables = {service.variable: "x" for service in SERVICES.values()}
    variables |= {"TABWRIGHT_REQUIRE_SERVICES": "1", "TABWRIGHT_TEST_CHROMIUM": "x"}
    assert Settings.from_env({**variables, "TABWRIGHT_HOME": str(tmp_path)}).home == tmp_path


@pytest.mark.browser
def test_axe_sees_a_barrier_under_a_strict_policy(page: Page) -> None:
    policy = "<meta http-equiv=Content-Security-Policy content=\"script-src 'self'\">"
    head = f"<!doctype html><html lang=en><head>{policy}<title>t</title></head><body><main><h1>t</h1>"
    page.set_content(f"{head}<input></main></body></html>")
    assert [found.split(":")[0] for found in barriers(page)] == ["critical label"]
    page.set_content(f"{head}<label>Name <input></label></main></body></html>")
    assert barriers(page) == []


def test_postgres_answers(postgres_url: str) -> None:
    import psycopg

    with psycopg.connect(postgres_url) as connection:
        assert connection.info.server_version >= 140000
