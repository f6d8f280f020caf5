"""The built browser files: their hashed names, and their compressed twins with a cache for ever."""

from __future__ import annotations

import json
import mimetypes
from pathlib import Path

from flask import Blueprint, Response, abort, request, send_from_directory, url_for

VENDOR = Path(__file__).parent / "static" / "vendor"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_FOREVER = "public, max-age=31536000, immutable"

blueprint = Blueprint("files", __name__)


class AssetsMissing(Exception):  # noqa: N818 - said to the operator as it is
    """The browser files were not built. The text says how."""


class StaticFiles:
    """Names of the built files as `manifest.json` tells them."""

    def __init__(self, folder: Path = VENDOR) -> None:
        manifest = folder / "manifest.json"
        if not manifest.is_file():
            raise AssetsMissing(
                "缺少浏览器文件，请运行 make assets。 The browser files are missing: run “make assets”."
            )
        data = json.loads(manifest.read_text("utf-8"))
        self.names: dict[str, str] = data["files"]
        self.icons = frozenset(data["icons"])
        self.served = frozenset(self.names.values())

    def address(self, name: str) -> str:
        return url_for("files.vendor", name=self.names[name])

    def icon(self, name: str | None, fallback: str = "circle") -> str:
        """The name if the sprite has it, else the fallback."""
        return name if name is not None and name in self.icons else fallback


@blueprint.get("/static/vendor/<name>")
def vendor(name: str) -> Response:
    """One built file; the browser gets the smallest form it takes."""
    path = VENDOR / name
    if "/" in name or name.startswith(".") or not path.is_file():
        abort(404)
    for encoding, ending in _ENCODINGS:
        if request.accept_encodings[encoding] and (VENDOR / f"{name}{ending}").is_file():
            response = send_from_directory(VENDOR, f"{name}{ending}", mimetype=mimetypes.guess_type(name)[0])
            response.headers["Content-Encoding"] = encoding
            break
    else:
        response = send_from_directory(VENDOR, name)
    response.headers["Cache-Control"] = _FOREVER
    response.vary.add("Accept-Encoding")
    return response
