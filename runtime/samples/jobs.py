"""Sample data are loaded and removed by workers, who tell the administrator who asked when it is done."""

from __future__ import annotations

from functools import partial
from typing import Any

from runtime import samples
from runtime.errors import Answer
from runtime.jobs.context import JobContext
from runtime.jobs.registry import long_job
from runtime.messages import say, say_answer
from runtime.messaging.notify import notify
from runtime.samples.loading import load
from runtime.samples.removing import remove
from runtime.seed import SeedError


@long_job("sample.load")
def load_in_background(context: JobContext) -> dict[str, Any]:
    """What the data are refused for is told, and not tried again by itself."""
    try:
        load(context.site, context.transaction)
    except (SeedError, Answer) as error:
        return _failed(context, error)
    return _tell(context, "sample.loaded")


@long_job("sample.remove")
def remove_in_background(context: JobContext) -> dict[str, Any]:
    done = remove(context.transaction)
    return _tell(context, "sample.removed", removed=done.removed, kept=done.kept_count)


def _failed(context: JobContext, error: Exception) -> dict[str, Any]:
    language = context.site.settings.language
    text = say_answer(error, language) if isinstance(error, Answer) else str(error)
    with context.transaction() as session:
        samples.write(session, samples.Status(state=samples.FAILED, problem=text))
    _tell(context, "sample.failed", problem=text)
    return {"problem": text}


def _tell(context: JobContext, code: str, **params: Any) -> dict[str, Any]:
    person = context.payload.get("person")
    if isinstance(person, int):
        with context.transaction() as session:
            notify(session, [person], partial(_said, code, params))
    return dict(params)


def _said(code: str, params: dict[str, Any], language: str) -> str:
    return say(code, language, **params)
