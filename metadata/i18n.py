"""Texts for people: a string, or one per language; a missing label is the name, humanised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from metadata.frozen import FrozenMap
from metadata.model import Text

# Codes that a text may be given under, and that a choice may carry directly.
LANGUAGES = ("zh", "en", "zh_hant", "ja", "ko", "fr", "de", "es", "pt", "it", "ru", "vi", "th", "id", "ar")


def humanise(name: str) -> str:
    """`annual_revenue` → `Annual revenue`."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def label_of(given: Any, name: str, languages: Iterable[str]) -> Text:
    """The declared text, else the humanised name. A plain string stands in every language."""
    text = text_of(given, languages)
    return text if text is not None else plain(humanise(name), languages)


def text_of(given: Any, languages: Iterable[str]) -> Text | None:
    if isinstance(given, str):
        return plain(given, languages)
    if isinstance(given, dict) and given:
        return Text(values=FrozenMap({str(k): str(v) for k, v in given.items()}))
    return None


def plain(text: str, languages: Iterable[str]) -> Text:
    return Text(values=FrozenMap(dict.fromkeys(languages, text)))


def missing_languages(given: Any, languages: Iterable[str]) -> list[str]:
    """The languages a text is not given in; a plain string counts for all."""
    return [language for language in languages if language not in given] if isinstance(given, dict) else []
