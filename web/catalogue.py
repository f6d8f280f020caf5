"""Texts of the pages: English in the sources, other languages from `web/locale/<language>.po`, read at start."""

from __future__ import annotations

from pathlib import Path

from babel.messages.pofile import read_po

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = {"zh": "中文", "en": "English"}
SOURCE_LANGUAGE = "en"


class Catalogue:
    """All translations of the pages, by language and msgid."""

    def __init__(self, folder: Path = LOCALE) -> None:
        self.texts: dict[str, dict[str, str]] = {SOURCE_LANGUAGE: {}}
        for file in sorted(folder.glob("*.po")):
            with file.open("rb") as stream:
                entries = read_po(stream, locale=file.stem)
            self.texts[file.stem] = {str(m.id): str(m.string) for m in entries if m.id and m.string}

    def say(self, language: str, msgid: str, **params: object) -> str:
        """The text in `language`, else the msgid itself; `{name}` is filled from `params`."""
        text = self.texts.get(language, {}).get(msgid, msgid)
        return text.format_map(params) if params else text
