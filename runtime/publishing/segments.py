"""A condition kept as a segment: a document of the site's own layer, published at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from runtime.errors import Forbidden, RecordProblem, Refused
from runtime.publishing import drafts
from runtime.publishing.publish import current_layers, publish
from runtime.query.pinyin import initials

if TYPE_CHECKING:
    from runtime.site import Session

LONGEST_NAME = 40
_NO_NAME = re.compile(r"[^a-z0-9]+")


def publish_segment(session: Session, entity: str, label: str, where: str) -> str:
    """Publishes the segment and answers its name. What others have in draft stays there.

    `session` only says who asks. Raises `Forbidden` for all but administrators, `Refused` for a label left out and
    for what does not check.
    """
    if not session.user.admin:
        raise Forbidden()
    title = " ".join(label.split())[:100]
    if not title:
        raise Refused(problems=[RecordProblem(code="required", field="name")])
    name = _free_name(session, entity, title)
    document = {"segment": name, "entity": entity, "label": title, "where": where}
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=4096)
    layers = drafts.with_drafts(current_layers(session.site), [drafts.Draft("segment", name, text)])
    publish(session.site, layers, f"segment {name}", session.user.id, language=session.language)
    return name


def _free_name(session: Session, entity: str, title: str) -> str:
    """A name in the spelling of metadata that no segment has yet."""
    spelled = _NO_NAME.sub("_", initials(title).lower()).strip("_")
    start = (spelled if spelled[:1].isalpha() else f"{entity}_{spelled}").strip("_")[: LONGEST_NAME - 4]
    taken = session.app.segments
    return next(n for n in (start, *(f"{start}_{count}" for count in range(2, 999))) if n not in taken)
