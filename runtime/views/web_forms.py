"""A form for people outside as a page shows it: its fields, what was typed, what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from metadata.models.web_form import WebField, WebForm
from runtime.query.select import Query, run
from runtime.views.binder import Binder, BoundChoice, BoundField
from runtime.views.forms import Input, read_one

if TYPE_CHECKING:
    from runtime.site import Session

MOST_CHOICES = 200  # records a field offers
_WIDE = frozenset({"textarea", "checkboxes"})


def fields_of(guest: Session, form: WebForm) -> dict[str, BoundField]:
    """The fields to fill in, by name, as the form words them. A link offers the records its role may read."""
    binder = Binder(guest)
    found = {}
    for declared in form.fields:
        bound = binder.field(form.entity, declared.field)
        if bound is not None and not bound.readonly:
            found[declared.field] = _worded(binder, bound, declared, guest.language)
    return found


def _worded(binder: Binder, bound: BoundField, declared: WebField, language: str) -> BoundField:
    said = {key: text.of(language) for key in ("label", "help", "placeholder") if (text := getattr(declared, key))}
    span = 2 if bound.widget in _WIDE else 1
    # of no entity: what pages offer those who work here with its records is not for people outside
    more: dict[str, Any] = {**said, "entity": "", "span": span, "required": bound.required or declared.required}
    if bound.field.storage == "link" and bound.target:
        more |= {"widget": "select", "choices": _records(binder, bound), "target": None}
    return replace(bound, **more)


def _records(binder: Binder, bound: BoundField) -> tuple[BoundChoice, ...]:
    """The records that may be picked; what depends on the rest of the form is judged when it is sent."""
    target = bound.target or ""
    described = binder.app.entities[target]
    if not binder.can(target, "read") or not binder.visible(target, described.title):
        return ()
    where = bound.field.where
    rules = () if where is None or bound.depends else (where,)
    query = Query(entity=target, select=(described.title,), rules=rules, limit=MOST_CHOICES)
    rows = run(binder.session, query).rows
    return tuple(BoundChoice(name=str(row.id), label=str(row.values[described.title] or f"#{row.id}")) for row in rows)


def crowded(fields: Mapping[str, BoundField]) -> list[str]:
    """Labels of the fields that do not offer all there is to pick."""
    return [f.label for f in fields.values() if f.field.storage == "link" and len(f.choices) >= MOST_CHOICES]


def typed(form: WebForm, fields: Mapping[str, BoundField], given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What was sent, by name: fields as their widgets read them, everything else as it came."""
    known = {name: read_one(bound, given[name]) for name, bound in fields.items() if name in given}
    return {**{name: texts[-1] if texts else "" for name, texts in given.items()}, **known}


def inputs(
    form: WebForm, fields: Mapping[str, BoundField], values: Mapping[str, Any], problems: Mapping[str, list[str]]
) -> list[Input]:
    """The fields filled with what was typed, each with its problems; a new form has the fields' plain defaults."""
    made = []
    for name, bound in fields.items():
        raw = values.get(name) if values else _default(bound)
        one = Input(field=bound, name=name, raw=raw, value=raw, required=bound.required)
        one.problems = list(problems.get(name, ()))
        made.append(one)
    return made


def _default(bound: BoundField) -> Any:
    plain = bound.field.default
    return plain if isinstance(plain, str) and bound.widget == "select" else None
