"""R22, R23, R24 and R28 through the served product: what was acknowledged is there, once, and in order.

Long runs, with figures:
``TABWRIGHT_REL_KILLS=60 python -m pytest -s tests/rel/test_promise_writes.py -k killed``;
``TABWRIGHT_REL_EDITORS=32 TABWRIGHT_REL_EDITS=2000 ... -k editors``;
``TABWRIGHT_REL_KEYS=2000 ... -k effect``;
``TABWRIGHT_REL_SECONDS=120 ... -k busy``.
"""

from __future__ import annotations

import http.client
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from served import Client, Served, an_object, open_served, percentile, size, tell, together, word
from served import served as served
from tabwright.runtime.journal.tables import changes, operations
from tabwright.runtime.search.tables import search_row
from waiting import until

NO_ANSWER = (OSError, http.client.HTTPException)


def made(client: Client, object: str, **values: Any) -> str:
    """A new record's id."""
    answer = client.send("POST", f"/objects/{object}/records", {"name": "one", **values})
    assert answer.status == 201, answer.text
    return str(answer.json["id"])


def every(client: Client, object: str) -> dict[str, dict[str, Any]]:
    """All records of an object by id."""
    found: dict[str, dict[str, Any]] = {}
    cursor: dict[str, Any] = {}
    while True:
        page = client.send("GET", f"/objects/{object}/records", limit=200, **cursor)
        assert page.status == 200, page.text
        found |= {each["id"]: each for each in page.json["records"]}
        if page.json["next_cursor"] is None:
            return found
        cursor = {"cursor": page.json["next_cursor"]}


def torn(served: Served, records: dict[str, dict[str, Any]]) -> list[str]:
    """What is half there: a record without one of its journal rows or its search row, or the reverse."""
    ids = {UUID(id) for id in records}
    wrong: list[str] = []
    with served.store.read() as reader:
        number = reader.execute(
            sa.select(changes.c.object_n).where(changes.c.record_id == next(iter(ids))).limit(1)
        ).scalar_one()
        columns = changes.c.record_id, changes.c.revision, operations.c.id
        joined = changes.outerjoin(operations, operations.c.id == changes.c.operation_id)
        of_object = changes.c.object_n == number
        rows = reader.execute(sa.select(*columns).select_from(joined).where(of_object)).all()
        found = reader.execute(
            sa.select(search_row.c.record_id).where(search_row.c.object_n == number)
        ).scalars()
        searched = Counter(found)
    revisions: dict[UUID, list[int]] = {}
    for record, revision, operation in rows:
        revisions.setdefault(record, []).append(revision)
        if operation is None:
            wrong.append(f"{record} revision {revision}: a change without its operation")
    for id, record in records.items():
        if sorted(revisions.pop(UUID(id), [])) != list(range(1, record["revision"] + 1)):
            wrong.append(f"{id}: journal rows do not lead to revision {record['revision']}")
        if searched.pop(UUID(id), 0) != 1:
            wrong.append(f"{id}: search rows")
    wrong += [f"{id}: journal rows without a record" for id in revisions]
    return wrong + [f"{id}: search rows without a record" for id in searched]


# ---- R22 ------------------------------------------------------------


