"""What designers do, for administrators: read documents, draft, check, plan, publish, go back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, request

from metadata.packages import Layer
from metadata.render import render_json
from runtime.commands.checking import plan_data
from runtime.errors import BadQuery, Forbidden, NotFound
from runtime.publishing import drafts
from runtime.publishing import publish as publishing
from runtime.site import Session
from web.api import context
from web.api.records import answer

MOST_TEXT = 1_000_000


def _admin(session: Session) -> None:
    if not session.user.admin:
        raise Forbidden


def list_documents() -> Response:
    given = context.parameters("kind", "layer")
    with context.reading() as session:
        _admin(session)
        found = drafts.documents(publishing.current_layers(session.site))
        listed = [d for d in found if all(d[name] == value for name, value in given.items())]
        waiting = [{"kind": d.kind, "name": d.name} for d in drafts.drafts(session)]
        return answer({"documents": listed, "drafts": waiting, "version": session.version})


def list_versions() -> Response:
    given = context.parameters("limit")
    with context.reading() as session:
        _admin(session)
        listed = publishing.versions(session.site, context.whole(given, "limit", 100, 1, 1000))
        return answer(
            {
                "versions": [
                    {
                        "number": v.number,
                        "created_at": v.created_at,
                        "created_by": None if v.created_by is None else str(v.created_by),
                        "note": v.note,
                        "changes": list(v.changes),
                        "rollback_of": v.rollback_of,
                    }
                    for v in listed
                ]
            }
        )


def read(kind: str, name: str) -> Response:
    context.parameters()
    with context.reading() as session:
        _admin(session)
        found = drafts.sources(publishing.current_layers(session.site), kind, name)
        draft = next((d.text for d in drafts.drafts(session) if (d.kind, d.name) == (kind, name)), None)
        if not found and draft is None:
            raise NotFound
        return answer({"kind": kind, "name": name, "sources": found, "draft": draft})


def write(kind: str, name: str) -> Response:
    """Keeps a draft: `{"text": "entity: …"}`."""
    context.parameters()
    with context.writing() as session:
        _admin(session)
        text = context.body_object().get("text")
        if not isinstance(text, str) or not text.strip() or len(text) > MOST_TEXT:
            raise BadQuery("request.bad_parameter", name="text", expected="YAML")
        drafts.save(session, kind, name, text)
        return answer({"kind": kind, "name": name, "draft": text})


def check() -> Response:
    """The problems of the drafts, or of what is published where there are none."""
    context.parameters()
    with context.reading() as session:
        _admin(session)
        compiled = publishing.check(_wanted(session)[0])
        return answer({"errors": len(compiled.errors), "problems": render_json(compiled.problems, session.language)})


def plan() -> Response:
    context.parameters()
    with context.reading() as session:
        _admin(session)
        layers, _ = _wanted(session)
        language = session.language
    return answer(plan_data(publishing.plan(context.site(), layers), language))


def publish() -> Response:
    """Publishes the drafts: `{"note", "accept", "base"}`, all optional."""
    context.parameters()
    body = _body("note", "accept", "base")
    with context.reading() as session:
        _admin(session)
        layers, waiting = _wanted(session)
        user, base = session.user.id, body.get("base") or session.version
    note = str(body.get("note") or "")[:1000]
    number = publishing.publish(
        context.site(), layers, note, user, accept=body.get("accept") is True, base=base, language=context.language()
    )
    with context.writing() as session:
        drafts.discard(session, waiting)
    return answer({"version": number}, 201)


def rollback() -> Response:
    """Publishes an earlier version again: `{"version": 3, "accept": false}`."""
    context.parameters()
    body = _body("version", "accept")
    number = body.get("version")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 2**31:
        raise BadQuery("request.bad_parameter", name="version", expected="1…")
    with context.reading() as session:
        _admin(session)
        user = session.user.id
    made = publishing.rollback(
        context.site(), number, user, accept=body.get("accept") is True, language=context.language()
    )
    return answer({"version": made}, 201)


def _wanted(session: Session) -> tuple[Sequence[Layer], list[drafts.Draft]]:
    """The layers with all drafts laid in, and the drafts."""
    waiting = drafts.drafts(session)
    layers = publishing.current_layers(session.site)
    return (drafts.with_drafts(layers, waiting) if waiting else layers), waiting


def _body(*known: str) -> dict[str, Any]:
    body = context.body_object() if request.content_length else {}
    if unknown := set(body) - set(known):
        raise BadQuery("request.unknown_parameter", name=sorted(unknown)[0][:80])
    base = body.get("base")
    if base is not None and (isinstance(base, bool) or not isinstance(base, int)):
        raise BadQuery("request.bad_parameter", name="base", expected="1…")
    return body
