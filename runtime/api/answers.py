"""What an endpoint answers: JSON bytes, a status and headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tabwright.runtime.storage.columns import encode

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. ``body`` is JSON bytes, None where the status has none; of a file, its pieces."""

    status: int = 200
    body: bytes | Iterator[bytes] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    type: str = JSON

    @staticmethod
    def of(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        """A value as JSON: Decimals as numbers digit for digit, ids in hex, moments in UTC."""
        return Answer(status, encode(value), headers or {})
