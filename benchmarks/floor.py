"""The floor: what a careful person would write by hand for one table, with Flask and SQLAlchemy Core.

No rights, no validation, no journal, no search: one query for the token, one for the work. It stands on the
same server, data, indexes, pragmas and synchronous level as the product, so that a ratio means something.
Started by ``benchmarks/serving.py``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import sys
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from flask import Flask, Response, abort, render_template_string, request

META = sa.MetaData()
TOKEN = sa.Table(
    "token", META, sa.Column("hash", sa.String(64), primary_key=True), sa.Column("name", sa.Text)
)
DEAL = sa.Table(
    "deal",
    META,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("rev", sa.Integer, nullable=False),
    sa.Column("owner_id", sa.Uuid),
    sa.Column("name", sa.Text),
    sa.Column("company", sa.Text),
    sa.Column("stage", sa.Text),
    sa.Column("amount", sa.Numeric(16, 2)),
    sa.Column("discount", sa.Numeric(5, 2)),
    sa.Column("quantity", sa.Integer),
    sa.Column("close_date", sa.Date),
    sa.Column("met_at", sa.DateTime(timezone=True)),
    sa.Column("active", sa.Boolean),
    sa.Column("email", sa.Text),
    sa.Column("notes", sa.Text),
    sa.Column("account", sa.Uuid),
    sa.Column("created_at", sa.DateTime(timezone=True)),
    sa.Column("updated_at", sa.DateTime(timezone=True)),
    sa.Column("deleted", sa.Boolean, nullable=False, default=False),
)
ACCOUNT = sa.Table("account", META, sa.Column("id", sa.Uuid, primary_key=True), sa.Column("name", sa.Text))
SHEET = sa.Table(
    "sheet",
    META,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("rev", sa.Integer, nullable=False),
    *(sa.Column(f"t{n}", sa.Text) for n in range(12)),
    *(sa.Column(f"n{n}", sa.Numeric(16, 2)) for n in range(8)),
    *(sa.Column(f"d{n}", sa.Date) for n in range(4)),
    *(sa.Column(f"p{n}", sa.Text) for n in range(4)),
    *(sa.Column(f"b{n}", sa.Boolean) for n in range(2)),
)
LIVE = DEAL.c.deleted.is_(False)
# The two indexes that the product makes from the benchmark's list view, made here by hand.
sa.Index(
    "deal_stage_close", DEAL.c.stage, DEAL.c.close_date, DEAL.c.id, postgresql_where=LIVE, sqlite_where=LIVE
)
sa.Index("deal_amount", DEAL.c.amount, DEAL.c.id, postgresql_where=LIVE, sqlite_where=LIVE)

SHOWN = [column for column in DEAL.c if column.name not in ("deleted",)]
CHOICES = [f"choice {n}" for n in range(6)]

FORM = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Edit</title></head><body><main>
<form method="post"><h1>{{ row.t0 }}</h1>
{% for name, value, kind in fields %}<div class="row"><label for="{{ name }}">{{ name }}</label>
{% if kind == "choice" %}<select id="{{ name }}" name="{{ name }}">{% for choice in choices %}
<option value="{{ choice }}"{% if choice == value %} selected{% endif %}>{{ choice }}</option>
{% endfor %}</select>
{% elif kind == "check" %}
<input type="checkbox" id="{{ name }}" name="{{ name }}"{% if value %} checked{% endif %}>
{% else %}
<input type="{{ kind }}" id="{{ name }}" name="{{ name }}" value="{{ value if value is not none }}">
{% endif %}</div>
{% endfor %}<button>Save</button></form></main></body></html>"""
KINDS = {"t": "text", "n": "number", "d": "date", "p": "choice", "b": "check"}