def test_what_was_acknowledged_survives_a_killed_server(served: Served) -> None:
    kills, writers = size("kills", 2), size("writers", 16)
    object = word()
    served.publish(*an_object(object, note="text", size="integer"))
    source = random.Random(7)
    acknowledged: dict[str, dict[str, Any]] = {}
    unsure: dict[str, list[dict[str, Any]]] = {}  # sent, not answered: each is there or not
    lock = threading.Lock()
    slowest = 0.0

    def write(client: Client, killed: threading.Event, seed: int) -> None:
        pick = random.Random(seed)
        mine: list[str] = []
        while not killed.is_set():
            values = {"note": f"{seed} {pick.random()}", "size": pick.randrange(10**6)}
            id = pick.choice(mine) if mine and pick.random() < 0.5 else None
            try:
                if id is None:
                    answer = client.send("POST", f"/objects/{object}/records", {"name": "a", **values})
                else:
                    answer = client.send("PATCH", f"/objects/{object}/records/{id}", values)
            except NO_ANSWER:
                if id is not None:
                    with lock:
                        unsure.setdefault(id, []).append(values)
                return
            assert answer.status in (200, 201), answer.text
            saved = answer.json
            with lock:
                acknowledged[saved["id"]] = {**values, "revision": saved["revision"]}
            mine.append(saved["id"])

    for kill in range(kills):
        port = served.ports[kill % len(served.ports)]
        killed = threading.Event()
        before = len(acknowledged)

        def end(port: int = port, before: int = before, killed: threading.Event = killed) -> None:
            until(lambda: len(acknowledged) >= before + writers, "nobody writes")
            time.sleep(source.uniform(0, 0.2))
            served.kill(port)
            killed.set()

        clients = [served.client(port=port) for _ in range(writers)]
        together(
            end,
            *(
                lambda client=client, killed=killed, seed=kill * writers + n: write(client, killed, seed)
                for n, client in enumerate(clients)
            ),
        )
        began = time.perf_counter()
        served.start(port)
        slowest = max(slowest, time.perf_counter() - began)
    records = every(served.client(port=served.ports[0]), object)
    lost = [id for id in acknowledged if id not in records]
    assert lost == []
    for id, wanted in acknowledged.items():
        record = records[id]
        now = {name: record[name] for name in ("note", "size")}
        later = record["revision"] - wanted["revision"]
        said = {name: wanted[name] for name in ("note", "size")}
        assert (later == 0 and now == said) or (later == 1 and now in unsure[id]), (id, wanted, record)
    assert torn(served, records) == []
    tell(promise="R22", on=served.dialect, kills=kills, writers=writers, acknowledged=len(acknowledged),
         there=len(records), lost=0, torn=0, slowest_restart_s=round(slowest, 1))  # fmt: skip


# ---- R23 ------------------------------------------------------------


@pytest.mark.parametrize("records", [1, 5])
def test_no_edit_of_several_editors_is_lost(served: Served, records: int) -> None:
    """Each adds one to a counter that it has read and signs it: by API, by bulk, by the form of the pages."""
    editors, edits = size("editors", 12), size("edits", 60)
    object = word()
    served.publish(*an_object(object, count="text"))
    admin = served.client()
    ids = [made(admin, object, count="0") for _ in range(records)]
    turns: Counter[str] = Counter()
    done: list[tuple[str, str]] = []  # the record, and the value that was acknowledged

    def api(client: Client, id: str, mine: str) -> str | None:
        path = f"/objects/{object}/records/{id}"
        seen = client.send("GET", path)
        value = after(seen.json["count"], mine)
        answer = client.send("PATCH", path, {"count": value}, {"If-Match": seen.headers["etag"]})
        if answer.status == 412:
            now = answer.json["current"]
            assert now["id"] == id and now["count"] != seen.json["count"], answer.text
            return None
        assert answer.status == 200 and answer.json["count"] == value, answer.text
        return value

    def bulk(client: Client, id: str, mine: str) -> str | None:
        path = f"/objects/{object}/records"
        seen = client.send("GET", f"{path}/{id}").json
        row = {"id": id, "revision": seen["revision"], "count": after(seen["count"], mine)}
        answer = client.send("POST", f"{path}/bulk", {"action": "update", "records": [row]})
        if answer.status == 412:
            assert {each["record"].replace("-", "") for each in answer.json["faults"]} == {id}, answer.text
            return None
        assert answer.status == 200, answer.text
        return str(row["count"])

    def form(client: Client, id: str, mine: str) -> str | None:
        path = f"/o/{object}/{id}/edit"
        inputs = client.form(path)
        value = after(inputs["count"], mine)
        answer = client.page(path, {**inputs, "count": value})
        if answer.status == 409:
            assert value in answer.text and inputs["count"] in answer.text, "mine and what it was"
            return None
        assert answer.status == 303, answer.text[:500]
        return value

    def edit(n: int) -> None:
        client = served.client(port=served.ports[n % len(served.ports)])
        way = (api, form, bulk, api)[n % 4]
        pick = random.Random(n)
        turn = 0
        while len(done) < edits:
            turn += 1
            id = pick.choice(ids)
            value = way(client, id, f"{n}.{turn}")
            turns[way.__name__ if value else f"{way.__name__}_refused"] += 1
            if value is not None:
                done.append((id, value))
        client.close()

    together(*(lambda n=n: edit(n) for n in range(editors)))
    final = every(served.client(), object)
    for id in ids:
        values = sorted((value for record, value in done if record == id), key=number)
        assert [number(value) for value in values] == list(range(1, len(values) + 1)), "written over"
        assert final[id]["count"] == (values[-1] if values else "0")
        assert final[id]["revision"] == 1 + len(values)
    assert torn(served, final) == []
    tell(promise="R23", on=served.dialect, editors=editors, records=records, edits=len(done), overwritten=0,
         **dict(turns))  # fmt: skip


