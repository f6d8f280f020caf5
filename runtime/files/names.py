"""File names as people gave them: made safe to keep, to show and to send in a header."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

LONGEST = 180  # characters; in UTF-8 below the 255 bytes that a header or a file system takes, after cutting
LONGEST_BYTES = 240
_SEPARATORS = re.compile(r"[/\\:]+")
_FORBIDDEN = re.compile(r'[<>"|?*]')


def safe_name(raw: str) -> str:
    """The last part of a path, without control and direction characters, and never empty, hidden or reserved.

    Whatever it is given, the name serves for showing and downloading alone: contents are stored by digest.
    """
    text = unicodedata.normalize("NFC", raw.encode("utf-8", "ignore").decode("utf-8"))
    text = _SEPARATORS.split(text.rstrip("/\\"))[-1]
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
    text = _FORBIDDEN.sub("_", text).strip().strip(".").strip()
    return _cut(text) or "file"


def extension(name: str) -> str:
    """In lower case without the dot, also behind trailing dots and blanks; "" where there is none."""
    stem, dot, last = name.rstrip(". ").rpartition(".")
    return last.lower() if dot and stem else ""


def _cut(text: str) -> str:
    """Shortened in the middle, so that the extension stays."""
    ending = extension(text)
    tail = f".{ending}" if ending and len(ending) <= 10 else ""
    body = text.removesuffix(tail) if tail else text
    while len(body) + len(tail) > LONGEST or len((body + tail).encode()) > LONGEST_BYTES:
        body = body[:-1]
    return body + tail


def content_disposition(name: str, *, inline: bool = False) -> str:
    """The header of RFC 6266: an ASCII name for old readers, the full one as `filename*` of RFC 8187."""
    safe = safe_name(name)
    plain = "".join(c if c.isascii() and c not in '"\\%' else "_" for c in safe)
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"
