"""octavo rescore: scores of all records by hand, and a draft beside the live one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from metadata.packages import Layer
from runtime import database
from runtime.decisions.scores import plain, score_fields
from runtime.errors import NotFound, Refused
from runtime.publishing.publish import check
from runtime.publishing.score_impacts import Comparing, Comparison, changed_scores, said_moves
from runtime.records.refresh import refresh_all
from runtime.site import Site


def rescore(
    site: Site, entity: str, told: Callable[[str, int, int], None] = lambda _name, _done, _changed: None
) -> dict[str, int]:
    """Works every score of an entity out anew; how many records had another one, by field. Raises `NotFound`."""
    with site.session() as session:
        if entity not in session.app.entities:
            raise NotFound()
        names = [field.name for field in score_fields(session, entity)]
    return refresh_all(lambda: site.session(write=True, channel="rule"), entity, names, told)


def compare(site: Site, layers: Sequence[Layer], entity: str, language: str, limit: int) -> list[dict[str, Any]]:
    """Each score of the entity that the layers change, compared over all records; `limit` records are listed.

    Raises `Refused` where the layers have errors, `NotFound`. Changes nothing.
    """
    compiled = check(layers)
    if compiled.errors or compiled.application is None:
        raise Refused("publish.problems", count=len(compiled.errors))
    new = compiled.application
    with database.answering(), site.reading() as connection:
        published = site._pin(connection)
        if entity not in published.app.entities:
            raise NotFound()
        found = []
        for score in changed_scores(published.app, new):
            if score.entity == entity:
                one = Comparing(connection, site, published, new, score)
                found.append(_told(one, one.compare(), language, limit))
    return found


def _told(one: Comparing, compared: Comparison, language: str, limit: int) -> dict[str, Any]:
    score = one.score
    return {
        "score": score.name,
        "label": score.label.of(language),
        "known": compared.known,
        "records": compared.total,
        "changed": compared.changed,
        "regraded": compared.regraded,
        "moves": [{"from": b, "to": a, "count": n} for b, a, n in compared.moves],
        "moves_text": said_moves(score, compared.moves, language),
        "list": [
            {
                "id": str(row.id),
                "title": row.title,
                "before": None if row.before is None else plain(row.before),
                "after": None if row.after is None else plain(row.after),
                "grade_before": row.grade_before,
                "grade_after": row.grade_after,
            }
            for row in one.records(limit)
        ],
    }
