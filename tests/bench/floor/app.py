"""The floor: what a careful engineer would write by hand for one fixed table.

Flask, SQLAlchemy Core and Jinja, doing the work of the page or call it is compared with: session or token check,
CSRF, the same columns, the label of the link, the total (up to the same cap), and the audit row on a write, in one
transaction.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
import sqlalchemy as sa
from flask import Flask, Response, abort, g, redirect, render_template, request
from sqlalchemy import event

METADATA = sa.MetaData()
KINDS = {"company": "企业", "person": "个人", "agency": "代理", "partner": "伙伴"}

owner = sa.Table(
    "floor_owner",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),
)
# Money and percent as scaled integers: exact on every database, and the fastest choice.
customer = sa.Table(
    "floor_customer",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("code", sa.String(40)),
    sa.Column("kind", sa.String(40)),
    sa.Column("owner_ref", sa.ForeignKey("floor_owner.id")),
    sa.Column("revenue", sa.BigInteger),
    sa.Column("employees", sa.BigInteger),
    sa.Column("discount", sa.BigInteger),
    sa.Column("founded", sa.Date),
    sa.Column("active", sa.Boolean),
    sa.Column("phone", sa.String(40)),
    sa.Column("city", sa.String(60)),
    sa.Column("notes", sa.Text),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Integer, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("deleted_at", sa.BigInteger),
    sa.Index("floor_customer_kind_revenue", "kind", "revenue", "id"),
    sa.Index("floor_customer_revenue", "revenue", "id"),
    sa.Index("floor_customer_owner", "owner_ref"),
    sa.Index("floor_customer_code", "code"),
)
person = sa.Table(
    "floor_user",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
)
session_table = sa.Table(
    "floor_session",
    METADATA,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("floor_user.id"), nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)
audit = sa.Table(
    "floor_audit",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("record_id", sa.Integer, nullable=False),
    sa.Column("operation", sa.String(10), nullable=False),
    sa.Column("changes", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Integer, nullable=False),
)

COLUMNS = ["name", "code", "kind", "owner_ref", "revenue", "employees", "founded", "active", "city"]
STORED = [
    c for c in customer.columns if c.name not in ("created_at", "created_by", "updated_at", "version", "deleted_at")
]


def engine_for(url: str) -> sa.Engine:
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _prepare(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def _begin(connection: sa.Connection) -> None:
            mode = connection.get_execution_options().get("mode", "DEFERRED")
            connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def _now() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


_SESSION = (
    sa.select(session_table.c.user_id, person.c.name)
    .join(person, person.c.id == session_table.c.user_id)
    .where(
        session_table.c.token_hash == sa.bindparam("token"),
        session_table.c.expires_at > sa.bindparam("now"),
        person.c.active.is_(True),
    )
)
_LISTED = [customer.c[n] for n in COLUMNS] + [customer.c.id, owner.c.name.label("owner_name")]
_LIST = (
    sa.select(*_LISTED)
    .join_from(customer, owner, isouter=True)
    .where(customer.c.deleted_at.is_(None), customer.c.kind == sa.bindparam("kind"))
    .order_by(customer.c.revenue.desc(), customer.c.id.desc())
    .limit(50)
)
# Counting further than anybody pages costs more than the page itself: both sides say "more than 1,000".
CAP = 1000
_COUNT = sa.select(sa.func.count()).select_from(
    sa.select(sa.literal_column("1").label("one"))
    .where(customer.c.deleted_at.is_(None), customer.c.kind == sa.bindparam("kind"))
    .limit(CAP + 1)
    .subquery()
)
_ONE = (
    sa.select(*STORED, customer.c.version, owner.c.name.label("owner_name"))
    .join_from(customer, owner, isouter=True)
    .where(customer.c.id == sa.bindparam("id"), customer.c.deleted_at.is_(None))
)


def create_app(url: str, secret: str) -> Flask:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 10_000_000
    engine = engine_for(url)
    write_engine = engine.execution_options(mode="IMMEDIATE")

    def signed(token: str) -> str:
        return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()

    def authenticate(connection: sa.Connection) -> None:
        header = request.headers.get("Authorization", "")
        token = header[7:] if header.startswith("Bearer ") else request.cookies.get("session", "")
        digest = hashlib.sha256(token.encode()).hexdigest()
        row = connection.execute(_SESSION, {"token": digest, "now": _now()}).first()
        if row is None:
            abort(401)
        g.user_id, g.user_name, g.csrf = row.user_id, row.name, signed(token)

    @app.after_request
    def _headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.template_filter("money")
    def _money(value: int | None) -> str:
        return "" if value is None else f"¥{Decimal(value) / 10000:,.2f}"

    @app.get("/customers")
    def page() -> str:
        with engine.begin() as connection:
            authenticate(connection)
            kind = request.args.get("kind", "company")
            rows = connection.execute(_LIST, {"kind": kind}).all()
            count = connection.execute(_COUNT, {"kind": kind}).scalar_one()
        found = f"{count} 条" if count <= CAP else f"超过 {CAP:,} 条"
        return render_template("list.html", rows=rows, found=found, kinds=KINDS, kind=kind, csrf=g.csrf)

    @app.get("/customers/<int:record_id>/edit")
    def form(record_id: int) -> str:
        with engine.begin() as connection:
            authenticate(connection)
            row = connection.execute(_ONE, {"id": record_id}).first()
        if row is None:
            abort(404)
        return render_template("form.html", row=row, kinds=KINDS, csrf=g.csrf, problems={})

    def parse(values: Any) -> tuple[dict[str, Any], dict[str, str]]:
        result: dict[str, Any] = {}
        problems: dict[str, str] = {}

        def take(name: str, convert: Any, limit: int = 0) -> None:
            raw = values.get(name)
            if raw is None or raw == "":
                result[name] = None
                return
            try:
                value = convert(raw)
            except (ValueError, InvalidOperation, TypeError):
                problems[name] = "invalid"
                return
            if limit and len(value) > limit:
                problems[name] = "too long"
                return
            result[name] = value

        def scaled(raw: Any) -> int:
            return int((Decimal(str(raw["amount"] if isinstance(raw, dict) else raw)) * 10000).to_integral_value())

        def choice(raw: str) -> str:
            if raw not in KINDS:
                raise ValueError(raw)
            return raw

        for name, limit in (("name", 120), ("code", 40), ("phone", 40), ("city", 60), ("notes", 100_000)):
            take(name, lambda raw: str(raw).strip(), limit)
        take("kind", choice)
        take("owner_ref", int)
        take("revenue", scaled)
        take("discount", scaled)
        take("employees", int)
        take("founded", lambda raw: date.fromisoformat(str(raw)))
        take("active", lambda raw: raw in (True, "true", "on", "1"))
        if result.get("name") is None:
            problems["name"] = "required"
        return result, problems

    def insert(connection: sa.Connection, values: dict[str, Any]) -> tuple[int | None, dict[str, str]]:
        if values["owner_ref"] is not None:
            found = connection.execute(sa.select(owner.c.id).where(owner.c.id == values["owner_ref"])).first()
            if found is None:
                return None, {"owner_ref": "unknown"}
        now = _now()
        row = values | {"created_at": now, "created_by": g.user_id, "updated_at": now, "version": 1}
        record_id = connection.execute(customer.insert().returning(customer.c.id), row).scalar_one()
        changes = orjson.dumps({k: [None, v] for k, v in values.items() if v is not None}, default=str).decode()
        connection.execute(
            audit.insert(),
            {"record_id": record_id, "operation": "create", "changes": changes, "at": now, "by": g.user_id},
        )
        return record_id, {}

    @app.post("/customers")
    def create() -> Any:
        values, problems = parse(request.form)
        with write_engine.begin() as connection:
            authenticate(connection)
            if not hmac.compare_digest(request.form.get("csrf_token", ""), g.csrf):
                abort(400)
            record_id: int | None = None
            if not problems:
                record_id, problems = insert(connection, values)
        if problems:
            return render_template("form.html", row=None, kinds=KINDS, csrf=g.csrf, problems=problems), 422
        return redirect(f"/customers/{record_id}/edit", 303)

    def as_json(row: Any) -> dict[str, Any]:
        return {
            "id": str(row.id),
            "name": row.name,
            "code": row.code,
            "kind": row.kind,
            "owner_ref": None if row.owner_ref is None else {"id": str(row.owner_ref), "title": row.owner_name},
            "revenue": None
            if row.revenue is None
            else {"amount": str((Decimal(row.revenue) / 10000).quantize(Decimal("0.01"))), "currency": "CNY"},
            "employees": row.employees,
            "founded": row.founded,
            "active": row.active,
            "city": row.city,
        }

    def answer(payload: Any, status: int = 200, **headers: str) -> Response:
        return Response(orjson.dumps(payload), status, headers, mimetype="application/json")

    @app.get("/api/customers")
    def api_list() -> Response:
        with engine.begin() as connection:
            authenticate(connection)
            rows = connection.execute(_LIST, {"kind": request.args.get("kind", "company")}).all()
        last = rows[-1] if rows else None
        cursor = f"{last.revenue}:{last.id}" if last else None
        return answer({"records": [as_json(r) for r in rows], "next": cursor, "count": None})

    @app.get("/api/customers/<int:record_id>")
    def api_get(record_id: int) -> Response:
        with engine.begin() as connection:
            authenticate(connection)
            row = connection.execute(_ONE, {"id": record_id}).first()
        if row is None:
            abort(404)
        body = as_json(row) | {"phone": row.phone, "notes": row.notes, "discount": row.discount}
        return answer(body, ETag=f'"{row.version}"')

    @app.post("/api/customers")
    def api_create() -> Response:
        values, problems = parse(request.get_json())
        with write_engine.begin() as connection:
            authenticate(connection)
            record_id: int | None = None
            row: Any = None
            if not problems:
                record_id, problems = insert(connection, values)
                row = connection.execute(_ONE, {"id": record_id}).first() if record_id else None
        if problems:
            return answer({"problems": problems}, 422)
        return answer(as_json(row), 201, Location=f"/api/customers/{record_id}")

    @app.get("/api/report")
    def report() -> Response:
        statement = (
            sa.select(customer.c.kind, sa.func.count(), sa.func.sum(customer.c.revenue))
            .where(customer.c.deleted_at.is_(None))
            .group_by(customer.c.kind)
            .order_by(customer.c.kind)
        )
        with engine.begin() as connection:
            authenticate(connection)
            rows = connection.execute(statement).all()
        return answer([{"kind": k, "count": n, "revenue": str(Decimal(s or 0) / 10000)} for k, n, s in rows])

    from tests.bench.floor import interaction  # after this module: it uses the statements above

    interaction.add(app, engine, write_engine, authenticate)
    return app


def prepare(url: str, *, source: Any = None) -> str:
    """Create the floor's tables; answer a session token of its one user."""
    engine = engine_for(url)
    METADATA.drop_all(engine)
    METADATA.create_all(engine)
    token = secrets.token_urlsafe(32)
    with engine.begin() as connection:
        connection.execute(person.insert(), {"id": 1, "name": "基准用户", "active": True})
        connection.execute(
            session_table.insert(),
            {"token_hash": hashlib.sha256(token.encode()).hexdigest(), "user_id": 1, "expires_at": _now() + 86_400_000},
        )
    engine.dispose()
    return token


def wsgi() -> Flask:
    """The application as the server's factory; configured by the environment."""
    return create_app(os.environ["FLOOR_DATABASE_URL"], os.environ["FLOOR_SECRET"])
