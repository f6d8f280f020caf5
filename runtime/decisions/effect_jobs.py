"""The job that calls effect functions whose work lies outside the database."""

from __future__ import annotations

from typing import Any

from metadata.effect_functions import effect_functions
from runtime.errors import NotFound
from runtime.hooks import code_packages
from runtime.jobs.context import JobContext
from runtime.jobs.registry import long_job


@long_job("effect_function")
def effect_function_job(context: JobContext) -> Any:
    """Calls it once more until it returns; the event id stays the same."""
    code_packages()
    found = effect_functions().get(context.payload["function"])
    if found is None:
        raise NotFound("rule.no_function", name=context.payload["function"])
    return found.call(context.site, context.payload["event"], **context.payload["given"])
