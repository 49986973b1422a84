"""From the bytes of a request to checked values: strict, with every fault at once and its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import marshmallow as ma
import msgspec

from tabwright.platform.errors import Fault, Malformed, Place
from tabwright.runtime.query.asked import Order

MAX_DEPTH = 64
MAX_TEXT = 20_000  # characters of one query parameter

_decoder = msgspec.json.Decoder(float_hook=Decimal)


def json_body(data: bytes) -> Any:
    """The JSON of a body, numbers with a point as Decimal. Raises Malformed."""
    try:
        value = _decoder.decode(data)
    except RecursionError:
        raise Malformed.of("api.json_too_deep", limit=MAX_DEPTH) from None
    except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError) as error:
        raise Malformed.of("api.json", reason=str(error)[:200]) from None
    _check(value)
    return value


def _check(value: Any) -> None:
    # Without recursion: a body may be deep, and what follows may not be.
    stack = [(value, 1)]
    while stack:
        each, depth = stack.pop()
        if isinstance(each, (dict, list)):
            if depth > MAX_DEPTH:
                raise Malformed.of("api.json_too_deep", limit=MAX_DEPTH)
            inner: Iterable[Any] = each
            if isinstance(each, dict):
                for key in each:
                    _check_text(key)
                inner = each.values()
            stack.extend((part, depth + 1) for part in inner if isinstance(part, (dict, list, str)))
        elif isinstance(each, str):
            _check_text(each)


def _check_text(text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:  # a lone surrogate: no database takes it
            raise Malformed.of("api.text") from None


def query_of(schema: type[ma.Schema] | None, pairs: Iterable[tuple[str, str]]) -> Mapping[str, Any]:
    """The query string checked against its schema. Raises Malformed for unknown, repeated and wrong ones."""
    given: dict[str, str] = {}
    faults = []
    for name, text in pairs:
        if name in given:
            faults.append(Fault("api.parameter_twice", {"name": name[:80]}, Place(field=name[:80])))
        if len(text) > MAX_TEXT:
            faults.append(
                Fault("api.parameter_long", {"name": name[:80], "limit": MAX_TEXT}, Place(field=name[:80]))
            )
        given[name] = text
    if faults:
        raise Malformed(faults)
    if schema is None:
        if given:
            raise Malformed(_unknown(name) for name in given)
        return {}
    if not given:
        return _defaults(schema)
    try:
        return _loader(schema).load(given)  # type: ignore[no-any-return]
    except ma.ValidationError as error:
        raise Malformed(_faults(error.messages, "")) from None


@cache
def _loader(schema: type[ma.Schema]) -> ma.Schema:
    """Made once: a schema copies all of its fields when it is made, which costs more than what it checks."""
    return schema(unknown=ma.RAISE)


_kept: dict[type[ma.Schema], Mapping[str, Any]] = {}


def _defaults(schema: type[ma.Schema]) -> Mapping[str, Any]:
    found = _kept.get(schema)
    if found is None:
        try:
            found = _loader(schema).load({})
        except ma.ValidationError as error:
            raise Malformed(_faults(error.messages, "")) from None
        _kept[schema] = found
    return found


def body_of(schema: type[ma.Schema], body: Any) -> Mapping[str, Any]:
    """A body of fixed shape checked against its schema. Raises Malformed, a JSON pointer for each fault."""
    if not isinstance(body, dict):
        raise Malformed.of("api.not_an_object", Place(pointer=""))
    try:
        return _loader(schema).load(body)  # type: ignore[no-any-return]
    except ma.ValidationError as error:
        raise Malformed(_faults(error.messages, "/")) from None


def _unknown(name: str) -> Fault:
    return Fault("api.parameter_unknown", {"name": name[:80]}, Place(field=name[:80]))


def _faults(messages: Any, slash: str) -> Iterator[Fault]:
    for path, text in _flat(messages):
        pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
        place = Place(pointer=pointer) if slash else Place(field=str(path[0])[:80])
        name = ".".join(str(step) for step in path)[:80]
        if text == "Unknown field.":
            yield Fault("api.parameter_unknown", {"name": name}, place)
        else:
            yield Fault("api.parameter_wrong", {"name": name, "reason": text[:300]}, place)


def _flat(messages: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(messages, dict):
        for step, inner in messages.items():
            yield from _flat(inner, path if step == "_schema" else (*path, step))
    else:
        for text in messages:
            yield path or ("",), str(text)


class Order_(ma.fields.Field[Order]):
    """``order=close_date:desc,name``; in JSON ``[["close_date", "desc"], "name"]``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Order:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list):
            raise ma.ValidationError("Not a list of fields.")
        done: list[tuple[str, Any]] = []
        for part in parts:
            pair = part.split(":") if isinstance(part, str) else part
            if (
                not isinstance(pair, list)
                or not 1 <= len(pair) <= 2
                or not all(isinstance(x, str) for x in pair)
            ):
                raise ma.ValidationError("Write field or field:desc.")
            name, direction = pair[0].strip(), pair[1].strip().lower() if len(pair) == 2 else "asc"
            if not name or direction not in ("asc", "desc"):
                raise ma.ValidationError("Write field or field:desc.")
            done.append((name, direction))
        return tuple(done)


class Names(ma.fields.Field[tuple[str, ...]]):
    """``fields=name,account.name``: names with commas between them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        names = tuple(name.strip() for name in str(value).split(","))
        if not all(names):
            raise ma.ValidationError("A name is empty.")
        return names


class Flag(ma.fields.Field[bool]):
    """``true`` or ``false``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value not in ("true", "false"):
            raise ma.ValidationError("Write true or false.")
        return bool(value == "true")
