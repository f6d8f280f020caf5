"""What the runtime says to people: one catalogue of codes, every entry in every language.

A module of this package registers the sentences of its area; `say` fills in the parameters. A code that is not in the
catalogue is said as itself, so that nothing is ever lost; a house test keeps the catalogue complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from runtime.errors import Answer, RecordProblem

LANGUAGES = ("zh", "en")
_CATALOGUE: dict[str, Mapping[str, str]] = {}


class _Lenient(Formatter):
    """Fills `{name}` and leaves what has no value empty: a sentence with a gap is better than an error page."""

    def get_value(self, key: int | str, args: object, kwargs: Mapping[str, object]) -> object:
        return kwargs.get(str(key), "")


_FORMATTER = _Lenient()


def register(messages: Mapping[str, Mapping[str, str]]) -> None:
    """Adds `code -> {language: sentence}`. A code registered twice with other words is a programming error."""
    for code, texts in messages.items():
        known = _CATALOGUE.get(code)
        if known is not None and dict(known) != dict(texts):
            raise ValueError(f"message {code!r} is registered twice")
        if missing := [language for language in LANGUAGES if not texts.get(language)]:
            raise ValueError(f"message {code!r} lacks {missing}")
        _CATALOGUE[code] = texts


def codes() -> Mapping[str, Mapping[str, str]]:
    """The whole catalogue, for the manual and its test."""
    return dict(_CATALOGUE)


def say(code: str, language: str = "zh", **params: object) -> str:
    """The sentence for `code` in `language` (else English), its `{parameters}` filled."""
    texts = _CATALOGUE.get(code)
    if texts is None:
        return code
    template = texts.get(language) or texts["en"]
    return _FORMATTER.vformat(template, (), params)


def say_answer(answer: Answer, language: str = "zh") -> str:
    """The sentence of an answer, for a page, the API or a terminal."""
    return say(answer.code, language, **answer.params)


def say_problem(problem: RecordProblem, language: str = "zh") -> str:
    """The sentence of one reason why a record was refused; a declared check brings its own words."""
    return problem.message or say(problem.code, language, **dict(problem.params))


from runtime.messages import (  # noqa: E402, F401 - registration by import, after `register` exists
    acting,
    api,
    approvals,
    assigning,
    booking,
    core,
    duplicates,
    exchange,
    jobs,
    numbers,
    operation,
    publishing,
    qualification,
    records,
    samples,
    scores,
    timeline,
    values,
    web_forms,
)
