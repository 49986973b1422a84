"""The floor of the page benchmark: the same pages by hand, with Flask, SQLAlchemy Core and Jinja.

No rights, no drafts, no metadata: one query for the token, then the statements that the page's content takes.
Its templates are the product's own pages with blanks (``wide_templates.py``), filled from plain rows, so that
both send the same words in the same HTML. Started by ``benchmarks/serving.py``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import html
import json
import os
import re
import sys
import uuid
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Flask, abort, render_template, request
from markupsafe import Markup, escape

sys.path.insert(0, str(Path(__file__).parent))

import wide  # noqa: E402
from floor import TOKEN, make_engine  # noqa: E402

META = sa.MetaData()
TOKENS = TOKEN.to_metadata(META)
ZONE = ZoneInfo("Asia/Shanghai")
CARDS = 25

_columns: dict[str, Any] = {
    "integer": sa.Integer, "progress": sa.Integer, "rating": sa.Integer, "boolean": sa.Boolean,
    "date": sa.Date, "datetime": sa.DateTime(timezone=True), "lookup": sa.Uuid, "user": sa.Uuid,
    "currency": sa.Numeric(16, 2), "percent": sa.Numeric(5, 2), "decimal": sa.Numeric(12, 3),
}  # fmt: skip


def _named(name: str) -> sa.Table:
    return sa.Table(name, META, sa.Column("id", sa.Uuid, primary_key=True), sa.Column("name", sa.Text))


ACCOUNT, BRAND, PERSON = _named("account"), _named("brand"), _named("person")
MACHINE = sa.Table(
    "machine",
    META,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("rev", sa.Integer, nullable=False),
    *(sa.Column(name, _columns.get(type, sa.Text)) for name, type in wide.TYPES.items() if name != "about"),
    sa.Column("about_kind", sa.Text),
    sa.Column("about", sa.Uuid),
    sa.Column("created_at", sa.DateTime(timezone=True)),
    sa.Column("created_by", sa.Text),
    sa.Column("updated_at", sa.DateTime(timezone=True)),
    sa.Column("updated_by", sa.Text),
    sa.Column("deleted", sa.Boolean, nullable=False, default=False),
)
VISIT = sa.Table(
    "visit",
    META,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("machine", sa.Uuid, index=True),
    sa.Column("name", sa.Text),
    sa.Column("day", sa.Date),
    sa.Column("result", sa.Text),
    sa.Column("amount", sa.Numeric(16, 2)),
)
CHANGE = sa.Table(
    "change",
    META,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("machine", sa.Uuid, index=True),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("who", sa.Text),
    sa.Column("values", sa.Text),  # JSON: field, old, new; [] where the record was made
)
COMMENT = sa.Table(
    "comment",
    META,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("machine", sa.Uuid, index=True),
    sa.Column("parent", sa.Uuid, index=True),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("author", sa.Uuid),
    sa.Column("body", sa.Text),
)
FILE = sa.Table(
    "file", META, sa.Column("id", sa.Uuid, primary_key=True), sa.Column("machine", sa.Uuid, index=True)
)
FAVOURITE = sa.Table(
    "favourite",
    META,
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("href", sa.Text),
    sa.Column("label", sa.Text),
)
NOTICE = sa.Table(
    "notice", META, sa.Column("id", sa.Integer, primary_key=True), sa.Column("read", sa.Boolean)
)

LIVE = MACHINE.c.deleted.is_(False)
# The indexes that the product makes of the list view and of the field by which the board opens, by hand.
_where = {"postgresql_where": LIVE, "sqlite_where": LIVE}
sa.Index("machine_stage_close", MACHINE.c.stage, MACHINE.c.close_date, MACHINE.c.id, **_where)
sa.Index("machine_stage", MACHINE.c.stage, MACHINE.c.id, **_where)

_of_record = (*MACHINE.c, ACCOUNT.c.name.label("account_name"), PERSON.c.name.label("keeper_name"))
_reseller, _about, _brand = ACCOUNT.alias(), ACCOUNT.alias(), BRAND
RECORD = (
    sa.select(
        *_of_record,
        _reseller.c.name.label("reseller_name"),
        sa.func.coalesce(_about.c.name, _brand.c.name).label("about_name"),
    )
    .select_from(
        MACHINE.outerjoin(ACCOUNT, MACHINE.c.account == ACCOUNT.c.id)
        .outerjoin(_reseller, MACHINE.c.reseller == _reseller.c.id)
        .outerjoin(_about, sa.and_(MACHINE.c.about_kind == "account", MACHINE.c.about == _about.c.id))
        .outerjoin(_brand, sa.and_(MACHINE.c.about_kind == "brand", MACHINE.c.about == _brand.c.id))
        .outerjoin(PERSON, MACHINE.c.keeper == PERSON.c.id)
    )
    .where(MACHINE.c.id == sa.bindparam("key"), LIVE)
)
_machine = sa.bindparam("key", type_=sa.Uuid())
VISITS = sa.select(VISIT).where(VISIT.c.machine == _machine).order_by(VISIT.c.day.desc(), VISIT.c.id).limit(5)
VISITED = sa.select(sa.func.count()).select_from(
    sa.select(sa.literal(1)).where(VISIT.c.machine == _machine).limit(1001).subquery()
)
FILES = sa.select(FILE).where(FILE.c.machine == _machine).limit(101)
CHANGES = (
    sa.select(CHANGE)
    .where(CHANGE.c.machine == _machine)
    .order_by(CHANGE.c.at.desc(), CHANGE.c.id.desc())
    .limit(21)
)
_said = sa.select(COMMENT, PERSON.c.name.label("who")).join(PERSON, COMMENT.c.author == PERSON.c.id)
THREADS = (
    _said.where(COMMENT.c.machine == _machine, COMMENT.c.parent.is_(None))
    .order_by(COMMENT.c.at.desc(), COMMENT.c.id.desc())
    .limit(21)
)
ANSWERS = _said.where(COMMENT.c.machine == _machine, COMMENT.c.parent.is_not(None)).order_by(COMMENT.c.at)
COMMENTED = sa.select(sa.func.count()).where(COMMENT.c.machine == _machine)
PEOPLE = sa.select(PERSON.c.id, PERSON.c.name)
FAVOURITES = sa.select(FAVOURITE.c.href, FAVOURITE.c.label).order_by(FAVOURITE.c.place)
UNREAD = sa.select(sa.func.count()).select_from(
    sa.select(sa.literal(1)).where(NOTICE.c.read.is_(False)).limit(100).subquery()
)
VALUE = sa.select(MACHINE.c.id, MACHINE.c.rev, MACHINE.c.amount).where(MACHINE.c.id == _machine, LIVE)


# ---- how values are shown ---------------------------------------------------------------------------

CODES = {"stage": wide.STAGES, "source": wide.SOURCES, "region": wide.SOURCES, "kind": wide.KINDS,
         "state": wide.KINDS, "fittings": wide.FITTINGS, "channels": wide.KINDS,
         "result": wide.RESULTS}  # fmt: skip
CHIPS = {
    field: {
        code: Markup('<span class="tw-chip" data-c="{}">{}</span>').format(
            wide.COLOURS[at % len(wide.COLOURS)], wide.words(code)
        )
        for at, code in enumerate(codes)
    }
    for field, codes in CODES.items()
}
OPTIONS = {field: [(code, wide.words(code)) for code in codes] for field, codes in CODES.items()}
_shades = ("blue", "teal", "green", "lime", "amber", "orange", "red", "pink", "purple")
_link = re.compile(r"https?://[^\s<>\"';，。]+|&lt;@([0-9a-f]{32})&gt;")


def chips(field: str, codes: str) -> Markup:
    known = CHIPS[field]
    return Markup(" ").join([known[code] for code in codes.split(";")])


def percent(value: Decimal) -> str:
    text = f"{value:,f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "%"


def local(value: dt.datetime) -> dt.datetime:
    return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).astimezone(ZONE)


def called(number: str) -> str:
    return f"+86 {number[3:6]} {number[6:10]} {number[10:]}"


@lru_cache(maxsize=4096)
def initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2]).upper()


@lru_cache(maxsize=4096)
def shade(id: uuid.UUID) -> str:
    return _shades[crc32(str(id).encode()) % len(_shades)]


@lru_cache(maxsize=512)
def qr(text: str) -> Markup:
    import segno

    drawn: str = segno.make(text, error="m", micro=False).svg_inline(
        scale=2, border=3, dark="#000", light="#fff", omitsize=True
    )
    return Markup(drawn.replace("<svg ", '<svg role="img" aria-label="QR" ', 1))


def pretty(text: str) -> str:
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False)


def told(body: str, people: dict[str, str]) -> Markup:
    """A comment with its links and with the people it names."""

    def one(found: re.Match[str]) -> str:
        if found[1]:
            return f'<span class="tw-mention">@{escape(people[found[1]])}</span>'
        at = found[0]
        return f'<a href="{at}" target="_blank" rel="noopener noreferrer nofollow">{at}</a>'

    return Markup(_link.sub(one, str(escape(body))))


def changed(field: str, value: Any) -> Any:
    """An old or new value of a change."""
    if field == "stage":
        return CHIPS[field][value]
    if field == "amount":
        return Markup('<span class="tw-num">¥{}</span>').format(f"{Decimal(value):,.2f}")
    return Markup('<span class="tw-num">{}</span>').format(value)


def memory(row: Any) -> str:
    """What the form was opened with, for two people's edits of one record."""
    return json.dumps(row._asdict(), default=str, ensure_ascii=False)


