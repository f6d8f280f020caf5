"""The compiled form of a published version, kept in the site's folder so that the next process need not compile it.

A file is named by all that it follows from: the documents, the program and the code packages. It is plain data
(`metadata.packed`), sealed with the site's secret key, so that whoever can write to the folder and does not know the
key cannot give anybody rights. A file that is missing, old, cut or forged is not used: the version is compiled then.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import os
import sys
import tempfile
import zlib
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Thread

from metadata import packed
from metadata.model import Application
from runtime import hooks
from runtime.collector import at_rest
from runtime.settings import Settings

FOLDER = "cache"
KEPT = 8  # versions: the newest, and those that running cases began on
_HERE = Path(__file__).resolve().parents[2]
_DIGEST = 32  # bytes
_log = logging.getLogger("octavo.site")


def read(settings: Settings, documents: bytes) -> Application | None:
    """The application these packed documents compile to, where it is kept."""
    path = _path(settings, documents)
    try:
        data = path.read_bytes()
    except OSError:
        return None
    seal, body = data[:_DIGEST], data[_DIGEST:]
    if not hmac.compare_digest(seal, _seal(settings, path.name, body)):
        return None
    try:
        with at_rest():
            return packed.unpack(zlib.decompress(body))
    except (packed.UnpackError, zlib.error) as error:
        _log.warning("%s cannot be read and is made anew: %s", path, error)
        return None


def is_there(settings: Settings, documents: bytes) -> bool:
    """Whether there is a file for these documents; it may still turn out to be unusable."""
    return _path(settings, documents).is_file()


def write(settings: Settings, documents: bytes, app: Application) -> None:
    """Keeps what the documents were compiled to. A folder that cannot be written to costs time, no more."""
    path = _path(settings, documents)
    try:
        body = zlib.compress(packed.pack(app), 1)
        path.parent.mkdir(exist_ok=True)
        _replace(path, _seal(settings, path.name, body) + body)
        _forget(path.parent)
    except OSError as error:
        _log.info("%s cannot be written: %s", path, error)


def write_soon(settings: Settings, documents: bytes, app: Application) -> Thread:
    """Keeps it while the caller goes on: other processes begin to ask for the version as soon as it is committed."""
    thread = Thread(target=_write, args=(settings, documents, app), name="octavo-keep")
    thread.start()
    return thread


def _write(settings: Settings, documents: bytes, app: Application) -> None:
    try:
        write(settings, documents, app)
    except Exception:  # the version is published all the same
        _log.exception("the compiled form cannot be kept")


def _path(settings: Settings, documents: bytes) -> Path:
    digest = sha256(documents)
    digest.update(program().encode())
    digest.update(repr(sorted(hooks.fingerprints().items())).encode())
    return settings.folder / FOLDER / f"application-{digest.hexdigest()[:32]}"


def _seal(settings: Settings, name: str, body: bytes) -> bytes:
    """Of the name too, so that a file of an earlier version cannot be passed off as the present one."""
    key = sha256(b"compiled application\0" + settings.secret_key.encode()).digest()
    return hmac.digest(key, name.encode() + b"\0" + body, "sha256")


@cache
def program() -> str:
    """Changes with Python and with every source that what is compiled depends on."""
    digest = sha256(sys.version.encode())
    for part in ("metadata", "rules"):
        for folder, folders, files in os.walk(_HERE / part):
            folders[:] = sorted(f for f in folders if f not in ("__pycache__", "stock", "platform", "declared"))
            for name in sorted(f for f in files if f.endswith(".py")):
                state = os.stat(os.path.join(folder, name))
                digest.update(f"{folder}/{name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _replace(path: Path, data: bytes) -> None:
    """All of it or nothing, also where several processes write at once."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".application-")
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _forget(folder: Path) -> None:
    """The oldest are removed."""
    found = sorted(folder.glob("application-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[KEPT:]:
        path.unlink(missing_ok=True)
