"""Where contents are kept: by their SHA-256 digest, below one folder (or bucket) of the site, each once."""

from __future__ import annotations

import errno
import hashlib
import logging
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from runtime.errors import Conflict, DiskFull, NotFound, TooBig
from runtime.files.sniff import HEAD

CHUNK = 1 << 20
DEFAULT_MOST = 100 * CHUNK
_log = logging.getLogger("octavo.files")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What was put: its digest, its size in bytes, and its first bytes."""

    digest: str
    size: int
    head: bytes


class Storage:
    """Contents by digest. `url` is a folder or what fsspec understands (`s3://…` with the extra installed)."""

    def __init__(self, url: str) -> None:
        import fsspec  # late: most requests touch no file
        from fsspec.implementations.dirfs import DirFileSystem

        inner, root = fsspec.core.url_to_fs(url)
        self.files = DirFileSystem(path=root, fs=inner)

    def put(self, stream: BinaryIO, *, most: int = DEFAULT_MOST) -> Content:
        """Keeps what `stream` holds. Raises `TooBig` beyond `most` bytes and `DiskFull`; nothing half-written stays."""
        temporary = f"incoming/{secrets.token_hex(16)}"
        try:
            self.files.makedirs("incoming", exist_ok=True)
            content = self._receive(stream, temporary, most)
            self._place(temporary, content.digest)
        except BaseException as error:
            self._discard(temporary)
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull() from error
            raise
        return content

    def _receive(self, stream: BinaryIO, temporary: str, most: int) -> Content:
        digest, size, head = hashlib.sha256(), 0, b""
        with self.files.open(temporary, "wb") as target:
            while part := stream.read(CHUNK):
                size += len(part)
                if size > most:
                    raise TooBig(max=size_text(most))
                if len(head) < HEAD:
                    head += part[: HEAD - len(head)]
                digest.update(part)
                target.write(part)
        return Content(digest=digest.hexdigest(), size=size, head=head)

    def _place(self, temporary: str, digest: str) -> None:
        path = path_of(digest)
        if self.files.exists(path):
            self._discard(temporary)
            return
        self.files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self.files.mv(temporary, path)

    def _discard(self, path: str) -> None:
        try:
            self.files.rm_file(path)
        except OSError:
            return

    def open(self, digest: str) -> BinaryIO:
        """The content as a stream to read, its bytes compared with the digest first.

        Raises `NotFound`, and `Conflict` ("file.damaged") where the storage gives back other bytes than it was given.
        """
        try:
            stream: Any = self.files.open(path_of(digest), "rb")
        except OSError as error:
            raise NotFound() from error
        try:
            whole = hashlib.file_digest(stream, "sha256").hexdigest() == digest
            stream.seek(0)
        except BaseException:
            stream.close()
            raise
        if not whole:
            stream.close()
            _log.error("the content %s is damaged in the storage", digest)
            raise Conflict("file.damaged")
        return stream

    @contextmanager
    def local(self, digest: str) -> Iterator[Path]:
        """The content as a file of this machine, for readers that need one; a copy where the storage is elsewhere."""
        if "file" in (self.files.fs.protocol, *self.files.fs.protocol):
            self.open(digest).close()
            yield Path(self.files._join(path_of(digest)))
            return
        with self.open(digest) as stream, tempfile.NamedTemporaryFile() as copy:
            shutil.copyfileobj(stream, copy, CHUNK)
            copy.flush()
            yield Path(copy.name)

    def exists(self, digest: str) -> bool:
        return bool(self.files.exists(path_of(digest)))

    def remove(self, digest: str) -> None:
        self._discard(path_of(digest))

    def older_than(self, seconds: float) -> Iterator[str]:
        """Digests whose content was put at least `seconds` ago; also throws away what was never finished."""
        limit = time.time() - seconds
        for path, facts in self.files.find("", detail=True).items():
            if _changed(facts) > limit:
                continue
            name = path.rpartition("/")[2]
            if _DIGEST.fullmatch(name):
                yield name
            elif path.lstrip("/").startswith("incoming/"):
                self._discard(path)


def path_of(digest: str) -> str:
    """The path below the root. Raises `NotFound` for what is no digest, so that no path can be smuggled in."""
    if not _DIGEST.fullmatch(digest):
        raise NotFound()
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


def _changed(facts: dict[str, Any]) -> float:
    moment = facts.get("mtime") or facts.get("LastModified") or 0.0
    return float(moment.timestamp()) if hasattr(moment, "timestamp") else float(moment)


def size_text(size: int) -> str:
    """A size for people: `1.5 MB`."""
    amount = float(size)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1024 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1024
    return ""