def number(value: str) -> int:
    return int(value.split()[0])


def after(value: str, mine: str) -> str:
    """The next value of the counter, which nobody else would write."""
    return f"{number(value) + 1} {mine}"


# ---- R24 ------------------------------------------------------------


class Cutting:
    """A proxy that takes an answer from the server and cuts the connection instead of passing it on."""

    def __init__(self, port: int, part: float) -> None:
        self.target = port
        self.cuts = 0
        self._part = part
        self._source = random.Random(5)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            one = connection.recv(1, socket.MSG_PEEK)
            if one == b"":  # told to end
                connection.close()
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as client:
            while True:
                request = _message(client)
                if request is None:
                    return
                try:
                    with socket.create_connection(("127.0.0.1", self.target), timeout=60) as server:
                        server.sendall(request)
                        with server.makefile("rb") as source:
                            answer = _message(source)
                except OSError:
                    return
                if answer is None:
                    return
                if request.startswith(b"POST") and self._source.random() < self._part:
                    self.cuts += 1
                    return
                connection.sendall(answer)

    def close(self) -> None:
        socket.create_connection(("127.0.0.1", self.port)).close()
        for each in self._threads:
            each.join()
        self._listener.close()


def _message(source: Any) -> bytes | None:
    """One HTTP message with a Content-Length, as it stands; None at the end."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = source.readline()
        if line == b"":
            return None
        head += line
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n")
                   if line.lower().startswith(b"content-length:")), 0)  # fmt: skip
    body: bytes = source.read(length)
    return head + body


@contextmanager
def cutting(port: int, part: float) -> Iterator[Cutting]:
    proxy = Cutting(port, part)
    try:
        yield proxy
    finally:
        proxy.close()


def test_a_retried_request_has_one_effect(served: Served) -> None:
    keys, clients = size("keys", 60), 6
    object = word()
    served.publish(*an_object(object))
    with cutting(served.ports[0], 0.3) as proxy:
        tries: Counter[int] = Counter()
        answers: dict[str, tuple[int, list[str]]] = {}

        def work(n: int) -> None:
            client = served.client(port=proxy.port)
            for turn in range(keys // clients):
                key = f"{object}-{n}-{turn}"
                if turn % 5 == 4:
                    rows = [{"name": f"{key} {row}"} for row in range(3)]
                    path, body = "/records/bulk", {"action": "create", "records": rows}
                else:
                    path, body = "/records", {"name": key}
                attempt = 0
                while True:
                    attempt += 1
                    try:
                        answer = client.send(
                            "POST", f"/objects/{object}{path}", body, {"Idempotency-Key": key}
                        )
                    except NO_ANSWER:
                        continue
                    if answer.code == "api.key_running":
                        continue
                    break
                tries[attempt] += 1
                assert answer.status in (200, 201), answer.text
                said = answer.json
                made = [each["id"] for each in said["results"]] if "results" in said else [said["id"]]
                answers[key] = (answer.status, made)
            client.close()

        together(*(lambda n=n: work(n) for n in range(clients)))
        assert proxy.cuts >= keys // 10
        records = every(served.client(), object)
        told = [id for _, made in answers.values() for id in made]
        assert len(records) == len(told) == len(set(told)) and set(records) == set(told)
        names = Counter(each["name"] for each in records.values())
        assert set(names.values()) == {1}, "a key had two effects"
        tell(promise="R24", on=served.dialect, keys=len(answers), cut=proxy.cuts, effects=len(records),
             doubled=0, tries=dict(sorted(tries.items())))  # fmt: skip


def test_a_key_survives_a_restart_and_refuses_another_body(served: Served) -> None:
    object = word()
    served.publish(*an_object(object))
    port = served.ports[0]
    key = {"Idempotency-Key": word(12)}
    path = f"/objects/{object}/records"
    with cutting(port, 1.0) as proxy:
        client = served.client(port=proxy.port)
        with pytest.raises(NO_ANSWER):
            client.send("POST", path, {"name": "once"}, key)
    served.kill(port)
    served.start(port)
    client = served.client(port=port)
    again = client.send("POST", path, {"name": "once"}, key)
    assert (again.status, again.json["name"], again.headers["idempotency-replayed"]) == (201, "once", "true")
    other = client.send("POST", path, {"name": "twice"}, key)
    assert (other.status, other.code) == (422, "api.key_reused")
    assert [each["name"] for each in every(client, object).values()] == ["once"]


# ---- R28 ------------------------------------------------------------


def test_a_busy_sqlite_is_not_told_to_clients() -> None:
    """Writers in two processes, jobs in three, and an online backup again and again."""
    seconds, writers = size("seconds", 0), size("writers", 16)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_served("sqlite", Path(folder), size("processes", 1)) as served,
    ):
        served.publish(*an_object("busy", size="integer"))
        worker = subprocess.Popen(
            [sys.executable, "-m", "tabwright", "worker"], env=served.environment(), start_new_session=True
        )
        statuses: Counter[int] = Counter()
        wrong: list[str] = []
        backups: list[int] = []
        enough = threading.Event()
        clients = [served.client(port=served.ports[n % len(served.ports)]) for n in range(writers)]

        def write(client: Client) -> None:
            mine: list[str] = []
            while not enough.is_set():
                if len(mine) % 3:
                    answer = client.send("PATCH", f"/objects/busy/records/{mine[-1]}", {"size": len(mine)})
                    mine.append(mine[-1])
                else:
                    answer = client.send("POST", "/objects/busy/records", {"name": "a", "size": 0})
                    mine.append(answer.json.get("id", ""))
                statuses[answer.status] += 1
                if answer.status not in (200, 201):
                    wrong.append(answer.text[:300])

        def back_up() -> None:
            while not enough.is_set():
                copy = Path(folder) / "copy.db"
                copy.unlink(missing_ok=True)
                with (
                    closing(sqlite3.connect(Path(folder) / "tenants" / "demo.db")) as source,
                    closing(sqlite3.connect(copy)) as target,
                ):
                    source.backup(target, pages=200, sleep=0.001)
                    (said,) = target.execute("PRAGMA integrity_check").fetchone()
                    assert said == "ok"
                    (count,) = target.execute("SELECT count(*) FROM journal_operation").fetchone()
                    backups.append(count)

        def lead() -> None:
            def many() -> bool:
                return bool(wrong) or (sum(statuses.values()) >= 20 * writers and len(backups) >= 2)

            try:
                until(many, "no writes, or no backups")
                time.sleep(seconds)
            finally:
                enough.set()

        try:
            together(lead, back_up, *(lambda client=client: write(client) for client in clients))
        finally:
            worker.terminate()
            worker.wait(timeout=30)
        assert wrong == [] and backups
        records = every(served.client(), "busy")
        assert len(records) == statuses[201] and torn(served, records) == []
        took = [each for client in clients for each in client.took]
        tell(promise="R28", on="sqlite", writers=writers, seconds=seconds, writes=sum(statuses.values()),
             refused=0, backups=len(backups), p50=round(percentile(took, 0.5)), p99=round(percentile(took)),
             longest=round(max(took) * 1000))  # fmt: skip