def make_engine(url: str) -> sa.Engine:
    """An engine with the product's pragmas."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def _(connection: Any, _: Any) -> None:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "cache_size=-2000"):
                connection.execute(f"PRAGMA {pragma}")

    return engine


def make_app(engine: sa.Engine) -> Flask:
    """The hand-written application."""
    app = Flask(__name__)
    encode = msgspec.json.Encoder().encode

    def authorised(connection: sa.Connection) -> None:
        secret = request.headers.get("Authorization", "")[7:]
        found = connection.execute(
            sa.select(TOKEN.c.name).where(TOKEN.c.hash == hashlib.sha256(secret.encode()).hexdigest())
        ).first()
        if found is None:
            abort(401)

    def answer(value: Any, status: int = 200) -> Response:
        return Response(encode(value), status, content_type="application/json")

    @app.get("/deal/<uuid:key>")
    def read(key: uuid.UUID) -> Response:
        with engine.connect() as connection:
            authorised(connection)
            row = connection.execute(sa.select(*SHOWN).where(DEAL.c.id == key, LIVE)).first()
        return answer(dict(row._mapping)) if row else abort(404)

    @app.get("/deal")
    def page() -> Response:
        statement = sa.select(*SHOWN).where(DEAL.c.stage == request.args["stage"], LIVE)
        if after := request.args.get("after"):
            date, key = after.split(",")
            statement = statement.where(
                sa.tuple_(DEAL.c.close_date, DEAL.c.id)
                < sa.tuple_(dt.date.fromisoformat(date), uuid.UUID(key))
            )
        statement = statement.order_by(DEAL.c.close_date.desc(), DEAL.c.id.desc()).limit(50)
        with engine.connect() as connection:
            authorised(connection)
            rows = connection.execute(statement).all()
        return answer([dict(row._mapping) for row in rows])

    @app.patch("/deal/<uuid:key>")
    def update(key: uuid.UUID) -> Response:
        values = msgspec.json.decode(request.get_data())
        if "amount" in values:
            values["amount"] = Decimal(str(values["amount"]))
        with engine.begin() as connection:
            authorised(connection)
            row = connection.execute(
                sa.update(DEAL)
                .where(DEAL.c.id == key, LIVE)
                .values(**values, rev=DEAL.c.rev + 1, updated_at=dt.datetime.now(dt.UTC))
                .returning(*SHOWN)
            ).first()
        return answer(dict(row._mapping)) if row else abort(404)

    @app.post("/deal")
    def create() -> Response:
        values = typed(msgspec.json.decode(request.get_data()))
        now = dt.datetime.now(dt.UTC)
        row = {**values, "id": uuid.uuid4(), "rev": 1, "created_at": now, "updated_at": now, "deleted": False}
        with engine.begin() as connection:
            authorised(connection)
            connection.execute(sa.insert(DEAL).values(**row))
        return answer(row, 201)

    @app.get("/deal/sum")
    def aggregate() -> Response:
        statement = (
            sa.select(DEAL.c.stage, sa.func.count(), sa.func.sum(DEAL.c.amount))
            .where(LIVE)
            .group_by(DEAL.c.stage)
        )
        with engine.connect() as connection:
            authorised(connection)
            rows = connection.execute(statement).all()
        return answer([{"stage": stage, "count": count, "sum": total} for stage, count, total in rows])

    @app.get("/sheet/<uuid:key>/edit")
    def form(key: uuid.UUID) -> str:
        with engine.connect() as connection:
            authorised(connection)
            row = connection.execute(sa.select(SHEET).where(SHEET.c.id == key)).first()
        if row is None:
            abort(404)
        fields = [
            (name, value, KINDS[name[0]]) for name, value in row._mapping.items() if name not in ("id", "rev")
        ]
        return render_template_string(FORM, row=row, fields=fields, choices=CHOICES)

    return app


def typed(values: dict[str, Any]) -> dict[str, Any]:
    """The JSON-like values of a deal or a sheet as the columns take them."""
    out = dict(values)
    for name, value in values.items():
        kind = SHEET.c[name].type if name in SHEET.c else DEAL.c[name].type
        if isinstance(kind, sa.Numeric):
            out[name] = Decimal(value)
        elif isinstance(kind, sa.Date):
            out[name] = dt.date.fromisoformat(value)
        elif isinstance(kind, sa.DateTime):
            out[name] = dt.datetime.fromisoformat(value)
        elif isinstance(kind, sa.Uuid):
            out[name] = uuid.UUID(value)
    return out


def application() -> Flask:
    """What granian calls; the database's address stands in the environment."""
    return make_app(make_engine(os.environ["FLOOR_URL"]))


def main() -> None:
    """Serve as the product does: granian, one process, four threads."""
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    os.environ["FLOOR_URL"] = sys.argv[1]
    sys.path.insert(0, str(Path(__file__).parent))
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    Server(
        "floor:application", address="127.0.0.1", port=int(sys.argv[2]),
        interface=Interfaces.WSGI, factory=True,
        workers=1, blocking_threads=4, http=HTTPModes.http1, websockets=False, log_level=LogLevels.warning,
    ).serve()  # fmt: skip


if __name__ == "__main__":
    main()
