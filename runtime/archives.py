"""Archives that people bring: looked at as a whole before a single member is written."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

from runtime.errors import Conflict

MOST_MEMBERS = 10_000
MOST_RATIO = 100  # unpacked to packed, of members large enough to matter
LARGE = 1_000_000  # bytes


def check_members(archive: zipfile.ZipFile, *, most_bytes: int | None = None) -> None:
    """Raises `Conflict` naming the first member that leads outside, is a link, is there twice or in two spellings.

    With `most_bytes` also for an archive that unpacks to more than that or was packed to swell.
    """
    members = archive.infolist()
    if most_bytes is not None and len(members) > MOST_MEMBERS:
        raise Conflict("archive.too_many", most=MOST_MEMBERS)
    seen: set[str] = set()
    total = 0
    for member in members:
        name = member.filename
        if _outside(member):
            raise Conflict("archive.outside", name=name[:200])
        if stat.S_ISLNK(member.external_attr >> 16):
            raise Conflict("archive.link", name=name[:200])
        key = name.rstrip("/").casefold()
        if key in seen:
            raise Conflict("archive.twice", name=name[:200])
        seen.add(key)
        total += member.file_size
        swelling = member.file_size > LARGE and member.file_size > MOST_RATIO * max(1, member.compress_size)
        if most_bytes is not None and (swelling or total > most_bytes):
            raise Conflict("archive.too_big", name=name[:200])


def _outside(member: zipfile.ZipInfo) -> bool:
    """Absolute, with a drive, a backslash, a NUL, or climbing. `orig_filename` is what the file says itself."""
    said = member.orig_filename
    parts = said.replace("\\", "/").split("/")
    return bool("\\" in said or "\x00" in said or ":" in parts[0] or said.startswith("/") or ".." in parts)


def extract(archive: zipfile.ZipFile, target: Path) -> None:
    """Writes all members below `target`, files only the owner may read."""
    for member in archive.infolist():
        path = Path(archive.extract(member, target))
        if path.is_file():
            path.chmod(0o600)
