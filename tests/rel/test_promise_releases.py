"""R14 and R19 through the served product: a response is of one release; of two publishers one wins.

Long runs, with figures (docs/reliability.md has the commands): sizes are TABWRIGHT_REL_READERS, _PUBLISHES,
_QUIET_SECONDS, _PAUSE_MS (what a reader waits between two requests), _PUBLISHERS and _WINS.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from served import Client, Response, Served, an_object, document, percentile, size, tell, together
from served import served as served
from waiting import until

MARK = re.compile(r"~(\d+)~")


def marked(n: int) -> list[dict[str, Any]]:
    """An object all of whose words say ``~n~``, with a field of that number on list and form."""

    def say(word: str) -> dict[str, str]:
        return {"en": f"{word} ~{n}~", "zh": f"{word} ~{n}~"}

    columns = ["name", "size", f"at_{n}"] if n % 2 else ["name", f"at_{n}", "stage"]
    values = [{"code": code, "label": say(code)} for code in ("open", "done")]
    return [
        document("object", "lot", name_field="name", label=say("Lot"), plural=say("Lots")),
        document("field", "lot.name", type="text", required=True, label=say("Name"), help=say("Called")),
        document("field", "lot.size", type="integer", label=say("Size"), help=say("Pieces")),
        document("field", f"lot.at_{n}", type="text", label=say("At"), default=f'"~{n}~"'),
        document("field", "lot.stage", type="picklist", label=say("Stage"), options={"values": values}),
        document("list_view", "lot.all", label=say("All"), columns=columns, order=[["name", "asc"]]),
        document("layout", "lot.standard", sections=[{"label": say("Main"), "fields": columns}]),
        document("validation_rule", "lot.small", condition="size > 100", field="size", message=say("Big")),
    ]  # fmt: skip


TOO_BIG = {"name": "a", "size": 101}


def asks(id: str) -> list[tuple[str, Callable[[Client], Response], int]]:
    """What readers ask for: a name, how, and the least number of marks in the answer."""
    return [
        ("describe", lambda client: client.send("GET", "/objects/lot"), 10),
        ("list", lambda client: client.page("/o/lot"), 5),
        ("new", lambda client: client.page("/o/lot/new"), 6),
        ("edit", lambda client: client.page(f"/o/lot/{id}/edit"), 6),
        ("record", lambda client: client.page(f"/o/lot/{id}"), 5),
        ("refusal", lambda client: client.send("POST", "/objects/lot/records", TOO_BIG), 1),
    ]  # fmt: skip


class Reading:
    """Readers who ask for everything in turn until told to stop, and what they saw."""

    def __init__(self, served: Served, readers: int, id: str) -> None:
        self.stop = threading.Event()
        self.seen: list[tuple[str, int, frozenset[str], int]] = []  # what, release, marks, how many
        self.broken: list[tuple[str, int, str]] = []
        self.clients = [served.client(port=served.ports[n % len(served.ports)]) for n in range(readers)]
        self._asks = asks(id)

    def run(self, number: int) -> None:
        client = self.clients[number]
        turn = number
        pause = size("pause_ms", 0) / 1000
        self.stop.wait(pause * number / len(self.clients))  # not all at the same moment
        while not self.stop.wait(pause):
            what, ask, _ = self._asks[turn % len(self._asks)]
            turn += 1
            answer = ask(client)
            if answer.status != (422 if what == "refusal" else 200):
                self.broken.append((what, answer.status, answer.text[:300]))
                continue
            marks = MARK.findall(answer.text)
            self.seen.append((what, answer.release, frozenset(marks), len(marks)))
        client.close()

    def until_seen(self, before: int, release: int | None = None) -> None:
        """Wait until as many answers as there are readers have come since ``before``, all of ``release``."""

        def seen() -> bool:
            new = [each for each in self.seen[before:] if release is None or each[1] == release]
            return len(new) >= len(self.clients) or bool(self.broken)

        until(seen, "the readers ask no more")

    def during(self, work: Callable[[], None]) -> float:
        """Run the readers while ``work`` runs; the readers' 99th percentile in milliseconds."""
        for each in self.clients:
            each.took.clear()

        def lead() -> None:
            try:
                work()
            finally:
                self.stop.set()

        self.stop.clear()
        together(lead, *(lambda n=n: self.run(n) for n in range(len(self.clients))))
        return percentile(took for each in self.clients for took in each.took)


def test_readers_see_one_release_at_a_time(served: Served) -> None:
    readers, publishes = size("readers", 12), size("publishes", 6)
    admin = served.client()
    words = {served.publish(*marked(0), client=admin): "0"}
    made = admin.send("POST", "/objects/lot/records", {"name": "one", "size": 1, "stage": "open"})
    reading = Reading(served, readers, made.json["id"])
    reading.during(lambda: reading.until_seen(0))  # connected, and everything compiled

    def nothing() -> None:
        reading.until_seen(len(reading.seen))
        time.sleep(size("quiet_seconds", 0))

    quiet = reading.during(nothing)

    def publish() -> None:
        for n in range(1, publishes + 1):
            gone = [{"kind": "field", "name": f"lot.at_{n - 1}"}]
            before = len(reading.seen)
            release = served.publish(*marked(n), delete=gone, client=admin)
            words[release] = str(n)
            reading.until_seen(before, release)
            time.sleep(size("pause_ms", 0) / 1000)

    busy = reading.during(publish)
    assert reading.broken == []
    least = {what: few for what, _, few in asks("")}
    mixed = [each for each in reading.seen if each[2] != {words[each[1]]} or each[3] < least[each[0]]]
    assert mixed == []
    assert {release for _, release, _, _ in reading.seen} == set(words)
    assert {what for what, *_ in reading.seen} == set(least)
    tell(promise="R14", on=served.dialect, readers=readers, publishes=publishes, responses=len(reading.seen),
         mixed=0, p99_quiet=round(quiet), p99_while_publishing=round(busy))  # fmt: skip