HELPERS = {each.__name__: each for each in (chips, percent, local, called, initials, shade, qr, pretty, told,
                                            changed, memory)}  # fmt: skip


# ---- the pages --------------------------------------------------------------------------------------


def make_app(engine: sa.Engine, templates: str) -> Flask:
    """The hand-written application."""
    app = Flask(__name__, template_folder=templates)
    menus = json.loads((Path(templates) / "menus.json").read_text("utf-8"))
    app.jinja_env.globals.update(HELPERS, CHIPS=CHIPS, OPTIONS=OPTIONS, words=wide.words, **menus)

    def authorised(connection: sa.Connection) -> None:
        secret = request.headers.get("Authorization", "")[7:]
        digest = hashlib.sha256(secret.encode()).hexdigest()
        if connection.execute(sa.select(TOKENS.c.name).where(TOKENS.c.hash == digest)).first() is None:
            abort(401)

    def framed(connection: sa.Connection) -> dict[str, Any]:
        """What the frame of each page says of the person: favourites and unread notices."""
        unread = connection.execute(UNREAD).scalar_one()
        favourites = connection.execute(FAVOURITES).all()
        return {"favourites": favourites, "unread": "99+" if unread > 99 else str(unread), "csrf": csrf()}

    def csrf() -> str:
        return hashlib.sha256(request.headers.get("Authorization", "").encode()).hexdigest() * 3

    @app.get("/machine")
    def page() -> str:
        stage, order = request.args["stage"], request.args.get("order", "-close_date")
        column = MACHINE.c[order.lstrip("-")]
        columns = [MACHINE.c[name] for name in wide.COLUMNS]
        found = MACHINE.c.stage == stage
        statement = (
            sa.select(
                MACHINE.c.id,
                *columns,
                ACCOUNT.c.name.label("account_name"),
                PERSON.c.name.label("keeper_name"),
            )
            .outerjoin(ACCOUNT, MACHINE.c.account == ACCOUNT.c.id)
            .outerjoin(PERSON, MACHINE.c.keeper == PERSON.c.id)
            .where(found, LIVE)
            .order_by(*((each.desc() if order.startswith("-") else each) for each in (column, MACHINE.c.id)))
            .limit(51)
        )
        counted = sa.select(sa.literal(1)).select_from(MACHINE).where(found, LIVE).limit(1001).subquery()
        with engine.connect() as connection:
            authorised(connection)
            rows = connection.execute(statement).all()
            count = connection.execute(sa.select(sa.func.count()).select_from(counted)).scalar_one()
            frame = framed(connection)
        shown = "1,000+" if count > 1000 else f"{count:,}"
        return render_template("list.html", rows=rows[:50], count=shown, stage=stage, order=order, **frame)

    @app.get("/machine/<uuid:key>")
    def record(key: uuid.UUID) -> str:
        with engine.connect() as connection:
            authorised(connection)
            row = connection.execute(RECORD, {"key": key}).first() or abort(404)
            visits = connection.execute(VISITS, {"key": key}).all()
            visited = connection.execute(VISITED, {"key": key}).scalar_one()
            connection.execute(FILES, {"key": key}).all()
            changes = connection.execute(CHANGES, {"key": key}).all()
            threads = connection.execute(THREADS, {"key": key}).all()
            answers = connection.execute(ANSWERS, {"key": key}).all()
            count = connection.execute(COMMENTED, {"key": key}).scalar_one()
            people = {id.hex: name for id, name in connection.execute(PEOPLE).all()}
            frame = framed(connection)
        below: dict[uuid.UUID, list[Any]] = {}
        for each in answers:
            below.setdefault(each.parent, []).append(each)
        items = [*((local(each.at), "comment", each) for each in threads)]
        items += [(local(each.at), "change", (each, json.loads(each.values))) for each in changes]
        items.sort(key=lambda item: item[0], reverse=True)
        days: dict[dt.date, list[Any]] = {}
        for item in items[:20]:
            days.setdefault(item[0].date(), []).append(item)
        return render_template(
            "record.html", row=row, visits=visits, visited=visited, days=days, below=below, people=people,
            count=count, today=dt.datetime.now(ZONE).date(), **frame,
        )  # fmt: skip

    @app.get("/machine/<uuid:key>/edit")
    def form(key: uuid.UUID) -> str:
        with engine.connect() as connection:
            authorised(connection)
            row = connection.execute(RECORD, {"key": key}).first() or abort(404)
            frame = framed(connection)
        return render_template("form.html", row=row, **frame)

    @app.get("/machine/board")
    def board() -> str:
        columns = [
            MACHINE.c[name] for name in ("id", "rev", "name", "amount", "close_date", "account", "keeper")
        ]
        total = sa.func.sum(MACHINE.c.balance)
        lanes = {}
        with engine.connect() as connection:
            authorised(connection)
            grouped = sa.select(MACHINE.c.stage, sa.func.count(), total).where(LIVE).group_by(MACHINE.c.stage)
            counts = {stage: (count, money) for stage, count, money in connection.execute(grouped).all()}
            for stage in wide.STAGES:
                statement = (
                    sa.select(
                        *columns, ACCOUNT.c.name.label("account_name"), PERSON.c.name.label("keeper_name")
                    )
                    .outerjoin(ACCOUNT, MACHINE.c.account == ACCOUNT.c.id)
                    .outerjoin(PERSON, MACHINE.c.keeper == PERSON.c.id)
                    .where(MACHINE.c.stage == stage, LIVE)
                    .order_by(MACHINE.c.id)
                    .limit(CARDS + 1)
                )
                lanes[stage] = connection.execute(statement).all()[:CARDS]
            frame = framed(connection)
        return render_template("board.html", lanes=lanes, counts=counts, **frame)

    @app.get("/machine/<uuid:key>/value")
    def value(key: uuid.UUID) -> str:
        with engine.connect() as connection:
            authorised(connection)
            row = connection.execute(VALUE, {"key": key}).first() or abort(404)
        return render_template("value.html", row=row, csrf=csrf())

    return app


