"""Records: the one door through which every channel creates, reads, changes and removes them."""

from runtime.records.form import FormState, evaluate_form
from runtime.records.history import Event, history, read_at
from runtime.records.read import Record, read, read_many
from runtime.records.remove import delete, purge, restore
from runtime.records.save import Saved, create, create_many, update, update_many

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
