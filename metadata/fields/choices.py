"""Reading the name of a choice from its name, its label in any language, or an earlier name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from metadata.fields.base import Coercion, Rejection
from metadata.fields.reading import one_line, width_folded
from metadata.model import Options


def spellings(options: Options) -> dict[str, str]:
    """Everything that may stand for a choice -> its name: what `Coercion.choices` answers for the set.

    A name wins over an earlier name, an earlier name over a label; of two equal labels the first declared counts.
    """
    found = {choice.name: choice.name for choice in options.choices}
    for choice in options.choices:
        for earlier in choice.was:
            found.setdefault(earlier, choice.name)
    for choice in options.choices:
        for label in choice.label.values.values():
            found.setdefault(label, choice.name)
            found.setdefault(folded(label), choice.name)
    return found


def folded(text: str) -> str:
    return width_folded(text).casefold().strip()


def choice_name(raw: str, options: str, context: Coercion) -> str | None:
    """The name of the choice that `raw` stands for; None for nothing. Raises `Rejection` for one not in the set."""
    text = one_line(raw)
    if text is None:
        return None
    known: Mapping[str, str] = context.choices(options) if context.choices else {text: text}
    name = known.get(text) or known.get(folded(text)) if len(text) <= 200 else None
    if name is None:
        name = next((n for n in known.values() if n == text), None)
    if name is None:
        raise _unknown(text, known)
    return name


def _unknown(text: str, known: Iterable[str]) -> Rejection:
    close = difflib.get_close_matches(text[:60], list(known)[:500], 1, 0.6)
    if close:
        return Rejection("value.unknown_choice_hint", value=text, hint=close[0])
    return Rejection("value.unknown_choice", value=text)


def shown(name: str, options: str, context: Coercion) -> str:
    return context.label(options, name) if context.label else name