# ---- the same rows ----------------------------------------------------------------------------------


def row_of(values: dict[str, Any], number: str) -> dict[str, Any]:
    """The values of a machine, as the API takes them, as the columns of the floor's table take them."""
    out = {**values, "number": number, "photo": None, "papers": None}
    for name, type in wide.TYPES.items():
        given = out.get(name)
        if type in ("currency", "percent", "decimal"):
            out[name] = Decimal(given)
        elif type == "date":
            out[name] = dt.date.fromisoformat(given)
        elif type == "datetime":
            out[name] = dt.datetime.fromisoformat(given)
        elif type in ("lookup", "user"):
            out[name] = uuid.UUID(given)
        elif type == "multi_picklist":
            out[name] = ";".join(code for code in CODES[name] if code in given)
        elif type == "json":
            out[name] = json.dumps(given, separators=(",", ":"), ensure_ascii=False)
    out["about_kind"], out["about"] = values["about"]["object"], uuid.UUID(values["about"]["id"])
    site, place = values["site"], values["place"]
    # The city is the province; a line of text is what people see of an address.
    out["site"] = f"{site['province']}{site['district']}{site['street']} {site['postal_code']}"
    out["place"] = f"{place['lat']!r}, {place['lng']!r}"
    out["private_phone"] = f"{values['private_phone'][3:6]}****{values['private_phone'][-4:]}"
    out["story"] = values["story"].strip()
    return out


