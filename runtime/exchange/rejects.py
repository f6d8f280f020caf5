"""The file of refused rows: the original columns, the row's number and the reason, to be corrected and imported."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.exchange import state
from runtime.exchange.batch import said
from runtime.exchange.source import text_of
from runtime.exchange.writers import Sheet, writer_of
from runtime.files.attachments import Use, link_files, storage_of, store_row
from runtime.files.names import safe_name
from runtime.messages import say

if TYPE_CHECKING:
    from runtime.site import Session


def write_rejects(session: Session, import_id: int, row: Mapping[str, Any], settings: Mapping[str, Any]) -> int | None:
    """Writes the refused rows in the kind of file they came in, linked to the import. Its id, None without any."""
    if not state.refused_rows(session, import_id, limit=1):
        return None
    width = len(settings["headers"])
    names = [*settings["headers"], say("import.row", session.language), say("import.reason", session.language)]
    sheet = Sheet(name="rejected", columns=tuple(names), rows=_rows(session, import_id, width))
    kind = settings["kind"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rejected.{kind}"
        writer_of(kind)(sheet, path)
        with path.open("rb") as stream:
            content = storage_of(session.site).put(stream)
    stem = str(row["name"]).rpartition(".")[0] or str(row["name"])
    file_id = store_row(session, content, safe_name(f"{stem}-rejected.{kind}"), MEDIA[kind])
    link_files(session, [Use(state.JOB, import_id, "rejects", file_id)])
    return file_id


MEDIA = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def _rows(session: Session, import_id: int, width: int) -> Iterator[list[Any]]:
    for (number, cells), problems in state.all_refused(session, import_id):
        shown = [text_of(cell) for cell in cells[:width]]
        yield [*shown, *[""] * (width - len(shown)), number, said(problems, session.language)]
