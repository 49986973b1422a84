"""How long signing in and asking for a new password take for addresses that exist and that do not (R59).

    python tests/rel/enumeration.py [tries]

Prints the medians and their difference in milliseconds; the bar is 5 ms over 2,000 tries. It asserts nothing:
a busy machine would fail it. The suite compares the work and the answers instead
(tests/journeys/test_attacks_signin.py, tests/platform/test_signin.py).
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from pagesite import HTML, PageSite, make_pages
from tabwright.platform.identities import usual_hasher
from tabwright.platform.mail import Letter
from tabwright.platform.settings import Limits


class Nowhere:
    """A post that drops its letters."""

    def send(self, letter: Letter) -> None:
        """Nothing."""


def times(pages: PageSite, path: str, tries: int) -> dict[str, float]:
    """The median of each kind of address in milliseconds, and the difference."""
    found: dict[str, list[float]] = {"known": [], "unknown": []}
    client = pages.app.test_client()
    page = client.get(path, headers=HTML).text
    token = re.search(r'name="_csrf" value="([^"]+)"', page)
    assert token is not None
    for n in range(tries):
        for kind in ("known", "unknown") if n % 2 else ("unknown", "known"):
            data = {"_csrf": token[1], "address": f"{kind}@example.com", "password": "not this one"}
            began = time.perf_counter()
            answer = client.post(
                path, data=data, headers=HTML, environ_base={"REMOTE_ADDR": f"10.0.{n % 250}.1"}
            )
            found[kind].append((time.perf_counter() - began) * 1000)
            answer.close()  # what is left to do then nobody waits for
            assert answer.status_code in (200, 401), answer.status_code
    medians = {kind: round(statistics.median(each), 3) for kind, each in found.items()}
    return {**medians, "difference": round(abs(medians["known"] - medians["unknown"]), 3)}


def main() -> None:
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    many = 10**9
    limits = replace(Limits(), sign_ins_per_minute=many, lock_failures=many, lock_everywhere_failures=many)
    with (
        tempfile.TemporaryDirectory() as folder,
        make_pages(
            "sqlite", Path(folder), post=Nowhere(), base_url="https://crm.example.com", limits=limits
        ) as pages,
    ):
        pages.person("known", "standard_user")
        pages.site.identities._hasher = usual_hasher()  # what it costs in earnest
        for path in ("/sign-in", "/forgot"):
            print(json.dumps({"path": path, "tries": tries, **times(pages, path, tries)}), flush=True)


if __name__ == "__main__":
    main()
