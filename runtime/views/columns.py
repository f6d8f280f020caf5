"""The columns a person chose for a list, as the address says them, and what there is to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.views.binder import Binder, BoundField

MOST = 40
MOST_FROZEN = 4
FROZEN = "!"
NARROWEST, WIDEST = 40, 1200  # pixels
_NEVER = frozenset({"related", "secret", "lines"})


@dataclass(frozen=True, slots=True)
class ChosenColumn:
    """`width` in pixels; 0 where the browser decides. A frozen one stays in sight while the others scroll."""

    field: BoundField
    width: int = 0
    frozen: bool = False

    def __str__(self) -> str:
        size = f"*{self.width}" if self.width else ""
        return f"{self.field.key}{size}{FROZEN if self.frozen else ''}"


def read_columns(binder: Binder, entity: str, text: str, declared: Sequence[BoundField]) -> tuple[ChosenColumn, ...]:
    """`name*240!,owner.unit,kind` as columns; what is unknown, hidden or cannot stand in a row is left out.

    The number is the width, `!` freezes the column (the first few that ask for it). A declared column keeps its heading
    and its way of being shown.
    """
    known = {column.key: column for column in declared}
    found: dict[str, ChosenColumn] = {}
    for part in text.split(",")[:MOST]:
        key, _, size = part.strip().removesuffix(FROZEN).partition("*")
        frozen = part.strip().endswith(FROZEN) and sum(c.frozen for c in found.values()) < MOST_FROZEN
        if not key or key in found or key.count(".") > 3:
            continue
        column = known.get(key) or _bound(binder, entity, key)
        if column is not None:
            found[key] = ChosenColumn(column, _width(size), frozen)
    return tuple(found.values())


def columns_text(columns: Sequence[ChosenColumn]) -> str:
    return ",".join(map(str, columns))


def candidates(binder: Binder, entity: str) -> list[BoundField]:
    """The entity's own fields that can stand in a row, in declared order, system fields last."""
    fields = binder.app.entities[entity].fields.values()
    ordered = [f for f in fields if not f.system] + [f for f in fields if f.system]
    found = (_bound(binder, entity, f.name) for f in ordered if not f.retired and f.name not in _HIDDEN)
    return [f for f in found if f is not None]


def behind(binder: Binder, entity: str) -> list[tuple[BoundField, list[BoundField]]]:
    """For each link, the fields of the record it leads to, one step away."""
    found = []
    for link in candidates(binder, entity):
        target = link.target
        if link.field.storage != "link" or link.field.system or link.widget in ("file", "image") or target is None:
            continue
        if not binder.can(target, "read"):
            continue
        names = [f.name for f in binder.app.entities[target].fields.values() if not f.system and not f.retired]
        fields = [b for b in (_bound(binder, entity, f"{link.key}.{name}") for name in names) if b is not None]
        if fields:
            found.append((link, fields))
    return found


_HIDDEN = frozenset({"deleted_at", "deleted_by"})


def _bound(binder: Binder, entity: str, key: str) -> BoundField | None:
    found = binder.path(entity, key.split("."))
    if found is None or found.field.storage == "children" or found.widget in _NEVER:
        return None
    return found


def _width(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        return 0
    return min(max(int(text), NARROWEST), WIDEST)
