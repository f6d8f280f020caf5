"""The floor of what a page asks for while somebody works on it: a filter, one field in place, a look-up.

Fragments, as a careful engineer would answer them: the session and CSRF checked, the version guarded and the audit row
written on a change, the row sent back as the list shows it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
import sqlalchemy as sa
from flask import Flask, abort, g, render_template, request

from tests.bench.floor import app as floor

MOST = 20
LABELS = {
    "name": "名称", "code": "编号", "kind": "类型", "owner_ref": "负责人", "revenue": "年营业额", "employees": "员工数",
    "founded": "成立日期", "active": "有效", "city": "城市",
}  # fmt: skip
LIMITS = {"name": 120, "code": 40, "phone": 40, "city": 60}
_WITHIN = (
    floor.customer.c.deleted_at.is_(None),
    floor.customer.c.kind == sa.bindparam("kind"),
    floor.customer.c.revenue >= sa.bindparam("low"),
)
_LIST = (
    sa.select(*floor._LISTED)
    .join_from(floor.customer, floor.owner, isouter=True)
    .where(*_WITHIN)
    .order_by(floor.customer.c.revenue.desc(), floor.customer.c.id.desc())
    .limit(50)
)
_COUNT = sa.select(sa.func.count()).select_from(
    sa.select(sa.literal_column("1").label("one")).where(*_WITHIN).limit(floor.CAP + 1).subquery()
)
_ROW = (
    sa.select(*floor._LISTED)
    .join_from(floor.customer, floor.owner, isouter=True)
    .where(floor.customer.c.id == sa.bindparam("id"), floor.customer.c.deleted_at.is_(None))
)
_FOUND = (
    sa.select(floor.owner.c.id, floor.owner.c.name)
    .where(floor.owner.c.name.like(sa.bindparam("pattern"), escape="\\"))
    .order_by(floor.owner.c.id)
    .limit(MOST)
)


def add(app: Flask, engine: sa.Engine, write_engine: sa.Engine, authenticate: Callable[[sa.Connection], None]) -> None:
    """Adds the fragments to the floor."""

    @app.get("/customers/part")
    def part() -> str:
        kind, low = request.args.get("kind", "company"), request.args.get("from", "")
        try:
            values = {"kind": kind, "low": int(Decimal(low or 0) * 10000)}
        except InvalidOperation:
            abort(400)
        with engine.begin() as connection:
            authenticate(connection)
            rows = connection.execute(_LIST, values).all()
            count = connection.execute(_COUNT, values).scalar_one()
        found = f"{count} 条" if count <= floor.CAP else f"超过 {floor.CAP:,} 条"
        return render_template(
            "part.html", rows=rows, found=found, kinds=floor.KINDS, kind=kind, low=low, labels=LABELS, csrf=g.csrf
        )

    @app.get("/customers/<int:record_id>/cell/<name>")
    def ask(record_id: int, name: str) -> str:
        if name not in LIMITS:
            abort(404)
        with engine.begin() as connection:
            authenticate(connection)
            row = connection.execute(floor._ONE, {"id": record_id}).mappings().first()
        if row is None:
            abort(404)
        return _cell(record_id, name, row[name], row["version"])

    @app.post("/customers/<int:record_id>/cell/<name>")
    def save(record_id: int, name: str) -> Any:
        if name not in LIMITS:
            abort(404)
        value = request.form.get(name, "").strip() or None
        problem = ""
        if value is not None and len(value) > LIMITS[name]:
            problem = "太长"
        elif value is None and name == "name":
            problem = "必填"
        with write_engine.begin() as connection:
            authenticate(connection)
            if not hmac.compare_digest(request.form.get("csrf_token", ""), g.csrf):
                abort(400)
            row = connection.execute(floor._ONE, {"id": record_id}).mappings().first()
            if row is None:
                abort(404)
            given = request.form.get("version", "")
            if given and given != str(row["version"]):
                return _cell(record_id, name, value, row["version"], "已被他人修改", row[name]), 412
            if problem:
                return _cell(record_id, name, value, row["version"], problem), 422
            table, now = floor.customer, floor._now()
            changed = connection.execute(
                sa.update(table)
                .where(table.c.id == record_id, table.c.version == row["version"])
                .values({name: value, "version": row["version"] + 1, "updated_at": now})
            )
            if changed.rowcount != 1:
                abort(409)
            changes = orjson.dumps({name: [row[name], value]}).decode()
            connection.execute(
                floor.audit.insert(),
                {"record_id": record_id, "operation": "update", "changes": changes, "at": now, "by": g.user_id},
            )
            shown = connection.execute(_ROW, {"id": record_id}).one()
        return render_template("row.html", r=shown, kinds=floor.KINDS)

    @app.get("/owners/lookup")
    def lookup() -> str:
        text = request.args.get("q", "").strip()[:100]
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        with engine.begin() as connection:
            authenticate(connection)
            found = connection.execute(_FOUND, {"pattern": f"%{escaped}%"}).all()
        return render_template("options.html", found=found)

    def _cell(record_id: int, name: str, value: Any, version: int, problem: str = "", theirs: Any = None) -> str:
        return render_template(
            "cell.html",
            address=f"/customers/{record_id}/cell/{name}",
            name=name,
            label=LABELS.get(name, name),
            value=value,
            limit=LIMITS[name],
            version=version,
            problem=problem,
            theirs=theirs,
            csrf=g.csrf,
        )
