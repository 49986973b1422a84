"""``python -m tabwright.worker``: the process that runs jobs, the same as ``tabwright worker``."""

from __future__ import annotations

import sys

from tabwright.cli import main

if __name__ == "__main__":
    main(["worker", *sys.argv[1:]])
