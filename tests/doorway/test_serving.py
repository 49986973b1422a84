"""The real server: it starts, answers, keeps its word about memory arenas, and ends when told."""

from __future__ import annotations

import http.client
import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from stores import settings_for
from tabwright import logs
from tabwright.serving import greeting
from waiting import PATIENCE, until


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(
    home: Path, *arguments: str, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TABWRIGHT_", "MALLOC_"))
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tabwright", *arguments],
        env={**kept, "TABWRIGHT_HOME": str(home), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise


def answer(port: int, path: str, process: subprocess.Popen[bytes]) -> http.client.HTTPResponse:
    """What the server says, once it listens."""
    found: list[http.client.HTTPResponse] = []

    def asked() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            found.append(response)
        except ConnectionRefusedError:
            return False
        finally:
            connection.close()
        return True

    until(asked, "does not serve", process)
    return found[0]


def test_the_server_serves_and_ends(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, "serve", "--port", str(port)) as process:
        assert answer(port, "/health", process).status == 200
        assert (
            answer(port, "/static/tokens.css", process).getheader("Content-Type") == "text/css; charset=utf-8"
        )
        assert answer(port, "/nothing", process).status == 404
        environ = Path(f"/proc/{process.pid}/environ")
        if environ.exists():
            assert b"MALLOC_ARENA_MAX=2" in environ.read_bytes()
            threads = Path(f"/proc/{process.pid}/task")
            assert not any((thread / "children").read_text().split() for thread in threads.iterdir())
    assert process.returncode == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=2)


def test_the_worker_ends_when_told(tmp_path: Path) -> None:
    with running(tmp_path, "worker") as process:
        until((tmp_path / "control.db").exists, "no store was made", process)
        until(lambda: _catches_term(process.pid), "SIGTERM is not caught", process)
    assert process.returncode == 0


def _catches_term(pid: int) -> bool:
    """Whether the process has a handler for SIGTERM by now."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("only /proc tells whether the worker can be told")
    caught = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def test_it_says_at_the_start_what_it_serves_and_where(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, "serve", "--port", str(port), env={"LC_ALL": "zh_CN.UTF-8"}) as process:
        assert answer(port, "/health", process).status == 200
        process.send_signal(signal.SIGTERM)
        told = process.communicate(timeout=PATIENCE)[0].decode()
    assert f"http://127.0.0.1:{port}/" in told and str(tmp_path) in told and "提供服务" in told


def test_the_start_line_holds_no_password(tmp_path: Path) -> None:
    url = "postgresql://tabwright:very-secret@db.example.com:5433/crm"
    said = greeting("::1", 8000, False, replace(settings_for("sqlite", tmp_path), database_url=url), "en")
    assert "http://[::1]:8000/" in said and "db.example.com:5433/crm" in said and "tabwright worker" in said
    assert "very-secret" not in said


def test_nothing_secret_is_logged() -> None:
    stream = io.StringIO()
    log = logging.getLogger("tabwright")
    before = (log.handlers, log.level, log.propagate)
    try:
        logs.configure(stream)
        log.info("job done", extra={"token": "tw_abcdefghijkl", "password": "hunter22", "tenant": "acme"})
        log.warning("cannot reach %s", "postgresql://me:hunter22@db/crm")
        log.warning("sent Authorization: Bearer hunter22hunter22, cookie=hunter22; password: 'hunter22'")
        log.warning("token tw_hunter22hunter22 is unknown")
        try:
            raise ValueError("the secret=hunter22 broke")
        except ValueError:
            log.exception("job failed")
    finally:
        log.handlers, log.level, log.propagate = before
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 5 and lines[0]["tenant"] == "acme" and lines[0]["level"] == "info"
    assert "ValueError" in lines[4]["exception"]
    assert "hunter22" not in stream.getvalue() and "abcdefghijkl" not in stream.getvalue()
