"""Uploaded files: kept by digest, staged until a record takes them, read with that record's rights."""

from runtime.files.attachments import OpenFile, Use, link_files, open_file, storage_of, sweep, upload
from runtime.files.names import content_disposition, safe_name
from runtime.files.storage import Storage

__all__ = [
    "OpenFile",
    "Storage",
    "Use",
    "content_disposition",
    "link_files",
    "open_file",
    "safe_name",
    "storage_of",
    "sweep",
    "upload",
]
