"""Records: the one door through which every channel creates, reads, changes and removes them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runtime.records.form import FormState, evaluate_form
    from runtime.records.past import Event, history, read_at
    from runtime.records.reading import Record, read, read_many
    from runtime.records.remove import delete, purge, restore
    from runtime.records.save import Saved, create, create_many, update, update_many

_PLACES = {
    "form": ("FormState", "evaluate_form"),
    "past": ("Event", "history", "read_at"),
    "reading": ("Record", "read", "read_many"),
    "remove": ("delete", "purge", "restore"),
    "save": ("Saved", "create", "create_many", "update", "update_many"),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Loaded when first asked for: queries use plans of this package, and reading records uses queries."""
    if name not in _MODULES:
        raise AttributeError(name)
    found = getattr(import_module(f"runtime.records.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


__all__ = [
    "Event",
    "FormState",
    "Record",
    "Saved",
    "create",
    "create_many",
    "delete",
    "evaluate_form",
    "history",
    "purge",
    "read",
    "read_at",
    "read_many",
    "restore",
    "update",
    "update_many",
]
