"""What a file is, by its first bytes; and whether that fits its name."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

from runtime.errors import WrongMedia
from runtime.files.names import extension

HEAD = 8192  # bytes looked at
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"\x1f\x8b", "application/gzip"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"MZ", "application/x-msdownload"),
    (b"\x7fELF", "application/x-executable"),
    (b"#!", "application/x-script"),
)
_MARKUP = re.compile(
    rb"<\s*(!doctype\s+html|html|head|body|script|iframe|svg|\?xml|!doctype|!entity|img|meta|style)", re.I
)
# Extension -> the media types its content may have. An extension not named here is kept as plain bytes.
_OFFICE = ("application/zip",)
_EXPECTED: Mapping[str, tuple[str, ...]] = {
    "png": ("image/png",),
    "jpg": ("image/jpeg",),
    "jpeg": ("image/jpeg",),
    "gif": ("image/gif",),
    "webp": ("image/webp",),
    "bmp": ("image/bmp",),
    "pdf": ("application/pdf",),
    "docx": _OFFICE,
    "xlsx": _OFFICE,
    "pptx": _OFFICE,
    "zip": _OFFICE,
    "doc": ("application/x-ole-storage",),
    "xls": ("application/x-ole-storage",),
    "ppt": ("application/x-ole-storage",),
    "gz": ("application/gzip",),
    "rar": ("application/vnd.rar",),
    "7z": ("application/x-7z-compressed",),
    "mp3": ("audio/mpeg", "application/octet-stream"),
    "mp4": ("video/mp4",),
    "txt": ("text/plain",),
    "csv": ("text/plain",),
    "md": ("text/plain",),
    "json": ("text/plain",),
    "eml": ("text/plain",),
    "html": ("text/html",),
    "htm": ("text/html",),
    "svg": ("text/html",),
    "xml": ("text/html", "text/plain"),
}
_NAMED: Mapping[str, str] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "csv": "text/csv",
    "json": "application/json",
    "svg": "image/svg+xml",
    "xml": "application/xml",
}
_RUNS = """
    exe dll com scr pif bat cmd msi msp ps1 psm1 vbs vbe js jse mjs wsf wsh hta cpl jar lnk reg sh bash csh ksh app
    apk deb rpm dmg php php3 php4 php5 php7 php8 phtml phar pht jsp jspx asp aspx ascx ashx cer cgi pl py rb htaccess
    xhtml xht shtml swf
"""
_RUNNING = frozenset(_RUNS.split())
INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})  # what a browser may show in a page


def sniff(head: bytes) -> str:
    """The media type of a file that begins with `head`; markup of any kind counts as text/html."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return "video/mp4"
    for signature, media in _SIGNATURES:
        if head.startswith(signature):
            return media
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if _MARKUP.search(head.replace(b"\x00", b"") if wide else head):
        return "text/html"
    return "text/plain" if wide or b"\x00" not in head else "application/octet-stream"


def media_type(name: str, head: bytes) -> str:
    """The media type of an upload. Raises `WrongMedia` for what can run and for content unlike its name."""
    ending = extension(name)
    found = sniff(head)
    if ending in _RUNNING or found in ("application/x-msdownload", "application/x-executable", "application/x-script"):
        raise WrongMedia("file.refused_kind", name=name)
    expected = _EXPECTED.get(ending)
    if expected is None:
        return found if found not in ("text/html", "text/plain") else "application/octet-stream"
    if found == "text/html" and ending == "csv" and _is_table(head):
        found = "text/plain"  # cells of people hold tags; a CSV is only ever given out as a download
    if found not in expected:
        raise WrongMedia("file.mismatch", name=name, media=found)
    return _NAMED.get(ending, found)


def _is_table(head: bytes) -> bool:
    """Whether the first line with something in it names columns: separated, and no markup among them."""
    lines = (line.strip() for line in head.replace(b"\x00", b"").splitlines())
    first = next((line for line in lines if line.strip(b"\xef\xbb\xbf\xff\xfe")), b"")
    return b"<" not in first and any(separator in first for separator in (b",", b";", b"\t", b"|"))


def image_size(head: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, GIF, BMP, JPEG or WebP; None where `head` does not tell."""
    kind = sniff(head)
    try:
        if kind == "image/png":
            width, height = struct.unpack(">II", head[16:24])
        elif kind == "image/gif":
            width, height = struct.unpack("<HH", head[6:10])
        elif kind == "image/bmp":
            width, height = struct.unpack("<ii", head[18:26])
        elif kind == "image/jpeg":
            return _jpeg_size(head)
        elif kind == "image/webp" and head[12:16] == b"VP8X":
            width = int.from_bytes(head[24:27], "little") + 1
            height = int.from_bytes(head[27:30], "little") + 1
        else:
            return None
    except struct.error:
        return None
    return width, abs(height)


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(head) and head[at] == 0xFF:
        marker, length = head[at + 1], int.from_bytes(head[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return None
