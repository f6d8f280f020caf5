"""What is read, with a warning: keys that have a better name now, texts under a code that is no language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from metadata.drafts import suggestion
from metadata.i18n import LANGUAGES, MEANT, is_language
from metadata.kinds.fields import Choice, FieldShape
from metadata.kinds.shape import Prop, Shape
from metadata.places import Path
from metadata.problems import Problem
from metadata.source import Document

MOST = 50  # of one document
_CODE = re.compile("[a-z]{2}(_[a-z]+)?")  # other keys are refused


def notices(document: Document, kind: type[Shape]) -> list[Problem]:
    """The warnings of a document as it was written."""
    found = (problem for _, problem in zip(range(MOST), _of_shape(document.places, kind, document.data, ())))
    return list(found)


def _of_shape(places: Any, shape: type[Shape], value: Any, path: Path) -> Iterator[Problem]:
    if not isinstance(value, dict):
        return
    props = shape.props_cached()
    for key, part in value.items():
        here = (*path, key)
        replacement = shape.deprecated.get(key)
        if replacement is not None:
            yield _warning("shape.deprecated", places.key(here), replacement, key=key, replacement=replacement)
        prop = props.get(replacement or key)
        if prop is not None:
            yield from _of_prop(places, prop, part, here)
        elif shape is FieldShape and key == "options" and isinstance(part, dict):
            for name, choice in part.items():
                yield from _of_shape(places, Choice, choice, (*here, name))
        elif shape is Choice and key in MEANT and isinstance(part, str):
            yield _language(places, here, key)


def _of_prop(places: Any, prop: Prop, part: Any, path: Path) -> Iterator[Problem]:
    if prop.texts and isinstance(part, dict):
        for code in part:
            if _CODE.fullmatch(code) and not is_language(code):
                yield _language(places, (*path, code), code)
    elif prop.shape is None:
        return
    elif prop.container == "one":
        yield from _of_shape(places, prop.shape, part, path)
    elif isinstance(part, list | dict):
        pairs = part.items() if isinstance(part, dict) else enumerate(part)
        for name, item in pairs:
            yield from _of_shape(places, prop.shape, item, (*path, name))


def _language(places: Any, path: Path, code: str) -> Problem:
    hint = MEANT.get(code) or suggestion(code, LANGUAGES)
    return _warning("text.unknown_language", places.key(path), hint, language=code)


def _warning(code: str, place: Any, hint: str | None, **params: str) -> Problem:
    return Problem(code=code, place=place, severity="warning", hint=hint, params=params)
