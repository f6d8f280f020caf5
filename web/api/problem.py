"""RFC 9457 problem documents: every refusal of the API, translated, without a word about the inside."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, request

from runtime.errors import Answer, Stale
from runtime.messages import say, say_answer, say_problem

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = {503: "2", 429: "10"}
LANGUAGES = ("zh", "en")


def language_of_request(default: str = "en") -> str:
    """The language the caller asks for by Accept-Language, else `default`."""
    if not request.headers.get("Accept-Language"):
        return default
    return request.accept_languages.best_match(LANGUAGES, default) or default


def document(
    code: str,
    status: int,
    detail: str,
    language: str,
    *,
    problems: list[dict[str, Any]] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The members of RFC 9457; `type` is stable and machine-readable, `detail` a sentence for a person."""
    return {
        "type": f"urn:octavo:problem:{code}",
        "title": title(status, language),
        "status": status,
        "detail": detail,
        "problems": problems or [],
        **(extra or {}),
    }


def title(status: int, language: str) -> str:
    text = say(f"http.{status}", language)
    return HTTPStatus(status).phrase if text.startswith("http.") else text


def respond(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    status = body["status"]
    response = Response(dump(body), status, mimetype=MEDIA_TYPE)
    response.headers["Content-Language"] = "zh-CN" if _is_chinese(body["detail"]) else "en"
    if status in RETRY_SECONDS:
        response.headers["Retry-After"] = RETRY_SECONDS[status]
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def of_answer(answer: Answer, language: str) -> Response:
    """The problem document of what the runtime answered."""
    problems = [{"field": p.field, "code": p.code, "message": say_problem(p, language)} for p in answer.problems]
    extra: dict[str, Any] = {}
    if isinstance(answer, Stale):
        extra = {"current_version": answer.current_version, "differing": answer.differing}
    return respond(
        document(answer.code, answer.status, say_answer(answer, language), language, problems=problems, extra=extra)
    )


def of_status(status: int, language: str, **headers: str) -> Response:
    """A problem document for a refusal by HTTP itself: no such method, too large, unknown type."""
    return respond(document(f"http_{status}", status, title(status, language), language), headers)


def dump(value: Any) -> bytes:
    """JSON; a lone surrogate that came in is answered as a replacement character."""
    try:
        return orjson.dumps(value, default=_other, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return orjson.dumps(_clean(value), default=_other, option=orjson.OPT_NON_STR_KEYS)


def _other(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    return str(value)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_clean(k): _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    return value


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text[:40])
