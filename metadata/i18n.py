"""Texts for people: a string, or one per language; a missing label is the name, humanised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from metadata.frozen import FrozenMap
from metadata.model import Text

# Codes that a text may be given under, and that a choice may carry directly.
LANGUAGES = ("zh", "en", "zh_hant", "ja", "ko", "fr", "de", "es", "pt", "it", "ru", "vi", "th", "id", "ar")

_ISO_639_1 = """aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce co cr cs cu cv cy da de dv dz ee
el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv
ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl
nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta
te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"""
# Codes of countries, and of languages with one, that people write where a language is meant.
MEANT = {
    "cn": "zh", "ch": "zh", "zh_cn": "zh", "zh_hans": "zh", "tw": "zh_hant", "hk": "zh_hant", "zh_tw": "zh_hant",
    "zh_hk": "zh_hant", "us": "en", "gb": "en", "en_us": "en", "en_gb": "en", "jp": "ja", "kr": "ko", "vn": "vi",
    "cz": "cs", "dk": "da", "gr": "el", "ua": "uk",
}  # fmt: skip
_KNOWN = frozenset({*LANGUAGES, *_ISO_639_1.split()}) - MEANT.keys()


def is_language(code: str) -> bool:
    """Whether a text may be given under the code: a language, maybe with a script or country (`pt_br`)."""
    return code in _KNOWN or (code not in MEANT and "_" in code and code.partition("_")[0] in _KNOWN)


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
