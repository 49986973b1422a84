"""Waiting for something to be so. Nothing is told by the time that it took: a busy machine is no fault."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

PATIENCE = 120  # seconds after which a test that waits is taken to hang


def until(holds: Callable[[], bool], what: str, process: subprocess.Popen[bytes] | None = None) -> None:
    """Come back when ``holds`` is true; fails when ``process`` has ended by then, or after a long time."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert process is None or process.poll() is None, f"{what}: the process ended"
        assert time.monotonic() < end, what
        time.sleep(0.002)
