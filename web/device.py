"""Which kind of device asks, for layouts declared `on: phone`."""

from __future__ import annotations

from flask import request


def device() -> str | None:
    """`phone`, or None for everything else."""
    if request.headers.get("Sec-CH-UA-Mobile") == "?1":
        return "phone"
    agent = request.headers.get("User-Agent", "")
    return "phone" if "Mobi" in agent else None
