"""Choices that people add without the designer: they join the site's own document of the option set."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from metadata.model import Options
from runtime.errors import Forbidden
from runtime.publishing import drafts
from runtime.publishing.layers import SITE
from runtime.publishing.publish import current_layers, publish
from runtime.query.pinyin import initials

if TYPE_CHECKING:
    from runtime.site import Session

LONGEST_NAME = 30
_NO_NAME = re.compile(r"[^a-z0-9]+")


def publish_choices(session: Session, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """Adds choices called so to option sets and publishes once; option set -> label -> name.

    `session` only says who asks. Raises `Forbidden` for all but administrators, `Refused` for what does not check.
    """
    if not session.user.admin:
        raise Forbidden()
    named = {options: _named(session.app.options[options], labels) for options, labels in wanted.items() if labels}
    if not named:
        return {}
    layers = current_layers(session.site)
    made = []
    for options, names in named.items():
        known = [s for s in drafts.sources(layers, "options", options) if s["layer"] == SITE]
        made.append(drafts.Draft("options", options, _written(known[-1]["text"] if known else "", options, names)))
    publish(session.site, drafts.with_drafts(layers, made), "choices", session.user.id, language=session.language)
    return named


def _named(options: Options, labels: Sequence[str]) -> dict[str, str]:
    """A name in the spelling of metadata for every label, none twice."""
    taken = {choice.name for choice in options.choices}
    found: dict[str, str] = {}
    for label in dict.fromkeys(labels):
        spelled = _NO_NAME.sub("_", initials(label).lower()).strip("_")[:LONGEST_NAME]
        start = spelled if spelled[:1].isalpha() else f"choice_{spelled}".rstrip("_")
        name = next(n for n in (start, *(f"{start}_{count}" for count in range(2, 9999))) if n not in taken)
        taken.add(name)
        found[label] = name
    return found


def _written(text: str, options: str, names: Mapping[str, str]) -> str:
    """The document with the choices behind those it has; comments stay."""
    yaml = YAML()
    yaml.width = 4096
    document: Any = yaml.load(text) if text.strip() else {"extend": {"options": options}, "choices": {}}
    choices = document.setdefault("choices", {})
    for label, name in names.items():
        choices[name] = {"label": label}
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()