def visit_of(values: dict[str, Any]) -> dict[str, Any]:
    """A visit, as the floor's columns take it."""
    day, amount = dt.date.fromisoformat(values["day"]), Decimal(values["amount"])
    return {**values, "machine": uuid.UUID(values["machine"]), "day": day, "amount": amount}


def change_of(machine: uuid.UUID, at: dt.datetime, who: str, values: list[Any]) -> dict[str, Any]:
    """A change, as the floor keeps it."""
    return {"id": uuid.uuid4(), "machine": machine, "at": at, "who": who, "values": json.dumps(values)}


def plain(page: str) -> list[str]:
    """The words of a page, as a person would read them."""
    body = re.sub(r"<(script|style|template)\b.*?</\1>", " ", page, flags=re.S)
    return html.unescape(re.sub(r"<[^>]+>", " ", body)).split()


def application() -> Flask:
    """What granian calls; the database's address and the templates' folder stand in the environment."""
    return make_app(make_engine(os.environ["FLOOR_URL"]), os.environ["FLOOR_TEMPLATES"])


def main() -> None:
    """Serve as the product does: granian, one process, four threads."""
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    os.environ["FLOOR_URL"], os.environ["FLOOR_TEMPLATES"] = sys.argv[1], sys.argv[2]
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    Server(
        "wide_floor:application", address="127.0.0.1", port=int(sys.argv[3]),
        interface=Interfaces.WSGI, factory=True,
        workers=1, blocking_threads=4, http=HTTPModes.http1, websockets=False, log_level=LogLevels.warning,
    ).serve()  # fmt: skip


if __name__ == "__main__":
    main()
