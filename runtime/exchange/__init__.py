"""Files to records and records to files: CSV, XLSX, JSON."""

from runtime.exchange.exports import export
from runtime.exchange.imports import Preview, Request, begin, import_file, preview, run_import
from runtime.exchange.mapping import Column
from runtime.exchange.source import Unreadable
from runtime.exchange.state import Status, status
from runtime.exchange.undo import Undone, undo_import

__all__ = [
    "Column",
    "Preview",
    "Request",
    "Status",
    "Undone",
    "Unreadable",
    "begin",
    "export",
    "import_file",
    "preview",
    "run_import",
    "status",
    "undo_import",
]
