"""How the product is served: one process of a few threads behind granian, jobs in a thread beside them."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tabwright import __version__
from tabwright.platform.errors import Invalid
from tabwright.platform.language import Language, register_messages, say
from tabwright.platform.settings import Settings, is_loopback

register_messages(Path(__file__).with_name("messages.json"))

_ARENAS = "MALLOC_ARENA_MAX"


def check_host(host: str, settings: Settings, allow_remote: bool) -> None:
    """Raise Invalid (``cli.remote``) for an address beyond this machine that was not meant."""
    if not is_loopback(host) and not (allow_remote and settings.base_url):
        raise Invalid.of("cli.remote", host=host)


def with_few_arenas(arguments: Sequence[str]) -> None:
    """Start this process anew with two malloc arenas, once: else each thread holds on to one of its own."""
    if sys.platform == "linux" and _ARENAS not in os.environ:
        become(arguments)


def become(arguments: Sequence[str]) -> NoReturn:
    """Go on as another ``tabwright`` command in a fresh process of the same id."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-m", "tabwright", *arguments], {_ARENAS: "2", **os.environ})


def data_place(settings: Settings) -> str:
    """Where the data lie, for a person; of a database without user and password."""
    if settings.database_url is None:
        return f"SQLite, {settings.home}"
    from sqlalchemy import make_url

    url = make_url(settings.database_url)
    return f"PostgreSQL, {url.host or 'localhost'}:{url.port or 5432}/{url.database or ''}"


def greeting(host: str, port: int, with_worker: bool, settings: Settings, spoken: Language) -> str:
    """What ``serve`` says at its start: what, where, on which data."""
    address = settings.base_url or f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    jobs = say("cli.jobs_here" if with_worker else "cli.jobs_elsewhere", {}, spoken)
    params = {"version": __version__, "address": address, "data": data_place(settings), "jobs": jobs}
    return say("cli.serving", params, spoken)


def working_greeting(threads: int, settings: Settings, spoken: Language) -> str:
    """What ``worker`` says at its start."""
    return say(
        "cli.working", {"version": __version__, "threads": threads, "data": data_place(settings)}, spoken
    )


def serve(host: str, port: int, threads: int, with_worker: bool) -> None:
    """Serve until the process is told to end."""
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server import MTServer

    class InThisProcess(MTServer):
        """Granian's worker as a thread beside the main one, not as a process below a parent of its own.

        The parent would only wait for its child, and holds 30 MB. Granian offers this where Python runs
        without its global lock and checks for that; the worker itself is the same in both.
        """

        def _check_gil(self) -> None: ...

    target = "application_with_worker" if with_worker else "application"
    InThisProcess(
        f"tabwright.app:{target}",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=1,
        blocking_threads=threads,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
    ).serve()


def work(settings: Settings, threads: int) -> None:
    """Run jobs until the process is told to end; what runs then is finished by whoever finds it."""
    from tabwright import logs
    from tabwright.app import create_site

    logs.configure()
    site = create_site(settings)
    stop = threading.Event()
    workers = [
        threading.Thread(
            target=site.runner.run_forever, args=(stop,), name=f"tabwright-jobs-{n}", daemon=True
        )
        for n in range(threads)
    ]
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    for each in workers:
        each.start()
    stop.wait()
    site.runner.ring()
    for each in workers:
        each.join(timeout=30)
    site.close()
