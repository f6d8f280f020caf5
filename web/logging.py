"""Structured logs: one JSON object a line in SITE/log/octavo.log, with the request's number and without secrets."""

from __future__ import annotations

import logging
import logging.handlers
import re
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from flask import Flask, g, has_request_context, request

from web.absent import absent

with absent("rich", "greenlet"):  # for consoles in colour and for green threads: 5 MiB in every process
    import structlog

MOST_BYTES = 20_000_000
KEPT = 5
MASK = "••••••"
_SECRET = re.compile(r"password|passwd|secret|token|authorization|cookie|api_?key", re.IGNORECASE)
_BEARER = re.compile(r"(Bearer\s+|oct_)[A-Za-z0-9._~+/=-]{8,}")


def configure_logging(folder: Path, *, console: bool = True, level: int = logging.INFO) -> None:
    """Sends all logs of this process to the site's file, and warnings to standard error. Can be called again."""
    (folder / "log").mkdir(exist_ok=True)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        with_request,
        masked,
    ]
    to_json = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, to_json]
    )
    file = logging.handlers.RotatingFileHandler(
        folder / "log" / "octavo.log", maxBytes=MOST_BYTES, backupCount=KEPT, encoding="utf-8", delay=True
    )
    file.setFormatter(formatter)
    handlers: list[logging.Handler] = [file]
    if console:
        stream = logging.StreamHandler(sys.stderr)
        stream.setLevel(logging.WARNING)
        stream.setFormatter(formatter)
        handlers.append(stream)
    root = logging.getLogger()
    for old in [h for h in root.handlers if getattr(h, "octavo", False)]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.octavo = True  # type: ignore[attr-defined]
        root.addHandler(handler)
    root.setLevel(level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def with_request(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Adds which request a line belongs to."""
    if has_request_context():
        known = g.get("octavo")
        event.setdefault("request", getattr(known, "request_id", None))
        event.setdefault("method", request.method)
        event.setdefault("endpoint", request.endpoint)
    return event


def masked(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Takes out values under names of secrets, and tokens in texts."""
    for key, value in list(event.items()):
        if _SECRET.search(key) and value is not None:
            event[key] = MASK
        elif isinstance(value, str):
            event[key] = _BEARER.sub(lambda m: m.group(1) + MASK, value)
    return event


def log_requests(app: Flask, *, slow_seconds: float = 1.0) -> None:
    """One line for every request that was slow or failed."""
    log = structlog.get_logger("octavo.request")

    @app.after_request
    def note(response: Any) -> Any:
        import time

        began = g.get("request_began")
        seconds = None if began is None else round(time.perf_counter() - began, 4)
        if response.status_code >= 500 or (seconds is not None and seconds >= slow_seconds):
            log.warning("request", status=response.status_code, seconds=seconds)
        return response
