"""One record for people: what a page shows of it, and what a form holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from metadata.fields.base import Coercion
from runtime.digits import number_in
from runtime.views.binder import Binder, BoundField
from runtime.views.forms import BoundForm, Input

MOST_LINES = 500


def currency_of(binder: Binder, entity: str, values: Mapping[str, Any]) -> str | None:
    """The currency the record's amounts are in, None for the site's."""
    name = binder.app.entities[entity].currency
    return values.get(name) if name else None


def title_of(binder: Binder, entity: str, record: Any) -> str:
    """What a record is called: its title field, else its number."""
    described = binder.app.entities[entity]
    field = described.field(described.title)
    if field is None or described.title == "id":
        return f"{described.label.of(binder.language)} #{record.id}"
    value = record.values.get(described.title)
    if field.storage == "link":
        value = record.titles.get(described.title)
    return str(value) if value not in (None, "") else f"{described.label.of(binder.language)} #{record.id}"


def inputs(
    binder: Binder,
    form: BoundForm,
    values: Mapping[str, Any],
    titles: Mapping[str, Any],
    *,
    raw: Mapping[str, Any] | None = None,
    state: Any = None,
    problems: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Input]:
    """The inputs of a form, by field name.

    `raw` are texts as submitted, which win over `values`; `state` is what the rules say of the record as it stands;
    `problems` maps a field's name, or a path into its lines, to sentences.
    """
    coercion = binder.coercion(currency_of(binder, form.entity, values))
    found = {}
    for name, bound in form.fields.items():
        given = (raw or {}).get(name) if raw is not None and name in raw else _ABSENT
        made = _input(bound, name, values.get(name), titles.get(name), given, coercion)
        if bound.widget == "lines":
            _lines(made, bound, values.get(name) or (), given, coercion, problems or {})
        made.problems = list((problems or {}).get(name, ()))
        _apply_state(made, state)
        found[name] = made
    return found


_ABSENT: Any = object()


def plain_line(line: Any, *, with_id: bool = True) -> dict[str, Any]:
    """A line as a mapping of its values, whether it comes as a record or as a mapping; its titles under `titles`."""
    if isinstance(line, Mapping):
        return {k: v for k, v in line.items() if with_id or k not in ("id", "version")}
    head = {"id": line.id} if with_id else {}
    return {**head, **{k: v for k, v in line.values.items() if k != "id"}, "titles": line.titles}


def _input(bound: BoundField, name: str, value: Any, title: Any, given: Any, coercion: Coercion) -> Input:
    made = Input(field=bound, name=name, value=value, title=title, required=bound.required, readonly=bound.readonly)
    if given is not _ABSENT and bound.widget != "lines":
        made.raw = given
        made.value = given
    elif bound.widget == "lines":
        made.raw = value
    elif bound.field.storage in ("links", "choices"):
        made.raw = [str(v) for v in value or ()]
    elif value is not None:
        made.raw = bound.type.to_input(value, bound.field, coercion)
    return made


def _lines(
    made: Input,
    bound: BoundField,
    lines: Sequence[Mapping[str, Any]],
    given: Any,
    coercion: Coercion,
    problems: Mapping[str, Sequence[str]],
) -> None:
    lines = [plain_line(line) for line in lines]
    rows = lines if given is _ABSENT else given
    sent: Mapping[str, Mapping[int, str]] = made.title if isinstance(made.title, Mapping) else {}
    by_id = {str(line.get("id")): line for line in lines}
    for number, line in enumerate(list(rows)[:MOST_LINES]):
        stored = by_id.get(str(line.get("id")), {}) if given is not _ABSENT else line
        titles = stored.get("titles") or {}
        cells = []
        for member in bound.members:
            key = f"{bound.name}.{number}.{member.name}"
            raw = line.get(member.name) if given is not _ABSENT and member.name in line else _ABSENT
            title = titles.get(member.name)
            if raw is not _ABSENT and member.name in sent:
                title = sent[member.name].get(number_in(raw) or 0)
            cell = _input(member, key, stored.get(member.name), title, raw, coercion)
            cell.problems = list(problems.get(key, ()))
            cells.append(cell)
        made.rows.append(cells)
        made.row_ids.append(str(line.get("id") or ""))
    made.blank = [
        _input(m, f"{bound.name}.__i__.{m.name}", m.field.default if _plain(m) else None, None, _ABSENT, coercion)
        for m in bound.members
    ]


def _plain(member: BoundField) -> bool:
    """Whether the declared default is a value, not a rule."""
    return member.field.default is not None and not hasattr(member.field.default, "tree")


def _apply_state(made: Input, state: Any) -> None:
    if state is None:
        return
    name = made.name
    made.visible = _says(state.visible, name, True)
    made.required = _says(state.required, name, made.required)
    made.readonly = made.readonly or _says(state.readonly, name, False)
    why = getattr(state, "why", None) or {}
    made.why = why.get(name)


def _says(told: Any, name: str, otherwise: bool) -> bool:
    """The state tells of a field either as a mapping to a truth value or as a set of names."""
    if isinstance(told, Mapping):
        return bool(told.get(name, otherwise))
    return name in told if told is not None else otherwise
