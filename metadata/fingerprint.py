"""Two fingerprints of an application: of what is stored (a change needs a plan) and of all the rest (only caches)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from metadata.model import Application, Entity, Field
from rules.expression import Expression

_STORED = (
    "type", "storage", "column", "required", "unique", "computed", "keep", "sort_key", "translated", "tracked",
    "retired", "max", "scale", "digits", "to", "on_delete", "options", "entity", "by", "through", "was",
)  # fmt: skip


def storage_fingerprint(application: Application) -> str:
    """Changes exactly when tables, columns, indexes, constraints or stored values may have to."""
    return _digest([_entity(e) for e in application.entities.values()])


def display_fingerprint(application: Application) -> str:
    """Changes when anything that people see or that decides changes."""
    parts = [getattr(application, f.name) for f in fields(application) if not f.name.endswith("fingerprint")]
    return _digest([plain(part) for part in parts])


def _entity(entity: Entity) -> Any:
    whole: dict[str, Any] = {
        "name": entity.name,
        "table": entity.table,
        "unique": entity.unique,
        "indexes": entity.indexes,
    }
    whole |= {"parent": entity.parent, "currency": entity.currency, "history": entity.history, "was": entity.was}
    return plain({**whole, "retired": entity.retired, "fields": [_field(f) for f in entity.fields.values()]})


def _field(field: Field) -> Any:
    formula = field.formula.text if field.formula is not None and field.computed == "stored" else None
    return {"name": field.name, "formula": formula, **{key: getattr(field, key) for key in _STORED}}


def plain(value: Any) -> Any:
    """Model objects as lists of plain values, without the places they were declared at."""
    if isinstance(value, Expression):
        return value.text
    if is_dataclass(value) and not isinstance(value, type):
        return [(f.name, plain(getattr(value, f.name))) for f in fields(value) if f.name != "origin"]
    if isinstance(value, Mapping):
        return [(k, plain(v)) for k, v in value.items()]
    if isinstance(value, frozenset | set):
        return sorted(map(str, value))
    return [plain(v) for v in value] if isinstance(value, tuple | list) else value


def _digest(value: Any) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "backslashreplace")).hexdigest()[:32]
