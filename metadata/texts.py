"""Texts for people, and where a thing was declared."""

from __future__ import annotations

from dataclasses import dataclass

from metadata.frozen import FrozenMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text for people: one string per language."""

    values: FrozenMap[str]

    def of(self, language: str) -> str:
        """The text in `language`, else in English, else in Chinese, else in any; never an error."""
        for key in (language, "en", "zh"):
            if key in self.values:
                return self.values[key]
        return next(iter(self.values.values()), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who declared a thing: the layer (`platform`, `stock`, a package's name, `site`) and the place in its source."""

    layer: str
    file: str
    line: int
