"""A job whose effect can be counted: a row each, and a pause in which its worker may be killed."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from runtime.jobs import job
from runtime.site import Session


@job("test_effect")
def effect(session: Session, payload: Any) -> None:
    table = session.table("currency")
    stamp = {"created_at": session.now, "created_on": session.today, "updated_at": session.now, "version": 1}
    code = chr(65 + payload["number"] // 26) + chr(65 + payload["number"] % 26) + "X"
    session.connection.execute(
        sa.insert(table).values(code=f"{code}{time.time_ns()}", name=str(payload["number"]), **stamp)
    )
    time.sleep(0.01)
