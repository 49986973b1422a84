"""Servers under measure: started alike, driven alike, weighed by their own CPU time.

``Server`` runs a command that serves on loopback until the block ends; ``drive`` sends one request again and
again over one kept connection and says what each took; ``contest`` does so in turns, so that a noisy moment
of the machine falls on both.
"""

from __future__ import annotations

import http.client
import os
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] | None = None
    status: int = 200


@dataclass(frozen=True)
class Weighed:
    """Milliseconds: the median of one request's time, and the server's CPU per request."""

    p50: float
    cpu: float


class Server:
    def __init__(self, process: subprocess.Popen[bytes], port: int, headers: Mapping[str, str]) -> None:
        self.process = process
        self.port = port
        self.headers = headers
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self, request: Request) -> bytes:
        self.connection.request(
            request.method, request.path, request.body, {**self.headers, **(request.headers or {})}
        )
        response = self.connection.getresponse()
        body = response.read()
        if response.status != request.status:
            raise RuntimeError(f"{request.method} {request.path}: {response.status} {body[:400]!r}")
        return body

    def crowd(self, request: Request, people: int = 8, each: int = 25) -> None:
        """Send a request from several sides at once, so that the server has all of its threads.

        Granian adds one only when a request has to wait, and a request that goes to another thread than the
        last one costs more: a server that never had to add one would look better than it is.
        """

        def person() -> None:
            own = Server(self.process, self.port, self.headers)
            for _ in range(each):
                own.send(request)
            own.connection.close()

        threads = [threading.Thread(target=person) for _ in range(people)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def cpu(self) -> float:
        """Seconds of CPU that the server's processes have used."""
        return sum(_cpu_of(pid) for pid in _family(self.process.pid))

    def memory(self) -> float:
        """Resident megabytes of the server's processes, pages they share counted once per process."""
        pages = sum(
            int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in _family(self.process.pid)
        )
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def serving(
    command: Sequence[str], port: int, headers: Mapping[str, str], env: Mapping[str, str]
) -> Iterator[Server]:
    """The command's server, once it answers on the port."""
    process = subprocess.Popen(
        command, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            if process.poll() is not None or time.monotonic() > deadline:
                assert process.stderr is not None
                raise RuntimeError(f"{command} does not serve: {process.stderr.read().decode()[-2000:]}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield Server(process, port, headers)
    finally:
        process.terminate()
        process.wait(20)


def drive(server: Server, make: Callable[[int], Request], count: int, start: int = 0) -> Weighed:
    """Send ``make(start) .. make(start + count - 1)`` one after the other."""
    times: list[float] = []
    cpu = server.cpu()
    for number in range(start, start + count):
        request = make(number)
        began = time.perf_counter()
        server.send(request)
        times.append(time.perf_counter() - began)
    server.connection.close()  # opened again by the next request: an idle one would be closed by the server
    return Weighed(statistics.median(times) * 1000, (server.cpu() - cpu) / count * 1000)


def contest(
    ours: Server,
    floor: Server,
    make_ours: Callable[[int], Request],
    make_floor: Callable[[int], Request],
    count: int,
    rounds: int = 5,
) -> tuple[Weighed, Weighed]:
    """The median round of each, rounds taken in turns after one that only warms."""
    found: dict[str, list[Weighed]] = {"ours": [], "floor": []}
    for number in range(rounds + 1):
        begin = number * count
        for name, server, make in (("ours", ours, make_ours), ("floor", floor, make_floor)):
            weighed = drive(server, make, count, begin)
            if number:
                found[name].append(weighed)
    return _middle(found["ours"]), _middle(found["floor"])


def _middle(rounds: Sequence[Weighed]) -> Weighed:
    return Weighed(
        statistics.median(each.p50 for each in rounds), statistics.median(each.cpu for each in rounds)
    )


def _family(pid: int) -> list[int]:
    """The process and all below it."""
    pids = [pid]
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if children.exists():
        for child in children.read_text().split():
            pids += _family(int(child))
    return pids


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