def test_of_several_publishers_one_wins_each_release(served: Served) -> None:
    publishers, wins = size("publishers", 4), size("wins", 12)
    admin = served.client()
    served.publish(*an_object("stock", n0="text"), client=admin)
    start = _count(admin)
    won: list[tuple[int, int, str]] = []  # the release looked at, the one made, the field in it
    lost: Counter[str] = Counter()
    diffs: list[dict[str, Any]] = []
    lock = threading.Lock()
    for n in range(publishers):
        if f"publisher{n}" not in served.people:
            served.person(f"publisher{n}", "administrator")

    def work(n: int) -> None:
        client = served.client(f"publisher{n}", served.ports[n % len(served.ports)])
        turn = 0
        while len(won) < wins:
            turn += 1
            draft = client.send("DELETE", "/metadata/draft")
            assert draft.status == 204, draft.text
            field = f"p{n}_{turn}"
            # One more in the label that everybody changes, and a field that nobody else makes.
            seen = client.send("GET", "/metadata/draft/object/stock")
            body = {**seen.json, "label": {"en": f"Stock {int(seen.json['label']['en'].split()[-1]) + 1}"
                    if seen.json["label"]["en"] != "Stock" else "Stock 1"}}  # fmt: skip
            put = [body, document("field", f"stock.{field}", type="text")]
            changed = client.send("PATCH", "/metadata/draft", {"put": put})
            assert changed.status in (200, 409), changed.text
            if changed.status == 409:
                lost[changed.code] += 1
                continue
            base = changed.json["release"]
            answer = client.send("POST", "/metadata/publish", {"expected_release": seen.release})
            with lock:
                if answer.status == 200:
                    won.append((seen.release, answer.json["release"], field))
                    continue
            assert answer.status == 409, answer.text
            lost[answer.code] += 1
            if answer.code == "draft.clash":
                diffs.append(
                    {"clash": answer.json["faults"], "draft": client.send("GET", "/metadata/draft").json}
                )
            assert base >= seen.release
        client.close()

    together(*(lambda n=n: work(n) for n in range(publishers)))
    bases = [base for base, _, _ in won]
    assert len(set(bases)) == len(bases) and all(made == base + 1 for base, made, _ in won)
    assert _count(admin) == start + len(won), "an edit of the label was lost"
    there = {each["name"] for each in admin.send("GET", "/objects/stock").json["fields"]}
    assert {field for _, _, field in won} == {name for name in there if re.fullmatch(r"p\d+_\d+", name)}
    releases = {each["number"]: each for each in admin.send("GET", "/metadata/releases").json["releases"]}
    for base, made, _ in won[-20:]:
        assert releases[made]["base"] == base
    tell(
        promise="R19",
        on=served.dialect,
        publishers=publishers,
        won=len(won),
        lost=dict(lost),
        diffs=len(diffs),
    )


def test_the_loser_is_told_both_changes(served: Served) -> None:
    """Two drafts of one property: the second publisher gets old, mine and theirs, and nothing is written."""
    admin = served.client()
    first = served.publish(*an_object("clash", size="integer"), client=admin)
    for name in ("ann", "ben"):
        if name not in served.people:
            served.person(name, "administrator")
    ann, ben = served.client("ann"), served.client("ben", served.ports[-1])
    for who, label in ((ann, "Ann's"), (ben, "Ben's")):
        put = [document("field", "clash.size", type="integer", label={"en": label})]
        put[0]["uid"] = admin.send("GET", "/metadata/draft/field/clash.size").json["uid"]
        assert who.send("PATCH", "/metadata/draft", {"put": put}).status == 200
    assert ann.send("POST", "/metadata/publish", {}).json["release"] == first + 1
    refused = ben.send("POST", "/metadata/publish", {})
    assert (refused.status, refused.code) == (409, "draft.clash"), refused.text
    draft = ben.send("GET", "/metadata/draft").json
    assert [(each["kind"], each["name"]) for each in draft["clashes"]] == [("field", "clash.size")]
    assert "/label/en" in draft["clashes"][0]["properties"]
    assert admin.send("GET", "/objects/clash").json["fields"][1]["label"]["en"] == "Ann's"
    assert admin.send("GET", "/metadata/releases").json["current"] == first + 1


def _count(client: Client) -> int:
    label = client.send("GET", "/objects/stock").json["label"]["en"]
    return 0 if label == "Stock" else int(label.split()[-1])


@pytest.fixture(autouse=True)
def _alone(served: Served) -> None:
    """Each test starts without a draft."""
    served.client().send("DELETE", "/metadata/draft")
