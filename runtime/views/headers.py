"""The head of a record page: what comes next, how long it lay idle, and where somebody is reached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from runtime.query.select import Query, run
from runtime.views.binder import Binder, BoundChoice
from runtime.views.forms import BoundForm

_NOT_DIALLED = re.compile(r"[^0-9+*#]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """`signal` says how urgent the next action is, `at` when it is due; `idle` counts the days without contact.

    `plan` is the entity a next step is added to, with the field `by` that leads to the record; None where this person
    may not add one.
    """

    signal: BoundChoice | None
    at: Any
    idle: int | None
    is_idle: bool
    plan: str | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """`way` is call or mail; `address` what a link leads to."""

    way: str
    label: str
    text: str
    address: str


def next_fields(binder: Binder, entity: str) -> list[str]:
    """The fields that `next_of` needs, as far as this person may see them."""
    declared = binder.app.entities[entity].next_action
    if declared is None:
        return []
    return [n for n in (declared.signal, declared.at, declared.idle) if n and binder.visible(entity, n)]


def next_of(binder: Binder, entity: str, values: Mapping[str, Any]) -> Next | None:
    """None where the entity says nothing of a next action, or its signal is not for this person."""
    described = binder.app.entities[entity]
    declared = described.next_action
    signal = binder.field(entity, declared.signal) if declared is not None else None
    if declared is None or signal is None:
        return None
    days = values.get(declared.idle) if declared.idle else None
    target = described.fields[declared.plan].entity if declared.plan else None
    by = described.fields[declared.plan].by if declared.plan else None
    may = target is not None and by is not None and binder.can(target, "create") and binder.visible(target, by)
    return Next(
        signal=signal.choice(values.get(declared.signal) or ""),
        at=values.get(declared.at),
        idle=days,
        is_idle=days is not None and days >= declared.idle_after,
        plan=target if may else None,
        by=by or "",
    )


def touches(binder: Binder, form: BoundForm, record_id: int, values: Mapping[str, Any]) -> list[Touch]:
    """Numbers to call and addresses to write to; what lies behind a link is read in one further statement."""
    behind = tuple(f.key for f in form.touch if "." in f.key)
    if behind:
        rows = run(binder.session, Query(entity=form.entity, select=behind, ids=(record_id,), limit=1)).rows
        values = {**values, **(rows[0].values if rows else {})}
    found: dict[str, Touch] = {}
    coercion = binder.coercion()
    for field in form.touch:
        value = values.get(field.key)
        if not value:
            continue
        text = field.type.to_text(value, field.field, coercion)
        call = field.field.type == "phone"
        address = f"tel:{_NOT_DIALLED.sub('', str(value))}" if call else f"mailto:{quote(str(value), safe='@')}"
        found.setdefault(address, Touch(way="call" if call else "mail", label=field.label, text=text, address=address))
    return list(found.values())
